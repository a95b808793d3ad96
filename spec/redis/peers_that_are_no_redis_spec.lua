-- Servers that answer garbage, a half, a byte at a time, too much or nothing. The client of these is inside cqueues.
local core = require "scope3.core"
local cqueues = require "cqueues"
local peers = require "spec.support.redis_peer"
local redis = require "scope3.redis"

local function open(url, options)
  local all = { url = url, call_seconds = 30 }
  for key, value in pairs(options or {}) do
    all[key] = value
  end
  return redis.open(all)
end

-- One call to a server that does `step` for it. A limit of time stands only where it is to be reached.
local function call(step, options)
  local reply, err
  peers.run(peers.greeted(step), function(url)
    local connection = assert(open(url))
    connection.seconds = options and options.call_seconds or connection.seconds
    reply, err = connection:call("GET", "a")
    if err then
      assert.is_false(connection:is_open())
    end
    connection:close()
  end)
  return reply, err
end

describe("a peer that is no Redis", function()
  it("that speaks HTTP is named, and nothing of it is shown", function()
    peers.run(function(peer)
      peer:read "*L"
      peer:write "HTTP/1.1 400 secret9\r\n\r\n"
    end, function(url)
      local connection, err = open(url)
      assert.is_nil(connection)
      assert.same({ "redis", "BAD_REPLY" }, { err.kind, err.code })
      assert.is_nil((tostring(err):find("secret9", 1, true)))
    end)
  end)

  it("that closes at once, or resets, ends the opening", function()
    peers.run(function(peer, nth)
      if nth > 1 then
        peer:read(4)
      end
    end, function(url)
      for _ = 1, 3 do
        local connection, err = open(url)
        assert.is_nil(connection)
        assert.equal("network", err.kind)
        assert.truthy(err.message:find("rediss://", 1, true), err.message)
        assert.is_nil(err.uncertain)
      end
    end)
  end)

  it("that answers half and closes leaves the call uncertain", function()
    local reply, err = call(function(peer)
      peer:write "$10\r\nabc"
      return false
    end)
    assert.is_nil(reply)
    assert.same({ "network", "CLOSED", true }, { err.kind, err.code, err.uncertain })
  end)

  it("that answers half and stands still is left when the time is over", function()
    local reply, err = call(function(peer)
      peer:write "$10\r\nabc"
      return peers.silence(peer)
    end, { call_seconds = 0.2 })
    assert.is_nil(reply)
    assert.same({ "timeout", true }, { err.kind, err.uncertain })
  end)

  it("that never ends its answer is left when the time is over, too", function()
    local reply, err = call(function(peer)
      peer:write "$1000000\r\n"
      while peer:write "x" do
        cqueues.sleep(0.005)
      end
      return false
    end, { call_seconds = 0.2 })
    assert.is_nil(reply)
    assert.equal("timeout", err.kind)
  end)

  it("that sends a byte at a time is understood", function()
    local text = ("x"):rep(300)
    local reply = call(function(peer)
      local wire = ("*3\r\n$%d\r\n%s\r\n:5\r\n*1\r\n+OK\r\n"):format(#text, text)
      for i = 1, #wire do
        peer:write(wire:sub(i, i))
        cqueues.sleep(0)
      end
    end)
    assert.same({ text, 5, { "OK" } }, reply)
  end)

  it("that announces more than there is memory for is refused at once", function()
    for _, wire in ipairs { "$999999999\r\n", "*99999999\r\n", ("*1\r\n"):rep(100) } do
      local reply, err = call(function(peer)
        peer:write(wire)
        return peers.silence(peer)
      end)
      assert.is_nil(reply)
      assert.same({ "redis", "BAD_REPLY" }, { err.kind, err.code })
    end
  end)

  it("that sends more than it was asked for gives its answer, and nothing after it", function()
    peers.run(peers.greeted(function(peer)
      peer:write "$1\r\na\r\n$1\r\nb\r\n"
    end), function(url)
      local connection = assert(open(url))
      assert.equal("a", connection:call("GET", "a"))
      if connection:is_open() then -- what was too much may come later
        local reply = connection:call("GET", "b")
        assert.is_true(reply == nil or reply == "b")
      else
        local reply, err = connection:call("GET", "b")
        assert.is_nil(reply)
        assert.equal("CLOSED", err.code)
      end
      connection:close()
    end)
  end)

  it("that reads nothing is left when the time is over, with what did not leave", function()
    local err, done
    peers.run(function(peer)
      if peers.command(peer) then
        peer:write "+OK\r\n"
        while not done do
          cqueues.sleep(0.01)
        end
      end
    end, function(url)
      local connection = assert(open(url))
      connection.seconds = 0.2
      err = select(2, connection:call("SET", "a", ("x"):rep(32 * 1024 * 1024)))
      done = true
      connection:close()
    end)
    assert.same({ "timeout", true }, { err.kind, err.uncertain })
  end)

  it("that answers what it has not read is asked for nothing more", function()
    local reply, next_reply, err, done
    peers.run(function(peer)
      if peers.command(peer) then
        peer:write "+OK\r\n"
        peer:read(5)
        peer:write "+OK\r\n"
        while not done do
          cqueues.sleep(0.01)
        end
      end
    end, function(url)
      local connection = assert(open(url))
      reply = connection:call("SET", "a", ("x"):rep(32 * 1024 * 1024))
      next_reply, err = connection:call "PING"
      done = true
      assert.is_false(connection:is_open())
      connection:close()
    end)
    assert.equal("OK", reply)
    assert.is_nil(next_reply)
    assert.same({ "network", "CLOSED" }, { err.kind, err.code })
  end)

  it("that says why it closes is heard", function()
    peers.run(function(peer)
      peer:write "-ERR max number of clients reached\r\n"
    end, function(url)
      local connection, err = open(url)
      assert.is_nil(connection)
      -- A reset may have taken the text along.
      assert.is_true(err.code == "MAX_CLIENTS" or err.kind == "network", err.message)
    end)
  end)

  it("keeps nobody else from running, and one call at a time uses a connection", function()
    local others, ticks, done = {}, 0, false
    peers.run(peers.greeted(function(peer)
      cqueues.sleep(0.2)
      peer:write ":1\r\n"
    end), function(url, queue)
      local connection = assert(open(url))
      queue:wrap(function()
        while not done do
          cqueues.sleep(0.005)
          ticks = ticks + 1
        end
      end)
      queue:wrap(function()
        others.reply, others.err = connection:call("GET", "b")
      end)
      assert.equal(1, connection:call("GET", "a"))
      assert.equal(1, connection:call("GET", "c"))
      done = true
      connection:close()
    end)
    assert.is_nil(others.reply)
    assert.same({ "network", "BUSY_CONNECTION", true }, { others.err.kind, others.err.code, others.err.retryable })
    assert.is_true(ticks >= 5, ticks .. " ticks")
  end)

  it("that was left by a caller which a host has dropped is left for good", function()
    peers.run(peers.greeted(function(peer)
      peer:write ":1\r\n"
    end), function(url)
      local connection = assert(open(url))
      connection.busy_until = core.now() - 3600 -- as a coroutine leaves it that never runs again
      local reply, err = connection:call("GET", "a")
      assert.is_nil(reply)
      assert.equal("cancelled", err.kind)
      assert.is_false(connection:is_open())
    end)
  end)

  it("that answers in a moment wakes its caller at once, many beside each other", function()
    local done, began = 0, core.now()
    peers.run(peers.greeted(function(peer)
      cqueues.sleep(0.01)
      peer:write "+OK\r\n"
    end), function(url, queue)
      local tasks = 20
      for _ = 1, tasks do
        queue:wrap(function()
          local connection = assert(open(url))
          for _ = 1, 10 do
            assert.equal("OK", connection:call("PING"))
          end
          connection:close()
          done = done + 1
        end)
      end
      while done < tasks do
        cqueues.sleep(0.01)
        assert(core.now() < began + 60, "not all were answered")
      end
    end)
    assert.equal(20, done)
  end)
end)
