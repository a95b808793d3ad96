-- Under --json, standard output is one JSON object, with `error` if anything failed.
-- If it cannot be written, the exit code says so.
local cjson = require("cjson.safe").new()
local core = require "scope3.core"
local world = require "spec.support.world"

local MAP = "--map external_id=id --map email=mail"

local function words_of(line, names)
  local words = {}
  for word in line:gsub("%u%u+", names):gmatch "%S+" do
    words[#words + 1] = word == "''" and "" or word
  end
  return words
end

describe("a machine that reads the command", function()
  local sandbox = world.around(setup, teardown, before_each)
  local names

  local function script(text)
    return world.file(text, ".lua")
  end

  setup(function()
    local lines = { "id,mail" }
    for i = 1, 3000 do
      lines[#lines + 1] = ("%d,m%d@example.com"):format(i, i)
    end
    local map = 'return { audience = "a", map = { external_id = "id", email = "mail" } }'
    names = {
      CSV = world.file("id,mail\n1,a@example.com\n2,b@example.com\n", ".csv"),
      MANY = world.file(table.concat(lines, "\n") .. "\n", ".csv"),
      EMPTY = world.file("", ".csv"), HEADER = world.file("id,mail\n", ".csv"),
      BAD = world.file("id,mail\n1,none\n", ".csv"), MIXED = world.file("id,mail\n1,a@example.com\n2,none\n", ".csv"),
      UTFS = world.file("i\0d\0,\0m\0\n\0001\0", ".csv"),
      CRM = world.file("jane@example.com,4711\n", ".csv"), MISSING = world.path ".csv",
      FOLDER = "spec", URL = sandbox.url, TO = "--audience a " .. MAP, AT = "--account 25 --base-url " .. sandbox.url,
      SYNTAX = script "return {",
      MUTE = script "error(setmetatable({}, { __tostring = function() error('x') end }))",
      BREAKS = script("string.format, table.concat = nil return { audience = 'a', map = { external_id = 'id', "
        .. "email = 'mail' } }"),
      RAISES = script "error('no')", TABLE = script "error({})", NUMBER = script "return 4",
      NOTHING = script "", FIELD = script "return { audiense = 'a', map = {} }", GOOD = script(map),
      EXITS = script("os.exit(0) " .. map),
      PRINTS = script("print('one') io.write('two') io.stdout:write('three\\n') os.execute('echo four') "
        .. "local p = io.popen('cat', 'w') p:write('five') p:close() " .. map),
      BASIS = script("return { audience = { id = 'a', consent_basis = 'foo' }, map = { external_id = 'id', "
        .. "email = 'mail' } }"),
      REASON = script "return { audience = 'a', member = function() return nil, 'caf\\233 \\27[1m' end }",
      MEMBERS = script "return { audience = 'a', member = function() error('inside') end }",
    }
  end)

  local KEY = "SCOPE3_API_KEY=scope3_spec_key "

  -- The one object, its error, and the exit code.
  local function object_of(line, options)
    options = options or {}
    local code, out, err = world.command(words_of(line .. " --json", names), {
      env = KEY .. (options.env or ""), stdin = options.stdin, before = options.before,
    })
    assert.is_true(core.utf8_valid(out), line)
    local object, problem = cjson.decode(out)
    assert.is_table(object, ("%s: %s\n%s\n%s"):format(line, tostring(problem), out, err))
    assert.truthy(out:find("^{.*}\n$"), line)
    assert.is_nil((out .. err):find("traceback", 1, true), line .. err)
    assert.is_nil((out .. err):find("scope3_spec_key", 1, true), line)
    return object, code, err
  end

  -- What a failure says: kind, exit code, and words of its message.
  local FAILURES = {
    -- usage, by the option's name as it is typed
    { "sync CSV TO --rate 0", "usage", 2, "--rate" }, { "sync CSV TO --rate 1.5", "usage", 2, "--rate" },
    { "sync CSV TO --rate x", "usage", 2, "--rate" }, { "sync CSV TO --rate -5", "usage", 2, "--rate" },
    { "sync CSV TO --delimiter ''", "usage", 2, "--delimiter" },
    { "sync CSV TO --delimiter ab", "usage", 2, "--delimiter" },
    { "sync CSV TO --quote ,", "usage", 2, "--quote" }, { "sync CSV TO --quote |", "usage", 2, "--quote" },
    { "sync CSV TO --escape x", "usage", 2, "--escape" }, { "sync CSV TO --null ''", "usage", 2, "--null" },
    { "sync CSV TO --wait=-1", "usage", 2, "--wait" }, { "sync CSV TO --wait -1", "usage", 2, "--wait" },
    { "sync CSV TO --timeout -1", "usage", 2, "--timeout" }, { "sync CSV TO --deadline=-1", "usage", 2, "--deadline" },
    { "sync CSV TO --in-doubt-timeout -1", "usage", 2, "--in-doubt-timeout" },
    { "sync CSV TO --consent-basis foo --sandbox", "usage", 2, "--consent-basis" },
    { "sync CSV TO --concurrency 99 --dry-run", "usage", 2, "--concurrency" },
    { "sync CSV TO --max-bytes 1 --dry-run", "usage", 2, "--max-bytes" },
    { "sync CSV TO --max-members 100001 --dry-run", "usage", 2, "--max-members" },
    { "sync CSV TO --delete-missing , --sandbox", "usage", 2, "--delete-missing" },
    { "sync CSV TO --account a/b --dry-run", "usage", 2, "--account" },
    { "sync CSV TO --account '' --sandbox", "usage", 2, "--account" },
    { "sync CSV TO --base-url ftp://x --account 25", "usage", 2, "--base-url" },
    { "sync CSV TO --base-url nonsense --account 25", "usage", 2, "--base-url" },
    { "sync CSV TO --region Atlantis", "usage", 2, "--region" }, { "sync CSV TO --journal -", "usage", 2, "--journal" },
    { "sync CSV TO --limiter -", "usage", 2, "--limiter" },
    { "sync CSV TO --rejects - --dry-run", "usage", 2, "--rejects" },
    { "sync CSV TO --rejects ''", "usage", 2, "--rejects" }, { "sync CSV TO --mode replace", "usage", 2, "--mode" },
    { "sync CSV TO --min-accepted 0", "usage", 2, "--min-accepted" },
    { "sync CSV TO --max-rejected x", "usage", 2, "--max-rejected" },
    { "sync CSV TO --nosuch", "usage", 2, "--nosuch" }, { "sync CSV TO --audience b", "usage", 2, "--audience" },
    { "sync CSV --audience '' " .. MAP, "usage", 2, "--audience" },
    { "sync CSV " .. MAP, "usage", 2, "--audience" }, { "sync CSV --audience a --map x", "usage", 2, "--map" },
    { "sync CSV --audience a --map mail=x --map external_id=id", "usage", 2, "mail" },
    { "sync CSV --audience a", "usage", 2, "--map" },
    { "sync", "usage", 2, "file" }, { "sync '' TO", "usage", 2, "empty" },
    { "run '' CSV", "usage", 2, "script" }, { "snyc", "usage", 2, "snyc" }, { "", "usage", 2, "" },
    { "run 100%.lua CSV", "usage", 2, "100%.lua" }, { "run CRM CSV --dry-run", "usage", 2, "is not a script" },
    { "run CRM --dry-run", "usage", 2, "scope3 sync" }, { "wait T --timeout=-1", "usage", 2, "--timeout" },
    { "wait a/b AT", "usage", 2, "task" }, { "task '' AT", "usage", 2, "task" }, { "doctor -q", "usage", 2, "--quiet" },
    { "hash phone 1 --phone-repairs x", "usage", 2, "--phone-repairs" }, { "hash fax 1", "usage", 2, "kind" },
    { "sandbox --port 99999", "usage", 2, "--json" },
    { "help nosuch", "usage", 2, "nosuch" }, { "audiences --rate 0", "usage", 2, "--rate" },
    -- scripts
    { "run SYNTAX CSV --dry-run", "script", 1, "syntax|<eof>|expected" },
    { "run RAISES CSV --dry-run", "script", 1, "no" }, { "run TABLE CSV --dry-run", "script", 1, "table" },
    { "run NUMBER CSV --dry-run", "script", 1, "must return a table" },
    { "run NOTHING CSV --dry-run", "script", 1, "must return a table" },
    { "run FIELD CSV --dry-run", "script", 1, "audiense" }, { "run MUTE CSV --dry-run", "script", 1, "" },
    { "run BREAKS CSV --dry-run", "script", 1, "the script changed" },
    { "run EXITS CSV --dry-run", "script", 1, "os.exit" },
    { "run BASIS CSV --dry-run", "invalid", 1, "the script's audience.consent_basis" },
    { "run MEMBERS CSV --dry-run", "nothing|script", "1|3", "" }, { "run FOLDER CSV --dry-run", "usage", 2, "spec" },
    -- inputs
    { "sync MISSING TO --dry-run", "source", 1, "No such file" }, { "sync FOLDER TO --dry-run", "source", 1, "spec" },
    { "sync EMPTY TO --dry-run", "source", 3, "empty" }, { "sync HEADER TO --dry-run", "nothing", 3, "no rows" },
    { "sync BAD TO --dry-run", "nothing", 3, "no row gave" }, { "sync UTFS TO --dry-run", "source", 1, "" },
    { "sync nosuch*.csv TO --dry-run", "source", 1, "pattern" }, { "sync CSV CSV TO --dry-run", "source", 1, "twice" },
    { "sync MIXED TO --dry-run --strict", "failed", 1, "--strict" },
    { "sync MIXED TO --dry-run --max-rejected 0", "nothing", 3, "--max-rejected" },
    { "sync CSV TO --dry-run --min-accepted 9", "nothing", 3, "--min-accepted" },
    { "sync CSV --audience a --map external_id=nope --map email=mail --dry-run", "invalid|source", 1, "nope" },
    { "sync CSV TO --dry-run --rejects FOLDER", "failed", 1, "cannot write" },
    { "sync CSV TO --dry-run --rejects /nosuch/x", "failed", 1, "cannot write" },
    { "sync MIXED TO --dry-run --rejects /dev/full", "failed", 1, "cannot write all" },
    { "sync CSV TO --dry-run --events FOLDER", "failed", 1, "cannot write" },
    { "run GOOD CSV --dry-run --events /nosuch/x", "failed", 1, "cannot write" },
    { "sync CSV TO --dry-run --events /dev/full", "failed", 1, "cannot write all" },
    { "sync CSV TO --dry-run --events -", "usage", 2, "--events" }, { "wait T AT --events -", "usage", 2, "--events" },
    { "sync CSV TO --dry-run --events ''", "usage", 2, "--events is empty" },
    { "sync CSV TO --dry-run --report FOLDER", "usage", 2, "--report" },
    { "sync CSV TO --dry-run --report ''", "usage", 2, "--report" },
    { "sync CSV TO --dry-run --report /nosuch/x.txt", "failed", 1, "cannot write" },
    { "wait T AT --metrics x.prom", "usage", 2, "--metrics" },
    { "wait T AT --events /nosuch/x", "failed", 1, "cannot write" },
    { "sync CSV TO AT --journal /dev/full", "journal", 1, "not a regular file" },
    { "sync CSV TO AT --journal /nosuch/x", "journal", 1, "cannot be opened" },
    { "hash id NULL", false, 1 },
    -- the service
    { "sync CSV TO --account 25 --base-url http://127.0.0.1:9 --patience 0", "network", 1, "" },
    { "wait T --account 25 --base-url http://127.0.0.1:9 --timeout 0 --patience 0", "network", 1, "" },
    { "doctor --account 25 --base-url http://127.0.0.1:9", "failed", 1, "service" },
    { "task nosuch AT", "not_found", 1, "", 404 }, { "wait nosuch AT --timeout 0", "not_found|timeout", 1, "" },
    { "sync CSV TO AT --mode remove", "not_found", 1, "" },
    { "sync CSV TO AT --delete-missing other", "invalid", 1, "old" },
  }

  it("gets one object with the error for each failure, and its exit code", function()
    sandbox:control("PUT", "audience", { account = "25", audienceId = "old", status = "READY" })
    local tried = 0
    for _, case in ipairs(FAILURES) do
      local object, code, err = object_of(case[1])
      local what = case[1] .. ": " .. cjson.encode(object) .. err
      assert.truthy(("|" .. case[3] .. "|"):find("|" .. code .. "|", 1, true), what)
      assert.is_table(object.error, what)
      if case[2] then
        assert.truthy(("|" .. case[2] .. "|"):find("|" .. object.error.kind .. "|", 1, true), what)
      end
      assert.is_string(object.error.message, what)
      assert.is_nil(object.error.message:find("client:", 1, true), what)
      assert.is_nil(object.error.message:find("jane", 1, true), what)
      assert.truthy(object.error.code == cjson.null or type(object.error.code) == "string", what)
      assert.equal(case[5] or object.error.status, object.error.status, what)
      local said = false
      for word in ((case[4] or "") .. "|"):gmatch "([^|]*)|" do
        said = said or object.error.message:find(word, 1, true) ~= nil
      end
      assert.is_true(said, what)
      tried = tried + 1
    end
    assert.is_true(tried >= 80)
    assert.is_false(world.exists "-")
  end)

  it("gets error null next to the fields of each success", function()
    for _, case in ipairs {
      { "sync CSV TO --sandbox --wait", "rows" }, { "sync CSV TO --dry-run", "would_send" },
      { "run GOOD CSV --dry-run", "members" }, { "sync EMPTY TO --dry-run --allow-empty", "rows" },
      { "audiences AT", "audiences" }, { "hash email a@b.co", "hash" }, { "doctor AT", "checks" },
      { "doctor --sandbox", "checks" }, { "help", "help" }, { "help sync", "help" },
      { "--version", "version" }, { "wait --help", "help" }, { "run PRINTS CSV --dry-run", "rows" },
    } do
      local object, code, err = object_of(case[1])
      assert.equal(0, code, case[1] .. err)
      assert.equal(cjson.null, object.error, case[1])
      assert.is_not_nil(object[case[2]], case[1])
    end
  end)

  it("gets the status and the code of what the service refuses, and what was done before", function()
    for status, kind in pairs { [401] = "http", [403] = "http", [404] = "not_found", [422] = "http" } do
      sandbox:configure { faults = world.json.array { { on = "sync", act = "status", status = status, times = -1 } } }
      local object, code = object_of("sync CSV TO AT")
      assert.same({ 1, status }, { code, object.error.status })
      assert.truthy(object.error.kind == kind or object.error.kind == "invalid", object.error.kind)
      assert.same({ 2, 0 }, { object.rows, object.accepted })
      world.assert_sums(object)
    end
  end)

  it("gets the task that failed or waits for a person, and a wait whose time was over", function()
    local object, code
    for outcome, kind in pairs {
      ["failed:terminal"] = "task_failed", ["input-required"] = "needs_action", rejected = "task_failed",
    } do
      sandbox:configure { task_outcomes = world.json.array { outcome } }
      object, code = object_of("sync CSV TO AT --wait")
      assert.same({ 1, kind, 2 }, { code, object.error.kind, object.rows })
      object, code = object_of("wait " .. object.tasks[1].task_id .. " AT")
      assert.same({ 1, kind }, { code, object.error.kind })
      object, code = object_of("task " .. object.error.task_id .. " AT")
      assert.same({ outcome ~= "input-required" and 1 or 0, outcome:match "^[^:]+" }, { code, object.status })
      assert.same(code == 0 and cjson.null or "task_failed", code == 0 and object.error or object.error.kind)
    end
    sandbox:configure { task_seconds = 600 }
    object, code = object_of("sync CSV TO AT --wait=0.3")
    assert.same({ 1, "timeout" }, { code, object.error.kind })
    assert.equal(2, object.accepted)
    local id = object.tasks[1].task_id
    object, code = object_of("wait " .. id .. " AT --timeout 0.3")
    assert.same({ 1, "timeout", id }, { code, object.error.kind, object.error.task_id })
    object, code = object_of("task " .. id .. " AT")
    assert.same({ 0, cjson.null }, { code, object.error })
  end)

  it("gets no key and no account told apart from what was given", function()
    local object, code = object_of("sync CSV TO", { env = "SCOPE3_API_KEY=" })
    assert.same({ 1, "invalid", "api_key" }, { code, object.error.kind, object.error.issues[1].path })
    object, code = object_of("sync CSV TO", { env = "SCOPE3_ACCOUNT_ID=a/b" })
    assert.same({ 1, "invalid" }, { code, object.error.kind })
    assert.truthy(object.error.message:find("SCOPE3_ACCOUNT_ID", 1, true), object.error.message)
  end)

  it("gets nothing of what a script prints, which goes to standard error", function()
    local object, code, err = object_of("run PRINTS CSV --dry-run")
    assert.same({ 0, 2 }, { code, object.rows })
    for _, word in ipairs { "one", "two", "three", "four", "five" } do
      assert.truthy(err:find(word, 1, true), err)
    end
    object = object_of("run REASON CSV --dry-run")
    local reason, n = next(object.rejected)
    assert.equal(2, n)
    assert.truthy(reason:find("^caf"), reason)
  end)

  it("gets empty lists as lists", function()
    local _, out = world.command(words_of("sync CSV TO AT --dry-run --delete-missing all --json", names), { env = KEY })
    assert.truthy(out:find('"would_delete": []', 1, true), out)
    _, out = world.command(words_of("sync CSV TO AT --delete-missing all --wait --json", names), { env = KEY })
    assert.truthy(out:find('"deleted": []', 1, true), out)
    _, out = world.command(words_of("audiences --sandbox --json", names))
    assert.truthy(out:find('"audiences": []', 1, true), out)
    local json = require "scope3.util.json"
    for _, text in ipairs { "[]", '[null,"b"]', '{"a":[]}', "{}", "[[],{}]", "[null]", '{"a":{"b":[null,null]}}' } do
      assert.equal(text, (json.pretty(json.decode(text)):gsub("[%s]", "")))
      assert.equal(text, json.encode(json.decode(text)))
    end
  end)

  -- Runs a shell line with the command in it: the exit code, and what came out.
  local function shell(line, env)
    local out, err = world.path ".out", world.path ".err"
    local code_file = world.path ".code"
    line = line:gsub("%u%u+", names):gsub("scope3 ", os.getenv("SCOPE3_LUA_BIN"):gsub("%%", "%%%%")
      .. " bin/scope3.in ")
    os.execute(("export SCOPE3_API_KEY=scope3_x %s; { %s; } >%s 2>%s; echo $? >%s"):format(env or "", line, out,
      err, code_file))
    return tonumber(world.read(code_file)), world.read(out), world.read(err)
  end

  it("gets the exit code that says so where the object could not be written", function()
    local lines = {
      "scope3 sync CSV TO --dry-run --json >&-", "scope3 hash email a@b.co --json >&-", "scope3 snyc --json >&-",
      "scope3 sync CSV TO --dry-run >&-", "scope3 run RAISES CSV --dry-run --json >&-", "scope3 help >&-",
      "scope3 sync CSV TO --dry-run --json <&- >&- 2>&-", "scope3 doctor AT --json >&-",
      "scope3 audiences AT >&-", "(ulimit -f 0; scope3 sync CSV TO --dry-run --json >FILE)",
    }
    if world.exists "/dev/full" then
      for _, line in ipairs {
        "sync CSV TO --dry-run --json", "sync CSV TO --dry-run", "sync CSV TO --rate 0 --json", "--version",
        "wait --help", "hash email a@b.co", "hash email a@b.co --explain", "audiences AT --json",
        "task nosuch AT --json", "run PRINTS CSV --dry-run", "sync MIXED TO --dry-run --rejects -",
      } do
        lines[#lines + 1] = "scope3 " .. line .. " >/dev/full"
      end
    end
    names.FILE = world.path ".out"
    for _, line in ipairs(lines) do
      assert.equal(4, (shell(line)), line)
    end
    -- nobody reads: the pipe's other end is closed before the command has begun
    names.PIPE = world.path ".pipe"
    local code = shell "mkfifo PIPE; (exec 3<PIPE; :) & exec 4>PIPE; wait; scope3 sync CSV TO --dry-run --json >&4"
    assert.equal(4, code)
    -- what is not asked for need not arrive
    assert.equal(0, (shell "scope3 sync CSV TO --dry-run --quiet >&-"))
    assert.equal(0, (shell "scope3 sync CSV TO --dry-run --json 2>&-"))
    assert.equal(2, (shell "scope3 sync CSV TO --rate 0 2>&-"))
  end)

  it("reads no other file for a standard stream that is closed, and writes into none", function()
    local journal = world.path ".journal"
    names.JOURNAL = journal
    assert.equal(4, (shell "scope3 sync CSV TO AT --journal JOURNAL --json <&- >&- 2>&-"))
    assert.is_nil(world.read(journal):find('"rows": 2', 1, true))
    for _, line in ipairs { "scope3 sync - TO --dry-run --json <&-", "scope3 hash email --json <&-" } do
      local code, out = shell(line)
      assert.equal(1, code, out)
      assert.equal("source", cjson.decode(out).error.kind, out)
    end
    local code, out = shell "scope3 hash email --json </dev/null"
    assert.same({ 3, "nothing" }, { code, cjson.decode(out).error.kind })
  end)

  it("gets the object of a job, a wait and a look that a signal stopped", function()
    sandbox:configure {
      task_seconds = 600, faults = world.json.array { { on = "audiences", act = "delay", seconds = 120, times = -1 } },
    }
    for _, signal in ipairs { "INT", "TERM" } do
      for _, line in ipairs { "sync CSV TO AT --wait --json", "audiences AT --json", "doctor AT --json" } do
        local kind = line:find "^sync" and "task" or "audiences"
        local before = #sandbox:requests(kind)
        local done, out, pid = world.path ".done", world.path ".out", world.path ".pid"
        local words = table.concat(words_of(line, names), " ")
        os.execute(("(%s %s bin/scope3.in %s >%s 2>/dev/null </dev/null & echo $! >%s; wait $!; echo $? "
          .. ">%s.new; mv %s.new %s) &"):format(KEY,
          os.getenv "SCOPE3_LUA_BIN", words, out, pid, done, done, done))
        local deadline = core.now() + 60
        repeat
          core.sleep(0.02)
          assert(core.now() < deadline, line)
        until #sandbox:requests(kind) > before
        os.execute(("kill -%s $(cat %s)"):format(signal, pid))
        repeat
          core.sleep(0.02)
          assert(core.now() < deadline, line)
        until world.exists(done)
        assert.equal("130\n", world.read(done), line)
        assert.equal("cancelled", assert(cjson.decode(world.read(out))).error.kind, line)
      end
    end
  end)

  it("gets the object where a signal came before there was a job", function()
    for _, line in ipairs { "run PIPE CSV --dry-run --json", "hash email --json <PIPE" } do
      names.PIPE = world.path ".pipe"
      local out, done = world.path ".out", world.path ".done"
      line = line:gsub("%u%u+", names)
      -- On a slow machine the signal may come before the handler stands, and kill it.
      os.execute(("mkfifo %s; (%s bin/scope3.in %s >%s 2>/dev/null & p=$!; exec 7<>%s; sleep 0.5; kill -TERM $p; "
        .. "wait $p; echo $? >%s)"):format(names.PIPE,
        os.getenv "SCOPE3_LUA_BIN", line, out, names.PIPE, done))
      local code = tonumber(world.read(done))
      if code ~= 143 then
        assert.equal(130, code, line)
        assert.equal("cancelled", assert(cjson.decode(world.read(out))).error.kind, line)
      end
    end
  end)

  it("gets the object of a fault of the command itself, with a code of its own and where to report it", function()
    local broken = script [[
      local broken = "return function() local t = nil; return t.field end" -- by no line of this script
      getmetatable(require("scope3.result").new({}, { { id = "x" } })).__index.plain = (loadstring or load)(broken, "=result")()
      return { audience = "a", map = { external_id = "id", email = "mail" } }]]
    names.BROKEN = broken
    local object, code, err = object_of("run BROKEN CSV --dry-run")
    assert.same({ 70, "internal" }, { code, object.error.kind })
    assert.truthy(err:find("please report it", 1, true), err)
    local with_trace
    code, with_trace = shell "SCOPE3_DEBUG=1 scope3 run BROKEN CSV --dry-run --json 2>&1 >/dev/null"
    assert.equal(70, code)
    assert.truthy(with_trace:find("stack traceback", 1, true), with_trace)
  end)

  it("gets the object where memory runs out", function()
    local hungry = script [[
      local t = {}
      for i = 1, 1e8 do t[i] = { i, i, i, i } end
      return { audience = "a", map = { external_id = "id", email = "mail" } }]]
    names.HUNGRY = hungry
    if rawget(_G, "jit") or os.getenv "ASAN_OPTIONS" then
      return pending "its memory is not bounded by ulimit -v alone"
    end
    local code, out = shell "ulimit -v 300000; scope3 run HUNGRY CSV --dry-run --json"
    assert.equal(1, code, out)
    local object = assert(cjson.decode(out), out)
    assert.truthy(object.error.message:find("not enough memory", 1, true), out)
  end)
end)
