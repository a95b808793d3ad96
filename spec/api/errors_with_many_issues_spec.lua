-- An error of many issues takes linear time, and its text names the first hundred.
-- Programs get all of them in err.issues.
local reply = require "scope3.http.reply"

describe("an error with many issues", function()
  it("names the first hundred for people, counts the others, and holds all of them for programs", function()
    local issues = {}
    for i = 0, 39999 do
      issues[#issues + 1] = ('{"path":"audiences[0].add[%d].externalId","message":"is odd"}'):format(i)
    end
    local _, err = reply.read({
      status = 400, headers = {},
      body = '{"error":{"code":"BAD","details":{"issues":[' .. table.concat(issues, ",") .. "]}}}",
    }, 0)
    assert.equal(40000, #err.issues)
    local text = tostring(err)
    assert.is_true(#text < 10000, #text .. " bytes")
    local lines = {}
    for line in text:gmatch "[^\n]+" do
      lines[#lines + 1] = line
    end
    assert.equal(102, #lines)
    assert.equal("  - audiences[0].add[99].externalId: is odd", lines[101])
    assert.equal("  - and 39900 more", lines[102])
  end)

  it("names the only one in its message, and two below it", function()
    local function text(n)
      local issues = {}
      for i = 1, n do
        issues[i] = '{"path":"name","message":"is odd"}'
      end
      local _, err = reply.read({
        status = 400, headers = {},
        body = '{"error":{"code":"BAD","details":{"issues":[' .. table.concat(issues, ",") .. "]}}}",
      }, 0)
      return select(2, tostring(err):gsub("\n  %- name: is odd", ""))
    end
    assert.same({ 0, 2 }, { text(1), text(2) })
  end)
end)
