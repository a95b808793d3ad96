-- Each userdata type has close, __gc and __close alike. Closing twice does nothing, and a closed object raises.
local core = require "scope3.core"
local curl = require "scope3.engine"
local world = require "spec.support.world"

local has_gzip, gzip = pcall(require, "scope3.gzip")
local has_crypto, crypto = pcall(require, "scope3.crypto")
local has_state, state = pcall(require, "scope3.state")

local TYPES = {
  { "builder", function() return core.builder { max_member = 1000 } end, "sums" },
  { "count file", function() return assert(core.count_file(world.file "")) end, "lock" },
  { "engine", function() return assert(curl.engine()) end, "count" },
  { "chunk", function() return core.mirror.chunk(1) end, "size" },
  { "fold", function() return assert(core.mirror.fold {}) end, function(fold) return fold:part(0) end },
  { "list", function() return core.mirror.list() end, "count" },
  { "night", function() return assert(core.mirror.night { key = ("k"):rep(16) }) end, "counts" },
  { "file", function() return assert(core.append_file(world.file "")) end, "read" },
  { "list of exclusions", function() return core.exclusions { most = 1 } end, "counts" },
  { "id set", function() return core.id_set() end, "size" },
  { "decoder", function() return core.resp { bytes = 9, values = 9, refuse = error } end, "held" },
  { "payload", function() return core.payload { max_members = 1, max_bytes = 1000 } end, "count" },
  { "source", function() return core.source { format = "csv" } end, "rows" },
  { "spool", function()
    local path = world.file ""
    os.remove(path)
    return assert(core.spool(path, { capacity = 65536 }))
  end, "count" },
}
if has_gzip then
  TYPES[#TYPES + 1] = { "gunzip", function() return gzip.gunzip() end, "taken" }
  TYPES[#TYPES + 1] = { "view", function()
    local z = gzip.gunzip()
    z:feed "\31\139\8\0\0\0\0\0\0\3\203\76\209\201\77\204\204\225\2\0\194\215\178\41\8\0\0\0"
    return (z:next())
  end, "size" }
end
if has_crypto then
  local x = core.base64_decode "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" -- RFC 8037's example
  TYPES[#TYPES + 1] = { "cipher", function() return assert(crypto.cipher()) end, function(cipher)
    assert(core.mirror.night { key = ("k"):rep(16), cipher = cipher }):close()
  end }
  TYPES[#TYPES + 1] = { "public key", function() return assert(crypto.ed25519(x)) end, "algorithm" }
end

if has_state then
  TYPES[#TYPES + 1] = { "database", function()
    return assert(state.open(world.path ".state", { create = true }))
  end, "check" }
end

describe("userdata types", function()
  teardown(world.clean)

  for _, case in ipairs(TYPES) do
    local name, make, method = case[1], case[2], case[3]

    it("close alike: " .. name, function()
      local object = make()
      local call = type(method) == "function" and method or object[method]
      assert.is_false(getmetatable(object))
      local meta = debug.getmetatable(object)
      assert.is_function(meta.__gc)
      if _VERSION > "Lua 5.3" then
        assert.equal(meta.__gc, meta.__close)
      end
      assert.has_no_error(function() call(object) end, nil)
      object:close()
      object:close()
      meta.__gc(object)
      local fine, message = pcall(call, object)
      assert.is_false(fine)
      assert.truthy(tostring(message):find("attempt to use a closed " .. name, 1, true), message)
    end)
  end
end)
