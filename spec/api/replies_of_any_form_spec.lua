-- A reply of any form gives values of the declared types or an error: wrong types, huge numbers, deep nesting.
local each = require "spec.support.each"
local answering = require "spec.support.answering"
local errors = require "scope3.error"
local faults = require "scope3.sandbox.faults"
local json = require "scope3.util.json"
local reply = require "scope3.http.reply"
local report = require "scope3.cli.report"
local result_of = require "scope3.result"
local response = require "scope3.api.response"
local retry_after = require "scope3.http.retry_after"
local scope3 = require "scope3"
local time = require "scope3.util.time"
local world = require "spec.support.world"

local WEIRD = {
  "null", "true", "false", "0", "-1", "1.5", "1e300", "-1e300", "1e999", "-1e999", "9007199254740993",
  "123456789012345678901234567890", '""', '"x"', '" "', "[]", "{}", "[null]", "[null,1]", "[[1],[2]]", "[{}]",
  '{"a":{"b":1}}', '{"1":2}', '"2026-11-01T00:00:1.2.3Z"', '"2026-13-45T99:99:99Z"', '"9999999999-01-01"',
  '"\\u0000"', '"\\u001b[2J"', '"jane@example.com"', '"' .. ("y"):rep(3000) .. '"', ("["):rep(40) .. ("]"):rep(40),
  '{"error":{"error":{}}}', '"READY"', '"completed"', '"failed"', '{"audiences":[{"action":"failed"}]}',
  '[{"path":["audiences",0.5,{}],"message":5},5,null]', '{"issues":[{"path":1.5,"message":null},{"path":["a",1e300]}]}',
}

local seed = require "spec.support.seed"
local random = faults.random(seed)

local function pick(list)
  return list[math.floor(random() * #list) + 1]
end

-- A value, or something else in its place.
local function v(good, share)
  return random() < (share or 0.12) and pick(WEIRD) or good
end

local function object(fields)
  local parts = {}
  for _, field in ipairs(fields) do
    if random() > 0.05 then
      parts[#parts + 1] = ('"%s":%s'):format(field[1], v(field[2]))
    end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function envelope(body)
  body = v(body, 0.04)
  return random() < 0.3 and ('{"data":%s,"error":%s,"meta":%s}'):format(body, v "null", v '{"pagination":{"total":1}}')
    or body
end

local function problem()
  return object { { "code", '"BAD"' }, { "message", '"it is bad"' },
    { "field", '"audiences[0]"' }, { "suggestion", '"mend it"' }, { "retryAfter", "1" }, { "recovery", '"terminal"' },
    {
      "details",
      object { { "issues", "[" .. object { { "path", '"audiences[0].add[0]"' }, { "message", '"odd"' } } .. "]" } },
    } }
end

local make = {}

function make.task()
  return envelope(object { { "task", object {
    { "taskId", '"$ID"' }, { "taskType", '"audience_sync"' },
    { "status", pick { '"working"', '"completed"', '"failed"', '"input-required"' } },
    { "resourceType", '"AUDIENCE"' }, { "resourceId", '"5"' },
    { "error", random() < 0.5 and "null" or problem() }, { "metadata", "null" }, { "retryAfterSeconds", "1" },
    { "response", object { { "success", "true" }, { "audiences", "[" .. object {
      { "audienceId", '"a"' }, { "action", '"updated"' }, { "errors", "[" .. problem() .. "]" } } .. "]" },
      { "errors", "[" .. problem() .. "]" } } },
    { "createdAt", '"2026-11-01T00:00:00Z"' }, { "updatedAt", '"2026-11-01T00:00:01Z"' },
  } } })
end

function make.audiences()
  return envelope(object { { "audiences", "[" .. object {
    { "audienceId", '"a"' }, { "name", '"A"' }, { "accountId", '"25"' },
    { "status", pick { '"READY"', '"PROCESSING"', '"ERROR"' } }, { "deleted", "false" }, { "uploadedCount", "3" },
    { "matchedCount", "2" }, { "createdAt", '"2026-11-01T00:00:00Z"' }, { "updatedAt", '"2026-11-01T00:00:01Z"' },
    { "matchBreakdown", '[{"type":"email","count":1}]' }, { "effectiveMatchRate", "0.5" },
  } .. "]" }, { "total", "1" }, { "skip", "0" }, { "take", "100" } })
end

function make.sync()
  return envelope(object {
    { "success", "true" }, { "accountId", '"25"' }, { "operationId", '"t1"' }, { "taskId", '"t1"' },
  })
end

function make.syndicate()
  local records = "[" .. object { { "id", '"1"' }, { "resourceId", '"a"' }, { "adcpAgentId", '"x"' },
    { "enabled", "true" }, { "status", '"PENDING"' } } .. "]"
  return envelope(records)
end

function make.syndication_status()
  return envelope(object {
    { "items", "[" .. object { { "id", '"1"' }, { "resourceId", '"a"' }, { "status", '"PENDING"' } } .. "]" },
    { "total", "1" },
  })
end

function make.rejection()
  return object { { "data", "null" }, { "error", problem() } }
end

local TASK = {
  task_id = "string", task_type = "string", status = "string", resource_type = "string",
  resource_id = "string", retry_after_seconds = "number", created_at = "string",
  updated_at = "string", response = "table", metadata = "table", warnings = "table",
}
local ROW = {
  audience_id = "string", name = "string", account_id = "string", status = "string",
  deleted = "boolean", uploaded_count = "number", matched_count = "number",
  created_at = "string", updated_at = "string", effective_match_rate = "number",
}
local RECORD = {
  id = "string", resource_id = "string", adcp_agent_id = "string", enabled = "boolean", status = "string",
}

local function check_type(value, types, needs, about)
  assert.equal("table", type(value), about)
  for name, want in pairs(types) do
    if value[name] ~= nil then
      assert.equal(want, type(value[name]), name .. about)
      if want == "number" then
        assert.is_true(value[name] >= 0 and value[name] < math.huge, name .. about)
      end
    end
  end
  for _, name in ipairs(needs) do
    assert.is_not_nil(value[name], name .. about)
  end
  assert(json.decode(json.pretty(value)), about)
end

local function check_error(err, about)
  assert.is_true(errors.is(err), tostring(err) .. about)
  assert.equal("string", type(err.message), about)
  assert.is_nil(tostring(err):find("jane@example.com", 1, true), about)
  for _, name in ipairs { "code", "field" } do
    assert.is_true(err[name] == nil or type(err[name]) == "string", about)
  end
  for _, issue in ipairs(err.issues or {}) do
    assert.is_true(type(issue.message) == "string" and (issue.path == nil or type(issue.path) == "string"), about)
  end
end

describe("a reply", function()
  it("of any form gives values of the declared types or an error, at every call", function()
    local server = answering.start()
    local client = server:client()
    local n = world.in_full and 5000 or world.thorough and 300 or 100
    local made = assert(scope3.audience { id = "a" })
    assert(made:add { external_id = "1", email = "a@b.co" })
    for i = 1, n do
      local bodies, status = {}, random() < 0.15 and pick { 400, 401, 404, 409, 422 } or nil
      for kind, body in pairs(make) do
        bodies[kind] = status and make.rejection() or body()
      end
      local about = ("\nseed %d, round %d: %s"):format(seed, i, json.encode(bodies):sub(1, 4000))
      server:answer(([[
        local json = ...
        local bodies, status = json.decode(%q), %s
        return function(request)
          local path = request.path
          local kind = path:find("/sync$") and "sync" or path:find("/tasks/") and "task" or path:find("/audiences$") and "audiences"
            or path:find("/syndicate$") and "syndicate" or "syndication_status"
          local id = path:match("/tasks/(.+)$") or ""
          return status or kind == "sync" and 202 or 200, (bodies[kind]:gsub("%%$ID", id))
        end]]):format(json.encode(bodies), tostring(status)))
      local value, err = client:task "t1"
      if value then
        check_type(value, TASK, { "task_id", "status" }, about)
      else
        check_error(err, about)
      end
      value, err = client:wait("t1", { timeout = 4, audience = "a" })
      if value then
        check_type(value, TASK, { "task_id", "status" }, about)
        check_type(value.audience, ROW, { "audience_id" }, about)
      else
        check_error(err, about)
      end
      for row, why in each(client:audiences()) do
        if row then
          check_type(row, ROW, { "audience_id" }, about)
        else
          check_error(why, about)
        end
      end
      value, err = client:audience "a"
      if value then
        check_type(value, ROW, { "audience_id" }, about)
      else
        check_error(err, about)
      end
      value, err = client:syndicate { audience_id = "a", adcp_agent_ids = { "x" } }
      if value then
        for _, record in ipairs(value) do
          check_type(record, RECORD, {}, about)
        end
      else
        check_error(err, about)
      end
      for record, why in each(client:syndication_status()) do
        if record then
          check_type(record, RECORD, {}, about)
        else
          check_error(why, about)
        end
      end
      local res
      res, err = client:sync(made)
      if res then
        local _, why = res:wait { timeout = 4 }
        if why then
          check_error(why, about)
        end
      else
        check_error(err, about)
        res = err.result
      end
      if res then
        world.assert_sums(res)
        assert.is_true(result_of.is(res) and type(report.of(res, { title = "x" })) == "string")
        assert(json.decode(res:json()), about)
        if res.rejected_by_service > 0 then
          made = assert(scope3.audience { id = "a" })
          assert(made:add { external_id = "1", email = "a@b.co" })
        end
      end
    end
    server:close()
    world.clean()
  end)

  it("is read whole by the command, whatever its numbers and times are", function()
    local server = answering.start()
    local env = { env = ("SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=%s"):format(server.url) }
    local csv = world.file "id,mail\n1,a@b.co\n"
    for _, rest in ipairs {
      '"matchedCount":1e300,"uploadedCount":"x"', '"matchedCount":"x","uploadedCount":5',
      '"matchedCount":1e999,"uploadedCount":1e300',
      '"matchedCount":-1,"uploadedCount":3', '"matchedCount":3,"uploadedCount":0',
      '"matchedCount":{},"uploadedCount":[],"name":5,"deleted":"no"', '"matchedCount":1.5,"uploadedCount":2.5',
    } do
      server:play { audiences = { '{"audiences":[{"audienceId":"a","status":"READY",' .. rest .. '}],"total":1}' } }
      local code, out, err = world.command({
        "sync", csv, "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--wait", "20",
      }, env)
      assert.equal(0, code, out .. err)
      assert.truthy(out:find("audience     a · READY", 1, true), out)
      assert.is_nil(out:find("-1", 1, true) or out:find("inf", 1, true) or out:find("nan", 1, true))
      code, out, err = world.command({ "audiences" }, env)
      assert.equal(0, code, out .. err)
    end
    server:close()
    world.clean()
  end)

  it("has times that are read where they are times, and nowhere else", function()
    assert.equal(time.iso "2026-11-01T00:00:01Z" + 0.5, time.iso "2026-11-01T00:00:01.5Z")
    assert.equal(time.iso "2026-11-01T02:00:00+02:00", time.iso "2026-11-01T00:00:00Z")
    assert.equal(time.iso "2026-11-01 00:00:00", time.iso "2026-11-01T00:00:00,0z")
    for _, text in ipairs {
      "2026-11-01T00:00:1.2.3Z", "2026-11-01T00:00:..Z", "2026-11-01T00:00:01.2.3Z",
      "2026-11-01T00:00:00.Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-11-01T25:00:00Z",
      "2026-11-01", "x2026-11-01T00:00:00Z", "2026-11-01T00:00:00 o'clock", "", ("1"):rep(1e6),
    } do
      assert.is_nil(time.iso(text), text:sub(1, 40))
    end
    for _, value in ipairs { 5, true, {}, print } do
      assert.is_nil(time.iso(value))
    end
    for value, want in pairs {
      ["5"] = 5, ["0"] = 0, ["2.5"] = 2.5, ["0x10"] = false, ["1e3"] = false,
      inf = false, nan = false, ["-1"] = false, [""] = false, soon = false,
    } do
      assert.equal(want or nil, retry_after.read({ headers = { ["retry-after"] = value } }, 0), value)
    end
  end)

  it("keeps its own spelling of a name where both are there, and nulls of a list leave no holes", function()
    for _ = 1, 50 do
      assert.equal("own", response.read(json.decode '{"task_id":"other","taskId":"own"}').task_id)
    end
    assert.same({ 1, 2 }, response.read(json.decode "[null,1,null,2,null]"))
    assert.same({ id = "x" },
      response.syndication(json.decode '{"id":"x","status":5,"enabled":"yes","resourceId":null}'))
  end)

  it("needs time in proportion to its length, however it is made", function()
    for _, body in ipairs {
      ("<title>"):rep(1e6), "<title>" .. ("<"):rep(7e6), "<html>" .. ("<TITLE"):rep(1e6), (" "):rep(7e6) .. "<",
      "<title>" .. ("'"):rep(7e6) .. "</title>", "<title></title" .. (" "):rep(7e6), ("x@"):rep(3e6),
    } do
      local before = os.clock()
      local _, err = reply.read({ status = 502, headers = { ["content-type"] = { "text/html" } }, body = body }, 0)
      assert.is_true(#err.message < 1000)
      assert.is_true(os.clock() - before < 20, body:sub(1, 20)) -- a square of a million would be hours
    end
    local issues = {}
    for i = 1, 40000 do
      issues[i] = '{"path":"audiences[0].add[' .. i .. '].externalId","message":"\'x\' is odd' .. (" 1"):rep(50) .. '"}'
    end
    local before = os.clock()
    local _, err = reply.read({
      status = 400, headers = {},
      body = '{"error":{"code":"BAD","details":{"issues":[' .. table.concat(issues, ",") .. "]}}}",
    }, 0)
    assert.equal(40000, #err.issues)
    assert.equal("audiences[0].add[39999].externalId", err.issues[39999].path)
    assert.is_true(os.clock() - before < 20)
  end)
end)
