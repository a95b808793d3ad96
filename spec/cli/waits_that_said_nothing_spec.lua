-- Without a terminal, a command that waits says once a minute what it waits for.
local answering = require "spec.support.answering"
local compile = require "spec.support.compile"
local world = require "spec.support.world"

local unpack = rawget(_G, "unpack") or rawget(table, "unpack")

local WORKING = '{"task":{"taskId":"$ID","status":"working"}}'

-- A preloaded library beside those of a sanitizer would come before them.
local here = not os.getenv "LD_PRELOAD"

describe("a command that waits without a terminal", function()
  local server, clock

  setup(function()
    server = answering.start()
    clock = here and compile.fast_clock()
  end)
  teardown(function()
    server:close()
    world.clean()
  end)

  -- A command with a clock that is a hundred times as fast: what it complained of.
  local function run(args, ...)
    server:play { task = { ... } }
    local words = { unpack(args) }
    words[#words + 1] = "--base-url=" .. server.url
    local _, _, err = world.command(words,
      { before = ("LD_PRELOAD=%s SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25"):format(clock) })
    return err
  end

  local function lines(text)
    local found = {}
    for words in text:gmatch("scope3: still waiting after [%d.]+ [a-z]+: ([^\n]+)\n") do
      found[#found + 1] = words
    end
    return found
  end

  it("says once a minute what it waits for, and with -q nothing", function()
    if not here then
      return
    end
    local csv = world.file "id,mail\n1,a@example.com\n"
    local sync = { "sync", csv, "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--wait", "260" }
    local said = run(sync, WORKING)
    local found = lines(said)
    assert.is_true(#found >= 2 and #found <= 4, said)
    for _, words in ipairs(found) do
      assert.equal("the task is working", words)
    end
    sync[#sync], sync[#sync + 1] = "130", "-q"
    assert.same({}, lines(run(sync, WORKING)))
    found = lines(run({ "wait", "t1", "--timeout", "130" }, WORKING))
    assert.is_true(#found >= 1 and #found <= 3)
    assert.equal("the task is working", found[1])
  end)

  it("says it also where the service wants to be asked in an hour", function()
    if not here then
      return
    end
    local said = run({ "wait", "t1", "--timeout", "260" },
      '{"task":{"taskId":"$ID","status":"working","retryAfterSeconds":3600}}')
    assert.is_true(#lines(said) >= 2, said)
  end)

  it("says nothing where it waits for less", function()
    if not here then
      return
    end
    local said = run({ "wait", "t1", "--timeout", "50" }, WORKING)
    assert.same({}, lines(said))
    assert.truthy(said:find("the service goes on with it", 1, true), said)
  end)
end)
