-- A failure is nil and an error of one shape, the same on every Lua.
-- An error is made once and not changed afterwards, and a loop that fails raises it.
local cjson = require("cjson.safe").new()
local errors = require "scope3.error"
local json = require "scope3.util.json"
local scope3 = require "scope3"
local world = require "spec.support.world"

local function fields_of(err)
  local all = {}
  for key, value in pairs(err) do
    all[key] = value
  end
  return all
end

describe("an error", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  local function audience(id)
    local made = assert(scope3.audience(id or "a"))
    assert(made:add { external_id = "1", email = "a@example.com" })
    return made
  end

  it("of an email, a phone, an id and a uid is one object for each reason, and costs nothing", function()
    for call, code in pairs {
      [function() return scope3.email.normalize "jane" end] = "email_no_at",
      [function() return scope3.email.hash "jane" end] = "email_no_at",
      [function() return scope3.email.check "jane" end] = "email_no_at",
      [function() return scope3.phone.normalize "12" end] = "phone_national",
      [function() return scope3.phone.hash("1", "US") end] = "phone_too_short",
      [function() return scope3.phone.check "a206b" end] = "phone_national",
      [function() return scope3.email.hash(("0"):rep(64)) end] = "hash_placeholder",
      [function() return scope3.external_id.normalize "a@b.co" end] = "id_email",
      [function() return scope3.uid.check("", "x") end] = "uid_type",
    } do
      local value, err, more = call()
      assert.is_nil(value)
      assert.is_nil(more)
      assert.is_true(errors.is(err))
      assert.same({ "invalid", code }, { err.kind, err.code })
      assert.equal("scope3: " .. err.message, tostring(err))
      assert.equal(err, (select(2, call())))
      -- Who writes to it all the same does not change what others get.
      err.message = "something else"
      local _, other = call()
      assert.is_true(other ~= err and other.message ~= "something else" and other.code == code)
    end
    scope3.uid.check("mine", " ")
    collectgarbage()
    collectgarbage "stop"
    local before = collectgarbage "count"
    for _ = 1, 1000 do
      scope3.uid.check("mine", " ")
    end
    local grown = collectgarbage "count" - before
    collectgarbage "restart"
    assert.is_true(grown < 8, grown .. " kB")
  end)

  it("takes no further field, and is not changed by what the job does next", function()
    local client = sandbox:client()
    sandbox:fault { on = "sync", act = "status", status = 401, times = -1 }
    local stream = assert(client:stream("a", { max_members = 1 }))
    local i, held = 0, nil
    while not held and i < 2000 do
      i = i + 1
      held = select(2, stream:add { external_id = tostring(i), email = i .. "@example.com" })
    end
    assert.is_true(errors.is(held))
    local _, why = pcall(function()
      held.more = 1
    end)
    assert.truthy(why:find "^spec/client/one_error_shape_spec.lua:%d+: an error of scope3 is made once", why)
    assert.truthy(why:find("its field 'more'", 1, true), why)
    local before = fields_of(held)
    assert.is_nil(before.result)
    local none, err = stream:finish()
    assert.is_nil(none)
    assert.same({ 401, 401 }, { held.status, err.status })
    assert.is_table(err.result)
    for key, value in pairs(fields_of(held)) do
      assert.equal(before[key], value, key)
    end
    assert.has_error(function()
      err.note = "mine"
    end)
    assert.is_nil(rawget(err, "note"))
    for _, one in ipairs { held, err } do
      local text = cjson.encode(one)
      assert.same({ one.kind, one.message }, { cjson.decode(text).kind, cjson.decode(text).message })
      text = json.encode(one)
      assert.same({ one.kind, one.message, 1 },
        { cjson.decode(text).kind, cjson.decode(text).message, cjson.decode(text).request.attempts })
    end
  end)

  it("is written to nowhere in the library, which makes a copy", function()
    local names, fields = {}, {}
    for name in ("err error failure problem why wrong told reason missing refused"):gmatch "%a+" do
      names[name] = true
    end
    for field in ("kind message status code field issues retryable retry_after asked uncertain request row "
      .. "rows line lines "
      .. "task_id audiences result"):gmatch "[%a_]+" do
      fields[field] = true
    end
    local pipe = assert(io.popen "find lua bin/scope3.in -name '*.lua' -o -name '*.in'")
    local files = 0
    for path in pipe:lines() do
      files = files + 1
      for line in world.read(path):gmatch "[^\n]+" do
        for name, field in line:gmatch "([%w_]+)%.([%w_]+) = " do
          assert.is_false((names[name] and fields[field]) or false, path .. ": " .. line)
        end
      end
    end
    pipe:close()
    assert.is_true(files > 80)
  end)

  it("of a task is reported alike by every wait, and belongs to its holder", function()
    local client = sandbox:client()
    sandbox:configure { task_outcomes = world.json.array { "failed:terminal" } }
    local res = assert(client:sync(audience()))
    local _, first = client:wait(res)
    local before = fields_of(first)
    local _, second = res:wait()
    assert.same({ "task_failed", "task_failed", { first = 1, last = 1 } }, { first.kind, second.kind, second.rows })
    assert.equal(res, second.result)
    assert.same(before, fields_of(first))
    first.message = "mine"
    assert.equal(second.message, select(2, res:wait()).message)
    assert.is_true(second.message ~= "mine")
  end)

  it("ends a list by being raised, wherever the list breaks", function()
    local client = sandbox:client()
    for i = 1, 3 do
      sandbox:control("PUT", "audience", { account = "25", audienceId = "a" .. i, status = "READY" })
    end
    sandbox:fault { on = "audiences", act = "status", status = 500, times = -1, after = 1 }
    local seen = 0
    local ok, err = pcall(function()
      for row in client:audiences { page = 2 } do
        assert.is_string(row.audience_id)
        seen = seen + 1
      end
    end)
    assert.is_false(ok)
    assert.is_true(errors.is(err))
    assert.equal(500, err.status)
    assert.is_true(seen == 0 or seen == 2)
    ok, err = pcall(function()
      for _ in assert(scope3.client { account_id = "25", base_url = sandbox.url, api_key = nil }):audiences() do
        error "a row"
      end
    end)
    assert.same({ false, true }, { ok, errors.is(err) })
    sandbox:fault { on = "syndication_status", act = "status", status = 500, times = -1 }
    ok, err = pcall(function()
      for _ in client:syndication_status() do
        error "a row"
      end
    end)
    assert.same({ false, 500 }, { ok, err.status })
  end)

  it("ends a loop over rows by being raised, and next() gives it and goes on", function()
    for make, text in pairs {
      [scope3.csv] = "id,b\n1,x\n2\n3,z\n", [scope3.jsonl] = '{"id":"1"}\n{"id":\n{"id":"3"}\n',
    } do
      local path, seen = world.file(text), {}
      local ok, err = pcall(function()
        for row in assert(make(path)) do
          seen[#seen + 1] = row.id
        end
      end)
      assert.same({ false, true, { "1" } }, { ok, errors.is(err), seen })
      assert.same({ "source", 2 }, { err.kind, err.row })
      local source = assert(make(path))
      local row, why = source:next()
      assert.same({ "1" }, { row.id, why })
      row, why = source:next()
      assert.same({ nil, 2 }, { row, why.row })
      assert.equal("3", source:next().id)
      assert.same({}, { source:next() })
      source:close()
    end
  end)

  it("that an iterator raises from a source ends the job that reads it", function()
    local client = sandbox:client()
    local source = assert(scope3.csv(world.file("id,mail\n1,a@example.com\n2\n3,c@example.com\n")))
    local function rows()
      local row = source()
      return row and { id = row.id, mail = row.mail }
    end
    local res, err = client:run({ audience = "a", map = { external_id = "id", email = "mail" } }, rows)
    assert.is_nil(res)
    assert.same({ "source", 2, 1 }, { err.kind, err.row, err.result.rows })
    res, err = client:run({ audience = "a", map = { external_id = "id", email = "mail" } }, function()
      error("mine", 0)
    end)
    assert.is_nil(res)
    assert.same({ "source", "callback_error", 0 }, { err.kind, err.code, err.result.rows })
  end)

  it("is raised as its text by scope3.assert, which gives back all else", function()
    assert.same({ 1, nil, 3 }, { scope3.assert(1, nil, 3) })
    assert.equal(false, (pcall(scope3.assert, false)))
    local ok, message = pcall(function()
      return (scope3.assert(scope3.email.hash "jane"))
    end)
    assert.same({ false, "scope3: email: no @" }, { ok, message })
    -- What an interpreter itself shows of it.
    local program, out = world.file('local scope3 = require "scope3"\nscope3.assert(scope3.client '
      .. '{ base_url = "ftp://x" })\n', ".lua"), world.path ".out"
    local code = os.execute(("%s %s >%s 2>&1"):format(os.getenv "SCOPE3_LUA_BIN", program, out))
    assert.is_false(code == true or code == 0)
    assert.truthy(world.read(out):find("scope3: client: base_url", 1, true), world.read(out))
  end)
end)

describe("an id", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  it("may be given as a whole number wherever it is asked for, and means its digits", function()
    local client = sandbox:client()
    local audience = assert(scope3.audience(25))
    assert.equal("25", audience.id)
    assert(audience:add { external_id = 7, email = "a@example.com" })
    assert(scope3.assert(client:sync(audience)):wait())
    assert.equal("25", assert(client:audience(25)).audience_id)
    assert.equal("25", assert(client:audience "25").audience_id)
    assert(client:syndicate { audience_id = 25, adcp_agent_ids = { 9007199254740991, "b" } })
    local agents = {}
    for record in client:syndication_status { audience_id = 25 } do
      agents[#agents + 1] = record.adcp_agent_id
    end
    table.sort(agents)
    assert.same({ "9007199254740991", "b" }, agents)
    local stream = assert(client:stream(26))
    assert(stream:add { external_id = "1", email = "a@example.com" })
    assert.equal("26", assert(stream:finish()).audience.audience_id)
    assert.equal("27", assert(client:run({ audience = 27, map = { external_id = "id", email = "mail" } },
      world.file "id,mail\n1,a@example.com\n")).audience.audience_id)
    local res = assert(client:sync(audience, { dry_run = true, delete_missing = { 26, "27" } }))
    assert.same({ { audience_id = "26" }, { audience_id = "27" } }, res.would_delete)
    assert.equal("not_found", select(2, client:task(123456)).kind)
  end)

  it("of a reply is whole, however large the number is", function()
    local client = sandbox:client()
    for _, number in ipairs {
      "9007199254740991", "9007199254740992", "9007199254740993", "18446744073709551617", "-9007199254740993", "25",
    } do
      sandbox:fault { on = "audiences", act = "status", status = 200, times = -1,
        body = ('{"audiences":[{"audienceId":%s,"status":"READY","uploadedCount":%s}],"total":1}'):format(number,
          number) }
      local row = assert(client:audience(number))
      assert.equal(number, row.audience_id)
      assert.is_true(row.uploaded_count == nil or row.uploaded_count < 2 ^ 53)
    end
  end)
end)

describe("a secret that is registered", function()
  it("is counted in characters and not in bytes", function()
    local client = assert(scope3.client { api_key = "k", account_id = "25", base_url = "http://127.0.0.1:9" })
    local function problem(config)
      config.url = "https://hooks.example/x"
      local _, err = client:stream("a", { dry_run = true, push_notification_config = config })
      return err and err.issues[1].path
    end
    local function auth(credentials)
      return { authentication = { scheme = "Bearer", credentials = credentials } }
    end
    assert.equal("push_notification_config.authentication.credentials", problem(auth(("\195\164"):rep(16))))
    assert.equal("push_notification_config.authentication.credentials", problem(auth(("\195\164"):rep(31))))
    assert.equal("push_notification_config.authentication.credentials", problem(auth(("\255"):rep(32))))
    assert.is_nil(problem(auth(("\195\164"):rep(32))))
    assert.equal("push_notification_config.token", problem { token = ("\195\164"):rep(8) })
    assert.is_nil(problem { token = ("\195\164"):rep(4096) })
    local function verify(config)
      return pcall(scope3.webhook.verify, { headers = {} }, config)
    end
    assert.is_false((verify { mode = "bearer", credentials = ("\195\164"):rep(31) }))
    assert.is_true((verify { mode = "bearer", credentials = ("\195\164"):rep(32) }))
    assert.is_false((verify { mode = "bearer", credentials = ("c"):rep(32), token = ("\195\164"):rep(15) }))
    assert.is_true((verify { mode = "bearer", credentials = ("c"):rep(32), token = ("\195\164"):rep(4096) }))
  end)
end)
