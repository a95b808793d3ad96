--- Misbehaviour by rule: which requests, how often, and what goes wrong.
local faults = {}
faults.__index = faults

faults.ACTIONS = {
  delay = true, stall = true, status = true, hang = true, cut_before = true, cut_inside = true, cut_after = true, lost_reply = true,
  half_reply = true, huge = true, redirect = true, garbage = true, not_json = true, wrong_envelope = true, wrong_types = true, echo = true,
  issues = true, close = true, die_on_reuse = true,
}

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

--- The rule that applies to a request, used up by one; nil when none does.
---@param rules table[]  { on=, act=, after=, times=, share=, … }: from the request number `after` + 1 on, `times` times (1; -1 for ever), each with
---  the probability `share`
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
