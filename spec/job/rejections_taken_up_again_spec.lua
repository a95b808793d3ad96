-- A job that is taken up again never sends members that the service refused before: newer rows of the same ids were
-- sent after them. The service may well take them now, and the older rows would then undo the newer.
local core = require "scope3.core"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")
local json = world.json
local SCRIPT = { audience = "a", map = { external_id = "id", email = "email" } }

local function hash(name)
  return core.sha256(name .. "@example.com")
end

describe("members that the service refused in an earlier run", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  -- A request of which the service refuses members, by their places in it.
  local function refusal(after, ...)
    local issues = {}
    for i, n in ipairs { ... } do
      issues[i] = { path = ("audiences[0].add[%d].hashedEmail"):format(n), message = "is odd" }
    end
    return { on = "sync", after = after, act = "issues", issues = issues }
  end

  local function misbehave(...)
    sandbox:configure { faults = json.array { ... } }
  end

  -- Runs the job. Its listener raises once so many requests were accepted, where a number is given: the job ends there.
  local function run(file, opts, end_after)
    local accepted, all = 0, {}
    for key, value in pairs(opts) do
      all[key] = value
    end
    function all.on_event(event)
      accepted = accepted + (event.event == "accepted" and 1 or 0)
      assert(accepted ~= end_after or event.event ~= "accepted", "the end of this run")
    end
    local res, err = sandbox:client { loop = virtual.loop() }:run(SCRIPT, file, all)
    world.assert_sums(res or err.result)
    return res or err.result, err
  end

  local function hashes()
    local found = {}
    for id, member in pairs(sandbox:members "a") do
      found[id] = member.hashedEmail
    end
    return found
  end

  local function opts_of(max_members)
    return { journal = world.path ".journal", max_members = max_members }
  end

  it("do not go again where a newer row was taken and nothing of their request was left", function()
    local opts = opts_of(1)
    local file = world.file("id,email\nA,old@example.com\nB,b@example.com\nA,new@example.com\nC,c@example.com\n",
      ".csv")
    misbehave(refusal(0, 0))
    local _, err = run(file, opts, 2)
    assert.same({ "callback_error", { A = hash "new", B = hash "b" } }, { err.code, hashes() })
    local res, none = run(file, opts)
    assert.is_nil(none)
    assert.same({ A = hash "new", B = hash "b", C = hash "c" }, hashes())
    assert.same({ 3, 1, 2, 4 }, { res.accepted, res.rejected_by_service, res.resumed, #sandbox:requests "sync" })
    assert.same({ 1, "a" }, { res.quarantine[1].row, res.quarantine[1].audience_id })
  end)

  it("do not go again where the rest of their request was refused, too", function()
    local opts = opts_of(2)
    local file = world.file("id,email\nA,old@example.com\nB,old@example.com\nC,c@example.com\n"
      .. "A,new@example.com\nB,new@example.com\n", ".csv")
    misbehave(refusal(0, 1), refusal(0, 0))
    run(file, opts, 1)
    local res = run(file, opts)
    assert.same({ A = hash "new", B = hash "new", C = hash "c" }, hashes())
    assert.same({ 3, 2, 2 }, { res.accepted, res.rejected_by_service, res.resumed })
  end)

  it("do not go again where one half of a split request was refused whole", function()
    local opts = opts_of(60)
    local lines, all = { "id,email" }, {}
    for i = 1, 60 do
      lines[i + 1], all[i] = ("u%d,old@example.com"):format(i), i <= 30 and i - 1 or nil
    end
    lines[#lines + 1] = "v,new@example.com\nu1,new@example.com"
    misbehave({ on = "sync", act = "status", status = 413 }, refusal(0, unpack(all)))
    local file = world.file(table.concat(lines, "\n"), ".csv")
    run(file, opts, 2)
    local res = run(file, opts)
    assert.same({ 32, 30, 32 }, { res.accepted, res.rejected_by_service, res.resumed })
    local found = hashes()
    assert.same({ hash "new", hash "old" }, { found.u1, found.u31 })
    assert.is_nil(found.u2)
  end)

  it("do not go again where their newer rows were refused, too, and are counted once in each run", function()
    local opts = opts_of(1)
    local file = world.file("id,email\nA,old@example.com\nB,b@example.com\nA,new@example.com\nC,c@example.com\n",
      ".csv")
    misbehave(refusal(0, 0), refusal(1, 0))
    for resumed = 0, 2, 2 do
      local res = run(file, opts)
      assert.same({ B = hash "b", C = hash "c" }, hashes())
      assert.same({ 2, 2, resumed, 2 }, { res.accepted, res.rejected_by_service, res.resumed, #res.quarantine })
    end
  end)

  it("do not go again in epochs", function()
    local opts = opts_of(1)
    opts.unique = true
    local file = world.file("id,email\nA,old@example.com\nB,b@example.com\nC,c@example.com\nA,new@example.com\n"
      .. "D,d@example.com\n", ".csv")
    misbehave(refusal(0, 0))
    run(file, opts, 4)
    local res = run(file, opts)
    assert.same({ A = hash "new", B = hash "b", C = hash "c", D = hash "d" }, hashes())
    assert.same({ 4, 1 }, { res.accepted, res.rejected_by_service })
  end)
end)
