-- The rate of a command holds all that share the file of --limiter, wherever it was named.
local world = require "spec.support.world"

local KEY = { env = "SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25" }

describe("a rate that the script names, or the command line,", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("is the rate of all that share the limiter's file", function()
    local rows = world.file("id,mail\n1,a@x.example\n", ".csv")
    local script = world.file(
      [[return { audience = "a", rate = 1, map = { external_id = "id", email = "mail" } }]], ".lua")
    for _, words in ipairs {
      { "run", script, rows },
      { "sync", rows, "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--rate", "1" },
    } do
      for _, word in ipairs { "--base-url", sandbox.url, "--limiter", world.path ".limiter" } do
        words[#words + 1] = word
      end
      assert.equal(0, (world.command(words, KEY)))
      words[#words + 1] = "--deadline=1" -- the next request may go in a minute
      local code, _, err = world.command(words, KEY)
      assert.equal(1, code, err)
      assert.truthy(err:find("the deadline passed", 1, true), err)
    end
    assert.equal(2, #sandbox:requests "sync")
  end)
end)
