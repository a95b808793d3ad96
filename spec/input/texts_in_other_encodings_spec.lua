-- windows-1252, UTF-16 and other encodings are read when they are named or marked.
-- Without a name, the error says which option to give.
local core = require "scope3.core"
local scope3 = require "scope3"
local world = require "spec.support.world"

local WORDS = { "--audience", "a", "--map", "external_id=id", "--map", "email=E-Mail", "--dry-run", "--json" }

-- What iconv makes of a text. It leaves out what is no character.
local function iconv(text, from, to)
  local input, output = world.file(text), world.path()
  os.execute(("iconv -c -f %s -t %s %s > %s 2>/dev/null"):format(from, to, input, output))
  return world.read(output)
end

local function wide(text)
  return iconv(text, "UTF-8", "UTF-16LE")
end

local function big(text)
  return iconv(text, "UTF-8", "UTF-16BE")
end

local function sync(path, ...)
  local words = { "sync", path, ... }
  for _, word in ipairs(WORDS) do
    words[#words + 1] = word
  end
  local code, out, err = world.command(words)
  return code, out:find("^{") and world.json.decode(out) or nil, err
end

local function codes(res)
  local found = {}
  for i, warning in ipairs(res.warnings) do
    found[i] = warning.code
  end
  return found
end

-- The rows of a text, given in pieces that `cut` chooses, and what was said of its bytes.
local function rows_of(text, opts, cut)
  local at = 1
  opts = opts or {}
  local source = core.source { format = opts.format or "csv", encoding = opts.encoding }
  local rows = {}
  while true do
    local row, state, fatal = source:read()
    if row then
      rows[#rows + 1] = row
    elseif row == false then
      rows[#rows + 1] = { reason = state.reason, row = state.row, line = state.line }
    elseif state == "need" and at > #text then
      source:finish()
    elseif state == "need" then
      local n = cut()
      source:feed(text:sub(at, at + n - 1))
      at = at + n
    else
      rows[#rows + 1] = { state, fatal and fatal.reason, fatal and fatal.what }
      break
    end
  end
  rows.seen = source:encoding()
  source:close()
  return rows
end

local function whole()
  return 1000000
end

local TEXT = "id,E-Mail,Straße\n1,a@example.org,Köln\n2,müller@example.org,Škoda €\n\n"
  .. "3,c@example.org,\"zwei\nZeilen ü\"\n"

describe("an encoding", function()
  teardown(world.clean)

  it("gives what iconv gives, for every byte of every table", function()
    for _, name in ipairs(core.encodings) do
      if not name:find "^utf" then
        local bytes = {}
        for byte = 0x80, 0xFF do
          bytes[#bytes + 1] = byte .. "," .. string.char(byte)
        end
        local text = "id,v\n" .. table.concat(bytes, "\n") .. "\n"
        local want = {}
        for byte, character in iconv(text, name, "UTF-8"):gmatch "([0-9]+),([^\n]*)" do
          want[#want + 1] = { id = byte, v = character ~= "" and character or "\255" }
        end
        local rows = rows_of(text, { encoding = name }, whole)
        assert.equal(128, #want)
        for i = 1, 128 do
          assert.same(want[i], rows[i], name)
        end
      end
    end
  end)

  it("gives what iconv gives, for every code point in UTF-16", function()
    local units, step = { "v\0\n\0" }, world.thorough and 1 or 7
    local function put(unit)
      units[#units + 1] = string.char(unit % 256, math.floor(unit / 256))
    end
    for code = 0xA0, 0x10FFFF, step do
      if code > 0xFFFF then
        put(0xD800 + math.floor((code - 0x10000) / 1024))
        put(0xDC00 + (code - 0x10000) % 1024)
      elseif (code < 0xD800 or code > 0xDFFF) and code ~= 0xFEFF then
        put(code)
      end
      if code % 1024 < step then
        put(10)
      end
    end
    local little = table.concat(units)
    local want = {}
    for line in iconv(little, "UTF-16LE", "UTF-8"):gmatch "[^\n]+" do
      want[#want + 1] = line
    end
    assert.truthy(#want > 1000)
    for name, text in pairs { ["utf-16le"] = little, ["utf-16be"] = (little:gsub("(.)(.)", "%2%1")) } do
      local n = 0
      for row in assert(scope3.csv(world.file(text), { encoding = name, header = false, delimiter = "," })) do
        n = n + 1
        assert.equal(want[n], row[1], name)
      end
      assert.equal(#want, n)
    end
  end)

  it("gives the same rows however the bytes come in, with half characters and marks at every border", function()
    local seed = require "spec.support.seed"
    print("   seed " .. seed)
    math.randomseed(seed)
    local texts = {
      { TEXT, "utf-8" }, { "\239\187\191" .. TEXT }, { wide(TEXT), "utf-16le" }, { "\255\254" .. wide(TEXT) },
      { "\254\255" .. iconv(TEXT, "UTF-8", "UTF-16BE"), "utf-16" }, { iconv(TEXT, "UTF-8", "UTF-16BE"), "utf-16" },
      { iconv(TEXT, "UTF-8", "WINDOWS-1252"), "windows-1252" }, { "id,v\n1,a\129b\n2,\128\n", "windows-1252" },
      { "\255\254" .. wide(TEXT .. "4,😀@example.org,x\n") .. "\0\216,\0x\0\n\0\61\216" },
      { wide "上id,上\n1,上\n", "utf-16le" }, { "\254\255" }, { "\255\254i" },
      -- a line end in 上, by its bytes { "i\0d\0\n\0001\0\n\0" },
      { wide "上aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,b\n1,2\n", "utf-16le", "jsonl" },
      { iconv('{"id":1,"v":"ü😀"}\n{"id":2}\n', "UTF-8", "UTF-16BE"), "utf-16be", "jsonl" },
      { TEXT, "utf-16le" }, { "\239\187\191" .. TEXT, "windows-1252" }, { "--\n-- PostgreSQL database dump\n" },
      { "12345\n78DUCK" .. ("\0"):rep(50) }, { '{"url"\n:"x","doc_id":1}' },
    }
    for i, text in ipairs(texts) do
      local opts = { encoding = text[2], format = text[3] }
      local want = rows_of(text[1], opts, whole)
      for _, size in ipairs { 1, 2, 3, 5, 7, 8, 9, 64 } do
        local rows = rows_of(text[1], opts, function() return size end)
        assert.same(want, rows, ("text %d in pieces of %d"):format(i, size))
      end
      for _ = 1, 20 do
        assert.same(want, rows_of(text[1], opts, function() return math.random(1, 40) end), "text " .. i)
      end
    end
  end)

  it("is known by a byte order mark, in CSV and JSON Lines and in gzip, and names are found in it", function()
    local json = '{"id":"1","E-Mail":"a@example.org"}\n{"id":"2","E-Mail":"müller@example.org"}\n'
    for _, order in ipairs { "UTF-16LE", "UTF-16BE" } do
      local mark = order == "UTF-16LE" and "\255\254" or "\254\255"
      local file = world.file(mark .. iconv(TEXT, "UTF-8", order), ".csv")
      local zipped = file .. ".gz"
      assert(os.execute(("gzip -k %s"):format(file)))
      for _, path in ipairs { file, zipped, world.file(mark .. iconv(json, "UTF-8", order), ".jsonl") } do
        local code, res = sync(path)
        assert.equal(0, code, path)
        assert.same({ path:find "jsonl" and 2 or 3, {} }, { res.would_send, res.warnings })
      end
      os.remove(zipped)
      assert.equal(0, (sync(file, "--map", "phone=Straße")))
    end
    local plain = world.file("\239\187\191" .. TEXT, ".csv")
    assert.equal(3, select(2, sync(plain)).would_send)
  end)

  it("makes the very members that the same text in UTF-8 makes", function()
    local sandbox = world.sandbox { task_seconds = 0 }
    local client = sandbox:client()
    local script = { map = { external_id = "id", email = "E-Mail" },
      where = { ["Straße"] = { "Köln", "Škoda €" } } }
    local function send(name, text, opts)
      opts = opts or {}
      opts.audience = name
      assert(client:run(script, world.file(text, ".csv"), opts))
      return sandbox:members(name)
    end
    local want = send("u8", TEXT)
    assert.truthy(want["1"] and want["2"])
    local aliases = { ["WINDOWS-1252"] = "CP1252", ["ISO-8859-15"] = "Latin-9", ["UTF-16LE"] = "utf-16le",
      ["UTF-16BE"] = "UTF_16BE" }
    for encoding, alias in pairs(aliases) do
      assert.same(want, send(encoding:lower(), iconv(TEXT, "UTF-8", encoding), { encoding = alias }), encoding)
    end
    sandbox:close()
  end)

  it("that is not told is named where rows are not UTF-8, with the row, the line and the option", function()
    local latin = iconv(TEXT, "UTF-8", "WINDOWS-1252")
    local code, res = sync(world.file(latin, ".csv"))
    assert.equal(0, code)
    assert.same({ "not_utf8" }, codes(res))
    assert.same({ 4, 0, 1 }, { res.warnings[1].rows, res.warnings[1].row, res.warnings[1].line })
    assert.truthy(res.warnings[1].message:find("--encoding windows-1252", 1, true))
    assert.truthy(core.utf8_valid(res.warnings[1].message))
    -- in a row alone, behind rows of several lines
    code, res = sync(world.file('id,E-Mail,t\n1,a@example.org,"x\ny"\n2,b@example.org,K\246ln\n', ".csv"))
    assert.equal(0, code)
    local first = res.warnings[1]
    assert.same({ "not_utf8", 1, 2, 4 }, { first.code, first.rows, first.row, first.line })
    local json = '{"id":1,"E-Mail":"a@example.org"}\n{"id":2,"E-Mail":"m\252ller@example.org"}\n'
    code, res = sync(world.file(json, ".jsonl"))
    assert.equal(0, code)
    first = res.warnings[1]
    assert.same({ "not_utf8", 1, 2, 2 }, { first.code, res.rejected.invalid_utf8, first.row, first.line })
    -- bytes that windows-1252 has not
    local _, old = sync(world.file("id,E-Mail,t\n1,a@example.org,M\129ller\n", ".csv"))
    assert.truthy(old.warnings[1].message:find("cp850", 1, true))
    local _, central = sync(world.file("id,E-Mail,t\n1,a@example.org,\141\157\n", ".csv"))
    assert.truthy(central.warnings[1].message:find("--encoding windows-1250", 1, true))
    -- rows in UTF-8 beside: the option would make other rows wrong
    local _, mixed = sync(world.file("id,E-Mail,t\n1,a@example.org,Köln\n2,b@example.org,K\246ln\n", ".csv"))
    assert.same({ "mixed_encodings" }, codes(mixed))
    assert.falsy(mixed.warnings[1].message:find("--encoding", 1, true))
  end)

  it("that is not told is named in the error of a header, whose names are shown without their bytes", function()
    local path = world.file("id,Stra\223e,E-Mail\n1,x,a@example.org\n", ".csv")
    local code, _, err = sync(path, "--map", "phone=Straße")
    assert.equal(1, code)
    assert.truthy(err:find("its header is not UTF-8", 1, true) and err:find("--encoding windows-1252", 1, true), err)
    assert.truthy(core.utf8_valid(err))
    local n = 0
    local bad = world.file("id,E-M\228il,E-Mail\n1,a@,b@\n", ".csv")
    assert(scope3.client {}:run({ audience = "a", map = { external_id = "id", email = { 2, "E-Mail" } } }, bad, {
      dry_run = true,
      on_reject = function(rejection)
        n = n + 1
        assert.truthy(core.utf8_valid(tostring(rejection.column)))
      end,
    }))
    assert.truthy(n > 0)
  end)

  it("never lets a byte without a character into a member: the value is dropped, and the row reported", function()
    for _, case in ipairs {
      { "id,E-Mail\n1,a\129@example.org\n2,b@example.org\n", "windows-1252", 1, 2 },
      { "id,E-Mail\n1,a@example.org\n2\129,b@example.org\n", "cp1252", 2, 3 },
      { wide "id,E-Mail\n1,a" .. "\0\216" .. wide "@example.org\n2,b@example.org\n", "utf-16le", 1, 2 },
      { wide "id,E-Mail\n1,a" .. "\0\220" .. wide "@example.org\n2,b@example.org\n", "utf-16le", 1, 2 },
      { big "id,E-Mail\n1,a" .. "\216\0" .. big "@example.org\n2,b@example.org\n", "utf-16be", 1, 2 },
      { wide "id,E-Mail\n1,a@example.org\n2,b@example.org" .. "x", "utf-16le", 2, 3 },
      { wide "id,E-Mail\n1,a@example.org\n2,b@example.org" .. "\61\216", "utf-16le", 2, 3 },
    } do
      local code, res = sync(world.file(case[1], ".csv"), "--encoding", case[2])
      assert.same({ 0, 1, { "characters_lost" } }, { code, res.would_send, codes(res) }, case[2])
      local first = res.warnings[1]
      assert.same({ 1, case[3], case[4], 1 }, { first.rows, first.row, first.line, first.characters })
    end
  end)

  it("that the first bytes contradict is an error, and nothing is read", function()
    local utf16 = wide(TEXT)
    for _, case in ipairs {
      { "\239\187\191" .. TEXT, "windows-1252", "utf-8" }, { "\255\254" .. utf16, "windows-1252", "utf-16le" },
      { "\255\254" .. utf16, "utf-8", "utf-16le" }, { "\255\254" .. utf16, "utf-16be", "utf-16le" },
      { utf16, "utf-16be", "utf-16le" }, { utf16, "latin1", "utf-16le" }, { TEXT, "utf-16le", "utf-8" },
      { TEXT, "utf-16", "utf-8" }, { "\239\187\191" .. TEXT, "utf-16", "utf-8" },
      { iconv(TEXT, "UTF-8", "CP1252"), "utf-16be", "windows-1252" },
    } do
      local code, res, err = sync(world.file(case[1], ".csv"), "--encoding", case[2])
      assert.same({ 1, "source", "encoding", nil }, { code, res.error.kind, res.error.code, res.rows })
      assert.truthy(err:find("said to be ", 1, true) and err:find("--encoding " .. case[3], 1, true), err)
    end
    for order, name in pairs { ["UTF-16LE"] = "utf-16le", ["UTF-16BE"] = "utf-16be" } do
      local source = assert(scope3.csv(world.file(iconv(TEXT, "UTF-8", order))))
      local _, err = source:next()
      assert.same({ "source", "utf16" }, { err.kind, err.code })
      assert.truthy(err.message:find("--encoding " .. name, 1, true), err.message)
    end
    local _, _, err = sync(world.file("\255\254\0\0i\0\0\0", ".csv"))
    assert.truthy(err:find("UTF-32", 1, true), err)
  end)

  it("that makes other characters of what is UTF-8 is warned of", function()
    local code, res = sync(world.file(TEXT, ".csv"), "--encoding", "windows-1252")
    assert.same({ 0, { "encoding_doubtful" } }, { code, codes(res) })
    local mislabelled = world.file("id,E-Mail,t\n1,a@example.org,O\146Brien 5 \128\n", ".csv")
    code, res = sync(mislabelled, "--encoding", "latin1")
    assert.same({ 0, { "encoding_doubtful" }, 2 }, { code, codes(res), res.warnings[1].characters })
    assert.truthy(res.warnings[1].message:find("--encoding windows-1252", 1, true))
    -- one character that is no UTF-8 settles it
    local settled = iconv(TEXT, "UTF-8", "CP1252") .. "4,d@example.org,Ã©\n"
    code, res = sync(world.file(settled, ".csv"), "--encoding", "windows-1252")
    assert.same({ 0, {} }, { code, codes(res) })
    code, res = sync(world.file("id,E-Mail\n1,a@example.org\n", ".csv"), "--encoding", "windows-1252")
    assert.same({ 0, {} }, { code, codes(res) })
  end)

  it("that is unknown is a wrong usage with the list, also in a script, a source and a gateway's option", function()
    local code, _, err = sync(world.file(TEXT), "--encoding", "shift_jis")
    assert.equal(2, code)
    assert.truthy(err:find("windows-1252", 1, true) and err:find("iso-8859-15", 1, true), err)
    for _, call in ipairs {
      function() return scope3.csv("x", { encoding = "klingon" }) end,
      function() return scope3.jsonl("x", { encoding = "klingon" }) end,
      function()
        local script = { audience = "a", map = { external_id = 1, email = 2 }, encoding = "klingon" }
        return scope3.client {}:run(script, "x", { dry_run = true })
      end,
      function() return scope3.csv("x", { encoding = "latin1", delimiter = "\167" }) end,
      function() return scope3.csv("x", { encoding = 1252 }) end,
    } do
      local ok, why = pcall(call)
      assert.is_false(ok)
      assert.truthy(why:find("encoding", 1, true), why)
    end
    local script = { audience = "a", map = { external_id = "id", email = "E-Mail" } }
    local ok, why = pcall(function()
      local source = assert(scope3.csv(world.file(TEXT)))
      return scope3.client {}:run(script, source, { dry_run = true, encoding = "cp1252" })
    end)
    assert.is_false(ok)
    assert.truthy(why:find("encoding has no effect", 1, true), why)
    local told = assert(scope3.csv(world.file(iconv(TEXT, "UTF-8", "CP1252")), { encoding = "cp1252" }))
    assert(scope3.client {}:run(script, told, { dry_run = true, encoding = "windows-1252" }))
  end)

  it("is a part of what a journal holds: another one is another job, another name of it is not", function()
    local sandbox, journal = world.sandbox { task_seconds = 0 }, world.path(".journal")
    local path = world.file(iconv(TEXT, "UTF-8", "CP1252"), ".csv")
    local function run(encoding)
      return sandbox:client():run({ audience = "a", map = { external_id = "id", email = "E-Mail" } }, path,
        { journal = journal, encoding = encoding })
    end
    assert.same({ 3, 0 }, { run("cp1252").accepted, run("windows-1252").members - 3 })
    assert.equal(3, run("WINDOWS_1252").resumed)
    for _, other in ipairs { "windows-1250", "iso-8859-1" } do
      local res, err = run(other)
      assert.is_nil(res)
      assert.same({ "journal", "another_job" }, { err.kind, err.code })
      assert.truthy(err.message:find("encoding", 1, true), err.message)
    end
    sandbox:close()
  end)

  it("takes time and memory in proportion to the file", function()
    local bytes = {}
    for size = 1, 2 do
      local row = iconv("7,a7@example.org,ÄÖÜß€\n", "UTF-8", "CP1252")
      local source = assert(scope3.csv(world.file(("id,E-Mail,t\n" .. row:rep(size * 40000))), { encoding = "cp1252" }))
      local n = 0
      for _ in source do
        n = n + 1
      end
      bytes[size] = { source:progress() }
      assert.equal(size * 40000, n)
      assert.equal(bytes[size][1], bytes[size][2]) -- of the file, not of what was made of it
    end
  end)
end)
