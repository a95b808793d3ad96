-- Rejections say the line of a file where the row begins, as an editor counts it, however the file is written.
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("the line of a rejected row", function()
  teardown(world.clean)

  local client = scope3.client { api_key = "scope3_x", account_id = "25" }

  local function run(script, input, opts)
    opts = opts or {}
    opts.dry_run = true
    script.audience = "a"
    return client:run(script, input, opts)
  end

  -- The lines of the rejections of a text, joined: each row that is bad has BAD in it.
  local function lines_of(text, suffix, opts)
    local lines = {}
    opts = opts or {}
    function opts.on_reject(rejection)
      lines[#lines + 1] = ("%.0f"):format(rejection.line)
    end
    local map = { external_id = "id", email = "mail" }
    if opts.header == false then
      map = { external_id = 1, email = 2 }
    end
    assert(run({ map = map }, world.file(text, suffix), opts))
    return table.concat(lines, " ")
  end

  -- The same, counted in the text: each bad row gives two rejections, of its email and of the row.
  local function counted(text)
    local lines, n = {}, 0
    for line in (text:gsub("\r\n?", "\n") .. "\n"):gmatch "([^\n]*)\n" do
      n = n + 1
      if line:find "^BAD" or line:find '"BAD' then
        lines[#lines + 1] = ("%.0f %.0f"):format(n, n)
      end
    end
    return table.concat(lines, " ")
  end

  it("counts headers, titles, blank lines, and lines inside quotes", function()
    local plain = 'id,mail,note\n1,a@x.org,\nBAD1,x,\n\n,,\n2,b@x.org,"a\nb\n\nc"\nBAD2,y,\n3,c@x.org,\n'
      .. '"BAD3",z,"d\ne"\nBAD4,w,'
    assert.equal("3 3 10 10 12 12 14 14", counted(plain))
    local texts = {
      plain = { plain }, crlf = { (plain:gsub("\n", "\r\n")) }, cr = { (plain:gsub("\n", "\r")) },
      marked = { "\239\187\191" .. plain }, separator = { "sep=,\n" .. plain },
      title = { "A title\n\n" .. plain, { skip_lines = 2 } },
      headless = { (plain:gsub("^[^\n]*\n", "")), { header = false } },
      utf16 = { (plain:gsub(".", "%0\0")), { encoding = "utf-16le" } },
      escaped = { (plain:gsub('"a\nb\n\nc"', "a\\\nb\\\n\\\nc"):gsub('"d\ne"', "d\\\ne")), { escape = "backslash" } },
    }
    for name, one in pairs(texts) do
      assert.equal(counted(name == "utf16" and plain or one[1]), lines_of(one[1], ".csv", one[2]), name)
    end
  end)

  it("is that of a row that cannot be read, and of the last of many", function()
    local lines = { "id,mail", '1,"a@x.org', 'b" x' }
    assert.equal("2", lines_of(table.concat(lines, "\n") .. "\n2,b@x.org\n", ".csv"))
    for i = 2, 30000 do
      lines[i] = ('%d,p%d@x.org'):format(i, i)
    end
    lines[30001] = "BAD,x"
    assert.equal("30001 30001", lines_of(table.concat(lines, "\n"), ".csv"))
  end)

  it("counts the lines of JSON in any layout", function()
    local good, bad = '{"id":1,\n "mail":"a@x.org"}', '{"id":"BAD",\n "mail":"x"}'
    assert.equal("4 4", lines_of(good .. "\n\n" .. bad .. "\n", ".jsonl"))
    assert.equal("5 5", lines_of("[\n" .. good .. ",\n\n" .. bad .. "\n]\n", ".json"))
    assert.equal("3 3", lines_of('{"id":1,"mail":"a@x.org"}\n\n{"id":2,"mail":"x"}\n', ".jsonl"))
    assert.equal("2", lines_of('{"id":1,"mail":"a@x.org"}\n{"id":2,"mail\n{"id":3,"mail":"c@x.org"}\n', ".jsonl"))
  end)

  it("is that of the file, also inside gzip, and begins anew with each file", function()
    local plain = world.file("id,mail\nBAD,x\n", ".csv")
    local packed, lines = world.path ".csv.gz", {}
    os.execute(("gzip -c %s >%s"):format(plain, packed))
    assert(run({ map = { external_id = "id", email = "mail" } }, { plain, packed }, { on_reject = function(rejection)
      lines[#lines + 1] = rejection.line
    end }))
    assert.same({ 2, 2, 2, 2 }, lines)
  end)

  it("is unknown of rows that are tables", function()
    local seen, rows = nil, { { id = "1", mail = "x" } }
    assert(run({ map = { external_id = "id", email = "mail" } }, function() return table.remove(rows) end,
      { on_reject = function(rejection) seen = rejection end }))
    assert.same({ 1 }, { seen.row, seen.line })
  end)

  it("is said of a script that fails, and of rows that lack cells", function()
    local path = world.file('id,mail,x\n1,"a@x.org",\n2,"b@\nx.org",\n3,c@x.org\n', ".csv")
    local _, err = run({ member = function(row) return { external_id = row.id, email = row.nosuch } end }, path)
    assert.truthy(err.message:find("the script failed at row 1 (line 2): ", 1, true), err.message)
    local res = assert(run({ map = { external_id = "id", email = "mail" } }, path))
    assert.truthy(res.warnings[1].message:find("row 3 (line 5)", 1, true), res.warnings[1].message)
    assert.same({ 3, 5 }, { res.warnings[1].row, res.warnings[1].line })
  end)
end)
