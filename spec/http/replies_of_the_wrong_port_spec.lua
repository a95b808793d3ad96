-- Replies of a port that speaks TLS, and replies that repeat a key, now or from before.
local answering = require "spec.support.answering"
local scope3 = require "scope3"

describe("a reply", function()
  local server = answering.around(setup, teardown)

  local function failure(client)
    local audience, err = client:audience "a"
    assert.is_nil(audience)
    return err
  end

  it("of a port that speaks TLS says so, whatever server it is", function()
    for text, says in pairs {
      ["<title>400 The plain HTTP request was sent to HTTPS port</title>"] = true,
      ["Client sent an HTTP request to an HTTPS server.\n"] = true,
      ["You're speaking plain HTTP to an SSL-enabled server port."] = true,
      ["This combination of host and port requires TLS."] = true,
      ["<title>400 Bad Request</title>"] = false,
    } do
      server:play { audiences = { { 400, text } } }
      local err = failure(server:client())
      assert.equal(400, err.status)
      assert.equal(says, err.message:find("https://", 1, true) ~= nil, err.message)
    end
  end)

  it("that repeats a key that was used before shows none of it", function()
    local n = 0
    local client = server:client { api_key = function()
      n = n + 1
      return ("scope3_number_%d_of_many"):format(n % 20)
    end }
    for i = 1, 45 do
      local earlier = ("scope3_number_%d_of_many"):format((i + 15) % 20) -- the fifth before this one
      local body = ([[{"error":{"code":"FORBIDDEN","message":"the key %s is old"}}]]):format(earlier)
      server:play { audiences = { { 403, body } } }
      local err = failure(client)
      assert.equal(403, err.status)
      assert.is_nil(err.message:find("number_", 1, true), err.message)
    end
  end)
end)

describe("a client", function()
  it("refuses a loop whose further functions are none", function()
    local function nothing() end
    for _, name in ipairs { "wake", "rest", "bar" } do
      local loop = { name = "mine", now = nothing, sleep = nothing, wait = nothing, [name] = 1 }
      local fine, why = pcall(scope3.client, { loop = loop })
      assert.is_false(fine)
      assert.truthy(tostring(why):find("loop must be", 1, true), why)
      loop[name] = nothing
      assert(scope3.client { loop = loop })
    end
  end)

  it("refuses a source that is none before it loads the script", function()
    local fine, why = pcall(function()
      return assert(scope3.client {}):run("/nosuch.lua", 5)
    end)
    assert.is_false(fine)
    assert.truthy(tostring(why):find("source must be", 1, true), why)
  end)
end)
