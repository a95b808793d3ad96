-- What is left early gives back its memory, descriptors and time: loops, HEAD, children of fork, cyclic rows.
local compile = require "spec.support.compile"
local core = require "scope3.core"
local curl = require "scope3.engine"
local scope3 = require "scope3"
local world = require "spec.support.world"

local CLOSES = not rawget(_G, "jit") and _VERSION > "Lua 5.3"

local function descriptors()
  local pipe = assert(io.popen(("ls -l /proc/%s/fd 2>/dev/null"):format(world.read("/proc/self/stat"):match "^%d+")))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

describe("what was left", function()
  teardown(world.clean)

  it("holds no descriptors: sources whose loops ended early", function()
    local csv = world.file("id,mail\n1,a@example.org\n2,b@example.org\n", ".csv")
    local jsonl = world.file('{"id":1}\n{"id":2}\n', ".jsonl")
    local packed = world.path ".csv.gz"
    os.execute(("gzip -c %s >%s"):format(csv, packed))
    local function open_ones()
      local n = 0
      for _, name in ipairs { csv, jsonl, packed } do
        local _, found = descriptors():gsub(name:gsub("%p", "%%%0"), "")
        n = n + found
      end
      return n
    end
    local function leave_early(n)
      for _ = 1, n do
        local left = 0
        for row in scope3.csv(csv) do
          left = left + (row.id == "1" and 1 or 0)
          if left > 0 then break end
        end
        for _ in assert(scope3.jsonl(jsonl)) do
          left = left + 1
          if left > 1 then break end
        end
        for row in scope3.csv(packed) do
          left = left + (row.id == "1" and 1 or 0)
          if left > 2 then break end
        end
        assert.equal(3, left)
      end
    end
    leave_early(50)
    if CLOSES then
      assert.equal(0, open_ones())
    else
      assert.is_true(open_ones() <= 40, open_ones())
    end
    -- Those that somebody holds stay open.
    local held = {}
    for i = 1, 60 do
      held[i] = assert(scope3.csv(csv))
    end
    leave_early(5)
    for i = 1, 60 do
      assert.equal("1", held[i]().id)
      assert.equal("2", held[i]().id)
      assert.is_nil((held[i]()))
      held[i]:close()
      held[i]:close()
    end
    -- One that is open when its loop raises is closed, and the error is the loop's.
    local fine, why = pcall(function()
      for _ in scope3.csv(csv) do
        error("the loop's own", 0)
      end
    end)
    assert.same({ false, "the loop's own" }, { fine, why })
  end)

  it("holds no descriptors where others are closed in between, even twice", function()
    local csv = world.file("id\n1\n", ".csv")
    collectgarbage "stop" -- so that what was left waits for the library to notice
    for _ = 1, 300 do
      local closed = assert(scope3.csv(csv))
      closed:close()
      closed:close()
      assert(scope3.csv(csv)) -- left
    end
    local _, open = descriptors():gsub(csv:gsub("%p", "%%%0"), "")
    collectgarbage "restart"
    assert.is_true(open < 200, open)
  end)

  it("gives a source, and an error where there is none", function()
    local nothing, err = scope3.csv "/nowhere/at/all.csv"
    assert.same({ nil, "source" }, { nothing, err.kind })
    local source, none = scope3.csv(world.file("id\n1\n", ".csv"))
    assert.is_nil(none)
    source:close()
  end)

  it("closes the variable of a gunzip that is left", CLOSES and function()
    local gzip = require "scope3.gzip"
    local z = gzip.gunzip()
    assert(load "local z = ... ; local left <close> = z")(z)
    assert.has_error(function() z:next() end, "attempt to use a closed gunzip")
    z:close()
  end or nil)
end)

describe("HEAD", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("waits for no body", function()
    local engine = assert(curl.engine {})
    assert(engine:submit { method = "GET", url = sandbox.url .. "/sandbox/requests", headers = {}, timeout = 20 })
    local got = world.next_result(engine)
    assert.is_true(#got.body > 0)
    local began = core.now()
    assert(engine:submit { method = "HEAD", url = sandbox.url .. "/sandbox/requests", headers = {}, timeout = 20 })
    local result = world.next_result(engine)
    assert.equal("", result.body)
    assert.is_true(core.now() - began < 15) -- of the 20 that it would wait
    assert.is_nil(result.code, result.message)
    assert.has_error(function()
      engine:submit { method = "HEAD", url = sandbox.url, body = "text", headers = {}, timeout = 1 }
    end)
    engine:close()
  end)
end)

describe("a child of fork", function()
  teardown(world.clean)

  it("does not write to its parent's journal", function()
    local fork = compile.fork()
    local path = world.path ".journal"
    local file = assert(core.append_file(path))
    assert(file:append "the parent\n")
    local failures = fork(function()
      local n = 0
      local done, why, code = file:append "the child\n"
      n = n + ((done == nil and why:find("child", 1, true) and code == "forked") and 0 or 1)
      done, why, code = file:truncate(0)
      n = n + ((done == nil and why and code == "forked") and 0 or 2)
      file:close()
      file:close()
      return n
    end)
    assert.equal(0, failures)
    assert(file:append "the parent again\n")
    file:close()
    assert.equal("the parent\nthe parent again\n", world.read(path))
  end)
end)

describe("a message about a row that holds itself", function()
  local function message_of(row, say)
    local builder = core.builder { max_member = 1000, member = say }
    local state, message = builder:take(core.payload { max_members = 1, max_bytes = 1000 }, row)
    assert.equal("script", state)
    return message
  end

  it("is searched for values once, however its tables hang together", function()
    local began = os.clock()
    local tables = {}
    for i = 1, 200 do
      tables[i] = { name = "value number " .. i }
    end
    for i = 1, 200 do
      for j = 1, 200 do
        tables[i][j] = tables[j]
      end
    end
    for _, text in ipairs { "nothing of it", "number 4711" } do
      assert.truthy(message_of(tables[1], function() error(text) end):find(text, 1, true))
    end
    assert.truthy(message_of(tables[1], function() error "it was value number 137, I think" end):find("withheld", 1,
      true))
    assert.is_true(os.clock() - began < 5)
  end)

  it("is withheld where it quotes what lies deep, or where the row is too large to be searched", function()
    local deep = { mail = "deep@example.org" }
    for _ = 1, 5000 do
      deep = { deep }
    end
    assert.truthy(message_of(deep, function() error "something else" end):find("something else", 1, true))
    local large = {}
    for i = 1, 150000 do
      large[i] = "value " .. i
    end
    for _, row in ipairs { deep, large } do
      assert.truthy(message_of(row, function() error "deep@example.org" end):find("withheld", 1, true))
    end
    local nested = { a = { b = { c = { d = { e = { f = { g = { h = { i = { "ninth@example.org" } } } } } } } } } }
    assert.truthy(message_of(nested, function() error "ninth@example.org" end):find("withheld", 1, true))
    assert.truthy(message_of(nested, function() error "something else" end):find("something else", 1, true))
  end)
end)
