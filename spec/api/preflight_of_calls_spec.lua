-- What a call needs before it asks the service: a key, mostly an account, and a place that may wait.
local people = require "spec.support.people"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

-- Each call that asks the service, with its error. An iterator raises it.
local CALLS = {
  sync = function(client)
    return select(2, client:sync(people.audience("a", 1)))
  end,
  run = function(client)
    return select(2, client:run({ map = people.MAP, audience = "a" }, people.rows(1)))
  end,
  stream = function(client)
    return select(2, client:stream "a")
  end,
  audience = function(client)
    return select(2, client:audience "a")
  end,
  audiences = function(client)
    return select(2, pcall(client:audiences()))
  end,
  syndicate = function(client)
    return select(2, client:syndicate { audience_id = "a", adcp_agent_ids = { "1" } })
  end,
  syndication_status = function(client)
    return select(2, pcall(client:syndication_status()))
  end,
  task = function(client)
    return select(2, client:task "t1")
  end,
  wait = function(client)
    return select(2, client:wait("t1", { timeout = 1 }))
  end,
}
local WITHOUT_ACCOUNT = { task = true, wait = true } -- a task is found by its id alone

local NAMES = { api_key = "SCOPE3_API_KEY", account_id = "SCOPE3_ACCOUNT_ID" }

describe("a call of the client", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  local function client_of(opts)
    opts.base_url, opts.rate, opts.loop = sandbox.url, 100000, opts.loop or virtual.loop()
    return assert(scope3.client(opts))
  end

  local function lacks(err)
    local paths = {}
    for i, issue in ipairs(err.issues) do
      paths[i] = issue.path
      assert.truthy(issue.message:find(NAMES[issue.path], 1, true), issue.message)
    end
    return table.concat(paths, " ")
  end

  for name, call in pairs(CALLS) do
    local needs_account = not WITHOUT_ACCOUNT[name]
    it(("names what it lacks before anything is asked: %s"):format(name), function()
      local before = #sandbox:requests()
      local err = call(client_of {})
      assert.same({ "invalid", needs_account and "api_key account_id" or "api_key" }, { err.kind, lacks(err) })
      err = call(client_of { account_id = "25" })
      assert.same({ "invalid", "api_key" }, { err.kind, lacks(err) })
      if needs_account then
        err = call(client_of { api_key = "scope3_test_key" })
        assert.same({ "invalid", "account_id" }, { err.kind, lacks(err) })
      end
      assert.equal(before, #sandbox:requests())
    end)

    it(("is refused where its loop cannot wait, and not elsewhere: %s"):format(name), function()
      local loop, barred = virtual.loop(), "this phase cannot wait"
      function loop.bar()
        return barred
      end
      local client = client_of { api_key = "scope3_test_key", account_id = needs_account and "25" or nil, loop = loop }
      local before = #sandbox:requests()
      local err = call(client)
      assert.same({ "cannot_wait", "this phase cannot wait" }, { err.kind, err.message })
      assert.equal(before, #sandbox:requests())
      barred = nil
      err = call(client)
      assert.is_true(type(err) ~= "table" or err.kind ~= "cannot_wait" and err.kind ~= "invalid", tostring(err))
    end)
  end

  it("that gives rows tells what it lacks once, and is over then", function()
    for _, name in ipairs { "audiences", "syndication_status" } do
      local client = client_of {}
      local next_row = client[name](client)
      local ok, err = pcall(next_row)
      assert.same({ false, "invalid" }, { ok, err.kind })
      assert.is_nil(next_row())
    end
  end)
end)
