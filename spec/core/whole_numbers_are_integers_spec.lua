-- A whole number that Lua keeps as a float, such as 6 / 2, 3e0 or JSON's 3.0, means the same as the integer.
local limiter = require "scope3.http.limiter"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

describe("a whole number that Lua keeps as a float", function()
  local sandbox = world.around(setup, teardown, before_each)
  local THREE = { 6 / 2, tonumber "3e0", 3.0, require("cjson").decode("[3.0]")[1] }

  -- A store that cannot be read by keys that hold a float.
  local function strict_store()
    local keys = {}
    local function check(key)
      assert(not key:find(":%d+%.%d*$"), key)
      return key
    end
    return {
      get = function(_, key) return keys[check(key)] end,
      set = function(_, key, value) keys[check(key)] = value return true end,
      delete = function(_, key) keys[check(key)] = nil end,
      incr = function(_, key, by, init) keys[check(key)] = (keys[key] or init) + by return keys[key] end,
    }
  end

  local function audiences(n)
    local list = {}
    for i = 1, n do
      list[i] = assert(scope3.audience { id = "a" .. i })
      assert(list[i]:add { external_id = "1", uids = { x = "1" } })
    end
    return list
  end

  local SCRIPT = { audience = "a", map = { external_id = "id", ["uid:x"] = "id" }, max_members = 1 }
  local function script(more)
    local all = {}
    for _, part in ipairs { SCRIPT, more or {} } do
      for key, value in pairs(part) do
        all[key] = value
      end
    end
    return all
  end

  local WAYS = {
    client = function(rate, made)
      local stream = assert(made({ rate = rate }):stream("a", { max_members = 1 }))
      for i = 1, 4 do
        assert(stream:add { external_id = i, uids = { x = "1" } })
      end
      return stream:finish()
    end,
    sync = function(rate, made)
      return made():sync(audiences(4), { rate = rate, max_members = 2 / 2 })
    end,
    stream = function(rate, made)
      local stream = assert(made():stream("a", { rate = rate, max_members = tonumber "1e0", concurrency = 4 / 2 }))
      for i = 1, 4 do
        assert(stream:add { external_id = i, uids = { x = "1" } })
      end
      return stream:finish()
    end,
    run = function(rate, made)
      return made():run(script(), world.file "id\n1\n2\n3\n4\n", { rate = rate })
    end,
    script = function(rate, made)
      return made():run(script { rate = rate, max_members = 2 / 2, concurrency = 2 / 2 }, world.file "id\n1\n2\n3\n4\n")
    end,
  }
  for way, send in pairs(WAYS) do
    it("limits the rate, as an option of " .. way, function()
      for _, rate in ipairs(THREE) do
        sandbox:reset()
        sandbox:configure { clock = "manual" }
        local loop = virtual.loop(sandbox.url)
        local own = limiter.new(strict_store())
        local res = assert(send(rate, function(opts)
          return sandbox:client { rate = opts and opts.rate or 600, loop = loop, limiter = own }
        end))
        assert.equal(4, res.accepted)
        assert.equal(4, #sandbox:requests "sync")
        assert.is_true(loop.elapsed() >= 59, ("%s s at a rate of %s"):format(loop.elapsed(), rate))
      end
    end)
  end

  it("limits the rate of the command", function()
    local csv = world.file "id\n1\n2\n3\n4\n"
    for _, words in ipairs { { "--rate", "3e0" }, { "--rate=0x3" }, { "--rate", "3.0" } } do
      sandbox:reset()
      local args = {
        "sync", csv, "--base-url", sandbox.url, "--account", "25", "--audience", "a", "--map",
        "external_id=id", "--map", "uid:x=id", "--max-members", "1e0", "--deadline", "0.5",
      }
      for _, word in ipairs(words) do
        args[#args + 1] = word
      end
      local code, _, complaint = world.command(args, { env = "SCOPE3_API_KEY=scope3_x" })
      assert.equal(1, code, complaint)
      assert.truthy(complaint:find("the deadline passed", 1, true), complaint)
      assert.equal(3, #sandbox:requests "sync")
    end
  end)

  it("leaves the caller's table alone, and serves as the size of a page and in a journal", function()
    sandbox:configure { task_seconds = 0 }
    local opts = { page = 4 / 2 }
    local client = sandbox:client()
    assert(client:sync(audiences(3)))
    local n, next_row = 0, client:audiences(opts)
    while next_row() do
      n = n + 1
    end
    assert.equal(3, n)
    assert.equal(tostring(4 / 2), tostring(opts.page))
    local pages = 0
    for _, request in ipairs(sandbox:requests()) do
      pages = pages + (request.method == "GET" and 1 or 0)
    end
    assert.equal(2, pages)
    local csv, journal, seen = world.file "id\n1\n2\n3\n4\n", world.path ".journal", 0
    local _, err = client:run(script { max_members = 2 / 1 }, csv, { journal = journal, cancel = function()
      seen = seen + 1
      return seen > 3
    end })
    assert.equal("cancelled", err and err.kind or "cancelled")
    local res = assert(client:run(script { max_members = 2 }, csv, { journal = journal }))
    assert.equal(4, res.accepted)
  end)

  it("must be one, and one that every Lua counts exactly", function()
    for _, bad in ipairs { 0, -1, 1.5, 2 ^ 53 + 2, 1e300, math.huge, -math.huge, 0 / 0, "3", true } do
      for _, call in ipairs { function() scope3.client { rate = bad } end,
        function() sandbox:client():sync(audiences(1), { rate = bad }) end,
        function() sandbox:client():stream("a", { concurrency = bad }) end,
        function() sandbox:client():audiences { page = bad } end,
        function()
          sandbox:client():run({ audience = "a", map = { external_id = "id", email = "id" }, max_bytes = bad }, "-")
        end } do
        local ok, message = pcall(call)
        assert.is_false(ok)
        assert.truthy(message:find("must be a whole number, 1 or more", 1, true), message)
      end
    end
    for _, option in ipairs { "--rate", "--concurrency", "--max-members", "--max-bytes" } do
      for _, bad in ipairs { "0", "1.5", "1e400" } do
        local code, out, complaint = world.command { "sync", "none.csv", "--audience", "a", option, bad }
        assert.same({ 2, "" }, { code, out })
        assert.truthy(complaint:find("scope3: " .. option .. " must be a whole number", 1, true), complaint)
      end
    end
  end)
end)
