-- The command, run as a person runs it.
local cjson = require("cjson.safe").new()
local world = require "spec.support.world"

local CSV = "Id,Mail,Tel\n1,a@example.com,+12065551234\n2,b@example.com,030\n3,nonsense,\n"
local MAP = { "--map", "external_id=Id", "--map", "email=Mail", "--map", "phone=Tel" }

local function words(...)
  local all = {}
  for _, list in ipairs { ... } do
    for _, word in ipairs(type(list) == "table" and list or { list }) do
      all[#all + 1] = word
    end
  end
  return all
end

describe("scope3", function()
  local sandbox = world.around(setup, teardown, before_each)

  local KEY = { env = "SCOPE3_API_KEY=scope3_cli_spec_key" }
  local function against_sandbox()
    return { "--account", "25", "--base-url", sandbox.url }
  end

  it("sync sends a file to a private sandbox, waits, and prints one JSON object", function()
    local code, out, err = world.command(words("sync", world.file(CSV), "--sandbox", "--account", "25", "--audience",
      "crm", MAP, "--wait", "--json"))
    assert.equal("", err)
    assert.equal(0, code)
    local res = assert(cjson.decode(out))
    assert.same({ 3, 2, 2 }, { res.rows, res.members, res.accepted })
    assert.same({ no_identifier = 1 }, res.rejected)
    assert.same({ phone_national = 1, email_no_at = 1 }, res.dropped)
    assert.same({ hashed_email = 2, hashed_phone = 1, uids = 0 }, res.identifiers)
    assert.equal("completed", res.tasks[1].status)
    assert.equal("TOO_SMALL", res.audience.status)
    for _, key in ipairs {
      "skipped", "replaced", "deferred", "requests", "retries", "bytes_sent", "seconds", "audiences",
    } do
      assert.is_truthy(res[key], key)
    end
  end)

  it("sync reads standard input, and prints a report that says what happened", function()
    local code, out = world.command(words("sync", "-", against_sandbox(), "--audience", "crm", "--name", "My CRM",
      MAP, "--wait=30"),
      { env = KEY.env, stdin = world.file(CSV) })
    assert.equal(0, code)
    for _, want in ipairs {
      "rows         3 in", "rejected     1", "2 emails · 1 phone", "accepted     2 members",
      "crm (My CRM) · TOO_SMALL", "no email, phone or uid is left", "phone: no leading +",
    } do
      assert.truthy(out:find(want, 1, true), want .. "\n" .. out)
    end
    assert.same({ "1", "2" }, sandbox:ids("crm"))
  end)

  it("run takes a script, and removes where it says so", function()
    local script = world.file('return { audience = "s", map = { external_id = "Id", email = "Mail" } }', ".lua")
    assert.equal(0, (world.command(words("run", script, world.file(CSV), against_sandbox(), "--quiet", "--wait"), KEY)))
    assert.same({ "1", "2" }, sandbox:ids("s"))
    local code, out = world.command(words("run", script, world.file("Id,Mail\n2,\n"), against_sandbox(), "--mode",
      "remove", "--quiet", "--wait"), KEY)
    assert.equal(0, code)
    assert.equal("", out)
    assert.same({ "1" }, sandbox:ids("s"))
  end)

  it("writes what it refused to a file, without a value", function()
    local rejects = world.path(".csv")
    world.command(words("sync", world.file(CSV), "--dry-run", "--audience", "crm", MAP, "--rejects", rejects))
    assert.equal("row,line,column,outcome,reason\n2,3,Tel,dropped,phone_national\n3,4,Mail,dropped,email_no_at\n"
      .. "3,4,,rejected,no_identifier\n", world.read(rejects))
  end)

  it("dry runs without a key", function()
    local code, out = world.command(words("sync", world.file(CSV), "--dry-run", "--audience", "crm", MAP))
    assert.equal(0, code)
    assert.truthy(out:find("would send   2 members", 1, true), out)
  end)

  it("exits with 1 for rejected rows only when told to be strict", function()
    local args = words("sync", world.file(CSV), "--dry-run", "--audience", "crm", MAP)
    assert.equal(0, (world.command(args)))
    assert.equal(1, (world.command(words(args, "--strict"))))
  end)

  it("exits with 2 for a usage that is none, and says how", function()
    for _, args in ipairs {
      {}, { "snyc" }, { "sync" }, { "sync", "x", "--nonsense" },
      { "sync", "x", "--audience", "a" }, { "sync", "x", "--map", "email" },
      { "sync", "x", "--audience", "a", "--map", "external_id=a", "--map", "emial=b" },
      { "run" }, { "hash", "fax", "1" }, { "hash", "phone", "1", "--phone-repairs", "pluss" },
      { "hash", "phone", "1", "--region", "Atlantis" }, { "hash", "email", "a@b.co", "--region", "US" },
      words("sync", "x", "--audience", "a", MAP, "--phone-repairs", "all,plus"),
      words("sync", "x", "--audience", "a", MAP, "--max-members", "many"),
      words("sync", "x", MAP, "--mode", "replace"), words("sync", "x", "--audience", "a", MAP, "--wait=soon"),
      words("sync", "x", "--audience", "a", MAP, "--no-header"),
    } do
      local code, out, err = world.command(args)
      assert.equal(2, code, table.concat(args, " ") .. out .. err)
      assert.is_true(#err > 0)
    end
  end)

  it("lists audiences, shows tasks, and waits for them", function()
    world.command(words("sync", world.file(CSV), against_sandbox(), "--audience", "crm", MAP, "--quiet"), KEY)
    local code, out = world.command(words("audiences", against_sandbox()), KEY)
    assert.equal(0, code)
    assert.truthy(out:find("AUDIENCE", 1, true) and out:find("crm", 1, true))
    code, out = world.command(words("audiences", "--json", against_sandbox()), KEY)
    assert.equal(0, code)
    assert.equal("crm", cjson.decode(out).audiences[1].audience_id)
    local _, json_out = world.command(words("sync", world.file(CSV), against_sandbox(), "--audience", "crm",
      MAP, "--json"), KEY)
    local id = cjson.decode(json_out).tasks[1].task_id
    code, out = world.command(words("wait", id, "--audience", "crm", against_sandbox()), KEY)
    assert.equal(0, code)
    assert.truthy(out:find("completed", 1, true) and out:find("TOO_SMALL", 1, true))
    code, out = world.command(words("task", id, "--json", against_sandbox()), KEY)
    assert.same({ 0, "completed" }, { code, cjson.decode(out).status })
    code = world.command(words("task", "nope", against_sandbox()), KEY)
    assert.equal(1, code)
  end)

  it("hash shows raw, normalised and hashed, also from standard input", function()
    local code, out = world.command { "hash", "email", " User@Example.com" }
    assert.equal(0, code)
    assert.truthy(out:find("user@example.com  b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514", 1,
      true))
    code, out = world.command({ "hash", "phone", "--region", "US", "--json" },
      { stdin = world.file("+12065551234\n0301\n") })
    assert.equal(1, code)
    local first, second = out:match("^([^\n]+)\n([^\n]+)\n")
    assert.equal("f48869b8f9aa60d5eb6147b2130ae29eae6e2d6877dbb9eb9448ce04fe90e3ca", cjson.decode(first).hash)
    assert.equal("phone_too_short", cjson.decode(second).reason)
  end)

  it("hash prints valid JSON, and nothing that a terminal would obey, whatever it is given", function()
    local file = world.file("a\255b\n\27[31mx@y.example\nJos\195\169@x.example\n")
    local _, out = world.command({ "hash", "email", "--json" }, { stdin = file })
    local reasons = {}
    assert.is_true(require("scope3.core").utf8_valid(out))
    for line in out:gmatch("[^\n]+") do
      local found = assert(cjson.decode(line))
      reasons[#reasons + 1] = found.reason or found.normalized
    end
    assert.same({ "email_utf8", "email_character", "jos\195\169@x.example" }, reasons)
    for _, args in ipairs { { "hash", "email" }, { "hash", "email", "--explain" } } do
      out = select(2, world.command(args, { stdin = file }))
      assert.is_nil(out:find("[%z\1-\9\11-\31\255]"))
      assert.truthy(out:find("a\\xffb", 1, true) and out:find("Jos\195\169@x.example", 1, true), out)
    end
  end)

  it("hash --explain says which rule did what", function()
    local function explained(args)
      local _, out, err = world.command(words("hash", "--explain", args))
      return out .. err
    end
    local cases = {
      { "an extension was left out", "a national prefix was taken off", "validated as libphonenumber 9.0.40 does",
        "phone", "--region", "DE", "030 23125 123 ext. 5" },
      { "letters were read as the keys of a telephone", "phone", "--region", "US", "1-800-FLOWERS" },
      { "the region's international prefix was taken off", "phone", "--region", "DE", "0044 20 7946 0018" },
      { "the region's calling code stood there without a plus", "phone", "--region", "GB", "44 20 7946 0018" },
      { "digits that are not ASCII", "phone", "+１2065551234" },
      { "text before the number was left out", "phone", "tel: +12065551234" },
      { "its phone-context", "phone", "tel:2065551234;phone-context=+1" },
      { "a second number", "phone", "+12065551234 / x 5" },
      { "repaired (phone_plus)", "phone", "--region", "DE", "--phone-repairs", "plus,words", "4915112345678" },
      { "refused (phone_no_plan)", "phone", "--region", "AQ", "123456" },
      { "repaired (email_mailto)", "lowercased as Unicode 17.0.0 has it", "email", "mailto:Jane@X.org" },
      { "refused (email_no_at)", "email", "jane" }, { "hashed already", "email", ("ab"):rep(32) },
      { "repaired (hash_base64)", "email", "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ=" },
      { "may have another hash", "email", "JOS\195\137@x.example" },
    }
    for _, case in ipairs(cases) do
      local args = {}
      for i = #case, 1, -1 do
        table.insert(args, 1, case[i])
        if case[i] == "phone" or case[i] == "email" then
          local out = explained(args)
          for j = 1, i - 1 do
            assert.truthy(out:find(case[j], 1, true), out)
          end
          break
        end
      end
    end
  end)

  it("reports regions that are not known by name, repairs, and columns that mix raw values and hashes", function()
    local file = world.file("id,mail,tel,land\n" .. ("1,a@b.co,0301234,Atlantis\n"):rep(10) .. "2," .. ("ab"):rep(32)
      .. ",4915112345678,Germany\n")
    local args = words("sync", file, "--dry-run", "--audience", "a", "--map", "external_id=id", "--map", "email=mail",
      "--map", "phone=tel", "--map", "region=land",
      "--phone-repairs", "all")
    local _, out = world.command(args)
    assert.truthy(out:find("Regions that are not known, of the phones dropped for it:\n  10  Atlantis\n", 1, true), out)
    assert.truthy(out:find("1  phone: the country code stood there without its plus", 1, true), out)
    assert.truthy(out:find("The email column mixes raw values (10) and hashes (1)", 1, true), out)
    _, out = world.command(words(args, "--json"))
    local res = cjson.decode(out)
    assert.same({ { Atlantis = 10 }, { email = { raw = 10, hashed = 1 } }, { phone_plus = 1 } },
      { res.unknown_regions, res.mixed, res.repaired })
  end)

  it("maps universal ids by their type", function()
    local file = world.file("id,U,M\n1, ODP3RBeFtTtZBeBfbC6Q9WRDGzHDtUW9zqzqoBKOZ2U= "
      .. ",00000000-0000-0000-0000-000000000000\n2,,6D92078A-8246-4BA4-AE5B-76104861E7DC\n")
    local code, out = world.command {
      "sync", file, "--dry-run", "--json", "--audience", "a", "--map",
      "external_id=id", "--map", "uid:uid2=U", "--map", "uid:maid=M",
    }
    assert.equal(0, code)
    local res = cjson.decode(out)
    assert.same({ 2, 2, { uid_opt_out = 1 } }, { res.members, res.identifiers.uids, res.dropped })
  end)

  it("names every repair of phones in its help", function()
    local _, out = world.command { "sync", "--help" }
    out = out:gsub("%s+", " ")
    assert.truthy(out:find(table.concat(require("scope3.core").phone_repairs, ", ") .. "; or all", 1, true), out)
  end)

  it("doctor says what is installed and what is wrong", function()
    local code, out = world.command { "doctor", "--sandbox", "--account", "25" }
    assert.equal(0, code)
    for _, want in ipairs { "libcurl", "zlib", "libcrypto", "argparse", "key and account" } do
      assert.truthy(out:find(want, 1, true))
    end
    code, out = world.command({ "doctor", "--json", "--base-url", "http://127.0.0.1:9" })
    assert.equal(1, code)
    assert.is_false(cjson.decode(out).ok)
    sandbox:configure { keys = world.json.array { "scope3_right" } }
    code, out = world.command(words("doctor", against_sandbox()), { env = "SCOPE3_API_KEY=wrong_key_value" })
    assert.equal(1, code)
    assert.truthy(out:find("the key was refused", 1, true))
    assert.is_nil(out:find("wrong_key_value", 1, true))
  end)

  it("sandbox serves until its input ends", function()
    local code, out = world.command({ "sandbox", "--until-eof" })
    assert.equal(0, code)
    assert.truthy(out:find("listening on http://127.0.0.1:", 1, true))
    code = world.command { "sandbox", "--port", tostring(sandbox.port) }
    assert.equal(1, code)
  end)

  it("stops at Ctrl-C or SIGTERM with 130 and the report so far", function()
    for _, signal in ipairs { "INT", "TERM" } do
      sandbox:reset()
      sandbox:configure { faults = world.json.array { { on = "sync", act = "delay", seconds = 0.3, times = -1 } } }
      local lines = { "Id,Mail" }
      for i = 1, 2000 do
        lines[#lines + 1] = ("%d,m%d@example.com"):format(i, i)
      end
      local done, out, err = world.path(".done"), world.path(".out"), world.path(".err")
      -- The shell tells the process's id; the signal is sent once the sandbox has seen a request.
      local pid_file = world.path(".pid")
      os.execute(("(SCOPE3_API_KEY=scope3_x %s bin/scope3.in sync %s --json --account 25 --base-url %s --audience a "
        .. "--max-members 100 "
        .. "--map external_id=Id --map email=Mail >%s 2>%s </dev/null & echo $! >%s; wait $!; echo $? "
        .. ">%s.new; mv %s.new %s) &"):format(
        os.getenv("SCOPE3_LUA_BIN"), world.file(table.concat(lines, "\n")), sandbox.url, out, err, pid_file,
        done, done, done))
      local core = require "scope3.core"
      local deadline = core.now() + 60
      repeat
        core.sleep(0.02)
        assert(core.now() < deadline)
      until #sandbox:requests("sync") >= 2
      -- A shell starts what runs behind it with SIGINT ignored; the command installs its own handler all the same.
      os.execute(("kill -%s $(cat %s)"):format(signal, pid_file))
      local file
      repeat
        core.sleep(0.02)
        assert(core.now() < deadline)
        file = io.open(done)
      until file
      assert.equal(130, file:read("*n"))
      file:close()
      local res = assert(cjson.decode(world.read(out)))
      world.assert_sums(res)
      assert.is_true(res.accepted >= 100 and res.accepted < 2000)
      assert.truthy(world.read(err):find("stopped", 1, true))
    end
  end)

  it("stops while it waits for standard input, before the header and after it", function()
    for _, text in ipairs { "", "Id,Mail\\n1,a@example.com\\n" } do
      local pid_file, done = world.path(".pid"), world.path(".done")
      os.execute(("( (printf '%s'; until test -f %s; do sleep 0.1; done) | ( (sh -c 'echo $PPID >%s.new; "
        .. "mv %s.new %s'; exec %s bin/scope3.in sync - --dry-run --audience a "
        .. "--map external_id=Id --map email=Mail >/dev/null 2>&1); echo $? >%s.new; mv %s.new %s)) "
        .. ">/dev/null 2>&1 &"):format(text, done, pid_file, pid_file, pid_file,
        os.getenv("SCOPE3_LUA_BIN"), done, done, done))
      local core = require "scope3.core"
      local deadline, file = core.now() + 60
      repeat
        core.sleep(0.1)
        assert(core.now() < deadline)
        -- Asked again until it has ended: the first signal may come before the handler stands.
        os.execute(("test -f %s && kill -TERM $(cat %s) 2>/dev/null"):format(pid_file, pid_file))
        file = io.open(done)
      until file
      local code = file:read("*n")
      file:close()
      assert.is_true(code == 130 or code == 143, code)
    end
  end)

  it("reads files without a header, and with a delimiter that is given", function()
    local code, out = world.command {
      "sync", world.file("1\ta@example.com,jane\n2\tb@example.com\n"), "--dry-run", "--audience", "a",
      "--no-header", "--delimiter", "tab", "--map", "external_id=1", "--map", "email=2", "--json",
    }
    assert.equal(0, code)
    local res = cjson.decode(out)
    assert.same({ 2, 1 }, { res.rows, res.members })
    code, out = world.command {
      "sync", world.file('{"i":"1","m":"a@example.com"}\n'), "--dry-run", "--audience",
      "a", "--format", "jsonl", "--map", "external_id=i", "--map", "email=m", "--json",
    }
    assert.equal(0, code)
    assert.equal(1, cjson.decode(out).members)
  end)

  it("goes through the proxy of the environment for https, and never for this machine", function()
    local via = "https_proxy=" .. sandbox.url .. " http_proxy=" .. sandbox.url .. " SCOPE3_API_KEY=scope3_x"
    local code, _, err = world.command({ "audiences", "--account", "25", "--base-url", "https://service.invalid" },
      { env = via })
    assert.equal(1, code)
    assert.is_nil(err:find("scope3_x", 1, true))
    local log = sandbox:requests()
    assert.is_true(#log >= 1)
    for _, request in ipairs(log) do
      assert.equal("CONNECT", request.method)
    end
    local other = world.sandbox()
    assert.equal(0, (world.command({ "audiences", "--account", "25", "--base-url", other.url }, { env = via })))
    assert.equal(#log, #sandbox:requests())
    other:close()
  end)

  it("goes on from its journal, shows what delete_missing would take, and lists what the service refused", function()
    local file = world.file("id,mail\n1,a@example.com\n2,b@example.com\n3,c@example.com\n")
    local journal = world.path(".journal")
    local env = { env = "SCOPE3_API_KEY=scope3_x" }
    local function sync(...)
      return world.command({
        "sync", file, "--account", "25", "--base-url", sandbox.url, "--audience", "a",
        "--map", "external_id=id", "--map", "email=mail", "--rate", "100000", ...,
      }, env)
    end
    sandbox:fault { on = "sync", act = "status", status = 401 }
    local code, _, err = sync("--journal", journal)
    assert.equal(1, code)
    assert.truthy(err:find("run the same command again to go on: " .. journal, 1, true))
    code = sync("--journal", journal)
    assert.equal(0, code)
    local before = #sandbox:requests("sync")
    local out
    code, out = sync("--journal", journal)
    assert.equal(0, code)
    assert.truthy(out:find("3 of them by an earlier run", 1, true))
    assert.equal(before, #sandbox:requests("sync"))

    sandbox:control("PUT", "audience", { account = "25", audienceId = "old", status = "READY" })
    code, out = sync("--dry-run", "--delete-missing", "all")
    assert.equal(0, code)
    assert.truthy(out:find("would delete  1 audience: old", 1, true), out)
    code, _, err = sync("--delete-missing", "other")
    assert.equal(1, code)
    assert.truthy(err:find("it does not name: old", 1, true))
    code, out = sync("--delete-missing", "old,other", "--wait")
    assert.equal(0, code)
    assert.truthy(out:find("deleted", 1, true))

    sandbox:configure { refuse = world.json.array { "2" } }
    code, out, err = sync()
    assert.equal(1, code)
    assert.truthy(out:find("row 2  rejected by the service", 1, true), out)
    assert.truthy(err:find("1 member rejected by the service", 1, true))
    assert.is_nil((out .. err):find("b@example", 1, true))
  end)

  it("prints its version and help", function()
    local code, out = world.command { "--version" }
    assert.same({ 0, "scope3 " .. require "scope3.version" .. "\n" }, { code, out })
    code, out = world.command { "--help" }
    assert.equal(0, code)
    assert.truthy(out:find("sync", 1, true))
  end)
end)
