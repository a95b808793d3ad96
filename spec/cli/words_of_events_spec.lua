-- What the line on a terminal, and the line a minute without one, say of each event.
local core = require "scope3.core"
local error_handler = require "scope3.cli.error_handler"
local exit_code = require "scope3.cli.exit_code"
local heartbeat = require "scope3.cli.heartbeat"
local output = require "scope3.cli.output"
local progress = require "scope3.cli.progress"
local rejects = require "scope3.cli.rejects"
local world = require "spec.support.world"

-- Runs a function; what it wrote to standard error.
local function written(call)
  local real, pieces = io.stderr, {}
  io.stderr = { -- luacheck: ignore 122
    write = function(_, ...)
      for i = 1, select("#", ...) do
        pieces[#pieces + 1] = (select(i, ...))
      end
    end,
    flush = function() end,
  }
  local fine, why = pcall(call)
  io.stderr = real -- luacheck: ignore 122
  assert(fine, why)
  return table.concat(pieces)
end

-- Runs a function with another one in place of one of the core.
local function replaced(name, other, call)
  local real = core[name]
  core[name] = other
  local fine, why = pcall(call)
  core[name] = real
  assert(fine, why)
end

describe("a wait without a terminal", function()
  for said, event in pairs {
    ["1 task must end before the next request may go"] = { event = "barrier", tasks = 1 },
    ["the task is working"] = { event = "task", status = "working" },
    ["2 of 5 tasks have ended, the task is working"] = { event = "task", status = "working", ended = 2, tasks = 5 },
    ["2 of 5 audiences have ended, the audience is READY"] = { event = "audience", status = "READY", ended = 2,
      audiences = 5 },
    ["the audience is nil"] = { event = "audience" }, ["the service answered 503"] = { event = "retry", status = 503 },
    ["the service did not answer"] = { event = "retry" },
    ["2 requests of failed tasks will go again"] = { event = "resend", requests = 2 },
    ["an answer was lost, and may still take effect"] = { event = "in_doubt" },
    ["the rate of requests is kept"] = { event = "throttled" },
    ["the service asked for a long wait"] = { event = "cut_short" },
  } do
    it("is for its last event: " .. said, function()
      local beat = heartbeat.new(false)
      beat:on(event)
      assert.equal(said, beat.words)
      local since = beat.since
      beat:on { event = "other" }
      beat:on { event = "throttled" }
      assert.equal(since, beat.since)
      for _, ends in ipairs { "accepted", "progress" } do
        beat:on(event)
        assert.equal(said, beat.words)
        beat:on { event = ends }
        assert.is_nil(beat.words)
      end
    end)
  end

  it("is said once a minute, and never where nothing is to be said", function()
    local beat = heartbeat.new(false)
    beat.shows = true
    local seconds = { 1000, 1000, 1059.5, 1060, 1061, 1119.5, 1120 }
    local saying = { [4] = "60.0 s", [7] = "2 min" }
    replaced("now", function() return table.remove(seconds, 1) end, function()
      beat:on { event = "throttled" }
      for i = 2, 7 do
        local words = written(function() beat:tick() end)
        local said = saying[i] and ("^scope3: still waiting after %s: the rate[^\n]*\n$"):format(saying[i])
        assert.truthy(words:find(said or "^$"), words)
      end
    end)
    assert.is_false(heartbeat.new(true).shows)
  end)
end)

describe("the line on a terminal", function()
  local function line()
    local made = progress.new(false)
    made.shows = true
    return made
  end

  for said, event in pairs {
    ["the service answered 503; trying again in 2.0 s"] = { event = "retry", status = 503, seconds = 2 },
    ["the service did not answer (X); trying again in 2.0 s, for up to 3.0 s more"] = { event = "retry", code = "X",
      seconds = 2, left = 3 },
    ["an answer was lost: waiting 2.0 s, lest that request overtakes the next"] = { event = "in_doubt", seconds = 2 },
    ["1 request of failed tasks go again in 2.0 s"] = { event = "resend", requests = 1, seconds = 2 },
    ["waiting 2.0 s to keep under the rate"] = { event = "throttled", seconds = 2 },
    ["the service asked for a wait of 2 min; it is asked again after 2.0 s"] = { event = "cut_short", said = 130,
      seconds = 2 },
    ["waiting for 2 tasks before the next request may go"] = { event = "barrier", tasks = 2 },
  } do
    it("says: " .. said, function()
      assert.equal("\r" .. said .. "\27[K", written(function() line():on(event) end))
    end)
  end

  it("says nothing of other events, and follows rows ten times a second at most", function()
    local made = line()
    local event = { event = "progress", rows = 5, bytes = 50, size = 100, file = { number = 1, count = 2 },
      result = { requests = { { state = "sending" }, { state = "accepted" } }, tasks = {} } }
    assert.equal("", written(function() made:on { event = "other" } end))
    local first = written(function() made:on(event) end)
    assert.truthy(first:find "^\r50 %% of file 1 of 2 · [%d,]+ a second · 5 rows · 2 requests, 1 under way")
    made.last = made.last + 1000 -- the last line is not a tenth of a second old
    assert.equal("", written(function() made:on(event) end))
    made.last = 0
    assert.not_equal("", written(function() made:on(event) end))
    assert.is_true(made.last > 0)
    event.bytes, event.size, made.last = 0, 0, 0
    assert.truthy(written(function() made:on(event) end):find "^\rfile 1 of 2 · [%d,]+ a second · ") -- of nothing
    assert.equal("\r\27[K", written(function() made:clear() end))
    assert.equal("", written(function() made:clear() end))
  end)

  it("leaves the last column of the terminal free, and shows one character at least", function()
    local rate = { event = "throttled", seconds = 2 } -- waiting 2.0 s to keep under the rate
    for width, shown in pairs { [1] = "…", [2] = "…", [3] = "w…", [10] = "waiting …",
      [36] = "waiting 2.0 s to keep under the ra…", [37] = "waiting 2.0 s to keep under the rate" } do
      replaced("terminal_width", function() return width end, function()
        assert.equal("\r" .. shown .. "\27[K", written(function() line():on(rate) end))
      end)
    end
  end)

  -- What the line says after seconds of a job, on a terminal of some width.
  local function said_at(width, seconds, event)
    local times, said = { 1000, 1000, 1000 + seconds }, nil
    replaced("terminal_width", function() return width end, function()
      replaced("now", function() return table.remove(times, 1) end, function()
        local made = line()
        made.last = -1000
        written(function() made:on { event = "progress", rows = 0, bytes = 0, size = event.size, file = event.file,
          result = event.result } end)
        said = written(function() made:on(event) end)
      end)
    end)
    return (said:gsub("^\r", ""):gsub("\27%[K$", ""))
  end

  local function read_so_far(more)
    local event = { event = "progress", rows = 12345678, bytes = 45, size = 100,
      result = { requests = { { state = "sending" }, { state = "accepted" } }, tasks = { {} } } }
    for key, value in pairs(more or {}) do
      event[key] = value
    end
    return event
  end

  it("has the share, the rate and the time left at every width, and the rest where there is room", function()
    for width, expected in pairs {
      [20] = "45 % 1.2 M/s 10 s", [40] = "45 % · 1.2 M/s · 10 s left",
      [80] = "45 % · 1,234,568 a second · about 10 s left · 12,345,678 rows",
      [200] = "45 % · 1,234,568 a second · about 10 s left · 12,345,678 rows · 2 requests, 1 under way · 1 task",
      [13] = "45 % 1.2 M/s", [3] = "4…",
    } do
      assert.equal(expected, said_at(width, 10, read_so_far()))
    end
  end)

  it("estimates the time left of a file of known size, once it can", function()
    for seconds, expected in pairs {
      [1.9] = "nil", [2] = "about 5 s left", [30] = "about 35 s left", [300] = "about 6 min left",
      [9000] = "about 3 h left",
    } do
      local said = said_at(200, seconds, read_so_far())
      assert.equal(expected, tostring(said:match "about [^·]+ left"), said)
    end
    local two = { path = "a", number = 1, count = 2 }
    for _, more in ipairs {
      { size = false }, { bytes = 0 }, { bytes = 0.9 }, { size = 0, bytes = 0 }, { file = two },
    } do
      local said = said_at(200, 100, read_so_far(more))
      assert.is_nil(said:find("left", 1, true), said)
    end
    local said = said_at(200, 100, read_so_far { file = { path = "b", number = 2, count = 2 } })
    assert.truthy(said:find("^45 %% of file 2 of 2 · .* · about 2 min left · "), said)
  end)

  it("counts the time of the last file from where that began", function()
    local times = { 1000, 1000, 1500, 1510 }
    local said
    replaced("now", function() return table.remove(times, 1) end, function()
      local made = line()
      made.last = -1000
      written(function()
        made:on(read_so_far { file = { path = "a", number = 1, count = 2 } })
        made:on(read_so_far { file = { path = "b", number = 2, count = 2 } })
      end)
      said = written(function() made:on(read_so_far { bytes = 50, file = { path = "b", number = 2, count = 2 } }) end)
    end)
    assert.truthy(said:find("about 10 s left", 1, true), said)
  end)

  it("has the number of tasks that have ended at every width", function()
    local event = { event = "task", task_id = "b", status = "working", ended = 12, tasks = 67 }
    for width, expected in pairs {
      [10] = "12 of 67", [20] = "12 of 67 · working", [40] = "12 of 67 · working · 3.0 s",
      [80] = "12 of 67 tasks have ended · task working · 3.0 s",
    } do
      local times = { 1000, 1003 }
      replaced("terminal_width", function() return width end, function()
        replaced("now", function() return table.remove(times, 1) end, function()
          local made = line()
          assert.equal("\r" .. expected .. "\27[K", written(function() made:on(event) end))
        end)
      end)
    end
  end)

  it("counts the tasks that have ended where there are several", function()
    local made = line()
    local said = written(function()
      made:on { event = "task", task_id = "b", status = "failed", ended = 1, tasks = 2 }
    end)
    assert.truthy(said:find("^\r2 of 2 tasks have ended · task failed · "), said)
    said = written(function()
      made:on { event = "audience", audience_id = "b", status = "READY", ended = 12, audiences = 67 }
    end)
    assert.truthy(said:find("^\r12 of 67 audiences have ended · audience READY · "), said)
    for _, event in ipairs { { ended = 0, tasks = 1 }, {} } do
      event.event, event.task_id, event.status = "task", "a", "working"
      said = written(function() made:on(event) end)
      assert.truthy(said:find("^\rtask working · "), said)
    end
  end)
end)

describe("what a command raises", function()
  for raised, expected in pairs {
    ["client:run: rate must be a number"] = { exit_code.USAGE, "scope3: --rate must be a number\n" },
    ["attempt to call nil"] = { exit_code.INTERNAL, "scope3: internal fault: attempt to call nil\n" },
    ["s.lua:3: own"] = { exit_code.FAILED, "scope3: s.lua:3: own\n" },
    ["not enough memory"] = { exit_code.FAILED, "scope3: not enough memory\n" },
  } do
    it("is told, and decides the exit code: " .. raised, function()
      output.begin(false)
      local code
      local said = written(function()
        code = error_handler.guard(function()
          error(raised, 0)
        end, { args = { rate = 5, script = "a/s.lua" } }, exit_code)
      end)
      assert.same({ expected[1], expected[2] }, { code, (said:match "^[^\n]*\n") })
    end)
  end
end)

describe("a script that changes Lua", function()
  it("is named with what it changed, which is put back", function()
    output.begin(false)
    local real, code = string.rep, nil
    local said = written(function()
      code = error_handler.guard(function()
        string.rep = nil -- luacheck: ignore 122
        error({}, 0)
      end, { args = {} }, exit_code)
    end)
    assert.equal(real, string.rep)
    assert.same({ exit_code.FAILED, "scope3: the script changed string.rep of Lua, which the command needs\n" },
      { code, said })
  end)
end)

describe("the file of rejections", function()
  teardown(world.clean)

  it("has a line for each, with the file where there may be several", function()
    local path = world.path ".csv"
    for _, several in ipairs { false, true } do
      local file = assert(rejects.open(path, several))
      file.write { file = "f,1", row = 2, line = 2097152001, column = 'a"b', reason = "no_id", lines = 3 }
      file.write { row = 3, reason = "x", dropped = true }
      assert.is_true(file.close())
      local first = several and '"f,1",' or ""
      assert.equal((several and "file," or "") .. "row,line,column,outcome,reason\n" .. first
        .. '2,2097152001,"a""b",rejected,no_id (3 further lines inside)\n' .. (several and "," or "")
        .. "3,,,dropped,x\n",
        world.read(path))
    end
  end)

  it("says what could not be written", function()
    local none, why = rejects.open("/no/such/file", false)
    assert.same({ nil, "cannot write /no/such/file: No such file or directory" }, { none, why })
    if io.open("/dev/full", "w") then
      local file = assert(rejects.open("/dev/full", false))
      for row = 1, 10000 do
        file.write { row = row, reason = "no_id" }
      end
      local fine, said = file.close()
      assert.is_falsy(fine)
      assert.truthy(tostring(said):find("No space left on device", 1, true), said)
    end
  end)
end)
