-- The line that follows a job on a terminal: what it says while the command waits, and that nothing of it is left.
local world = require "spec.support.world"

local SYNC = "--account 25 --audience a --map external_id=id --map email=mail"

-- A file of that many people.
local function people(n, first)
  local lines = { "id,mail" }
  for i = first or 1, (first or 1) + n - 1 do
    lines[#lines + 1] = ("%d,p%d@example.org"):format(i, i)
  end
  return world.file(table.concat(lines, "\n") .. "\n", ".csv")
end

describe("the line on a terminal", function()
  local sandbox = world.around(setup, teardown, before_each)

  -- What stands on a terminal of 120 columns after the command, and its exit code.
  local function on_terminal(words)
    local typescript, code = world.path ".typescript", world.path ".code"
    local command = ("stty cols 120; SCOPE3_API_KEY=scope3_test_key %s bin/scope3.in %s --base-url %s --rate 100000 "
      .. ">/dev/null; echo $? >%s"):format(os.getenv "SCOPE3_LUA_BIN", words, sandbox.url, code)
    os.execute(("script -qec '%s' %s </dev/null >/dev/null 2>&1"):format(command, typescript))
    return world.read(typescript), tonumber(world.read(code))
  end

  local function says(words, command)
    local text, ended = on_terminal(command)
    assert.equal(0, ended, text)
    for _, one in ipairs(type(words) == "table" and words or { words }) do
      assert.truthy(text:find(one), text)
    end
    assert.truthy(text:find("\r\27%[K[^\r]*$") or not text:find "\27%[K", "a line was left: " .. text)
  end

  it("tells the rows, and which file of several is read", function()
    says("%d+ %% of file 1 of 2 · ", ("sync %s %s %s"):format(people(3), people(3, 4), SYNC))
  end)

  it("tells nothing of requests where rows are only hashed", function()
    local typescript = world.path ".typescript"
    os.execute(("script -qec 'stty cols 120; %s bin/scope3.in prepare %s --map external_id=id --map email=mail "
      .. ">/dev/null' %s </dev/null >/dev/null 2>&1"):format(os.getenv "SCOPE3_LUA_BIN", people(3), typescript))
    local line = world.read(typescript):match "\r([^\r]+ · 3 rows)\27%[K"
    assert.truthy(line, world.read(typescript))
    assert.is_nil(line:find "request")
  end)

  it("tells what the service answered, and when it is asked again", function()
    sandbox:fault { on = "sync", act = "status", status = 503, times = 1 }
    says("the service answered 503; trying again in %d", ("sync %s %s"):format(people(1), SYNC))
    sandbox:fault { on = "sync", act = "hang", times = 1 }
    says("the service did not answer %([A-Z_]+%); trying again in %d",
      ("sync %s %s --timeout 1"):format(people(1), SYNC))
  end)

  it("tells how many tasks have ended, and the audience", function()
    sandbox:configure { task_seconds = 0.3, audience_seconds = 0.1 }
    says({ "%d of 3 tasks have ended · task %l+ · ", "audience [%u_]+ · " },
      ("sync %s %s --max-members 1 --wait"):format(people(3), SYNC))
  end)

  it("tells how a task goes that is waited for", function()
    sandbox:configure { task_seconds = 0.3 }
    local code, out = world.command({
      "sync", people(1), "--account", "25", "--audience", "a", "--map", "external_id=id", "--map", "email=mail",
      "--base-url", sandbox.url,
    }, { env = "SCOPE3_API_KEY=scope3_test_key" })
    assert.equal(0, code, out)
    local id = assert(out:match "scope3 wait (%S+) ", out)
    says("\rtask [%l_]+ · ", ("wait %s --account 25"):format(id))
  end)

  it("tells that failed tasks are sent again", function()
    sandbox:configure { task_outcomes = { "failed:transient", "completed" }, task_seconds = 0 }
    says("1 request of failed tasks goe?s? again in %d", ("sync %s %s --wait"):format(people(1), SYNC))
  end)

  it("tells that removals wait for the tasks of what was added", function()
    local script = world.file([[return {
      audience = "a",
      member = function(row) return { external_id = row.id, email = row.mail, remove = row.id == "3" } end,
    }]], ".lua")
    local rows = world.file("id,mail\n1,a@example.org\n3,b@example.org\n1,c@example.org\n", ".csv")
    says("waiting for 1 task before the next request may go",
      ("run %s %s --account 25 --max-members 1"):format(script, rows))
  end)
end)
