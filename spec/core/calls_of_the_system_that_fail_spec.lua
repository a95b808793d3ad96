-- Every call that the C module makes of the system fails: with an error, interrupted by a signal, or half done.
-- An error is said; an interruption and a half are made up for. What was acknowledged stays, and nothing else is read.
local compile = require "spec.support.compile"
local world = require "spec.support.world"

describe("a call of the system that fails", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("is said or made up for, and loses nothing that was acknowledged", not os.getenv "LD_PRELOAD" and function()
    local library, work = compile.failing_calls(), world.path ""
    os.execute("mkdir " .. work)
    -- It is the same C for every Lua. The one of mutants and coverage has each call fail.
    local every = os.getenv "SCOPE3_LUA" == "5.4" and not package.cpath:find("/build/5.4-poll/", 1, true) and 1 or 5
    -- In a folder of its own, where its files have relative names.
    local words = "cd %s && LD_PRELOAD=%s %s \"$OLDPWD/spec/support/calls_that_fail.lua\" %s . %s/ %d 2>&1"
    local pipe = assert(io.popen(words:format(work, library, os.getenv "SCOPE3_LUA_BIN", library, sandbox.url, every)))
    local said = pipe:read "*a"
    pipe:close()
    os.execute("rm -rf " .. work)
    assert.equal("swept\n", said)
  end or nil)
end)
