-- --report writes what the command came to into files: a text for a mail, and the object of --json. They say the same
-- as the report on standard output, also where the job failed, was stopped or never began. An earlier report is
-- replaced by a whole one or not at all.
local cjson = require("cjson.safe").new()
local core = require "scope3.core"
local world = require "spec.support.world"

local KEY = "SCOPE3_API_KEY=scope3_spec_key SCOPE3_ACCOUNT_ID=25 "

describe("a report in a file", function()
  local sandbox = world.around(setup, teardown, before_each)
  local folder, names

  setup(function()
    folder = world.path ""
    os.execute("mkdir " .. folder)
    local function file(name, text)
      world.write(folder .. "/" .. name, text)
      return folder .. "/" .. name
    end
    local map = "map = { external_id = 'id', email = 'mail' } }"
    names = {
      CSV = file("rows.csv", "id,mail\nc1,secret1@example.com\nc2,secret2@example.com\nc3,none\n"),
      BAD = file("bad.csv", "id,mail\nc1,none\n"), MISSING = folder .. "/missing.csv",
      GOOD = file("good.lua", "return { audience = 'a', " .. map), RAISES = file("raises.lua", "error('no')"),
      MEMBERS = file("members.lua", "return { audience = 'a', member = function() error('inside') end }"),
      BROKEN = file("broken.lua", [[
        local broken = "return function() local t = nil; return t.field end" -- by no line of this script
        getmetatable(require("scope3.result").new({}, { { id = "x" } })).__index.plain =
          (loadstring or load)(broken, "=result")()
        return { audience = "a", ]] .. map),
      TO = "--audience a --map external_id=id --map email=mail",
      AT = "--base-url " .. sandbox.url .. " --rate 100000",
      TXT = folder .. "/r.txt", JSON = folder .. "/r.json", FOLDER = "spec",
    }
  end)
  before_each(function()
    os.remove(names.TXT)
    os.remove(names.JSON)
  end)
  teardown(function()
    os.execute("rm -rf " .. folder)
  end)

  local function words_of(line)
    local words = {}
    for word in line:gsub("%u%u+", names):gsub("%u%u+", names):gmatch "%S+" do
      words[#words + 1] = word
    end
    return words
  end

  local function command(line, env)
    return world.command(words_of(line), { env = KEY .. (env or "") })
  end

  local function width_of(line)
    return select(2, line:gsub("[%z\1-\127\192-\255]", ""))
  end

  local function check_mail(text)
    assert.is_true(core.utf8_valid(text))
    assert.is_nil(text:find "[%z\1-\9\11-\31\127]", text)
    assert.equal("\n", text:sub(-1))
    for line in text:gmatch "[^\n]+" do
      assert.is_true(width_of(line) <= 72, line)
      assert.is_nil(line:find " $", line)
    end
    assert.truthy(text:find "^scope3 [^\n\128-\255]+\n\n", text)
  end

  local function check_private(text)
    for _, word in ipairs { "secret", "example.com", "scope3_spec_key" } do
      assert.is_nil(text:find(word, 1, true), text)
    end
  end

  it("says the same as the report on standard output, and as the object of --json", function()
    local code, out, err = command "sync CSV TO AT --wait --max-members 1 --report TXT"
    assert.equal(0, code, err)
    local text = world.read(names.TXT)
    check_mail(text)
    check_private(text)
    local function squeezed(words)
      return (words:gsub("%s+", " "))
    end
    assert.truthy(squeezed(text):find(squeezed(out), 1, true), text .. out)
    assert.truthy(text:find("^scope3 sync of a: accepted 2 members, 1 warning\n\n  Time   %d%d%d%d%-"), text)
    code, out, err = command "sync CSV TO AT --wait --json --report JSON --report TXT"
    assert.equal(0, code, err)
    assert.equal(out, world.read(names.JSON))
    assert.equal(2, cjson.decode(out).accepted)
    check_private(world.read(names.JSON))
    assert.equal(names.CSV, world.read(names.TXT):match "\n  Files  ([^\n]+)")
  end)

  it("says that a dry run sent nothing, and how many warnings there are", function()
    local code = command "sync CSV TO --dry-run --report TXT --quiet"
    assert.equal(0, code)
    local text, head = world.read(names.TXT), "scope3 sync of a: would send 2 members\n\n  Mode   dry run, "
    assert.equal(1, text:find(head .. "nothing was sent\n", 1, true), text)
    local script = folder .. "/never.lua"
    world.write(script, "return { audience = 'n', where = { { 'id', 'eq', 'no' } }, map = { external_id = 'id', "
      .. "email = 'mail' } }")
    code = command("run " .. script .. " CSV --dry-run --allow-empty --report TXT --quiet")
    assert.equal(0, code)
    assert.truthy(world.read(names.TXT):find("^scope3 run of n: would send 0 members, 1 warning\n"))
  end)

  -- What fails, the exit code, the first line, and what the report says then.
  local FAILURES = {
    { "sync MISSING TO AT", 1, "scope3 sync of a: FAILED: cannot read ", "\nFailed: cannot read " },
    { "run RAISES CSV AT", 1, "scope3 run: FAILED: ", "no\n" },
    { "run MEMBERS CSV AT", 1, "scope3 run of a: FAILED, accepted 0 members", "\nFailed: the script failed at row" },
    { "run BROKEN CSV --dry-run", 70, "scope3 run of a: FAILED: internal fault: ", "\nFailed: internal fault" },
    { "sync CSV TO AT --account a/b", 2, "scope3 sync of a: FAILED: ", "--account" },
    { "sync CSV --audience a --map mail=x AT", 2, "scope3 sync of a: FAILED: ", "--map" },
    { "sync CSV TO --account 25", 1, "scope3 sync of a: FAILED: ", "api_key", "SCOPE3_API_KEY=" },
    { "sync CSV TO AT --strict", 1, "scope3 sync of a: FAILED, accepted 2 members", "--strict: 1 row was rejected" },
    { "sync CSV TO AT --max-rejected 0", 3, "scope3 sync of a: NOT AS EXPECTED, accepted 2 ", "--max-rejected 0" },
    { "sync BAD TO AT", 3, "scope3 sync of a: NOT AS EXPECTED, accepted 0 ", "no row gave a member" },
    { "sync CSV TO AT --rejects FOLDER", 1, "scope3 sync of a: FAILED: cannot write ", "cannot write spec" },
    { "sync CSV TO AT --rejects /dev/full", 1, "scope3 sync of a: FAILED, accepted 2 ", "cannot write all" },
    { "sync CSV TO AT --events /dev/full", 1, "scope3 sync of a: FAILED, accepted 2 ", "lost)" },
    { "sync CSV TO --base-url http://127.0.0.1:9 --patience 0", 1, "scope3 sync of a: FAILED, accepted 0 ", "Failed" },
  }

  it("says at the top what failed, whatever did, and the object has the same error", function()
    for _, case in ipairs(FAILURES) do
      os.remove(names.TXT)
      os.remove(names.JSON)
      local code, out, err = command(case[1] .. " --json --report JSON --report TXT", case[5])
      assert.equal(case[2], code, case[1] .. err)
      if case[2] == 2 then -- a wrong usage writes none
        assert.is_false(world.exists(names.TXT) or world.exists(names.JSON))
      else
        local text = world.read(names.TXT)
        check_mail(text)
        check_private(text)
        assert.equal(1, text:find(case[3], 1, true), case[1] .. "\n" .. text)
        local top = text:match "^.-\n\n.-\n\n"
        assert.truthy(top:gsub("%s+", " "):find(case[4]:gsub("%s+", " "), 1, true), case[1] .. "\n" .. text)
        assert.equal(out, world.read(names.JSON), case[1])
      end
      assert.is_string(cjson.decode(out).error.message)
    end
    for _, status in ipairs { 401, 403, 422 } do
      sandbox:configure { faults = world.json.array { { on = "sync", act = "status", status = status, times = -1 } } }
      local code, out = command "sync CSV TO AT --json --report JSON --report TXT"
      assert.same({ 1, status }, { code, cjson.decode(out).error.status })
      assert.equal(out, world.read(names.JSON))
      assert.equal(1, world.read(names.TXT):find("scope3 sync of a: FAILED, accepted 0 members\n\nFailed: ", 1, true))
    end
  end)

  it("says that a wait was over, and that a signal stopped the job", function()
    sandbox:configure { task_seconds = 600 }
    local code, out = command "sync CSV TO AT --wait=0.3 --json --report JSON --report TXT"
    assert.same({ 1, "timeout" }, { code, cjson.decode(out).error.kind })
    assert.equal(out, world.read(names.JSON))
    assert.equal(1, world.read(names.TXT):find("scope3 sync of a: FAILED, accepted 2 members\n\nFailed: ", 1, true))
    local done = world.path ".done"
    os.execute(("(%s %s bin/scope3.in %s >/dev/null 2>&1 </dev/null & p=$!; echo $p >%s.pid; wait $p; echo $? >%s.new; "
      .. "mv %s.new %s) &"):format(KEY, os.getenv "SCOPE3_LUA_BIN",
      table.concat(words_of "sync CSV TO AT --wait --report TXT --report JSON", " "), done, done, done, done))
    local deadline, before = core.now() + 60, #sandbox:requests "task"
    repeat
      core.sleep(0.02)
      assert(core.now() < deadline)
    until #sandbox:requests "task" > before
    os.execute(("kill -TERM $(cat %s.pid)"):format(done))
    repeat
      core.sleep(0.02)
      assert(core.now() < deadline)
    until world.exists(done)
    os.remove(done .. ".pid")
    assert.equal("130\n", world.read(done))
    local text = world.read(names.TXT)
    check_mail(text)
    assert.equal(1, text:find("scope3 sync of a: STOPPED, accepted 2 members\n\nStopped: ", 1, true), text)
    assert.equal("cancelled", cjson.decode(world.read(names.JSON)).error.kind)
  end)

  it("says so where its folder went away while the job ran", function()
    local gone = folder .. "/gone"
    os.execute("mkdir " .. gone)
    local script = folder .. "/removes.lua"
    world.write(script, ("os.execute 'rmdir %s'\n"
      .. "return { audience = 'a', map = { external_id = 'id', email = 'mail' } }"):format(gone))
    local code, out, err = command(("run %s CSV AT --report %s/r.txt --json"):format(script, gone))
    local said = ("cannot write %s/r.txt: No such file or directory; the job went on without it: accepted 2 members")
      :format(gone)
    assert.same({ 1, "scope3: " .. said .. "\n" }, { code, err:match "[^\n]*cannot write[^\n]*\n" })
    assert.equal(said, cjson.decode(out).error.message)
  end)

  it("shows nothing that a terminal or a mail would obey, and cuts what is too long", function()
    local long = ("w"):rep(200)
    local columns = { "mail\27[1m", "m\226\128\174x", "m\255", long, ("wide column "):rep(20) }
    for _, column in ipairs(columns) do
      local script = folder .. "/column.lua"
      world.write(script, ("return { audience = 'a', where = { { %q, 'eq', 'x' } }, map = { external_id = 'id', "
        .. "email = 'mail' } }"):format(column))
      local input = folder .. "/column.csv"
      world.write(input, ("id,mail,%s\n1,a@example.org,y\n"):format(column))
      local code, out, err = command("run " .. script .. " " .. input .. " --dry-run --json --report TXT --report JSON")
      assert.is_true(code == 3 or code == 1, err)
      check_mail(world.read(names.TXT))
      assert.is_nil(world.read(names.TXT):find("\226\128\174", 1, true))
      assert.equal(out, world.read(names.JSON))
    end
  end)

  it("has a first line of ASCII, as the subject of a mail takes nothing else", function()
    local input = folder .. "/k\195\188che \230\151\165.csv"
    assert.equal(1, (world.command({ "sync", input, "--audience", "a", "--map", "external_id=id", "--map", "email=mail",
      "--dry-run", "--report", names.TXT })))
    local text = world.read(names.TXT)
    check_mail(text)
    assert.truthy(text:find("k?che ?", 1, true), text)
    assert.truthy(text:find("\n  Files  " .. input .. "\n", 1, true), text)
  end)

  -- The names of the files in the folder.
  local function listing()
    return table.concat(core.glob(folder .. "/*"), "\n")
  end

  it("replaces that of an earlier run as a whole, or leaves it as it is", function()
    world.write(names.TXT, "old")
    world.write(names.JSON, "old")
    local before = listing()
    for _, last in ipairs { "TXT", "JSON" } do
      local words, out = words_of("sync CSV TO AT --json --report " .. last), world.path ".out"
      -- Files are bounded to nothing, and standard output is none.
      os.execute(("(ulimit -f 0; %s %s bin/scope3.in %s 2>&1; echo code $?) | cat >%s"):format(KEY,
        os.getenv "SCOPE3_LUA_BIN", table.concat(words, " "), out))
      local said = world.read(out)
      assert.truthy(said:find("code 1\n", 1, true), said)
      assert.truthy(said:find("scope3: cannot write " .. names[last], 1, true), said)
      assert.truthy(said:find('"accepted": 2', 1, true), said)
      assert.truthy(said:find('"message": "cannot write ', 1, true), said)
      assert.same({ "old", "old" }, { world.read(names.TXT), world.read(names.JSON) })
      assert.equal(before, listing())
    end
    assert.equal(0, (command "sync CSV TO AT --report TXT --report JSON"))
    assert.truthy(world.read(names.TXT):find "^scope3 sync of a: accepted 2 members\n")
    assert.is_table(cjson.decode(world.read(names.JSON)))
    assert.equal(before, listing())
  end)

  it("that cannot be written ends the command before anything is sent, and the others tell it", function()
    local taken = folder .. "/folder.txt"
    os.execute("mkdir " .. taken)
    for _, path in ipairs { "/nosuch/r.txt", taken } do
      local code, out, err = command("sync CSV TO AT --json --report " .. path .. " --report JSON --report TXT")
      assert.equal(1, code, err)
      assert.truthy(err:find("scope3: cannot write " .. path, 1, true), err)
      assert.equal("failed", cjson.decode(out).error.kind)
      assert.equal(out, world.read(names.JSON))
      assert.truthy(world.read(names.TXT):find "^scope3 sync of a: FAILED: cannot write ")
    end
    os.execute("rmdir " .. taken)
    assert.same({}, sandbox:requests())
  end)

  it("is never one of the files that the command reads or writes", function()
    local input = folder .. "/in.json"
    local text = '{"id":"1","mail":"a@example.org"}\n'
    world.write(input, text)
    for line, says in pairs {
      ["sync IN TO --dry-run --report IN"] = "--report and the input are the same file",
      ["sync IN --audience a --map x --dry-run --report IN"] = "--report and the input are the same file",
      ["sync " .. folder .. "/*n.json " .. folder .. "/no*.csv TO --dry-run --report IN"] = "the input",
      ["run IN CSV --dry-run --report IN"] = "--report and the script are the same file",
      ["sync CSV TO --dry-run --report TXT --rejects TXT"] = "--report and --rejects are the same file",
      ["sync CSV TO --dry-run --report TXT --events TXT"] = "--report and --events are the same file",
      ["sync CSV TO AT --report JSON --journal JSON"] = "--report and --journal are the same file",
      ["sync CSV TO --dry-run --report TXT --report " .. folder .. "/./r.txt"] = "--report and --report are the same",
    } do
      local code, _, err = command((line:gsub("%f[%u]IN%f[%U]", (input:gsub("%%", "%%%%")))))
      assert.equal(2, code, line .. err)
      assert.truthy(err:find(says, 1, true), err)
      assert.equal(text, world.read(input))
      assert.is_false(world.exists(names.TXT))
    end
  end)
end)
