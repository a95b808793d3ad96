-- What the command does where a question to the service has to be asked again, or no client can be made.
local world = require "spec.support.world"

describe("the command", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("asks again for a list that the service could not give", function()
    sandbox:fault { on = "audiences", act = "status", status = 503, times = 2 }
    local code, out, err = world.command({ "audiences", "--base-url", sandbox.url, "--account", "25" },
      { env = "SCOPE3_API_KEY=scope3_test_key" })
    assert.equal(0, code, err .. out)
  end)

  it("says in its check of the surroundings why no client can be made", function()
    for _, words in ipairs { { "--base-url", "ftp://127.0.0.1" }, { "--limiter", "/nowhere/limiter" } } do
      local code, out, err = world.command { "doctor", "--account", "25", words[1], words[2] }
      assert.is_true(code ~= 0, out)
      assert.truthy((out .. err):find("client", 1, true), out .. err)
    end
  end)

  it("names a proxy of a kind that there is not", function()
    local code, _, err = world.command({ "audiences", "--base-url", "https://127.0.0.1:1", "--account", "25" },
      { env = "SCOPE3_API_KEY=scope3_test_key https_proxy=foo://127.0.0.1:1" })
    assert.is_true(code ~= 0)
    assert.truthy(err:find("proxy", 1, true), err)
  end)
end)
