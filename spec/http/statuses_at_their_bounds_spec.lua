-- What a status means at the bounds of success, redirect and error: of whole answers, and of those that were cut short.
local core = require "scope3.core"
local reply = require "scope3.http.reply"

describe("an answer", function()
  for status, meant in pairs {
    [199] = { "http", nil, "PARTIAL_FILE" }, [200] = { nil, nil, "PARTIAL_FILE" }, [299] = { nil, nil, "PARTIAL_FILE" },
    [300] = { "http", "REDIRECT", "REDIRECT" }, [301] = { "http", "REDIRECT", "REDIRECT" },
    [399] = { "http", "REDIRECT", "REDIRECT" }, [400] = { "invalid", nil, nil },
  } do
    it(("with the status %d is told by it, and where it was cut short"):format(status), function()
      local function read(code)
        return reply.read({ status = status, headers = { ["content-type"] = "application/json" }, body = "{}",
          code = code, message = code and "cut" }, core.time())
      end
      local data, err = read()
      assert.equal(meant[1] == nil, data ~= nil)
      assert.same({ meant[1], meant[2] }, { err and err.kind, err and err.code })
      assert.equal(meant[3], (select(2, read "PARTIAL_FILE")).code)
    end)
  end
end)
