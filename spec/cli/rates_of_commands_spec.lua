-- The rate of a command holds all that share the file or the Redis of --limiter, wherever it was named.
local servers = require "spec.support.redis"
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

  it("is the rate of all that share a Redis, which a profile may name with its password", function()
    local server = servers.start { conf = "requirepass secret-word\n", login = ":secret-word@" }
    server:in_use(sandbox.url)
    local home = world.path ".home"
    os.execute(("mkdir -p -m 700 '%s/scope3'"):format(home))
    world.write(home .. "/scope3/config.lua", ("return { default = { limiter = '%s/0?fleet=1' } }"):format(server.url))
    local rows = world.file("id,mail\n1,a@x.example\n", ".csv")
    local words = { "sync", rows, "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--rate", "1",
      "--base-url", sandbox.url, "--rejects", world.path ".rejects" }
    local env = KEY.env .. " XDG_CONFIG_HOME=" .. home
    local code, out, err = world.command(words, { env = env })
    assert.equal(0, code, err)
    words[#words + 1], words[#words + 2], words[#words + 3] = "--deadline=1", "--limiter", server.url .. "?fleet=1"
    local other = { world.command(words, { env = KEY.env }) }
    assert.equal(1, other[1])
    assert.truthy(other[3]:find("the deadline passed", 1, true), other[3])
    words[#words] = "redis://:secret-word@127.0.0.1/x"
    local third = { world.command(words, { env = KEY.env }) }
    assert.equal(2, third[1], third[3])
    assert.truthy(third[3]:find("--limiter may end in the number of a database", 1, true), third[3])
    assert.is_nil((out .. err .. other[2] .. other[3] .. third[2] .. third[3]):find("secret-word", 1, true))
    assert.equal(1, #sandbox:requests "sync")
    server:close()
  end)
end)
