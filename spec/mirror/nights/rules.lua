-- The rules that nights go by, and mutants of them. Each mutant breaks one rule, and must come to light.
local protocol = require "scope3.mirror.protocol"

local rules = {}

local HOUR = 3600

--- The rules as they are.
function rules.right()
  return {
    protocol = setmetatable({}, { __index = protocol }),
    settling = protocol.SETTLING,
    may_go = protocol.may_go,
    foldable = function(chunks)
      local list = {}
      for i = 1, protocol.foldable(chunks) do
        list[i] = chunks[i]
      end
      return list
    end,
  }
end

local function copy_of(try)
  local copy = {}
  for name, value in pairs(try) do
    copy[name] = value
  end
  return copy
end

-- Has outcomes decided by other tries than those of the chunk.
local function with_tries(it, change)
  function it.protocol.outcomes(chunk)
    local tries = {}
    for i, try in ipairs(chunk.tries) do
      tries[i] = copy_of(try)
    end
    change(tries)
    return protocol.outcomes { count = chunk.count, tries = tries }
  end
end

-- Leaves out tries for whose range a later one completed, as `may` says.
local function forgive(tries, may)
  for i, try in ipairs(tries) do
    for j = i + 1, #tries do
      local other = tries[j]
      if try.first == other.first and try.last == other.last and other.state == "completed" and may(try) then
        try.state = "refused"
      end
    end
  end
end

local function with_switch(name, value)
  return function(it)
    it[name] = value == nil and true or value
  end
end

rules.mutants = {
  ["confirm at 202"] = with_switch "confirms_at_202",
  ["send while a chunk is open"] = with_switch "sends_what_is_open",
  ["an old chunk sent again"] = function(it)
    it.goes_when_settled = true
    function it.may_go()
      return true
    end
  end,
  ["record after sending"] = with_switch "records_late",
  ["failed = unchanged"] = function(it)
    with_tries(it, function(tries)
      for _, try in ipairs(tries) do
        try.state = try.state == "failed" and "refused" or try.state
      end
    end)
  end,
  ["no settling"] = with_switch("settling", 0),
  ["settling 1 h"] = with_switch("settling", HOUR),
  ["chunks applied out of order"] = function(it)
    function it.foldable(chunks)
      local list = {}
      for _, chunk in ipairs(chunks) do
        if protocol.is_ended(chunk) then
          list[#list + 1] = chunk
        end
      end
      return list
    end
  end,
  -- A try that completed decides at once, over one without an answer before it.
  ["completed = applied at once"] = function(it)
    with_tries(it, function(tries)
      forgive(tries, function(try)
        return try.state ~= "failed"
      end)
    end)
  end,
  -- A try that completed decides as soon as those before it can do no more.
  ["completed = applied once settled"] = function(it)
    with_tries(it, function(tries)
      forgive(tries, function(try)
        return try.state == "unknown"
      end)
    end)
  end,
  -- A try that completed decides over one that failed.
  ["completed beats failed"] = function(it)
    with_tries(it, function(tries)
      forgive(tries, function(try)
        return try.state == "failed"
      end)
    end)
  end,
  ["missing = ended"] = function(it)
    with_tries(it, function(tries)
      for _, try in ipairs(tries) do
        try.state = try.state == "missing" and "failed" or try.state
      end
    end)
  end,
  -- What the service refuses for its content is as before, whatever was sent of it.
  ["refused content = unchanged"] = function(it)
    with_tries(it, function(tries)
      local refused = {}
      for _, try in ipairs(tries) do
        for _, number in ipairs(try.refused or {}) do
          refused[#refused + 1] = number
        end
      end
      for _, try in ipairs(tries) do
        try.without = refused
      end
    end)
  end,
  -- What has settled is not written down: each night looks at its clock.
  ["settled by the clock alone"] = function(it)
    local function settled(chunk)
      local tries = {}
      for i, try in ipairs(chunk.tries) do
        tries[i] = copy_of(try)
      end
      local copy = { count = chunk.count, tries = tries }
      for _, try in ipairs(protocol.settled(copy, it.now())) do
        try.state = "unknown"
      end
      return copy
    end
    it.breaches_count = true
    function it.protocol.settled()
      return {}
    end
    function it.protocol.outcomes(chunk)
      return protocol.outcomes(settled(chunk))
    end
    function it.may_go(chunk, ...)
      return protocol.may_go(settled(chunk), ...)
    end
    function it.foldable(chunks)
      local list = {}
      for i, chunk in ipairs(chunks) do
        if not protocol.is_ended(settled(chunk)) then
          break
        end
        list[i] = chunk
      end
      return list
    end
  end,
  ["one try for two sendings"] = with_switch "hides_repeats",
  ["sent long after it began"] = with_switch "sends_late",
  ["sent again as rows are now"] = with_switch "sends_rows_of_tonight",
  ["a night owns what it cut before it crashed"] = with_switch "owns_what_crashed",
  ["the envelope is believed"] = with_switch "believes_the_envelope",
  ["an unsure add keeps flags"] = with_switch "unsure_keeps_flags",
  ["a note keeps flags"] = with_switch "note_keeps_flags",
  ["flags come last"] = with_switch "flags_come_last",
  ["a refusal is of all audiences"] = with_switch("refusals_are_of", 3),
  ["a refusal leaves the others known"] = with_switch "refusals_leave_others",
}

rules.ORDER = { "confirm at 202", "send while a chunk is open", "an old chunk sent again", "record after sending",
  "failed = unchanged", "no settling", "settling 1 h", "chunks applied out of order", "completed = applied at once",
  "completed = applied once settled", "completed beats failed", "missing = ended",
  "refused content = unchanged", "settled by the clock alone", "one try for two sendings", "sent long after it began",
  "sent again as rows are now", "the envelope is believed", "a night owns what it cut before it crashed",
  "an unsure add keeps flags", "a note keeps flags", "flags come last", "a refusal is of all audiences",
  "a refusal leaves the others known" }

--- The rules with one of them broken.
function rules.broken(name)
  local it = rules.right()
  it.is_broken = true
  assert(rules.mutants[name], name)(it)
  return it
end

return rules
