-- Readers of foreign texts need time in proportion to the text, also for the worst texts.
-- Callgrind counts the instructions: at most four times as many for four times the text.
-- Half a megabyte of each text comes to an end. spec/support/worst_texts.lua has the readers and the texts.
local compile = require "spec.support.compile"
local world = require "spec.support.world"

local SHORT = 512 -- bytes; the long ones have four times as many
local MOST = 4.4

local function callgrind()
  local there = os.execute("command -v valgrind >/dev/null 2>&1")
  local header = os.execute("printf '#include <valgrind/callgrind.h>\n' | ${CC:-cc} -E - >/dev/null 2>&1")
  return (there == true or there == 0) and (header == true or header == 0)
end

-- One Lua is enough: what the others differ in, the readers do not notice. Under a sanitizer the counts are its own.
local here = os.getenv "SCOPE3_LUA" == "5.4" and world.thorough and callgrind()

describe("time for texts of strangers", function()
  teardown(world.clean)

  it("is some seconds for half a megabyte of them, where the square of it would be an hour", function()
    local log = world.path ".log"
    -- Elsewhere a half of it.
    local bytes, seconds = world.thorough and 2 ^ 19 or 2 ^ 18, world.thorough and 75 or 30
    local code = os.execute(("ulimit -t %d; %s spec/support/worst_texts.lua none %d 0 >%s 2>&1"):format(seconds,
      os.getenv "SCOPE3_LUA_BIN", bytes, log))
    assert.is_true(code == true or code == 0, world.read(log))
    local _, count = world.read(log):gsub(" s  ", "")
    assert.is_true(count > 120, world.read(log))
  end)

  it("grows with their length and no faster, whatever they are", function()
    if not here then
      return
    end
    local out, log = world.path(".callgrind"), world.path(".log")
    local code = os.execute(("valgrind -q --tool=callgrind --callgrind-out-file=%s %s spec/support/worst_texts.lua "
      .. "%s %d %d >%s 2>&1"):format(out,
      os.getenv "SCOPE3_LUA_BIN", compile.counted(), SHORT, world.in_full and 1 or 9, log))
    assert.is_true(code == true or code == 0, world.read(log))
    local counts, n = {}, 0
    while world.exists(("%s.%d"):format(out, n + 1)) do
      n = n + 1
      local path = ("%s.%d"):format(out, n)
      local text = world.read(path)
      local name, length = text:match("Client Request: ([^\n]*)|([12])\n")
      counts[name] = counts[name] or {}
      counts[name][tonumber(length)] = tonumber(text:match("\nsummary: (%d+)") or text:match("\ntotals: (%d+)"))
      os.remove(path)
    end
    os.remove(out)
    assert.is_true(n > 130, ("only %d counts"):format(n))
    local slow = {}
    for name, pair in pairs(counts) do
      if pair[2] > MOST * pair[1] then
        slow[#slow + 1] = ("%s: %.0f instructions for %d bytes, %.0f for %d (%.1f times)"):format(name, pair[1], SHORT,
          pair[2], 4 * SHORT, pair[2] / pair[1])
      end
    end
    table.sort(slow)
    assert.equal("", table.concat(slow, "\n"))
  end)
end)
