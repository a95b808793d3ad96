-- Whoever makes a request may be asked before each attempt at it: to write it down first, or to keep it back.
local errors = require "scope3.error"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

describe("what is asked before an attempt", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local transport

  local function begin(opts)
    opts = opts or {}
    opts.loop, opts.limiter = virtual.loop(), scope3.limiter()
    transport = sandbox:client(opts):transport()
  end

  -- A request that may go twice, with what is asked before each attempt at it.
  local function post(before_attempt)
    return { method = "POST", path = "/advertisers/25/audiences/sync", body = { '{"audiences":[]}' }, repeatable = true,
      timeout = 20, before_attempt = before_attempt }
  end

  local function faults(...)
    local list = {}
    for i, rule in ipairs { ... } do
      rule.on, rule.times, list[i] = "sync", 1, rule
    end
    sandbox:configure { faults = world.json.array(list) }
  end

  local function sent()
    return #sandbox:requests "sync"
  end

  it("is asked once before each, and told what is not known of those before", function()
    begin()
    faults({ act = "lost_reply" }, { act = "status", status = 503 }, { act = "status", status = 502 },
      { act = "cut_after" }, { act = "status", status = 400 })
    local told = {}
    local _, err = transport:request(post(function(call)
      told[#told + 1] = ("%d %d %s %d"):format(sent(), call.lost, tostring(call.uncertain), call.attempts)
    end))
    assert.same({ "0 0 nil 0", "1 1 true 1", "2 1 true 2", "3 2 true 3", "4 3 true 4" }, told)
    assert.same({ "invalid", true, 5 }, { err.kind, err.uncertain, err.request.attempts })
  end)

  it("keeps it back by an error, with which the request ends", function()
    begin()
    for _, before in ipairs { false, { act = "lost_reply" }, { act = "status", status = 503 } } do
      sandbox:reset()
      faults(before or nil)
      local attempts = before and 1 or 0
      local _, err = transport:request(post(function(call)
        if call.attempts == attempts then
          return errors.new("journal", "it is full", { code = "full" })
        end
      end))
      assert.same({ "journal", "full", attempts }, { err.kind, err.code, err.request.attempts })
      assert.equal(before and before.act == "lost_reply" or nil, err.uncertain)
      assert.equal(attempts, sent())
    end
  end)

  it("raises nothing", function()
    begin()
    local _, err = transport:request(post(function() error("no room", 0) end))
    assert.same({ "script", "callback_error", nil, 0 }, { err.kind, err.code, err.uncertain, sent() })
    assert.truthy(err.message:find("what is asked before an attempt raised an error: no room", 1, true))
  end)

  it("is not asked where no key is there, the limit does not let it pass, or the time is over", function()
    local asked = 0
    local function count()
      asked = asked + 1
    end
    begin { api_key = function() return nil, "no key today" end }
    assert.truthy(select(2, transport:request(post(count))))
    begin { rate = 2 }
    local calls, waiter = {}, transport:waiter()
    for i = 1, 4 do
      calls[i] = transport:start(post(count), waiter)
    end
    assert.equal(2, asked)
    local late = post(count)
    late.ending = { limits = { deadline = transport.loop.now() } }
    calls[5] = transport:start(late, waiter)
    assert.equal(2, asked)
    for _, call in ipairs(calls) do
      transport:give_up(call, "cancelled")
    end
    assert.same({ 1, true, 0, nil, 0 }, { calls[1].lost, calls[1].err.uncertain, calls[3].lost, calls[3].err.uncertain,
      calls[5].lost })
  end)

  it("is asked again when another key goes along", function()
    local key = "scope3_test_old"
    sandbox:configure { keys = world.json.array { "scope3_test_new" } }
    begin { api_key = function() return key end }
    local told = {}
    local request = post(function(call)
      told[#told + 1], key = call.lost, "scope3_test_new"
    end)
    request.path = "/advertisers/26/audiences/sync" -- one that was given up before may still come in
    local _, err = transport:request(request)
    assert.same({ 0, 0 }, told)
    assert.is_nil(err and err.uncertain)
    local sent_now = 0
    for _, seen in ipairs(sandbox:requests "sync") do
      sent_now = sent_now + (seen.account == "26" and 1 or 0)
    end
    assert.equal(2, sent_now)
  end)
end)
