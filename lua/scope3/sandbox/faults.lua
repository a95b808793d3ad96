--- Misbehaviour by rule: which requests, how often, and what goes wrong.
local entries = require "scope3.util.entries"

local faults = {}
faults.__index = faults

faults.ACTIONS = {
  delay = true, stall = true, status = true, hang = true, cut_before = true, cut_inside = true, cut_after = true,
  lost_reply = true, half_reply = true, huge = true, redirect = true, garbage = true, not_json = true,
  wrong_envelope = true, wrong_types = true, echo = true, issues = true, close = true, die_on_reuse = true,
}

local KINDS = { sync = true, audiences = true, task = true, syndicate = true, syndication_status = true, other = true,
  any = true }

-- The fields of a rule, and the type of each. `on` and `act` are looked at apart.
local FIELDS = {
  on = "string", act = "string", after = "number", times = "number", share = "number", seconds = "number",
  status = "number",
  bytes = "number", html = "boolean", empty = "boolean", chunked = "boolean", error_string = "boolean", body = "string",
  retry_after = "string", content_type = "string", message = "string", code = "string", location = "string",
  issues = "table",
}

-- The least and the most of a number.
local RANGES = { after = { 0, 1e9 }, times = { -1, 1e9 }, share = { 0, 1 }, seconds = { 0, 1e6 }, status = { 200, 599 },
  bytes = { 0, 1e12 }, retry_after = { 0, 1e9 } }

-- What is wrong with a field of a rule, or nil.
local function field_problem(name, value)
  local want = FIELDS[name]
  if want == "number" or name == "retry_after" and type(value) == "number" then
    local range = RANGES[name]
    if type(value) ~= "number" or not (value >= range[1] and value <= range[2]) then
      return ("%s of a fault must be a number from %d to %d"):format(name, range[1], range[2])
    elseif (name == "status" or name == "bytes") and value % 1 ~= 0 then
      return name .. " of a fault must be a whole number"
    end
  elseif not want then
    return ("a fault has no %s"):format(tostring(name))
  elseif type(value) ~= want then
    return ("%s of a fault must be a %s"):format(name, want)
  end
end

local function rule_problem(rule)
  if type(rule) ~= "table" or not KINDS[rule.on] or not faults.ACTIONS[rule.act] then
    return "a fault needs on, a kind of request, and a known act"
  end
  for name, value in entries(rule) do
    local problem = field_problem(name, value)
    if problem then
      return problem
    end
  end
  if rule.act == "status" and not rule.status then
    return "a fault with the act status needs a status"
  end
end

--- The names of a rule's fields.
---@return string[]
function faults.fields()
  local names = {}
  for name in entries(FIELDS) do
    names[#names + 1] = name
  end
  return names
end

--- What is wrong with a list of rules, or nil.
---@param rules any
---@return string?
function faults.problem(rules)
  if type(rules) ~= "table" then
    return "faults must be a list"
  end
  local n = 0
  for _ in entries(rules) do
    n = n + 1
  end
  if n ~= #rules then
    return "faults must be a list"
  end
  for _, rule in ipairs(rules) do
    local problem = rule_problem(rule)
    if problem then
      return problem
    end
  end
end

--- Random numbers that are the same for the same seed on every Lua.
---@param seed integer
---@return fun(): number  at least 0, under 1
function faults.random(seed)
  local state = seed % 2147483646 + 1
  return function()
    state = state * 48271 % 2147483647
    return (state - 1) / 2147483646
  end
end

--- The rule that applies to a request; its counters go down. Nil when none applies.
---@param rules table[]  { on=, act=, after=, times=, share=, … }: from the request number `after` + 1 on, `times` times
---  (1; -1 for ever), each with the probability `share`
---@param kind string  sync, audiences, task, syndicate, syndication_status
---@param random fun(): number
---@return table?
function faults.take(rules, kind, random)
  for _, rule in ipairs(rules) do
    if (rule.on == kind or rule.on == "any") and not (rule.share and random() >= rule.share) then
      rule.after = rule.after or 0
      rule.times = rule.times or 1
      if rule.after > 0 then
        rule.after = rule.after - 1
      elseif rule.times ~= 0 then
        rule.times = rule.times - 1
        return rule
      end
    end
  end
end

return faults
