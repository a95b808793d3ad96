-- A program loads what it uses: libcurl comes with the first request, and the rest with the first call.
local world = require "spec.support.world"

describe("a program", function()
  teardown(world.clean)

  -- What a program prints. `loaded(name)` says whether a module is loaded, `maps(name)` whether a library is.
  local function said(program, before)
    local path = world.file([[
      local function loaded(name) return package.loaded[name] ~= nil end
      local function maps(name)
        local file = assert(io.open "/proc/self/maps")
        local text = file:read "*a"
        file:close()
        return text:find(name, 1, true) ~= nil
      end
    ]] .. program, ".lua")
    local out = world.path ".out"
    os.execute(("%s %s %s >%s 2>&1"):format(before or "", os.getenv "SCOPE3_LUA_BIN" or "lua", path, out))
    return world.read(out)
  end

  it("that requires scope3 loads nothing of it before it is used", function()
    assert.equal("false\tfalse\n64\nfalse\ttrue\n", said [[
      local scope3 = require "scope3"
      print(loaded "scope3.core", maps "libcurl")
      print(#scope3.email.hash "a@example.com")
      print(maps "libcurl", loaded "scope3.core")
    ]])
  end)

  it("that makes a client and audiences, and sends nothing, does not load libcurl", function()
    assert.equal("1\tfalse\n", said [[
      local scope3 = require "scope3"
      assert(scope3.client { api_key = "scope3_test_key", account_id = "25" })
      local audience = assert(scope3.audience "a")
      assert(audience:add { external_id = "1", email = "a@example.com" })
      print(audience:count(), maps "libcurl")
    ]])
  end)

  it("that tries a file does not load libcurl", function()
    local rows = world.file("id,mail\n1,a@example.com\n", ".csv")
    local text = said(([[
      local code = require("scope3.cli").main { [0] = "scope3", "sync", "--dry-run", "--audience", "a",
        "--map", "external_id=id", "--map", "email=mail", %q }
      io.stderr:write("code ", code, " libcurl ", tostring(maps "libcurl"), "\n")
    ]]):format(rows))
    assert.truthy(text:find("code 0 libcurl false", 1, true), text)
  end)

  it("that has preloaded everything loads nothing of ours any more", function()
    assert.equal("true\tnil\tnetwork\tCOULDNT_CONNECT\n0\n", said [[
      local scope3 = require "scope3"
      scope3.preload()
      local before, more = {}, 0
      for name in pairs(package.loaded) do before[name] = true end
      local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25",
        base_url = "http://127.0.0.1:9", loop = "blocking" })
      local audience = assert(scope3.audience "a")
      assert(audience:add { external_id = "1", email = "a@example.com" })
      local raised, result, err = pcall(client.sync, client, audience, { patience = 0 })
      print(raised, result, err.kind, err.code)
      for name in pairs(package.loaded) do
        more = more + (name:find "^scope3" and not before[name] and 1 or 0)
      end
      print(more)
    ]])
  end)

  -- What the sanitizers preload cannot do without descriptors.
  it("that comes to its first request without descriptors gets an error, and goes on later", function()
    if os.getenv "LD_PRELOAD" then
      pending "under sanitizers"
      return
    end
    local text = said([[
      local scope3 = require "scope3"
      local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25", rate = 1000,
        loop = "blocking" })
      local held = {}
      for i = 1, 100 do held[i] = io.open "/dev/null" end
      local raised, ok, err = pcall(client.health, client)
      print(raised, ok, err and err.kind, err and tostring(err), loaded "scope3.engine")
      for i = 1, 40 do if held[i] then held[i]:close() end end
      local engine = require "scope3.engine"
      print(engine.curl_version().version ~= nil)
    ]], "ulimit -n 30;")
    assert.truthy(text:find "^true\tnil\t%a+\t.*no descriptors left.*\tfalse\ntrue\n$", text)
  end)

  it("that loads the engine gets the core with it, or is told that it is another version's", function()
    assert.equal("true\ttrue\n", said [[
      print(require("scope3.engine").curl_version().version ~= nil, loaded "scope3.core")
    ]])
    local text = said [[
      local core = require "scope3.core"
      debug.getregistry()["scope3.payload.access"] = nil
      print(pcall(require, "scope3.engine"))
    ]]
    assert.truthy(text:find("false\t.*scope3.engine found no scope3.core of its own version"), text)
  end)
end)
