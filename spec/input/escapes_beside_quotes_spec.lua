-- Where a CSV file has an escape character, doubled quotes inside a quoted field still stand for one.
local reading = require "spec.support.reading"
local scope3 = require "scope3"

local in_pieces, read_all = reading.in_pieces, reading.read_all

describe("CSV with a backslash for an escape", function()
  it("has doubled quotes halved in quoted fields, and nowhere else", function()
    for field, note in pairs {
      ['"a ""b"" c"'] = 'a "b" c', ['"a \\"b\\" ""c"""'] = 'a "b" "c"', ['""""'] = '"', ['"\\""""'] = '""',
      ['a ""b""'] = 'a ""b""', ['a \\"\\"b'] = 'a ""b', ['"x"'] = "x",
    } do
      for _, size in ipairs { 1, 3, 1000 } do
        local rows, errors = read_all(assert(scope3.csv(in_pieces("id,note\n1," .. field .. "\n2,z\n", size),
          { escape = "backslash" })))
        assert.same({}, errors, field)
        assert.same({ { id = "1", note = note }, { id = "2", note = "z" } }, rows, field)
      end
    end
  end)
end)
