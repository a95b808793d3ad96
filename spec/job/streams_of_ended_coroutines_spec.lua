-- A stream whose coroutine was ended by its host while it waited inside, and one whose preparation fails.
local answering = require "spec.support.answering"
local core = require "scope3.core"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local close = rawget(coroutine, "close") -- since Lua 5.4

describe("a stream", function()
  local server = answering.around(setup, teardown)

  local on_lua_with_close = close and it or function() end

  on_lua_with_close("can be used again when the coroutine that was inside it was closed", function()
    server:play {}
    local yields, deadline = false, core.now() + 30
    local loop = virtual.loop()
    local wait = loop.wait
    function loop.wait(...)
      if yields then
        coroutine.yield()
      end
      assert(core.now() < deadline, "it waits for what nobody does")
      return wait(...)
    end
    local stream = assert(server:client({ loop = loop }):stream("a", { max_members = 1, concurrency = 1 }))
    yields = true
    local thread = coroutine.create(function()
      for i = 1, 100 do
        assert(stream:add { external_id = tostring(i), email = "a@example.com" })
      end
    end)
    assert(coroutine.resume(thread))
    assert.equal("suspended", coroutine.status(thread))
    assert.has_error(function()
      stream:add { external_id = "x", email = "a@example.com" }
    end, "attempt to use a stream that another coroutine is using")
    close(thread)
    yields = false
    assert.is_true((stream:add { external_id = "y", email = "a@example.com" }))
    local res = assert(stream:finish())
    world.assert_sums(res)
    assert.equal(res.members, res.accepted)
  end)

  on_lua_with_close("fills its requests as before when the coroutine that made room was closed", function()
    server:play {}
    local yields, loop = false, virtual.loop()
    local wait = loop.wait
    function loop.wait(...)
      if yields then
        coroutine.yield()
      end
      return wait(...)
    end
    local stream = assert(server:client({ loop = loop }):stream("a", { max_members = 2, concurrency = 1 }))
    yields = true
    local added = 0
    local thread = coroutine.create(function()
      for i = 1, 100 do
        added = i
        assert(stream:add { external_id = tostring(i), email = "a@example.com" })
      end
    end)
    assert(coroutine.resume(thread))
    close(thread)
    yields = false
    for i = 1, 20 do
      assert(stream:add { external_id = "more" .. i, email = "a@example.com" })
    end
    local res = assert(stream:finish())
    world.assert_sums(res)
    local requests = #server:requests "/sync"
    assert.is_true(requests <= (added + 20) / 2 + 2, requests .. " requests of " .. added + 20)
  end)

  it("that was cancelled has ended", function()
    local stream = assert(server:client():stream("a", { dry_run = true }))
    local _, err = stream:cancel()
    assert.equal("cancelled", err.kind)
    for _, name in ipairs { "add", "remove", "finish", "cancel" } do
      assert.has_error(function()
        stream[name](stream, { external_id = "1" })
      end, "attempt to use a stream that has ended")
    end
  end)

  it("counts its members in the message of one that is rejected", function()
    local stream = assert(server:client():stream("a", { dry_run = true }))
    assert(stream:add { external_id = "1", email = "a@example.com" })
    assert(stream:remove { external_id = "2" })
    local _, err = stream:add { external_id = "3" }
    assert.truthy(err.message:find("member 3 was rejected", 1, true), err.message)
    _, err = stream:add { external_id = "4" }
    assert.truthy(err.message:find("member 4 was rejected", 1, true), err.message)
    stream:cancel()
  end)

  on_lua_with_close("does not know what became of a request whose waiter a loop has given up", function()
    server:play {}
    local yields, loop, waiter = false, virtual.loop(), nil
    local wait = loop.wait
    function loop.wait(engine, seconds, given)
      if yields then
        waiter = given
        coroutine.yield()
      end
      return wait(engine, seconds, given)
    end
    local stream = assert(server:client({ loop = loop }):stream("a", { max_members = 1, concurrency = 1 }))
    yields = true
    local thread = coroutine.create(function()
      for i = 1, 100 do
        assert(stream:add { external_id = tostring(i), email = "a@example.com" })
      end
    end)
    assert(coroutine.resume(thread))
    close(thread)
    yields = false
    waiter:abandon() -- as a loop does that will never run it again
    local _, err = stream:finish()
    assert.same({ "cancelled", true, 1 }, { err.kind, err.uncertain, err.result.unknown })
    world.assert_sums(err.result)
  end)

  it("that deletes what is missing is not begun where the account cannot be listed", function()
    server:play { audiences = { { 403, '{"error":{"code":"FORBIDDEN","message":"no"}}' } } }
    local stream, err = server:client():stream("a", { delete_missing = "all" })
    assert.is_nil(stream)
    assert.equal(403, err.status)
    assert.same({}, server:requests "/sync")
  end)
end)
