-- --events writes a line of JSON for each event while a job runs or a task is waited for: whole lines, at once, with
-- the fields of docs/events.md and no more, and nothing of a member. What cannot be written is said and counted.
local cjson = require("cjson.safe").new()
local core = require "scope3.core"
local pages = require "spec.support.pages"
local time = require "scope3.util.time"
local world = require "spec.support.world"

local KEY = "SCOPE3_API_KEY=scope3_spec_key SCOPE3_ACCOUNT_ID=25 "

describe("the events of a command", function()
  local sandbox = world.around(setup, teardown, before_each)
  local rows, at

  setup(function()
    local lines = { "id,mail" }
    for i = 1, 30 do
      lines[#lines + 1] = ("c%d,secret%d@example.com"):format(i, i)
    end
    rows = world.file(table.concat(lines, "\n") .. "\n", ".csv")
    at = { "--base-url", sandbox.url }
  end)

  local function command(words, options)
    local all = {}
    for _, list in ipairs { words, words[1] ~= "wait" and {
      "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--rate", "100000",
    } or {}, at } do
      for _, word in ipairs(list) do
        all[#all + 1] = word == "ROWS" and rows or word
      end
    end
    options = options or {}
    options.env = KEY
    return world.command(all, options)
  end

  local function events_of(text)
    local events = {}
    assert.truthy(text == "" or text:sub(-1) == "\n", text)
    for line in text:gmatch "[^\n]+" do
      local event, why = cjson.decode(line)
      assert.is_table(event, tostring(why) .. ": " .. line)
      events[#events + 1] = event
    end
    return events
  end

  -- The names of the events, each once. Whether a full request is blocked depends on how fast the service is.
  local function names_of(events)
    local names, seen = {}, { blocked = true }
    for _, event in ipairs(events) do
      if not seen[event.event] then
        seen[event.event] = true
        names[#names + 1] = event.event
      end
    end
    table.sort(names)
    return table.concat(names, " ")
  end

  -- event -> field -> true, as the page has them
  local function fields_on_page()
    local text, fields = world.read "docs/events.md", {}
    for _, one in ipairs(pages.tables_with(text, "event", "when", "fields")) do
      for _, row in ipairs(one.rows) do
        local of = {}
        for _, name in ipairs(pages.quoted(row[3])) do
          of[name] = true
        end
        fields[pages.quoted(row[1])[1]] = of
      end
    end
    local named = { "progress", "retry" }
    for i, one in ipairs(pages.tables_with(text, "field", "meaning")) do
      for _, row in ipairs(one.rows) do
        for _, name in ipairs(pages.quoted(row[1])) do
          fields[named[i]][name] = true
        end
      end
    end
    fields.progress.result = nil
    return fields
  end

  it("are lines of JSON with a time and the fields of the page, and nothing of a member", function()
    sandbox:configure { faults = world.json.array { { on = "sync", act = "status", status = 503, times = 1 } } }
    local path, before = world.path ".jsonl", core.time()
    local code, _, err = command { "sync", "ROWS", "--max-members", "10", "--wait", "--events", path }
    assert.equal(0, code, err)
    local text = world.read(path)
    local events, fields, last = events_of(text), fields_on_page(), math.floor(before)
    assert.equal("accepted audience progress request retry task", names_of(events))
    for _, event in ipairs(events) do
      local of = assert(fields[event.event], event.event)
      for name in pairs(event) do
        assert.is_true(name == "event" or name == "time" or of[name] == true, event.event .. "." .. name)
      end
      assert.truthy(event.time:find "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$", event.time)
      assert.is_true(time.iso(event.time) >= last, event.time)
      last = time.iso(event.time)
    end
    for _, word in ipairs { "secret", "example.com", "scope3_spec_key", '"c1"' } do
      assert.is_nil(text:find(word, 1, true), word)
    end
    local accepted = 0
    for _, event in ipairs(events) do
      accepted = accepted + (event.event == "accepted" and event.members or 0)
    end
    assert.equal(30, accepted)
  end)

  it("are in the file as soon as they happen", function()
    local path = world.path ".jsonl"
    local script = world.file(([[
      local n = 0
      return { audience = "a", member = function(row)
        n = n + 1
        local file = assert(io.open(%q))
        local text = file:read "*a"
        file:close()
        if n == 30 and not text:find('"event":"request".*\n$') then
          error("nothing is there yet", 0)
        end
        return { external_id = row.id, email = row.mail }
      end }]]):format(path), ".lua")
    local code, _, err = world.command({ "run", script, rows, "--max-members", "10", "--rate", "100000", "--strict",
      "--events", path, at[1], at[2] }, { env = KEY })
    assert.equal(0, code, err)
  end)

  it("are also those of a wait for a task", function()
    local code, out = command { "sync", "ROWS", "--json" }
    assert.equal(0, code)
    local path = world.path ".jsonl"
    local task = cjson.decode(out).tasks[1].task_id
    local err
    code, out, err = command { "wait", task, "--audience", "a", "--events", path }
    assert.equal(0, code, err)
    assert.truthy(out:find("completed", 1, true), out)
    local events = events_of(world.read(path))
    assert.equal("audience task", names_of(events))
    assert.equal(task, events[1].task_id)
    -- a wait that fails has written its events, too
    code = command { "wait", "nosuch", "--timeout", "0", "--events", path }
    assert.equal(1, code)
    assert.equal("task", names_of(events_of(world.read(path))))
  end)

  it("go to standard output with a dash, and the report to standard error", function()
    local code, out, err = command { "sync", "ROWS", "--events", "-" }
    assert.equal(0, code, err)
    assert.equal("accepted progress request", names_of(events_of(out)))
    assert.truthy(err:find("30 members", 1, true), err)
    local task = out:match '"task_id":"([^"]+)"'
    code, out, err = command { "wait", task, "--events", "-" }
    assert.equal(0, code, err)
    assert.equal("task", names_of(events_of(out)))
    assert.truthy(err:find("completed", 1, true), err)
  end)

  it("of a script stand alone there, whatever it prints", function()
    local script = world.file("print 'mine' return { audience = 'a', map = { external_id = 'id', email = 'mail' } }",
      ".lua")
    local code, out, err = world.command({ "run", script, rows, "--dry-run", "--events", "-" }, { env = KEY })
    assert.equal(0, code, err)
    assert.equal("progress", names_of(events_of(out)))
    assert.truthy(err:find("mine", 1, true), err)
  end)

  it("are of one input whose name no terminal should show", function()
    local folder = world.path ""
    os.execute("mkdir " .. folder)
    for i, name in ipairs { "a\27[1m\255", "b\226\128\174" } do
      world.write(("%s/%s.csv"):format(folder, name), ("id,mail\n%d,a@example.com\n"):format(i))
    end
    local code, out, err = command { "sync", folder .. "/*.csv", "--events", "-" }
    os.execute("rm -r " .. folder)
    assert.equal(0, code, err)
    events_of(out)
    assert.truthy(out:find("\\u001b[1m\\ufffd", 1, true), out)
    assert.truthy(out:find("\\u202e", 1, true), out)
  end)

  describe("that cannot be written", function()
    it("end the command before anything is sent, where the file cannot be opened", function()
      for _, path in ipairs { "/nosuch/events", "spec" } do
        for _, words in ipairs { { "sync", "ROWS" }, { "wait", "t" } } do
          words[#words + 1] = "--events"
          words[#words + 1] = path
          words[#words + 1] = "--json"
          local code, out, err = command(words)
          assert.equal(1, code, err)
          assert.same({ "failed", cjson.null }, { cjson.decode(out).error.kind, cjson.decode(out).error.code })
          assert.truthy(err:find("scope3: cannot write " .. path, 1, true), err)
        end
      end
      assert.same({}, sandbox:requests())
    end)

    it("are counted, and the job goes on to its end", function()
      if not world.exists "/dev/full" then
        return pending "there is no /dev/full"
      end
      local code, out, err = command { "sync", "ROWS", "--max-members", "10", "--json", "--events", "/dev/full" }
      local object = cjson.decode(out)
      assert.same({ 1, 30, "failed" }, { code, object.accepted, object.error.kind })
      local n = err:match "cannot write all of /dev/full: No space left on device %((%d+) events are lost%)"
      assert.is_true(tonumber(n) >= 7, err)
      assert.truthy(object.error.message:find("events are lost", 1, true), out)
      code, out, err = command { "wait", object.tasks[1].task_id, "--events", "/dev/full", "--json" }
      object = cjson.decode(out)
      assert.same({ 1, "completed", "failed" }, { code, object.status, object.error.kind }, err)
      code, out, err = command { "wait", "nosuch", "--timeout", "0", "--events", "/dev/full" }
      assert.same({ 1, "" }, { code, out })
      assert.truthy(err:find("(1 event is lost)", 1, true), err)
    end)

    it("are exit code 4 where they go to standard output", function()
      if not world.exists "/dev/full" then
        return pending "there is no /dev/full"
      end
      local code = world.path ".code"
      os.execute(("%s %s bin/scope3.in sync %s --dry-run --audience a --map external_id=id --map email=mail --events - "
        .. ">/dev/full 2>/dev/null; echo $? >%s"):format(KEY, os.getenv "SCOPE3_LUA_BIN", rows, code))
      assert.equal("4\n", world.read(code))
    end)
  end)
end)
