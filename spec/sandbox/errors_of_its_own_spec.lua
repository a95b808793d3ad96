-- A sandbox prints as much of its own errors as `error_bytes` says, in whole lines where that is possible.
-- Where it leaves something out, its last words say so, once.
local world = require "spec.support.world"

local LUA = os.getenv "SCOPE3_LUA_BIN" or "lua"
local START, NO_MORE = "sandbox: an error of its own: ", "sandbox: further errors are not printed\n"
local ROOM = 200 -- bytes beside the last words

-- A sandbox whose requests fail with these messages in turn.
local PROGRAM = [[
debug.traceback = function(_, message) return message end
local messages, n = { %s }, 0
package.preload["scope3.sandbox.validate"] = function()
  return function() n = n + 1 error(messages[n], 0) end
end
require("scope3.sandbox").serve { tell_port = true, until_unread = true, error_bytes = %s }
]]

local function program(messages, error_bytes)
  local list = {}
  for i, message in ipairs(messages) do
    list[i] = ("%q"):format(message)
  end
  return world.file(PROGRAM:format(table.concat(list, ", "), error_bytes or "nil"), ".lua")
end

-- What a sandbox prints whose requests fail in these ways.
local function printed(messages, error_bytes)
  local log = world.path ".log"
  local pipe = assert(io.popen(("exec %s %s 2>%s"):format(LUA, program(messages, error_bytes), log)))
  local port = pipe:read "*l"
  assert(port and port:find "^%d+$", world.read(log))
  for _ in ipairs(messages) do
    local reply = world.http("POST", ("http://127.0.0.1:%s/api/v2/buyer/advertisers/25/audiences/sync"):format(port),
      '{"audiences":[{"audienceId":"a"}]}', { headers = { "Authorization: Bearer scope3_x" }, timeout = 20 })
    assert.equal(500, reply.status)
  end
  pipe:close()
  return world.read(log)
end

-- A message of which so many bytes are printed.
local function message_of(bytes)
  return ("x"):rep(bytes - #START - 1)
end

local function line_of(bytes)
  return START .. message_of(bytes) .. "\n"
end

describe("of its own errors a sandbox", function()
  teardown(world.clean)

  it("prints all, where nothing limits them", function()
    assert.equal(line_of(5000) .. line_of(6000), printed { message_of(5000), message_of(6000) })
  end)

  for what, case in pairs {
    ["prints one that just fits"] = { { message_of(ROOM) }, line_of(ROOM) },
    ["tells once that there are more"] = { { message_of(ROOM), message_of(99), message_of(99) },
      line_of(ROOM) .. NO_MORE },
    ["prints the beginning of a line that is a byte too long"] = { { message_of(ROOM + 1) },
      line_of(ROOM) .. NO_MORE },
    ["prints the lines that fit"] = { { message_of(ROOM) .. "\nmore" }, line_of(ROOM) .. NO_MORE },
    ["prints what others have left room for, and then nothing"] = {
      { message_of(60), message_of(50) .. "\n" .. ("y"):rep(100), message_of(40) },
      line_of(60) .. line_of(50) .. NO_MORE,
    },
    ["ends the line where a byte is left"] = { { message_of(ROOM - 1), message_of(99) },
      line_of(ROOM - 1) .. "\n" .. NO_MORE },
  } do
    it(what, function()
      assert.equal(case[2], printed(case[1], ROOM + #NO_MORE))
    end)
  end

  it("prints its last words alone where there is room for no more, and else nothing", function()
    local messages = { message_of(99), message_of(99) }
    assert.equal(NO_MORE, printed(messages, #NO_MORE))
    assert.equal("", printed(messages, #NO_MORE - 1))
  end)
end)
