-- A file that is something else under the name of an export is recognised by its first bytes.
-- The error says what makes CSV of it.
local scope3 = require "scope3"
local world = require "spec.support.world"

local TEXT = "id,email\n1,a@example.org\n2,b@example.org\n"
local NULS = ("\0"):rep(600)

-- By the code of the error: what its file begins with, and a part of the message.
local FILES = {
  xz = { "\253" .. "7zXZ\0\0\4\230", "xz -dc FILE | scope3 sync -" },
  lzma = { "]\0\0\128\0\255\255\255\255", "xz -dc --format=lzma FILE" },
  bzip2 = { "BZh91AY&SY\1\2\3\n", "bzip2 -dc FILE | scope3 sync -" },
  zstd = { "\40\181\47\253\4\88", "zstd -dc FILE | scope3 sync -" },
  lz4 = { "\4\34\77\24\100\64", "lz4 -dc FILE | scope3 sync -" },
  compress = { "\31\157\144abc\n\n\n\n", "gzip -dc FILE | scope3 sync -" },
  zip = { "PK\3\4\20\0\0\0\8\0" .. NULS .. "rows.csv", "unzip -p FILE | scope3 sync -" },
  xlsx = { "PK\3\4\20\0\6\0\8\0\n[Content_Types].xml" .. NULS .. "xl/workbook.xml", "soffice --headless --convert-to" },
  ods = { "PK\3\4\20\0\0\8mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "soffice --headless" },
  ["7z"] = { "7z\188\175\39\28\0\4\n\n\n\n", "7z e -so FILE" },
  rar = { "Rar!\26\7\1\0\n\n\n", "unrar p" },
  tar = { "rows.csv" .. ("\0"):rep(92) .. ("0000644\0"):rep(19) .. "\0\0\0\0\0ustar\00000", "tar -xOf FILE" },
  parquet = { "PAR1\21\4\21\16\n\n\n\n\0\0", "COPY (FROM 'FILE') TO '/dev/stdout' (FORMAT csv)" },
  avro = { "Obj\1\4\22avro.schema\n", "read_avro('FILE')" },
  orc = { "ORC\n\11\n\3\0\0\0\18\4", "orc-contents FILE" },
  arrow = { "ARROW1\0\0\255\255\255\255", "read_feather" },
  xls = { "\208\207\17\224\161\177\26\225" .. NULS, "soffice --headless --convert-to" },
  sqlite = { "SQLite format 3\0\16\0", "sqlite3 -header -csv FILE" },
  pdf = { "%PDF-1.4\n%\226\227\207\211\n", "export the rows as CSV" },
  html = { "\n  <!DOCTYPE HTML>\n<title>Log in</title>\n", "soffice --headless --convert-to" },
  xml_spreadsheet = { '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n', "soffice" },
  xml = { "<rows>\n<row id='1'/>\n</rows>\n", "export it as CSV" },
  rtf = { "{\\rtf1\\ansi\n", "soffice --headless" },
  git_lfs = { "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "git lfs pull" },
  git_annex = { "/annex/objects/MD5E-s5--00.csv\n", "git annex get FILE" },
  gsheet = { '{"url": "https://docs.google.com/open?id=x", "doc_id": "x", "email": "x@example.org"}',
    "download it as CSV" },
  pgp = { "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n", "gpg --decrypt FILE | scope3 sync -" },
  age = { "age-encryption.org/v1\n-> X25519 00\n", "age --decrypt FILE" },
  encrypted = { "Salted__\1\2\3\4\5\6\7\8\n", "decrypt it" },
  sql = { "-- MySQL dump 10.13\n--\n", "export the table as CSV" },
  vcard = { "BEGIN:VCARD\nVERSION:3.0\n", "export the contacts as CSV" },
  nuls = { NULS, "copy it again" },
  json = { '[\n{"id":1,"email":"a@example.org"}]\n', "--format jsonl" },
  utf32 = { "\255\254\0\0i\0\0\0", "iconv -f UTF-32" },
}

-- Other first bytes of such files.
local ALSO = {
  zip = { "PK\5\6" .. NULS, "PK\7\8PK\3\4\20\0rows.csv", "PK\3\4\n[Content_Types].xml" .. NULS .. "word/document.xml",
    "PK\3\4\n[Content_Types].xml" .. NULS .. "ppt/presentation.xml" },
  xlsx = { "PK\3\4\n[Content_Types].xml" .. NULS },
  duckdb = { "\1\2\3\4\5\6\7\8DUCK" .. NULS },
  pgp = { "\140\13\4\9\3\2" .. NULS, "\195\13\4\9\3\2" .. NULS, "\195\30\5\9" .. NULS, "\132\94\3\1" .. NULS,
    "\133\1\12\3" .. NULS, "\193\192\76\3" .. NULS, "\193\94\3\1" .. NULS },
  html = { "\239\187\191<HTML>\n", "<!-- saved -->\n<html><body>\n", "<table>\n<tr>\n",
    '<?xml version="1.0"?>\n<html xmlns="x">\n' },
  xml_spreadsheet = { '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">\n' },
  xml = { '<?xml version="1.0"?>\n<a/>\n', "<!-- rows -->\n<rows>\n", "<!DOCTYPE rows>\n<rows>\n",
    "<rows><row>1</row></rows>\n",
    "<rows a='1'>\r\n", "<rows>" },
  gsheet = { '{"":"# this is no file", "doc_id": "x"}' },
}

local function sync(path, option)
  return world.command { "sync", path, "--audience", "a", "--map", "external_id=id", "--map", "email=email",
    "--dry-run", option }
end

-- The error that a client gives for an input, and that nothing was read of it.
local function run(input, opts)
  opts = opts or {}
  opts.dry_run = true
  local res, err = scope3.client {}:run({ audience = "a", map = { external_id = "id", email = "email" } }, input, opts)
  assert.is_nil(res)
  assert.equal(0, err.result and err.result.members or 0)
  return err
end

local function pieces(text, size)
  local at = 1 - size
  return function()
    at = at + size
    return at <= #text and text:sub(at, at + size - 1) or nil
  end
end

describe("a file that is something else", function()
  teardown(world.clean)

  it("is known by its first bytes, and the error says what makes CSV of it, by name, in pieces, in gzip", function()
    for code, case in pairs(FILES) do
      local path = world.file(case[1], ".csv")
      local err = run(path)
      local _, _, said = sync(path)
      assert.same({ "source", code }, { err.kind, err.code }, tostring(err))
      local part = case[2]:gsub("FILE", (path:gsub("%%", "%%%%")))
      assert.truthy(err.message:find(part, 1, true), err.message)
      assert.truthy(said:find(part, 1, true), said)
      for _, size in ipairs { 1, 7, 1000000 } do
        local fed = run(scope3.csv(pieces(case[1], size)))
        assert.same({ code, true }, { fed.code, fed.message:find(case[2], 1, true) ~= nil }, fed.message)
      end
      assert(os.execute("gzip -k " .. path))
      local zipped = run(path .. ".gz")
      os.remove(path .. ".gz")
      assert.equal(code, zipped.code)
    end
  end)

  it("is known by any of the first bytes that it may have", function()
    for code, texts in pairs(ALSO) do
      for _, text in ipairs(texts) do
        local err = run(world.file(text, ".csv"))
        assert.same({ "source", code }, { err.kind, err.code }, ("%q"):format(text:sub(1, 60)))
      end
    end
  end)

  it("is known in place of JSON Lines too, and from standard input", function()
    for code, case in pairs(FILES) do
      if code ~= "json" then
        assert.equal(code, run(world.file(case[1], ".jsonl")).code)
      end
    end
    for _, code in ipairs { "xz", "parquet", "html", "git_lfs" } do
      local path, out = world.file(FILES[code][1], ".bin"), world.path()
      local words = "%s bin/scope3.in sync - --audience a --map external_id=id --map email=email --dry-run < %s 2> %s"
      os.execute(words:format(os.getenv "SCOPE3_LUA_BIN" or "lua", path, out))
      assert.truthy(world.read(out):find(FILES[code][2], 1, true), world.read(out))
    end
  end)

  it("is known in UTF-16 too", function()
    for _, code in ipairs { "html", "xml_spreadsheet", "xml", "git_lfs", "gsheet" } do
      assert.equal(code, run(world.file("\255\254" .. FILES[code][1]:gsub(".", "%0\0"), ".xls")).code)
    end
  end)

  it("of columns under the name of JSON Lines is known, and one of other text has bad rows", function()
    for _, text in ipairs { TEXT, '"id";"email"\n1;a@example.org\n', "1\ta@example.org\n"} do
      local err = run(world.file(text, ".jsonl"))
      assert.same({ "no_json", true }, { err.code, err.message:find("--format csv", 1, true) ~= nil })
    end
    local res = assert(scope3.client {}:run({ audience = "a", map = { external_id = "id", email = "email" } },
      world.file('oops\n{"id":1,"email":"a@example.org"}\n', ".jsonl"), { dry_run = true }))
    assert.same({ 1, 1 }, { res.would_send, res.rejected.bad_json })
  end)

  it("is no file whose columns have such names, or whose name ends so", function()
    for _, text in ipairs {
      "id,name,DUCK,email\n1,,,a@example.org\n", "PARENT,id,email\n,1,a@example.org\n",
      "ORC,id,email\n,1,a@example.org\n", "ustar,id,email\n,1,a@example.org\n",
      "PAR1,id,email\n,1,a@example.org\n", "BZh9,id,email\n,1,a@example.org\n", "Obj,id,email\n,1,a@example.org\n",
      "ARROW1,id,email\n,1,a@example.org\n", "Salted__,id,email\n,1,a@example.org\n", "<3,id,email\n,1,a@example.org\n",
      "GIF89,id,email\n,1,a@example.org\n", "version,id,email\n,1,a@example.org\n", "<b>,id,email\n,1,a@example.org\n",
    } do
      for _, ending in ipairs { ".csv", ".parquet", ".xls", ".csv.gz" } do
        local code, out, err = sync(world.file(text, ending))
        assert.equal(0, code, text .. out .. err)
      end
    end
  end)

  it("inside gzip twice, or in gzip that was cut off, is reported; a name alone makes nothing gzip", function()
    local path = world.file(TEXT:rep(5000), ".csv")
    assert(os.execute(("gzip -c %s | gzip -c > %s.2; gzip -c %s | head -c 50 > %s.cut"):format(path, path, path, path)))
    local twice, cut = run(path .. ".2"), run(path .. ".cut")
    os.remove(path .. ".2")
    os.remove(path .. ".cut")
    assert.same({ "gzip", true }, { twice.code, twice.message:find("gzip once more", 1, true) ~= nil })
    assert.same({ "gzip", true }, { cut.code, cut.message:find("cut off", 1, true) ~= nil })
    assert.equal(0, (sync(world.file(TEXT, ".csv.gz"))))
  end)

  it("has its name in the command as a shell takes it", function()
    local err = run(world.file(FILES.xz[1], " it's 100%.xz"))
    assert.truthy(err.message:find("it'\\''s 100%.xz'", 1, true), err.message)
    err = run(world.file(FILES.parquet[1], " it's.parquet"))
    assert.truthy(err.message:find("COPY (FROM 'FILE')", 1, true), err.message)
    err = run(world.file("\1\2\3\4\5\6\7\n\1\2", ".sav"))
    assert.same({ "spss", true }, { err.code, err.message:find("read_spss", 1, true) ~= nil })
  end)
end)

describe("rows that gzip makes of next to nothing", function()
  teardown(world.clean)

  it("are counted at a cost of each, and Ctrl-C ends them before a header was found", function()
    local empty, commas = world.path(".csv.gz"), world.path(".csv.gz")
    assert(os.execute(("(echo id,email; yes '' 2>/dev/null | head -n 20000000) | gzip > %s"):format(empty)))
    assert(os.execute(("(echo id,email; yes , 2>/dev/null | head -n 1000000) | gzip > %s"):format(commas)))
    local code, out = sync(empty, "--json")
    assert.equal(3, code)
    assert.equal(20000000, world.json.decode(out).lines.blank)
    code, out = sync(commas, "--json")
    local res = world.json.decode(out)
    assert.same({ 3, 1000000 }, { code, res.rows + res.lines.blank })
    local asked, stopped = 0, nil
    local _, err = scope3.client {}:run({ audience = "a", map = { external_id = "id", email = "email" } },
      scope3.csv(function() return ("\n"):rep(65536) end), { dry_run = true, cancel = function()
        asked = asked + 1
        stopped = asked > 100
        return stopped
      end })
    assert.same({ "cancelled", true }, { err.kind, stopped })
  end)
end)
