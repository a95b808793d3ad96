-- The memory of a job: its payloads are filled again and again. They and what fills them are given back when it has
-- ended, not when garbage is collected.
local core = require "scope3.core"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

describe("the payloads of a job", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local made, builders
  local make, make_builder = core.payload, core.builder

  before_each(function()
    made, builders = {}, {}
    core.payload = function(limits)
      made[#made + 1] = make(limits)
      return made[#made]
    end
    core.builder = function(opts)
      builders[#builders + 1] = make_builder(opts)
      return builders[#builders]
    end
  end)
  after_each(function()
    core.payload, core.builder = make, make_builder
  end)

  local function assert_given_back()
    local function assert_closed(what, act, object)
      local fine, message = pcall(act, object)
      assert.is_false(fine, what)
      assert.truthy(message:find("closed", 1, true), message)
    end
    for i, payload in ipairs(made) do
      assert_closed("payload " .. i, payload.count, payload)
    end
    for i, builder in ipairs(builders) do
      assert_closed("builder " .. i, builder.counts, builder)
    end
  end

  -- A stream to which n members were added, of so many ids in turn.
  local function stream_of(n, opts, ids)
    local all = { max_members = 2 }
    for key, value in pairs(opts) do
      all[key] = value
    end
    local stream = assert(sandbox:client { loop = virtual.loop() }:stream("a", all))
    for i = 1, n do
      assert(stream:add { external_id = tostring(i % (ids or n)), email = "a@example.com" })
    end
    return stream
  end

  -- Options, and the payloads that a job has at most: one that is filled, one a request, and one of the next epoch.
  for what, case in pairs {
    ["of one request at a time"] = { {}, 2 },
    ["in epochs"] = { { unique = true }, 3 },
    ["of three requests at once"] = { { concurrency = 3 }, 5 },
  } do
    it(what .. " are few, and given back at its end", function()
      local res = assert(stream_of(60, case[1]):finish())
      assert.same({ 60, 30 }, { res.accepted, #res.requests })
      assert.is_true(#made <= case[2], #made .. " payloads")
      assert_given_back()
    end)

    it(what .. " are given back where it was cancelled", function()
      local stream = stream_of(11, case[1])
      assert.equal("cancelled", select(2, stream:cancel()).kind)
      assert_given_back()
    end)
  end

  it("in many epochs are few, and given back at its end", function()
    for concurrency, ids in pairs { 5, [3] = 7 } do -- one or several requests an epoch at once
      made, builders = {}, {}
      local res = assert(stream_of(60, { unique = true, concurrency = concurrency }, ids):finish())
      assert.is_true(res.epochs >= 8, res.epochs .. " epochs")
      assert.is_true(#made <= 2 + concurrency, #made .. " payloads")
      assert_given_back()
    end
  end)

  it("are given back where members failed with a task", function()
    sandbox:configure { task_outcomes = world.json.array { "completed", "failed:terminal" } }
    local res = assert(stream_of(11, { unique = true }):finish())
    res:wait()
    assert_given_back()
  end)

  it("that are filled once more for members of a failed task are given back after they went", function()
    local lines = { "id,mail" }
    for i = 1, 9 do
      lines[i + 1] = i .. ",a@example.com"
    end
    local file = world.file(table.concat(lines, "\n"), ".csv")
    local script = { audience = "a", map = { external_id = "id", email = "mail" } }
    for _, opts in ipairs { { max_members = 2 }, { max_members = 2, unique = true } } do
      sandbox:reset()
      sandbox:configure { task_seconds = 0, task_outcomes = world.json.array { "failed:transient" } }
      local res = assert(sandbox:client { loop = virtual.loop() }:run(script, file, opts))
      local before = #made
      assert(res:wait())
      assert.same({ 9, 9 }, { res.accepted, #sandbox:ids "a" })
      assert.is_true(#made > before)
      assert_given_back()
    end
  end)
end)
