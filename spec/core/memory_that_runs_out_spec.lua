-- Memory runs out at every point: the k-th allocation fails, or all from the k-th on, for every k that is reached.
-- What fails says so, leaves nothing locked or open, and counts what it lost.
local COMMON = require "spec.support.memory_common"
local SCENARIOS = require "spec.support.memory_scenarios"
local compile = require "spec.support.compile"
local seed = require "spec.support.seed"
local world = require "spec.support.world"

local failing

local RUNS = COMMON .. [=[
local scope3 = require "scope3"
local client, res, before
local file = assert(io.open(ROWS, "wb"))
file:write(csv(6))
file:close()
local function run(by)
  local made, err = client:run({ audience = "a", map = by == "map" and { external_id = "id", email = "mail", phone = "tel" } or nil,
    member = by == "member" and function(row) return { external_id = row.id, email = row.mail } end or nil }, ROWS, OPTIONS)
  res = made or err.result
  return made, err
end
return {
  prepare = function()
    client = client or assert(scope3.client { api_key = "scope3_test_key", account_id = "25", base_url = URL, rate = 100000, limiter = LIMITER })
    res = nil
  end,
  act = function()
    local made, err = run "map"
    if made then
      made, err = run "member"
    end
    return not made and tostring(err) or nil
  end,
  sync = function()
    local audience = scope3.audience { id = "b" }
    audience:add { external_id = "1", email = "a@example.org" }
    local made, ended, err
    made, err = client:sync(audience)
    res = made or err.result
    if made then
      ended, err = made:wait { timeout = 20, interval = 0.01 }
    end
    return not ended and tostring(err) or nil
  end,
  check = function()
    local problem
    if res then
      local rejected = 0
      for _, n in pairs(res.rejected) do
        rejected = rejected + n
      end
      if res.members ~= res.accepted + res.replaced + res.rejected_by_service + res.failed + res.unknown + (res.would_send or 0) then
        problem = "the members' sum"
      end
    end
    collect()
    local made, err = run "map" -- it goes on as if nothing had been
    collect()
    return not made and tostring(err) or made.members ~= 6 and made.members .. " members" or problem
  end,
}]=]

local WEBHOOK = COMMON .. [=[
local webhook = require "scope3.webhook"
local secret, body, now = ("s"):rep(40), '{"idempotency_key":"one-of-sixteen-characters","task_id":"t","status":"completed"}', math.floor(core.time())
local at = ("%d"):format(now)
local key = { kid = "k", kty = "OKP", crv = "Ed25519", alg = "EdDSA", use = "sig", key_ops = { "verify" }, adcp_use = "webhook-signing",
  x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }
local input = ('sig1=("@method" "@target-uri" "@authority" "content-type" "content-digest");created=%s;expires=%d;nonce="abcdefghijklmnopqrstuv";'
  .. 'keyid="k";alg="ed25519";tag="adcp/webhook-signing/v1"'):format(at, now + 100)
return {
  prepare = function() end,
  act = function()
    webhook.verify({ headers = { ["X-ADCP-Timestamp"] = at, ["X-ADCP-Signature"] = "sha256=" .. core.hmac_sha256(secret, at, ".", body) }, body = body },
      { mode = "hmac", secrets = { secret } })
    webhook.verify({ method = "POST", url = "https://example.org/hook", body = body, headers = { ["Content-Type"] = "application/json",
      ["Content-Digest"] = "sha-256=:" .. ("A"):rep(43) .. "=:", ["Signature-Input"] = input, Signature = "sig1=:" .. ("A"):rep(86) .. "==:" } },
      { mode = "rfc9421", keys = { keys = { key } } })
  end,
  check = function() collect() end,
}]=]

-- The collector runs finalizers wherever a value is made; here each closes an object that a call is using.
local FINALIZERS = COMMON .. [=[
local spool_path, count_path, log_path, state_path = os.tmpname(), os.tmpname(), os.tmpname(), os.tmpname()
local function when_collected(act)
  if newproxy then -- Lua 5.1 and LuaJIT have finalizers of userdata alone
    getmetatable(newproxy(true)).__gc = act
  else
    setmetatable({}, { __gc = act })
  end
end
local members = core.payload { max_members = 100, max_bytes = 100000 }
local function add_to(builder, to)
  for i = 1, 30 do
    builder:add(to, { external_id = tostring(i), email = ("p%d@example.org"):format(i), phone = "030 123", region = ("x"):rep(i) })
  end
end
add_to(core.builder { max_member = 1000 }, members)
local function counting()
  local builder = core.builder { max_member = 1000, rejections = true }
  add_to(builder, core.payload { max_members = 1000, max_bytes = 100000 })
  return builder
end
local function payload()
  return core.payload { max_members = 1000, max_bytes = 100000 }
end
local function a_source(format, n)
  return function() return source(format, format == "csv" and csv(n) or jsonl(n)) end
end
local filled
local folded = 0 -- the partition, each once
local label = 1e6 -- of a spool: each is a new text
local CASES = {
  { a_source("csv", 30), function(s) return s:read() end },
  { a_source("jsonl", 30), function(s) return s:read() end },
  { a_source("csv", 1), function(s) return s:columns() end },
  { a_source("csv", 1), function(s) return s:find(17) == nil end },
  { a_source("csv", 1), function(s) return s:raw() end },
  { function() return core.source { format = "csv" } end, function(s) s:feed(17) return true end },
  { counting, function(b) return b:counts() end },
  { counting, function(b) return b:rejections() end },
  { counting, function(b) return b:missing() end },
  { counting, function(b) b:columns(NAMED, {}) return true end },
  { function() filled = payload() return counting() end, function(b)
    return b:take(filled, setmetatable({}, { __index = function(_, key) return key .. "1@example.org" end })) end },
  { payload, function(p) return p:hide("1 2 3 4 of the many members", 1, 30) end },
  { payload, function(p) return p:replace(members, 1, 30) end },
  { function()
    os.remove(spool_path)
    return assert(core.spool(spool_path, { capacity = 65536 }))
  end, function(spool)
    label = label + 1
    spool:keep(members, 1, 1, 0, label)
    return true
  end, 60 },
  { function()
    os.remove(spool_path)
    local spool = assert(core.spool(spool_path, { capacity = 65536 }))
    spool:keep(members, 1, 30, 0, ("label"):rep(20))
    return spool, spool:reader()
  end, function(_, read)
    return select(6, read(nil)) ~= nil
  end, 60 },
  { function()
    os.remove(spool_path)
    local spool = assert(core.spool(spool_path, { capacity = 65536 }))
    spool:keep(members, 1, 30, 0, ("label"):rep(20))
    return spool, spool:reader()
  end, function(_, read)
    label = label + 1
    return read(nil, 0, 1, label)
  end, 60 },
  { function()
    local file = assert(core.count_file(count_path))
    file:lock()
    return file
  end, function(file)
    file:set(12345, 1)
    return file:get(67890) == nil and file:incr(12345, 1)
  end, 60 },
  { function()
    os.remove(log_path)
    return assert(core.append_file(log_path))
  end, function(file) return file:append(12345) end, 20 },
}
local KEY = ("k"):rep(16)
local function chunk()
  local made = core.mirror.chunk(1)
  for i = 1, 40 do
    made:add("add", 0, ("id%d"):format(i), core.mirror.key_hash(KEY, ("id%d"):format(i)), ("c"):rep(8), ("m"):rep(8))
  end
  return made
end
local BLOB = chunk():blob()
local function night(state)
  local made = assert(core.mirror.night { key = KEY, parts = 1 })
  if state == "leaving" then
    made:chunk(BLOB, { { first = 1, last = 40, outcome = "applied" } })
  end
  for i = 1, state == "leaving" and 0 or 40 do
    made:row(("id%d"):format(i), {}, 1, i, 0, 0)
  end
  made:merge(0)
  return made
end
for _, case in ipairs {
  { chunk, function(c) return c:blob() end },
  { chunk, function(c) return c:show(function() end) end },
  { night, function(n) return n:candidate() end },
  { function() return night "leaving" end, function(n) return n:leaver() end },
  { core.mirror.list, function(l) return l:numbers() end },
  { night, function(n) return n:counts() end },
  { night, function(n) return n:samples() end },
  { function()
    local fold = assert(core.mirror.fold { parts = 512 })
    fold:chunk(BLOB, { { first = 1, last = 40, outcome = "applied" } })
    return fold
  end, function(fold)
    folded = (folded + 1) % 512
    return fold:part(folded)
  end },
} do
  CASES[#CASES + 1] = { case[1], case[2], 60 }
end
local has_state, state = pcall(require, "scope3.state")
if has_state then
  os.remove(state_path)
  local made = assert(state.open(state_path, { create = true }))
  made:run "CREATE TABLE t(x)"
  for i = 1, 30 do
    made:run("INSERT INTO t VALUES(?)", ("x"):rep(i * 40))
  end
  made:close()
  for _, use in ipairs {
    function(db) return db:first "SELECT max(x) FROM t" end,
    function(db) return db:each("SELECT x FROM t", function() end) end,
    function(db)
      label = label + 1
      return db:run("UPDATE t SET x = x WHERE x = ?", label)
    end,
  } do
    CASES[#CASES + 1] = { function() return assert(state.open(state_path)) end, use, 20 }
  end
end
local ok, gzip = pcall(require, "scope3.gzip")
if ok then
  local file = assert(io.open(PACKED, "rb"))
  local packed = file:read "*a"
  file:close()
  CASES[#CASES + 1] = { function()
    local z = gzip.gunzip()
    z:feed(packed)
    return z
  end, function(z) return z:next() end, 150 }
end
os.remove(count_path)
return {
  act = function()
    if _VERSION > "Lua 5.3" then
      collectgarbage "generational" -- else the collector comes too often: with the first value behind the object
    else
      collectgarbage("setpause", 1)
      collectgarbage("setstepmul", _VERSION == "Lua 5.3" and 200 or 1000) -- where it is faster, that of 5.3 comes too often as well
    end
    local never = {}
    for number, case in ipairs(CASES) do
      local closed = 0
      for run = 1, case[3] or RUNS do
        local object, more = case[1]()
        local done, inside
        when_collected(function()
          done = inside
          object:close()
        end)
        local _ = ("x"):rep(run * 5 % 4000) -- so that the collector comes elsewhere
        for _ = 1, 300 do
          inside = true
          local fine, result, why = pcall(case[2], object, more)
          inside = false
          if done then
            closed = closed + 1
            break
          elseif not fine and tostring(result):find("closed", 1, true) then
            break
          elseif not fine then
            error(case[1] and number .. ": " .. tostring(result), 0)
          elseif result == nil and why ~= nil then
            break
          end
        end
        object:close()
        object:close()
      end
      never[#never + 1] = closed == 0 and number or nil
    end
    os.remove(spool_path)
    os.remove(count_path)
    os.remove(log_path)
    os.remove(state_path)
    return #never > #CASES / 2 and "never closed in use: " .. table.concat(never, " ") or nil
  end,
}]=]

describe("where memory runs out", function()
  local packed, rows

  setup(function()
    failing = compile.failing()
    packed, rows = world.path ".gz", world.path ".csv"
    os.execute(("head -c 300000 /dev/zero | tr '\\0' 'x' | gzip -c > %s"):format(packed))
    print("   seed " .. seed)
  end)
  teardown(world.clean)

  -- Every k where these are few, else a sample.
  local function points(n, most)
    local list = {}
    for k = 1, n do
      if n <= most or math.random(n) <= most then
        list[#list + 1] = k
      end
    end
    return list
  end

  local PASS = { [0] = true }

  -- Lua's own table.sort says in these words that it got no memory for its stack.
  local function says_so(message)
    return message:find("memory", 1, true) or message:find("stack overflow ()", 1, true)
  end

  local function sweep(code, act, most)
    local state = failing.state(code, package.path, package.cpath)
    local function attempt(k, count)
      local status, message = state:run "prepare"
      assert.equal(0, status, message)
      local asked, refused
      status, message, asked, refused = state:run(act, k, count)
      local where = ("%d of %d, %d in a row: "):format(k, asked, count)
      if status ~= 0 or message then
        assert.truthy(refused > 0 and says_so(tostring(message)), where .. tostring(message))
      end
      local failed, problem = state:run "check"
      assert.equal(0, failed, where .. tostring(problem))
      assert.is_nil(problem, where .. tostring(problem))
      assert.equal("", state:warning(), where)
      return asked, refused, status
    end
    math.randomseed(seed)
    attempt(0, 0) -- loads what the call needs, and so asks for nine times as much
    local asked = attempt(0, 0)
    asked = math.max(asked, (attempt(0, 0)))
    local seen = 0
    for _, count in ipairs { 1, 2, 1e9 } do
      for _, k in ipairs(points(asked, most)) do
        local _, refused, status = attempt(k, count)
        seen = seen + (refused > 0 and not PASS[status] and 1 or 0)
      end
    end
    state:close()
    return seen
  end

  local function check(code, act, most)
    sweep(code, act, 5) -- what is loaded once
    collectgarbage()
    local descriptors = failing.descriptors()
    local memory = failing.memory()
    local seen = sweep(code, act, most)
    collectgarbage()
    collectgarbage()
    assert.is_true(seen > 0, "nothing failed")
    assert.equal(descriptors, failing.descriptors())
    -- a source alone has more
    assert.is_true(failing.memory() - memory < 200000, "bytes that stayed: " .. failing.memory() - memory)
  end

  for name, code in pairs(SCENARIOS) do
    it("says so, and loses nothing without a count: " .. name, function()
      code = ("local PACKED = %q\n"):format(packed) .. code
      check(code, "act", world.thorough and 400 or 60)
    end)
  end

  -- Its first request is full: the member waits until there is room for another.
  it("keeps a member that an audience had no memory for", world.thorough and function()
    local code = COMMON .. [=[
      local scope3 = require "scope3"
      local audience = scope3.audience { id = "a" }
      for i = 1, 100000 do
        audience:add { external_id = i, remove = true }
      end
      local n = 0
      return {
        prepare = function() n = n + 1 end,
        act = function() audience:add { external_id = "more-" .. n, email = "a@example.org" } end,
        check = function()
          local adds, removes = audience:count()
          return (removes ~= 100000 or adds > n) and ("%d and %d of %d"):format(adds, removes, n) or nil
        end,
        count = function() return tostring((audience:count())) end,
      }]=]
    local state = failing.state(code, package.path, package.cpath)
    for k = 1, 40 do
      state:run "prepare"
      state:run("act", k, 2)
      local status, problem = state:run "check"
      assert.same({ 0 }, { status, problem }, k)
    end
    state:run "prepare"
    assert.same({ 0 }, { (state:run "act") })
    local _, adds = state:run "count"
    assert.is_true(tonumber(adds) > 20, adds)
    state:close()
  end or nil)

  it("says so, and loses nothing without a count: a dry run", function()
    check(("local ROWS, OPTIONS, URL = %q, { dry_run = true }, 'http://127.0.0.1:1'\n"):format(rows) .. RUNS, "act",
      world.thorough and 150 or 20)
  end)

  it("says so, and loses nothing without a count: a webhook", function()
    check(WEBHOOK, "act", world.thorough and 150 or 20)
  end)

  it("says so where the C library has no more for us", not os.getenv "LD_PRELOAD" and function()
    local library, work = compile.no_memory(), world.path ""
    os.execute("mkdir " .. work)
    -- It is the same C for every Lua. The one of mutants and coverage has it refuse at every point.
    local every = os.getenv "SCOPE3_LUA" == "5.4" and not package.cpath:find("/build/5.4-poll/", 1, true) and 1 or 9
    local pipe = assert(io.popen(("LD_PRELOAD=%s %s spec/support/c_memory.lua %s %s %d 2>&1"):format(library,
      os.getenv "SCOPE3_LUA_BIN", library, work, every)))
    local said = pipe:read "*a"
    pipe:close()
    os.execute("rm -rf " .. work)
    assert.equal("swept\n", said)
  end or nil)

  it("lets finalizers close what a call is using, without harm", function()
    local state = failing.state(("local PACKED, RUNS = %q, %d\n"):format(packed, world.thorough and 500 or 200)
      .. FINALIZERS, package.path, package.cpath)
    local status, message = state:run "act"
    state:close()
    assert.same({ 0 }, { status, message })
  end)

  describe("while requests are under way", function()
    local sandbox = world.around(setup, teardown, before_each)
    it("says so, and goes on afterwards", function()
      sandbox:configure { task_seconds = 0, task_jitter = 0, audience_seconds = 0 }
      for _, act in ipairs { "act", "sync" } do
        check(("local ROWS, URL = %q, %q\n"):format(rows, sandbox.url) .. RUNS, act, world.thorough and 40 or 8)
      end
    end)
  end)
end)
