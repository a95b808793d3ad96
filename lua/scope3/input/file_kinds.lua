--- Files that hold no rows of text: what they are, and the command that makes CSV of them. core.source() knows them by
--- their first bytes.
local core = require "scope3.core"
local visible = require "scope3.util.visible"

local file_kinds = {}

local TO_CSV = "soffice --headless --convert-to 'csv:Text - txt - csv (StarCalc):44,34,76' FILE"
local DUCKDB = "duckdb -c \"COPY (FROM %s) TO '/dev/stdout' (FORMAT csv)\" | scope3 sync -"
local PANDAS = "python3 -c \"import pandas, sys; pandas.%s(sys.argv[1]).to_csv(sys.stdout, index=False)\" FILE"
  .. " | scope3 sync -"

-- By the names of csrc/core/rows/file_kind.c: what it is, and what to run. FILE stands for the file.
local KINDS = {
  xz = { "xz-compressed", "xz -dc FILE | scope3 sync -" },
  lzma = { "lzma-compressed", "xz -dc --format=lzma FILE | scope3 sync -" },
  bzip2 = { "bzip2-compressed", "bzip2 -dc FILE | scope3 sync -" },
  zstd = { "zstd-compressed", "zstd -dc FILE | scope3 sync -" },
  lz4 = { "lz4-compressed", "lz4 -dc FILE | scope3 sync -" },
  lzip = { "lzip-compressed", "lzip -dc FILE | scope3 sync -" },
  lzop = { "lzop-compressed", "lzop -dc FILE | scope3 sync -" },
  compress = { "compressed by compress (.Z)", "gzip -dc FILE | scope3 sync -" },
  snappy = { "snappy-compressed", "snzip -dc FILE | scope3 sync -" },
  zip = { "a zip archive", "unzip -p FILE | scope3 sync -" },
  ["7z"] = { "a 7-Zip archive", "7z e -so FILE | scope3 sync -" },
  rar = { "a RAR archive", "unrar p -inul FILE | scope3 sync -" },
  tar = { "a tar archive", "tar -xOf FILE | scope3 sync -" },
  parquet = { "Parquet", DUCKDB:format("'FILE'") },
  avro = { "Avro", (DUCKDB:format("read_avro('FILE')"):gsub("COPY", "INSTALL avro; LOAD avro; COPY", 1)) },
  orc = { "ORC", "orc-contents FILE | scope3 sync --format jsonl -" },
  arrow = { "Arrow or Feather", PANDAS:format("read_feather") },
  hdf5 = { "HDF5", PANDAS:format("read_hdf") },
  sequence = { "a sequence file of Hadoop", "hadoop fs -text FILE | scope3 sync -" },
  sqlite = { "an SQLite database",
    "sqlite3 -header -csv FILE 'SELECT * FROM customers' | scope3 sync -" },
  duckdb = { "a DuckDB database", "duckdb FILE -csv -c 'FROM customers' | scope3 sync -" },
  access = { "an Access database", "mdb-export FILE Customers | scope3 sync -" },
  pg_dump = { "a dump of PostgreSQL", nil,
    "export the table as CSV (psql -c '\\copy customers to stdout csv header')" },
  sql = { "a dump of a database in SQL", nil, "export the table as CSV" },
  vcard = { "a list of vCards", nil, "export the contacts as CSV" },
  xls = { "an Excel workbook (or another old Office document)", TO_CSV },
  xlsx = { "an Excel workbook", TO_CSV },
  ods = { "an OpenDocument spreadsheet", TO_CSV },
  xml_spreadsheet = { "an XML spreadsheet of Excel", TO_CSV },
  html = { "an HTML page: perhaps an error or a login in place of the export, or a table named as a spreadsheet",
    TO_CSV },
  xml = { "XML", nil, "export it as CSV or JSON Lines" },
  rtf = { "an RTF document", "soffice --headless --convert-to txt FILE" },
  pdf = { "a PDF document", nil, "export the rows as CSV" },
  image = { "an image", nil, "export the rows as CSV" },
  program = { "a program", nil, "give the file with the rows" },
  git_lfs = { "a pointer of Git LFS in place of the file", "git lfs pull" },
  git_annex = { "a pointer of git-annex in place of the file", "git annex get FILE" },
  gsheet = { "a link to a Google Sheet in place of its rows", nil, "download it as CSV (File, Download)" },
  pgp = { "encrypted with OpenPGP", "gpg --decrypt FILE | scope3 sync -" },
  age = { "encrypted with age", "age --decrypt FILE | scope3 sync -" },
  encrypted = { "encrypted", nil, "decrypt it with the program that encrypted it, and pipe that into scope3 sync -" },
  crc = { "a checksum file of Hadoop", nil, "leave it out" },
  nuls = { "nothing but NUL bytes at its beginning, as a copy that was not finished leaves it", nil,
    "copy it again" },
}

-- Endings of names of files that have no first bytes of their own.
local ENDINGS = {
  parquet = "parquet", avro = "avro", orc = "orc", feather = "arrow", arrow = "arrow", gpg = "pgp", pgp = "pgp",
  age = "age", br = "brotli", xls = "xls", tar = "tar", lzma = "lzma", lz = "lzip", lzo = "lzop", snappy = "snappy",
  h5 = "hdf5", seq = "sequence",
  mdb = "access", accdb = "access", sas7bdat = "sas", dta = "stata", sav = "spss",
}
-- Endings of names of zip archives that are documents.
local ZIPPED = { xlsx = "xlsx", xlsm = "xlsx", xlsb = "xlsx", ods = "ods", numbers = "numbers" }
KINDS.numbers = { "a Numbers spreadsheet", nil, "export it as CSV" }
KINDS.brotli = { "brotli-compressed", "brotli -dc FILE | scope3 sync -" }
KINDS.sas = { "a SAS data set", PANDAS:format("read_sas") }
KINDS.stata = { "a Stata data set", PANDAS:format("read_stata") }
KINDS.spss = { "an SPSS data set", PANDAS:format("read_spss") }

-- A path as a shell takes it.
local function quoted(path)
  path = visible.text(path)
  return path:find("^[%w_./][%w_./-]*$") and path or "'" .. path:gsub("'", "'\\''") .. "'"
end

-- The kind of a file by the parser's reason and the ending of its name; nil where both are unknown.
local function kind_of(reason, path)
  local ending = path and core.lower(path):match("%.([a-z0-9]+)$") or ""
  if reason == "binary" then
    return ENDINGS[ending]
  elseif reason == "zip" then
    return ZIPPED[ending] or reason
  end
  return reason
end

-- A command with the name of the file in it. `file`: as a shell takes it.
local function fill_in(command, file)
  if command:find("'FILE'", 1, true) and file:find("'", 1, true) then -- inside quotes of another language
    file = "FILE"
  end
  return (command:gsub("FILE", (file:gsub("%%", "%%%%"))))
end

-- What to do about a file of a kind: a command to run, and more.
local function advice_on(kind, path, packed)
  local command, more = KINDS[kind][2], KINDS[kind][3]
  if not command then
    return more
  elseif packed and path and kind == "tar" then
    command = fill_in("tar -xzOf FILE | scope3 sync -", quoted(path))
  else
    command = fill_in(command, path and not packed and quoted(path) or "FILE")
  end
  return "run: " .. command .. (more and " " .. more or "")
end

--- What to say of a source that is something else, or nil.
---@param reason string  of core.source()
---@param path? string  of a file that is read as it is
---@param packed boolean  it came out of gzip
---@return string? message
---@return string? kind  where only the name shows it
function file_kinds.explain(reason, path, packed)
  if reason == "gzip" and packed then
    return "inside the gzip it is gzip once more: take one off (gunzip -c FILE | gunzip -c | scope3 sync -)"
  elseif reason == "no_json" then
    return 'it is not JSON: its first line holds columns of text; say format = "csv" (--format csv)'
  end
  local kind = kind_of(reason, path)
  if not KINDS[kind] then
    return nil
  end
  local what = KINDS[kind][1]
  return (packed and "inside the gzip it is " or "it is ") .. what .. (what:find("compressed$") and " data; " or "; ")
    .. advice_on(kind, path, packed), kind
end

return file_kinds
