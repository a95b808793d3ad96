-- Texts as readers that give them in pieces, and all that a source makes of them.
local assert = require "luassert"
local each = require "spec.support.each"

local reading = {}

-- A reader that gives a text in pieces of `size` bytes.
function reading.in_pieces(text, size)
  local at = 1
  return function()
    if at <= #text then
      local piece = text:sub(at, at + size - 1)
      at = at + size
      return piece
    end
  end
end

-- All rows, and the errors among them.
function reading.read_all(source)
  local rows, errors = {}, {}
  for row, err in each(source) do
    if row then
      rows[#rows + 1] = row
    else
      errors[#errors + 1] = err
    end
  end
  return rows, errors
end

-- What a text gives when it comes in pieces of 1 byte, 7 bytes and whole: the same, so one of them.
function reading.alike(open, text, opts)
  local rows, errors
  for _, size in ipairs { 1, 7, 200000 } do
    local got, faults = reading.read_all(assert(open(reading.in_pieces(text, size), opts)))
    for i, err in ipairs(faults) do
      faults[i] = { err.code, err.row, err.message }
    end
    if rows then
      assert.same(rows, got)
      assert.same(errors, faults)
    end
    rows, errors = got, faults
  end
  return rows, errors
end

return reading
