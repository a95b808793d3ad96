-- The entries that a collector appends to a queue, from the members of a spool file.
local core = require "scope3.core"
local packed_lines = require "spec.support.packed_lines"
local stream_entries = require "scope3.nginx.stream_entries"
local world = require "spec.support.world"

local HASH = ("0123456789abcdef"):rep(4)

local function line(id)
  return packed_lines.of { ('+{"externalId":"%s","hashedEmail":"%s"}'):format(id, HASH) }
end

local function label(text)
  return packed_lines.of { "@" .. text }
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

  local function keep(audience, ...)
    members:reset()
    local texts = {}
    for i, id in ipairs { ... } do
      texts[i] = line(id)
    end
    members:take(table.concat(texts), 1)
    assert(spool:keep(members, 1, members:count(), 0, audience))
  end

  -- All entries, load by load: once-key, members, text; and how many were passed over in all.
  local function loads_of(member_bytes)
    local of, loads, unfit = stream_entries.new("own", member_bytes or 1000000), {}, 0
    for list, passed in of:of { spool = spool, identity = "file" } do
      unfit = unfit + passed
      local load = {}
      for i, batch in ipairs(list) do
        load[i] = { batch.once, batch.n, batch.lines:text() }
      end
      loads[#loads + 1] = load
    end
    of:rest()
    of:close()
    return loads, unfit
  end

  it("hold all operations in their order, behind the label of each audience", function()
    keep("", "1", "2")
    keep("", "1")
    keep("b", "3")
    keep("", "4")
    assert.same({ { { "file.0", 5, label "own" .. line "1" .. line "2" .. line "1" .. label "b" .. line "3"
      .. label "own" .. line "4" } } }, (loads_of()))
  end)

  it("lose nothing around a member that is larger than an entry takes", function()
    local long = ("x"):rep(300)
    keep("a", "1")
    keep("b", long)
    keep("b", long .. "y")
    keep("c", "2")
    keep("d", long)
    local loads, unfit = loads_of(200)
    assert.same({ { { "file.0", 2, label "a" .. line "1" .. label "c" .. line "2" } } }, loads)
    assert.equal(3, unfit)
  end)

  it("tell of members that are too large also where no other is left", function()
    for i = 1, stream_entries.MOST_MEMBERS do
      keep("", tostring(i))
    end
    keep("", ("x"):rep(300))
    local loads, unfit = loads_of(200)
    assert.same({ 1, 1, 1 }, { #loads, #loads[1], unfit })
  end)

  it("are the same ones each time, under keys of their own", function()
    for i = 1, 2 * stream_entries.MOST_MEMBERS + 1 do
      keep("", tostring(i))
    end
    local loads = loads_of()
    local list = loads[1]
    assert.same({ 1, 3 }, { #loads, #list })
    assert.same({ "file.0", stream_entries.MOST_MEMBERS }, { list[1][1], list[1][2] })
    assert.same({ ("file.%d"):format(2 * stream_entries.MOST_MEMBERS), 1 }, { list[3][1], list[3][2] })
    assert.same(loads, (loads_of()))
  end)

  it("go several at once, but less than a MiB", function()
    for i = 1, 30 do
      local ids = {}
      for j = 1, stream_entries.MOST_MEMBERS do
        ids[j] = ("%015d"):format(i * 1000 + j)
      end
      keep("", (rawget(table, "unpack") or rawget(_G, "unpack"))(ids))
    end
    local loads, n = loads_of(), 0
    assert.is_true(#loads > 1)
    for _, load in ipairs(loads) do
      local bytes = 0
      for _, one in ipairs(load) do
        n, bytes = n + one[2], bytes + #one[3]
      end
      assert.is_true(bytes < 2 ^ 20)
    end
    assert.equal(30 * stream_entries.MOST_MEMBERS, n)
  end)
end)
