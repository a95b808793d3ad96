-- A key that its function stops giving, options that are wrong together, and an input that fails in the middle.
local core = require "scope3.core"
local scope3 = require "scope3"
local world = require "spec.support.world"

local function vips(n)
  local made = assert(scope3.audience "vips")
  for i = 1, n do
    assert(made:add { external_id = tostring(i), email = i .. "@x.example" })
  end
  return made
end

describe("a client", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  -- A client whose key is the next of these at each question; nil behind them.
  local function client_of(keys)
    local asked = 0
    return assert(scope3.client { account_id = "25", base_url = sandbox.url, rate = 1e6, api_key = function()
      asked = asked + 1
      return keys[asked]
    end })
  end

  it("takes keys by turns, also one that it had before", function()
    local keys = {}
    for i = 1, 40 do
      keys[i] = "scope3_key_" .. i % 3
    end
    local client = client_of(keys)
    for _ = 1, 5 do
      assert(client:sync(vips(1)))
    end
  end)

  it("fails a request for which its function gives no key any more", function()
    for known = 0, 3 do
      local keys = {}
      for i = 1, known do
        keys[i] = "scope3_key"
      end
      local client = client_of(keys)
      local res, err
      for _ = 1, 5 do
        res, err = client:sync(vips(1))
        if not res then
          break
        end
      end
      assert.is_nil(res)
      assert.truthy(err.message:find("key", 1, true), err.message)
    end
  end)

  it("does not begin to wait without a key", function()
    local given = true
    local client = assert(scope3.client { account_id = "25", base_url = sandbox.url, rate = 1e6, api_key = function()
      return given and "scope3_key" or nil
    end })
    local res = assert(client:sync(vips(1)))
    given = false
    local waited, err = client:wait(res)
    assert.is_nil(waited)
    assert.truthy(err.message:find("key", 1, true), err.message)
  end)

  it("has no address with a password in it, also without a name", function()
    for _, who in ipairs { "jane:secret", "jane", ":secret" } do
      local url = ("https://%s@x.example"):format(who)
      local client, err = scope3.client { account_id = "25", api_key = "k", base_url = url }
      assert.is_nil(client)
      assert.is_nil(err.message:find("secret", 1, true), err.message)
    end
  end)

  it("tells all that is wrong with audiences and options at once", function()
    local client = assert(scope3.client { account_id = "25", base_url = sandbox.url, api_key = "scope3_key" })
    local res, err = client:sync({ vips(1), vips(1) }, { max_bytes = 10 })
    assert.is_nil(res)
    assert.is_true(#err.issues >= 2, err.message)
  end)

  it("fails with what its loop raises while it waits", function()
    local loop = { name = "own", now = core.now, sleep = function()
      error("no sleep today", 0)
    end, wait = function(engine, seconds)
      engine:wait(seconds)
    end }
    local client = assert(scope3.client { account_id = "25", base_url = sandbox.url, api_key = "scope3_key",
      loop = loop, rate = 1e6 })
    sandbox:configure { task_seconds = 60 }
    local res, err = client:wait(assert(client:sync(vips(1))), { timeout = 30 })
    assert.is_nil(res)
    assert.truthy(err.message:find("no sleep today", 1, true), err.message)
  end)
end)

describe("a gzip of a reader", function()
  teardown(world.clean)

  it("that fails in the middle fails with its reason", function()
    local lines = { "id,mail" }
    for i = 1, 20000 do
      lines[i + 1] = ("%d,p%d@x.example"):format(i, i * 7919 % 10007)
    end
    local path = world.file(table.concat(lines, "\n") .. "\n", ".csv")
    os.execute("gzip -k " .. path)
    local packed, at = world.read(path .. ".gz"), 1
    local input = assert(scope3.csv(function()
      if at > 20000 then
        return nil, "the disk is gone"
      end
      at = at + 1000
      return packed:sub(at - 1000, at - 1)
    end))
    local res, err = assert(scope3.client {}):run({ audience = "a", map = { external_id = "id", email = "mail" } },
      input, { dry_run = true })
    assert.is_nil(res)
    assert.truthy(err.message:find("the disk is gone", 1, true), err.message)
  end)
end)
