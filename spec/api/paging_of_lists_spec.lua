-- Lists in pages: each row once and none missed, however the service cuts its pages; and every list ends.
local answering = require "spec.support.answering"
local each = require "spec.support.each"
local paging = require "scope3.api.paging"
local seed = require "spec.support.seed"

-- A service with a list: `names(from, to)` names its audiences, and `page(list, more)` answers with one page.
local SERVICE = [[
  local json = ...
  local asked = 0
  local function names(from, to)
    local list = {}
    for i = from, to do list[#list + 1] = "a" .. i end
    return list
  end
  local function page(list, more)
    local rows = json.array {}
    for i, name in ipairs(list) do rows[i] = { audienceId = name, status = "READY" } end
    local body = { audiences = rows }
    for key, value in pairs(more or {}) do body[key] = value end
    return 200, body
  end
  local function part(list, skip, take)
    local found = {}
    for i = skip + 1, math.min(skip + take, #list) do found[#found + 1] = list[i] end
    return found
  end
  return function(request)
    local skip, take = tonumber(request.target:match "skip=(%%d+)"), tonumber(request.target:match "take=(%%d+)")
    asked = asked + 1
    %s
  end
]]

describe("a list of the service", function()
  local server = answering.around(setup, teardown)

  -- The ids that a listing gives, the error that ended it, and the pages that it asked for.
  local function list(body, page)
    server:answer(SERVICE:format(body))
    local found, err = {}, nil
    for row, why in each(server:client():audiences { page = page or 3 }) do
      found[#found + 1] = row and row.audience_id or nil
      err = row == false and why or err
    end
    return found, err, #server:requests "/audiences"
  end

  local function ids(from, to)
    local found = {}
    for i = from, to do
      found[#found + 1] = "a" .. i
    end
    return found
  end

  -- What the service answers; the ids that are met, and the pages that this takes.
  for what, case in pairs {
    ["ends at its total"] = { "return page(part(names(1, 7), skip, take), { total = 7 })", ids(1, 7), 3 },
    ["ends at its total where the last page is full"] =
      { "return page(part(names(1, 6), skip, take), { total = 6 })", ids(1, 6), 2 },
    ["of one page is asked for once"] = { "return page(names(1, 2), { total = 2 })", ids(1, 2), 1 },
    ["may be empty"] = { "return page({}, { total = 0 })", {}, 1 },
    ["may be empty and without a total"] = { "return page {}", {}, 1 },
    ["without a total ends at an empty page"] = { "return page(part(names(1, 7), skip, take))", ids(1, 7), 4 },
    ["without a total goes on after a short page"] =
      { "return page(part(names(1, 7), skip, 2))", ids(1, 7), 5 },
    ["goes on from the rows that came, not from those that were asked for"] =
      { "return page(part(names(1, 7), skip, 2), { total = 7 })", ids(1, 7), 4 },
    ["may have pages of other sizes each time"] =
      { "return page(part(names(1, 20), skip, asked), { total = 20 })", ids(1, 20), 6 },
    ["may have more rows on a page than were asked for"] =
      { "return page(part(names(1, 9), skip, 5), { total = 9 })", ids(1, 9), 2 },
    ["may have its total in meta.pagination"] =
      { "return page(part(names(1, 7), skip, take), { meta = { pagination = { total = 7 } } })", ids(1, 7), 3 },
    ["ends where hasMore says so, though its total is larger"] =
      { [[local more = { hasMore = skip + take < 7 }
          return page(part(names(1, 7), skip, take), { total = 70, meta = { pagination = more } })]], ids(1, 7), 3 },
    ["ends where has_more says so"] =
      { "return page(part(names(1, 7), skip, take), { meta = { pagination = { has_more = skip + take < 7 } } })",
        ids(1, 7), 3 },
    ["ends at its total, though hasMore is true for ever"] =
      { "return page(part(names(1, 7), skip, take), { total = 7, meta = { pagination = { hasMore = true } } })",
        ids(1, 7), 3 },
    ["whose total is too large ends at an empty page"] =
      { "return page(part(names(1, 7), skip, take), { total = 100 })", ids(1, 7), 4 },
    ["whose total is no number ends at an empty page"] =
      { "return page(part(names(1, 7), skip, take), { total = 'many' })", ids(1, 7), 4 },
    ["that grows is followed to its new end"] =
      { "return page(part(names(1, 5 + asked), skip, take), { total = 5 + asked })", ids(1, 8), 3 },
    ["whose total shrinks ends there"] =
      { "return page(part(names(1, 9), skip, take), { total = 10 - 2 * asked })", ids(1, 6), 2 },
    ["that ignores the offset is met once"] = { "return page(names(1, 3))", ids(1, 3), 2 },
    ["that repeats a row of the page before is met once"] =
      { "return page(part(names(1, 9), math.max(0, skip - asked + 1), take), { total = 12 })", ids(1, 9), 4 },
    ["that repeats a row within a page is met once"] =
      { "return page({ 'a1', 'a1', 'a2', 'a1' }, { total = 4 })", ids(1, 2), 1 },
    ["that ends with the page before, once more, is met once"] =
      { "return page(skip == 0 and names(1, 3) or names(2, 3), {})", ids(1, 3), 2 },
  } do
    it(what, function()
      local found, err, pages = list(case[1])
      assert.same({ case[2], nil, case[3] }, { found, err, pages })
    end)
  end

  -- The page with a fault is the second one; the rows of the first are given before the error.
  for what, case in pairs {
    ["without rows"] = "return 200, { total = 7 }",
    ["with null for rows"] = "return 200, { audiences = json.null, total = 7 }",
    ["with an object for rows"] = "return 200, { audiences = { a = 1 }, total = 7 }",
    ["with a row that is no object"] = "return 200, { audiences = json.array { 'a4' }, total = 7 }",
    ["with a row that names no audience"] =
      "return 200, { audiences = json.array { { status = 'READY' } }, total = 7 }",
  } do
    it("fails at a page " .. what .. ", after the rows of the page before", function()
      local found, err = list("if skip == 0 then return page(names(1, 3), { total = 7 }) end " .. case)
      assert.same({ ids(1, 3), "BAD_REPLY" }, { found, err and err.code })
    end)
  end

  for what, more in pairs {
    ["its total is not reached"] = "{ total = 9 }",
    ["hasMore says that rows follow"] = "{ meta = { pagination = { hasMore = true } } }",
    ["has_more says that rows follow"] = "{ meta = { pagination = { has_more = true } } }",
  } do
    it("fails at a page without a new row where " .. what, function()
      local found, err, pages = list("return page(names(1, 3), " .. more .. ")")
      assert.same({ ids(1, 3), "BAD_REPLY", 2 }, { found, err and err.code, pages })
      assert.truthy(err.message:find("does not go on", 1, true), err.message)
    end)
  end

  it("tells once that it does not go on, and asks for nothing after that", function()
    server:answer(SERVICE:format "return page(names(1, 3), { total = 9 })")
    local next_row = server:client():audiences { page = 3 }
    for i = 1, 3 do
      assert.equal("a" .. i, next_row().audience_id)
    end
    assert.is_false(pcall(next_row))
    local pages = #server:requests "/audiences"
    assert.is_nil((next_row()))
    assert.equal(pages, #server:requests "/audiences")
  end)

  it("does not count one audience as missing where the list does not go on", function()
    server:answer(SERVICE:format "return page(names(1, 3), { total = 9 })")
    assert.equal("a3", assert(server:client():audience "a3").audience_id)
    local row, err = server:client():audience "a4"
    assert.same({ nil, "BAD_REPLY" }, { row, err.code })
  end)

  it("tells its error once, and is over then", function()
    for answer, code in pairs {
      ["404, { error = { code = 'GONE' } }"] = "GONE",
      ["200, { audiences = json.array { { audienceId = 'a4' }, { name = 'a5' }, { audienceId = 'a6' } }, total = 7 }"] =
        "BAD_REPLY",
    } do
      server:answer(SERVICE:format("if skip == 0 then return page(names(1, 3), { total = 7 }) end return " .. answer))
      local next_row = server:client():audiences { page = 3 }
      for i = 1, code == "GONE" and 3 or 4 do
        assert.equal("a" .. i, next_row().audience_id)
      end
      local ok, err = pcall(next_row)
      assert.same({ false, code }, { ok, err.code })
      assert.is_nil(next_row())
      assert.equal(2, #server:requests "/audiences")
    end
  end)

  -- Fewer are made between two pages than a page holds: a list of which a page has no new row cannot be read.
  it("is met whole where audiences are made in front of it while it is read", function()
    print("   seed " .. seed)
    for round = 1, 20 do
      local found, err = list(([[
        if asked == 1 then
          math.randomseed(%d)
          all = names(1, 40)
        end
        for _ = 1, math.random(0, 2) do
          made = (made or 0) + 1
          table.insert(all, 1, "new" .. made)
        end
        return page(part(all, skip, math.random(3, take)), { total = #all })
      ]]):format(seed + round), 10)
      assert.is_nil(err)
      local times = {}
      for _, id in ipairs(found) do
        times[id] = (times[id] or 0) + 1
        assert.equal(1, times[id], id)
      end
      for _, id in ipairs(ids(1, 40)) do
        assert.equal(1, times[id], id .. " in round " .. round)
      end
    end
  end)

  it("is searched for one audience no further than its page", function()
    server:answer(SERVICE:format "return page(part(names(1, 1000), skip, take), { total = 1000 })")
    assert.equal("a150", assert(server:client():audience "a150").audience_id)
    assert.equal(2, #server:requests "/audiences")
    local row, err = server:client():audience "b"
    assert.same({ nil, "not_found", 12 }, { row, err.kind, #server:requests "/audiences" })
  end)

  it("whose rows have no ids ends where the service says so, and fails after a hundred pages", function()
    for more, pages in pairs {
      ["total = 5"] = 3, ["total = 1e6"] = 100, ["x = 1"] = 1, ["meta = { pagination = { hasMore = true } }"] = 100,
      ["meta = { pagination = { hasMore = false } }"] = 1,
    } do
      server:answer(([[
        local json = ...
        return function(request)
          local item = { status = "PENDING" }
          return 200, { items = json.array { item, item }, %s }
        end
      ]]):format(more))
      local next_row, rows = server:client():syndication_status(), -1
      local ok, item
      repeat
        ok, item = pcall(next_row)
        rows = rows + 1
      until not ok or not item
      assert.same({ 2 * pages, pages }, { rows, #server:requests "/syndication" }, more)
      assert.equal(pages < 100, ok, more)
      assert.truthy(ok or item.code == "BAD_REPLY" and item.message:find("rows have no ids", 1, true), tostring(item))
    end
  end)

  -- By itself: ten thousand requests over a socket take seconds, and a page that is late takes a minute.
  local function pages_of(answer)
    local asked, transport = {}, {}
    function transport.request(_, request, limits)
      assert.same({ "GET", 60, "limits" }, { request.method, request.timeout, limits })
      asked[#asked + 1] = request.path
      return answer(#asked)
    end
    local client = { transport = function()
      return transport
    end }
    local function itself(row)
      return row
    end
    local kind = { name = "audiences", path = tostring, read = itself, id_of = function(row)
      return row.audienceId
    end }
    return paging.rows(client, "limits", kind), asked
  end

  it("is asked for from the rows on that were met, each page within sixty seconds", function()
    local next_row, asked = pages_of(function(page)
      return { audiences = page == 1 and { { audienceId = "a" }, { audienceId = "b" } } or {} }
    end)
    assert.same({ "a", "b" }, { next_row().audienceId, next_row().audienceId })
    assert.is_nil(next_row())
    assert.same({ "0", "2" }, asked)
  end)

  it("that never ends is an error after ten thousand pages", function()
    local next_row, asked = pages_of(function(page)
      return { audiences = { { audienceId = "a" .. page } } }
    end)
    for i = 1, 10000 do
      assert.equal("a" .. i, next_row().audienceId)
    end
    local row, err = next_row()
    assert.same({ nil, "BAD_REPLY", 10000 }, { row, err.code, #asked })
    assert.truthy(err.message:find("does not end: 10000 pages", 1, true), err.message)
    assert.is_nil(next_row())
  end)
end)
