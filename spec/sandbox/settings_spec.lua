-- Every setting of the sandbox does what docs/sandbox.md says, and takes nothing else.
local faults = require "scope3.sandbox.faults"
local settings = require "scope3.sandbox.settings"
local scope3 = require "scope3"
local world = require "spec.support.world"

local json = world.json

describe("a setting of the sandbox", function()
  local sandbox = world.around(setup, teardown, before_each)

  local function call(method, path, value, headers)
    local result = world.http(method, sandbox.url .. "/api/v2/buyer/" .. path, value and json.encode(value),
      { headers = headers or { "Authorization: Bearer x" } })
    local decoded = result.body and json.decode(result.body)
    return result.status, decoded, result
  end

  local function sync(id, n)
    local members = json.array {}
    for i = 1, n or 0 do
      members[i] = { externalId = tostring(i), hashedEmail = ("ab"):rep(32) }
    end
    return call("POST", "advertisers/25/audiences/sync",
      { audiences = json.array { { audienceId = id or "a", add = members } } })
  end

  local function task(id)
    return select(2, call("GET", "tasks/" .. id)).task
  end

  local function started(id, n)
    local status, body = sync(id, n)
    assert.equal(202, status)
    return body.taskId
  end

  local function advance(seconds)
    sandbox:control("PUT", "clock", { advance = seconds })
  end

  local function row(id)
    for _, audience in ipairs(select(2, call("GET", "advertisers/25/audiences")).audiences) do
      if audience.audienceId == id then
        return audience
      end
    end
  end

  -- What each does; true stands for one that another spec of the sandbox looks at.
  local effects = { envelope = true, syndicate_reply = true, pagination = true, page_repeats = true,
    max_members = true, log_bodies = true,
    accounts = true, keys = true, rate_limit = true, rate_form = true, max_body = true, callback_key = true,
    faults = true }

  function effects.task_seconds()
    sandbox:configure { clock = "manual", task_seconds = 100 }
    local id = started()
    advance(99)
    assert.equal("working", task(id).status)
    advance(1)
    assert.equal("completed", task(id).status)
  end

  function effects.task_jitter()
    sandbox:configure { clock = "manual", task_seconds = 0, task_jitter = 100, seed = 3 }
    local ids, open = {}, 0
    for i = 1, 20 do
      ids[i] = started("a" .. i)
    end
    advance(50)
    for _, id in ipairs(ids) do
      open = open + (task(id).status == "completed" and 0 or 1)
    end
    assert.is_true(open > 0 and open < 20, open .. " of 20")
  end

  function effects.task_lengths()
    sandbox:configure { clock = "manual", task_seconds = 1, task_lengths = json.array { 10, 20 } }
    local first, second, third = started "a", started "b", started "c"
    advance(1)
    assert.same({ "submitted", "submitted", "completed" }, { task(first).status, task(second).status,
      task(third).status })
    advance(9)
    assert.same({ "completed", "working" }, { task(first).status, task(second).status })
    assert.same({ "completed" }, { (advance(10) or task(second)).status })
  end

  function effects.task_shows_after()
    sandbox:configure { clock = "manual", task_shows_after = 5, task_seconds = 0 }
    local id = started()
    assert.equal(404, (call("GET", "tasks/" .. id)))
    advance(5)
    assert.equal(200, (call("GET", "tasks/" .. id)))
  end

  function effects.task_outcomes()
    sandbox:configure { task_seconds = 0, task_outcomes = json.array { "failed:transient", "rejected",
      "audience-error" }, audience_seconds = 0 }
    local first, second, third, fourth = started "a", started "b", started("c", 1), started "d"
    assert.same({ "failed", "transient" }, { task(first).status, task(first).error.recovery })
    assert.same({ "rejected", "completed", "completed" }, { task(second).status, task(third).status,
      task(fourth).status })
    assert.equal("ERROR", row("c").status)
  end

  function effects.task_shares()
    sandbox:configure { task_seconds = 0, task_shares = { ["failed:terminal"] = 1 } }
    assert.equal("failed", task(started()).status)
    sandbox:configure { task_shares = json.null }
    assert.equal("completed", task(started()).status)
  end

  function effects.task_order()
    for order, want in pairs { ["in"] = { "1", "2", "3" }, reversed = { "3", "2", "1" }, strict = { "1", "2", "3" } } do
      sandbox:reset()
      sandbox:configure { clock = "manual", task_order = order, task_seconds = 1 }
      for i = 1, 3 do
        started(tostring(i))
      end
      advance(10)
      local got = {}
      for i, entry in ipairs(sandbox:control("GET", "applied").applied) do
        got[i] = entry.audiences[1].audienceId
      end
      assert.same(want, got, order)
    end
    -- In strict order a short task waits for a long one before it.
    sandbox:reset()
    sandbox:configure { clock = "manual", task_order = "strict", task_lengths = json.array { 10, 1 } }
    local _, second = started "a", started "b"
    advance(2)
    assert.is_not.equal("completed", task(second).status)
  end

  function effects.retry_after()
    sandbox:configure { retry_after = 7, task_seconds = 60 }
    local id = started()
    assert.equal(7, task(id).retryAfterSeconds)
    sandbox:configure { retry_after = false }
    assert.equal(json.null, task(id).retryAfterSeconds)
  end

  function effects.audience_seconds()
    sandbox:configure { clock = "manual", task_seconds = 0, audience_seconds = 9, min_size = 1 }
    started("a", 2)
    assert.equal("PROCESSING", row("a").status)
    advance(9)
    assert.equal("READY", row("a").status)
  end

  function effects.min_size()
    sandbox:configure { task_seconds = 0, audience_seconds = 0, min_size = 3 }
    started("small", 2)
    started("large", 3)
    assert.same({ "TOO_SMALL", "READY" }, { row("small").status, row("large").status })
  end

  function effects.match_rate()
    sandbox:configure { task_seconds = 0, audience_seconds = 0, match_rate = 0.5 }
    started("a", 4)
    assert.same({ 4, 2 }, { row("a").uploadedCount, row("a").matchedCount })
  end

  function effects.max_take()
    sandbox:configure { max_take = 10 }
    assert.equal(400, (call("GET", "advertisers/25/audiences?take=11")))
    assert.equal(10, select(2, call("GET", "advertisers/25/audiences")).take)
  end

  function effects.retry_after_form()
    for form, pattern in pairs { seconds = "^%d+$", date = "^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$" } do
      sandbox:configure { retry_after_form = form }
      sandbox:fault { on = "audiences", act = "status", status = 429, retry_after = 3 }
      local _, _, result = call("GET", "advertisers/25/audiences")
      local header = result.headers["retry-after"]
      assert.truthy((type(header) == "table" and header[1] or header):find(pattern), form)
    end
  end

  function effects.date_skew()
    local function date()
      local header = select(3, call("GET", "advertisers/25/audiences")).headers.date
      return assert(require("scope3.util.time").http_date(type(header) == "table" and header[1] or header))
    end
    sandbox:configure { clock = "manual" }
    local now = date()
    sandbox:configure { date_skew = 86400 }
    assert.equal(now + 86400, date())
  end

  function effects.seed()
    local function ends()
      local found = {}
      for i = 1, 12 do
        found[i] = task(started("a" .. i)).status
      end
      return table.concat(found, " ")
    end
    local seen = {}
    for i, seed in ipairs { 7, 8, 7 } do
      sandbox:reset()
      sandbox:configure { seed = seed, task_seconds = 0, task_shares = { ["failed:terminal"] = 0.5 } }
      seen[i] = ends()
    end
    assert.equal(seen[1], seen[3])
    assert.is_not.equal(seen[1], seen[2])
  end

  function effects.clock()
    sandbox:configure { clock = "manual" }
    local one = row(started() and "a").createdAt
    assert.equal(one, (started "b" and row "b").createdAt)
    advance(1.5)
    assert.is_not.equal(one, (started "c" and row "c").createdAt)
    sandbox:configure { clock = "real" }
    local result = world.http("PUT", sandbox.url .. "/sandbox/clock", '{"advance":1}')
    assert.equal(400, result.status)
  end

  function effects.refuse()
    sandbox:configure { refuse = json.array { "2" } }
    local status, body = sync("a", 3)
    assert.equal(400, status)
    assert.same({ "audiences[0].add[1].hashedEmail" }, { body.error.details.issues[1].path,
      (body.error.details.issues[2] or {}).path })
  end

  function effects.issues_listed()
    sandbox:configure { refuse = json.array { "1", "2", "3" }, issues_listed = 2 }
    assert.equal(2, #select(2, sync("a", 3)).error.details.issues)
  end

  it("has the effect that is documented, each of them", function()
    for _, name in ipairs(settings.names()) do
      assert(effects[name], name .. " is not tested")
      sandbox:reset()
      if effects[name] ~= true then
        effects[name]()
      end
    end
  end)

  it("takes no value of another kind, and then changes nothing", function()
    for _, name in ipairs(settings.names()) do
      for _, value in ipairs { "nonsense", -1, 0.5, 1e300, json.array { 7, true }, json.array { "x", 5 }, { a = 7 },
          { a = -1 } } do
        local before = sandbox:control("GET", "config")
        local result = world.http("PUT", sandbox.url .. "/sandbox/config", json.encode { [name] = value,
          envelope = name ~= "envelope" and "data" or value })
        if result.status ~= 200 then
          assert.equal(400, result.status, name)
          assert.same(before, sandbox:control("GET", "config"))
        else
          -- What was taken leaves a sandbox that answers.
          assert.is_number((call("GET", "advertisers/25/audiences")))
          sandbox:reset()
        end
      end
    end
    for _, body in ipairs { "[]", "7", "nonsense", '{"nobody_knows":1}', '{"seed":1,"seed":2,"x":1}',
        '{"rate_limit":0}', '{"rate_limit":1.5}', '{"match_rate":1.1}',
      '{"task_order":"in "}', '{"faults":{}}x', '{"faults":{"on":"sync","act":"close"}}', '{"task_seconds":1e999}',
      '{"task_seconds":"1"}' } do
      assert.equal(400, world.http("PUT", sandbox.url .. "/sandbox/config", body).status, body)
    end
    for _, fault in ipairs { { act = "close" }, { on = "sync" }, { on = "nobody", act = "close" }, { on = "sync",
        act = "explode" }, { on = "sync", act = "status" },
      { on = "sync", act = "status", status = "503" }, { on = "sync", act = "status", status = 99 }, { on = "sync",
        act = "delay", seconds = -1 },
      { on = "sync", act = "close", share = 2 }, { on = "sync", act = "close", tims = 3 }, { on = "sync",
        act = "close", times = "2" },
      { on = "sync", act = "status", status = 429, retry_after = true }, { on = "sync", act = "issues",
        issues = "x" } } do
      assert.equal(400, world.http("PUT", sandbox.url .. "/sandbox/config",
        json.encode { faults = json.array { fault } }).status, json.encode(fault))
    end
  end)

  it("ends a task that changes nothing, and shows its audience as it is without it", function()
    sandbox:configure { clock = "manual", min_size = 0, audience_seconds = 10, task_seconds = 100,
      task_outcomes = json.array { "completed", "failed:terminal", "failed:terminal", "completed" } }
    local function after(seconds)
      advance(seconds)
      return row("a").status
    end
    started("a", 1)
    assert.same({ "PROCESSING", "READY" }, { after(100), after(10) })
    started("a", 1)
    assert.same({ "PROCESSING", "READY" }, { after(100), after(10) })

    started("a", 1)
    advance(50)
    started("a", 2)
    assert.same({ "PROCESSING", "PROCESSING" }, { after(50), after(10) }) -- the other task is about to change it
    assert.same({ "PROCESSING", "READY" }, { after(40), after(10) })
    assert.equal(2, row("a").uploadedCount)
  end)

  it("comes back with its first value at each reset, however often it was used up", function()
    local other = world.sandbox { task_outcomes = { "failed:terminal" }, task_seconds = 0,
      faults = { { on = "audiences", act = "status", status = 503 } } }
    for _ = 1, 2 do
      local client = other:client { rate = 1000 }
      local audience = assert(scope3.audience { id = "a" })
      assert(audience:add { external_id = "1", email = "a@example.com" })
      local _, err = assert(client:sync(audience)):wait { interval = 0.02 }
      assert.equal("task_failed", err.kind)
      local result = world.http("GET", other.url .. "/api/v2/buyer/advertisers/25/audiences", nil,
        { headers = { "Authorization: Bearer x" } })
      assert.equal(503, result.status)
      other:reset()
    end
    other:close()
  end)

  it("is set by the command as well", function()
    local code, _, said = world.command { "sandbox", "--set", "task_order=sideways" }
    assert.equal(2, code)
    assert.truthy(said:find("task_order must be one of", 1, true))
    for _, words in ipairs { { "--set", "nobody_knows=1" }, { "--set", "x" }, { "--set", "rate_limit=2",
        "--rate-limit", "3" }, { "--set", "seed=1", "--set", "seed=2" },
      { "--set", 'faults=[{"on":"sync"}]' }, { "--set", 'keys:["scope3_secret_key"]' } } do
      local refused, _, why = world.command { "sandbox", words[1], words[2], words[3], words[4] }
      assert.equal(2, refused, table.concat(words, " "))
      assert.is_nil(why:find("secret", 1, true))
    end
    local out = world.path ".out"
    local lua = os.getenv "SCOPE3_LUA_BIN" or "lua"
    local words = "%s bin/scope3.in sandbox --until-eof --set envelope=data --set 'faults=%s' >%s 2>&1"
    local pipe = assert(io.popen(words:format(lua,
      '[{"on":"audiences","act":"status","status":409,"code":"CONFLICT"}]', out), "w"))
    local url
    local deadline = os.time() + 30
    repeat
      require("scope3.core").sleep(0.02)
      url = world.exists(out) and world.read(out):match "listening on (%S+)"
    until url or os.time() > deadline
    local statuses = {}
    for i = 1, 2 do
      local result = world.http("GET", url .. "/api/v2/buyer/advertisers/25/audiences", nil,
        { headers = { "Authorization: Bearer x" } })
      statuses[i] = { result.status, json.decode(result.body).data ~= nil }
    end
    pipe:close()
    assert.same({ { 409, true }, { 200, true } }, statuses)
  end)

  it("is documented, and so is each fault and each route", function()
    local page = world.read "docs/sandbox.md"
    for _, name in ipairs(settings.names()) do
      assert.truthy(page:find("`" .. name .. "`", 1, true), name)
    end
    for name in pairs(faults.ACTIONS) do
      assert.truthy(page:find("`" .. name .. "`", 1, true), name)
    end
    for _, name in ipairs(faults.fields()) do
      assert.truthy(page:find("`" .. name .. "`", 1, true), name)
    end
    for method, path in world.read("lua/scope3/sandbox/control.lua"):gmatch 'routes%["(%u+) (/[^"]+)"%]' do
      assert.truthy(page:find("`" .. method .. " " .. path .. "`", 1, true), method .. " " .. path)
    end
  end)
end)
