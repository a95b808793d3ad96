-- Every order in which libcurl's callbacks can come: a server's behaviours × the kinds of requests × what the owner of
-- the engine does meanwhile (nothing, cancels, closes, runs out of time), at every step of the transfer.
-- A request ends once, as it should, or not at all; a POST is never sent twice; the engine goes on; nothing stays open.
local broken = require "spec.support.broken"
local core = require "scope3.core"
local curl = require "scope3.engine"
local cqueues = require "cqueues"
local raw_server = require "spec.torture.raw_server"
local tls = require "spec.support.tls"
local world = require "spec.support.world"

local LARGE = 300000 -- bytes that libcurl asks the reader for, piece by piece

local REQUESTS = {
  GET = { method = "GET" },
  HEAD = { method = "HEAD" },
  ["small POST"] = { method = "POST", body = "small" },
  ["large POST"] = { method = "POST", body = ("x"):rep(LARGE) },
  ["POST without a body"] = { method = "POST" },
}

local READ = { "head" }
local READ_ALL = { "body" }

-- An answer with these fields, and a body.
local function answer(status, fields, body)
  return { "send", ("HTTP/1.1 %s X\r\n%s\r\n%s"):format(status, fields, body or "") }
end

local OK = answer(200, "Content-Length: 2\r\n", "ok")
local CUT = answer(200, "Content-Length: 10\r\n", "ok")
local CONTINUE, HINTS = answer(100, ""), answer(103, "Link: </a>\r\n")
local TOO_LARGE = answer(413, "Content-Length: 0\r\n")
local CHUNKED = "Transfer-Encoding: chunked\r\nTrailer: Late\r\n"
local SILENT = "OPERATION_TIMEDOUT"

-- What the server does with a request, and how that ends: a status, or libcurl's name of the failure. Where a request
-- of one kind ends otherwise, that is said by its name.
local BEHAVIOURS = {
  ["answers"] = { { READ, READ_ALL, OK }, 200 },
  ["answers a byte at a time"] = { { READ, READ_ALL, { "drip", OK[2] } }, 200 },
  ["says 100, then answers"] = { { READ, CONTINUE, READ_ALL, OK }, 200 },
  ["gives early hints"] = { { READ, HINTS, READ_ALL, HINTS, OK }, 200 },
  ["answers 413 early, and reads on"] = { { READ, TOO_LARGE, { "drain" } }, 413 },
  ["answers 401 after some bytes, and reads on"] = {
    { READ, { "body", 20000 }, answer(401, "Content-Length: 2\r\n", "no"), { "drain" } }, 401 },
  ["answers 413 early, and reads nothing more"] = { { READ, TOO_LARGE, { "silence" } }, 413 },
  ["answers 413 early, and closes"] = { { READ, TOO_LARGE, { "reset" } }, 413, ["large POST"] = "any" },
  ["redirects"] = { { READ, READ_ALL, answer(307, "Location: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n") }, 307 },
  ["answers in chunks with trailers"] = {
    { READ, READ_ALL, answer(200, CHUNKED, "1\r\no\r\n1\r\nk\r\n0\r\nLate: yes\r\n\r\n") }, 200, HEAD = "any" },
  ["breaks a chunk"] = { { READ, READ_ALL, answer(200, CHUNKED, "zz\r\n"), { "reset" } }, "RECV_ERROR", HEAD = 200 },
  ["speaks HTTP/1.0 and closes"] = { { READ, READ_ALL, { "send", "HTTP/1.0 200 OK\r\n\r\nok" }, { "reset" } }, 200 },
  ["has nothing to say"] = { { READ, READ_ALL, answer(204, "") }, 204 },
  ["cuts the answer"] = { { READ, READ_ALL, CUT, { "reset" } }, "PARTIAL_FILE", HEAD = 200 },
  ["cuts the head of the answer"] = { { READ, READ_ALL, { "send", "HTTP/1.1 200 OK\r\nCon" }, { "reset" } }, "any" },
  ["says what is no HTTP"] = { { READ, READ_ALL, { "send", "\0\1\2nothing known\r\n\r\n" }, { "reset" } }, "any" },
  ["packs the answer wrongly"] = {
    { READ, READ_ALL, answer(200, "Content-Encoding: gzip\r\nContent-Length: 20\r\n", ("nope"):rep(5)) },
    "BAD_CONTENT_ENCODING", HEAD = 200 },
  ["closes before it answers"] = { { READ, READ_ALL, { "reset" } }, "GOT_NOTHING" },
  ["closes in the middle of a body"] = { { READ, { "body", 1000 }, { "reset" } }, "any" },
  ["closes at once"] = { { { "reset" } }, "any" },
  ["is silent after the head"] = { { READ, { "silence" } }, SILENT },
  ["is silent after the request"] = { { READ, READ_ALL, { "silence" } }, SILENT },
  ["is silent in its answer"] = { { READ, READ_ALL, CUT, { "silence" } }, SILENT, HEAD = 200 },
  ["is silent after an interim answer"] = { { READ, CONTINUE, { "silence" } }, SILENT },
}

-- The same for the second request over a kept connection: libcurl would send it again by itself.
local KEPT = {
  ["closes it before it reads"] = { { { "reset" } } },
  ["closes it after the head"] = { { READ, { "reset" } } },
  ["closes it in the middle of a body"] = { { READ, { "body", 100000 }, { "reset" } } },
  ["closes it behind the request"] = { { READ, READ_ALL, { "reset" } } },
}

-- What a server of HTTP/2 does (spec/support/broken.lua), which sends a body to HEAD too.
local FRAMES = {
  ["answers over HTTP/2"] = { { at = "end" }, 202, HEAD = "any" },
  ["refuses a stream"] = { { at = "head", rst = "REFUSED_STREAM" }, "any" },
  ["resets a stream in its body"] = { { at = 1000, rst = "CANCEL" }, "any" },
  ["resets a stream behind its answer"] = { { at = "end", status = 200, body = "ok", open = true,
    rst = "INTERNAL_ERROR" }, "any" },
  ["answers early and resets the stream"] = { { at = "head", status = 413, rst = "NO_ERROR" }, 413,
    ["large POST"] = "any", ["small POST"] = "any" },
  ["goes away before a stream"] = { { at = "head", goaway = 0, close = true }, "any" },
  ["goes away and goes on with a stream"] = { { at = "end", goaway = 1 }, 202, HEAD = "any" },
  ["drops its connection in a body"] = { { at = 1000, close = true }, "any" },
  ["drops its connection before an answer"] = { { at = "end", close = true }, "any" },
}

describe("a transfer to a server that", function()
  local certificates
  setup(function()
    certificates = tls.make "IP:127.0.0.1"
  end)
  teardown(world.clean)

  -- Moves both sides on until `done()`; `at_step(n)` comes before each step, and ends it by returning true.
  local function turn(queue, engine, done, at_step)
    local deadline, steps = core.now() + 60, 0
    repeat
      assert(core.now() < deadline, "not done within a minute")
      if at_step and at_step(steps) then
        return steps
      end
      steps = steps + 1
      assert(queue:step(0))
      local ended, moved = engine:step()
      if not ended and not moved then
        engine:wait(0.0005)
      end
    until done()
    return steps
  end

  local function submit(engine, url, request, timeout)
    return assert(engine:submit { method = request.method, url = url, headers = {}, body = request.body,
      timeout = timeout })
  end

  -- One more request to a server that answers: the engine is as good as new.
  local function goes_on(queue, engine)
    local server = raw_server.start(queue, { READ, READ_ALL, OK })
    local id, result = submit(engine, server.url, REQUESTS["large POST"], 30), nil
    turn(queue, engine, function()
      result = engine:result()
      return result ~= nil
    end)
    assert.same({ id, 200, "ok" }, { result.id, result.status, result.body })
    assert.equal(0, engine:count())
    server.running = false
  end

  local function ends_so(expected, result, where)
    if expected == "any" then
      assert.truthy(result.code or result.status, where)
    elseif type(expected) == "number" then
      assert.same({ expected, nil }, { result.status, result.code }, where)
    else
      assert.equal(expected, result.code, where)
    end
  end

  -- Runs one transfer. `place` has the engine, the url and the queue of a server; `interrupt(engine, id, step)` gives
  -- "cancelled" or "closed" where it ended the transfer. Gives the number of steps that it took.
  local function transfer(place, request, timeout, expected, interrupt, where)
    local engine, queue = place.engine, place.queue
    local id, result, outcome = submit(engine, place.url, request, timeout), nil, nil
    local taken = turn(queue, engine, function()
      result = engine:result()
      return result ~= nil
    end, interrupt and function(step)
      outcome = interrupt(engine, id, step)
      return outcome ~= nil
    end)
    if outcome == nil then
      assert.equal(id, result.id, where)
      ends_so(expected, result, where)
      assert.is_nil(engine:result(), where)
    end
    if outcome ~= "closed" then
      assert.equal(0, engine:count(), where)
      assert.is_false(engine:cancel(id), where)
      goes_on(queue, engine)
    end
    return taken
  end

  local function cancel_at(at)
    return function(engine, id, step)
      if step == at then
        assert.is_true(engine:cancel(id))
        return "cancelled"
      end
    end
  end

  local function close_at(at)
    return function(engine, _, step)
      if step == at then
        engine:close()
        return "closed"
      end
    end
  end

  local MOST = 200 -- steps at which something is done

  -- The steps at which something is done: all, or some.
  local function chosen(total)
    local list, parts = {}, world.in_full and MOST or world.thorough and 4 or 2
    for at = 0, total - 1, math.max(1, math.ceil(total / parts)) do
      list[#list + 1] = at
    end
    return list
  end

  local function descriptors()
    collectgarbage()
    collectgarbage()
    return #(core.glob "/proc/self/fd/*" or {})
  end

  -- Every kind of request, undisturbed and disturbed at every step. `run(request, timeout, expected, interrupt, where)`
  -- does one transfer and gives its steps. `rest()` lets a server go on that outlives the transfers.
  local function sweep(behaviour, run, rest)
    local before
    for kind, request in pairs(REQUESTS) do
      local expected = behaviour[kind] or behaviour[request.method] or behaviour[2]
      local timeout = expected == SILENT and 0.05 or 30
      local total = run(request, timeout, expected, nil, kind .. ": ")
      before = before or descriptors()
      for _, at in ipairs(chosen(total)) do
        for _, act in ipairs { cancel_at, close_at } do
          run(request, timeout, expected, act(at), ("%s, step %d: "):format(kind, at))
        end
      end
    end
    local deadline = core.now() + 30
    while descriptors() > before do -- the server may not have seen each connection yet
      assert(rest and core.now() < deadline, "descriptors stayed open")
      rest()
    end
  end

  for name, behaviour in pairs(BEHAVIOURS) do
    it(name .. " ends once, or not at all, whatever is done meanwhile", function()
      sweep(behaviour, function(request, timeout, expected, interrupt, where)
        local queue, engine = cqueues.new(), curl.engine()
        local server = raw_server.start(queue, behaviour[1])
        local place = { engine = engine, queue = queue, url = server.url }
        local taken = transfer(place, request, timeout, expected, interrupt, where)
        engine:close()
        assert.is_true(server.heads <= 1 or request.method ~= "POST", where .. "the POST was sent twice")
        raw_server.close(queue, server)
        return taken
      end)
    end)
  end

  for name, behaviour in pairs(KEPT) do
    it(("had kept a connection, and %s, ends once, and is sent once"):format(name), function()
      sweep({ behaviour[1], "any" }, function(request, timeout, expected, interrupt, where)
        local queue, engine = cqueues.new(), curl.engine()
        local server = raw_server.start(queue, { READ, READ_ALL, OK }, behaviour[1])
        local place = { engine = engine, queue = queue, url = server.url }
        submit(engine, server.url, REQUESTS.GET, 30)
        turn(queue, engine, function() return engine:result() end)
        local taken = transfer(place, request, timeout, expected, interrupt, where)
        engine:close()
        assert.is_true(server.heads <= 2 or request.method ~= "POST", where .. "the POST was sent twice")
        raw_server.close(queue, server)
        return taken
      end)
    end)
  end

  for name, behaviour in pairs(FRAMES) do
    it(name .. " ends once, or not at all, whatever is done meanwhile", function()
      local queue = cqueues.new()
      local server = broken.start(queue, { tls = certificates, on = function() return behaviour[1] end })
      sweep(behaviour, function(request, timeout, expected, interrupt, where)
        local engine, before = curl.engine { ca_file = certificates.ca }, #server.requests
        local place = { engine = engine, queue = queue, url = server.url .. "/" }
        local taken = transfer(place, request, timeout, expected, interrupt, where)
        engine:close()
        local deadline = core.now() + 30
        while next(server.peers) do
          assert(core.now() < deadline, "the server did not see the end of a connection")
          assert(queue:step(0.01))
        end
        assert.is_true(#server.requests <= before + 1 or request.method ~= "POST", where .. "the POST was sent twice")
        return taken
      end, function()
        assert(queue:step(0.01))
      end)
      server:close()
    end)
  end
end)
