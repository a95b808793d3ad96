-- Line ends, a line "sep=" and skipped lines are read alike wherever a piece of the input ends.
local scope3 = require "scope3"

local function pieces(text, size)
  local at = 1
  return function()
    if at <= #text then
      local piece = text:sub(at, at + size - 1)
      at = at + size
      return piece
    end
  end
end

-- The rows of two columns, as `id/mail` each, and the error that ends them.
local function read(text, opts, size)
  local source, refused = scope3.csv(pieces(text, size), opts)
  if not source then
    return refused.message
  end
  local rows = {}
  while true do
    local row, err = source:next()
    if not row then
      rows[#rows + 1] = err and err.message
      return table.concat(rows, " ")
    end
    local fine, id, mail = pcall(function()
      return row.id, row.mail
    end)
    rows[#rows + 1] = fine and id .. "/" .. tostring(mail) or "?"
  end
end

local function check(expected, opts)
  for text, rows in pairs(expected) do
    for _, size in ipairs { 1, 2, 3, 5, 7, 1000 } do
      local said = read(text, opts, size)
      assert.truthy(said == rows or rows ~= "" and said:find(rows, 1, true),
        ("%q in pieces of %d: %s"):format(text, size, said))
    end
  end
end

local UNCLOSED = "a quote is opened and does not close"

describe("CSV", function()
  it("has blank lines that end in any way, also where a backslash escapes line ends", function()
    local expected = {
      ["id,mail\n1,a\r\n\r"] = "1/a", ["id,mail\n\r\n\r\n2,b\n"] = "2/b", ["id,mail\n1,a\n\r"] = "1/a",
      ["id,mail\n1,a\n\r\n2,b\n"] = "1/a 2/b", ["id,mail\n1,a\n\n\n2,b"] = "1/a 2/b",
    }
    check(expected)
    check(expected, { escape = "backslash" })
    check({ ["id,mail\n1,a\\\nb\n"] = "1/a\nb", ["id,mail\n1,\"a\"\"b\"\n"] = '1/a"b',
      ["id,mail\n1,\"a\\\"b\"\n"] = '1/a"b', ["id,mail\n1,\"a\""] = "1/a" }, { escape = "backslash" })
  end)

  it("may begin with a line that names the delimiter", function()
    check {
      ["sep=;\nid;mail\n1;a\n"] = "1/a", ['"sep=;"\nid;mail\n1;a\n'] = "1/a", ["sep=;\r\nid;mail\r\n1;a\r\n"] = "1/a",
      ["sep=\\t\nid\tmail\n1\ta\n"] = "1/a", ["sep=; ; \nid;mail\n1;a\n"] = "1/a",
      -- Written again by a program that fills up the line with its own delimiter.
      ["sep=;||\nid|mail\n1|a\n"] = "1/a", ["sep=;\t\nid\tmail\n1\ta\n"] = "1/a", ["sep=;,,\nid,mail\n1,a\n"] = "1/a",
    }
  end)

  it("does not where that line is another's", function()
    check {
      ["sep=;"] = "", ['"sep=;"'] = "", ['"sep=;'] = UNCLOSED, ['"sep=;x\nid;mail\n1;a\n'] = UNCLOSED,
      ["sep=;,;\nid;mail\n1;a\n"] = "fewer or more fields", ["sep=;x\nid;mail\n1;a\n"] = "? ?",
      ['sep="\nid;mail\n'] = "?", ["sep=\n\nid;mail\n"] = "?",
    }
  end)

  it("has its header behind the lines that are skipped", function()
    check({ ["x\r\ny\r\nid,mail\r\n1,a\r\n"] = "1/a", ["x\ry\rid,mail\r1,a\r"] = "1/a",
      ["sep=;\r\nx\r\nid;mail\r\n1;a\r\n"] = "1/a", ["x\r"] = "the file is empty after 2 lines that",
      ["sep=;\r"] = "the file is empty after 2 lines that" }, { skip_lines = 2 })
    check({ ["x\ry\nid,mail\n1,a\n"] = "1/a" }, { skip_lines = 1, escape = "backslash" })
  end)

  it("may have an empty field at the end of each of thousands of rows", function()
    local source = assert(scope3.csv(pieces("id,mail\n" .. ("1,a,\n"):rep(20000), 4096)))
    local rows = 0
    while source:next() do
      rows = rows + 1
    end
    assert.equal(20000, rows)
    local text = "id,mail\n" .. ("1,a,\n"):rep(20000) .. "2,b,c\n"
    assert.truthy(read(text, {}, 4096):find("row 20001", 1, true))
  end)

  it("of one line over a mebibyte is refused", function()
    assert.truthy(read(("x"):rep(3 * 2 ^ 20), {}, 2 ^ 16):find("1 MiB", 1, true))
  end)
end)
