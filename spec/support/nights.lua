-- Nights of a mirror against a sandbox, through client:run().
local states = require "spec.support.states"
local world = require "spec.support.world"

local nights = {}

local Season = {}
Season.__index = Season

--- A season: a state, and the sandbox that its nights send to.
---@param sandbox table
---@param opts? table  of client:run, for every night
function nights.season(sandbox, opts)
  local self = setmetatable({ sandbox = sandbox, state = states.path(), opts = { mode = "mirror", audience = "a" } },
    Season)
  for key, value in pairs(opts or {}) do
    self.opts[key] = value
  end
  return self
end

--- The text of a CSV file of people: { id = email }.
function nights.csv(people)
  local ids, lines = {}, { "id,mail" }
  for id in pairs(people) do
    ids[#ids + 1] = id
  end
  table.sort(ids)
  for _, id in ipairs(ids) do
    lines[#lines + 1] = ("%s,%s"):format(id, people[id])
  end
  return table.concat(lines, "\n") .. "\n"
end

--- One night over the text of a file, or people. Waits for its tasks unless `opts.wait` is false.
---@return scope3.Result? res
---@return scope3.Error? err
function Season:night(text, opts)
  text = type(text) == "table" and nights.csv(text) or text
  local all = { state = self.state }
  for _, given in ipairs { self.opts, opts or {} } do
    for key, value in pairs(given) do
      all[key] = value
    end
  end
  local wait, suffix = all.wait ~= false, all.suffix or ".csv"
  all.wait, all.suffix = nil, nil
  local script = all.script or { map = { external_id = "id", email = "mail" } }
  all.script = nil
  local res, err = self.sandbox:client { loop = self.loop }:run(script, world.file(text, suffix), all)
  if res or err.result then
    world.assert_sums(res or err.result)
  end
  if res and wait and not all.dry_run and #res.tasks > 0 then
    local waited
    waited, err = res:wait { timeout = 60 }
    if not waited then
      return nil, err
    end
  end
  return res, err
end

--- The ids of the audience with the hashes of their emails.
function Season:membership(audience)
  local found = {}
  for id, member in pairs(self.sandbox:members(audience or "a")) do
    found[id] = member.hashedEmail
  end
  return found
end

--- What people come to at the service.
function nights.hashed(people)
  local scope3 = require "scope3"
  local all = {}
  for id, email in pairs(people) do
    all[id] = scope3.email.hash(email)
  end
  return all
end

--- Members that the sandbox was sent, in all syncs so far.
function Season:sent()
  local n = 0
  for _, request in ipairs(self.sandbox:requests "sync") do
    n = n + (request.members or 0)
  end
  return n
end

return nights
