-- A batch of random entries of a queue, beside what each of their lines alone says. Entries go on where those before
-- ended, so what one leaves behind must never decide about the next.
local batch = require "scope3.fleet.batch"
local packed_lines = require "spec.support.packed_lines"
local request = require "scope3.api.request"
local seed = require "spec.support.seed"

local SHORTEST = 10 -- bytes of a line of a member
local JUNK, NO_LABEL = packed_lines.line("?", "junk"), packed_lines.of { "@{}" }
local LABELS = {
  { id = "a", '@{"audienceId":"a"}' }, { id = "a", name = "A", '@{"audienceId":"a","name":"A"}' },
  { id = "a", name = "B", '@{"audienceId":"a","name":"B"}' }, { id = "b", '@{"audienceId":"b"}' },
  { id = "c", '@{"audienceId":"c"}' },
}

-- What an audience has come to: the last operation on each id, and the last name.
local function note(seen, audience, id)
  local one = seen[audience.id] or { members = {} }
  seen[audience.id] = one
  one.name = audience.name or one.name
  one.members[id or 1] = id
end

-- One line, what it does, and the audience of the next one.
local function random_line(audience, seen)
  local kind = math.random(10)
  if kind <= 3 then
    audience = LABELS[math.random(#LABELS)]
    return packed_lines.of { audience[1] }, 0, 0, audience
  elseif kind == 4 then
    return NO_LABEL, 0, 1, nil
  elseif kind == 5 then
    if audience then
      note(seen, audience)
    end
    return JUNK, 0, 1, audience
  elseif not audience then
    return packed_lines.of { '-{"externalId":"x"}' }, 0, 1, nil
  end
  local id = tostring(math.random(9))
  note(seen, audience, id)
  return packed_lines.of { ('-{"externalId":"%s"}'):format(id) }, 1, 0, audience
end

-- An entry, and what it holds.
local function random_entry(number, seen)
  local lines, members, bad, audience = {}, 0, 0, nil
  if math.random(4) > 1 then -- as a machine writes it
    audience = LABELS[1]
    lines[1] = packed_lines.of { audience[1] }
  end
  for i = #lines + 1, math.random(0, 8) do
    local more, wrong
    lines[i], more, wrong, audience = random_line(audience, seen)
    members, bad = members + more, bad + wrong
  end
  if math.random(8) == 1 then -- it is cut short
    lines[#lines + 1], bad = packed_lines.of { LABELS[1][1] }:sub(1, -2), bad + 1
  end
  local text, said = table.concat(lines), members + math.random(0, 2)
  bad = math.max(bad, math.min(said, math.floor(#text / SHORTEST)) - members)
  return { id = "1-" .. number, n = said, lines = text }, members, bad
end

describe("a batch of entries", function()
  -- Members and bytes that a batch sends.
  local function load_of(one)
    local members, bytes = 0, 0
    for _, of in ipairs(one.list) do
      local adds, removes = of.payload:living()
      members, bytes = members + adds + removes, bytes + of.payload:bytes()
    end
    return members, bytes
  end

  -- What all its batches come to. Each one goes on until it is full.
  local function take_all(entries, limits, about)
    local one = batch.new(limits)
    local seen, sum = {}, { members = 0, entries = 0, unreadable = 0, too_large = 0 }
    local function empty()
      for _, of in ipairs(one.list) do
        local said = seen[of.audience.id] or { members = {} }
        seen[of.audience.id], said.name = said, of.audience.name or said.name
        for _, line in ipairs(packed_lines.read(of.payload:as_lines())) do
          local id = line:match '"(%d)"'
          said.members[id] = id
        end
      end
      for _, name in ipairs { "members", "entries", "unreadable", "too_large" } do
        sum[name] = sum[name] + one[name]
      end
      return one:advance()
    end
    for _, found in ipairs(entries) do
      local more = one:take(found)
      local members, bytes = load_of(one)
      local has_room = members < limits.max_members and bytes < limits.max_bytes - request.frame()
      assert.equal(one.last == found.id and has_room, more, about)
      while not more do
        more = empty()
      end
    end
    empty()
    one:close()
    sum.seen = seen
    return sum
  end

  it("holds of each one what its own lines say, whatever the one before left behind", function()
    math.randomseed(seed)
    for round = 1, 300 do
      local entries, seen, sum = {}, {}, { entries = math.random(20), members = 0, unreadable = 0, too_large = 0 }
      for i = 1, sum.entries do
        local members, bad
        entries[i], members, bad = random_entry(i, seen)
        sum.members, sum.unreadable = sum.members + members, sum.unreadable + bad
      end
      sum.seen = seen
      local limits = { max_members = math.random(2) == 1 and 1000 or math.random(5),
        max_bytes = math.random(2) == 1 and 2 ^ 20 or math.random(160, 300) }
      local about = ("seed %d, round %d, %d members, %d bytes"):format(seed, round, limits.max_members,
        limits.max_bytes)
      assert.same(sum, take_all(entries, limits, about), about)
    end
  end)

  it("sends the rest of an entry to its audience, where one before it had none", function()
    local function member(id)
      return packed_lines.of { ('-{"externalId":"%d"}'):format(id) }
    end
    local label = packed_lines.of { LABELS[1][1] }
    local entries = { { id = "1-1", n = 1, lines = label .. member(1) }, { id = "1-2", n = 1, lines = member(2) },
      { id = "1-3", n = 2, lines = label .. member(3) .. member(4) } }
    assert.same({ entries = 3, members = 3, unreadable = 1, too_large = 0,
      seen = { a = { members = { ["1"] = "1", ["3"] = "3", ["4"] = "4" } } } },
      take_all(entries, { max_members = 2, max_bytes = 2 ^ 20 }))
  end)
end)
