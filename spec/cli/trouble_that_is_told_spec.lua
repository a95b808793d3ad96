-- What a command says of trouble at once, also without a terminal: an outage from ten seconds on, once, and each wait
-- from a minute on for a request whose answer was lost. How long it outlasts an outage is what its options promise.
local context = require "scope3.cli.context"
local world = require "spec.support.world"

describe("a command in trouble", function()
  teardown(world.clean)

  -- What it says of some events of its client. In a process of its own, because it catches signals.
  local function said(quiet, events)
    local path = world.path ".err"
    os.execute(("%s %s 2>%s"):format(os.getenv "SCOPE3_LUA_BIN", world.file(([[
      local monitor = require("scope3.cli.monitor").new(%s)
      for _, event in ipairs { %s } do
        monitor:on(event)
      end
    ]]):format(tostring(quiet), table.concat(events, ",")), ".lua"), path))
    return world.read(path)
  end

  local function outage(seconds)
    return ('{ event = "retry", status = 503, message = "the service is away", seconds = 1, out = %g, left = 290 }')
      :format(seconds)
  end

  local function lost_answer(seconds)
    return ('{ event = "in_doubt", seconds = %g }'):format(seconds)
  end

  local OUTAGE = "scope3: the service is away. The command goes on for up to 5 min (--patience)\n"

  it("tells an outage of ten seconds once", function()
    assert.equal("", said(false, { outage(0), outage(9.9), lost_answer(10) }))
    assert.equal(OUTAGE, said(false, { outage(9.9), outage(10) }))
    assert.equal(OUTAGE, said(false, { outage(10), outage(20) }))
  end)

  it("tells no outage whose end is not known", function()
    assert.equal("", said(false, { '{ event = "retry", message = "m", seconds = 1, out = 10 }' }))
  end)

  it("tells each wait of a minute for a lost answer", function()
    assert.equal("", said(false, { lost_answer(59.9) }))
    local line = said(false, { lost_answer(60) })
    assert.truthy(line:find("^scope3: the answer to a request was lost, and it may still take effect: [^\n]+\n$"), line)
    assert.truthy(line:find("wait for 60.0 s. --in-doubt-timeout sets how long", 1, true), line)
    assert.equal(line:rep(2), said(false, { lost_answer(60), lost_answer(60) }))
  end)

  it("outlasts an outage for the seconds that docs/options.md has for --patience", function()
    local seconds = world.read("docs/options.md"):match "\n| `%-%-patience` |[^|]+| (%d+) |"
    assert.equal(tonumber(seconds), context.PATIENCE)
  end)

  it("says nothing with --quiet", function()
    assert.equal("", said(true, { outage(10), lost_answer(60) }))
  end)

  it("tells a host where nothing listens as one error with --quiet, when --patience is over", function()
    local file = world.file("id,mail\n1,a@example.org\n", ".csv")
    for _, patience in ipairs { "0", "0.2" } do
      local code, out, err = world.command({ "sync", file, "--audience", "a", "--map", "external_id=id", "--map",
        "email=mail", "--account", "25", "--base-url", "http://127.0.0.1:9", "--quiet", "--patience", patience },
        { env = "SCOPE3_API_KEY=scope3_test_key" })
      assert.same({ 1, "" }, { code, out })
      assert.truthy(err:find "^scope3: the host refused the connection[^\n]+\n", err)
      assert.equal(1, select(2, err:gsub("refused the connection", "")), err)
      assert.equal(patience == "0", err:find(" attempts)", 1, true) == nil, err)
    end
    local _, help = world.command { "sync", "--help" }
    assert.truthy(help:gsub("%s+", " "):find("Print nothing but errors, of an outage after --patience.", 1, true), help)
  end)
end)
