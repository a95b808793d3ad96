-- Each reply of the service is read into its type by tables, or is an error that says so.
local json = require "scope3.util.json"
local problems = require "scope3.api.problems"
local response = require "scope3.api.response"

local function decode(text)
  return assert(json.decode(text, true), text)
end

local function check_bad(value, err, about)
  assert.same({ nil, "http", "BAD_REPLY" }, { value, err and err.kind, err and err.code }, about)
end

describe("a problem of a reply", function()
  for i, case in ipairs { { 0, 0 }, { 1.5, 1.5 }, { 3600, 3600 }, { 3601, 3600 }, { 1e300, 3600 }, { -1 }, { "5" } } do
    it(("asks to wait for an hour at most, in case %d"):format(i), function()
      assert.equal(case[2], problems.list({ retry_after = case[1] })[1].retry_after)
    end)
  end
end)

describe("a value of a reply", function()
  it("is no infinity and no NaN, and whole where it is whole", function()
    for _, number in ipairs { math.huge, -math.huge, 0 / 0 } do
      assert.same({ 7 }, response.read(json.array { number, 7 }))
      assert.is_nil(response.read(number))
    end
    for number, text in pairs { [1.5] = "1.5", ["3.0"] = "3", ["-2.0"] = "-2", ["0.0"] = "0" } do
      assert.equal(text, tostring(response.read(tonumber(number))))
    end
    assert.equal(1e300, response.read(1e300))
  end)

  it("is a text where its name ends as that of an id does, at any depth", function()
    assert.same({ task_id = "7", list = { { account_id = "8" } }, id = 9, count = 1, grid = 2 },
      response.read(decode '{"taskId":7,"list":[{"accountId":8}],"id":9,"count":1,"grid":2}'))
    assert.same({ a_id = true }, response.read(decode '{"aId":true,"bId":1.5,"cId":null}'))
  end)
end)

describe("the answer to a question for a task", function()
  -- A reply; the task's id that is read is the one that was asked for, "t-1".
  for text, envelope in pairs {
    ['{"status":"working"}'] = false,
    ['{"taskId":"T-1","status":"working"}'] = false,
    ['{"task":{"status":"working"}}'] = true,
    ['{"task":{"taskId":"t-1","status":"working"}}'] = true,
    ['{"taskId":"T-1","task":{"status":"working"}}'] = true,
    ['{"taskId":"not an id","task":{"status":"working"}}'] = true,
    ['{"taskId":"other","task":{"taskId":"t-1","status":"working"}}'] = true,
  } do
    it(("is read from %s"):format(text), function()
      local answer, err = response.task(decode(text), "t-1")
      assert.is_nil(err)
      assert.same({ "t-1", "working" }, { answer.task.task_id, answer.task.status })
      assert.equal(envelope, answer.envelope ~= nil)
    end)
  end

  for _, text in ipairs {
    "{}", '{"task":{}}', '{"task":7}', '{"task":7,"status":""}', '{"status":7}',
    '{"task":{"status":null},"status":"working"}', '{"taskId":"not an id","status":"working"}',
    '{"taskId":"other","status":"working"}', '{"task":{"taskId":"other","status":"working"}}',
    '{"taskId":"other","task":{"status":"working"}}',
  } do
    it(("is an error where it is %s"):format(text), function()
      local answer, err = response.task(decode(text), "t-1")
      check_bad(answer, err)
      assert.equal(200, err.status)
    end)
  end
end)

describe("the answer to a request that was accepted", function()
  for text, case in pairs {
    ["{}"] = {},
    ['{"taskId":"a","operationId":"b"}'] = { "a" },
    ['{"operationId":"b"}'] = { "b" },
    ['{"task_id":"a","operation_id":"b"}'] = { "a" },
    ['{"operation_id":"b","status":"Input Required"}'] = { "b", "input-required" },
    ['{"taskId":"not an id","operationId":"b","status":"WORKING"}'] = { "b", "working" },
    ['{"taskId":null,"task_id":7,"operationId":"b"}'] = { "b" },
    ['{"taskId":"not an id"}'] = {},
  } do
    it(("names its task: %s"):format(text), function()
      local accepted = response.accepted(decode(text))
      assert.same({ case[1], case[2] }, { accepted.task_id, accepted.status })
      assert.equal("table", type(accepted.body))
    end)
  end
end)

describe("a row of the list of audiences", function()
  for text, deleted in pairs {
    ['{"audienceId":"a"}'] = "nil", ['{"audienceId":"a","status":"READY"}'] = "nil",
    ['{"audienceId":"a","status":"DELETED"}'] = "true",
    ['{"audienceId":"a","status":"deleted","deleted":false}'] = "true",
    ['{"audienceId":"a","status":"READY","deleted":true}'] = "true",
    ['{"audienceId":"a","status":"READY","deleted":0}'] = "false", ['{"audienceId":7}'] = "nil",
  } do
    it(("tells whether it is deleted: %s"):format(text), function()
      local row = response.audience(decode(text))
      assert.equal(deleted, tostring(row.deleted))
      assert.equal("string", type(row.audience_id))
    end)
  end

  it("is none where it names no audience", function()
    for _, value in ipairs { 7, "a", true, json.null, {}, { status = "READY" }, { audienceId = "" } } do
      assert.is_nil(response.audience(value))
    end
    assert.is_nil(response.audience(nil))
  end)
end)

describe("the answer to a syndication", function()
  for text, count in pairs { ["[]"] = 0, ["{}"] = 0, ['[{"id":"1"}]'] = 1, ['[{"id":1},{"id":"2"}]'] = 2 } do
    it(("is the list of records %s"):format(text), function()
      local records = assert(response.syndications(decode(text)))
      assert.equal(count, #records)
      for i, one in ipairs(records) do
        assert.equal(tostring(i), one.id)
      end
    end)
  end

  for _, text in ipairs { '{"id":"1"}', "[7]", '[{"id":"1"},7]', '[7,{"id":"1"}]', '["a","b"]' } do
    it(("is an error where it is %s"):format(text), function()
      check_bad(response.syndications(decode(text)))
    end)
  end
end)

describe("what /health answers", function()
  it("is read for its version and its commit alone", function()
    assert.same({ version = "1.2", commit_sha = "0a1b2c3" },
      response.health(decode '{"status":"ok","version":"1.2","commitSha":"0a1b2c3"}'))
    assert.same({}, response.health(decode '{"version":7,"commitSha":"x"}'))
    assert.same({}, response.health "ok")
  end)
end)

describe("a page of a list", function()
  -- A reply; its rows, its total, and whether it is the last.
  for text, case in pairs {
    ['{"rows":[]}'] = { 0, nil, false },
    ['{"rows":{}}'] = { 0, nil, false },
    ['{"rows":[1,2],"total":5}'] = { 2, 5, false },
    ['{"rows":[null],"total":0}'] = { 1, 0, false },
    ['{"rows":[1],"total":"5","meta":{"pagination":{"total":6}}}'] = { 1, 6, false },
    ['{"rows":[1],"total":5,"meta":{"pagination":{"total":6}}}'] = { 1, 5, false },
    ['{"rows":[1],"meta":{"pagination":{"total":"6","hasMore":true}}}'] = { 1, nil, false },
    ['{"rows":[1],"meta":{"pagination":{"hasMore":false}}}'] = { 1, nil, true },
    ['{"rows":[1],"meta":{"pagination":{"has_more":false}}}'] = { 1, nil, true },
    ['{"rows":[1],"meta":{"pagination":{"hasMore":true,"has_more":false}}}'] = { 1, nil, true },
    ['{"rows":[1],"meta":7}'] = { 1, nil, false },
    ['{"rows":[1],"meta":{"pagination":7}}'] = { 1, nil, false },
    ['{"rows":[1],"hasMore":false}'] = { 1, nil, false },
  } do
    it(("is read from %s"):format(text), function()
      local page = assert(response.page(decode(text), "rows"))
      assert.same({ case[1], case[2], case[3] }, { #page.rows, page.total, page.is_last })
    end)
  end

  for _, text in ipairs { "{}", '{"rows":null}', '{"rows":7}', '{"rows":"a"}', '{"rows":{"a":1}}', '{"other":[]}' } do
    it(("is an error where it is %s"):format(text), function()
      check_bad(response.page(decode(text), "rows"))
    end)
  end
end)
