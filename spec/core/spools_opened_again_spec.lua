-- What a spool makes sure of when it is opened again, and of members whose ids are written with escapes.
local core = require "scope3.core"
local spool_files = require "spec.support.spool_files"
local spooled = require "spec.support.spooled"
local world = require "spec.support.world"

describe("a spool that is opened again", function()
  after_each(world.clean)

  it("keeps nothing in a file that was removed before its first member came", function()
    local path = spool_files.made("a", "b")
    local spool = assert(core.spool(path, { capacity = 4096 }))
    os.remove(path)
    local kept, why = spool:keep(spool_files.payload_of "c", 1, 1)
    assert.is_nil(kept)
    assert.truthy(tostring(why):find("removed", 1, true), why)
    spool:close()
    assert.is_nil(io.open(path))
  end)

  it("gives members whose ids hold quotes and backslashes as they were kept", function()
    local path = world.path(".spool")
    local spool = assert(core.spool(path, { capacity = 4096 }))
    spool_files.keep(spool, 'a"b', "c\\d")
    spool:close()
    spool = assert(core.spool(path, { capacity = 4096 }))
    local kept = spooled.read(spool)
    assert.truthy(kept[1][3]:find('"externalId":"a\\"b"', 1, true), kept[1][3])
    assert.truthy(kept[2][3]:find('"externalId":"c\\\\d"', 1, true), kept[2][3])
    assert.equal(2, #kept)
    local _, payload = spooled.kit()
    assert.equal(2, (spool:reader()(payload)))
    assert.same({ 2, 0 }, { payload:living() })
    spool:close()
  end)
end)

describe("a spool", function()
  after_each(world.clean)

  it("takes none of a batch that alone is larger than all of it", function()
    local many = {}
    for i = 1, 200 do
      many[i] = "member-number-" .. i
    end
    local spool = assert(core.spool(world.path(".spool"), { capacity = 4096 }))
    local payload = spool_files.payload_of((table.unpack or unpack)(many)) -- luacheck: ignore
    assert.same({ nil, "full" }, { spool:keep(payload, 1, #many) })
    assert.same({}, spool_files.ids(spool))
    assert.is_true(spool:keep(payload, 1, 1))
    spool:close()
  end)
end)

describe("a payload", function()
  it("counts the universal ids of a member, and no braces inside of their values", function()
    local builder, payload = spooled.kit()
    local uids = { { type = "foo", value = '{x{"type":"' }, { type = "bar", value = "}{x" } }
    assert(builder:add(payload, { external_id = "a{", uids = uids }))
    assert.same({ 0, 0, 2, 0 }, { payload:identifiers() })
  end)
end)
