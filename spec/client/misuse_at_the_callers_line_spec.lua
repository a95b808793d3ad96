-- Misuse is reported at the line of the caller, who can repair it, and not at a line of the library.
local scope3 = require "scope3"

describe("misuse is reported at the caller's line", function()
  local client = assert(scope3.client {
    api_key = "scope3_test_key", account_id = "25", base_url = "http://127.0.0.1:9",
  })

  -- `call` misuses something on the line that `line` is.
  local function check(call, line, message)
    local ok, err = pcall(call)
    assert.falsy(ok)
    assert.truthy(err:find(("misuse_at_the_callers_line_spec.lua:%d: "):format(line), 1, true), err)
    assert.truthy(err:find(message, 1, true), err)
  end

  local function here()
    return debug.getinfo(2, "l").currentline
  end

  it("of members, in an audience and in a stream", function()
    local stream = assert(client:stream("a", { dry_run = true }))
    for _, to in ipairs { assert(scope3.audience { id = "a" }), stream } do
      local line = here()
      local function add(member)
        local ok = to:add(member)
        return ok
      end
      check(function() add { external_id = "1", mail = "a@b.co" } end, line + 2, "unknown key 'mail' in a member")
      check(function() add "1" end, line + 2, "a member must be a table, not a string")
      check(function() add() end, line + 2, "a member must be a table, not a nil")
      check(function() add { external_id = "1", uids = { 5 } } end, line + 2,
        "uids[1] must be a table with type and value")
      line = here()
      local function remove(member)
        local ok = to:remove(member)
        return ok
      end
      check(function() remove { externalid = "1" } end, line + 2, "unknown key 'externalid' in a member")
      check(function() remove(7) end, line + 2, "a member must be a table, not a number")
      assert.is_true(to:add { external_id = "1", email = "a@b.co" })
    end
    assert(stream:finish())
  end)

  it("of a stream that has ended", function()
    local stream = assert(client:stream("a", { dry_run = true }))
    assert(stream:finish())
    for _, name in ipairs { "add", "remove", "finish", "cancel" } do
      local line = here()
      check(function()
        local ok = stream[name](stream, { external_id = "1" })
        return ok
      end, line + 2, "attempt to use a stream that has ended")
    end
  end)

  it("of values and of files", function()
    local line = here()
    for name, call in pairs {
      ["scope3.phone.normalize"] = function() local v = scope3.phone.normalize("1", { regin = "US" }) return v end,
      ["scope3.email.hash"] = function() local v = scope3.email.hash("1", { region = "US" }) return v end,
      ["scope3.email.check"] = function() local v = scope3.email.check(5) return v end,
      ["scope3.csv"] = function() local v = scope3.csv("x", { delim = ";" }) return v end,
      ["scope3.jsonl"] = function() local v = scope3.jsonl({}) return v end,
    } do
      local at = ({
        ["scope3.phone.normalize"] = 2, ["scope3.email.hash"] = 3, ["scope3.email.check"] = 4,
        ["scope3.csv"] = 5, ["scope3.jsonl"] = 6,
      })[name]
      check(call, line + at, name .. ": ")
    end
  end)

  it("of what is made and asked for", function()
    local line = here()
    local calls = {
      function() local v = client:task "" return v end,
      function() local v = scope3.audience("a", { regin = "US" }) return v end,
      function() local v = scope3.audience(true) return v end,
      function() local v = scope3.webhook.replay_cache { maximum = 5 } return v end,
      function() local v = scope3.webhook.deliveries { maximum = 5 } return v end,
      function() local v = scope3.webhook.deliveries { horizon = 5 } return v end,
    }
    for i, name in ipairs { "client:task", "scope3.audience", "scope3.audience", "webhook.replay_cache",
      "webhook.deliveries", "webhook.deliveries" } do
      check(calls[i], line + 1 + i, name .. ": ")
    end
  end)
end)
