-- --journal auto gives the journal of a job that has ended another name. Where that fails, the command says so, and its
-- exit code stays that of the job: everybody was sent.
local compile = require "spec.support.compile"
local core = require "scope3.core"
local world = require "spec.support.world"

-- What the sanitizers preload has to come first, and replaces some of these calls too.
local here = not os.getenv "LD_PRELOAD"

describe("a journal of its own that cannot be put away", here and function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0, audience_seconds = 0 })

  it("is told, stays where it is, and is found complete by the next run", function()
    local home, library, rows = world.path "", compile.failing_calls(), world.file "id,mail\n1,a@x.example\n"
    os.execute("mkdir " .. home)
    local words = { "sync", rows, "--audience", "a", "--map", "external_id=id", "--map", "email=mail",
      "--journal", "auto", "--rate", "100000" }
    local env = ("SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=%s XDG_STATE_HOME=%s ")
      :format(sandbox.url, home)
    local code, _, err = world.command(words, { env = env .. ("LD_PRELOAD=%s LUA_INIT=\"${LUA_INIT-} "
      .. "dofile 'spec/torture/failing_command.lua'\" FAILING='%s failing_calls .done 1 1 ENOSPC %s'")
      :format(library, library, world.path ".told") })
    assert.equal(0, code, err)
    assert.truthy(err:find("the job has ended, and its journal could not be put away: ", 1, true), err)
    assert.same({ 1, 0 }, { #core.glob(home .. "/scope3/*.journal"), #(core.glob(home .. "/scope3/*.done") or {}) })
    assert.equal(0, (world.command(words, { env = env })))
    assert.equal(1, #(core.glob(home .. "/scope3/*.done") or {}))
    assert.same({ "1" }, sandbox:ids "a")
    os.execute("rm -rf " .. home)
  end)
end or function()
  pending "runs without a preloaded library"
end)
