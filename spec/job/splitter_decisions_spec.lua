-- The splitter: both halves of a request are smaller, hold all of it, and keep its order.
local core = require "scope3.core"
local payloads = require "spec.support.payloads"
local request = require "scope3.api.request"
local seed = require "spec.support.seed"
local splitter = require "scope3.job.splitter"

local function ranges(parts)
  local list = {}
  for i, part in ipairs(parts) do
    list[i] = ("%s:%d-%d"):format(part.audience.id, part.first, part.last)
  end
  return table.concat(list, " ")
end

-- What a list of parts must hold, with the counts of living members in the ranges that the halves have.
local function assert_counted(parts)
  local adds, removes = splitter.measure(parts)
  local told_adds, told_removes = 0, 0
  for _, part in ipairs(parts) do
    told_adds, told_removes = told_adds + part.adds, told_removes + part.removes
  end
  assert.same({ adds, removes }, { told_adds, told_removes })
  return adds + removes
end

-- Requests that a request becomes when it is halved until nothing can be, and how often the smallest was halved.
local function halve_all(parts)
  local first, second = splitter.halve(parts)
  if not first then
    return { parts }, 0
  end
  local list, deep = halve_all(first)
  local rest, deeper = halve_all(second)
  for _, one in ipairs(rest) do
    list[#list + 1] = one
  end
  return list, math.max(deep, deeper) + 1
end

local function log2(n)
  local times, reach = 0, 1
  while reach < n do
    times, reach = times + 1, reach * 2
  end
  return times
end

describe("the halves of a request", function()
  it("of one audience hold every member once, in order, and differ by one at most", function()
    for n = 2, 300 do
      local first, second = splitter.halve { payloads.part(payloads.of(n)) }
      local a, b = first[1], second[1]
      assert.same({ 1, 1 }, { #first, #second })
      assert.same({ 1, a.last + 1, n }, { a.first, b.first, b.last }, n .. " members")
      assert.same({ math.ceil(n / 2), math.floor(n / 2) }, { a.adds, b.adds }, n .. " members")
      assert.same({ 0, 0 }, { a.removes, b.removes })
    end
  end)

  it("of several audiences part between audiences", function()
    local list, names = {}, {}
    for n = 2, 60 do
      list[1] = list[1] or payloads.part(payloads.of(3), "a1")
      list[n], names[1] = payloads.part(payloads.of(3), "a" .. n), "a1:1-3"
      names[n] = ("a%d:1-3"):format(n)
      local first, second = splitter.halve(list)
      assert.equal(table.concat(names, " "), ranges(first) .. " " .. ranges(second))
      assert.is_true(#first >= 1 and #second >= 1 and math.abs(#first - #second) <= 1, n .. " audiences")
    end
  end)

  it("count what adds and what removes, and leave out what was taken out", function()
    math.randomseed(seed)
    print("   seed " .. seed)
    for _ = 1, 100 do
      local n, words = math.random(2, 60), {}
      for i = 1, n do
        words[i] = (math.random() < 0.5 and "+" or "-") .. "m" .. i
      end
      local payload = payloads.read(table.concat(words, " "))
      for i = 1, n do
        if math.random() < 0.3 then
          payload:drop(i)
        end
      end
      local part = payloads.part(payload)
      local living = part.adds + part.removes
      local first, second = splitter.halve { part }
      if living < 2 then
        assert.is_nil(first)
      else
        local a, b = assert_counted(first), assert_counted(second)
        assert.same({ math.ceil(living / 2), math.floor(living / 2) }, { a, b })
        assert.same({ 1, first[1].last + 1, n }, { first[1].first, second[1].first, second[1].last })
        assert.equal(part.adds, first[1].adds + second[1].adds)
      end
    end
  end)

  it("end with single members, after as many halvings as the logarithm says", function()
    for _, n in ipairs { 1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 127, 128, 129, 255, 256, 257, 300 } do
      local list, times = halve_all { payloads.part(payloads.of(n)) }
      assert.same({ n, log2(n) }, { #list, times })
      for i, parts in ipairs(list) do
        assert.equal(("a:%d-%d"):format(i, i), ranges(parts))
      end
    end
  end)

  it("are none where there is nothing to part", function()
    for what, parts in pairs {
      ["one member"] = { payloads.part(payloads.of(1)) },
      ["no member"] = { payloads.part(payloads.of(0)) },
      ["an audience to delete"] = { { audience = { id = "a" }, delete = true, adds = 0, removes = 0 } },
    } do
      assert.is_nil(splitter.halve(parts), what)
    end
  end)
end)

describe("a request that is made to fit", function()
  local function size(parts)
    return (select(3, splitter.measure(parts)))
  end

  it("is cut until each piece fits or is one member, in order", function()
    for n = 1, 40 do
      local whole = { payloads.part(payloads.of(n)) }
      local single = size { payloads.part(payloads.of(1)) }
      for limit = single - 1, size(whole) + 1, 37 do
        local at = 1
        local lists = splitter.fit(whole, limit)
        if limit >= size(whole) / 2 + single then -- a piece has a frame, and may stop a member before its end
          assert.is_true(#lists <= 2, #lists .. " pieces")
        end
        for _, parts in ipairs(lists) do
          assert.equal(at, parts[1].first)
          at = parts[1].last + 1
          local members = parts[1].adds
          assert.is_true(size(parts) <= limit or members == 1, ("%d members, %d bytes"):format(n, limit))
        end
        assert.equal(n + 1, at)
      end
    end
  end)

  it("becomes one list a member where less may go than a request has around its members", function()
    local lists = splitter.fit({ payloads.part(payloads.of(3)) }, 1)
    assert.same({ 1, 1, 1 }, { lists[1][1].adds, lists[2][1].adds, lists[3][1].adds })
    assert.equal(3, #lists)
  end)

  it("stays whole where it fits to the byte, or where no size is asked for", function()
    local whole = { payloads.part(payloads.of(10)), payloads.part(payloads.of(3), "b") }
    assert.same({ whole }, splitter.fit(whole, size(whole)))
    assert.same({ whole }, splitter.fit(whole, nil))
    assert.equal(2, #splitter.fit(whole, size(whole) - 1))
  end)
end)

describe("the measure of a request", function()
  -- Bytes of the body that goes.
  local function body_of(parts, push)
    local bytes = 0
    for _, piece in ipairs(request.body(parts, push)) do
      bytes = bytes + (type(piece) == "string" and #piece or 0)
    end
    for _, part in ipairs(parts) do
      bytes = bytes + (part.payload and select(4, part.payload:cut(part.first, 2 ^ 31, 2 ^ 31, part.last)) or 0)
    end
    return bytes
  end

  it("is no less than its body, and 24 bytes more for each audience at most", function()
    local push = { url = "https://example.com/done", operation_id = "op", token = ("t"):rep(16) }
    local gone = { audience = { id = "gone" }, delete = true, adds = 0, removes = 0 }
    local named = payloads.part(payloads.read "+a -b", "b")
    named.audience.name, named.audience.consent_basis = 'The "b"', "consent"
    for _, parts in ipairs {
      { payloads.part(payloads.of(1)) }, { payloads.part(payloads.of(100)) }, { payloads.part(payloads.read "-x -y") },
      { named }, { gone }, { gone, named, payloads.part(payloads.of(7)) },
    } do
      for _, callbacks in ipairs { false, push } do
        local _, _, bytes = splitter.measure(parts, callbacks or nil)
        local more = bytes - body_of(parts, callbacks or nil)
        assert.is_true(more >= 0 and more <= 24 * #parts, more .. " bytes more")
      end
    end
  end)

  local function counts(parts)
    local adds, removes = splitter.measure(parts)
    return { adds, removes }
  end

  it("counts anew after members were taken out", function()
    local first, second = payloads.part(payloads.read "+a +b -c"), payloads.part(payloads.of(5), "b")
    second.last = 3
    assert.same({ 5, 1 }, counts { first, second })
    first.payload:drop(1)
    first.payload:drop(3)
    second.payload:drop(2)
    second.payload:drop(5)
    assert.same({ 3, 0 }, counts { first, second })
    assert.same({ 1, 0, 2, 0 }, { first.adds, first.removes, second.adds, second.removes })
  end)
end)

describe("the members that nobody has taken", function()
  for what, case in pairs {
    ["are all where nothing was taken"] = { {}, 5, "1-5" },
    ["are none where all were"] = { { { 1, 5 } }, 5, "" },
    ["of nothing are none"] = { {}, 0, "" },
    ["lie before what was taken"] = { { { 3, 5 } }, 5, "1-2" },
    ["lie after it"] = { { { 1, 3 } }, 5, "4-5" },
    ["lie between, in any order"] = { { { 6, 8 }, { 1, 2 } }, 10, "3-5 9-10" },
    ["are single ones"] = { { { 2, 2 }, { 4, 4 } }, 5, "1-1 3-3 5-5" },
    ["are none between neighbours"] = { { { 3, 4 }, { 1, 2 } }, 4, "" },
    ["lie between many, from the last to the first"] =
      { { { 8, 8 }, { 6, 6 }, { 4, 4 }, { 2, 2 } }, 8, "1-1 3-3 5-5 7-7" },
  } do
    it(what, function()
      local taken = {}
      for i, range in ipairs(case[1]) do
        taken[i] = { first = range[1], last = range[2] }
      end
      local found = {}
      for i, gap in ipairs(splitter.gaps(taken, case[2])) do
        found[i] = gap.first .. "-" .. gap.last
      end
      assert.equal(case[3], table.concat(found, " "))
    end)
  end
end)

describe("the rows of a request", function()
  -- A payload from rows: row 1 is its first, and a later row of an id replaces the one before.
  local function rows_of(text)
    local parts = { payloads.part(payloads.read(text)) }
    local rows = splitter.rows(parts)
    return rows and rows.first .. "-" .. rows.last, parts
  end

  it("are those of its first and its last member that is still there", function()
    assert.equal("1-3", (rows_of "+a +b +c"))
    assert.equal("2-3", (rows_of "+a +b +a"))
    assert.equal("1-1", (rows_of "+a"))
    local _, parts = rows_of "+a +b +c +d"
    parts[1].payload:drop(4)
    parts[1].payload:drop(1)
    assert.same({ first = 2, last = 3 }, splitter.rows(parts))
  end)

  it("are those of the first and the last member, where each file counts its own", function()
    local payload = core.payload { max_members = 100, max_bytes = 2 ^ 20 }
    for file, rows in ipairs { 3, 2 } do
      local builder = core.builder { max_member = 2 ^ 20 }
      for row = 1, rows do
        assert(builder:add(payload, { external_id = file .. "-" .. row, email = "a@example.com" }))
      end
    end
    assert.same({ first = 1, last = 2 }, splitter.rows { payloads.part(payload) })
    payload:drop(1)
    payload:drop(2)
    assert.same({ first = 3, last = 2 }, splitter.rows { payloads.part(payload) })
  end)

  it("span its audiences, in whatever order these come", function()
    local early, late = payloads.part(payloads.of(9)), payloads.part(payloads.of(9), "b")
    early.first, early.last, late.first = 2, 4, 6
    local gone = { audience = { id = "c" }, delete = true, adds = 0, removes = 0 }
    assert.same({ first = 2, last = 9 }, splitter.rows { gone, early, late })
    assert.same({ first = 2, last = 9 }, splitter.rows { late, early })
    assert.is_nil(splitter.rows { gone })
  end)
end)

describe("the parts that are left", function()
  it("are those with members, and audiences to delete", function()
    local full, empty = payloads.part(payloads.of(2)), payloads.part(payloads.of(0), "b")
    local removal = payloads.part(payloads.read "-x", "c")
    local gone = { audience = { id = "d" }, delete = true, adds = 0, removes = 0 }
    assert.same({ full, removal, gone }, splitter.living { empty, full, removal, empty, gone })
    assert.same({}, splitter.living { empty })
  end)
end)
