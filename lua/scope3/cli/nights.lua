--- The nights of a state: what the command tells of each, also beside a job.
local entries = require "scope3.util.entries"
local json = require "scope3.util.json"
local members_of = require "scope3.mirror.members"
local state_file = require "scope3.cli.state_file"
local store = require "scope3.mirror.store"
local text = require "scope3.cli.text"

local nights = {}

local MOST = 60 -- that a report has

---@class scope3.cli.Night
---@field night integer
---@field began string
---@field ended? string
---@field seconds? number
---@field interrupted boolean
---@field counts table<string, number|string>

-- How long a night took: as it measured that, or by the seconds of its beginning and end.
local function seconds_of(run, counts)
  if type(counts.seconds) == "number" then
    return counts.seconds
  end
  return run.ended and math.max(0, run.ended - run.began) or nil
end

--- A night. Its counts are what the run wrote down: another version may have had others.
---@param run {n: integer, began: integer, ended: integer?, counts: table?}
---@return scope3.cli.Night
local function night_of(run)
  local counts = {}
  for name, value in entries(run.counts or {}) do
    if type(value) == "number" or type(value) == "string" then
      counts[name] = value
    end
  end
  return { night = run.n, began = state_file.iso(run.began), ended = state_file.iso(run.ended),
    seconds = seconds_of(run, counts),
    interrupted = (run.counts or {}).interrupted == true, counts = counts }
end

--- The nights of a state, in order.
---@param kept scope3.MirrorStore
---@return scope3.cli.Night[]?
---@return scope3.Error? err
function nights.of(kept)
  local runs, err = kept:runs()
  if not runs then
    return nil, err
  end
  local list = {}
  for i, run in ipairs(runs) do
    list[i] = night_of(run)
  end
  return list
end

--- Nights as --json has them.
---@param list scope3.cli.Night[]
---@return table
function nights.objects(list)
  local objects = json.array {}
  for i, night in ipairs(list) do
    local object = {}
    for key, value in entries(night) do
      object[key] = value
    end
    object.ended, object.seconds = object.ended or json.null, object.seconds or json.null
    objects[i] = object
  end
  return objects
end

--- A count of a night: nil where it has none.
---@param night scope3.cli.Night
---@param name string
---@return number?
function nights.count(night, name)
  local n = night.counts[name]
  return type(n) == "number" and n or nil
end

--- Whether a night did not do what it was to do.
---@param night scope3.cli.Night
---@return boolean
function nights.has_failed(night)
  return night.interrupted or not night.ended or nights.count(night, "failed") ~= nil
end

--- What is to be said of a night in words.
---@param night scope3.cli.Night
---@return string?
function nights.note(night)
  local held_back, forgotten = nights.count(night, "held_back"), nights.count(night, "forgotten")
  local said = {}
  if not night.ended then
    said[1] = "not ended"
  elseif night.interrupted then
    said[1] = "interrupted"
  elseif held_back then
    said[1] = text.plural(held_back, "removal") .. " held back"
  elseif nights.has_failed(night) then
    said[1] = "failed"
  end
  said[#said + 1] = forgotten and text.plural(forgotten, "person", "people") .. " forgotten" or nil
  return said[1] and table.concat(said, ", ") or nil
end

-- How many people are or may be in the audiences now.
local function people_in(kept)
  local reading = members_of.open(kept)
  local counts = reading and reading:count()
  if reading then
    reading:close()
  end
  local people = counts and 0 or nil
  for i = 1, counts and #kept.about.audiences or 0 do
    local of = counts[i] or {}
    people = people + (of.known or 0) + (of.unsure or 0) + (of.open or 0)
  end
  return people
end

---@class scope3.cli.NightsSeen
---@field list scope3.cli.Night[]  the last ones, in order
---@field people? integer  in the audiences now

--- The last nights of a state and how many people it has now, for a report; nil where they cannot be read: the job has
--- said why by then.
---@param path string
---@param counts_people boolean  which reads all of the state
---@return scope3.cli.NightsSeen?
function nights.seen(path, counts_people)
  local kept = store.open(path, nil, { read_only = true, seen = true }) -- the job has had it
  if not kept then
    return nil
  end
  local fine, seen = pcall(function()
    local all, last = nights.of(kept) or {}, {}
    for i = math.max(1, #all - MOST + 1), #all do
      last[#last + 1] = all[i]
    end
    return { list = last, people = counts_people and people_in(kept) or nil }
  end)
  kept:close()
  if not fine then
    error(seen, 0)
  end
  return seen
end

return nights
