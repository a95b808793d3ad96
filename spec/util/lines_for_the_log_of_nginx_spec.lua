-- Lines for nginx's error log are written outside requests, and all that could not wait are counted. What stands in for
-- nginx here shows phases in which no timer can be had.

-- What a function has written, which is given the log, a host whose phase and timers can be set, and a function that
-- runs the timers.
local function written_by(act)
  local host, lines, timers = { phase = "content", has_timers = true }, {}, {}
  local before = package.loaded["scope3.util.nginx_log"]
  package.loaded["scope3.util.nginx_log"] = nil
  rawset(_G, "ngx", {
    WARN = "warn", ERR = "err",
    get_phase = function()
      return host.phase
    end,
    log = function(level, ...)
      lines[#lines + 1] = level .. " " .. table.concat({ ... })
    end,
    timer = { at = function(_, write)
      if host.has_timers then
        timers[#timers + 1] = write
        return true
      end
    end },
  })
  local ok, why = pcall(function()
    act(require "scope3.util.nginx_log", host, function()
      local due = timers
      timers = {}
      for _, write in ipairs(due) do
        write()
      end
      return #due
    end, lines)
  end)
  rawset(_G, "ngx", nil)
  package.loaded["scope3.util.nginx_log"] = before
  assert(ok, why)
  return lines
end

describe("the log of nginx", function()
  it("gets the lines of requests from one timer, and those of no request at once", function()
    local lines = written_by(function(log, host, run_timers, lines)
      log.say("err", "first")
      log.say("warn", "second")
      assert.same({}, lines)
      assert.equal(1, run_timers())
      for _, phase in ipairs { "timer", "init", "init_worker", "exit_worker" } do
        host.phase = phase
        log.say("err", "of " .. phase)
      end
      assert.equal(6, #lines)
      log.retry()
      assert.equal(0, run_timers())
    end)
    assert.same({ "err first", "warn second", "err of timer", "err of init", "err of init_worker",
      "err of exit_worker" }, lines)
  end)

  it("gets a hundred lines that waited for a timer, and the number of all others", function()
    local lines = written_by(function(log, host, run_timers, lines)
      for _, count in ipairs { 100, 103 } do
        host.has_timers = false
        for i = 1, count do
          log.say("err", "line " .. i)
        end
        log.retry()
        assert.equal(0, run_timers())
        host.has_timers = true
        log.retry()
        log.retry()
        assert.equal(1, run_timers())
        lines[#lines + 1] = "end"
      end
    end)
    assert.equal(203, #lines)
    assert.same({ "err line 100", "end", "err line 1" }, { lines[100], lines[101], lines[102] })
    assert.same({ "err line 100", "warn scope3: 3 further lines were left out of this log", "end" },
      { lines[201], lines[202], lines[203] })
  end)
end)
