-- A list with a hole is refused, because Lua would lose what comes after the hole.
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("a list with a hole", function()
  local client = assert(scope3.client {
    api_key = "scope3_test_key", account_id = "25", base_url = "http://127.0.0.1:9",
  })
  local MAP = { external_id = "id", email = "mail" }

  teardown(world.clean)

  -- Each way to make one: the length that Lua tells of it differs.
  local function holed(a, b)
    local grown = { a }
    grown[3] = b
    return { { a, nil, b }, { a, [3] = b }, { a, [7] = b }, { nil, b }, { [2] = b }, grown, { a, b, [5] = a } }
  end

  local function raises(call, ...)
    local ok, message = pcall(call)
    assert.is_false(ok)
    assert.truthy(message:find("lists_with_holes_spec.lua:%d+: "), message)
    local found = false
    for i = 1, select("#", ...) do
      found = found or message:find((select(i, ...)), 1, true) ~= nil
    end
    assert.is_true(found, message)
  end

  it("is misuse in a map, in conditions, in options and in what is sent", function()
    local csv = world.file "id,mail,b\n1,a@example.com,x\n"
    local audience = assert(scope3.audience "a")
    assert(audience:add { external_id = "1", email = "a@example.com" })
    for _, list in ipairs(holed("mail", "b")) do
      raises(function()
        local res = client:run({ audience = "a", map = { external_id = "id", email = list } }, csv, { dry_run = true })
        return res
      end, "map.email is a list with holes", "map.email must be a list of columns")
      raises(function()
        local res = client:run({ audience = "a", map = MAP, where = { b = list } }, csv, { dry_run = true })
        return res
      end, "where['b'] must be a value, or a list of values")
      raises(function()
        local res = client:syndicate { audience_id = "a", adcp_agent_ids = list }
        return res
      end, "adcp_agent_ids")
      raises(function()
        local res = client:sync(audience, { dry_run = true, delete_missing = list })
        return res
      end, "delete_missing")
    end
    for _, list in ipairs(holed(csv, csv)) do
      raises(function()
        local res = client:run({ audience = "a", map = MAP }, list, { dry_run = true })
        return res
      end, "source is a list with holes")
    end
    for _, list in ipairs(holed(audience, assert(scope3.audience "b"))) do
      raises(function()
        local res = client:sync(list, { dry_run = true })
        return res
      end, "audiences is a list with holes")
    end
    for _, list in ipairs(holed("plus", "words")) do
      raises(function()
        local hash = scope3.phone.hash("1", { phone_repairs = list })
        return hash
      end, "phone_repairs")
    end
    for _, list in ipairs(holed(("s"):rep(32), ("t"):rep(32))) do
      raises(function()
        local payload = scope3.webhook.verify({ headers = {} }, { mode = "hmac", secrets = list })
        return payload
      end, "secrets")
    end
    local uids = holed({ type = "uid2", value = "x" }, { type = "foo", value = "y" })
    uids[#uids + 1] = { { type = "foo", value = "y" }, bar = "z" }
    for _, list in ipairs(uids) do
      raises(function()
        local added = audience:add { external_id = "1", uids = list }
        return added
      end, "uids")
    end
    assert.same({ 1, 0 }, { audience:count() })
  end)

  it("of members stops the job, and names the row", function()
    local lists = holed({ external_id = "1", email = "a@example.com" }, { external_id = "2", email = "b@example.com" })
    lists[#lists + 1] = { { external_id = "1", email = "a@example.com" }, external_id = "3" }
    for _, list in ipairs(lists) do
      local res, err = client:run({ audience = "a", member = function() return list end }, world.file "id\n1\n",
        { dry_run = true })
      assert.is_nil(res)
      assert.same({ "script", "script_error" }, { err.kind, err.code })
      assert.truthy(err.message:find("the script failed at row 1 (line 2): ", 1, true), err.message)
    end
  end)
end)
