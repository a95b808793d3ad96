-- What a task came to is read from each form of its reply by tables: what failed, what is only warned of, and what was
-- done to which audience.
local json = require "scope3.util.json"
local response = require "scope3.api.response"
local verdict = require "scope3.api.verdict"

local UNKNOWN = "the action is a word that is not known: "

-- Problems as words: the audience, or "*" where it is the whole request, and what is said of it.
local function words(problems)
  local list = {}
  for i, problem in ipairs(problems) do
    list[i] = (problem.audience_id or "*") .. ":" .. (problem.message or problem.code or "")
  end
  return list
end

local function read(text)
  return response.read(assert(json.decode(text, true), text))
end

-- A task whose reply says this, and what stands round the task.
local function of(text, envelope)
  return verdict.of(read("{" .. text .. "}"), envelope and read("{" .. envelope .. "}"))
end

local function of_accepted(text)
  return verdict.of_accepted(response.accepted(json.decode("{" .. text .. "}", true)))
end

local function check(found, failures, warnings, about)
  assert.same({ failures, warnings }, { words(found.failures), words(found.warnings) }, about)
end

local function record(rest)
  return ('"response":{"audiences":[{"audienceId":"a"%s}]}'):format(rest)
end

describe("what a completed task says", function()
  it("is a failure by each word for one, as an action, as a status, and of the whole response", function()
    for _, word in ipairs { "fail", "failed", "failure", "error", "errored", "rejected", " FAILED ", "Error no" } do
      check(of(record((',"action":"%s"'):format(word))), { "a:" }, {}, word)
      check(of(record((',"status":"%s"'):format(word))), { "a:" }, {}, word)
      check(of(('"response":{"status":"%s"}'):format(word)), { "*:" }, {}, word)
    end
    for _, word in ipairs { "fail", "failed", "failure", "errored", "rejected" } do
      check(of(record((',"action":"updated","status":"%s"'):format(word))), { "a:" }, {}, word)
    end
  end)

  it("is none by the status of an audience's row, which a wait checks", function()
    for _, action in ipairs { "created", "updated", "unchanged", "deleted" } do
      for _, status in ipairs { "ERROR", "READY", "PROCESSING", "TOO_SMALL" } do
        local found = of(record((',"action":"%s","status":"%s"'):format(action, status)))
        check(found, {}, {}, action .. status)
        assert.same({ a = action }, found.actions)
      end
    end
  end)

  it("is a failure where success is denied: of the task, of the response, of an audience", function()
    for _, name in ipairs { "success", "succeeded", "ok" } do
      for value, denied in pairs {
        ["false"] = true, ["0"] = true, ['"false"'] = true, ['" FALSE "'] = true,
        ["true"] = false, ["1"] = false, ['"true"'] = false, ['"no"'] = false, ["null"] = false, ["{}"] = false,
      } do
        local said = ('"%s":%s'):format(name, value)
        check(of(said), denied and { "*:" } or {}, {}, said)
        check(of('"response":{' .. said .. "}"), denied and { "*:" } or {}, {}, said)
        check(of(record(',"action":"updated",' .. said)), denied and { "a:" } or {}, {}, said)
      end
    end
  end)

  -- What is said of an audience; its failures, its warnings, and what was done to it.
  for what, case in pairs {
    ["done, in any spelling"] = { ',"action":" Updated "', {}, {}, "updated" },
    ["nothing"] = { "", {}, {}, nil },
    ["a failure with its reasons"] =
      { ',"action":"failed","errors":["x","y"],"error":"z"', { "a:x", "a:y", "a:z" }, {} },
    ["errors beside what was done"] =
      { ',"action":"created","errors":["x"],"error":"z"', {}, { "a:x", "a:z" }, "created" },
    ["errors and no action"] = { ',"errors":["x"]', { "a:x" }, {} },
    ["an error and no action"] = { ',"error":{"code":"X"}', { "a:X" }, {} },
    ["an action that is not known"] = { ',"action":"merged"', {}, { "a:" .. UNKNOWN .. "merged" }, "merged" },
    ["an action that is not known, and errors"] = { ',"action":"merged","errors":["x"]', { "a:x" }, {} },
    ["warnings of what was done"] = { ',"action":"updated","warnings":["w"]', {}, { "a:w" }, "updated" },
    ["warnings of what failed"] = { ',"action":"failed","warnings":["w"]', { "a:" }, { "a:w" } },
    ["warnings after its errors"] =
      { ',"action":"deleted","warnings":["w"],"errors":["x"]', {}, { "a:x", "a:w" }, "deleted" },
  } do
    it("of an audience may be " .. what, function()
      local found = of(record(case[1]))
      check(found, case[2], case[3])
      assert.same({ a = case[4] }, found.actions)
    end)
  end

  it("of an audience without an id speaks of the whole request", function()
    for _, id in ipairs { "null", "true", "{}" } do
      local found = of(('"response":{"audiences":[{"audienceId":%s,"action":"updated","errors":["x"]}]}'):format(id))
      check(found, {}, { "*:x" }, id)
      assert.same({}, found.actions)
      check(of(('"response":{"audiences":[{"audienceId":%s,"action":"failed"}]}'):format(id)), { "*:" }, {}, id)
    end
  end)

  it("of a member is a warning, because the others were accepted", function()
    local updated = '"response":{"audiences":[{"audienceId":"a","action":"updated"}],"results":[%s]}'
    for text, warnings in pairs {
      ['{"externalId":"q","action":"failed","errors":["x"],"error":"y"}'] = { "*:x", "*:y" },
      ['{"externalId":"q","action":"failed"}'] = {},
      ['{"externalId":"q","action":"failed","warnings":["w"]}'] = {},
    } do
      check(of(updated:format(text)), {}, warnings, text)
    end
    check(of(updated:format '{"externalId":"q","audienceId":"b","action":"failed","errors":["x"]}'), { "b:x" }, {})
  end)

  it("is found in each envelope, and once", function()
    for _, name in ipairs {
      "data", "payload", "output", "body", "content", "result", "results", "response", "syncResult", "syncResults",
      "syncResponse", "audience_results",
    } do
      for _, inner in ipairs {
        '{"audienceId":"a","action":"failed","errors":["x"]}', '[{"audienceId":"a","action":"failed","errors":["x"]}]',
        '[{"audienceId":"a","errors":["x"]}]', '{"audiences":[{"audienceId":"a","action":"failed","errors":["x"]}]}',
        '{"audiences":{"audienceId":"a","action":"failed","errors":["x"]}}',
        '{"audiences":{"a":{"audienceId":"a","action":"failed","errors":["x"]}}}',
        '{"audience":{"audienceId":"a","action":"failed","errors":["x"]}}',
        '{"audience":[{"audienceId":"a","errors":["x"]}]}', '{"audiences":{"audienceId":"a","errors":["x"]}}',
        '{"a":{"audienceId":"a","action":"failed","errors":["x"]}}',
      } do
        check(of(('"%s":%s'):format(name, inner)), { "a:x" }, {}, name .. inner)
        check(of(('"response":{"%s":%s}'):format(name, inner)), { "a:x" }, {}, name .. inner)
      end
    end
  end)

  it("is not looked for in other fields, nor in what is no object", function()
    for _, name in ipairs { "metadata", "responses", "resulting", "responseCode", "resultsSoFar", "database" } do
      check(of(('"%s":{"errors":["x"],"success":false}'):format(name)), {}, {}, name)
      check(of(('"response":{"%s":{"errors":["x"],"success":false}}'):format(name)), {}, {}, name)
    end
    for _, value in ipairs { '"failed"', "false", "7", "null", "[]", "{}", "[1,2]", '["failed"]', '{"failed":1}' } do
      for _, name in ipairs { "response", "data", "results" } do
        check(of(('"%s":%s'):format(name, value)), {}, {}, name .. value)
        check(of(('"response":{"%s":%s}'):format(name, value)), {}, {}, name .. value)
      end
      for _, name in ipairs { "audiences", "audience" } do
        check(of(('"response":{"%s":%s}'):format(name, value)), {}, {}, name .. value)
      end
    end
  end)

  it("is found in up to six envelopes, one in another", function()
    for around, failures in pairs { [1] = { "*:x" }, [5] = { "*:x" }, [6] = { "*:x" }, [7] = {} } do
      local text = '{"errors":["x"]}'
      for _ = 2, around do
        text = '{"data":' .. text .. "}"
      end
      check(of('"response":' .. text), failures, {}, around)
    end
  end)

  local DONE, FAILED = '{"audienceId":"a","action":"updated"}', '{"audienceId":"b","action":"failed"}'
  local WHY = '{"audienceId":"b","action":"failed","error":{"code":"C"}}'

  -- What a task says; its failures and warnings.
  for what, case in pairs {
    ["nothing at all"] = { "", {}, {} },
    ["an error of its own"] = { '"error":"e"', { "*:e" }, {} },
    ["an error, and errors after it"] = { '"errors":["x"],"error":"e"', { "*:e", "*:x" }, {} },
    ["an error of its own beside what was done"] =
      { ('"error":"e","response":{"audiences":[%s]}'):format(DONE), { "*:e" }, {} },
    ["errors where nothing was done"] = { '"errors":["x","y"]', { "*:x", "*:y" }, {} },
    ["errors beside what was done"] =
      { ('"errors":["x"],"response":{"audiences":[%s]}'):format(DONE), {}, { "*:x" } },
    ["errors of the response beside what was done"] =
      { ('"response":{"audiences":[%s],"errors":["x"]}'):format(DONE), {}, { "*:x" } },
    ["errors, a denial, and what was done"] =
      { ('"response":{"audiences":[%s],"errors":["x"],"success":false}'):format(DONE), { "*:x" }, {} },
    ["an error of the response beside what was done"] =
      { ('"response":{"audiences":[%s],"error":"e"}'):format(DONE), { "*:e" }, {} },
    ["warnings, of the task before those of the response"] =
      { '"warnings":["v"],"response":{"warnings":["w"]}', {}, { "*:v", "*:w" } },
    ["warnings before errors beside what was done"] =
      { ('"warnings":["v"],"errors":["x"],"response":{"audiences":[%s]}'):format(DONE), {}, { "*:v", "*:x" } },
    ["one of two failed"] = { ('"response":{"audiences":[%s,%s]}'):format(DONE, FAILED), { "b:" }, {} },
    ["one failed, and the first error of the whole is why"] =
      { ('"errors":["x","y"],"response":{"audiences":[%s]}'):format(FAILED), { "b:x" }, { "*:y" } },
    ["one failed, and the error of the task is why"] =
      { ('"error":"e","response":{"audiences":[%s]}'):format(FAILED), { "b:e" }, {} },
    ["one failed, and its errors go before an error"] =
      { ('"error":"e","errors":["x"],"response":{"audiences":[%s]}'):format(FAILED), { "b:x" }, { "*:e" } },
    ["one failed and says why by itself"] =
      { ('"errors":["x"],"response":{"audiences":[%s]}'):format(WHY), { "b:C" }, { "*:x" } },
    ["one failed and says why in words"] =
      { '"errors":["x"],"response":{"audiences":[{"audienceId":"b","errors":["m"]}]}', { "b:m" }, { "*:x" } },
    ["two failed, and only the first takes the reason"] =
      { ('"errors":["x"],"response":{"audiences":[%s,%s]}'):format(FAILED, FAILED), { "b:x", "b:" }, {} },
    ["one failed, after what it warns of"] =
      { ('"warnings":["v"],"errors":["x","y"],"response":{"audiences":[%s]}'):format(FAILED), { "b:x" },
        { "*:v", "*:y" } },
  } do
    it("may be " .. what, function()
      check(of(case[1]), case[2], case[3])
    end)
  end

  it("may stand round the task, too", function()
    check(of("", '"errors":["x"]'), { "*:x" }, {})
    check(of("", '"warnings":["w"]'), {}, { "*:w" })
    check(of('"errors":["x"],"warnings":["v"]', '"errors":["y"],"warnings":["w"]'), { "*:x", "*:y" }, { "*:v", "*:w" })
    check(of(('"response":{"audiences":[%s]}'):format(DONE), '"errors":["x"]'), {}, { "*:x" })
    check(of("", '"success":true,"error":null'), {}, {})
  end)
end)

describe("what the answer to a request that was accepted says", function()
  for text, case in pairs {
    [""] = { {}, {} },
    ['"errors":["x"],"warnings":["w"]'] = { {}, { "*:x", "*:w" } },
    ['"success":false'] = { { "*:" }, {} },
    ['"ok":"false","errors":["x"]'] = { { "*:" }, { "*:x" } },
    ['"success":true'] = { {}, {} },
    ['"status":"failed"'] = { { "*:" }, {} }, ['"status":"Rejected"'] = { { "*:" }, {} },
    ['"status":"cancelled"'] = { { "*:" }, {} }, ['"status":"canceled"'] = { { "*:" }, {} },
    ['"status":"submitted"'] = { {}, {} }, ['"status":"completed"'] = { {}, {} },
    ['"status":"input-required"'] = { {}, {} },
    ['"audiences":[{"audienceId":"a","action":"failed","errors":["x"]}]'] = { { "a:x" }, {} },
    ['"audiences":[{"audienceId":"a","action":"failed"}],"success":false'] = { { "a:" }, {} },
    ['"audience":{"audienceId":"a","action":"failed"},"status":"failed"'] = { { "a:" }, {} },
    ['"audiences":[{"audienceId":"a","action":"updated","errors":["x"]}],"errors":["y"]'] = { {}, { "*:y", "a:x" } },
    ['"results":[{"audienceId":"a","action":"failed"}]'] = { {}, {} },
  } do
    it(("is read from {%s}"):format(text), function()
      check(of_accepted(text), case[1], case[2])
    end)
  end

  it("tells what was done to each audience", function()
    local found = of_accepted '"audiences":[{"audienceId":"a","action":"Created"},{"audienceId":"b","action":"failed"}]'
    assert.same({ a = "created" }, found.actions)
  end)
end)
