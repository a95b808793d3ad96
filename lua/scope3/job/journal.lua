--- What a job has sent, kept where it outlives the process, so that the job can be resumed.
---
--- A journal is any object with the methods of scope3.Journal; this one is a file. Each line is a record as JSON, its
--- running number, and a seal: a part of the SHA-256 over the seal of the line before, the number and the record. So a
--- line that was changed, lost, doubled or moved is found, and the job stops there. A record is on the disk before its
--- request goes. Records hold row numbers, counts, task ids and the SHA-256 of whole requests' members: nothing of
--- people. To resume, the same rows are read and cut as before, and each cut is compared with what the journal says of
--- it (job/history): that is all the journal has to know of the data.
local core = require "scope3.core"
local difference = require "scope3.util.difference"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local json = require "scope3.util.json"

---@class scope3.Journal
---@field open fun(self, job: table): true?, scope3.Error?  takes it for this job only; `job` says what must not change:
---  service, account, audience, options
---@field replay fun(self): table[]  every record so far, in their order:
---  { type = "begin"|"accepted"|"ended", request=, … }
---@field begin fun(self, record: table): true?, scope3.Error?  a request is about to go: request (a number, growing),
---  batch (its number; 0 for the one that deletes what is missing), epoch, first, last, members, rows, digest,
---  uncertain, at; where the service refused members: without (their numbers in the batch) and excluded (their rows);
---  and replaced (numbers of members that later requests replaced)
---@field accepted fun(self, record: table): true?, scope3.Error?  request, task_id, at, uncertain: it may have been
---  carried out twice
---@field ended fun(self, record: table): true?, scope3.Error?  request, status: of its task, or "refused" or "split"
---  where it made none; transient; without (numbers of the members for which the service refused it); size (bytes:
---  larger requests are too large)
---@field close fun(self)
---@field forgets? boolean  it gives nothing back to be resumed, so digests need not be made
---@field each_sending? boolean  it asks for each sending of a request: `begin` comes again for a request before an
---  attempt that follows one without an answer. What is told of the request after that is of its last sending
---@field send_within? number  of such a journal: seconds after `at` of its `begin` in which a sending may go
---@field begin_anew? fun(self, record: table): true?, scope3.Error?  of such a journal: request, at; its last sending
---  goes only now
---@field cut_short? boolean  after open(): a last line that was written in part was removed
local File = {}
File.__index = File

local journal = {}

local VERSION = 2
local FIRST_SEAL = "scope3 journal " .. VERSION
local SEAL = 16 -- hex digits

--- A journal in a file.
---@param path string
---@return scope3.Journal
function journal.file(path)
  return setmetatable({ path = path }, File)
end

function File:fail(message, code)
  return nil, errors.new("journal", ("the journal %s %s"):format(self.path, message), { code = code })
end

local function seal_of(before, number, record)
  return core.sha256(("%s\n%d\n%s"):format(before, number, record)):sub(1, SEAL)
end

-- What may have become of the file: messages for the codes of scope3.append_file.
local STRAYED = {
  locked = "is in use by another process, which runs this job: wait for it, or stop it",
  missing = "is gone: another run of this job ended and put it away, or somebody removed it",
  moved = "is not where it was: %s. What this run sent stands in the file that was moved: bring it back, "
    .. "and run the same command again",
  changed = "is not as this run left it: %s. Only one run of a job may write to its journal",
}

-- A text that says which file it is and how long; or nil and why there is none.
local function state_of(handle)
  local fine, state, why = pcall(handle.state, handle) -- memory may have run out, which must not leave it locked
  if not fine then
    return nil, state
  end
  return state, why
end

-- Takes the file. Once it was written to it must be there, as it was left.
local function lock(self)
  local again = self.left ~= nil
  local handle, why, code = core.append_file(self.path, again)
  if not handle then
    -- A file that this run never had is not gone: its folder does not exist.
    code = (again or code ~= "missing") and code or nil
    local text = STRAYED[code] or "cannot be opened: %s"
    return self:fail(text:format(tostring(why)), code or "unusable")
  end
  local state
  if again then
    state, why = state_of(handle)
  end
  if again and (not state or state ~= self.left) then
    handle:close()
    if state and self.left then
      return self:fail("was continued by another run of this job: follow that one", "another_run")
    end
    return self:fail(("cannot be compared with what this run left in it: %s. Run the same again, and it goes on")
      :format(tostring(self.unknown or why)), "unusable")
  end
  self.handle = handle
  return true
end

local function write(self, record)
  if self.torn then -- a record behind a part of another would damage the journal
    return self:fail("cannot be written: " .. self.torn, "unusable")
  elseif not self.handle then
    local ok, err = lock(self)
    if not ok then
      return nil, err
    end
  end
  local text = json.encode(record)
  local number = self.lines + 1
  local seal = seal_of(self.seal, number, text)
  local ok, why, code = self.handle:append(("%s\t%d\t%s\n"):format(text, number, seal))
  if not ok then
    self.torn = code == "torn" and tostring(why) or nil
    return self:fail((STRAYED[code] or "cannot be written: %s"):format(tostring(why)),
      code and not self.torn and code or "unusable")
  end
  self.lines, self.seal = number, seal
  return true
end

-- The record of a line, where its number and its seal are those that belong there.
local function unseal(self, line)
  local text, number, seal = line:match("^(.*)\t([0-9]+)\t([0-9a-f]+)$")
  if not text or number ~= ("%d"):format(self.lines + 1) or seal ~= seal_of(self.seal, self.lines + 1, text) then
    return nil
  end
  local record = json.decode(text)
  if type(record) ~= "table" or type(record.type) ~= "string" then
    return nil
  end
  self.lines, self.seal = self.lines + 1, seal
  return record
end

local function damaged(self)
  return self:fail(("is damaged at line %d, so it cannot say what was sent. Bring it back from a copy; "
    .. "or name another journal, and every row is sent again"):format(self.lines + 1), "damaged")
end

-- Whether a text may be the first line of a journal, cut short. An empty one may.
local function may_be_header(text)
  local start = '{"job":{"account":"' -- how the first line of each begins
  return text:sub(1, #start) == start:sub(1, #text) and not text:find("\n", 1, true)
    and (json.decode(text) == nil or text:find('"type":"job"', 1, true) ~= nil)
end

local function contents(self)
  local parts = {}
  while true do
    local part, why = self.handle:read()
    if not part then
      return self:fail("cannot be read: " .. tostring(why), "unusable")
    elseif part == "" then
      return table.concat(parts)
    end
    parts[#parts + 1] = part
  end
end

-- Repairs what stands after the last line end: a line that a crash cut short is removed. A whole line without its end
-- is kept. One with another byte in place of its end is damage.
local function repair_end(self, records, rest, at)
  if rest == "" then
    return true
  end
  local record = unseal(self, rest)
  local ok, why
  if record then
    records[#records + 1] = record
    ok, why = self.handle:append("\n")
  elseif unseal(self, rest:sub(1, -2)) then
    self.lines = self.lines - 1
    return damaged(self)
  else
    ok, why = self.handle:truncate(at - 1)
    self.cut_short = true
  end
  if not ok then
    return self:fail("cannot be repaired: " .. tostring(why), "unusable")
  end
  return true
end

-- The records of the file. A file that is no journal is left as it is.
local function load(self)
  local text, err = contents(self)
  if not text then
    return nil, err
  end
  local records, at = {}, 1
  while true do
    local stop = text:find("\n", at, true)
    if not stop then
      break
    end
    local line = text:sub(at, stop - 1)
    local record = unseal(self, line)
    if at == 1 and not record and not line:find('"type":"job"', 1, true) then
      return self:fail("is no journal", "damaged")
    elseif at == 1 and not record and not line:find(('"version":%d'):format(VERSION), 1, true) then
      return self:fail("was written by another version of this library: name another journal, "
        .. "and every row is sent again", "damaged")
    elseif not record then
      return damaged(self)
    end
    records[#records + 1] = record
    at = stop + 1
  end
  if at == 1 and not may_be_header(text) then
    return self:fail("is no journal", "damaged")
  end
  local ok
  ok, err = repair_end(self, records, text:sub(at), at)
  if not ok then
    return nil, err
  end
  return records
end

function File:open(job)
  local ok, err = lock(self)
  if not ok then
    return nil, err
  end
  self.lines, self.seal, self.cut_short, self.torn = 0, FIRST_SEAL, nil, nil
  self.records, err = load(self)
  if not self.records then
    self:close()
    return nil, err
  end
  local header = table.remove(self.records, 1)
  if not header then
    return write(self, { type = "job", version = VERSION, job = job })
  end
  local changed = type(header.job) ~= "table" and "its first line is no job's" or difference(header.job, job)
  if changed then
    self:close()
    return self:fail(("belongs to another job: %s. Give the same again, or name another journal"):format(changed),
      "another_job")
  end
  return true
end

function File:replay()
  return self.records
end

for _, kind in ipairs { "begin", "accepted", "ended" } do
  File[kind] = function(self, record)
    local line = { type = kind }
    for key, value in entries(record) do
      line[key] = value
    end
    return write(self, line)
  end
end

function File:close()
  local handle = self.handle
  if handle then
    self.handle = nil
    local left
    left, self.unknown = state_of(handle)
    self.left = left or false
    handle:close()
  end
end

return journal
