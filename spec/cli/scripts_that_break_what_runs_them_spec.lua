-- A script may break Lua's library, raise a value that is no text, or be no script.
-- The command reports each of these as a fault of the script, in one object.
local cjson = require("cjson.safe").new()
local world = require "spec.support.world"

local unpack = rawget(_G, "unpack") or table.unpack -- luacheck: ignore 143
local MAP = ' map = { external_id = "id", email = "mail" } '

describe("a script that breaks what runs it", function()
  local rows

  setup(function()
    rows = world.file("id,mail\n1,a@example.com\n2,b@example.com\n", ".csv")
  end)

  teardown(function()
    world.clean()
  end)

  local function run(text, path)
    path = path or world.file(text, ".lua")
    local code, out, err = world.command({ "run", path, rows, "--dry-run", "--json" }, { env = "SCOPE3_API_KEY= " })
    local object, why = cjson.decode(out)
    assert.is_table(object, ("%s: %s\n%s\n%s"):format(text or path, tostring(why), out, err))
    assert.is_nil((out .. err):find("stack traceback", 1, true), err)
    assert.is_nil(err:find("please report it", 1, true), err)
    return code, object.error, path:match "[^/]+$", err
  end

  it("takes nothing of Lua's library from what reports it", function()
    for _, line in ipairs {
      "string, table = nil", "os = nil", "io, os, print, pairs, ipairs, type, tostring, error, pcall = nil",
      "getmetatable('').__index = nil", "getmetatable('').__index = function() error('no') end",
      "string.format = function() end", "table.concat, table.insert = error, error", "os.getenv, debug.traceback = nil",
      "for k in pairs(string) do string[k] = nil end", "for k in pairs(_G) do if k ~= 'pairs' then _G[k] = nil end end",
      "setmetatable, getmetatable, rawget, select, next = nil", "math.floor, math.max, math.min, math.huge = nil",
    } do
      local code, err = run(line .. " return { audience = 'a'," .. MAP .. "}")
      if code ~= 0 then -- some the command does not need
        assert.same({ 1, "script" }, { code, err.kind }, line)
        assert.truthy(err.message:find("the script changed", 1, true) or err.message:find("%.lua:"), err.message)
      end
    end
    local code, err = run("return { audience = 'a', member = function() os, io, string, table = nil error('x') end }")
    assert.same({ 1, "script" }, { code, err.kind })
  end)

  it("is told by its own words where it took away what turns an error into words", function()
    local _, err, name = run "tostring = nil error('by itself')"
    assert.equal(name .. ":1: by itself", err.message)
  end)

  it("is told by its own line where it raises outside of its calls", function()
    for _, line in ipairs {
      "debug.sethook(function() error('hooked') end, '', 100) return { audience = 'a'," .. MAP .. "}",
      "return setmetatable({ audience = 'a'," .. MAP
        .. "}, { __index = function() error('hooked') end, __pairs = function() error('hooked') end })",
    } do
      local code, err, name = run(line)
      if code ~= 0 then -- pairs() of Lua 5.1 asks no metamethod
        assert.same({ 1, "script" }, { code, err.kind }, line)
        assert.truthy(err.message:find(name .. ":1: ", 1, true), err.message)
      end
    end
  end)

  it("is told by its own line where it calls what blames its caller", function()
    for _, text in ipairs {
      "os.exit(0)", "require('scope3').number({}, 5)", "local function f() error('no', 2) end f()",
    } do
      local code, err, name = run("return { audience = 'a', member = function(row)\n" .. text .. "\nreturn nil end }")
      assert.equal(1, code)
      assert.truthy(err.message:find("row 1 (line 2): " .. name .. ":2: ", 1, true), err.message)
      assert.is_nil(err.message:find("withheld", 1, true), err.message)
    end
    local _, err = run("return { audience = 'a', member = function(row) local function f() error(row.mail, "
      .. "2) end f() end }")
    assert.truthy(err.message:find("withheld", 1, true), err.message)
  end)

  it("is named where what it raises is no text, without an address, and cut where it is long", function()
    for raised, kind in pairs {
      [""] = "nil", ["{}"] = "table", ["print"] = "function", ["io.stdout"] = "userdata", ["true"] = "boolean",
    } do
      local code, err, name = run("error(" .. raised .. ")")
      assert.same({ 1, name .. ": it raised an error that is a " .. kind }, { code, err.message })
    end
    local _, err, _, said = run "error(('x'):rep(1e6))"
    assert.is_true(#err.message < 2000 and #said < 2000)
    _, err = run "error(setmetatable({}, { __tostring = function() return 'in words' end }))"
    assert.equal("in words", err.message)
    _, err = run "error(17, 0)"
    assert.equal("17", err.message)
  end)

  it("is refused where its audience has a field that there is not", function()
    local code, err = run("return { audience = { id = 'a', nme = 'x' }," .. MAP .. "}")
    assert.same({ 1, "script" }, { code, err.kind })
    assert.truthy(err.message:find("audience: unknown option 'nme'", 1, true), err.message)
    assert.equal(0, (run("return { audience = { id = 25, name = 'x' }," .. MAP .. "}")))
  end)

  it("is not read whole where it has no end", function()
    if not world.exists "/dev/zero" then
      return pending "there is no /dev/zero here"
    end
    local code, err = run(nil, "/dev/zero")
    assert.same({ 2, "usage" }, { code, err.kind })
    assert.truthy(err.message:find("no script", 1, true), err.message)
  end)
end)

describe("a number or a word that the command takes", function()
  local sandbox = world.around(setup, teardown, before_each)
  local rows

  setup(function()
    rows = world.file("id,mail\n1,a@example.com\n", ".csv")
  end)

  local function object_of(words)
    words[#words + 1] = "--json"
    local code, out, err = world.command(words, { env = "SCOPE3_API_KEY=scope3_x " })
    return code, assert(cjson.decode(out), out .. err).error, err
  end

  it("ends where more lines are passed over than there are", function()
    for _, n in ipairs { "2", "3", "4000000", "9007199254740992" } do
      local code, err = object_of {
        "sync", rows, "--audience", "a", "--map", "external_id=id",
        "--map", "email=mail", "--dry-run", "--skip-lines", n,
      }
      assert.same({ 3, "empty" }, { code, err.code }, n)
    end
  end)

  it("reports a wait whose time was over before the task was found", function()
    for _, timeout in ipairs { "0", "0.1" } do
      local code, err = object_of {
        "wait", "nosuch", "--timeout", timeout, "--account", "25", "--base-url", sandbox.url,
      }
      assert.same({ 1, "timeout" }, { code, err.kind })
      assert.truthy(err.message:find("does not find the task", 1, true), err.message)
    end
  end)

  it("is named by its option where it begins with a dash, and is not repeated", function()
    local to = { "sync", rows, "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--dry-run" }
    for _, case in ipairs { { "--max-rejected takes no value", unpack(to) }, { "put -- before", "hash", "phone" } } do
      local words = { unpack(case, 2) }
      if case[1]:find "^%-%-" then
        words[#words + 1] = "--max-rejected"
      end
      words[#words + 1] = "-4915112345678"
      local code, err, said = object_of(words)
      assert.same({ 2, "usage" }, { code, err.kind })
      assert.truthy(err.message:find(case[1], 1, true), err.message)
      assert.is_nil((err.message .. said):find("4915", 1, true))
    end
  end)

  it("is reported in the words of the command", function()
    for _, case in ipairs { { "--map has no field 'Email'", "--map", "Email=mail" },
      { "--delete-missing is empty", "--delete-missing", " , " },
      { "--phone-repairs is empty", "--phone-repairs", "," },
      { "--min-accepted takes a whole number", "--min-accepted", "1e300" } } do
      local code, err = object_of {
        "sync", rows, "--audience", "a", "--map", "external_id=id",
        "--map", "email=mail", "--dry-run", case[2], case[3],
      }
      assert.equal(2, code, err and err.message)
      assert.equal(1, err.message:find(case[1], 1, true), err.message)
    end
    local code, err = object_of { "help", "" }
    assert.same({ 2, "the name of the command is empty" }, { code, err.message })
  end)
end)

describe("a command that is stopped before it has begun", function()
  teardown(function()
    world.clean()
  end)

  -- An interpreter that finds these modules first: Ctrl-C and a lack of memory raise while the command is loaded.
  it("says so, and that it could not be loaded where that is all", function()
    for raised, expected in pairs {
      ["interrupted!"] = { 130, "cancelled" },
      ["not enough memory"] = { 1, "memory" }, ["nothing"] = { 70, "internal" },
    } do
      local done, out = world.path ".code", world.path ".out"
      local first = world.file(("package.preload['scope3.cli'] = function() error('%s', 0) end arg = { [0] = 'scope3', "
        .. "'--json' } dofile 'bin/scope3.in'")
        :format(raised), ".lua")
      os.execute(("%s %s >%s 2>/dev/null; echo $? >%s"):format(os.getenv "SCOPE3_LUA_BIN", first, out, done))
      local object = assert(cjson.decode(world.read(out)), raised)
      assert.same(expected, { tonumber(world.read(done)), object.error.kind }, raised)
    end
  end)
end)
