-- A client in fibers of a real Tarantool: they wait while others run. A fiber that is cancelled gets an error, and so
-- does a call in a transaction, which a wait would roll back.
if not rawget(_G, "jit") then
  return -- the specs run on another Lua
end
local hosts = require "spec.support.hosts"
local world = require "spec.support.world"

local lacks = hosts.lacks "tarantool"

-- It answers each connection with "pong".
local PING = [[
  local fiber = require "fiber"
  require("socket").tcp_server("127.0.0.1", @PORT@, function(peer)
    peer:write "pong"
  end)
]]

local function start(url, text)
  local host = hosts.new(url)
  local port = host:serve("tarantool %s", "host.lua", host:lua(PING .. text))
  return host, function()
    return hosts.exchange(port, nil, function(peer) return peer:read(4) == "pong" end)
  end
end

describe("in a real Tarantool a client", lacks and function()
  pending(lacks)
end or function()
  after_each(hosts.close_all)

  describe("of a service that takes its time", function()
    local service = hosts.withholding(setup, teardown)

    it("lets others be served while it waits, under strict mode, and gives errors back", function()
      service:withhold()
      local host, ping = start(service.url, [[
        require("strict").on()
        fiber.create(function()
          sync(client_of {}, "held")
          health("error", client_of { base_url = "http://127.0.0.1:1" })
        end)
      ]])
      hosts.serves_meanwhile(host, service, ping)
      host:says "error nil network"
    end)

    it("is told that its fiber was cancelled, and by then nothing is sent any more", function()
      service:withhold()
      local host = start(service.url, [[
        local waits = fiber.create(function()
          local client = client_of {}
          sync(client, "first")
          sync(client, "second")
          say("wait", select(2, client:wait("t1", { timeout = 60 })).kind)
        end)
        fiber.create(function()
          while true do
            fiber.sleep(0.01)
            if io.open "cancel" then
              return waits:cancel()
            end
          end
        end)
      ]])
      hosts.until_true(function()
        return #service:requests "/sync" == 1
      end, "the request arrives")
      host:write("cancel", "")
      host:says("first nil cancelled", "second nil cannot_wait", "wait cannot_wait")
      service.release()
      assert.equal(1, #service:requests "/sync")
    end)
  end)

  describe("of a sandbox", function()
    local sandbox = world.around(setup, teardown, before_each)

    it("sends what the script of the page holds", function()
      sandbox:configure { task_seconds = 0 }
      local host = hosts.new(sandbox.url)
      host:serve("tarantool %s", "host.lua", host:recipe "Tarantool")
      host:sends_as_the_page_says(sandbox)
    end)

    it("gets each of many answers to the one who asked, also in a coroutine of its fiber", function()
      sandbox:configure { task_seconds = 0 }
      local host = start(sandbox.url, [[
        local client = client_of {}
        for i = 1, 60 do
          fiber.create(i % 2 == 0 and sync or coroutine.wrap(sync), client, "many" .. i)
        end
      ]])
      host:says_of_many(60)
      assert.equal(60, #sandbox:requests "sync")
    end)

    it("waits for tasks, and lets others run between the slices of a file", function()
      local host, ping = start(sandbox.url, [[
        local client, ticks, done = client_of {}, 0, false
        fiber.create(function()
          local result = send_rows(client, "f", 30000)
          done = true
          say("waited", result:wait { timeout = 600 })
          say("ticks", ticks > 20)
        end)
        fiber.create(function()
          repeat
            fiber.sleep(0)
            ticks = ticks + 1
          until done
        end)
      ]])
      host:says("f 30000 nil", "ticks true")
      host:answers(ping)
      assert.equal(30000, #sandbox:ids "f")
    end)

    it("is told that its fiber was cancelled between two looks at a task", function()
      sandbox:configure { task_seconds = 3600 }
      local host = start(sandbox.url, [[
        fiber.create(function()
          local client = client_of {}
          local audience = assert(scope3.audience { id = "a" })
          assert(audience:add { external_id = "1", email = "a@example.com" })
          local _, err = assert(client:sync(audience)):wait { timeout = 3600, on_event = function(event)
            if event.event == "task" then
              fiber.create(function(waiter)
                fiber.sleep(0.05) -- it pauses by now
                waiter:cancel()
              end, fiber.self())
            end
          end }
          say("waited", err.kind)
        end)
      ]])
      host:says "waited cancelled"
    end)

    it("sends nothing in a transaction, which it would roll back", function()
      local host = start(sandbox.url, [[
        box.cfg { wal_mode = "none", log_level = 2 }
        box.schema.space.create("rows"):create_index "by_id"
        local client = client_of {}
        sync(client, "before")
        box.begin()
        box.space.rows:insert { 1 }
        sync(client, "within")
        box.commit()
        say("rows", box.space.rows:count())
        sync(client, "after")
      ]])
      host:says("before 1 nil", "within nil cannot_wait", "rows 1", "after 1 nil")
      assert.equal(2, #sandbox:requests "sync")
    end)
  end)
end)
