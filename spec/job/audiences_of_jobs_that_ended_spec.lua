-- Of a job that has ended nothing is kept, however many audiences there were: a server may run for months.
local contention = require "scope3.job.contention"

describe("a job that has ended", function()
  it("leaves nothing behind of its audiences", function()
    local context = { base = "https://api.example.com", account_id = "25" }
    local function run(from, to)
      for i = from, to do
        local added, removed = { id = "a" .. i }, { id = "b" .. i }
        local presence = contention.enter(context, { added, removed }, print)
        presence:note { { audience = added, adds = 1, removes = 0 }, { audience = removed, adds = 0, removes = 1 } }
        presence:leave()
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage "count"
    end
    local before = run(1, 1000)
    assert.is_true(run(1001, 11000) - before < 500) -- 20,000 tables would be over 1,000 kB
  end)
end)
