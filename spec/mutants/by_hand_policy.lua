--- Mutants of the policy in lua/scope3, made by hand: changes that would cost a user members, order or patience.
---
--- Each is a text that occurs once in its file, what stands there instead, and the specs that have to fail. A mutant
--- that nobody could notice says why (`equivalent`).

---@class scope3.HandMadeMutant
---@field file string
---@field name string  what the mutant does
---@field from string  occurs once in the file
---@field to string
---@field specs string[]
---@field equivalent? string  why nothing can notice it

local LUA, SPEC = "lua/scope3/", "spec/"

-- The mutants of one file: { name, from, to, specs, equivalent }, where specs are those of the file unless given.
local function of(file, specs, list)
  local mutants = {}
  for i, one in ipairs(list) do
    local paths = {}
    for j, name in ipairs(one[4] or specs) do
      paths[j] = SPEC .. name .. "_spec.lua"
    end
    mutants[i] = { file = LUA .. file .. ".lua", name = one[1], from = one[2], to = one[3], specs = paths,
      equivalent = one.equivalent }
  end
  return mutants
end
local FILES = {
  of("http/call", { "http/retry_of_each_failure" }, {
    { "what must not be done twice is repeated", 'request.method == "GET" or request.repeatable or not err.uncertain',
      "true" },
    { "a request that reads is not repeated after a lost answer", 'request.method == "GET" or request.repeatable',
      "request.repeatable", equivalent = "The failure of a request that reads is never uncertain." },
    { "members are not sent again after a lost answer", 'request.method == "GET" or request.repeatable',
      'request.method == "GET"' },
    { "a read is uncertain", "err = errors.with(err, { uncertain = errors.NOTHING }) -- reading", "-- reading" },
    { "an earlier attempt is forgotten", "self.uncertain = self.uncertain or err.uncertain",
      "self.uncertain = err.uncertain" },
    { "a call that is given up while it waits was never sent",
      "(self.id ~= nil or self.uncertain) and self.request.method", "self.id ~= nil and self.request.method" },
    { "a job has as few attempts as a call at a host that never answered",
      "self.transport.reached or request.budget ~= nil", "self.transport.reached", { "http/outages_that_pass" } },
    { "requests outside a job have the attempts of a job", "self.transport.reached or request.budget ~= nil", "true" },
    { "a 429 holds nobody else",
      'self:inform_limiter("block", transport.who', 'self:inform_limiter("room", transport.who',
      { "http/limiter" } },
    { "requests under way are not counted", "result.headers or {}, transport.flying,", "result.headers or {}, 0,",
      { "http/limiter_in_any_minute" } },
  }),
  of("http/limiter", { "http/limiter_in_any_minute" }, {
    { "the last half of a limit is spread", "LOW = 0.2", "LOW = 0.5" },
    { "no part of a limit is spread", "LOW = 0.2", "LOW = 0" },
    { "a limit is tried again after a second", "PROBE = 10", "PROBE = 1" },
    { "a poll has its third by itself alone",
      "math.max(requests:wait(rate, now), polls and polls:wait(poll_rate, now) or 0)",
      "polls and polls:wait(poll_rate, now) or requests:wait(rate, now)" },
    { "polls have the whole rate", "math.max(1, math.floor(rate / 3))", "rate" },
    { "polls of a rate under 3 never go", "math.max(1, math.floor(rate / 3))", "math.floor(rate / 3)" },
    { "a poll does not count for all", "elseif polls and not polls:take(poll_rate, now) then", "elseif false then" },
    { "a 429 blocks nobody", "if at and now < at then", "if false then" },
    { "one key blocks the others", 'return who.host .. ":" .. who.key', "return who.host" },
    { "one host blocks the others", 'return who.host .. ":" .. who.key', "return who.key" },
    { "a spread request goes late by the reset", "return math.min(next_at, reset) - now", "return next_at + 60 - now" },
    { "spread requests go at once", "if next_at and now < next_at then", "if false then" },
    { "what is spread takes twice the time", "(reset - now) / (remaining + 1)", "(reset - now) / remaining * 2" },
    { "the reset is passed over", "elseif now >= reset then", "elseif now > reset + 1 then" },
    { "two go after the reset", 'counts:set(key .. ":remaining", 1)', 'counts:set(key .. ":remaining", 2)' },
    { "one more goes than remains", "if remaining <= 0 then", "if remaining < 0 then" },
    { "what is announced is spread among nobody",
      "remaining < LOW * limit and window_of(self, who.host):load(now) < limit - remaining",
      "remaining < LOW * limit" },
    { "requests do not use up what remains", 'counts:incr(key .. ":remaining", -1, 1)', "" },
    { "what is under way is not taken off", "remaining = remaining - flying", "" },
    { "what is under way is added", "remaining = remaining - flying", "remaining = remaining + flying" },
    { "a limit without a reset is believed", "if remaining and reset then", "if remaining then reset = reset or 60" },
    { "a reply without a limit leaves the old one",
      "return self.store:write(write_announcement, self, who, nil, now)", "return" },
    { "a field whose name ends in limit is the limit", '"[,; \\t]" .. name', "name" },
    { "a shorter 429 ends a longer one",
      "if now + seconds > (limiter_store.time(counts, key, now) or 0) then", "if true then" },
    { "block() does nothing",
      "    limiter_store.set_time(counts, key, seconds, now)\n  end\n  return true", "  end\n  return true" },
    { "a 429 holds for a day",
      "math.min(seconds, retry_after.LONGEST) + limiter_store.MARGIN", "seconds + limiter_store.MARGIN" },
    { "a 429 is over at once",
      "math.min(seconds, retry_after.LONGEST) + limiter_store.MARGIN", "limiter_store.MARGIN" },
    { "the rate holds nothing", "local wait = self:room(who, rate, poll, now)", "local wait = 0" },
    { "what the service says holds nothing",
      "    wait = hold(self, who, now)\n  end\n  if wait > 0 then\n    return wait",
      "    wait = 0\n  end\n  if wait > 0 then\n    return wait" },
  }),
  of("http/limiter_store", { "http/limiter_in_any_minute" }, {
    { "who comes back after a 429 comes at that very moment", "MARGIN = 0.1", "MARGIN = 0" },
    { "a clock that goes back is held for as long as it went",
      "(not kept or kept > now + sliding_window.CLOCK_ERROR)", "false" },
    { "a clock that goes back is free", "return now + seconds\n  end\n  return at", "return now\n  end\n  return at" },
    { "counts begin at nothing each time", "local value = (self[key] or init) + by", "local value = init + by" },
    { "a table forgets nothing", "  self[key] = nil\n", "" },
  }),
  of("http/retry", { "http/retry_of_each_failure" }, {
    { "a host that never answered has as many attempts",
      'not reached and err.kind == "network" and not err.uncertain and UNREACHED', "false" },
    { "a lost answer of a host that never answered has three",
      'err.kind == "network" and not err.uncertain and UNREACHED', 'err.kind == "network" and UNREACHED' },
    { "a refusal of a host that never answered has three",
      'not reached and err.kind == "network" and not', "not reached and not" },
    { "a job has ten times the repeats", "BUDGET = 40", "BUDGET = 400" },
    { "a success gives a whole repeat back", "EARNED = 0.5", "EARNED = 1" },
    { "the first pause is half as long", "FIRST, LONGEST = 0.5, 30", "FIRST, LONGEST = 0.25, 30" },
    { "pauses grow up to a minute", "FIRST, LONGEST = 0.5, 30", "FIRST, LONGEST = 0.5, 60" },
    { "seven attempts are all", "local ATTEMPTS = 8", "local ATTEMPTS = 7" },
    { "a 500 is tried like a 503", "[500] = 2,", "[500] = ATTEMPTS," },
    { "a 500 is final", "[500] = 2,", "[500] = 1," },
    { "a late answer is final", "OPERATION_TIMEDOUT = 3", "OPERATION_TIMEDOUT = 1" },
    { "an answer that cannot be read has eight attempts", "BAD_REPLY = 3", "BAD_REPLY = 8" },
    { "an answer that broke off is judged by its status", '  elseif err.kind == "network" then -- whatever',
      '  elseif err.kind == "network" and not err.status then -- whatever' },
    { "repeats of a job grow without a bound", "math.min(BUDGET, budget.left + EARNED)", "budget.left + EARNED" },
    { "a certificate that is refused is an outage", "(BY_CODE[err.code] or ATTEMPTS) > 1", "true" },
    { "a network failure is never an outage", "return err.retryable == true and", "return false and" },
    { "what cannot be tried again is an outage", "return err.retryable == true and", "return" },
    { "a 504 is no outage",
      "OUTAGE = { [502] = true, [503] = true, [504] = true }", "OUTAGE = { [502] = true, [503] = true }" },
    { "a host that does not take connections is no outage", 'or err.code == "CONNECT_TIMEDOUT"', "" },
    { "patient attempts count", "attempts - (failures.patient or 0) >= ATTEMPTS", "attempts >= ATTEMPTS" },
    { "one way of failing ends another", "or failures[kind] >= most", "or attempts >= most" },
    { "repeats of a job have no end", "if budget.left < 1 then", "if false then" },
    { "the last half of a repeat counts", "if budget.left < 1 then", "if budget.left <= 0 then" },
    { "repeats take nothing from the budget", "    budget.left = budget.left - 1\n", "" },
    { "pauses grow by a half", "FIRST * 2 ^ math.min(attempts - 1, 16)", "FIRST * 1.5 ^ math.min(attempts - 1, 16)" },
    { "the first pause is doubled at once", "math.min(attempts - 1, 16)", "math.min(attempts, 16)" },
    { "pauses are not random", "* (how.random or core.random)()", "" },
    { "patience never ends", "if how.left <= 0 then", "if false then" },
    { "an attempt is made after patience", "pause = math.min(pause, how.left) -- the", "-- the" },
    { "Retry-After is cut to the pause",
      "err.retry_after and math.max(err.retry_after, err.retry_after < 1 and pause or 0) or pause",
      "err.retry_after and math.min(err.retry_after, pause) or pause" },
    { "Retry-After of 0 asks without a pause", "err.retry_after < 1 and pause or 0", "0" },
    { "Retry-After of a second waits for the pause",
      "err.retry_after < 1 and pause", "err.retry_after <= 1 and pause" },
  }),
  of("http/retry_after", { "api/times_of_replies" }, {
    { "a Retry-After below 0 passes", "if seconds and seconds >= 0 then", "if seconds then",
      equivalent = "decimal() reads digits alone, and a date that has passed is 0: no number below 0 comes here." },
    { "a date that has passed gives a wait below 0", "at and math.max(0, at - now)", "at and at - now" },
    { "a number with an exponent is read", 'text:find("^[0-9]*$", fraction)', "true" },
    { "a wait is not bounded", "if said > retry_after.LONGEST then", "if false then" },
    { "an hour is told as longer", "if said > retry_after.LONGEST then", "if said >= retry_after.LONGEST then" },
    { "two hours are waited", "retry_after.LONGEST = 3600", "retry_after.LONGEST = 7200" },
    { "the clock of the service is not asked", "now = retry_after.service_time(result) or now", "" },
    { "an hour before 1970 gives a wait below 0",
      "said = math.max(0, said - now)", "said = said - now", { "http/waits_that_are_times" } },
    { "milliseconds are seconds",
      "said = math.max(0, said / 1000 - now)", "said = math.max(0, said - now)", { "http/waits_that_are_times" } },
  }),
  of("http/sliding_window", { "http/limiter_in_any_minute" }, {
    { "a minute has a second less", "SPAN = 61", "SPAN = 58" },
    { "a minute has no second for the way", "SPAN = 61", "SPAN = 60" },
    { "idle time gives requests later", "for slot = math.floor(now - SPAN), math.floor(now) + CLOCK_ERROR do",
      "for slot = math.floor(now) - 1, math.floor(now) + CLOCK_ERROR do" },
    { "requests of a clock that is ahead are not counted",
      "for slot = math.floor(now - SPAN), math.floor(now) + CLOCK_ERROR do",
      "for slot = math.floor(now - SPAN), math.floor(now) do" },
    { "requests of a wrong clock hold until their time", "  self:bring_back(slot)\n", "" },
    { "requests of a wrong clock are forgotten", "    self:add(slot, sent)\n", "" },
    { "who is slower is held to the rate of the fastest for ever", "at >= slot - SPAN and", "" },
    { "who is slower is held by those who are faster", "and known > rate", "and known < rate" },
    { "one more than the rate goes", "if left < most then\n    return 0", "if left <= most then\n    return 0" },
    { "one less than the rate goes", "if left < most then\n    return 0", "if left < most - 1 then\n    return 0" },
    { "the first of those who wait goes a second early", "old + 1 + SPAN + HAIR - now", "old + SPAN + HAIR - now" },
    { "counts are never deleted", "      store:delete(self:slot_key(old))\n", "" },
    { "who waits looks each millisecond",
      "math.max(HAIR, math.min(sliding_window.LONGEST_WAIT, old + 1 + SPAN + HAIR - now))", "HAIR" },
    { "two take the last place",
      "if self.contended and self:load(now) > most then", "if false then", { "http/limiter" } },
    { "a place that was given back stays taken", "  self:add(math.floor(now), -1)\n", "", { "http/limiter" } },
  }),
  of("job/sender", { "http/retry_of_each_failure" }, {
    { "members are not sent again after a lost answer", "repeatable = true,", "repeatable = false," },
  }),
  of("util/time", { "api/times_of_replies" }, {
    { "dates of February are two or three days off", "if month <= 2 then", "if month < 2 then" },
    { "a hundred years have no exception", "- math.floor(year / 100)", "" },
    { "four hundred years have no exception", "+ math.floor(year / 400)", "" },
    { "a month is a day longer", "(153 * (month - 3) + 2) / 5", "(153 * (month - 3) + 5) / 5" },
    { "zones go the other way", '(sign == "-" and -1 or 1)', '(sign == "-" and 1 or -1)' },
    { "minutes of zones are left out", "in_seconds(hours, minutes, 0)", "in_seconds(hours, 0, 0)" },
    { "a zone is added", "or 0) - offset", "or 0) + offset" },
    { "fractions are left out", "+ (fraction and core.number(\"0.\" .. fraction) or 0)", "" },
    { "the 31st of November is the 1st of December",
      "return days(year, month, tonumber(day)) < days(year, month + 1, 1)", "return true" },
    { "the 31st of November is a day of November",
      "tonumber(day)) < days(year, month + 1, 1)", "tonumber(day)) <= days(year, month + 1, 1)" },
    { "two digits of a year are of this century",
      "if at and at <= now + 50 * YEAR then", "if at and year < 2100 then" },
    { "two digits of a year are never ahead", "if at and at <= now + 50 * YEAR then", "if at and at <= now then" },
    { "the 29th of February 00 is none",
      "if at and at <= now + 50 * YEAR then\n      return at",
      "if not at or at <= now + 50 * YEAR then\n      return at" },
  }),
}
local mutants = {}
for _, list in ipairs(FILES) do
  for _, mutant in ipairs(list) do
    mutants[#mutants + 1] = mutant
  end
end

return mutants
