-- Headers of an answer are read without the blanks round their values. What is no header is left out.
local core = require "scope3.core"
local curl = require "scope3.engine"
local cqueues = require "cqueues"
local raw_server = require "spec.torture.raw_server"
local world = require "spec.support.world"

describe("the headers of an answer", function()
  teardown(world.clean)

  -- What a request ends with that is answered so.
  local function result_of(head, rest)
    local queue, engine = cqueues.new(), curl.engine()
    local server = raw_server.start(queue, { { "head" }, { "body" },
      { "send", head .. (rest or "Content-Length: 2\r\n\r\n{}") } })
    assert(engine:submit { method = "GET", url = server.url, timeout = 30 })
    local result
    local deadline = core.now() + 60
    repeat
      assert(core.now() < deadline, "no result within a minute")
      assert(queue:step(0.01))
      engine:step()
      result = engine:result()
    until result
    engine:close()
    raw_server.close(queue, server)
    return result
  end

  it("have values without blanks at their ends", function()
    local result = result_of "HTTP/1.1 200 OK\r\nA:\tx y \t\r\nB:\r\nC: \t \r\nD:z\r\n"
    local headers = result.headers
    assert.same({ "x y", "", "", "z", "2" }, { headers.a, headers.b, headers.c, headers.d, headers["content-length"] })
  end)

  it("may end in line feeds alone", function()
    local result = result_of("HTTP/1.1 200 OK\nA: x\nContent-Length: 2\n\n{}", "")
    assert.same({ 200, "x", "{}" }, { result.status, result.headers.a, result.body })
  end)

  it("are no answer without a status of three digits", function()
    for _, head in ipairs { "HTTP/1.1 2 X\r\n", "HTTP/1.1\r\n", "HTTP/1.1 2x0 OK\r\n", "HTTP/1.1 \r\n" } do
      local result = result_of(head)
      assert.is_truthy(result.code, head)
      assert.is_nil(result.status and result.status >= 200 or nil, head)
    end
  end)

  it("leave out names that are over 255 bytes long, and the line of the status", function()
    local result = result_of("HTTP/1.1 200 OK: fine\r\n" .. ("n"):rep(255) .. ": kept\r\n"
      .. ("m"):rep(256) .. ": left out\r\n")
    local found = {}
    for name in pairs(result.headers) do
      found[#found + 1] = #name
    end
    table.sort(found)
    assert.same({ 14, 255 }, found)
  end)
end)
