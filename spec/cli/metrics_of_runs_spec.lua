-- --metrics: what a run came to, for node_exporter, whatever became of it.
local core = require "scope3.core"
local exposition = require "spec.support.exposition"
local world = require "spec.support.world"

local ROWS = "id,mail\n1,a@example.com\n2,nobody\n3,c@example.com\n4,d@example.com\n"
local SUCCESS = "scope3_job_last_success_timestamp_seconds"

describe("scope3 --metrics", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local input, path

  before_each(function()
    input, path = world.file(ROWS, ".csv"), world.path ".prom"
  end)

  local function run(...)
    local words = { "sync", input, "--audience", "crm", "--map", "external_id=id", "--map", "email=mail",
      "--rate", "100000", "--metrics", path, ... }
    return world.command(words, { env = ("SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=%s")
      :format(sandbox.url) })
  end

  -- The samples of the file, without the label that all of them have.
  local function read()
    local page, found = world.read(path), {}
    exposition.check(page)
    local label = ('name="%s"'):format(path:match "([^/]+)%.prom$")
    for key, value in pairs(exposition.read(page)) do
      local name, labels = key:match "^(.-){(.*)}$"
      assert.truthy(labels and labels:find(label, 1, true), key)
      labels = labels:gsub(",?" .. label:gsub("%p", "%%%0"), "")
      found[name .. (labels ~= "" and "{" .. labels .. "}" or "")] = value
    end
    return found, page
  end

  local function nothing_else_is_left()
    local folder, name = path:match "^(.*)/([^/]+)$"
    assert.same({ path }, core.glob(("%s/%s*"):format(folder, name)))
  end

  it("writes when a run ended, how long it took, its rows, and its members by fate", function()
    local before = core.time()
    assert.equal(0, (run "--wait"))
    local found, page = read()
    assert.is_true(found.scope3_job_last_run_timestamp_seconds >= before - 1)
    assert.is_true(found.scope3_job_last_run_timestamp_seconds <= core.time() + 1)
    assert.equal(found.scope3_job_last_run_timestamp_seconds, found[SUCCESS])
    assert.is_true(found.scope3_job_duration_seconds >= 0)
    assert.same({ 0, 4, 0, 1, 0 }, { found.scope3_job_exit_code, found.scope3_job_rows, found.scope3_job_rows_skipped,
      found.scope3_job_rows_rejected, found.scope3_job_retries })
    assert.equal(1, found['scope3_job_rows_rejected_by_reason{reason="no_identifier"}'])
    assert.equal(1, found['scope3_job_identifiers_dropped_by_reason{reason="email_no_at"}'])
    for fate, n in pairs { added = 3, removed = 0, replaced = 0, rejected_by_service = 0, failed = 0, unknown = 0 } do
      assert.equal(n, found[('scope3_job_members{fate="%s"}'):format(fate)], fate)
    end
    for _, word in ipairs { "crm", "nobody", "example", "scope3_test_key" } do
      assert.is_nil(page:find(word, 1, true), word)
    end
    nothing_else_is_left()
  end)

  it("counts members that were removed as such", function()
    assert.equal(0, (run()))
    world.write(input, "id,mail\n1,a@example.com\n3,c@example.com\n")
    assert.equal(0, (run("--mode", "remove")))
    local found = read()
    assert.same({ 2, 0 }, { found['scope3_job_members{fate="removed"}'], found['scope3_job_members{fate="added"}'] })
  end)

  it("says what a night found, and whom a guard held back", function()
    if not pcall(require, "scope3.state") then
      return pending "this build is without SQLite"
    end
    local state = world.path ".state"
    assert.equal(0, (run("--state", state, "--mirror", "--wait")))
    local found = read()
    assert.same({ 0, 4, 0 }, { found.scope3_job_night_before, found['scope3_job_night_people{fate="added"}'],
      found.scope3_job_night_held_back }) -- one of the added has a row that gives no member
    world.write(input, "id,mail\n1,a@example.com\n4,new@example.com\n")
    assert.equal(1, (run("--state", state, "--mirror")))
    found = read()
    assert.same({ 3, 1, 1 }, { found.scope3_job_night_before, found.scope3_job_night_held_back,
      found.scope3_job_exit_code })
    for fate, n in pairs { added = 0, changed = 1, unchanged = 1, removed = 0, rejected_before = 0, under_way = 0,
      deferred = 0, excluded = 0, kept = 0, not_there = 0 } do
      assert.equal(n, found[('scope3_job_night_people{fate="%s"}'):format(fate)], fate)
    end
  end)

  it("writes the exit code of a run that failed, and keeps when the last one succeeded", function()
    assert.equal(0, (run()))
    local success = read()[SUCCESS]
    sandbox:fault { on = "sync", act = "status", status = 403, times = -1 }
    assert.equal(1, (run()))
    assert.equal(1, (run())) -- over several
    local found = read()
    assert.same({ 1, success, 3 }, { found.scope3_job_exit_code, found[SUCCESS],
      found['scope3_job_members{fate="failed"}'] })
    assert.is_true(found.scope3_job_last_run_timestamp_seconds > success)
  end)

  it("writes 0 where no run succeeded", function()
    assert.equal(3, (run("--min-accepted", "100")))
    local found = read()
    assert.same({ 3, 0, 3 }, { found.scope3_job_exit_code, found[SUCCESS], found['scope3_job_members{fate="added"}'] })
  end)

  it("writes it also where no job began", function()
    world.write(input, "other,columns\n1,2\n")
    assert.is_true((run()) ~= 0)
    local found = read()
    assert.is_true(found.scope3_job_exit_code ~= 0)
    assert.equal(0, found[SUCCESS])
    input = "/nosuch/file.csv"
    assert.equal(1, (run()))
    assert.equal(1, read().scope3_job_exit_code)
  end)

  it("writes it where a signal stopped the run", function()
    sandbox:fault { on = "sync", act = "delay", seconds = 600, times = -1 }
    local out, code = world.path ".out", world.path ".code"
    os.execute(("(SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=%s %s bin/scope3.in sync %s "
      .. "--audience crm --map external_id=id --map email=mail --metrics %s >%s 2>&1 & pid=$!; "
      .. "echo $pid >%s.pid; wait $pid; echo $? >%s) &"):format(sandbox.url, os.getenv "SCOPE3_LUA_BIN", input, path,
      out, code, code))
    local deadline = core.now() + 120
    while #sandbox:requests "sync" == 0 do
      assert(core.now() < deadline, "nothing was sent")
      core.sleep(0.02)
    end
    os.execute(("kill -TERM $(cat %s.pid)"):format(code))
    while not world.exists(code) or world.read(code) == "" do
      assert(core.now() < deadline, "it does not end")
      core.sleep(0.02)
    end
    os.remove(code .. ".pid")
    assert.equal("130\n", world.read(code))
    assert.same({ 130, 0 }, { read().scope3_job_exit_code, read()[SUCCESS] })
  end)

  it("gives one count to the reasons that a script words itself", function()
    local script = world.file([[return { audience = "crm", member = function(row)
      if row.mail == "nobody" then return nil, "no mail: " .. row.mail end
      return { external_id = row.id, email = row.mail }
    end }]], ".lua")
    assert.equal(0, (world.command({ "run", script, input, "--sandbox", "--metrics", path })))
    local found, page = read()
    assert.equal(1, found['scope3_job_rows_rejected_by_reason{reason="rejected_by_script"}'])
    assert.is_nil(page:find("nobody", 1, true))
  end)

  for what, before in pairs {
    ["an empty file"] = "", ["a binary file"] = "\0\255\n\n" .. ("\1"):rep(70000),
    ["no number"] = SUCCESS .. "{name=\"x\"} 12.34.56\n", ["a time to come"] = SUCCESS .. "{name=\"x\"} 99999999999\n",
    ["a number without an end"] = SUCCESS .. "{name=\"x\"} 1700000000",
    ["a number of another form"] = SUCCESS .. "{name=\"x\"} 0x10\n" .. SUCCESS .. "{name=\"y\"} -5\n",
  } do
    it("takes nothing over from an old file that is " .. what, function()
      world.write(path, before)
      assert.equal(3, (run("--min-accepted", "100")))
      assert.equal(0, read()[SUCCESS])
    end)
  end

  it("takes the time of the last success over from a file of another name", function()
    world.write(path, ("# HELP x y\n%s{name=\"other\"} 1700000000.25\n"):format(SUCCESS))
    assert.equal(3, (run("--min-accepted", "100")))
    assert.equal(1700000000.25, read()[SUCCESS])
  end)

  it("does not replace a pipe, and does not wait for what it says", function()
    os.execute("mkfifo " .. path)
    assert.equal(2, (world.command({ "sync", input, "--sandbox", "--audience", "crm", "--map", "external_id=id",
      "--map", "email=mail", "--metrics", path }, { before = "timeout 100" })))
    assert.equal("pipe", core.file_kind(path))
  end)

  it("is exit code 1 where the file cannot be written, and says so, also to machines", function()
    path = "/nosuch/night.prom"
    local code, out, err = run "--json"
    assert.equal(1, code)
    assert.truthy(err:find("scope3: cannot write the metrics to /nosuch/night.prom: ", 1, true), err)
    local object = require("cjson.safe").new().decode(out)
    assert.equal(3, object.accepted)
    assert.truthy(object.error.message:find("cannot write the metrics", 1, true))
    path = world.path ".prom"
    os.execute("mkdir " .. path)
    code, out, err = run()
    assert.same({ 1, true }, { code, out:find("3 members", 1, true) ~= nil })
    assert.truthy(err:find("; the job went on without it: accepted 3 members\n", 1, true), err)
    nothing_else_is_left()
    os.execute("rmdir " .. path)
  end)

  it("says that standard output could not be written", function()
    if not core.file_identity "/dev/full" then
      return pending "there is no /dev/full here"
    end
    local code_file = world.path ".code"
    os.execute(("SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=%s %s bin/scope3.in sync %s "
      .. "--audience crm --map external_id=id --map email=mail --metrics %s >/dev/full 2>/dev/null; echo $? >%s")
      :format(sandbox.url, os.getenv "SCOPE3_LUA_BIN", input, path, code_file))
    assert.equal("4\n", world.read(code_file))
    assert.same({ 4, 0 }, { read().scope3_job_exit_code, read()[SUCCESS] })
  end)

  it("never writes over the input, the script or another file of the command", function()
    local same = world.file(ROWS, ".prom")
    path, input = same, same
    assert.equal(2, (run()))
    assert.equal(ROWS, world.read(same))
    local script = world.file("return {", ".prom") -- no script, so that no job begins
    assert.equal(2, (world.command { "run", script, same, "--sandbox", "--metrics", script }))
    assert.equal("return {", world.read(script))
    assert.equal(2, (world.command { "run", script, same, "--sandbox", "--metrics", same }))
    assert.equal(ROWS, world.read(same))
    -- Names that lead to a file twice are no input, and yet not to be written over.
    path, input = same, (same:gsub("prom$", "pro?"))
    assert.equal(2, (run(same)))
    assert.equal(ROWS, world.read(same))
    input, path = world.file(ROWS, ".csv"), world.path ".prom"
    assert.equal(2, (run("--rejects", path)))
    assert.is_nil(core.file_identity(path))
  end)
end)
