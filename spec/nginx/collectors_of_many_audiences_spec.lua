-- One collector for many audiences: they share requests, and their members keep their audience in files.
-- A failure of one audience does not affect the others.
if not require("spec.support.nginx").here() then
  return
end

local collecting = require "spec.support.collecting"
local core = require "scope3.core"
local nginx = require "spec.support.nginx"
local spooled = require "spec.support.spooled"
local world = require "spec.support.world"

local json = world.json

local INIT = [[
  function make(options)
    local all = { account_id = "25", api_key = "scope3_test_key", base_url = BASE, rate = 100000, shared = "scope3", flush_seconds = 3600 }
    for key, value in pairs(options or {}) do
      all[key] = value
    end
    return require("scope3.nginx").collector(all)
  end
  function member(id)
    return { external_id = id, email = id .. "@example.com" }
  end
]]

local LOCATIONS = [[
    location = /run { content_by_lua_block {
      ngx.req.read_body()
      ngx.print(tostring((assert(loadstring(ngx.req.get_body_data()))())))
    } }
]]

describe("a collector of several audiences", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local server

  local function stop()
    if server then
      server:close "TERM"
      server = nil
    end
  end
  after_each(stop)
  local folder = collecting.folder(before_each, after_each, stop)

  -- What else is given are words of the trouble that nginx's log is meant to have.
  local function start(options, ...)
    server = nginx.start {
      workers = 1,
      http = ("lua_shared_dict scope3 2m;\ninit_by_lua_block {\nBASE = '%s'\nSPOOL = '%s'\n%s\n"
        .. "c = make { %s }\n}\ninit_worker_by_lua_block { c:start() }\nexit_worker_by_lua_block "
        .. "{ require('scope3.nginx').exit() }\n"
        .. "server {\nlisten 127.0.0.1:PORT;\nlocation = /ping { return 200 'pong'; }\n%s\n}\n"):format(sandbox.url,
          folder.path, INIT,
        options or "", LOCATIONS),
    }
    server:expect(...)
  end

  local function run(code)
    local reply = world.http("POST", server.url .. "/run", code, { timeout = 60 })
    assert(reply.status == 200, tostring(reply.status) .. " " .. tostring(reply.body) .. server:log():sub(-2000))
    return reply.body
  end

  local function status()
    return json.decode(run "return require('cjson').encode(c:status())")
  end

  local function away(yes)
    sandbox:configure {
      faults = json.array { yes and { on = "sync", act = "status", status = 401, times = -1 } or nil },
    }
  end

  local function ids(audience)
    local ok, list = pcall(sandbox.ids, sandbox, audience)
    return ok and table.concat(list, " ") or nil
  end

  local function until_ids(want, audience)
    nginx.until_true("members of " .. audience, function()
      return ids(audience) == want
    end)
  end

  -- Kills the worker alone or, for good, all.
  local function kill()
    local pid = server:workers()[1]
    server:signal("KILL", pid)
    nginx.until_true("another worker", function()
      local now = server:workers()[1]
      return now and now ~= pid
    end)
  end

  it("sends fifty of them in one request, each with its own members and name", function()
    start()
    assert.equal("true", run [[
      for i = 1, 500 do
        local n = i % 50
        assert(c:add(member("v" .. i), { audience = n == 0 and { id = "a0", name = "Nought", consent_basis = "consent" } or "a" .. n }))
      end
      return c:flush()
    ]])
    local requests = sandbox:requests "sync"
    assert.equal(1, #requests)
    assert.equal(50, #requests[1].audiences)
    for n = 0, 49 do
      local list = sandbox:ids("a" .. n)
      assert.equal(10, #list)
      for _, id in ipairs(list) do
        assert.equal(n, tonumber(id:match "%d+") % 50)
      end
    end
    local head = world.json.encode(requests[1].audiences)
    assert.truthy(head:find("Nought", 1, true) or head:find("a0", 1, true))
    assert.same({ 500, 0, 0 }, { status().accepted, status().held, status().audiences })
  end)

  it("has an audience of its own where it was given one, and takes others beside it", function()
    start "audience = 'visitors',"
    run [[
      c:add(member "a")
      c:add(member "b", { audience = "others" })
      c:add(member "c", { audience = { id = "visitors", name = "Visitors" } })
      c:remove({ external_id = "a" }, { audience = "visitors" })
      c:add(member "a", { audience = "others" })
      c:flush()
    ]]
    assert.same({ "c", "a b" }, { ids "visitors", ids "others" })
    assert.equal(1, #sandbox:requests "sync")
  end)

  it("keeps the audience, the operation and the order of members over kill -9", function()
    start("spool = SPOOL,", "the service answered 401")
    run [[
      for _, audience in ipairs { "x", "y" } do
        for _, id in ipairs { "a", "b", "c" } do
          c:add(member(id), { audience = audience })
        end
      end
      c:flush()
    ]]
    away(true)
    run [[
      c:remove({ external_id = "a" }, { audience = "x" })
      c:remove({ external_id = "a" }, { audience = { id = "y", name = "Ypsilon", consent_basis = "consent" } })
      c:add(member "a", { audience = "y" })
      c:add(member "d", { audience = "z" })
      c:remove({ external_id = "c" }, { audience = "x" })
    ]]
    kill()
    run [[
      c:add(member "c", { audience = "x" })
      c:remove({ external_id = "b" }, { audience = "y" })
    ]]
    kill()
    away(false)
    run "c:flush()"
    until_ids("b c", "x")
    until_ids("a c", "y")
    until_ids("d", "z")
    assert.equal(0, status().all.lost)
  end)

  it("ends with the last operation on each id of each audience, however often its worker is killed", function()
    local seed = require "spec.support.seed"
    math.randomseed(seed)
    start("spool = SPOOL, flush_seconds = 0.05, flush_members = 7,")
    local last, audiences = {}, { "x", "y", "z" }
    for audience in pairs { x = 1, y = 1, z = 1 } do
      run(("c:add(member 'keeper', { audience = '%s' })"):format(audience))
      last[audience] = { keeper = true }
    end
    for _ = 1, 10 do
      for _ = 1, math.random(20) do
        local audience, id, remove = audiences[math.random(3)], "id" .. math.random(6), math.random(2) == 1
        local code = remove and "return c:remove({ external_id = '%s' }, { audience = '%s' })"
          or "return c:add(member '%s', { audience = '%s' })"
        assert.equal("true", run(code:format(id, audience)))
        last[audience][id] = not remove
      end
      kill()
    end
    run "c:flush()"
    for _, audience in ipairs(audiences) do
      local want = {}
      for id, present in pairs(last[audience]) do
        want[#want + 1] = present and id or nil
      end
      table.sort(want)
      nginx.until_true(("members of %s, seed %d: %s"):format(audience, seed, table.concat(want, " ")), function()
        return ids(audience) == table.concat(want, " ")
      end)
    end
  end)

  it("gives up the members of one audience that the service refuses, and no others", function()
    sandbox:configure { faults = json.array { { on = "sync", act = "status", status = 400, times = 4 } } }
    start("spool = SPOOL,", "the service refused these members for good")
    run [[
      for i = 1, 8 do
        c:add(member("v" .. i), { audience = "a" .. i })
      end
      c:flush()
    ]]
    local said = status()
    assert.equal(8, said.accepted + said.failed)
    assert.equal(1, said.failed)
    assert.equal(1, #folder.files "%.refused$")
    local aside = assert(core.spool(folder.path .. "/" .. folder.files("%.refused$")[1]))
    local _, _, _, _, label = spooled.members(aside)()
    aside:close()
    assert.truthy(label:find('^{"audienceId":"a%d"}$'), label)
  end)

  it("does not let removals from an audience that is not there hold up the others", function()
    start(nil, "has no audience mistyped")
    run [[
      c:remove({ external_id = "a" }, { audience = "mistyped" })
      c:add(member "b", { audience = "x" })
      c:remove({ external_id = "z" }, { audience = "x" })
      c:flush()
    ]]
    assert.equal("b", ids "x")
    local said = status()
    assert.same({ 1, 2 }, { said.held, said.accepted }) -- it may have been made a moment ago
    assert.truthy(said.error:find("has no audience mistyped", 1, true), said.error)
    assert.is_nil(ids "mistyped")
  end)

  it("takes members of so many audiences at a time, and says which bound it is", function()
    start("max_audiences = 3,", "4 were refused, because too much waits already")
    assert.equal("4 full true true", run [[
      local refused, err = 0, nil
      for i = 1, 7 do
        local ok, why = c:add(member("v" .. i), { audience = "a" .. i })
        refused, err = refused + (ok and 0 or 1), why or err
      end
      local again = c:add(member "w", { audience = "a1" })
      return refused .. " " .. err.kind .. " " .. tostring(err.message:find("max_audiences", 1, true) ~= nil) .. " " .. tostring(again)
    ]])
    assert.same({ 3, 4 }, { status().audiences, status().refused })
    run "c:flush()"
    assert.equal("true", run [[return c:add(member "v9", { audience = "a9" })]])
  end)

  it("rejects what is no audience, with its key, and raises at the caller's line where it is misused", function()
    start(nil, "3 members were rejected (audience 3)")
    assert.equal("invalid audience invalid audience invalid audience", run [[
      local words = {}
      for _, audience in ipairs { "", ("x"):rep(300), { id = "a", consent_basis = "hope" } } do
        local ok, err = c:add(member "a", { audience = audience })
        words[#words + 1] = ok == nil and err.kind .. " " .. err.code
      end
      return table.concat(words, " ")
    ]])
    assert.same({ 3, 3 }, { status().rejected, status().reasons.audience })
    for _, call in ipairs {
      "c:add(member 'a')", "c:remove { external_id = 'a' }",
      "c:add(member 'a', { audience = 1.5 })", "c:add(member 'a', { audence = 'x' })",
      "c:add(member 'a', { audience = { ID = 'x' } })", "c:add(member 'a', 'x')",
    } do
      local text = run("local ok, why = pcall(function()\n" .. call .. " end)\nreturn why")
      assert.truthy(text:find(']:2: scope3.nginx.collector: ', 1, true), call .. ": " .. text)
    end
  end)

  it("logs in one line what it did not take, and counts it by reason", function()
    start("flush_seconds = 0.2,", "80 members were rejected")
    run [[
      for i = 1, 40 do
        c:add({ external_id = "x" .. i, email = "nobody" }, { audience = "a" })
        c:add({ external_id = "null", email = "a@example.com" }, { audience = "a" })
      end
    ]]
    nginx.until_true("the log says so", function()
      return server:log():find("80 members were rejected (id_placeholder 40, no_identifier 40)", 1, true)
    end)
    assert.same({ no_identifier = 40, id_placeholder = 40 }, status().reasons)
    assert.same({ no_identifier = 40, id_placeholder = 40 }, status().all.reasons)
    assert.equal(1, select(2, server:log():gsub("were rejected", "")))
  end)
end)
