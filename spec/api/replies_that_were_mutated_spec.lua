-- Replies with bytes changed, doubled, cut and nested.
-- Each gives values of the declared types, or an error that says what is wrong.
local answering = require "spec.support.answering"
local each = require "spec.support.each"
local errors = require "scope3.error"
local faults = require "scope3.sandbox.faults"
local json = require "scope3.util.json"
local report = require "scope3.cli.report"
local scope3 = require "scope3"
local signing = require "spec.support.signing"
local world = require "spec.support.world"

local seed = require "spec.support.seed"
local random = faults.random(seed)

local function upto(n)
  return math.floor(random() * n) + 1
end

local TASK = '{"task":{"taskId":"t1","taskType":"audience_sync","status":"completed","resourceType":"AUDIENCE",'
  .. '"resourceId":"5","error":null,'
  .. '"metadata":{"a":1},"retryAfterSeconds":1,"response":{"success":true,"audiences":[{"audienceId":"a",'
  .. '"action":"updated","errors":[]}]},'
  .. '"createdAt":"2026-11-01T00:00:00Z","updatedAt":"2026-11-01T00:00:01.5Z"}}'
local AUDIENCES = '{"data":{"audiences":[{"audienceId":"a","name":"A","accountId":"25","status":"READY",'
  .. '"deleted":false,"uploadedCount":3,'
  .. '"matchedCount":2,"createdAt":"2026-11-01T00:00:00Z","updatedAt":"2026-11-01T00:00:01Z","effectiveMatchRate":0.5,'
  .. '"matchBreakdown":[{"type":"email","count":1}]}],"total":1,"skip":0,"take":100},"error":null,'
  .. '"meta":{"pagination":{"total":1}}}'
local SYNC = '{"success":true,"accountId":"25","operationId":"t1","taskId":"t1"}'
local RECORDS = '[{"id":"1","resourceId":"a","adcpAgentId":"x","enabled":true,"status":"PENDING"}]'
local ERROR = '{"data":null,"error":{"code":"BAD","message":"it is bad","field":"audiences[0].add[0]",'
  .. '"suggestion":"mend it","retryAfter":1,'
  .. '"recovery":"terminal","details":{"issues":[{"path":["audiences",0,"add",1,"externalId"],"message":"odd"},'
  .. '{"path":"audiences[0].add[0].uids[1.5]","message":"odd too"}]}}}'
local PROBLEM = '{"type":"about:blank","title":"Bad","status":400,"detail":"it is bad","instance":"/x"}'
local HEALTH = '{"status":"ok","version":"1.2.3","commit":"0a1b2c3d4e"}'

-- What a part of a reply may be instead.
local ODD = {
  "null", "true", "0", "-1", "1.5", "1e300", "-1e300", "1e999", "NaN", "-0", "9007199254740993",
  ("9"):rep(400), '""', '"x"', "[]", "{}", "[null]", "[[[]]]", '{"0":1}', '{"":""}', '"\\u0000"',
  '"\\ud800"', '"\255\254"', '"2026-11-01T00:00:1.2.3Z"', '"9999-12-31T23:59:59Z"', '"-1"', '" "',
  '"READY"', '"failed"', ("["):rep(70) .. ("]"):rep(70), ('{"a":'):rep(70) .. "1" .. ("}"):rep(70),
  "[" .. ("1,"):rep(3000) .. "1]", '"' .. ("y"):rep(9000) .. '"', "{1:2}", "'x'", ",",
}

-- A place behind a colon, and the end of the value there; nothing where there is none.
local function value_in(text)
  local places = {}
  for at in text:gmatch(":()") do
    places[#places + 1] = at
  end
  local at = places[upto(math.max(1, #places))]
  if not at then
    return nil
  end
  local stop = text:match('^"[^"]*"()', at) or text:match("^%b{}()", at) or text:match("^%b[]()", at)
    or text:match("^[^,}%]]*()", at)
  return at, stop - 1
end

local MUTATIONS = {
  function(text) -- another value
    local from, to = value_in(text)
    return from and text:sub(1, from - 1) .. ODD[upto(#ODD)] .. text:sub(to + 1) or ODD[upto(#ODD)]
  end,
  function(text) -- a name twice, with another value
    local name = text:match('^[^"]*"(%a+)":', upto(#text))
    return name and (text:gsub('"' .. name .. '":',
      ('"%s":%s,"%s":'):format(name, ODD[upto(#ODD)]:gsub("%%", "%%%%"), name), 1)) or text
  end,
  function(text) -- a failure beside it
    return (text:gsub("{", '{"success":false,"error":' .. ODD[upto(#ODD)]:gsub("%%", "%%%%") .. ",", 1))
  end,
  function(text) -- a byte
    local at = upto(#text)
    return text:sub(1, at - 1) .. string.char(upto(256) - 1) .. text:sub(at + 1)
  end,
  function(text) -- cut off
    return text:sub(1, upto(#text) - 1)
  end,
  function(text) -- a piece twice
    local from = upto(#text)
    local to = math.min(#text, from + upto(60))
    return text:sub(1, to) .. text:sub(from)
  end,
  function(text)
    return "\239\187\191" .. text
  end,
  function(text)
    return '{"data":' .. text .. ',"error":' .. ODD[upto(#ODD)] .. "}"
  end,
}

local function mutate(text)
  for _ = 1, upto(3) - (random() < 0.1 and 1 or 0) do
    text = #text > 0 and MUTATIONS[upto(#MUTATIONS)](text) or text
  end
  return text
end

local function check_error(err, about)
  assert.is_true(errors.is(err), tostring(err) .. about)
  assert.is_true(type(err.message) == "string" and err.message ~= "", about)
  for _, name in ipairs { "code", "field", "task_id", "suggestion" } do
    assert.is_true(err[name] == nil or type(err[name]) == "string", name .. about)
  end
  for _, issue in ipairs(err.issues or {}) do
    assert.is_true(type(issue.message) == "string" and (issue.path == nil or type(issue.path) == "string"), about)
  end
  assert(json.decode(json.pretty { message = err.message, issues = err.issues or json.array {} }), about)
end

local TYPES = {
  task_id = "string", status = "string", retry_after_seconds = "number", created_at = "string",
  updated_at = "string", response = "table", audience_id = "string", name = "string", uploaded_count = "number",
  matched_count = "number", effective_match_rate = "number", match_breakdown = "table", id = "string",
  enabled = "boolean", deleted = "boolean", version = "string", commit = "string",
}

local function check(value, why, about)
  if value == nil or value == false then
    return check_error(why, about)
  end
  for name, want in pairs(type(value) == "table" and TYPES or {}) do
    local got = value[name]
    assert.is_true(got == nil or type(got) == want, ("%s is %s%s"):format(name, type(got), about))
    assert.is_true(want ~= "number" or got == nil or (got >= 0 and got < math.huge), name .. about)
  end
end

local function all(iterator, about)
  for row, why in each(iterator) do
    check(row, why, about)
  end
end

local CALLS = {}
CALLS[1] = { body = TASK, call = function(client, about)
  local value, why = client:task "t1"
  check(value, why, about)
end }
CALLS[2] = { body = AUDIENCES, call = function(client, about)
  all(client:audiences(), about)
end }
CALLS[3] = { body = AUDIENCES, call = function(client, about)
  local value, why = client:audience "a"
  check(value, why, about)
end }
CALLS[4] = { body = SYNC, status = 202, call = function(client, about)
  local made = assert(scope3.audience { id = "a" })
  assert(made:add { external_id = "1", email = "a@b.co" })
  local res, why = client:sync(made)
  if not res then
    check_error(why, about)
    res = why.result
  end
  if res then
    world.assert_sums(res)
    assert.equal("string", type(report.of(res, { title = "x" })), about)
    assert(json.decode(res:json()), about)
    for _, one in ipairs(res.tasks) do
      assert.is_true(type(one.task_id) == "string" and one.task_id ~= "", about)
    end
  end
end }
CALLS[5] = { body = RECORDS, call = function(client, about)
  local value, why = client:syndicate { audience_id = "a", adcp_agent_ids = { "x" } }
  check(value and true, why, about)
  for _, record in ipairs(value or {}) do
    check(record, nil, about)
  end
end }
CALLS[6] = { body = '{"items":' .. RECORDS .. ',"total":1}', call = function(client, about)
  all(client:syndication_status(), about)
end }
CALLS[7] = { body = HEALTH, call = function(client, about)
  local fine, why, said = client:health()
  check(fine, why, about)
  check(said or true, nil, about)
end }

describe("a reply that was mutated", function()
  it("gives values of the declared types or an error, at every call", function()
    print("   seed " .. seed)
    local server = answering.start()
    local client = server:client()
    local rounds, of_each = world.in_full and 20 or world.thorough and 3 or 1, world.thorough and 200 or 50
    for round = 1, rounds do
      local bodies, picked = {}, {}
      for i = 1, of_each do
        local call = CALLS[upto(#CALLS)]
        local failed = random() < 0.25 and ({ 400, 401, 404, 409, 422 })[upto(5)] or nil
        local text = failed and (random() < 0.3 and PROBLEM or ERROR) or call.body
        picked[i], bodies[i] = call, { failed or call.status or 200, mutate(text) }
      end
      for i = 1, of_each do
        local about = ("\nseed %d, round %d, reply %d: %d %s"):format(seed, round, i, bodies[i][1],
          json.encode(bodies[i][2]):sub(1, 600))
        server:answer(("return function() return %d, %s end"):format(bodies[i][1],
          (("%q"):format(bodies[i][2]):gsub("\\\n", "\\n"):gsub("\r", "\\r"):gsub("%z", "\\0"))))
        local ok, why = pcall(picked[i].call, client, about)
        assert(ok, type(why) == "string" and why .. about or why)
      end
    end
    server:close()
    world.clean()
  end)

  it("is no way into the verification of callbacks, be it the sender's keys, a header or a body", function()
    local key = signing.key("ed25519", "key-1")
    local jwks = json.encode { keys = json.array { key.jwk } }
    local good = signing.request(key)
    local n = world.in_full and 20000 or world.thorough and 600 or 200
    for i = 1, n do
      local keys, request = jwks, { method = "POST", url = good.url, headers = {}, body = good.body }
      for name, value in pairs(good.headers) do
        request.headers[name] = value
      end
      local what = upto(3)
      if what == 1 then
        keys = mutate(jwks)
      elseif what == 2 then
        request.body = mutate(good.body)
      else
        local names = { "Host", "Content-Type", "Content-Digest", "Signature-Input", "Signature" }
        local name = names[upto(#names)]
        request.headers[name] = mutate(request.headers[name])
      end
      local about = ("\nseed %d, callback %d: %s"):format(seed, i, json.encode { keys, request.body, request.headers })
      local ok, value, err = pcall(scope3.webhook.verify, request, { mode = "rfc9421", seen = function()
        return false
      end, now = function()
        return signing.NOW
      end, keys = function()
        return (json.decode(keys))
      end })
      assert.is_true(ok, tostring(value) .. about)
      if value == nil then
        check_error(err, about)
      elseif what == 2 then
        assert.equal(good.body, request.body, about)
      end
      ok, value, err = pcall(scope3.webhook.verify,
        { headers = { Authorization = "Bearer " .. ("c"):rep(32) }, body = mutate(good.body) },
        { mode = "bearer", credentials = ("c"):rep(32) })
      assert.is_true(ok, tostring(value) .. about)
      if value == nil then
        check_error(err, about)
      else
        assert.is_true(type(value) == "table" and type(value.task_id) == "string", about)
      end
    end
    world.clean()
  end)
end)
