-- The bodies that the engine sends: exactly once, from bytes that nobody can change or free meanwhile.
local core = require "scope3.core"
local engines = require "spec.support.engines"
local world = require "spec.support.world"

local new_engine, sync_url, transfer, KEY = engines.new, engines.sync_url, engines.transfer, engines.KEY

describe("the engine", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("sends a body of many pieces exactly, straight from payloads", function()
    local engine = new_engine()
    local builder = core.builder { max_member = 1000000 }
    local payload = core.payload { max_members = 100000, max_bytes = 2 ^ 24 }
    local want = {}
    for i = 1, 20000 do
      local id = ("id \"%d\" \\ é €"):format(i)
      assert.is_true(builder:add(payload,
        { external_id = id, email = "a@b.example", uids = { { type = "t\"", value = "v\\w" } } }))
      want[id] = i % 2 == 0 or nil
      if i % 2 == 1 then
        assert.is_true(builder:add(payload, { external_id = id }, true))
      end
    end
    local result = transfer(engine, {
      method = "POST", url = sync_url(sandbox), timeout = 60, headers = { KEY, "Content-Type: application/json" },
      body = { '{"audiences":[{"audienceId":"x","add":[', { payload, "add", 1, payload:count() }, '],"remove":[',
        { payload, "remove", 1, payload:count() }, "]}]}" },
    })
    assert.equal(202, result.status, result.body)
    assert.is_true(result.body_sent and result.uploaded > 1000000)
    local log = sandbox:requests("sync")
    assert.equal(1, #log)
    assert.same({ 10000, 10000 }, { log[1].audiences[1].add, log[1].audiences[1].remove })
    assert.equal(world.json.null, log[1].expect)
    engine:close()
    local members
    local deadline = core.now() + 30
    repeat
      members = sandbox:members("x")
    until next(members) or core.now() > deadline
    local n = 0
    for id, member in pairs(members) do
      n = n + 1
      assert.is_true(want[id])
      assert.same({ { type = "t\"", value = "v\\w" } }, member.uids)
    end
    assert.equal(10000, n)
  end)

  it("refuses changes of a payload while it is being sent, and frees it afterwards", function()
    local engine = new_engine()
    local builder = core.builder { max_member = 1000 }
    local payload = core.payload { max_members = 10, max_bytes = 1000 }
    builder:add(payload, { external_id = "1", email = "a@b.example" })
    sandbox:fault { on = "sync", act = "hang" }
    local id = engine:submit {
      method = "POST", url = sync_url(sandbox), body = { { payload, "add", 1, 1 } }, timeout = 60,
    }
    assert.has_error(function()
      payload:reset()
    end, "attempt to change a payload while a request reads it")
    assert.is_true(engine:cancel(id))
    assert.is_false(engine:cancel(id))
    payload:reset()
    engine:close()
  end)

  it("reads a body from pieces of its own, whatever becomes of the caller's", function()
    local engine = new_engine()
    local builder = core.builder { max_member = 1000 }
    local piece = { core.payload { max_members = 10000, max_bytes = 2 ^ 22 }, "add", 1, 10000 }
    for i = 1, 10000 do
      builder:add(piece[1], { external_id = tostring(i), email = "a@b.example" })
    end
    local body = { '{"audiences":[{"audienceId":"x","add":[', piece, "]}]}" }
    assert(engine:submit { method = "POST", url = sync_url(sandbox), timeout = 60, headers = { KEY }, body = body })
    piece[1], piece[4], body[2], body[3] = io.stdout, 1, nil, nil
    collectgarbage()
    collectgarbage()
    assert.equal(202, world.next_result(engine).status)
    assert.equal(10000, sandbox:requests("sync")[1].audiences[1].add)
    engine:close()
  end)

  it("knows a body as sent when its last pieces are empty, or it is empty altogether", function()
    for _, body in ipairs { "", {}, { "" }, { ("x"):rep(2 ^ 19), "" }, { "", ("x"):rep(2 ^ 19), "", "" } } do
      local engine = new_engine()
      sandbox:fault { on = "sync", act = "cut_after" }
      local result = transfer(engine, { method = "POST", url = sync_url(sandbox), body = body, headers = { KEY },
        timeout = 30 })
      assert.is_string(result.code)
      assert.is_true(result.body_sent)
      engine:close()
    end
  end)

  it("never sends a request without a body again either, unless it only reads", function()
    local engine = new_engine()
    sandbox:fault { on = "sync", act = "die_on_reuse", times = -1 }
    for _, request in ipairs { { body = "" }, { body = "" }, { method = "DELETE" }, { method = "DELETE" } } do
      assert.is_number(transfer(engine, { method = request.method or "POST", url = sync_url(sandbox), timeout = 30,
        body = request.body, headers = { KEY } }).status)
    end
    assert.equal(4, #sandbox:requests())
    engine:close()
  end)

  it("keeps the bytes of a payload that is closed while they are being sent", function()
    local engine = new_engine()
    local builder = core.builder { max_member = 2 ^ 20 }
    local payload = core.payload { max_members = 100000, max_bytes = 2 ^ 24 }
    for i = 1, 50000 do
      builder:add(payload, { external_id = i, email = "a@b.example" })
    end
    assert(engine:submit { method = "POST", url = sync_url(sandbox), headers = { KEY }, timeout = 60,
      body = { '{"audiences":[{"audienceId":"x","add":[', { payload, "add", 1, payload:count() }, "]}]}" } })
    payload:close()
    assert.has_error(function()
      payload:count()
    end, "attempt to use a closed payload")
    payload = nil -- luacheck: ignore
    collectgarbage()
    assert.equal(202, world.next_result(engine).status)
    engine:close()
  end)

  it("never sends a request again by itself when a kept connection dies", function()
    local engine = new_engine()
    -- A small body leaves with the request's head, a large one after it: libcurl would repeat them in different ways.
    for _, spaces in ipairs { 0, 2 ^ 17 } do
      sandbox:reset()
      local request = { method = "POST", url = sync_url(sandbox), headers = { KEY }, timeout = 30,
        body = '{"audiences":[{"audienceId":"a","add":[{"externalId":"1","hashedEmail":"' .. ("ab"):rep(32) .. '"}]}]}'
          .. (" "):rep(spaces) }
      sandbox:fault { on = "sync", act = "die_on_reuse" }
      assert.equal(202, transfer(engine, request).status)
      local result = transfer(engine, request)
      assert.is_string(result.code)
      assert.is_nil(result.status)
      assert.is_true(result.body_sent)
      local log = sandbox:requests("sync")
      assert.equal(2, #log)
      assert.equal("die_on_reuse", log[2].fault)
      assert.is_true(log[2].body_complete)
      assert.equal(202, transfer(engine, request).status) -- on a new connection
      assert.equal(3, #sandbox:requests("sync"))
    end
    engine:close()
  end)
end)
