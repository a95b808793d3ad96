-- What the command says of events that few runs meet, and of words that few people type.
local cjson = require("cjson.safe").new()
local exit_code = require "scope3.cli.exit_code"
local outcome = require "scope3.cli.outcome"
local world = require "spec.support.world"

describe("the command", function()
  local input

  setup(function()
    input = world.file("id,mail\n1,a@x.org\n2,b@x.org\n", ".csv")
  end)

  teardown(world.clean)

  it("refuses an option beside what it has no effect on", function()
    for _, case in ipairs {
      { { "hash", "phone", "+12015550123", "--ids", "as_is" }, "--ids is for ids" },
      { { "hash", "email", "a@x.org", "--ids", "as_is" }, "--ids is for ids" },
      { { "sandbox", "--set", "match_rate=2" }, "match_rate must be" },
      { { "sandbox", "--set", "match_rate=0.5", "--set", "match_rate=0.6" }, "match_rate is set twice" },
      { { "sandbox", "--set", 'faults=[{"on":"sync","act":"status","status":500.5}]' },
        "status of a fault must be a whole number" },
    } do
      local code, out, err = world.command(case[1])
      assert.same({ 2, "" }, { code, out }, err)
      assert.truthy(err:find(case[2], 1, true), err)
    end
  end)

  it("takes --json behind two dashes for a value", function()
    local code, out, err = world.command { "hash", "email", "--nosuch", "--", "--json" }
    assert.same({ 2, "" }, { code, out }, err)
    assert.falsy(cjson.decode(err), err)
  end)

  it("says that a private sandbox begins without audiences", function()
    local code, _, err = world.command { "sync", input, "--sandbox", "--audience", "a", "--map", "external_id=id",
      "--mode", "remove" }
    assert.equal(1, code)
    assert.truthy(err:find("a private sandbox begins without audiences", 1, true), err)
  end)

  it("shows the first requests of many in its report of times", function()
    local rows = { "id,mail" }
    for i = 1, 10 do
      rows[i + 1] = ("%d,m%d@x.org"):format(i, i)
    end
    local code, out, err = world.command { "sync", world.file(table.concat(rows, "\n") .. "\n", ".csv"), "--sandbox",
      "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--max-members", "1" }
    assert.equal(0, code, err)
    assert.truthy(out:find("and 2 more", 1, true), out)
  end)

  it("looks at certificates that are given as text", function()
    local pem = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
    local _, out = world.command({ "doctor" }, { env = "SCOPE3_CA_FILE='" .. pem .. "'" })
    assert.truthy(out:find("of SCOPE3_CA_FILE, as text", 1, true), out)
  end)

  it("fails a wait for READY where the audience is deleted", function()
    assert.equal("--require-ready: the audience a is deleted",
      outcome.not_ready { audience_id = "a", status = "READY", deleted = true })
    assert.is_nil(outcome.not_ready { audience_id = "a", status = "READY" })
  end)

  -- Runs Lua after the modules of the command were loaded, and gives its exit code and what it said.
  local function program(body, before)
    local path, out = world.file([[
      local cli = require "scope3.cli"
      for _, name in ipairs { "output", "context", "parser", "error_handler", "send", "usage" } do
        require("scope3.cli." .. name)
      end
      require "argparse"
    ]] .. body, ".lua"), world.path ".out"
    os.execute(("{ %s %s %s; echo code $?; } >%s 2>&1"):format(before or "", os.getenv "SCOPE3_LUA_BIN" or "lua", path,
      out))
    local said = world.read(out)
    return tonumber(said:match "code (%d+)%s*$"), said
  end

  -- The sanitizers need descriptors of their own.
  it("ends as one that could not write where it finds no descriptor for its output", not os.getenv "LD_PRELOAD" and
    function()
      local code, said = program([[
        local held = {}
        for i = 1, 100 do held[i] = io.open "/dev/null" end
        os.exit(cli.main { [0] = "scope3", "--version", "--json" })
      ]], "ulimit -n 20;")
      assert.equal(exit_code.UNWRITTEN, code, said)
      assert.truthy(said:find("cannot write to standard output: Too many open files", 1, true), said)
    end or nil)

  it("says why there is no private sandbox", function()
    local code, said = program(([[
      package.preload["scope3.sandbox.child"] = function() error "none" end
      os.exit(cli.main { [0] = "scope3", "sync", %q, "--sandbox", "--audience", "a", "--map", "external_id=id",
        "--map", "email=mail" })
    ]]):format(input))
    assert.equal(exit_code.FAILED, code, said)
    assert.truthy(said:find("the sandbox needs cqueues for this Lua", 1, true), said)
  end)

  it("has failed where there is neither a result nor an error", function()
    assert.same({ exit_code.FAILED, {} }, { outcome.code(nil, nil, {}) })
  end)
end)
