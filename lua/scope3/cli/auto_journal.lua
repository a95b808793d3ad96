--- The file of --journal auto: one for each job, in the folder for the state of programs, so that a fixed line of cron
--- works every night. A job that has ended gives its file another name, and the next run begins a new one.
---
--- A file is named by the job: its command, its audience, and a digest of where it goes and what it reads. Files that
--- have ended are removed after a week, but only those that have our names and begin as our journals do.
local core = require "scope3.core"
local text = require "scope3.cli.text"
local time = require "scope3.util.time"
local user_folder = require "scope3.cli.user_folder"

local auto_journal = {}

auto_journal.WORD = "auto"

local KEPT = 7 * 24 * 3600 -- seconds
local DIGITS = 16 -- of the digest
local LONGEST = 60 -- bytes of an audience's id in a name
local BEGINS = '{"job":{"account":"' -- the first line of each journal
local HEADER_MAX = 65536
local ENDED = "^[a-z]+%-[A-Za-z0-9_.-]*%-[0-9a-f]+%.([0-9]+T[0-9]+Z)%.done$"

-- The folder: nil and a message where nothing says where it is, or it cannot be used.
local function folder_of()
  local state = user_folder.of("XDG_STATE_HOME", "/.local/state")
  if not state then
    return nil, "--journal auto needs an absolute path in HOME or XDG_STATE_HOME, below which its folder is: name a "
      .. "file instead"
  end
  local folder, at = state .. "/scope3", 2
  while true do
    local slash = folder:find("/", at, true)
    local part = folder:sub(1, (slash or 0) - 1)
    local ok, why = core.make_folder(part, slash == nil)
    if not ok then
      return nil, ("--journal auto cannot use the folder %s: %s"):format(text.visible(part), why)
    elseif not slash then
      return folder
    end
    at = slash + 1
  end
end

-- A path that means the same in every folder.
local function absolute(path)
  if path:sub(1, 1) == "/" then
    return path
  end
  return (core.working_folder() or ".") .. "/" .. path:gsub("^%./", "")
end

-- The name of a job's file, without its ending.
local function name_of(args, client, audience)
  local words = { client.base, client.account_id or "", args.command, audience, args.mode or "",
    args.script and absolute(args.script) or "" }
  for _, path in ipairs(args.file) do
    words[#words + 1] = absolute(path)
  end
  for i, word in ipairs(words) do
    words[i] = #word .. ":" .. word
  end
  local readable = audience:gsub("[^A-Za-z0-9_.-]", "_"):sub(1, LONGEST)
  return ("%s-%s-%s"):format(args.command, readable, core.sha256(table.concat(words)):sub(1, DIGITS))
end

local function stamp(seconds)
  return time.utc(seconds):sub(1, 19):gsub("[:-]", "") .. "Z"
end

-- Whether a file is a journal: no link, and with the first line of one.
local function is_ours(path)
  local file = core.file_kind(path) == "file" and not core.link_target(path) and io.open(path, "rb")
  local head = file and file:read(HEADER_MAX) or ""
  if file then
    file:close()
  end
  local line = head:sub(1, (head:find("\n", 1, true) or 0) - 1)
  return line:sub(1, #BEGINS) == BEGINS and line:find('"type":"job"', 1, true) ~= nil
end

-- Removes the files of jobs that ended a week ago. What cannot be removed stays.
local function clean(folder)
  local before = stamp(core.time() - KEPT)
  for _, path in ipairs(core.glob(folder:gsub("[*?%[%]\\]", "\\%0") .. "/*.done") or {}) do
    local ended = path:sub(#folder + 2):match(ENDED) -- pattern: a name of a file
    if ended and #ended == #before and ended < before and is_ours(path) then
      os.remove(path)
    end
  end
end

-- All of a file, or nil.
local function contents(handle)
  local parts = {}
  while true do
    local part = handle:read()
    if not part or part == "" then
      return part and table.concat(parts)
    end
    parts[#parts + 1] = part
  end
end

-- The end of a request of which the service took nothing, and found no member wrong.
local REFUSED = '^{"request":%d+,"status":"refused","type":"ended"}\t'

-- Whether the service took nothing of a journal's job for certain: each request was refused as a whole.
local function took_nothing(all)
  local open, past_header = 0, false
  for line in all:gmatch "[^\n]+" do
    if line:find(REFUSED) then -- pattern: a record of ours
      open = open - 1
    elseif line:find('"type":"begin"}\t', 1, true) and not line:find('"uncertain"', 1, true) then
      open = open + 1
    elseif past_header then
      return false
    end
    past_header = true
  end
  return open == 0
end

-- Empties a journal of a run of which nothing was taken: its rows and options bind nobody. One that another run has is
-- left to it.
local function renew(path)
  local handle = core.file_kind(path) == "file" and core.append_file(path, true)
  if not handle then
    return
  end
  local all = contents(handle)
  if all and all:sub(1, #BEGINS) == BEGINS and took_nothing(all) then
    handle:truncate(0)
  end
  handle:close()
end

--- Finds the file of a job.
---@param args table
---@param client scope3.Client
---@param audience string
---@return string? path
---@return string? problem
function auto_journal.find(args, client, audience)
  local folder, problem = folder_of()
  if not folder then
    return nil, problem
  end
  clean(folder)
  local path = ("%s/%s.journal"):format(folder, name_of(args, client, audience))
  if core.link_target(path) then
    return nil, ("--journal auto does not follow the link %s: remove it"):format(text.visible(path))
  end
  renew(path)
  return path
end

--- Whether a job has nothing left to send, so that the next run is another job. A wait whose time was over leaves only
--- tasks, which the service goes on with. What failed for good would fail each later run of this journal, too.
---@param res scope3.Result?  of a job whose requests were all accepted
---@param err scope3.Error?  of the job, or of the wait for its tasks
---@return boolean
function auto_journal.is_done(res, err)
  if err and err.kind == "task_failed" then
    return not err.retryable and (res or err.result).unknown == 0
  end
  return res ~= nil and res.failed == 0 and res.unknown == 0 and (err == nil or err.kind == "timeout")
end

--- Gives the file of a job that has ended another name.
---@param path string
---@return string? problem
function auto_journal.finish(path)
  local handle, why, code = core.append_file(path, true) -- locked: another run may have begun to read it
  if not handle then
    return code ~= "missing" and code ~= "locked" and ("cannot open %s: %s"):format(path, tostring(why)) or nil
  end
  local ok
  ok, why = os.rename(path, ("%s.%s.done"):format(path:gsub("%.journal$", ""), stamp(core.time())))
  handle:close()
  return not ok and ("the job has ended, and its journal could not be put away: %s"):format(tostring(why)) or nil
end

return auto_journal
