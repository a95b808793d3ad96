-- What a job says that went on past failures, and which failures of its questions a wait goes on past.
local ending = require "scope3.job.ending"
local errors = require "scope3.error"
local guard = require "scope3.util.guard"
local polling = require "scope3.job.polling"
local result = require "scope3.result"

describe("a job that went on", function()
  for passed, said in pairs {
    [0] = false, [1] = "no 1", [2] = "no 1 (and 1 more failure; what does not depend on them went on)",
    [3] = "no 1 (and 2 more failures; what does not depend on them went on)",
  } do
    it(("past failures ends with the first, of %d"):format(passed), function()
      local own = ending.new({}, guard.new())
      for i = 1, passed do
        own:pass_over(errors.new("network", "no " .. i))
      end
      local err = own:finish(result.new(nil, { { id = "a" } }))
      assert.equal(said, err and err.message or false)
    end)
  end
end)

describe("a wait", function()
  it("pauses half as long again each time, to the second, from a quarter of one up to thirty", function()
    local pauses, expected, seconds = {}, {}, 0.25
    local transport = { pause = function(_, pause)
      pauses[#pauses + 1] = pause
      return true
    end }
    local context = { loop = { now = function() return 0 end }, transport = function() return transport end }
    assert.is_true((polling.poll(context, {}, nil, { ask = function()
      return true, #pauses == 15
    end })))
    for i = 1, 15 do
      expected[i], seconds = math.min(30, seconds), seconds * 1.5
    end
    assert.same(expected, pauses)
  end)
end)

describe("a question of a wait that failed", function()
  local transport = { pause = function() return true end }
  local context = { loop = { now = function() return 0 end }, transport = function() return transport end }

  -- How often it is asked, of which all fail.
  local function asked(kind, fields)
    local n = 0
    local seen, err = polling.poll(context, {}, 1, { last = function() end, ask = function()
      n = n + 1
      return nil, errors.new(kind, "no", fields)
    end })
    assert.same({ nil, kind }, { seen, err.kind })
    return n
  end

  for i, case in ipairs {
    { 5, "network" }, { 5, "timeout" }, { 5, "http", { status = 500 } }, { 5, "http", { status = 599 } },
    { 5, "rate_limited", { status = 429 } }, { 1, "http", { status = 499 } }, { 1, "not_found", { status = 404 } },
    { 1, "cancelled" }, { 1, "config" }, { 1, "network", { outage = true } },
  } do
    it(("is asked %d times in case %d: %s"):format(case[1], i, case[2]), function()
      assert.equal(case[1], asked(case[2], case[3]))
    end)
  end
end)
