-- What happens in a night besides the export: options of the command, faults of the service, how its tasks end, a
-- signal, and the time until the next night.
local entries = require "scope3.util.entries"
local place = require("spec.mirror.seasons.audiences").place

local plan = {}

plan.LATEST = 11 -- hours by which a night's clock may be wrong

local HOUR, DAY = 3600, 86400

local FAULTS = {
  { 4, { on = "sync", act = "lost_reply" } }, { 2, { on = "sync", act = "half_reply" } },
  { 2, { on = "sync", act = "cut_before" } }, { 1, { on = "sync", act = "cut_inside" } },
  { 2, { on = "sync", act = "cut_after" } }, { 1, { on = "any", act = "close" } },
  { 2, { on = "sync", act = "status", status = 429, retry_after = 1 } },
  { 3, { on = "sync", act = "status", status = 500 } }, { 2, { on = "sync", act = "status", status = 503 } },
  { 1, { on = "sync", act = "status", status = 422 } }, { 1, { on = "sync", act = "status", status = 401 } },
  { 1, { on = "sync", act = "not_json" } }, { 1, { on = "sync", act = "hang" } },
  { 2, { on = "task", act = "status", status = 500 } }, { 1, { on = "task", act = "status", status = 404 } },
  { 1, { on = "task", act = "lost_reply" } }, { 1, { on = "audiences", act = "status", status = 503 } },
}

local OUTCOMES = {
  { 6, "completed" }, { 2, "failed:transient" }, { 1, "failed:terminal" }, { 2, "failed:terminal+half" },
  { 1, "canceled+half" }, { 1, "rejected" }, { 1, "never" }, { 1, "never+half" }, { 1, "input-required" },
  { 1, "completed:failed" }, { 1, "audience-error" },
}

-- Faults of the night: each a few times, after a few requests.
local function faults_of(dice, night)
  local list = {}
  for i = 1, dice:whole(1, 3) do
    local fault = {}
    for name, value in entries(dice:weighted(FAULTS)) do
      fault[name] = value
    end
    night.timeout = fault.act == "hang" and 8 or night.timeout
    fault.after, fault.times = dice:whole(0, 4), dice:happens(0.15) and 12 or dice:whole(1, 2)
    list[i] = fault
  end
  return list
end

local function tasks_of(dice)
  local outcomes, lengths = {}, {}
  for i = 1, dice:whole(1, 12) do
    outcomes[i] = dice:weighted(OUTCOMES)
    lengths[i] = dice:happens(0.6) and 0 or dice:whole(1, 47) * HOUR
  end
  return outcomes, lengths
end

-- The task of a request whose answer is lost ends days later, and that of its repeat at once: it must not be forgotten.
local function late_copies(dice, faults)
  local lengths = {}
  for _, fault in ipairs(faults or {}) do
    if fault.act == "lost_reply" and fault.on == "sync" and #lengths == 0 then
      for i = 1, fault.after do
        lengths[i] = 0
      end
      lengths[fault.after + 1] = dice:whole(20, 47) * HOUR
    end
  end
  return lengths
end

--- Whom the service refuses, by place: some for all audiences, and some for one.
function plan.refused(dice, ids, audiences, most)
  local places = {}
  for _ = 1, most do
    local id, one = dice:pick(ids), dice:happens(0.6) and dice:whole(1, #audiences)
    for i, audience in ipairs(audiences) do
      if not one or one == i then
        places[#places + 1] = place(audience.id, id)
      end
    end
  end
  return places
end

--- The time until the next night.
function plan.pause(dice)
  return dice:weighted { { 2, HOUR }, { 8, DAY }, { 1, 2 * DAY }, { 1, 73 * HOUR } } + dice:whole(0, 600)
end

--- A night on which nothing goes wrong, and that may do everything.
function plan.calm()
  return { name = "calm", mode = "mirror", settings = {}, args = { "--max-removed", "100%", "--remove-rejected" },
    wait = 6000, max_members = 50, concurrency = 1, timeout = 2000, late = 0 }
end

-- How the process ends before its time.
local function signal_of(dice, points)
  local night = { at = dice:whole(1, points), signal = dice:happens(0.7) and 9 or 15 }
  night.half = night.signal == 9 and dice:happens(0.4) and 1 or nil
  return night
end

--- A night by chance.
---@param dice table
---@param ids string[]  of the export
---@param audiences table[]
---@param points integer  that a night has
function plan.random(dice, ids, audiences, points)
  local night = plan.calm()
  night.name, night.mode = "random", dice:happens(0.06) and "upsert" or "mirror"
  night.max_members = dice:pick { 1, 3, 7, 20, 100000 }
  night.concurrency = dice:pick { 1, 1, 1, 3 }
  night.args = {}
  if night.mode == "mirror" and dice:happens(0.9) then
    night.args = { "--max-removed", "100%" }
  end
  if night.mode == "mirror" and dice:happens(0.8) then
    table.insert(night.args, "--remove-rejected")
  end
  if dice:happens(0.05) then
    night.refreshes = true
    table.insert(night.args, "--refresh-after")
    table.insert(night.args, dice:pick { "1d", "36h", "10d" })
  end
  if dice:happens(0.1) then
    table.insert(night.args, "--keep-going")
  end
  if dice:happens(0.1) then
    table.insert(night.args, "--region")
    table.insert(night.args, "US")
  end
  if dice:happens(0.04) then
    night.name = "dry"
    table.insert(night.args, "--dry-run")
  end
  night.late = dice:happens(0.08) and dice:whole(-plan.LATEST, plan.LATEST) * HOUR or 0
  local settings = night.settings
  if dice:happens(0.5) then
    settings.task_outcomes, settings.task_lengths = tasks_of(dice)
  end
  if dice:happens(0.45) then
    settings.faults = faults_of(dice, night)
  end
  if not settings.task_outcomes and dice:happens(0.7) then
    settings.task_lengths = late_copies(dice, settings.faults)
  end
  if dice:happens(0.1) then
    settings.max_body = dice:whole(600, 2500)
  end
  if dice:happens(0.1) then
    settings.refuse = plan.refused(dice, ids, audiences, 3)
  end
  night.wait = not dice:happens(0.25) and (settings.task_outcomes and 5 or 6000) or nil
  if dice:happens(0.3) then
    night.ends = signal_of(dice, points)
  end
  return night
end

return plan
