-- An answer whose compression is broken was not read, whatever its status and length say: a question is asked again,
-- and what was sent may have been carried out. The status of a failure stands all the same.
local answering = require "spec.support.answering"
local core = require "scope3.core"
local curl = require "scope3.engine"
local cqueues = require "cqueues"
local raw_server = require "spec.torture.raw_server"
local scope3 = require "scope3"
local world = require "spec.support.world"

local PACKED -- '{"a":1}' as gzip has it

local function packed(body)
  return ("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"):format(#body) .. body
end

local function with_byte(text, i, byte)
  return text:sub(1, i - 1) .. byte .. text:sub(i + 1)
end

describe("an answer that is packed wrongly", function()
  setup(function()
    local path, out = world.file '{"a":1}', world.path ".gz"
    os.execute(("gzip -n -c %s > %s"):format(path, out))
    PACKED = world.read(out)
  end)
  teardown(world.clean)

  -- What a request ends with that is answered so.
  local function result_of(method, status, body)
    local queue, engine = cqueues.new(), curl.engine()
    local server = raw_server.start(queue, { { "head" }, { "body" },
      { "send", ("HTTP/1.1 %d X\r\n"):format(status) .. packed(body) } })
    assert(engine:submit { method = method, url = server.url, body = method == "POST" and "{}" or nil, timeout = 30 })
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

  it("is a failure of the transfer, however much of it came", function()
    for what, body in pairs {
      ["no gzip at all"] = ("nope"):rep(5),
      ["another method"] = with_byte(PACKED, 3, "\9"),
      ["a wrong checksum"] = with_byte(PACKED, #PACKED - 5, "\0"),
    } do
      for _, method in ipairs { "GET", "POST" } do
        local result = result_of(method, 200, body)
        assert.same({ "BAD_CONTENT_ENCODING", 200, true }, { result.code, result.status, result.body_sent },
          method .. ": " .. what)
      end
    end
    assert.same({ nil, 200, '{"a":1}' }, (function(result)
      return { result.code, result.status, result.body }
    end)(result_of("POST", 200, PACKED)))
  end)

  describe("by a service:", function()
    local server = answering.around(setup, teardown)

    -- The first answers are packed wrongly, the others are these.
    local function answers(times, status, body)
      server:answer(([[
        local json, left = ..., %d
        return function(request)
          left = left - 1
          if left >= 0 then
            return %d, "nope nope nope", { { "Content-Encoding", "gzip" }, { "Retry-After", "0" } }
          end
          return 200, %q
        end
      ]]):format(times, status, body))
    end

    it("has a question asked again", function()
      answers(2, 200, '{"audiences":[{"audienceId":"a","status":"READY"}],"total":1}')
      assert.equal("READY", assert(server:client():audience "a").status)
      assert.equal(3, #server:requests "audiences")
    end)

    it("leaves it open whether what was sent was carried out", function()
      answers(1000, 200, "{}")
      local audience = scope3.audience { id = "a" }
      audience:add { external_id = "1", email = "jane@example.org" }
      local result, err = server:client():sync(audience)
      assert.is_nil(result)
      assert.same({ true, "BAD_CONTENT_ENCODING" }, { err.uncertain, err.code })
      assert.truthy(err.message:find("compression", 1, true), err.message)
    end)

    it("says what its status says where that is a failure", function()
      answers(1000, 401, "{}")
      local _, err = server:client():audience "a"
      assert.equal(401, err.status)
      assert.equal(1, #server:requests())
    end)
  end)
end)
