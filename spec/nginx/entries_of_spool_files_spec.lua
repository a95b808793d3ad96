-- The entries that a collector appends to a queue, from the members of a spool file.
local core = require "scope3.core"
local stream_entries = require "scope3.nginx.stream_entries"
local world = require "spec.support.world"

local HASH = ("0123456789abcdef"):rep(4)

local function line(id)
  return ('+{"externalId":"%s","hashedEmail":"%s"},\n'):format(id, HASH)
end

describe("the entries of a spool file", function()
  local spool, members

  before_each(function()
    spool = assert(core.spool(world.path ".spool"))
    members = core.payload { max_members = 10000, max_bytes = 10000000 }
  end)
  after_each(function()
    spool:remove()
    world.clean()
  end)

  local function keep(label, ...)
    members:reset()
    local texts = {}
    for i, id in ipairs { ... } do
      texts[i] = line(id)
    end
    members:take(table.concat(texts), 1)
    assert(spool:keep(members, 1, members:count(), 0, label))
  end

  -- All entries: once-key, members, text, how many were passed over.
  local function entries_of(max_bytes)
    local payload, list = core.payload { max_members = 10000, max_bytes = max_bytes or 1000000 }, {}
    for once, n, pieces, unfit in stream_entries.of({ spool = spool, identity = "file" }, payload, "own") do
      local text = {}
      for i, piece in ipairs(pieces) do
        text[i] = type(piece) == "string" and piece or piece:as_lines()
      end
      list[#list + 1] = { once, n, table.concat(text), unfit }
    end
    payload:close()
    return list
  end

  it("hold the members of each audience behind its label, those of a known member once", function()
    keep("", "1", "2")
    keep("", "1")
    keep("b", "3")
    keep("", "4")
    assert.same({ { "file.0", 4, "@own\n" .. line "2" .. line "1" .. "@b\n" .. line "3" .. "@own\n" .. line "4", 0 } },
      entries_of())
  end)

  it("lose nothing around a member that is larger than an entry takes", function()
    local long = ("x"):rep(300)
    keep("a", "1")
    keep("b", long)
    keep("b", long .. "y")
    keep("c", "2")
    keep("d", long)
    assert.same({ { "file.0", 2, "@a\n" .. line "1" .. "@c\n" .. line "2", 3 } }, entries_of(200))
  end)

  it("are the same ones each time, under keys of their own", function()
    for i = 1, 2 * stream_entries.MOST_MEMBERS + 1 do
      keep("", tostring(i))
    end
    local list = entries_of()
    assert.equal(3, #list)
    assert.same({ "file.0", stream_entries.MOST_MEMBERS }, { list[1][1], list[1][2] })
    assert.same({ ("file.%d"):format(2 * stream_entries.MOST_MEMBERS), 1 }, { list[3][1], list[3][2] })
    assert.same(list, entries_of())
  end)
end)
