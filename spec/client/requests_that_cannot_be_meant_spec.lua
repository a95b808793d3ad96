-- Calls that cannot be meant: misuse raises, and what depends on data is an error.
-- Nothing is sent: nobody listens at the client's address, and an attempt to reach it would be another error.
local scope3 = require "scope3"
local world = require "spec.support.world"

local function client_of(options)
  local all = { api_key = "scope3_test_key", account_id = "25", base_url = "http://127.0.0.1:1" }
  for key, value in pairs(options or {}) do
    all[key] = value
  end
  return scope3.client(all)
end

local MAP = { external_id = "id", email = "mail" }

local function run(script, source, options)
  options = options or {}
  options.dry_run = true
  script.audience = "a"
  return assert(client_of()):run(script, source, options)
end

-- An iterator that gives these, one after the other.
local function giving(...)
  local rows, i = { ... }, 0
  return function()
    i = i + 1
    return rows[i]
  end
end

local RAISED = {
  ["client:task: id is an empty text"] = function() client_of():task "" end,
  ["client:audiences: page is at most 250"] = function() client_of():audiences { page = 251 } end,
  ['loop "luv" cannot be used here'] = function()
    local loaded, searched = package.loaded.luv, package.preload.luv
    package.loaded.luv = nil
    package.preload.luv = function() error "no such library" end
    local fine, why = pcall(client_of, { loop = "luv" })
    package.loaded.luv, package.preload.luv = loaded, searched
    assert(fine, why)
  end,
  ["webhook.deliveries: max has no effect on a store"] = function()
    local function nothing() end
    scope3.webhook.deliveries {
      max = 5, store = { get = nothing, safe_add = nothing, incr = nothing, delete = nothing },
    }
  end,
  ["what now() gives must be a number of seconds"] = function()
    scope3.webhook.verify({ headers = {}, body = "", method = "POST", url = "https://x.example/" }, {
      mode = "hmac", secrets = { ("s"):rep(32) }, now = function() return 0 / 0 end,
    })
  end,
  ["where has a column that is no name and no number"] = function()
    run({ where = { [true] = "x" }, map = MAP }, world.file "id,mail\n")
  end,
}

local RETURNED = {
  ["adcp_agent_ids[2] is empty"] = function()
    return client_of():syndicate { audience_id = "a", adcp_agent_ids = { "b", "" } }
  end,
  ["rows must be tables"] = function() return run({ map = MAP }, giving({ id = "1", mail = "a@example.org" }, 5)) end,
  ["the iterator failed: no more today"] = function()
    return run({ map = MAP }, function() return nil, "no more today" end)
  end,
  ["JSON Lines have names, not column numbers"] = function()
    return run({ map = { external_id = 1, email = 2 } }, world.file("{}\n", ".jsonl"))
  end,
  ["a reference of a gateway"] = function()
    return scope3.client { api_key = "$secret://scope3/key", account_id = "25", base_url = "http://127.0.0.1:1" }
  end,
}

describe("a call that cannot be meant", function()
  teardown(world.clean)

  for message, call in pairs(RAISED) do
    it("raises: " .. message, function()
      local fine, why = pcall(call)
      assert.is_false(fine)
      assert.truthy(tostring(why):find(message, 1, true), tostring(why))
    end)
  end

  for message, call in pairs(RETURNED) do
    it("is an error: " .. message, function()
      local made, err = call()
      assert.is_nil(made)
      assert.truthy(tostring(err):find(message, 1, true), tostring(err))
    end)
  end
end)
