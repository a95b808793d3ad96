-- What the command says leads to the next step: help by its name, a hint that can be followed, a line that fits.
local world = require "spec.support.world"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

-- Whether a shell line works, on any Lua.
local function does(line)
  local ok = os.execute(line)
  return ok == true or ok == 0
end

describe("the command says", function()
  local sandbox = world.around(setup, teardown, before_each)
  local input
  local KEY = { env = "SCOPE3_API_KEY=scope3_x" }
  local MAP = { "--audience", "a", "--map", "external_id=id", "--map", "email=mail" }

  setup(function()
    input = world.file("id,mail\n1,a@example.com\n2,none\n3,c@example.com\n4,d@example.com\n", ".csv")
  end)

  local function sync(file, ...)
    local words = { "sync", file, unpack(MAP) }
    for _, word in ipairs { ... } do
      words[#words + 1] = word
    end
    return world.command(words, KEY)
  end

  it("its help and that of each command by the word help", function()
    local code, out, err = world.command { "help" }
    local _, same = world.command { "--help" }
    assert.same({ 0, same, "" }, { code, out, err })
    assert.truthy(out:find("\n   help ", 1, true), out)
    for _, name in ipairs {
      "sync", "run", "audiences", "task", "wait", "hash", "sandbox", "doctor", "help", "completion",
    } do
      code, out = world.command { "help", name }
      same = select(2, world.command { name, "--help" })
      assert.same({ 0, same }, { code, out })
      assert.truthy(out:find("Usage: scope3 " .. name, 1, true), out)
    end
    code, out, err = world.command { "help", "snyc" }
    assert.same({ 2, "" }, { code, out })
    assert.truthy(err:find("there is no command 'snyc'", 1, true), err)
  end)

  it("in the README a line that works on the file that is shipped", function()
    local line = assert(world.read("README.md"):match("\nscope3 sync customers.csv (.-) %-%-wait\n")):gsub("\\\n", " ")
    local words, rest = { "sync", "examples/customers.csv", "--dry-run" }, line
    for word in rest:gsub('"([^"]*)"', function(quoted)
      return (quoted:gsub(" ", "\1"))
    end):gmatch "%S+" do
      words[#words + 1] = (word:gsub("\1", " "))
    end
    local code, out, err = world.command(words)
    assert.equal(0, code, err)
    assert.truthy(out:find("phones", 1, true) and not out:find(" 0 phones", 1, true), out)
  end)

  it("nothing of an account that a private sandbox does not need", function()
    local code, out, err = sync(input, "--sandbox", "--wait")
    assert.same({ 0, "" }, { code, err })
    assert.truthy(out:find("account 25 · sandbox", 1, true), out)
    code, out = sync(input, "--sandbox", "--account", "77")
    assert.equal(0, code)
    assert.truthy(out:find("account 77 · sandbox", 1, true), out)
    assert.equal(0, (world.command { "audiences", "--sandbox" }))
  end)

  it("how the tasks can be followed, and that those of a private sandbox cannot", function()
    local _, out = sync(input, "--sandbox")
    assert.is_nil(out:find("scope3 wait", 1, true), out)
    assert.truthy(out:find("The private sandbox ended with this command", 1, true), out)
    _, out = sync(input, "--account", "25", "--base-url", sandbox.url)
    local words = {}
    for word in assert(out:match "Follow it with:  scope3 ([^\n]+)"):gmatch "%S+" do
      words[#words + 1] = word
    end
    local code, _, err = world.command(words, KEY)
    assert.equal(0, code, err)
  end)

  it("refused rows on standard output, alone, and the report on standard error", function()
    local code, out, err = sync(input, "--dry-run", "--rejects", "-")
    assert.same({ 0, "row,line,column,outcome,reason\n2,3,mail,dropped,email_placeholder\n"
      .. "2,3,,rejected,no_identifier\n" }, { code, out })
    assert.truthy(err:find("would send   3 members", 1, true), err)
    assert.is_false(world.exists "-")
    local script = world.file("print('noise') return { audience = 'a', map = { external_id = 'id', email = 'mail' } }",
      ".lua")
    code, out, err = world.command { "run", script, input, "--dry-run", "--rejects", "-", "--quiet" }
    assert.equal(0, code)
    assert.is_nil(out:find("noise", 1, true))
    assert.truthy(err:find("noise", 1, true), err)
    -- more than is written at once
    local lines = { "id,mail" }
    for i = 1, 3000 do
      lines[#lines + 1] = i .. ",none"
    end
    code, out = sync(world.file(table.concat(lines, "\n"), ".csv"), "--dry-run", "--rejects", "-")
    assert.equal(3, code)
    assert.equal(6001, select(2, out:gsub("\n", "\n")))
    assert.truthy(out:find("\n3000,3001,,rejected,no_identifier\n$"))
  end)

  it("that a file of rows is not a script, and nothing of what is in it", function()
    for _, suffix in ipairs { ".csv", ".jsonl", ".txt", "" } do
      local code, _, err = world.command { "run", world.file("jane@example.com,4711\n", suffix), input, "--dry-run" }
      assert.equal(2, code)
      assert.truthy(err:find("is not a script: scope3 run takes a Lua file", 1, true), err)
      assert.is_nil(err:find("jane", 1, true), err)
    end
    local code, _, err = world.command { "run", world.file("return {", ".lua"), input, "--dry-run" }
    assert.equal(1, code)
    assert.is_nil(err:find("is not a script", 1, true), err)
  end)

  it("which option is empty, as where a variable of the shell is", function()
    for _, name in ipairs {
      "account", "base-url", "ca-file", "limiter", "journal", "rejects", "consent-basis", "region", "delete-missing",
    } do
      local code, _, err = sync(input, "--" .. name, "")
      assert.equal(2, code, name)
      assert.truthy(err:find(("scope3: --%s is empty\n"):format(name), 1, true), err)
    end
  end)

  it("what is wrong with certificates, wherever they are named", function()
    local other = world.file "no certificate\n"
    for path, words in pairs {
      ["/nosuch/ca.pem"] = "No such file", ["spec"] = "directory", [other] = "no certificate in PEM form",
    } do
      local status, told = world.command({ "doctor", "--sandbox" }, { env = "SCOPE3_CA_FILE=" .. path })
      assert.equal(1, status, path)
      assert.truthy(told:find "\n%-%-  CA certificates +look at SCOPE3_CA_FILE" and told:find(words, 1, true), told)
    end
    local code, out = world.command({
      "doctor", "--ca-file", other, "--account", "25", "--base-url", "https://127.0.0.1:9",
    }, KEY)
    assert.equal(1, code)
    assert.truthy(out:find("look at --ca-file", 1, true) and out:find("no certificate in PEM form", 1, true), out)
    local fine = world.file "# a\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    assert.equal(0, (world.command({ "doctor", "--sandbox" }, { env = "SCOPE3_CA_FILE=" .. fine })))
  end)

  it("of a healthy installation nothing under --quiet, and of another one what is wrong", function()
    local code, out, err = world.command { "doctor", "--sandbox", "-q" }
    assert.same({ 0, "", "" }, { code, out, err })
    code, out, err = world.command({ "doctor", "-q", "--sandbox" }, { env = "SCOPE3_CA_FILE=/nosuch" })
    assert.same({ 1, "" }, { code, out })
    assert.truthy(err:find("CA certificates", 1, true) and not err:find("libcurl", 1, true), err)
  end)

  it("how a job of new rows comes to a journal of its own", function()
    local journal = world.path ".journal"
    local to = {
      "--account", "25", "--base-url", sandbox.url, "--rate", "100000", "--quiet", "--journal", journal, "--wait",
    }
    assert.equal(0, (sync(input, unpack(to))))
    assert.equal(0, (sync(input, unpack(to))))
    local code, _, err = sync(world.file("id,mail\n8,h@example.com\n", ".csv"), unpack(to))
    assert.equal(1, code)
    local named = assert(err:match "%-%-journal (%S+%.journal); remove"  or err:match "%-%-journal (.-); remove", err)
    assert.equal(journal:gsub("%.journal$", "") .. "-$(date +%F).journal", named)
    code, _, err = sync(input, "--audience", "b", unpack(to))
    assert.equal(2, code, err)
  end)

  it("the range of an option by its name, from wherever the library has it", function()
    for option, words in pairs {
      ["--concurrency=17"] = "--concurrency is at most 16",
      ["--max-members=100001"] = "--max-members is at most 100000",
      ["--consent-basis=foo"] = "--consent-basis must be one of",
      ["--account=a b"] = "--account must be the numeric id", ["--escape=tab"] = '--escape must be "backslash"',
      ["--delete-missing=, ,"] = '--delete-missing is empty', ["--quote=;"] = "--quote is a character",
    } do
      local code, out, err = sync(input, "--sandbox", option)
      assert.same({ 2, "" }, { code, out }, option)
      assert.truthy(err:find("scope3: " .. words, 1, true), err)
      assert.is_nil(err:find("client:", 1, true), err)
    end
    assert.equal(0, (sync(world.file("id;mail\n1;a@example.com\n", ".csv"), "--dry-run", "--quote", ",",
      "--delimiter", ";")))
  end)

  it("how far it is on one line, whatever the width of the terminal", function()
    if not does "command -v script >/dev/null && command -v stty >/dev/null" then
      return pending "script(1) and stty(1) are not installed"
    end
    local typescript = world.path ".typescript"
    for _, columns in ipairs { 10, 20, 40, 80, 200 } do
      local command = ("stty cols %d; SCOPE3_API_KEY=scope3_x %s bin/scope3.in sync %s --account 25 --base-url %s "
        .. "--rate 100000 --max-members 1 "
        .. "--audience a --map external_id=id --map email=mail --wait"):format(columns, os.getenv "SCOPE3_LUA_BIN",
          input, sandbox.url)
      os.execute(("script -qec '%s' %s </dev/null >/dev/null 2>&1"):format(command, typescript))
      local drawn, longest, tally = 0, 0, false
      for line in world.read(typescript):gmatch "\r([^\r\n]+)\27%[K" do
        local _, more = line:gsub("[\128-\191]", "")
        drawn, longest = drawn + 1, math.max(longest, #line - more)
        tally = tally or line:find(columns < 80 and "^%d of 3" or "^%d of 3 tasks have ended · task ") ~= nil
      end
      assert.is_true(drawn > 0, columns)
      assert.is_true(longest < columns, columns .. " " .. longest)
      assert.is_true(tally, columns)
      assert.truthy(world.read(typescript):find "\r\27%[K[^\r]*scope3 sync", columns)
    end
  end)
end)
