-- What the core's functions say to arguments that they cannot mean. They raise, and name what was wrong; nothing of the
-- object has changed.
local core = require "scope3.core"
local curl = require "scope3.engine"
local world = require "spec.support.world"

local function many(n, value)
  local list = {}
  for i = 1, n do
    list[i] = value
  end
  return list
end

local function payload()
  return core.payload { max_members = 10, max_bytes = 10000 }
end

local function file()
  return core.append_file(world.path ".log")
end

local function night()
  return core.mirror.night { key = ("k"):rep(16) }
end

local function spool()
  return core.spool(world.path ".spool", { capacity = 100000 })
end

local function locked_counts()
  local counts = core.count_file(world.path ".counts")
  assert(counts:lock())
  return counts
end

-- Sends nothing: what is wrong is found before.
local function submit(request)
  local engine = curl.engine {}
  request.method, request.url = request.method or "GET", "http://127.0.0.1:1/"
  request.headers, request.timeout = request.headers or {}, request.timeout or 1
  local fine, why = pcall(engine.submit, engine, request)
  assert(engine:count() == 0)
  engine:close()
  return assert(fine or error(why, 0))
end

local CASES = {
  ["delimiter must be one byte"] = function() core.source { format = "csv", delimiter = "\n" } end,
  ["quote must be one byte"] = function() core.source { format = "csv", quote = "''" } end,
  ["escape must be one byte"] = function() core.source { format = "csv", escape = "\0" } end,
  ["delimiter, quote and escape must be different"] = {
    function() core.source { format = "csv", delimiter = '"' } end,
    function() core.source { format = "csv", delimiter = "\\", escape = "\\" } end,
    function() core.source { format = "csv", quote = "\\", escape = "\\" } end,
  },
  ["null is at most"] = function() core.source { format = "csv", null = ("x"):rep(1000) } end,
  ["this processor has no such marks"] = function() core.source { format = "csv", marks = "abacus" } end,
  ["encoding is not one that is known"] = function() core.source { format = "csv", encoding = "ebcdic" } end,
  ["a file can be cut to a length between 0 and its own"] = {
    function() file():truncate(1) end, function() file():truncate(-1) end, function() file():truncate(0 / 0) end,
  },
  ["a path holds no zero byte"] = {
    function() core.spool("a\0b") end, function() core.count_file("a\0b") end,
    function() spool():rename("a\0b") end,
  },
  ["must be between 1 and 4294967295"] = {
    function() spool():keep(payload(), 0, 1) end, function() spool():keep(payload(), 1, 2 ^ 33) end,
    function() spool():keep(payload(), 1, 0) end, function() spool():reader()(payload(), 1, 0) end,
    function() spool():reader()(payload(), 1, 2 ^ 33) end,
  },
  ["must be between 0 and 4294967295"] = {
    function() spool():release(-1) end, function() spool():release(2 ^ 32) end,
  },
  ["must be between 0 and 2^53"] = {
    function() spool():keep(payload(), 1, 1, -1) end, function() spool():keep(payload(), 1, 1, 2 ^ 54) end,
  },
  ["a label has at most 65535 bytes"] = function() spool():keep(payload(), 1, 1, 0, ("x"):rep(65536)) end,
  ["must be a number"] = function() locked_counts():set("a", 0 / 0) end,
  ["the count file is not locked"] = function() core.count_file(world.path ".counts"):get "a" end,
  ["members are counted from 1"] = {
    function() core.id_set():seal(payload(), 0) end, function() core.id_set():meets(payload(), 1, -1) end,
  },
  ["another payload is expected"] = function()
    local p = payload()
    p:replace(p, 1, 1)
  end,
  ["a map has at most"] = function()
    core.builder { max_member = 1000, map = many(1000, { "email", "mail" }) }
  end,
  ["there are at most"] = function()
    core.builder { max_member = 1000, conditions = many(1000, { "present", "mail" }) }
  end,
  ["conditions have at most"] = function()
    core.builder { max_member = 1000, conditions = { { "eq", "mail", many(5000, "x") } } }
  end,
  ["there are too many columns"] = function() core.builder { max_member = 1000, columns = many(5000, "x") } end,
  ["there is no such repair of phones"] = function()
    core.builder { max_member = 1000, phone_repairs = { "magic" } }
  end,
  ["a payload is smaller than the builder's max_member"] = function()
    core.builder { max_member = 1000 }:add(core.payload { max_members = 1, max_bytes = 10 }, {
      external_id = ("x"):rep(100), email = "a@example.org",
    })
  end,
  ["hmac_sha256: at most 4 parts"] = function() core.hmac_sha256("k", "1", "2", "3", "4", "5") end,
  ["hex: at most 64 bytes"] = function() core.hex(("x"):rep(65)) end,
  ["headers must be strings, not a number"] = function() submit { headers = { 1 } } end,
  ["a request has at most"] = function() submit { headers = many(1000, "A: b") } end,
  ["timeout must be a number"] = function() submit { timeout = "soon" } end,
  ["no_proxy must be a string"] = function() submit { no_proxy = 5 } end,
  ["submit: keys must be strings"] = function() submit { "x" } end,
  ["max_response must be between"] = {
    function() curl.engine { max_response = -1 } end, function() curl.engine { max_response = 2 ^ 40 } end,
    function() curl.engine { max_response = 0 / 0 } end,
  },
  ["max_response must be a number, not a string"] = function() curl.engine { max_response = "5" } end,
  ["a key is a string of 16 bytes"] = {
    function() core.mirror.night {} end, function() core.mirror.night { key = 5 } end,
    function() core.mirror.key_hash("short", "a") end, function() core.mirror.key_hash(nil, "a") end,
  },
  ["an id has 1 to 65535 bytes"] = {
    function() night():exclude "" end, function() night():row(("x"):rep(65536), {}, 1, 1, 1, 0) end,
  },
  ["a hash has 8 bytes"] = function() core.mirror.chunk(1):add("add", 0, "a", "1234567") end,
  ["must be a whole number in its range"] = {
    function() core.mirror.chunk(-1) end, function() core.mirror.chunk(0.5) end,
    function() core.mirror.chunk(2 ^ 32) end,
    function() core.mirror.chunk(1):add("add", 16, "a", ("h"):rep(8)) end, function() core.mirror.chunk(0 / 0) end,
    function() night():row("a", {}, 2, 1, 1, 0) end, function() night():row("a", {}, 1, 2 ^ 48, 1, 0) end,
    function() night():row("a", {}, 1, 1, 2 ^ 48, 0) end, function() night():row("a", {}, 1, 1, 1, 65536) end,
    function() night():merge(256) end, function() core.mirror.fold({}):part(-1) end,
  },
  ["parts must be a power of 2"] = function() core.mirror.fold { parts = 6 } end,
  ["parts must be a whole number"] = {
    function() core.mirror.fold { parts = 0 } end, function() core.mirror.fold { parts = 8192 } end,
    function() core.mirror.fold { parts = "8" } end,
  },
  ["audiences must be a whole number"] = function() core.mirror.fold { audiences = 17 } end,
  ["refresh must be a whole number"] = function() core.mirror.night { key = ("k"):rep(16), refresh = -1 } end,
  ["unknown option 'part'"] = function() core.mirror.fold { part = 1 } end,
  ["mode must be"] = function() core.mirror.night { key = ("k"):rep(16), mode = "both" } end,
  ["invalid option 'delete'"] = function() core.mirror.chunk(1):add("delete", 0, "a", ("h"):rep(8)) end,
  ["there is no such outcome"] = {
    function() night():chunk("", { { first = 1, last = 1, outcome = "refused" } }) end,
    function() night():chunk("", { { first = 1, last = 1 } }) end,
  },
  ["outcomes must ascend"] = {
    function() night():chunk("", { { first = 2, last = 1, outcome = "none" } }) end,
    function()
      night():chunk("", { { first = 1, last = 2, outcome = "none" }, { first = 2, last = 2, outcome = "none" } })
    end,
  },
  ["outcomes must be a list of tables"] = function() night():chunk("", { 1 }) end,
  ["what is open is not refused"] = function()
    night():chunk("", { { first = 1, last = 1, outcome = "open", refused = true } })
  end,
  ["a process id expected"] = {
    function() core.end_child(0) end, function() core.end_child(-1) end, function() core.end_child(1.5) end,
    function() core.end_child(2 ^ 31) end,
  },
}

describe("the core", function()
  teardown(world.clean)

  for message, calls in pairs(CASES) do
    it("raises: " .. message, function()
      for i, call in ipairs(type(calls) == "table" and calls or { calls }) do
        local fine, why = pcall(call)
        assert.is_false(fine, "call " .. i)
        assert.truthy(tostring(why):find(message, 1, true), tostring(why))
      end
    end)
  end

  it("ends a child that is still running, and tells whether it was", function()
    local pipe = assert(io.popen "exec sh -c 'echo $$; exec sleep 600'")
    local pid = tonumber(pipe:read "*l")
    assert.is_true(core.end_child(pid))
    pipe:close()
    assert.is_false(core.end_child(pid))
  end)

  it("answers what is not there with nothing", function()
    local missing = world.path ".missing"
    assert.is_nil(core.file_identity(missing))
    assert.same({ nil, "No such file or directory" }, { core.copy_mode(missing, missing) })
    assert.same({ nil, "No such file or directory" }, { core.file_kind(missing) })
    assert.is_nil(core.glob(missing .. "/*"))
    assert.is_nil(core.glob(world.file "" .. "/*"))
    assert.is_nil(core.terminal_width(99))
    assert.is_nil(payload():find(1, 10, "add", -1))
    assert.is_nil(payload():find(1, 10, "add", 2 ^ 33))
    local a, b = payload(), payload()
    assert(core.builder { max_member = 1000 }:add(a, { external_id = "1", email = "a@example.org" }))
    assert(core.builder { max_member = 1000 }:add(b, { external_id = "1", email = "a@example.org" }))
    assert.same({}, a:replace(b, 2, 1))
    assert.same({ 1 }, a:replace(b, 1, 1))
    local set = core.id_set()
    set:seal(b, 2, 5)
    assert.same({ false, 0 }, { set:meets(b), (set:size()) })
    set:seal(b)
    assert.same({ true, false, true }, { set:meets(b), set:meets(b, 2), set:meets(b, 1, 1) })
  end)
end)
