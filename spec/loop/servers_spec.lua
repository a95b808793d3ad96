-- In a server whose event loop the library does not know, a call is refused, because it would block the server.
local core = require "scope3.core"
local scope3 = require "scope3"

describe("in a server that has no loop here", function()
  for name, globals in pairs {
    lighttpd = { lighty = { r = {} } }, Prosody = { prosody = { hosts = {} } },
    ["Apache httpd"] = { apache2 = { version = "2.4" } }, Redis = { redis = { call = print } },
  } do
    it("a call says so instead of blocking it (" .. name .. ")", function()
      for key, value in pairs(globals) do
        rawset(_G, key, value)
      end
      local client = assert(scope3.client { api_key = "k", account_id = "25", base_url = "http://127.0.0.1:1" })
      local found, why = client:health()
      for key in pairs(globals) do
        rawset(_G, key, nil)
      end
      assert.same({ nil, "cannot_wait" }, { found, why.kind })
      assert.truthy(why.message:find(name, 1, true) and why.message:find('loop = "blocking"', 1, true), why.message)
    end)
  end

  it("a call names worker.coroutine in Knot Resolver, whose globals lie behind a metatable", function()
    package.loaded.kres, package.loaded.kluautil = {}, {}
    local client = assert(scope3.client { api_key = "k", account_id = "25", base_url = "http://127.0.0.1:1" })
    local found, why = client:health()
    package.loaded.kres, package.loaded.kluautil = nil, nil
    assert.same({ nil, "cannot_wait" }, { found, why.kind })
    assert.truthy(why.message:find("worker.coroutine", 1, true), why.message)
  end)

  it("a loop that is named is taken", function()
    rawset(_G, "lighty", { r = {} })
    local kinds = {}
    local own = {
      name = "own", now = core.now, sleep = core.sleep, wait = function(engine, seconds) engine:wait(seconds) end,
    }
    for i, loop in ipairs { "blocking", own } do
      local client = assert(scope3.client {
        api_key = "k", account_id = "25", base_url = "http://127.0.0.1:1", loop = loop,
      })
      kinds[i] = select(2, client:health()).kind
    end
    rawset(_G, "lighty", nil)
    assert.same({ "network", "network" }, kinds)
  end)
end)
