-- CSV and TSV as databases write them: without quoting, with a backslash as escape, with a word for no value.
local cjson = require "cjson"
local core = require "scope3.core"
local scope3 = require "scope3"
local each = require "spec.support.each"
local world = require "spec.support.world"

local MAP = { external_id = "id", email = "mail" }

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

-- The named column of every row, "-" where it has no value, for
-- pieces of several sizes and every way to scan: all the same.
local function column(text, name, opts)
  local first
  for _, size in ipairs { 1, 3, 64, 100000 } do
    local values = {}
    for row, err in each(assert(scope3.csv(pieces(text, size), opts))) do
      values[#values + 1] = row and (row[name] or "-") or err.code
    end
    if first then
      assert.same(first, values)
    end
    first = values
  end
  return first
end

local function count(input, opts, script)
  local all = { dry_run = true }
  for key, value in pairs(opts or {}) do
    all[key] = value
  end
  return assert(scope3.client {}):run(script or { map = MAP, audience = "a" }, input, all)
end

local DUMP = { quote = "none", escape = "backslash" }

describe("a dump without quoting", function()
  teardown(world.clean)

  it("of MySQL has tabs, line ends, backslashes and nothing after a backslash", function()
    local text = "id\tname\tmail\n"
      .. '1\tsay "hi\tp\n2\ttab\\\there\tp\n3\tnew\\\nline\tp\n4\tback\\\\\tp\n5\t\\N\tp\n'
      .. '6\ta\\nb\\tc\tp\n7\tcr\rhere\tp\n8\tcrlf\r\\\nhere\tp\n9\t\\\\N\tp\n10\tN\tp\n11\t\\\\\\N\tp\n12\t\\0\tp\n'
    assert.same({
      'say "hi', "tab\there", "new\nline", "back\\", "-", "a\nb\tc",
      "cr\rhere", "crlf\r\nhere", "\\N", "N", "\\N", "nul_byte",
    }, column(text, "name", DUMP))
    assert.same({ "-", "x" }, column("id\tname\r\n1\t\\N\r\n2\tx\r\n", "name", DUMP))
  end)

  it("of PostgreSQL has its control characters by their letters", function()
    assert.same({ "a\b\f\n\r\t\v\\b", "-", "", "x\\" },
      column("id\tname\n1\ta\\b\\f\\n\\r\\t\\v\\\\b\n2\t\\N\n3\t\n4\tx\\\\", "name", DUMP))
    assert.same({ "a\nb", "c" },
      column("id|na\\|me\n1|a\\\nb\n2|c\n", "na|me", { quote = "none", escape = "backslash", delimiter = "|" }))
    assert.same({ "x\\" }, column("id\tname\n1\tx\\", "name", DUMP)) -- cut off behind a backslash
  end)

  it("of BigQuery has quotes that are text, also at the start of a value", function()
    assert.same({ '"Big Joe', 'Joe "', '""' },
      column('id\tname\n1\t"Big Joe\n2\tJoe "\n3\t""\n', "name", { quote = "none" }))
    -- a backslash is text unless it is said
    assert.same({ "a\\nb", "\\N" }, column("id\tname\n1\ta\\nb\n2\t\\N\n", "name", { quote = "none" }))
  end)

  it("goes through maps, conditions and scripts, where no value is none", function()
    local path = world.file('id\tmail\tplan\n1\ta@b.co\t"x\n2\t\\N\ty\n3\tc@d.co\t\\N\n\\N\te@f.co\tz\n', ".tsv")
    local res = assert(count(path, DUMP))
    assert.same({ 4, 2, { no_identifier = 1, no_external_id = 1 } }, { res.rows, res.members, res.rejected })
    assert.equal(1,
      assert(count(path, DUMP, { map = MAP, audience = "a", where = { plan = { present = false } } })).members)
    local script = { audience = "a", quote = "none", escape = "backslash", member = function(row)
      return row.id and row.mail and row.plan and { external_id = row.id, email = row.mail } or nil
    end }
    assert.same({ 1, 3 }, { assert(count(path, nil, script)).members, assert(count(path, nil, script)).skipped })
    local code, out, err = world.command {
      "sync", path, "--audience", "a", "--map", "external_id=id", "--map",
      "email=mail", "--dry-run", "--json", "--quote", "none", "--escape", "backslash",
    }
    assert.equal(0, code, err)
    assert.equal(2, cjson.decode(out).members)
  end)
end)

describe("CSV with a backslash before quotes", function()
  teardown(world.clean)

  it("is read as MySQL writes it, doubled quotes too", function()
    local text = 'id,name\n"1","say \\"hi\\""\n"2","a,b\\\\"\n3,\\N\n4,"x\\\ny"\n5,"doubled "" q"\n6,"\\N"\n'
      .. '7,"\\r\\n"\n8,a\\,b\n'
    assert.same({ 'say "hi"', "a,b\\", "-", "x\ny", 'doubled " q', "N", "\r\n", "a,b" },
      column(text, "name", { escape = "backslash" }))
    assert.same({ "it's", "a''b" },
      column("id;name\n1;'it\\'s'\n2;a''b\n", "name", { escape = "backslash", quote = "'" }))
    assert.same({ "it's", "say \"hi\"" }, column("id;name\n1;'it''s'\n2;say \"hi\"\n", "name", { quote = "single" }))
  end)

  it("has a word for no value where one is said, and only where it is not quoted", function()
    assert.same({ "-", "NULL", "null", "" },
      column('id,name\n1,NULL\n2,"NULL"\n3,null\n4,\n', "name", { null = "NULL" }))
    assert.same({ "-", "\\N" }, column('id,name\n1,NULL\n2,\\\\N\n', "name", { escape = "backslash", null = "NULL" }))
    assert.same({ "-", "x" }, column("1,\\N\n2,x\n", 2, { header = false, null = "\\N" }))
    local path = world.file("id,mail\n1,(null)\n2,a@b.co\n(null),c@d.co\n", ".csv")
    local code, out = world.command {
      "sync", path, "--audience", "a", "--map", "external_id=id",
      "--map", "email=mail", "--dry-run", "--json", "--null", "(null)",
    }
    assert.same({ 0, 1 }, { code, cjson.decode(out).members })
  end)

  it("gives the same by every way to scan, for random texts", function()
    local seed = require "spec.support.seed"
    print("   seed " .. seed)
    math.randomseed(seed)
    local parts = {
      ",", ",", "1", '"', '"', "\\", "\\", "\\N", "\n", "\n", "\r\n",
      "\r", "\0", ("x"):rep(61), ("y"):rep(64), "\\\\\\", "NULL",
    }
    local function dump(text, size, shape)
      shape.format = "csv"
      local source, out, at = core.source(shape), {}, 1
      while true do
        local row, state = source:read()
        if row == nil and state == "need" then
          if at > #text then
            source:finish()
          else
            source:feed(text:sub(at, at + size - 1))
            at = at + size
          end
        else
          for key, value in pairs(row and {
            row.a or "-", row.b or "-", row.c or "-",
          } or state and { tostring(state) } or {}) do
            out[#out + 1] = key .. "=" .. tostring(value)
          end
          if type(state) == "table" then
            out[#out + 1] = ("%s %d %d %d"):format(state.reason, state.row, state.line, state.lines or 0)
          end
          if row == nil then
            local lines = source:lines()
            out[#out + 1] = ("%d %d %d %d"):format(lines.header, lines.blank, lines.quoted, lines.swallowed)
            source:close()
            return table.concat(out, " "):gsub("table: 0x%x+", "")
          end
        end
      end
    end
    for i = 1, 300 do
      local text = { "a,b,c\n" }
      for n = 2, math.random(2, 100) do
        text[n] = parts[math.random(#parts)]
      end
      text = table.concat(text)
      local quote, escape, null = i % 3 == 0 and "" or nil, i % 4 ~= 0 and "\\" or nil, i % 2 == 0 and "\\N" or "NULL"
      local want = dump(text, 1, { marks = "portable", quote = quote, escape = escape, null = null })
      for _, marks in ipairs(core.csv_marks) do
        for _, size in ipairs { math.random(1, 200), 100000 } do
          assert.equal(want, dump(text, size, { marks = marks, quote = quote, escape = escape, null = null }),
            marks .. ", seed " .. seed)
        end
      end
    end
  end)
end)

describe("what says how CSV is written", function()
  teardown(world.clean)

  it("raises where it cannot be meant, and where it would change nothing", function()
    for _, case in ipairs {
      { { quote = "ab" }, "quote must be one character" }, { { quote = "\n" }, "quote must be one character" },
      { { escape = "perl" }, "escape must be" }, { { null = "" }, "null must be a text" },
      { { null = ("x"):rep(65) }, "null must be a text" }, { { quote = ";", delimiter = ";" }, "delimiter must be" },
      { { quote = "\\", escape = "backslash" }, "different characters" },
      { { delimiter = "\\", escape = "backslash" }, "different characters" },
    } do
      local ok, message = pcall(scope3.csv, "nowhere.csv", case[1])
      assert.is_false(ok)
      assert.truthy(message:find("^spec/input/dialect_spec.lua:%d+: scope3.csv: ")
        or message:find(case[2], 1, true), message)
      ok, message = pcall(count, "nowhere.csv", case[1])
      assert.is_false(ok)
      assert.truthy(message:find(case[2], 1, true), message)
      local script = { map = MAP, audience = "a" }
      for key, value in pairs(case[1]) do
        script[key] = value
      end
      assert.is_false((pcall(count, "nowhere.csv", nil, script)))
    end
    local lines = world.file('{"id":"1","mail":"a@b.co"}\n', ".jsonl")
    for key, value in pairs { quote = "none", escape = "backslash", null = "NULL" } do
      assert.is_false((pcall(count, lines, { format = "jsonl", [key] = value })))
      assert.is_false((pcall(scope3.jsonl, lines, { [key] = value })))
      assert.is_false((pcall(count, function() end, { [key] = value })))
      assert.is_false((pcall(count, assert(scope3.csv(pieces("id,mail\n", 9))), { [key] = value })))
      assert.is_false((pcall(count, lines, { [key] = value })))
    end
    assert.equal(1, assert(count(assert(scope3.csv(pieces("id,mail\n1,a@b.co\n", 9), DUMP)), DUMP)).members)
  end)

  it("is a mistake of usage on the command line", function()
    for _, words in ipairs {
      { "--quote", "ab" }, { "--escape", "x" }, { "--null", "" },
      { "--format", "jsonl", "--quote", "none" }, { "--delimiter", "ab" },
    } do
      local args = {
        "sync", "nowhere.csv", "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--dry-run",
      }
      for _, word in ipairs(words) do
        args[#args + 1] = word
      end
      local code, _, err = world.command(args)
      assert.equal(2, code, err)
      assert.is_nil(err:find("traceback", 1, true))
    end
  end)
end)

describe("an option of CSV on the command line", function()
  it("is a wrong usage with JSON Lines only, also where they come by standard input", function()
    local path = world.file('{"id":1,"mail":"a@x.example"}\n', ".jsonl")
    for key, value in pairs { quote = "none", escape = "backslash", null = "X", delimiter = ";" } do
      for _, words in ipairs { { path }, { "-", "--format", "jsonl" } } do
        local args = {
          "sync", "--dry-run", "--audience", "a", "--map", "external_id=id",
          "--map", "email=mail", "--" .. key, value, words[1], words[2], words[3],
        }
        local code, out, err = world.command(args)
        assert.same({ 2, "" }, { code, out })
        assert.truthy(err:find(("--%s has no effect on JSON Lines"):format(key), 1, true), err)
        assert.is_nil(err:find("traceback", 1, true))
      end
    end
  end)
end)
