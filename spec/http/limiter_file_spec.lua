-- A rate that the processes of a machine share through a file.
local compile = require "spec.support.compile"
local core = require "scope3.core"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

describe("a limiter's file", function()
  local sandbox = world.around(setup, teardown, before_each)
  local WHO = { host = "h", key = "k" }
  local INTERPRETER = os.getenv "SCOPE3_LUA_BIN" or "lua"

  -- A program that sends `n` requests, as many as the deadline allows.
  local SENDER = [[
    local scope3 = require "scope3"
    local url, path, rate, n, deadline, seed = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4]), tonumber(arg[5]), arg[6]
    local client = assert(scope3.client { api_key = "scope3_x", account_id = "25", base_url = url, rate = rate, limiter = path })
    local stream = assert(client:stream("a" .. seed, { max_members = 1, concurrency = 4, deadline = deadline }))
    for i = 1, n do
      if not stream:add { external_id = seed .. "-" .. i, uids = { x = "1" } } then break end
    end
    local res, err = stream:finish()
    res = res or err.result
    io.write(res.accepted, " ", err and err.kind or "none")]]

  local function start(path, rate, n, deadline, name)
    local out = world.path ".out"
    return ("%s %s %s %s %d %d %s %s >%s 2>&1 &\n"):format(INTERPRETER, world.file(SENDER, ".lua"), sandbox.url, path,
      rate, n, deadline, name, out), out
  end

  local function most_in_a_minute(requests)
    local most, first = 0, 1
    for last, request in ipairs(requests) do
      while requests[first].at <= request.at - 60 do
        first = first + 1
      end
      most = math.max(most, last - first + 1)
    end
    return most
  end

  local function flip(path, at, byte)
    local file = assert(io.open(path, "r+b"))
    file:seek("set", at)
    file:write(byte)
    file:close()
  end

  local function size(path)
    return #world.read(path)
  end

  it("keeps several processes under one rate together", function()
    local path, commands, outs = world.path ".limiter", {}, {}
    for i = 1, 4 do
      commands[i], outs[i] = start(path, 25, 20, "2", "p" .. i)
    end
    os.execute(table.concat(commands) .. "wait")
    local sent = 0
    for i = 1, 4 do
      local n, kind = world.read(outs[i]):match "^(%d+) (%a+)$"
      assert.truthy(n, world.read(outs[i]))
      sent = sent + tonumber(n)
      assert.equal(tonumber(n) < 20 and "timeout" or "none", kind)
    end
    assert.same({ 25, 25 }, { sent, #sandbox:requests "sync" })
    -- Whoever comes later meets what these have counted.
    local command, out = start(path, 25, 3, "0.3", "late")
    os.execute(command .. "wait")
    assert.equal("0 timeout", world.read(out))
    -- And whoever names another file, or none, does not.
    command, out = start(world.path ".other", 25, 3, "30", "other")
    os.execute(command .. "wait")
    assert.equal("3 none", world.read(out))
  end)

  it("keeps clients of different rates under the highest together, and each under its own", function()
    sandbox:configure { clock = "manual" }
    local path, loop, streams = world.path ".limiter", virtual.loop(sandbox.url), {}
    for i, rate in ipairs { 20, 20, 6 } do
      local client = sandbox:client { rate = rate, loop = loop, limiter = path }
      streams[i] = assert(client:stream("a" .. i, { max_members = 1 }))
    end
    for i = 1, 60 do
      for k, stream in ipairs(streams) do
        if k < 3 or i <= 13 then
          assert(stream:add { external_id = i, uids = { x = "1" } })
        end
      end
    end
    for _, stream in ipairs(streams) do
      assert(stream:finish())
    end
    local all, slow = sandbox:requests "sync", {}
    for _, request in ipairs(all) do
      slow[#slow + 1] = request.audiences[1].audienceId == "a3" and request or nil
    end
    assert.same({ 133, 13 }, { #all, #slow })
    assert.is_true(most_in_a_minute(all) <= 20 and most_in_a_minute(slow) <= 6)
    assert.is_true(loop.elapsed() < 8 * 63, loop.elapsed())
  end)

  it("serves two commands", function()
    local path, csv = world.path ".limiter", world.file "id\n1\n2\n3\n"
    local words = {
      "sync", csv, "--base-url", sandbox.url, "--account", "25", "--audience", "a", "--map", "external_id=id",
      "--map", "uid:x=id", "--max-members", "1", "--rate", "4", "--limiter", path, "--deadline", "0.5",
    }
    local code, _, complaint = world.command(words, { env = "SCOPE3_API_KEY=scope3_x" })
    assert.equal(0, code, complaint)
    code, _, complaint = world.command(words, { env = "SCOPE3_API_KEY=scope3_x" })
    assert.equal(1, code)
    assert.truthy(complaint:find("the deadline passed", 1, true), complaint)
    assert.equal(4, #sandbox:requests "sync")
    -- Where the script says the rate.
    sandbox:reset()
    local script = world.file('return { audience = "a", map = { external_id = "id", ["uid:x"] = "id" }, '
      .. 'max_members = 1, rate = 4 }', ".lua")
    words = {
      "run", script, csv, "--base-url", sandbox.url, "--account",
      "25", "--limiter", world.path ".limiter", "--deadline", "0.5",
    }
    code, _, complaint = world.command(words, { env = "SCOPE3_API_KEY=scope3_x" })
    assert.equal(0, code, complaint)
    assert.equal(1, (world.command(words, { env = "SCOPE3_API_KEY=scope3_x" })))
    assert.equal(4, #sandbox:requests "sync")
  end)

  it("stays as large as it is, and is for its owner alone", function()
    local path = world.path ".limiter"
    local own = assert(scope3.limiter(path))
    local bytes, now = size(path), 1000
    assert.is_true(bytes < 200000)
    for _ = 1, 400 do
      while own:pass(WHO, 3, true, now) > 0 do
        now = now + 31
      end
    end
    assert.equal(bytes, size(path))
    local pipe = io.popen("ls -l " .. path)
    assert.equal("-rw-------", pipe:read("*l"):sub(1, 10))
    pipe:close()
    assert.is_nil(world.read(path):find("h:", 1, true))
  end)

  it("is refused, with the reason, where it cannot be one", function()
    local text, short = world.file "id,mail\n1,a@example.com\n", world.file "abc"
    local long = world.file(("x"):rep(2 ^ 20))
    local link = world.path ".link"
    os.execute(("ln -s /nowhere/limiter %s"):format(link))
    local fifo = world.path ".fifo"
    os.execute("mkfifo " .. fifo)
    for path, reason in pairs {
      [text] = "another kind", [short] = "another kind", [long] = "another kind",
      ["/"] = "directory", ["/dev/null"] = "another kind",
      ["/nowhere/limiter"] = "No such file", [link] = "No such file",
      [fifo] = "another kind", ["/proc/self/status"] = ".",
    } do
      local own, err = scope3.limiter(path)
      assert.is_nil(own)
      assert.equal("limiter", err.kind)
      assert.truthy(err.message:find(reason), err.message)
      local client, why = scope3.client { limiter = path }
      assert.is_nil(client)
      assert.equal(err.message, why.message)
    end
    assert.equal("id,mail\n1,a@example.com\n", world.read(text))
    for _, bad in ipairs { "", "a\0b" } do
      assert.has_error(function() scope3.limiter(bad) end)
      local client, err = scope3.client { limiter = bad }
      assert.is_nil(client)
      assert.equal("limiter", err.issues[1].path)
    end
    local code, out, complaint = world.command { "audiences", "--sandbox", "--account", "25", "--limiter", text }
    assert.same({ 1, "" }, { code, out })
    assert.truthy(complaint:find("^scope3: the limiter's file .* cannot be used: it is a file of another kind"),
      complaint)
  end)

  it("that can no longer be used ends a job with an error, and sends nothing", function()
    local path = world.path ".limiter"
    local client = sandbox:client { limiter = path }
    local vips = assert(scope3.audience { id = "v" })
    assert(vips:add { external_id = "1", uids = { x = "1" } })
    assert(client:sync(vips))
    os.remove(path)
    os.execute("mkdir " .. path)
    local res, err = client:sync(vips)
    os.execute("rmdir " .. path)
    assert.is_nil(res)
    assert.equal("limiter", err.kind)
    assert.truthy(err.message:find("directory", 1, true), err.message)
    assert.truthy(err.message:find(path, 1, true), err.message)
    assert.same({ 0, 1 }, { err.result.accepted, err.result.failed })
    world.assert_sums(err.result)
    assert.equal(1, #sandbox:requests "sync")
  end)

  it("is made anew where it was damaged, emptied or removed: a minute passes, and the result says so", function()
    local cases = {
      damaged = {
        function(path) flip(path, 20, "x") end,
        function(path)
          local bytes = world.read(path)
          for i = 33, #bytes do
            if bytes:byte(i) ~= 0 then
              return flip(path, i + 20, "\255")
            end
          end
        end,
        function(path)
          local bytes = world.read(path)
          world.write(path, bytes:sub(1, 5000))
        end,
        function(path) world.write(path, ("\0"):rep(size(path))) end,
      },
      removed = { os.remove, function(path) world.write(path, "") end, function(path)
        os.remove(path)
        assert(scope3.limiter(path))
      end },
    }
    for problem, list in pairs(cases) do
      for i, harm in ipairs(list) do
        sandbox:reset()
        sandbox:configure { clock = "manual" }
        local path, loop = world.path ".limiter", virtual.loop(sandbox.url)
        local client = sandbox:client { rate = 5, loop = loop, limiter = path }
        local vips = assert(scope3.audience { id = "v" })
        assert(vips:add { external_id = "1", uids = { x = "1" } })
        assert.equal(0, #assert(client:sync(vips)).warnings)
        harm(path)
        local res = assert(client:sync(vips))
        assert.same({ "limiter_lost", problem }, { res.warnings[1].code, res.warnings[1].problem }, problem .. i)
        assert.is_true(loop.elapsed() > 60 and loop.elapsed() < 65, problem .. i .. " " .. loop.elapsed())
        assert.equal(0, #assert(client:sync(vips)).warnings)
        assert.is_true(loop.elapsed() < 65)
        assert.is_true(size(path) > 100000)
      end
    end
  end)

  it("is not waited for without end while another process has it locked", function()
    local path = world.path ".limiter"
    local client = sandbox:client { limiter = path }
    local other = assert(core.count_file(path))
    assert.is_true(other:lock())
    local vips = assert(scope3.audience { id = "v" })
    assert(vips:add { external_id = "1", uids = { x = "1" } })
    local began = core.now()
    local res, err = client:sync(vips, { deadline = 0.3 })
    assert.is_nil(res)
    assert.equal("timeout", err.kind)
    assert.is_true(core.now() - began < 60) -- and not for ever
    if world.thorough then
      began = core.now()
      res, err = client:sync(vips)
      assert.is_nil(res)
      assert.equal("limiter", err.kind)
      assert.truthy(err.message:find("locked", 1, true), err.message)
      assert.is_true(core.now() - began > 4 and core.now() - began < 120)
    end
    assert(other:unlock())
    assert.equal(1, assert(client:sync(vips)).accepted)
    assert.equal(1, #sandbox:requests "sync")
  end)

  it("keeps what a reply said while it was locked for later", function()
    local path = world.path ".limiter"
    local own, other = assert(scope3.limiter(path)), assert(core.count_file(path))
    assert.is_true(other:lock())
    own:block(WHO, 40, 1000)
    other:unlock()
    assert.is_true(own:pass(WHO, 5, false, 1001) > 38)
  end)

  it("is opened anew after a fork, whose lock would be the parent's", function()
    local fork = compile.fork()
    local path = world.path ".limiter"
    local file = assert(core.count_file(path))
    assert.is_true(file:lock())
    file:set("a", 1)
    assert.equal(7, fork(function()
      return file:lock() == false and 7 or 1 -- the parent has it
    end))
    assert(file:unlock())
    local own = assert(scope3.limiter(path))
    assert.equal(0, own:pass(WHO, 2, false, 1000))
    assert.equal(8, fork(function()
      return own:pass(WHO, 2, false, 1000) == 0 and own:pass(WHO, 2, false, 1000) > 0 and 8 or 1
    end))
    assert.is_true(own:pass(WHO, 2, false, 1000) > 0)
  end)

  it("survives processes that are killed while they write", function()
    local path = world.path ".limiter"
    local program = world.file([[
      local file = assert(require("scope3.core").count_file(arg[1]))
      io.write("ready\n")
      io.flush()
      local n = 0
      while true do
        if file:lock() then
          n = n + 1
          for i = 1, 50 do
            file:set("k" .. i, n)
          end
          file:unlock()
        end
      end]], ".lua")
    for round = 1, world.thorough and 25 or 5 do
      os.execute(("{ %s %s %s >/dev/null 2>&1 & p=$!; sleep 0.0%d; kill -9 $p; "
        .. "wait $p; } 2>/dev/null"):format(INTERPRETER, program, path,
        20 + round % 7 * 5))
    end
    local file = assert(core.count_file(path))
    assert.same({ true }, { file:lock() }) -- neither locked nor damaged
    file:unlock()
  end)

  it("raises where it is used without its lock, or after its end", function()
    local file = assert(core.count_file(world.path ".limiter"))
    for _, call in ipairs {
      function() file:get "a" end, function() file:set("a", 1) end,
      function() file:incr("a", 1, 0) end, function() file:delete "a" end,
    } do
      assert.has_error(call, "the count file is not locked")
    end
    assert.is_true(file:lock())
    assert.is_nil(file:get "a")
    assert.same({ 3, 4.5, true }, { file:incr("a", 1, 2), file:incr("a", 1.5, 0), file:set("b", -1) })
    assert.has_error(function() file:set("c", 0 / 0) end)
    file:delete "a"
    assert.same({ nil, -1 }, { file:get "a", file:get "b" })
    local ok, message = pcall(function()
      for i = 1, 100000 do
        file:set("key" .. i, i)
      end
    end)
    assert.is_false(ok)
    assert.truthy(message:find("it is full", 1, true), message)
    file:close()
    file:close()
    assert.has_error(function() file:lock() end)
    assert.has_error(function() core.count_file "a\0b" end)
  end)
end)
