-- Every loop and every wait ends, whatever the service sends, and each limit of time covers the whole call.
local answering = require "spec.support.answering"
local broken = require "spec.support.broken"
local core = require "scope3.core"
local cqueues = require "cqueues"
local scope3 = require "scope3"
local ports = require "spec.support.ports"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local function audience(members)
  local made = assert(scope3.audience { id = "a" })
  for i = 1, members do
    assert(made:add { external_id = "m" .. i, email = ("m%d@example.com"):format(i) })
  end
  return made
end

-- What a job comes to whose service does `behave(peer)` once the head of a request is read.
local function against(behave, opts)
  local ok, err, seconds
  broken.run(function(queue)
    local listener, port = ports.listen()
    local open = true
    queue:wrap(function()
      while open do
        local peer = listener:accept(0.2)
        if peer then
          queue:wrap(function()
            peer:onerror(function(_, _, code) return code end)
            peer:setmode("bn", "bn")
            peer:settimeout(5)
            repeat
              local line = peer:read "*L"
            until not line or line == "\r\n"
            behave(peer, function() return open end)
            peer:close()
          end)
        end
      end
      listener:close()
    end)
    local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25", rate = 100000,
      base_url = "http://127.0.0.1:" .. port })
    local started = core.now()
    ok, err = client:sync(audience(2), opts)
    seconds = core.now() - started
    open = false
  end)
  assert.is_nil(ok)
  world.assert_sums(err.result)
  return err, seconds
end

describe("a service that never ends what it says", function()
  teardown(world.clean)

  it("is cut off at so many bytes of headers, be they of one reply or of interim ones", function()
    for what, text in pairs { headers = ("X-Filler: %s\r\n"):format(("x"):rep(1000)),
      interim = "HTTP/1.1 100 Continue\r\nX-Filler: " .. ("x"):rep(1000) .. "\r\n\r\n",
      bare = "HTTP/1.1 100 Continue\r\n\r\n" } do
      local sent = 0
      local err, seconds = against(function(peer, is_open)
        if what == "headers" then
          peer:write "HTTP/1.1 202 Accepted\r\n"
        end
        local many = text:rep(math.ceil(8000 / #text))
        while is_open() and sent < 64 * 2 ^ 20 and peer:write(many) do
          sent = sent + #many
        end
      end, { timeout = 30 })
      assert.is_true(seconds < 20, what .. " took " .. seconds)
      assert.is_true(sent < 16 * 2 ^ 20, what .. " took bytes: " .. sent)
      assert.is_true(err.kind == "http" or err.kind == "network", tostring(err))
    end
  end)

  it("is cut off by the time of a request where it trickles", function()
    for _, begun in ipairs { "", "HTTP/1.1 202 Accepted\r\nContent-Length: 100000\r\n\r\n{",
      "HTTP/1.1 202 Accepted\r\nX-A: " } do
      local err, seconds = against(function(peer, is_open)
        peer:write(begun)
        while is_open() and peer:write " " do
          cqueues.sleep(0.05)
        end
      end, { timeout = 0.5, deadline = 4 })
      assert.is_true(seconds < 60, seconds)
      -- which takes blanks for HTTP/0.9
      assert.truthy(err.kind == "timeout" or begun == "" and err.kind == "network", tostring(err))
      assert.equal(2, err.result.unknown)
    end
  end)
end)

describe("a list without an end", function()
  local server = answering.around(setup, teardown)

  local LISTS = {
    ["that ignores skip"] =
      [[return function() return 200, '{"audiences":[{"audienceId":"x1"},{"audienceId":"x2"}]}' end]],
    ["that ignores skip and has a total"] =
      [[return function() return 200, '{"audiences":[{"audienceId":"x1"}],"total":1000000}' end]],
    ["that goes round"] =
      [[local n = 0
        return function()
          n = n % 3 + 1
          return 200, '{"audiences":[{"audienceId":"x' .. n .. '"}],"hasMore":true}'
        end]],
    ["of rows without an id"] = [[return function() return 200, '{"audiences":[{"name":"x"},{"name":"y"}]}' end]],
  }

  it("ends for everybody who reads it", function()
    for what, list in pairs(LISTS) do
      local client = server:client()
      local function fresh()
        server:answer(([[
          local json = ...
          local list = (function() %s end)()
          return function(request)
            if request.method == "POST" then return 202, '{"success":true,"taskId":"t1"}' end
            if request.path:find "/tasks/" then return 200, '{"task":{"taskId":"t1","status":"completed"}}' end
            return list(request)
          end -- %s %f]]):format(list, what, core.now()))
      end
      fresh()
      local n = 0
      local ended, problem = pcall(function()
        for _ in client:audiences() do
          n = n + 1
          assert(n < 1000, what)
        end
      end)
      assert.truthy(ended or problem.code == "BAD_REPLY", tostring(problem))
      fresh()
      local row, err = client:audience "missing"
      assert.is_nil(row)
      assert.truthy(err.kind == "not_found" or err.code == "BAD_REPLY", tostring(err))
      fresh()
      local _, why = client:sync(audience(1), { delete_missing = { "nothing" } })
      assert.truthy(why.code == "unnamed_audiences" or why.code == "BAD_REPLY", tostring(why))
      fresh()
      _, why = client:wait("t1", { audience = "missing", timeout = 30 })
      assert.truthy(why.kind == "timeout" or why.code == "BAD_REPLY", tostring(why))
      assert.is_true(#server:requests "/audiences%?" < 1500)
      fresh()
      local code = world.command({ "audiences", "--base-url", server.url, "--rate", "100000" },
        { env = "SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25" })
      assert.is_true(code == 0 or code == 1)
    end
  end)

  if world.thorough then
    it("of rows that are always new ends with an error that says so", function()
      server:answer [[local n = 0
        return function() n = n + 1 return 200, '{"audiences":[{"audienceId":"x' .. n .. '"}]}' end]]
      local n = 0
      local ended, err = pcall(function()
        for _ in server:client():audiences { page = 1 } do
          n = n + 1
        end
      end)
      assert.is_false(ended)
      assert.truthy(err.message:find("does not end", 1, true), err.message)
      assert.is_true(n > 1000 and n <= 10001, n)
    end)
  end
end)

describe("a limit of time", function()
  local server = answering.around(setup, teardown)

  local WORKING = '{"task":{"taskId":"$ID","status":"working"}}'
  local OTHERS = '{"audiences":[{"audienceId":"a","status":"READY"},{"audienceId":"old","status":"READY"}],"total":2}'

  it("of a wait holds for the deletion before it, on the command line too", function()
    server:play { task = { WORKING }, audiences = { OTHERS } }
    local csv = world.file "id,mail\n1,a@example.com\n"
    local started = core.now()
    local code, _, complaint = world.command({ "sync", csv, "--audience", "a", "--base-url", server.url, "--map",
      "external_id=id", "--map", "email=mail",
      "--wait=1", "--delete-missing", "all" }, { env = "SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25" })
    assert.equal(1, code)
    assert.is_true(core.now() - started < 60) -- of the two days that it would wait
    assert.truthy(complaint:find("last seen as working (so nothing was deleted)", 1, true), complaint)
    assert.equal(1, #server:requests "/sync$")

    local loop = virtual.loop()
    local ok, err = server:client({ loop = loop }):sync(audience(2), { delete_missing = "all", delete_timeout = 30 })
    assert.same({ nil, "timeout" }, { ok, err.kind })
    assert.is_true(loop.elapsed() >= 30 and loop.elapsed() < 90, loop.elapsed())
    assert.equal(2, err.result.accepted)
    assert.has_error(function()
      server:client():sync(audience(2), { delete_timeout = 30 })
    end, "client:sync: delete_timeout has no effect without delete_missing")
  end)

  it("ends the tasks of an epoch and of a deletion that never end, after two days", function()
    server:play { task = { (WORKING:gsub("}}", ',"retryAfterSeconds":3600}}')) }, audiences = { OTHERS } }
    local csv = world.file "id,mail\n1,a@b.co\n2,c@d.co\n1,e@f.co\n"
    for what, job in pairs {
      epoch = function(client) return client:run({ map = { external_id = "id", email = "mail" }, audience = "a",
        unique = true }, csv, { max_members = 1 }) end,
      deletion = function(client) return client:sync(audience(1), { delete_missing = "all" }) end,
    } do
      local loop = virtual.loop()
      local ok, err = job(server:client { loop = loop })
      assert.same({ nil, "timeout" }, { ok, err.kind }, what)
      assert.is_true(loop.elapsed() >= 48 * 3600 and loop.elapsed() < 48 * 3600 + 10, what)
      world.assert_sums(err.result)
    end
  end)

  it("is in seconds from now, also that of a listing", function()
    server:answer "return function() return 503, '' end"
    local loop = virtual.loop()
    local client = server:client { loop = loop }
    for _, seconds in ipairs { 0, 0.2 } do
      local listed, late = pcall(client:audiences(nil, { deadline = seconds }))
      assert.same({ false, "timeout" }, { listed, late.kind })
      local row, err = client:audience("a", { deadline = seconds })
      assert.same({ nil, "timeout" }, { row, err.kind })
    end
    server:play {}
    assert.equal("a", client:audiences(nil, { deadline = 10 })().audience_id)
    assert.equal("a", assert(client:audience("a", { deadline = 10 })).audience_id)
    for _, wrong in ipairs { { deadline = -1 }, { deadline = "10" }, { grace = 1 }, { pace = {} } } do
      assert.is_false(pcall(client.audience, client, "a", wrong))
      assert.is_false(pcall(client.audiences, client, nil, wrong))
    end
  end)

  it("lies between a second and an hour where a service says when to ask for a task again", function()
    for said, least in pairs { ["0"] = 20, ["0.001"] = 20, ["1e9"] = 1, ["3600"] = 1 } do
      local replies = {}
      for i = 1, 20 do
        replies[i] = ('{"task":{"taskId":"$ID","status":"working","retryAfterSeconds":%s}}'):format(said)
      end
      replies[21] = '{"task":{"taskId":"$ID","status":"completed"}}'
      server:play { task = replies }
      local loop = virtual.loop()
      assert(server:client({ loop = loop }):wait("t1", { timeout = 48 * 3600 }))
      assert.is_true(loop.elapsed() >= least * 1 and loop.elapsed() <= 20 * 3600 + 10, said .. ": " .. loop.elapsed())
    end
  end)
end)
