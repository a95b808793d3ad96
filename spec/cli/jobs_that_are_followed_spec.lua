-- Whose tasks --wait follows, and for how long: those of a job that ended well, and with --keep-going those of one that
-- failed. A job that was stopped, or in which the command itself raised an error, is not. What a job waited before
-- it deletes counts as waiting.
local answering = require "spec.support.answering"
local world = require "spec.support.world"

local REFUSED = { 400, '{"error":{"code":"VALIDATION_ERROR","message":"m"}}' }
local TAKEN = '{"success":true,"accountId":"25","operationId":"t$N","taskId":"t$N"}'

describe("the tasks of a job", function()
  local server = answering.around(setup, teardown)
  local rows, keys

  setup(function()
    rows = world.file("id,mail\n1,a@x.example\n2,b@x.example\n3,c@x.example\n", ".csv")
    keys = { env = "SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25" }
  end)

  -- A script that does something as it reads the third row. A request is out by then.
  local function script(what)
    return world.file(([[return {
      audience = "a",
      member = function(row)
        if row.id == "3" then
          %s
        end
        return { external_id = row.id, email = row.mail }
      end,
    }]]):format(what), ".lua")
  end

  local SYNC = { "sync", "ROWS", "--audience", "a", "--map", "external_id=id", "--map", "email=mail" }

  -- What a command reports whose requests get these replies: the report, its exit code, and how often tasks were asked
  -- for.
  local function report_of(replies, words, ...)
    server:play { sync = replies }
    local all = {}
    for _, list in ipairs { words, { "--base-url", server.url, "--rate", "100000", "--max-members", "1", ... } } do
      for _, word in ipairs(list) do
        all[#all + 1] = word == "ROWS" and rows or word
      end
    end
    local code, out, err = world.command(all, keys)
    return { out = out .. err, code = code, asked = #server:requests "/tasks/" }
  end

  local function follows(seen)
    return seen.asked > 0 and seen.out:find(" · waited ", 1, true) ~= nil
      and not seen.out:find("Follow it with:  scope3 wait", 1, true)
  end

  local function leaves(seen)
    return seen.asked == 0 and seen.out:find("Follow it with:  scope3 wait", 1, true) ~= nil
  end

  it("are followed past a refused request with --keep-going only", function()
    local seen = report_of({ TAKEN, REFUSED, TAKEN }, SYNC, "--keep-going", "--wait")
    assert.is_true(follows(seen), seen.out)
    assert.equal(1, seen.code)
    seen = report_of({ TAKEN, REFUSED }, SYNC, "--wait")
    assert.is_true(leaves(seen), seen.out)
    assert.equal(1, seen.code)
  end)

  it("are not followed where the command's own part of the job raised an error", function()
    -- A rejected row is written down by the command, which calls tostring() first.
    local breaking = script [[local real = tostring
          tostring = function()
            tostring = real
            error "mine"
          end
          return nil, "reason"]]
    local seen = report_of({ TAKEN }, { "run", breaking, "ROWS" }, "--keep-going", "--wait", "--rejects",
      world.path ".rejects")
    assert.truthy(seen.out:find("on_reject raised an error: ", 1, true), seen.out)
    assert.is_true(leaves(seen), seen.out)
    assert.equal(1, seen.code)
  end)

  it("are not followed where a signal stopped the job", function()
    local seen = report_of({ TAKEN }, { "run", script 'os.execute "kill -TERM $PPID"', "ROWS" }, "--keep-going",
      "--wait")
    assert.is_true(leaves(seen), seen.out)
    assert.equal(130, seen.code)
  end)
end)

describe("what a job waited before it deletes", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 600 })
  local WAIT = 12 -- seconds, of which one look more takes no half on any machine

  -- Seconds that a report says.
  local function seconds_waited(report)
    local number, unit = report:match " · waited ([%d.]+) (%l+)"
    assert.truthy(number, report)
    return unit == "ms" and number / 1000 or unit == "s" and tonumber(number) or math.huge
  end

  it("counts as waiting, so that --wait is not waited for twice", function()
    local code, out = world.command({
      "sync", world.file("id,mail\n1,a@x.example\n", ".csv"), "--audience", "a", "--map", "external_id=id",
      "--map", "email=mail", "--base-url", sandbox.url, "--delete-missing", "old", "--keep-going", "--wait=" .. WAIT,
    }, { env = "SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25" })
    assert.equal(1, code)
    assert.is_true(seconds_waited(out) < WAIT / 2, out)
  end)
end)
