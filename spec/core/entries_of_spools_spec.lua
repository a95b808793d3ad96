-- A spool that is read as entries: lines of members behind the labels of their audiences (core/files/spool_entry.h).
local core = require "scope3.core"
local packed_lines = require "spec.support.packed_lines"
local spool_files = require "spec.support.spool_files"
local world = require "spec.support.world"

local MUCH = 1000000

local function json(id)
  return id:sub(1, 1) == "-" and ('{"externalId":"%s"}'):format(id:sub(2))
    or ('{"externalId":"%s","hashedEmail":"%s"}'):format(id, spool_files.HASH)
end

local function line(id)
  return packed_lines.of { (id:sub(1, 1) == "-" and "-" or "+") .. json(id) }
end

local function text_of(label, ...)
  local texts = { packed_lines.of { "@" .. label } }
  for i, id in ipairs { ... } do
    texts[i + 1] = line(id)
  end
  return table.concat(texts)
end

describe("the entries of a spool", function()
  local spool, lines, path

  before_each(function()
    path = world.path(".spool")
    spool, lines = assert(core.spool(path)), core.lines()
  end)
  after_each(function()
    lines:close()
    world.clean()
  end)

  local function keep(label, ...)
    local payload = core.payload { max_members = 1000, max_bytes = MUCH }
    for _, id in ipairs { ... } do
      payload:reset()
      payload:take(line(id), 1)
      assert(spool:keep(payload, 1, 1, 7, label))
    end
    payload:close()
  end

  -- Every entry: the number before it, its members, its text, and how many were passed over.
  local function read(members, bytes, member_bytes)
    local found = {}
    local next_entry = spool:entries("own", members or MUCH, bytes or MUCH, member_bytes or MUCH)
    for after, n, unfit in next_entry, lines do
      assert.equal(#lines:text(), lines:size())
      found[#found + 1] = { after, n, lines:text(), unfit }
    end
    assert.same({ 0, "" }, { lines:size(), lines:text() })
    assert.is_nil(next_entry(lines)) -- for good
    return found
  end

  it("hold every operation, a label where it changes, and the reader's own for members without one", function()
    assert.same({}, read())
    keep("", "1", "-1", "1")
    keep("b", "-2")
    keep("own", "3")
    keep("", "4")
    local text = text_of("own", "1", "-1", "1") .. text_of("b", "-2") .. text_of("own", "3", "4")
    assert.same({ { 0, 6, text, 0 } }, read())
  end)

  it("end after so many members", function()
    keep("", "1", "2", "3", "4", "5")
    assert.same({ { 0, 2, text_of("own", "1", "2"), 0 }, { 2, 2, text_of("own", "3", "4"), 0 },
      { 4, 1, text_of("own", "5"), 0 } }, read(2))
  end)

  it("end before so many bytes, but where one member alone has more", function()
    keep("", "1", "2")
    keep("b", "-3", "-4")
    local two = 2 * packed_lines.size(json "1")
    assert.equal(2, read(nil, two)[1][2])
    assert.equal(1, read(nil, two - 1)[1][2])
    assert.same({ { 0, 1, text_of("own", "1"), 0 }, { 1, 1, text_of("own", "2"), 0 }, { 2, 1, text_of("b", "-3"), 0 },
      { 3, 1, text_of("b", "-4"), 0 } }, read(nil, 1))
  end)

  it("pass over members with more bytes than one may have, and count them", function()
    keep("", "1", "-2", "3", "-4")
    local short = #json "-2" + 1 -- as it is sent, with its comma
    assert.same({ { 0, 2, text_of("own", "-2", "-4"), 2 } }, read(nil, nil, short))
    assert.same({ { 0, 1, text_of("own", "-2"), 1 }, { 2, 1, text_of("own", "-4"), 1 } }, read(2, nil, short))
    assert.same({ { 0, 0, "", 4 } }, read(nil, nil, short - 1))
  end)

  it("end at the same places whatever a member may have, and whatever the reader's own label is", function()
    keep("", "1", "-2", "-3", "4", "-5", "-6", "7")
    local short = #json "-2" + 1
    for _, bounds in ipairs { { 3, MUCH }, { MUCH, 60 } } do
      local places = {}
      for _, member_bytes in ipairs { MUCH, short } do
        local label = member_bytes == MUCH and "own" or ("o"):rep(500)
        places[#places + 1] = {}
        for after in spool:entries(label, bounds[1], bounds[2], member_bytes), lines do
          table.insert(places[#places], after)
        end
      end
      assert.is_true(#places[1] >= 3)
      assert.same(places[1], places[2])
    end
  end)

  it("begin after what was released, and end where the spool is emptied", function()
    keep("", "1", "2", "3")
    spool:release(1)
    assert.same({ { 1, 2, text_of("own", "2", "3"), 0 } }, read())
    local next_entry = spool:entries("own", 1, MUCH, MUCH)
    assert.equal(1, next_entry(lines))
    assert(spool:reset())
    assert.is_nil(next_entry(lines))
  end)

  it("pass over what is damaged", function()
    keep("", "1", "2", "3")
    local bytes = world.read(path)
    spool:close()
    local at = spool_files.place_of(bytes, "2")
    spool_files.write(path, bytes:sub(1, at - 1) .. "x" .. bytes:sub(at + 1))
    spool = assert(core.spool(path))
    assert.same({ { 0, 2, text_of("own", "1", "3"), 0 } }, read())
  end)

  it("are read by nobody after the spool or the lines were closed", function()
    keep("", "1")
    local next_entry = spool:entries("own", MUCH, MUCH, MUCH)
    for _, misuse in ipairs { {}, { "own" }, { "own", 0, 1, 1 }, { "own", 1, 0, 1 }, { "own", 1, 1, 0 }, { 5, 1, 1, 1 },
    } do
      assert.is_false((pcall(spool.entries, spool, misuse[1], misuse[2], misuse[3], misuse[4])))
    end
    assert.is_false((pcall(next_entry)))
    assert.is_false((pcall(next_entry, spool)))
    local closed = core.lines()
    closed:close()
    closed:close()
    assert.is_false((pcall(next_entry, closed)))
    for _, method in ipairs { "size", "text", "reset" } do
      local ok, problem = pcall(closed[method], closed)
      assert.is_false(ok)
      assert.truthy(problem:find("closed", 1, true))
    end
    spool:close()
    local ok, problem = pcall(next_entry, lines)
    assert.is_false(ok)
    assert.truthy(problem:find("attempt to use a closed spool", 1, true))
    assert.is_false((pcall(spool.entries, spool, "own", 1, 1, 1)))
  end)

  it("leave lines that are emptied and used again, also where they were long", function()
    for i = 1, 8 do
      keep("", ("%d"):format(i) .. ("x"):rep(200))
    end
    local long = core.payload { max_members = 10, max_bytes = 4 * MUCH }
    local builder = core.builder { max_member = 4 * MUCH }
    local uids = {}
    for i = 1, 32 do
      uids[i] = { type = "t", value = ("%02d"):format(i) .. ("y"):rep(40000) }
    end
    assert(builder:add(long, { external_id = "long", uids = uids }))
    assert(spool:keep(long, 1, 1, 7, ""))
    local next_entry = spool:entries("own", 8, 4 * MUCH, 4 * MUCH)
    assert.same({ 0, 8, 0 }, { next_entry(lines) })
    assert.same({ 8, 1, 0 }, { next_entry(lines) })
    assert.is_true(lines:size() > 2 ^ 20)
    lines:reset()
    assert.equal(0, lines:size())
    assert.same({ 0, 8, 0 }, { spool:entries("own", 8, MUCH, MUCH)(lines) })
    assert.equal(9, #packed_lines.read(lines:text()))
  end)
end)
