-- --journal auto keeps a file for each job in the folder for the state of programs. An interrupted job goes on where
-- its rows are the same, and one that has ended begins anew, so that one line of cron works every night.
local core = require "scope3.core"
local world = require "spec.support.world"

describe("scope3 --journal auto", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0, audience_seconds = 0 })
  local home, state, input, script

  before_each(function()
    home = world.path ""
    os.execute("mkdir " .. home)
    state, input, script = home .. "/.local/state/scope3", home .. "/rows.csv", home .. "/crm.lua"
    world.write(script, "return { audience = 'crm', map = { external_id = 'id', email = 'mail' } }")
  end)
  after_each(function()
    os.execute("rm -rf " .. home)
  end)

  local function rows(...)
    local lines = { "id,mail" }
    for i, id in ipairs { ... } do
      lines[i + 1] = ("%s,m%s@example.com"):format(id, id)
    end
    world.write(input, table.concat(lines, "\n") .. "\n")
  end

  local function command(words, env, before)
    return world.command(words, { before = before, env = ("HOME=%s XDG_STATE_HOME= SCOPE3_API_KEY=scope3_test_key "
      .. "SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=%s %s"):format(home, sandbox.url, env or "") })
  end

  -- The command of every night: exit code, the object, and what was complained of.
  local function night(...)
    local code, out, err = command { "run", script, input, "--journal", "auto", "--rate", "100000", "--max-members",
      "1", "--json", "--patience", "0", ... }
    return code, world.json.decode(out), err
  end

  local function files(ending, folder)
    return core.glob((folder or state) .. "/*" .. ending) or {}
  end

  local function mode_of(path)
    local pipe = assert(io.popen("stat -c %a " .. path))
    local mode = pipe:read "*l"
    pipe:close()
    return mode
  end

  local function fail(after)
    sandbox:fault { on = "sync", act = "status", status = 422, after = after, times = -1 }
  end

  local function heal()
    sandbox:configure { faults = world.json.array {} }
  end

  it("begins a new file where the job before has ended, whatever the rows are", function()
    for n, ids in ipairs { { "1", "2" }, { "1", "2" }, { "3", "4", "5" } } do
      rows(ids[1], ids[2], ids[3])
      local code, object, err = night()
      assert.equal(0, code, err)
      assert.same({ #ids, 0 }, { object.accepted, object.resumed }, n)
      assert.same({}, files ".journal")
    end
    assert.equal(7, #sandbox:requests "sync")
    local done = files ".done"
    assert.is_true(#done >= 1)
    assert.same({ "700", "600" }, { mode_of(state), mode_of(done[1]) })
    for _, path in ipairs(done) do
      assert.truthy(path:find "/run%-crm%-%x+%.%d+T%d+Z%.done$", path)
      assert.is_nil(world.read(path):find("example", 1, true))
    end
  end)

  it("goes on where the job before was interrupted and the rows are the same", function()
    rows("1", "2", "3")
    fail(2)
    local code, object, err = night()
    assert.same({ 1, 2 }, { code, object.accepted })
    local path = files ".journal"[1]
    assert.truthy(err:find("run the same command again to go on: " .. path, 1, true), err)
    assert.equal("600", mode_of(path))
    heal()
    code, object, err = night()
    assert.equal(0, code, err)
    assert.same({ 3, 2 }, { object.accepted, object.resumed })
    assert.same({ 0, 1 }, { #files ".journal", #files ".done" })
  end)

  it("begins a new file where a task of the job before failed for good, which no later run would change", function()
    rows("1", "2")
    sandbox:configure { task_outcomes = world.json.array { "failed:terminal" } }
    local code, object, err = night "--wait=60"
    assert.same({ 1, "task_failed" }, { code, object.error.kind })
    assert.is_nil(err:find("run the same command again to go on", 1, true), err)
    assert.same({}, files ".journal")
    rows("1", "2", "3")
    code, object, err = night "--wait=60"
    assert.equal(0, code, err)
    assert.same({ 3, 0 }, { object.accepted, object.resumed })
  end)

  it("says what to do where the job before was interrupted and the rows have changed", function()
    rows("1", "2", "3")
    fail(2)
    night()
    heal()
    rows("4", "5")
    local before = #sandbox:requests "sync"
    local code, object, err = night()
    assert.equal(1, code)
    assert.same({ "journal", "changed_input" }, { object.error.kind, object.error.code })
    local path = files ".journal"[1]
    assert.truthy(err:find("an earlier run of this job did not come to its end. To finish it, bring back its rows", 1,
      true), err)
    assert.truthy(err:find("To begin anew, remove " .. path .. ":", 1, true), err)
    assert.equal(before, #sandbox:requests "sync")
    os.remove(path)
    code, object = night()
    assert.same({ 0, 2 }, { code, object.accepted })
  end)

  it("binds nobody to the options of a run that sent nothing", function()
    rows("1", "2")
    sandbox:fault { on = "sync", act = "status", status = 503, times = -1 }
    assert.equal(1, (night("--deadline", "0")))
    assert.equal(1, #files ".journal")
    heal()
    local code, object, err = night("--no-repair", "--name", "other")
    assert.equal(0, code, err)
    assert.equal(2, object.accepted)
    rows("1", "2", "3")
    fail(1)
    assert.equal(1, (night("--name", "other")))
    heal()
    code, object = night("--name", "third")
    assert.same({ 1, "another_job" }, { code, object.error.code })
  end)

  it("binds nobody to the rows of a run of which the service took nothing for certain", function()
    for _, status in ipairs { 401, 422, 503 } do
      rows("1", "2")
      sandbox:fault { on = "sync", act = "status", status = status, times = -1 }
      assert.equal(1, (night()))
      heal()
      rows("3", "4", "5")
      local code, object, err = night()
      assert.equal(0, code, err)
      assert.same({ 3, 0 }, { object.accepted, object.resumed })
    end
    rows("1", "2")
    sandbox:fault { on = "sync", act = "lost_reply", times = -1 }
    assert.equal(1, (night()))
    heal()
    rows("3", "4", "5")
    local code, object = night()
    assert.same({ 1, "changed_input" }, { code, object.error.code })
  end)

  it("is in use where another run of the job has it", function()
    rows("1", "2")
    fail(1)
    night()
    heal()
    local handle = assert(core.append_file(files ".journal"[1], true))
    local code, object, err = night()
    handle:close()
    assert.same({ 1, "locked" }, { code, object.error.code })
    assert.truthy(err:find("is in use by another process, which runs this job", 1, true), err)
    assert.equal(0, (night()))
  end)

  it("has a file for each command, script, input, mode, audience, account and service", function()
    rows("1", "2")
    fail(0)
    local function count(words, env)
      local all = { "--journal", "auto", "--rate", "100000", "--patience", "0", "--quiet" }
      for i = #words, 1, -1 do
        table.insert(all, 1, words[i])
      end
      assert.equal(1, (command(all, env)))
      return #files ".journal"
    end
    local other, again = home .. "/other.csv", home .. "/again.lua"
    world.write(other, world.read(input))
    world.write(again, world.read(script))
    local map = { "--map", "external_id=id", "--map", "email=mail" }
    local n = count { "run", script, input }
    assert.equal(n, count { "run", script, input })
    assert.equal(n, count({ "run", script, input }, "SCOPE3_API_KEY=scope3_other"))
    for _, words in ipairs {
      { "run", script, other }, { "run", again, input }, { "run", script, input, "--audience", "b/ c\195\164" },
      { "run", script, input, "--mode", "upsert" }, { "run", script, input, other },
      { "run", script, input, "--account", "26" },
      { "sync", input, "--audience", "crm", map[1], map[2], map[3], map[4] },
    } do
      n = n + 1
      assert.equal(n, count(words))
    end
    for _, path in ipairs(files ".journal") do
      assert.truthy(path:match "([^/]+)$":find "^[a-z]+%-[A-Za-z0-9_.-]+%-%x+%.journal$", path)
      assert.equal("600", mode_of(path))
    end
  end)

  it("has the same file for a path and for one from where the command runs", function()
    rows("1", "2")
    fail(1)
    night()
    heal()
    local out = world.path ".out"
    local at = ("cd %s && HOME=%s XDG_STATE_HOME= SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25 ")
      :format(home, home) .. "SCOPE3_BASE_URL=" .. sandbox.url
    os.execute(("root=$PWD; export LUA_PATH=\"$root/lua/?.lua;$root/lua/?/init.lua;$LUA_PATH\"; %s %s "
      .. "$root/bin/scope3.in run ./crm.lua rows.csv --journal auto --max-members 1 --json --rate 9999 >%s"):format(at,
      os.getenv "SCOPE3_LUA_BIN", out))
    local object = world.json.decode(world.read(out))
    assert.same({ 2, 1 }, { object.accepted, object.resumed })
  end)

  it("removes files that ended a week ago, and no others", function()
    rows("1", "2")
    assert.equal(0, (night()))
    local text = world.read(files ".done"[1])
    local function stamp(days)
      return os.date("!%Y%m%dT%H%M%SZ", math.floor(core.time()) - days * 86400)
    end
    local kept = {
      ["run-crm-0123456789abcdef." .. stamp(6) .. ".done"] = text, ["run-crm-0123456789abcdef.journal"] = text,
      ["run-a-0123456789abcdef." .. stamp(9) .. ".done"] = "what somebody else wrote\n" .. text,
      ["run-b-0123456789abcdef." .. stamp(9) .. ".done"] = "", ["notes." .. stamp(9) .. ".done"] = text,
      ["run-c-0123456789abcdef.20200101.done"] = text, ["run-d-xyz." .. stamp(9) .. ".done"] = text,
      ["run-e-0123456789abcdef." .. stamp(9) .. ".done.bak"] = text,
    }
    local gone = { "run-crm-0123456789abcdef." .. stamp(8) .. ".done", "sync-x.y-0123456789abcdef." .. stamp(400)
      .. ".done" }
    for name, words in pairs(kept) do
      world.write(state .. "/" .. name, words)
    end
    for _, name in ipairs(gone) do
      world.write(state .. "/" .. name, text)
    end
    local link = "run-l-0123456789abcdef." .. stamp(9) .. ".done"
    os.execute(("ln -s %s/run-crm-0123456789abcdef.journal %s/%s"):format(state, state, link))
    assert.equal(0, (night()))
    for name, words in pairs(kept) do
      assert.is_true(world.exists(state .. "/" .. name), name)
      assert.equal(words, world.read(state .. "/" .. name))
    end
    assert.truthy(core.link_target(state .. "/" .. link))
    for _, name in ipairs(gone) do
      assert.is_false(world.exists(state .. "/" .. name), name)
    end
  end)

  it("ends with what was accepted where only the time of a wait was over, and not where a task failed, too", function()
    rows("1", "2")
    sandbox:configure { task_outcomes = { "never", "never" } }
    assert.equal(1, (night("--wait", "0")))
    assert.same({ 0, 1 }, { #files ".journal", #files ".done" })
    sandbox:configure { task_outcomes = { "failed:terminal", "never" } }
    local code, object = night("--wait", "0")
    assert.same({ 1, "timeout", 1 }, { code, object.error.kind, object.failed })
    assert.equal(1, #files ".journal")
  end)

  it("lies in XDG_STATE_HOME where that is an absolute path", function()
    rows("1")
    local other = home .. "/with [odd] name"
    local words = { "run", script, input, "--journal", "auto", "--quiet" }
    assert.equal(0, (command(words, ("XDG_STATE_HOME='%s'"):format(other))))
    assert.equal(0, (command(words, "XDG_STATE_HOME=relative")))
    assert.same({ 1, 1 }, { #files(".done"), #files(".done", home .. "/with*name/scope3") })
    local old = files(".done", home .. "/with*name/scope3")[1]
    os.rename(old, (old:gsub("%.%d+T", ".20250101T")))
    assert.equal(0, (command(words, ("XDG_STATE_HOME='%s'"):format(other))))
    assert.equal(1, #files(".done", home .. "/with*name/scope3"))
    assert.is_nil(core.file_kind "relative")
  end)

  it("is refused where its folder is not known, or may be written to by others", function()
    rows("1")
    local words = { "run", script, input, "--journal", "auto" }
    for _, env in ipairs { "HOME=", "HOME=relative", "HOME=relative XDG_STATE_HOME=relative" } do
      local code, _, err = command(words, env)
      assert.equal(1, code)
      assert.truthy(err:find("--journal auto needs an absolute path in HOME or XDG_STATE_HOME", 1, true), err)
      assert.is_nil(core.file_kind "relative")
    end
    os.execute(("mkdir -p %s && chmod 770 %s"):format(state, state))
    local code, _, err = command(words)
    assert.equal(1, code)
    assert.truthy(err:find(state .. ": others may write to it", 1, true), err)
    os.execute(("rm -r %s && touch %s"):format(state, state))
    code, _, err = command(words)
    assert.equal(1, code)
    assert.truthy(err:find("cannot use the folder " .. state, 1, true), err)
    assert.same({}, sandbox:requests())
  end)

  it("is refused where its folder cannot be made, or belongs to another user", function()
    rows("1")
    local words = { "run", script, input, "--journal", "auto" }
    local code, _, err = command(words, "XDG_STATE_HOME=" .. input .. "/state")
    assert.equal(1, code)
    assert.truthy(err:find("cannot use the folder " .. input .. "/state: ", 1, true), err)
    os.execute(("mkdir -p %s && chmod 700 %s"):format(state, state))
    os.execute(("chown 65534 %s 2>/dev/null && touch %s/given"):format(state, home))
    if not core.file_kind(home .. "/given") then
      return -- only root may give a folder away
    end
    code, _, err = command(words)
    assert.equal(1, code)
    assert.truthy(err:find(state .. ": it belongs to another user", 1, true), err)
    assert.same({}, sandbox:requests())
  end)

  it("follows no link in place of its file", function()
    rows("1", "2")
    fail(1)
    night()
    local path = files ".journal"[1]
    os.execute(("mv %s %s/moved && ln -s %s/moved %s"):format(path, home, home, path))
    local code, _, err = night()
    assert.equal(1, code)
    assert.truthy(err:find("does not follow the link " .. path, 1, true), err)
  end)

  it("is refused where it would have no effect, and where rows come once", function()
    rows("1")
    for says, words in pairs {
      ["--journal auto has no effect with --sandbox"] = { "--sandbox" },
      ["--journal has no effect on a dry run"] = { "--dry-run" },
    } do
      local all = { "run", script, input, "--journal", "auto" }
      all[#all + 1] = words[1]
      local code, _, err = command(all)
      assert.equal(2, code)
      assert.truthy(err:find(says, 1, true), err)
    end
    local code, _, err = command { "run", script, "--journal", "auto" }
    assert.equal(1, code)
    assert.truthy(err:find("standard input cannot be read again", 1, true), err)
    assert.same({}, files ".journal")
  end)
end)
