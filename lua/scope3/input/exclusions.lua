--- Lists of people who are never sent: one id, email, phone or SHA-256 of one a line. A line that is none of these ends
--- the job: whoever it means would be sent.
local core = require "scope3.core"
local errors = require "scope3.error"
local identity = require "scope3.identity"
local names = require "scope3.input.look.names"
local options = require "scope3.util.options"
local rare = require "scope3.util.rare"
local source = require "scope3.input.source"

---@class scope3.Exclusions  core.exclusions: who is left out
---@field counts fun(self): scope3.ExclusionCounts
---@field has_contacts fun(self): boolean
---@field close fun(self)

---@class scope3.ExclusionCounts  values of lists
---@field ids integer
---@field emails integer
---@field phones integer
---@field hashes integer  SHA-256 of any of these

local exclusions = {}

local MOST = 20000000 -- ids, and as many contacts: about 9 bytes of memory each
local SLICE_BYTES, SLICE_SECONDS = 256 * 1024, 0.01

local function problem(path, message, fields)
  return errors.new("source", ("%s: %s"):format(path, message), fields)
end

local WITHOUT_CODE = "a phone without its country code, as in +44 20 7946 0000"

-- What to say for reasons whose own words are about rows of people.
local WORDS = {
  ragged_row = "it has several columns, and a list has one value a line", id_phone = WITHOUT_CODE,
  phone_national = WITHOUT_CODE, phone_region = WITHOUT_CODE, id_email = "an email whose @ is written in another way",
}

-- What ends the reading. No message holds the value.
local ENDS = {}

function ENDS.refused(path, reason, row, line)
  return problem(path, ("line %.0f is neither an id, an email, a phone nor a SHA-256: %s. Nothing was sent, because "
    .. "whoever it means would not be left out"):format(line, WORDS[reason] or core.reasons[reason]),
    { code = "bad_exclusion", row = row, line = line, reason = reason })
end

function ENDS.too_many(path)
  return problem(path, ("more ids, or emails, phones and hashes, than can be left out: at most %.0f of either kind")
    :format(rare.number("exclusions", MOST)), { code = "too_many_exclusions" })
end

-- Whether a first value names its column. A title that is not known is taken for an id, which nobody has.
local function is_title(value)
  return not value:find "%d" and names.is_known(value) and not names.is_data(value)
end

---@class scope3.ExclusionTaker  what lists go into besides
---@field night? table  core.mirror.night, which takes ids; else they are kept in memory
---@field failed? fun(message: any, code: string?): scope3.Error  the error of a night that failed
---@field members integer  that a row may give: with several, id#2 of a list means the person whose id it ends
---@field rest? fun()  lets others run between two slices

---@class scope3.ExclusionReading: scope3.ExclusionTaker
---@field list table  core.exclusions
---@field path string
---@field begun boolean  the first value was looked at

-- Takes the first value, unless it is a title. What ends the reading, or nil.
local function take_first(self, value, row, line)
  self.begun = true
  if is_title(value) then
    return nil
  end
  local took, reason, code = self.list:add(value, self.night)
  if took == nil then
    return self.failed(reason, code)
  end
  return ENDS[took] and ENDS[took](self.path, reason, row, line) or nil
end

-- One step of a list: whether it has ended, or what ends the reading.
local function step(self, src)
  local state, detail, row, line = self.list:read(src.handle, self.night, rare.number("slice_bytes", SLICE_BYTES),
    rare.number("slice_seconds", SLICE_SECONDS), not self.begun)
  if state == "end" then
    return true
  elseif state == nil then
    return false, self.failed(detail, row)
  elseif state == "first" then
    return false, take_first(self, detail, row, line)
  elseif ENDS[state] then
    return false, ENDS[state](self.path, detail, row, line)
  end
  local ok, err = true, nil
  if state == "need" then
    ok, err = src:feed() -- gzip
  elseif state == "fatal" then
    ok, err = src:recover(detail)
  end
  return false, not ok and err or nil
end

local function total(list)
  local counts = list:counts()
  return counts.ids + counts.emails + counts.phones + counts.hashes
end

-- What is wrong with a list that was read: one that is still being written lacks those who come in a moment.
local function problem_at_end(self, before, has_changed)
  if has_changed then
    return problem(self.path, "the list was written to while it was read, so whom the rest means would not be left "
      .. "out. Nothing was sent; run the job again", { code = "changed_input" })
  elseif total(self.list) == before then
    return problem(self.path, "the list is empty. Where nobody is to be left out, leave exclude (--exclude) out",
      { code = "no_exclusions" })
  end
end

-- Reads one list. What is wrong, or nil.
local function read(self, cancel)
  local src, err = source.csv(self.path, { header = false })
  if not src then
    return err
  end
  local before, stamp, ended = total(self.list), not src:once() and src:stamp(), false
  while not ended and not err do
    ended, err = step(self, src)
    if self.rest then
      self.rest()
    end
    if not err and cancel and cancel() then
      err = errors.new("cancelled", "stopped before the first row")
    end
  end
  local has_changed = stamp and src:stamp() ~= stamp
  src:close()
  -- An empty list must not pass for an empty input, which --allow-empty allows.
  if not err or err.code == "empty" then
    err = problem_at_end(self, before, has_changed)
  end
  return err
end

--- What is wrong with the paths of lists, before anything else is done: a file that is not there.
---@param paths string[]
---@return scope3.Error?
function exclusions.missing(paths)
  for _, path in ipairs(paths) do
    local err = not core.file_kind(path) and select(2, source.csv(path)) or nil
    if err then
      return err
    end
  end
end

--- Reads lists.
---@param paths string[]
---@param opts table  checked options of the job: how identifiers are read
---@param taker scope3.ExclusionTaker
---@return scope3.Exclusions?
---@return scope3.Error? err
function exclusions.read(paths, opts, taker)
  local list = core.exclusions(options.merge(identity.reading(opts), { most = rare.number("exclusions", MOST),
    numbered = taker.members > 1 }))
  for _, path in ipairs(paths) do
    local err = read({ list = list, night = taker.night, path = path, begun = false, failed = taker.failed,
      rest = taker.rest }, opts.cancel)
    if err then
      list:close()
      return nil, err
    end
  end
  return list
end

return exclusions
