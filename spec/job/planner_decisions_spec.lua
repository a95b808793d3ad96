-- The planner: as many members a request as the limits allow, and never two parts of one audience in one request.
local payloads = require "spec.support.payloads"
local planner = require "scope3.job.planner"
local rare = require "scope3.util.rare"
local seed = require "spec.support.seed"
local splitter = require "scope3.job.splitter"

local ANY_BYTES = 2 ^ 30

-- Audiences by the sizes of their payloads, named a, b and so on; "delete" for one that is to be deleted.
local function audiences_of(sizes)
  local list = {}
  for i, size in ipairs(sizes) do
    local audience = { id = string.char(96 + i), deleted = size == "delete", payloads = {} }
    for j, n in ipairs(type(size) == "table" and size or { size ~= "delete" and size or nil }) do
      audience.payloads[j] = payloads.of(n, ("p%d-"):format(j))
    end
    list[i] = audience
  end
  return list
end

-- Requests as texts such as "a2 b1": two members of a and one of b.
local function shown(requests)
  local texts = {}
  for i, parts in ipairs(requests) do
    local words = {}
    for j, part in ipairs(parts) do
      local members = part.adds + part.removes
      words[j] = part.audience.id .. (part.delete and members == 0 and " deleted" or members)
    end
    texts[i] = table.concat(words, " ")
  end
  return texts
end

local function plan(sizes, members, bytes)
  return planner.plan(audiences_of(sizes), { max_members = members, max_bytes = bytes or ANY_BYTES })
end

-- What the plan of sizes has to be where only members count: each request is full, or ends before a second part.
local function expected(sizes, most)
  local requests, current, members = {}, nil, most
  for i, size in ipairs(sizes) do
    local name, left = string.char(96 + i), size
    while left > 0 do
      if members == most or current[#current]:sub(1, 1) == name then
        current, members = {}, 0
        requests[#requests + 1] = current
      end
      local n = math.min(left, most - members)
      current[#current + 1] = name .. n
      members, left = members + n, left - n
    end
  end
  for i, words in ipairs(requests) do
    requests[i] = table.concat(words, " ")
  end
  return requests
end

-- Each part in its turn: the parts of one audience lie one after the other, and hold all of its members.
local function assert_whole(sizes, requests)
  local at = {}
  for _, parts in ipairs(requests) do
    local seen = {}
    for _, part in ipairs(parts) do
      local id = part.audience.id
      assert.is_nil(seen[id], "two parts of " .. id .. " in one request")
      seen[id] = true
      if part.payload then
        local payload_at = at[part.payload] or 1
        assert.equal(payload_at, part.first)
        at[part.payload] = part.last + 1
        at[id] = (at[id] or 0) + part.adds + part.removes
      end
    end
  end
  for i, size in ipairs(sizes) do
    assert.equal(size, at[string.char(96 + i)] or 0)
  end
end

describe("a plan", function()
  for what, case in pairs {
    ["of one small audience is one request"] = { { 3 }, 10, { "a3" } },
    ["fills a request to its last member"] = { { 3, 7 }, 10, { "a3 b7" } },
    ["begins a request where one is full"] = { { 10, 1 }, 10, { "a10", "b1" } },
    ["cuts an audience over the limit"] = { { 25 }, 10, { "a10", "a10", "a5" } },
    ["goes on with the rest and the next audience"] = { { 12, 5 }, 10, { "a10", "a2 b5" } },
    ["cuts an audience at the end of a request"] = { { 8, 5 }, 10, { "a8 b2", "b3" } },
    ["puts one member in each request where no more may"] = { { 2, 1 }, 1, { "a1", "a1", "b1" } },
    ["leaves an audience without members out"] = { { 0, 2, 0 }, 10, { "b2" } },
    ["of nothing is nothing"] = { {}, 10, {} },
    ["deletes beside members of others"] = { { 2, "delete", 3 }, 10, { "a2 b deleted c3" } },
    ["of deletions alone is one request"] = { { "delete", "delete" }, 10, { "a deleted b deleted" } },
    ["takes the payloads of one audience into requests of their own"] =
      { { { 3, 4 } }, 100, { "a3", "a4" } },
    ["puts others beside the last payload of an audience"] = { { { 3, 4 }, 2 }, 100, { "a3", "a4 b2" } },
    ["cuts a payload and the one after it"] = { { { 5, 5 }, 1 }, 3, { "a3", "a2", "a3", "a2 b1" } },
  } do
    it(what, function()
      assert.same(case[3], shown((assert(plan(case[1], case[2])))))
    end)
  end

  it("fills every request, whatever the audiences, and holds everybody once and in order", function()
    math.randomseed(seed)
    print("   seed " .. seed)
    for _ = 1, 150 do
      local sizes, most = {}, math.random(1, 12)
      for i = 1, math.random(1, 8) do
        sizes[i] = math.random(0, 30)
      end
      local requests = assert(plan(sizes, most))
      assert.same(expected(sizes, most), shown(requests))
      assert_whole(sizes, requests)
    end
  end)

  it("keeps the limit of bytes, and stops short of no member that would fit", function()
    local sizes = { 7, 1, 9, 4, 4, 12 }
    local _, _, one = splitter.measure { payloads.part(payloads.of(1, "p1-")) }
    for limit = one + 10, 4 * one, 23 do
      local requests = assert(plan(sizes, 1000, limit))
      assert_whole(sizes, requests)
      for i, parts in ipairs(requests) do
        local _, _, bytes = splitter.measure(parts)
        assert.is_true(bytes <= limit, ("%d of %d bytes"):format(bytes, limit))
        local after = requests[i + 1] and requests[i + 1][1]
        if after and after.audience.id ~= parts[#parts].audience.id then
          local added = { audience = after.audience, payload = after.payload, first = after.first, last = after.first }
          parts[#parts + 1] = added
          assert.is_true(select(3, splitter.measure(parts)) > limit, "one more would have gone with request " .. i)
        end
      end
    end
  end)

  it("names the audience of which one member alone is over the limit", function()
    local _, _, one = splitter.measure { payloads.part(payloads.of(1, "p1-")) }
    assert.same({ "a1", "b1" }, shown((assert(plan({ 1, 1 }, 1000, one)))))
    local requests, misfit = plan({ 1, 1 }, 1000, one - 1)
    assert.same({ nil, 1 }, { requests, misfit })
    local audiences = audiences_of { 1, 1, 1 }
    audiences[2].payloads[1] = payloads.read("+" .. ("x"):rep(200))
    requests, misfit = planner.plan(audiences, { max_members = 1000, max_bytes = one })
    assert.same({ nil, 2 }, { requests, misfit })
  end)

  it("gives a request of its own to a member that is larger than the first requests are", function()
    local _, _, one = splitter.measure { payloads.part(payloads.of(1, "p1-")) }
    local number, audiences = rare.number, audiences_of { 1 }
    audiences[1].payloads[1] = payloads.read("+1 +" .. ("x"):rep(one + 20) .. " +3 +4")
    rare.number = function(name, usual)
      return name == "first_request" and one or usual
    end
    local requests, misfit = planner.plan(audiences, { max_members = 1000, max_bytes = ANY_BYTES })
    rare.number = number
    assert.is_nil(misfit)
    assert.same({ "a1", "a1", "a2" }, shown(requests))
  end)

  it("counts what is removed like what is added", function()
    local audiences = audiences_of { 0, 3 }
    audiences[1].payloads[1] = payloads.read "-x -y +z"
    assert.same({ "a3 b1", "b2" }, shown((assert(planner.plan(audiences, { max_members = 4, max_bytes = ANY_BYTES })))))
  end)

  it("takes a deletion that fits to the byte", function()
    local gone = { audience = { id = "a" }, delete = true, adds = 0, removes = 0 }
    local _, _, bytes = splitter.measure { gone }
    assert.same({ "a deleted" }, shown((assert(plan({ "delete" }, 10, bytes)))))
    local requests, misfit = plan({ "delete" }, 10, bytes - 1)
    assert.same({ nil, 1 }, { requests, misfit })
  end)

  it("leaves out what was set aside since the audience was filled", function()
    local audiences = audiences_of { 3, 3, 2 }
    for i = 1, 3 do
      audiences[2].payloads[1]:drop(i)
    end
    audiences[1].payloads[1]:drop(2)
    local requests = assert(planner.plan(audiences, { max_members = 10, max_bytes = ANY_BYTES }))
    assert.same({ "a2 c2" }, shown(requests))
  end)
end)

describe("a request that repeats an id", function()
  -- Parts by texts: "a1" is the payload 1 of the audience a, whose members `members` gives.
  local function turns(members, requests)
    local made, repeats, said = {}, planner.repeats(), {}
    for i, names in ipairs(requests) do
      local parts = {}
      for name in names:gmatch "%S+" do
        made[name] = made[name] or members[name] and payloads.read(members[name])
        parts[#parts + 1] = made[name] and payloads.part(made[name], name:sub(1, 1))
          or { audience = { id = name:sub(1, 1) }, delete = true, adds = 0, removes = 0 }
      end
      said[i] = repeats(parts)
    end
    return said
  end

  for what, case in pairs {
    ["waits, where the id is in an earlier payload of its audience"] =
      { { a1 = "+x +y", a2 = "-y" }, { "a1", "a2" }, { false, true } },
    ["does not wait for a payload without that id"] =
      { { a1 = "+x", a2 = "+y" }, { "a1", "a2" }, { false, false } },
    ["waits for every payload since the last wait"] =
      { { a1 = "+x", a2 = "+y", a3 = "-x" }, { "a1", "a2", "a3" }, { false, false, true } },
    ["does not wait for a request of its own payload"] =
      { { a1 = "+x +y" }, { "a1", "a1", "a1" }, { false, false, false } },
    ["does not wait for another audience"] =
      { { a1 = "+x", b1 = "-x" }, { "a1", "b1", "a1 b1" }, { false, false, false } },
    ["does not wait for what has ended before"] =
      { { a1 = "+x", a2 = "-x", a3 = "+y" }, { "a1", "a2", "a3" }, { false, true, false } },
    ["waits for what has gone since"] =
      { { a1 = "+x", a2 = "-x", a3 = "+x" }, { "a1", "a2", "a3" }, { false, true, true } },
    ["waits once for all audiences"] =
      { { a1 = "+x", b1 = "+z", a2 = "-x", b2 = "-z" }, { "a1 b1", "a2", "b2" }, { false, true, false } },
    ["does not wait once more for payloads before the last wait"] =
      { { a1 = "+x", a2 = "+y", a3 = "-y", a4 = "-x" }, { "a1", "a2", "a3", "a4" }, { false, false, true, false } },
    ["waits where only one of its audiences repeats one"] =
      { { a1 = "+x", b1 = "+y", a2 = "+z", b2 = "-y" }, { "a1", "b1", "a2 b2" }, { false, false, true } },
    ["waits also where the audience after it repeats none"] =
      { { a1 = "+x", b1 = "+y", a2 = "-x", b2 = "+z" }, { "a1", "b1", "a2 b2" }, { false, false, true } },
    ["does not wait where an audience is to be deleted"] =
      { { a1 = "+x" }, { "a1", "d", "a1 d" }, { false, false, false } },
  } do
    it(what, function()
      assert.same(case[3], turns(case[1], case[2]))
    end)
  end
end)
