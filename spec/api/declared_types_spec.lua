-- Whatever a reply holds, what is read from it has the types that the annotations declare.
local annotations = require "spec.support.annotations"
local json = require "scope3.util.json"
local response = require "scope3.api.response"

local VALUES = {
  "null", "true", "false", "0", "1", "-1", "1.5", "1e300", "1e999", "9007199254740993", '""', '" "',
  '"x"', '"7"', '"TRUE"', '"completed"', '"READY"', '"2026-11-01T00:00:00Z"', '"a@example.com"',
  "[]", "{}", "[null,1]", '[{"type":"email","matched":1,"rate":"x"}]', '{"a":{"b":[1]}}',
  '"' .. ("y"):rep(3000) .. '"', '"' .. ("ab"):rep(20) .. '"',
}

local function camel(name)
  return (name:gsub("_(%l)", string.upper))
end

describe("a reply of any values", function()
  local known = annotations.read { "lua/scope3/api/response.lua", "lua/scope3/api/problems.lua" }

  -- Fails where a field of a row is not of its declared type.
  local function check(class, row, made)
    for _, field in ipairs(annotations.fields(known, class)) do
      local value = row[field.name]
      local kind = (field.kind:find "%[%]$" or field.kind:find "^scope3") and "table"
        or field.kind:gsub("^integer$", "number")
      if value ~= nil and kind ~= "any" then
        assert.equal(kind, type(value), class .. "." .. field.name .. " of " .. made:sub(1, 200))
      end
    end
  end

  -- Calls `read` with a reply for each field and value, beside the fields that a row needs.
  local function try(class, needed, read)
    local n = 0
    for _, field in ipairs(annotations.fields(known, class)) do
      for _, value in ipairs(VALUES) do
        local made = ('{%s,"%s":%s}'):format(needed, camel(field.name), value)
        local row = read(json.decode(made, true))
        if row then
          n = n + 1
          check(class, row, made)
        end
      end
    end
    return n
  end

  it("is read into a task, an audience, a syndication and what /health says", function()
    assert.is_true(try("scope3.Task", '"x":1,"status":"working"', function(data)
      local answer = response.task(data, "t")
      return answer and answer.task
    end) > 200)
    assert.is_true(try("scope3.AudienceRow", '"x":1,"audienceId":"a"', response.audience) > 300)
    assert.is_true(try("scope3.Syndication", '"x":1', response.syndication) > 300)
    assert.is_true(try("scope3.Health", '"x":1', response.health) > 40)
    assert.is_true(try("scope3.AcceptedTask", '"x":1', response.accepted) > 60)
  end)

  it("declares each field that has a type, and gives an error for what is no task, page or list", function()
    for class, fields in pairs { ["scope3.Task"] = response.TASK, ["scope3.AudienceRow"] = response.AUDIENCE } do
      local declared = {}
      for _, field in ipairs(annotations.fields(known, class)) do
        declared[field.name] = true
      end
      for name in pairs(fields) do
        assert.is_true(declared[name], class .. "." .. name)
      end
    end
    for _, value in ipairs(VALUES) do
      local data = json.decode(('{"task":%s,"audiences":%s}'):format(value, value), true)
      local answer, err = response.task(data, "t")
      assert.is_true(answer == nil and err.code == "BAD_REPLY", value:sub(1, 40))
      local page, why = response.page(data, "audiences")
      assert.is_true(page ~= nil and type(page.rows) == "table" or why.code == "BAD_REPLY", value:sub(1, 40))
      local list, no_list = response.syndications(data)
      assert.is_true(list == nil and no_list.code == "BAD_REPLY")
    end
  end)
end)
