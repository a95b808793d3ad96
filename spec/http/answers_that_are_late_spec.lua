-- What is said of an answer that did not come in time.
local reply = require "scope3.http.reply"

describe("an answer that did not come in time", function()
  it("is told with the time that it had, in milliseconds where that is less than a second", function()
    for seconds, text in pairs {
      [0] = "0 ms", [0.04] = "40 ms", [0.3] = "300 ms", [0.9996] = "1000 ms", [1] = "1 s", [1.4] = "1 s",
      [60.2] = "60 s",
    } do
      local err = reply.failure { code = "OPERATION_TIMEDOUT", seconds = seconds, body_sent = true }
      assert.same({ "timeout", "no answer within " .. text }, { err.kind, err.message })
    end
  end)
end)
