--- Misbehaviour by rule: which requests, how often, and what goes wrong.
local faults = {}
faults.__index = faults

faults.ACTIONS = {
  delay = true, status = true, hang = true, cut_before = true, cut_inside = true, cut_after = true, lost_reply = true,
  half_reply = true, huge = true, redirect = true, garbage = true, not_json = true, wrong_envelope = true, echo = true,
  issues = true, close = true, die_on_reuse = true,
}

--- The rule that applies to a request, used up by one; nil when none does.
---@param rules table[]  { on=, act=, after=, times=, … }
---@param kind string  sync, audiences, task, syndicate, syndication_status
---@return table?
function faults.take(rules, kind)
  for _, rule in ipairs(rules) do
    if rule.on == kind or rule.on == "any" then
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
