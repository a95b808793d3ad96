-- Every example is run, as its head says.
local world = require "spec.support.world"
local cjson = require("cjson.safe").new()

describe("the examples", function()
  local sandbox
  setup(function()
    sandbox = world.sandbox()
  end)
  teardown(function()
    sandbox:close()
    world.clean()
  end)

  it("newsletter.lua sends those who consented, by a map", function()
    local code, out, err = world.command {
      "run", "examples/newsletter.lua", "examples/customers.csv", "--sandbox", "--account", "25", "--wait", "--json",
    }
    assert.equal(0, code, err)
    local res = assert(cjson.decode(out))
    world.assert_sums(res)
    assert.equal(1000, res.rows)
    assert.is_true(res.skipped > 100 and res.members > 700 and res.identifiers.hashed_phone > 500)
    assert.same({ "READY", res.accepted }, { res.audience.status, res.audience.uploaded_count })
    assert.equal(1, res.rejected.ragged_row) -- the other lacks its last cell alone
    assert.equal(2, res.prehashed)
  end)

  it("consent.lua adds and removes, by member(row)", function()
    local code, out, err = world.command {
      "run", "examples/consent.lua", "examples/customers.csv", "--sandbox", "--account", "25", "--wait", "--json",
    }
    assert.equal(0, code, err)
    local res = assert(cjson.decode(out))
    world.assert_sums(res)
    assert.is_true(res.requests[1].adds > 100 and res.requests[1].removes > 100)
    assert.equal(res.requests[1].adds, res.audience.uploaded_count)
    assert.equal(2, res.rejected["no customer id"])
  end)

  it("sync.lua builds an audience in memory and waits for it", function()
    local out = world.path(".out")
    local code = os.execute(("SCOPE3_API_KEY=scope3_example SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=%s %s "
      .. "examples/sync.lua >%s 2>&1"):format(
      sandbox.url, os.getenv("SCOPE3_LUA_BIN"), out))
    assert.is_true(code == true or code == 0, world.read(out))
    assert.equal("3 members accepted, audience TOO_SMALL\n", world.read(out))
    assert.same({ "4711", "4712" }, sandbox:ids("vips"))
  end)

  for _, name in ipairs { "cqueues", "luv" } do
    it(name .. ".lua sends three audiences at once, while others run", function()
      local out = world.path(".out")
      local code = os.execute(("SCOPE3_API_KEY=scope3_example SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=%s %s "
        .. "examples/%s.lua >%s 2>&1"):format(
        sandbox.url, os.getenv("SCOPE3_LUA_BIN"), name, out))
      local text = world.read(out)
      assert.is_true(code == true or code == 0, text)
      assert.truthy(text:find("meanwhile, others ran\n", 1, true), text)
      for _, id in ipairs { "readers", "buyers", "lapsed" } do
        assert.truthy(text:find(id .. ": 1000 members, READY\n", 1, true), text)
      end
    end)
  end

  if require("spec.support.nginx").here() then
    it("nginx/run serves all three, and ends", function()
      local pipe = assert(io.popen "examples/nginx/run --try 2>&1")
      local text = pipe:read("*a")
      pipe:close()
      assert.truthy(text:find("thank you\nthank you\nthank you\n", 1, true), text)
      assert.truthy(text:find('"accepted":%d%d%d'), text)
      assert.truthy(text:find('"accepted":3', 1, true), text)
      assert.truthy(text:find('\nscope3_collector_members_accepted_total{collector="subscribers"} 3\n', 1, true), text)
    end)
  end

  it("customers.csv is what its generator writes", function()
    local out = world.path(".csv")
    os.execute(("%s examples/make_customers.lua >%s"):format(os.getenv("SCOPE3_LUA_BIN"), out))
    assert.is_true(world.read("examples/customers.csv") == world.read(out))
  end)
end)
