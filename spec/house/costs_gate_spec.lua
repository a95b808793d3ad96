-- A change that makes the measured ways over 3 % dearer does not pass `make costs` unless it sets the number anew.
local callgrind = require "bench.costs.callgrind"
local gate = require "bench.costs.gate"
local world = require "spec.support.world"

-- A file with one cost.
local function file_of(instructions)
  local costs = { { name = "sync", instructions = instructions, what = "a sync" } }
  return gate.renewed(costs, {}, "gcc 12", "2026-11-28 abc")
end

-- What the gate says of a measured cost.
local function verdict(measured, on_file)
  local rows, passed = gate.compare({ { name = "sync", instructions = measured } }, gate.read(file_of(on_file)).costs)
  return passed, rows[1]
end

-- A file as callgrind writes it: names stand there once, and a line after calls= is the cost of what was called.
local DUMP = [[
desc: Trigger: Client Request: map many
ob=(1) /tree/build/5.4-poll/scope3/core.so
fl=(1) csrc/core/rows/csv.c
fn=(1) next
10 100
+2 7
cob=(2) /usr/lib/libc.so.6
cfi=(2) memcpy.c
cfn=(2) memcpy
calls=3 1
12 5000
* 3
fl=(3) csrc/core/bytes/sha256_portable.c
fn=(3) compress
20 4000
fi=(4) csrc/core/bytes/slice.h
21 40
ob=(2)
fl=(2)
fn=(2)
1 5000
ob=(3) /usr/bin/lua5.4
fl=(5) ???
fn=(4) luaV_execute
0 1000
]]

describe("the gate of costs", function()
  it("passes the number on file, and all within 3 % of it", function()
    for _, measured in ipairs { 100000, 102999, 97001 } do
      local passed, row = verdict(measured, 100000)
      assert.is_true(passed)
      assert.same({ "", measured / 100000 }, { row.verdict, row.ratio })
    end
  end)

  it("fails where the number on file is 3.1 % too small", function()
    local passed, row = verdict(100000, 96900)
    assert.is_false(passed)
    assert.same({ "MORE", true }, { row.verdict, row.fails })
  end)

  it("passes a cost that fell by more, and tells that the number can be renewed", function()
    local passed, row = verdict(96900, 100000)
    assert.is_true(passed)
    assert.equal("less: renew the number", row.verdict)
  end)

  it("fails a cost that is not on file, and one on file that was not measured", function()
    local known = gate.read(file_of(5)).costs
    assert.is_false((select(2, gate.compare({ { name = "sync", instructions = 5 }, { name = "new", instructions = 1 } },
      known))))
    local rows, passed = gate.compare({}, known)
    assert.is_false(passed)
    assert.same({ "sync", "NOT MEASURED" }, { rows[1].name, rows[1].verdict })
  end)

  it("sets anew the numbers that moved, and leaves the others with their day", function()
    local known = gate.read("a\t1000\t2026-01-01 abc\tone\nb\t1000\t2026-01-01 abc\ttwo\n").costs
    local text = gate.renewed({
      { name = "a", instructions = 1004, what = "one" }, { name = "b", instructions = 1200, what = "two" },
    }, known, "gcc 12", "2026-11-28 def")
    local read = gate.read(text)
    assert.equal("gcc 12", read.tools)
    assert.same({ 1000, "2026-01-01 abc" }, { read.costs.a.instructions, read.costs.a.set })
    assert.same({ 1200, "2026-11-28 def" }, { read.costs.b.instructions, read.costs.b.set })
  end)

  it("reads the file in the tree, which has a number for each way that users wait for", function()
    local known = gate.read(world.read "bench/costs.tsv")
    assert.truthy(known.tools:find("^cc "))
    for _, name in ipairs {
      "map", "map_hashing", "audience_add", "stream_add", "collector_add", "sync", "version", "dry_run",
    } do
      assert.is_true(known.costs[name].instructions > 0, name)
    end
    assert.has_error(function()
      gate.read "sync\tmany\t2026-01-01 abc\ta sync\n"
    end)
  end)

  it("counts what our module and the interpreter execute, and apart from that hashing and the C library", function()
    local count = callgrind.read(DUMP:gmatch "[^\n]+")
    assert.same({ name = "map many", own = 100 + 7 + 3 + 1000, hashing = 4000 + 40, others = 5000 }, count)
  end)
end)
