-- What audiences, task, wait and hash print, line by line, to people and to machines.
local world = require "spec.support.world"

local json = world.json

describe("the command shows", function()
  local sandbox = world.around(setup, teardown, before_each)

  local function run(...)
    return world.command({ ... },
      { env = "SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=" .. sandbox.url })
  end

  -- The next reply to a question about a task.
  local function answer_task(task)
    sandbox:configure { faults = json.array { {
      on = "task", act = "status", status = 200, times = -1, body = json.encode { task = task },
    } } }
  end

  it("no audiences where there are none, and else the columns that have values", function()
    assert.same({ 0, "The account has no audiences.\n", "" }, { run "audiences" })
    sandbox:control("PUT", "audience", { account = "25", audienceId = "first", status = "READY", uploadedCount = 1200,
      matchedCount = 600, name = "First" })
    sandbox:control("PUT", "audience", { account = "25", audienceId = "b", deleted = true })
    local code, out = run "audiences"
    local lines = {}
    for line in out:gsub("%d%d%d%d%-%d%d%-%d%dT[%d:.]+Z", "TIME"):gmatch "[^\n]+" do
      lines[#lines + 1] = line:gsub(" +$", "")
    end
    assert.same({ 0,
      "AUDIENCE  STATUS   UPLOADED  MATCHED  UPDATED                   NAME",
      "first     READY       1,200      600  TIME  First",
      "b         deleted         -        -  TIME",
    }, { code, lines[1], lines[2], lines[3] })
    sandbox:control("PUT", "audience", { account = "25", audienceId = "b", more = { minimumSize = 100 } })
    code, out = run "audiences"
    assert.same({ 0, true, true }, { code, out:find("MATCHED  NEEDED  UPDATED", 1, true) ~= nil,
      out:find("-     100  ", 1, true) ~= nil }, out)
    code, out = run("audiences", "--json")
    assert.same({ 0, 2 }, { code, #json.decode(out).audiences })
  end)

  it("a task with what it has, and fails where the task has", function()
    answer_task { taskId = "t1", status = "completed", taskType = "audience_sync", createdAt = "2026-01-01T00:00:00Z" }
    assert.same({ 0, "task     t1\nstatus   completed\ntype     audience_sync\ncreated  2026-01-01T00:00:00Z\n"
      .. "updated  -\n", "" }, { run("task", "t1") })
    assert.same({ 0, "", "" }, { run("task", "t1", "--quiet") })
    answer_task { taskId = "t1", status = "failed", metadata = { a = 1 }, error = { code = "X", message = "no" } }
    local code, out, err = run("task", "t1")
    assert.same({ 1, "scope3: the task ended as failed\n" }, { code, err })
    assert.truthy(out:find('\nmetadata  {\n            "a": "[redacted]"\n          }\n', 1, true), out)
    assert.truthy(out:find('\nerror     {\n            "code": "X",\n', 1, true), out)
    code, out = run("task", "t1", "--json")
    local object = json.decode(out)
    assert.same({ 1, "task_failed", "X" }, { code, object.error.kind, object.task_error.code })
    answer_task { taskId = "t1", status = "working", warnings = { { code = "w", message = "one" }, { code = "w",
      message = "two" } }, response = { x = json.array() } }
    code, out = run("task", "t1")
    assert.equal(0, code)
    assert.truthy(out:find("\nwarning   w: one\nwarning   w: two"), out)
    assert.truthy(out:find('\nresponse  {\n            "x": []\n', 1, true), out)
  end)

  it("values with their hashes, and whether all have one", function()
    local HASH = "80305c9bb1bb2480e03894350e0a8a366dcbdeb302e69e0817aa0743abd77054"
    assert.same({ 0, ("A@b.co  a@b.co  %s\n"):format(HASH), "" }, { run("hash", "email", "A@b.co") })
    assert.same({ 0, ("%s  (hashed already)  %s\n"):format(HASH, HASH), "" }, { run("hash", "email", HASH) })
    local code, out = run("hash", "email", "nonsense", "a@b.co")
    assert.equal(1, code)
    assert.truthy(out:find "^nonsense  %-       [^\n]+\na@b.co    a@b.co  8030", out)
    assert.same({ 0, "17  17\n", "" }, { run("hash", "id", "17") })
    code, out = run("hash", "email", "a@b.co", "--explain")
    assert.equal(0, code)
    assert.truthy(out:find "^a@b.co  %->  a@b.co  %->  8030[^\n]*\n    trimmed,[^\n]*\n    hashed with SHA%-256\n", out)
    code, out = run("hash", "id", "17", "--explain")
    assert.equal(0, code)
    assert.truthy(out:find("sent as the member's externalId", 1, true), out)
    local refused, _, err = run("hash", "phone", "1", "--region", "Nowhere")
    assert.same({ 2, true }, { refused, err:find("--region is not a country that is known", 1, true) ~= nil })
    assert.same({ 3, "", "scope3: standard input holds no value\n" }, { run("hash", "email") })
    local object
    code, out = run("hash", "email", "nonsense", "--json")
    object = json.decode(out)
    assert.same({ 1, "nonsense", "invalid", object.reason }, { code, object.raw, object.error.kind, object.error.code })
  end)

  it("the version, the help, and a wrong usage with its hint", function()
    local code, out, err = run "--version"
    assert.same({ 0, true, "" }, { code, out:find "^scope3 %d" ~= nil or out:find "^%d" ~= nil, err })
    assert.same({ 0, out, "" }, { run("sync", "--version") })
    for _, words in ipairs { { "--help" }, { "help" }, { "sync", "--help" }, { "help", "sync" }, { "wait", "-h" } } do
      code, out, err = run((table.unpack or unpack)(words)) -- luacheck: ignore
      assert.same({ 0, true, "" }, { code, out:find("Usage: scope3", 1, true) ~= nil, err }, table.concat(words, " "))
    end
    for _, words in ipairs { { "--help", "sync", "--help" }, { "--help", "--version" } } do -- what is asked for first
      code, out = run((table.unpack or unpack)(words)) -- luacheck: ignore
      assert.same({ 0, true }, { code, out:find("Usage: scope3 [-h]", 1, true) == 1 })
    end
    for _, words in ipairs { { "--version", "--json" }, { "help", "sync", "--json" } } do
      code, out = run((table.unpack or unpack)(words)) -- luacheck: ignore
      assert.same({ 0, json.null }, { code, json.decode(out).error })
    end
    code, out, err = run("sync", "--nosuch")
    assert.same({ 2, "" }, { code, out })
    assert.truthy(err:find("^scope3: [^\n]*%-%-nosuch"), err)
    code, out = run("sync", "--nosuch", "--json")
    local object = json.decode(out)
    assert.same({ 2, "usage" }, { code, object.error.kind })
  end)
end)
