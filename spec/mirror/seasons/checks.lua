-- What has to be true after a night of a season, whatever happened in it. Each check gives what is wrong, or nil.
local entries = require "scope3.util.entries"

local checks = {}

---@class scope3.SeasonKnown  what is known of a season, by place: an audience and a person
---@field ever table<string, table<string, boolean>>  the hashes that the export ever wanted
---@field strangers table<string, string>  who was there without the job, with their hashes
---@field refused table<string, table<string, boolean>>  the cells of rows that the service refused
---@field settled table<string, string>  the hash of those of whom nothing was in doubt since

local function shown(id)
  return #id > 20 and id:sub(1, 20) .. "…" or id
end

local function is_rightful(known, id, hash)
  return known.ever[id] and known.ever[id][hash] or known.strangers[id] == hash
end

-- Nobody is there whom neither the export nor another client ever wanted so; and nobody has removed the strangers.
function checks.of_people(known, seen)
  for id, hash in entries(seen.members) do
    if not is_rightful(known, id, hash) then
      return ("%s is in the audience, as nobody ever wanted"):format(shown(id))
    end
  end
  for id, hash in entries(known.strangers) do
    if not known.ever[id] and seen.members[id] ~= hash then
      return ("%s was in the audience before, and is gone or changed"):format(shown(id))
    end
  end
end

-- A request must not speak of somebody of whom another one may still be carried out, unless it asks for the same. What
-- was carried out must have been wanted.
function checks.of_requests(known, seen)
  for _, request in ipairs(seen.came) do
    for _, earlier in ipairs(request.over) do
      if #earlier.other > 0 then
        return ("request %d sends to %s, of whom request %d is under way with something else"):format(request.n,
          shown(earlier.other[1]), earlier.n)
      end
    end
    for id in entries(request.wishes) do
      if not known.ever[id] then
        return ("request %d speaks of %s, whom the export never wanted"):format(request.n, shown(id))
      end
    end
  end
end

-- Members that did not change are not sent again.
function checks.of_repeats(known, seen, night)
  for _, request in ipairs(night.refreshes and {} or seen.came) do
    for id, wish in entries(request.wishes) do
      if known.settled[id] and wish == "add " .. known.settled[id] then
        return ("request %d sends %s again, who has not changed"):format(request.n, shown(id))
      elseif known.settled[id] then
        return ("request %d would change %s, who has not changed"):format(request.n, shown(id))
      end
    end
  end
end

-- The command neither crashes nor has a hole in its counts.
function checks.of_the_command(run)
  if run.code == 70 or run.complaint:find("do not add up", 1, true) or run.complaint:find("internal", 1, true) then
    return "the command has a fault: " .. run.complaint
  end
end

local function size(set)
  local n = 0
  for _ in entries(set) do
    n = n + 1
  end
  return n
end

local function of_counts_of_one(mirror, people)
  local told = mirror.added + mirror.changed + mirror.unchanged + mirror.rejected_before
  local waiting = mirror.under_way + mirror.deferred
  if told > people or told + waiting < people then
    return ("%d people are counted, and %d wait: there are %d"):format(told, waiting, people)
  end
end

-- Everybody with a row is counted once in each audience that takes it.
function checks.of_counts(mirror, tonight)
  if mirror.rows - mirror.replaced ~= tonight.people then
    return ("%d rows and %d replaced are not %d people"):format(mirror.rows, mirror.replaced, tonight.people)
  end
  for i, of in ipairs(mirror.audiences or {}) do
    local problem = of_counts_of_one(of, tonight.takes[i] or 0)
    if problem then
      return ("audience %d: %s"):format(i, problem)
    end
  end
  return of_counts_of_one(mirror, size(tonight.wanted))
end

local function is_exempt(known, tonight, id)
  return known.refused[id] ~= nil and known.refused[id][tonight.cells[id]] == true
end

-- Who is in the audience is who the export has, with the same identifiers; and the strangers.
function checks.of_the_audience(known, seen, tonight)
  for id, hash in entries(tonight.wanted) do
    local there = seen.members[id]
    if is_exempt(known, tonight, id) then
      known.settled[id] = nil
    elseif hash and not there then
      return ("%s is missing"):format(shown(id))
    elseif hash and there ~= hash then
      return ("%s has other identifiers"):format(shown(id))
    elseif not hash and there and known.strangers[id] ~= there then
      return ("%s has a row that is rejected, and is there"):format(shown(id))
    end
  end
  for id, hash in entries(seen.members) do
    if not tonight.wanted[id] and not is_exempt(known, tonight, id) and known.strangers[id] ~= hash then
      return ("%s has no row, and is there"):format(shown(id))
    end
  end
end

return checks
