-- Of a job that has ended nothing is kept, however many audiences there were: a server may run for months.
local contention = require "scope3.job.contention"

describe("a job that has ended", function()
  it("leaves nothing behind of its audiences", function()
    local context = { base = "https://api.example.com", account_id = "25" }
    local function run(from, to)
      for i = from, to do
        contention.enter(context, { { id = "a" .. i }, { id = "b" .. i } }, print):leave()
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage "count"
    end
    local before = run(1, 1000)
    assert.is_true(run(1001, 11000) - before < 500) -- 20,000 tables would be over 1,000 kB
  end)
end)
