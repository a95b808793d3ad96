-- A request that arrived whole may have been carried out, even if its connection died and no other could be made.
-- It counts as uncertain, never as unsent.
local core = require "scope3.core"
local curl = require "scope3.engine"
local cqueues = require "cqueues"
local ports = require "spec.support.ports"

local function read_request(peer)
  local length = 0
  repeat
    local line = peer:read "*L"
    length = tonumber(line:lower():match "^content%-length:%s*(%d+)") or length
  until line == "\r\n"
  return #peer:read(length)
end

-- Answers one request, reads another one whole, and is gone without an answer.
local function mortal_server(read)
  local listener, port = ports.listen()
  local queue = cqueues.new()
  queue:wrap(function()
    local peer = listener:accept()
    peer:setmode("b", "bn")
    read[1] = read_request(peer)
    peer:write "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    read[2] = read_request(peer)
    listener:close()
    peer:close()
  end)
  return queue, port
end

describe("a request that arrived whole", function()
  it("may have been carried out, also where its connection died and no other could be made", function()
    for _, size in ipairs { 2, 300, 2 ^ 17 } do
      local engine, read = curl.engine(), {}
      local queue, port = mortal_server(read)
      local results = {}
      for i = 1, 2 do
        assert(engine:submit {
          method = "POST", url = ("http://127.0.0.1:%d/"):format(port), body = ("x"):rep(size), timeout = 30,
        })
        local deadline = core.now() + 30
        while not results[i] and core.now() < deadline do
          assert(queue:step(0.01))
          engine:step()
          results[i] = engine:result()
        end
      end
      assert.equal(200, results[1].status)
      assert.same({ size, size }, read)
      local code = results[2].code -- a libcurl that finds first that the body cannot be sent again makes no connection
      assert.is_true(code == "COULDNT_CONNECT" or code == "SEND_FAIL_REWIND", code)
      assert.is_true(results[2].body_sent)
      engine:close()
    end
  end)
end)
