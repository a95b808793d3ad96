-- scope3 forget removes people from every audience, by ids that are words or lines of a file. Its exit code is that of
-- the worst, and neither its words nor its reports and events name an id.
local cjson = require("cjson.safe").new()
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

describe("scope3 forget", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0, audience_seconds = 0 })
  local env

  before_each(function()
    env = ("SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=%s"):format(sandbox.url)
  end)

  local function fill(...)
    local rows = world.file("id,mail\nzq1,a@example.com\nzq2,b@example.com\nzq3,c@example.com\n", ".csv")
    for _, name in ipairs { ... } do
      local code, _, err = world.command({ "sync", rows, "--audience", name, "--map", "external_id=id", "--map",
        "email=mail", "--rate", "100000", "--wait", "--quiet" }, { env = env })
      assert.equal(0, code, err)
    end
  end

  -- The names of the specs' own files are left out: they are letters by chance.
  local function assert_names_nobody(text)
    local said = text:gsub("/lua_%w+", "/")
    assert.is_nil(said:find("zq", 1, true), text)
    assert.is_nil(said:find("jane", 1, true), text)
  end

  local function forget(words, options)
    options = options or {}
    options.env = options.env or env
    local all = { "forget" }
    for word in words:gmatch "%S+" do
      all[#all + 1] = word
    end
    local code, out, err = world.command(all, options)
    for _, said in ipairs { out, err } do
      assert_names_nobody(said)
    end
    return code, out, err
  end

  local function ids_of(name)
    local ids = sandbox:ids(name)
    table.sort(ids)
    return table.concat(ids, " ")
  end

  local function count(kind)
    return #sandbox:requests(kind)
  end

  it("removes the ids that are words from every audience", function()
    fill("crm", "vips")
    local code, out, err = forget "zq1 zq3 --wait"
    assert.equal(0, code, err)
    assert.same({ "zq2", "zq2" }, { ids_of "crm", ids_of "vips" })
    assert.truthy(out:find("\n  audiences  2 · 2 removed\n  accepted   4 removals\n", 1, true), out)
    assert.truthy(out:find("\n  crm   removed  2\n  vips  removed  2\n", 1, true), out)
    assert.is_nil(out:find("run the same command", 1, true))
  end)

  for what, text in pairs {
    ["a file"] = "zq1\nzq3\n", ["a file of Windows without its last line end"] = "\239\187\191zq1\r\n\r\n  zq3",
    ["a file that names one twice"] = "zq3\nzq1\nzq3\n\n",
  } do
    it("takes them from " .. what .. ", and from standard input", function()
      for _, at in ipairs { "crm", "vips" } do
        fill(at)
        local path = world.file(text, ".txt")
        local code, out, err = forget("--wait --file " .. (at == "crm" and path or "-"), { stdin = path })
        assert.equal(0, code, err)
        assert.truthy(out:find "\n  ids        2", out)
        assert.equal("zq2", ids_of(at))
      end
    end)
  end

  it("refuses a file that holds more than ids, before anything is asked", function()
    for text, says in pairs {
      ["zq1\nzq2,jane@example.com\n"] = "line 2 of ", ["zq1\tx\n"] = "line 1 of ", ['{"id":"zq1"}\n'] = "one id a line",
      ["zq1;2\n"] = "no other column", ["\31\139zq"] = "is gzip", ["zq\255\n"] = "is not UTF-8", ["zq\0\n"] = "UTF-8",
    } do
      local code, _, err = forget("--file " .. world.file(text))
      assert.equal(1, code)
      assert.truthy(err:find(says, 1, true), err)
    end
    for _, path in ipairs { "/nosuch/file", "/tmp" } do
      local code, _, err = forget("--file " .. path)
      assert.equal(1, code)
      assert.truthy(err:find("cannot read " .. path .. ": ", 1, true), err)
    end
    assert.equal(0, count())
  end)

  it("has nothing to do with a file without ids, and in an account without audiences", function()
    local path = world.file "\n \r\n"
    for words, says in pairs { ["--file " .. path] = path .. " has no ids", zq1 = "the account has no audiences" } do
      local code, _, err = forget(words)
      assert.equal(3, code)
      assert.truthy(err:find(says .. ", so nobody was forgotten", 1, true), err)
      assert.equal(0, (forget(words .. " --allow-empty")))
    end
    fill "crm"
    sandbox:control("PUT", "audience", { account = "25", audienceId = "crm", deleted = true })
    local code, _, err = forget "zq1"
    assert.equal(3, code)
    assert.truthy(err:find("the account has no audiences that are not deleted", 1, true), err)
  end)

  it("forgets the others where an id is refused, says in which line it stands, and fails", function()
    fill "crm"
    local path = world.file("zq1\n\njane@example.com\nn/a\nzq2\n")
    local code, out, err = forget("--wait --file " .. path)
    assert.equal(1, code)
    assert.equal("zq3", ids_of "crm")
    assert.truthy(out:find("\n  ids        2\n  refused    2 ids\n", 1, true), out)
    assert.truthy(out:find("\n  line 3  external id: an email", 1, true) and out:find("\n  line 4  ", 1, true), out)
    assert.truthy(err:find("ids were refused", 1, true), err)
    assert.truthy(select(2, forget("zq1 n/a")):find("\n  id 2  ", 1, true))
  end)

  it("hashes ids as they were hashed when they were sent", function()
    local rows = world.file("id,mail\nJane@example.com,a@example.com\n", ".csv")
    assert.equal(0, (world.command({ "sync", rows, "--audience", "crm", "--ids", "hash", "--map", "external_id=id",
      "--map", "email=mail", "--wait", "-q" }, { env = env })))
    assert.equal(1, #sandbox:ids "crm")
    assert.equal(0, (forget "jane@example.com --ids hash --wait"))
    assert.equal(0, #sandbox:ids "crm")
  end)

  it("goes on past one that fails, and says which, why, and what to do", function()
    fill("a1", "a2", "a3", "a4", "a5")
    sandbox:fault { on = "sync", act = "status", status = 422, after = 2, code = "CAPABILITY_NOT_SUPPORTED",
      message = "no customer audiences, such as zq1" }
    local txt, page = world.path ".txt", world.path ".html"
    local code, out, err = forget(("zq1 --wait --report %s --report %s"):format(txt, page))
    assert.equal(1, code)
    assert.truthy(err:find("scope3: 1 of 5 audiences is not done; the first, a3: ", 1, true), err)
    assert.truthy(out:find("\n  audiences  5 · 4 removed, 1 failed\n", 1, true), out)
    assert.truthy(out:find("\n  accepted   4 removals · 1 failed\n", 1, true), out)
    assert.truthy(out:find("\n  a3  failed   0  ", 1, true), out)
    assert.truthy(out:find("To go on, run the same command again", 1, true), out)
    for _, path in ipairs { txt, page } do
      local text = world.read(path)
      assert.truthy(text:find("scope3 forget of 5 audiences: FAILED, accepted 4 removals, 1 failed", 1, true), text)
      assert.truthy(text:find("a3", 1, true) and text:find("run the same command again", 1, true), text)
      assert_names_nobody(text)
    end
    code, out = forget "zq1 --wait"
    assert.equal(0, code)
    assert.truthy(out:find("5 removed", 1, true))
  end)

  it("says how many removals were not sent where the key is refused", function()
    fill("a1", "a2", "a3")
    sandbox:fault { on = "sync", act = "status", status = 401, after = 1, times = -1 }
    local code, out = forget "zq1 zq2"
    assert.equal(1, code)
    assert.truthy(out:find("\n  audiences  3 · 1 accepted, 1 failed, 1 not sent\n"
      .. "  accepted   2 removals · 2 failed · 2 not sent\n", 1, true), out)
  end)

  it("says which audiences an earlier task may still change", function()
    fill("crm", "vips")
    sandbox:control("PUT", "audience", { account = "25", audienceId = "vips", status = "PROCESSING" })
    local code, out = forget "zq1"
    assert.equal(0, code)
    assert.truthy(out:find("An earlier task was still under way in 1 audience, and may put people back", 1, true), out)
  end)

  it("sends nothing where the list cannot be read, and says so", function()
    fill "crm"
    local before = count "sync"
    sandbox:fault { on = "audiences", act = "status", status = 403, times = -1 }
    for _, words in ipairs { "zq1", "zq1 --dry-run" } do
      local code, out, err = forget(words)
      assert.equal(1, code)
      assert.truthy(err:find("could not be listed, so nothing was sent", 1, true), err)
      assert.truthy(out:find("\n  audiences  not listed\n  accepted   0 removals\n", 1, true), out)
    end
    assert.equal(before, count "sync")
  end)

  it("says in a dry run from which audiences how many would go, and sends nothing", function()
    fill("crm", "vips")
    local before = count "sync"
    local code, out, err = forget "zq1 zq2 zq2 --dry-run"
    assert.equal(0, code, err)
    assert.truthy(out:find("would remove  2 ids from 2 audiences\n", 1, true), out)
    assert.truthy(out:find("\n  crm   would remove\n  vips  would remove\n", 1, true), out)
    assert.equal(before, count "sync")
    local key = world.file "scope3_test_key\n"
    local without = { env = env:gsub("SCOPE3_API_KEY=%S+", "") }
    code, out, err = forget("zq1 --dry-run --api-key-file " .. key, without)
    assert.equal(0, code, err .. out)
    code, out, err = forget("zq1 --dry-run", without)
    assert.equal("", out)
    assert.equal(1, code)
    assert.truthy(err:find("api_key is missing", 1, true), err)
  end)

  it("prints one object, and writes each event with its audience", function()
    fill("crm", "vips")
    local path = world.path ".jsonl"
    local code, out, err = forget("zq1 --wait --json --events " .. path)
    assert.equal(0, code, err)
    local object = cjson.decode(out)
    assert.same({ 1, 2, "crm", "removed", cjson.null }, { object.ids, object.accepted, object.audiences[1].audience_id,
      object.audiences[1].state, object.error })
    local text, names = world.read(path), {}
    for line in text:gmatch "[^\n]+" do
      local event = cjson.decode(line)
      names[event.event] = (names[event.event] or "") .. " " .. tostring(event.audience_id)
    end
    assert.same({ " crm vips", " crm vips" }, { names.accepted, names.task })
    assert_names_nobody(text)
    assert.equal("", (select(2, forget("zq1 --quiet"))))
  end)

  it("writes its events in place of a report where these go to standard output", function()
    fill "crm"
    local code, out = forget "zq1 --events -"
    assert.equal(0, code)
    for line in out:gmatch "[^\n]+" do
      assert.is_string(cjson.decode(line).event)
    end
    assert.truthy(out:find('"accepted"', 1, true), out)
  end)

  it("says what went where the file of --events is full", function()
    fill("crm", "vips")
    local code, _, err = forget "zq1 zq2 --quiet --events /dev/full"
    assert.equal(1, code)
    assert.truthy(err:find("; the command went on without it: accepted 4 removals\n", 1, true), err)
  end)

  it("names twenty refused ids by their lines, and counts the others", function()
    local path = world.file(("n/a\n"):rep(24) .. "zq1\n")
    local code, out = forget("--dry-run --file " .. path)
    assert.equal(1, code)
    assert.truthy(out:find("\n  line 20  [^\n]+\n  and 4 more\n"), out)
    assert.is_nil(out:find("line 21", 1, true))
  end)

  it("sends nothing where a file that it is to write or read cannot be opened, or there is no key", function()
    fill "crm"
    local before, no_folder = count(), world.file "zq1\n"
    for words, says in pairs {
      [("zq1 --events %s/e"):format(no_folder)] = no_folder .. "/e",
      [("zq1 --report %s/r.txt"):format(no_folder)] = no_folder .. "/r.txt",
      [("--file %s/ids"):format(no_folder)] = no_folder .. "/ids",
    } do
      local code, _, err = forget(words)
      assert.equal(1, code, words)
      assert.truthy(err:find(says, 1, true), err)
    end
    local code, _, err = forget("zq1", { env = env .. " SCOPE3_API_KEY=" })
    assert.equal(1, code)
    assert.truthy(err:find("SCOPE3_API_KEY", 1, true), err)
    code, _, err = forget(("zq1 --api-key-file %s/key"):format(no_folder))
    assert.is_true(code ~= 0)
    assert.truthy(err:find(no_folder .. "/key", 1, true), err)
    code, _, err = world.command({ "forget", "" }, { env = env })
    assert.same({ 2, true }, { code, err:find("an id is empty", 1, true) ~= nil })
    assert.equal(before, count())
  end)

  it("refuses words that contradict each other, have no effect, or may be an id", function()
    local path = world.file "zq1\n"
    for words, says in pairs {
      [""] = "the ids are missing", ["zq1 --file " .. path] = "--file and ids contradict each other",
      ["zq1 --sandbox"] = "a private sandbox has no audiences", ["zq1 --dry-run --wait"] = "--wait has no effect",
      ["zq1 --dry-run --timeout 3"] = "--timeout has no effect", ["--wait 4711 4712"] = "may be seconds or an id",
      ["zq1 --phone-repairs all"] = "--phone-repairs has no effect without --ids hash",
      ["zq1 --ids as_is --region DE"] = "--region has no effect",
      ["zq1 --region Nowhere"] = "--region is not a country",
      ["zq1 --events - --json"] = "has no effect with --json", ["zq1 --report x.pdf"] = "--report takes the name",
      [("--file %s --events %s"):format(path, path)] = "the same file", ["zq1 --journal x"] = "unknown option",
      ["zq1 --wait x"] = "--wait takes a number of seconds (put", ["--wait zq1"] = "--wait takes a number of seconds (",
      ["zq1 --jurnal x"] = "unknown option (a value that begins with a dash is taken for one: put -- before",
      ["-zq1"] = "put -- before", ["--zq1"] = "put -- before", ["--zq1=x"] = "put -- before",
      ["zq1 -qzq1"] = "put -- before", ["--timeout zq1"] = "--timeout takes a number\n",
      ["zq1 --flie x"] = "unknown option: did you mean '--file'?", ["zq1 --timeout -1"] = "not negative",
    } do
      local code, _, err = forget(words)
      assert.equal(2, code, words)
      assert.truthy(err:find(says, 1, true), err)
    end
    for _, words in ipairs { "-4711", "--4711", "--wait -4711", "--timeout=-4711x", "--account -4711 zq1" } do
      local code, _, err = forget(words)
      assert.equal(2, code, words)
      assert.is_nil(err:find("47", 1, true), err)
    end
    assert.equal(0, count())
    assert.equal("zq1\n", world.read(path))
    fill "crm"
    assert.equal(0, (forget("--wait 5 --file " .. path)))
    assert.equal(0, (forget "--wait=5 4711"))
  end)

  it("ends with what it did where a signal stops it", function()
    fill("crm", "vips")
    sandbox:fault { on = "sync", act = "hang", after = 1, times = -1 }
    local out, code, pid = world.path ".out", world.path ".code", world.path ".pid"
    os.execute(("(%s %s bin/scope3.in forget zq1 >%s 2>&1 </dev/null & p=$!; echo $p >%s; wait $p; echo $? >%s) &")
      :format(env, os.getenv "SCOPE3_LUA_BIN", out, pid, code))
    until_true(function()
      return #sandbox:requests "sync" == 4
    end, "the request that hangs did not come")
    os.execute("kill -INT " .. world.read(pid))
    until_true(function()
      return world.exists(code) and world.read(code) ~= ""
    end, "the command did not end")
    assert.equal("130\n", world.read(code))
    local said = world.read(out)
    assert.truthy(said:find("stopped", 1, true) and said:find("\n  crm   accepted", 1, true), said)
  end)
end)

describe("--report of a wait", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0, audience_seconds = 0 })

  local function wait(id, ...)
    return world.command({ "wait", id, "--rate", "100000", ... }, { env = "SCOPE3_API_KEY=scope3_test_key "
      .. "SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=" .. sandbox.url })
  end

  local function task()
    local client = sandbox:client()
    local audience = assert(require("scope3").audience "crm")
    assert(audience:add { external_id = "zq1", email = "a@example.com" })
    return assert(client:sync(audience)).tasks[1].task_id
  end

  it("says what became of the task and of its audience, in each form", function()
    local txt, page, json = world.path ".txt", world.path ".html", world.path ".json"
    local id = task()
    local code, out, err = wait(id, "--audience", "crm", "--report", txt, "--report", page, "--report", json)
    assert.equal(0, code, err)
    local text = world.read(txt)
    assert.truthy(text:find("^scope3 wait of crm: task completed\n\n  Time  "), text)
    local function squeezed(words)
      return (words:gsub("%s+", " "))
    end
    assert.truthy(squeezed(text):find(squeezed(out), 1, true), text .. out)
    local html = world.read(page)
    assert.truthy(html:find("<h1>scope3 wait of crm: task completed</h1>", 1, true), html)
    assert.truthy(html:find("<dd>" .. id .. "</dd>", 1, true), html)
    assert.equal("completed", cjson.decode(world.read(json)).status)
  end)

  it("is written where the task failed, and where it is not known", function()
    sandbox:configure { task_outcomes = { "failed:terminal" } }
    for _, id in ipairs { task(), "no-such-task" } do
      local txt = world.path ".txt"
      assert.equal(1, (wait(id, "--report", txt)))
      local text = world.read(txt)
      assert.truthy(text:find("^scope3 wait: FAILED: "), text)
      assert.truthy(text:find("\nFailed: ", 1, true), text)
    end
    local txt = world.path ".txt"
    assert.equal(2, (wait("a b", "--report", txt)))
    assert.is_false(world.exists(txt))
  end)

  it("is refused before anything is asked where it cannot be written, or is another file of the command", function()
    local code, _, err = wait("t1", "--report", "/nosuch/r.txt")
    assert.equal(1, code)
    assert.truthy(err:find("cannot write /nosuch/r.txt", 1, true), err)
    local events = world.path ".txt"
    code, _, err = wait("t1", "--report", events, "--events", events)
    assert.equal(2, code)
    assert.truthy(err:find("the same file", 1, true), err)
    code, _, err = wait("t1", "--report", "x.pdf")
    assert.equal(2, code)
    assert.truthy(err:find("--report takes the name of a file", 1, true), err)
    assert.equal(0, #sandbox:requests())
  end)
end)
