--- Options of the commands that read rows, as argparse takes them.
local row_options = {}

--- Repairs of phones.
---@param command table
function row_options.repairs(command)
  command:option("--phone-repairs",
    "Repairs beyond Google's rules, by commas: decimal, plus, mexico, words, trunk_zero, "
    .. "double_zero, first, benin, ivory_coast, brazil; or all.")
    :argname("NAMES")
end

--- When refused rows decide the exit code.
---@param command table
function row_options.strict(command)
  command:flag("--strict", "Exit with 1 when any row was rejected, or a stray quote swallowed lines.")
  command:option("--max-rejected",
    "Exit with 3 when more rows were rejected than N, or than a share such as 5% of those not skipped."):argname("N")
end

--- The file of refused rows. `words` end what is said of it.
---@param command table
---@param words string
function row_options.rejects(command, words)
  command:option("--rejects", "Write row, line, column and reason of everything refused to FILE (CSV, no values)"
    .. words .. "."):argname("FILE")
end

--- External ids that are contacts.
---@param command table
function row_options.ids(command)
  command:option("--ids",
    "What becomes of ids that are emails or phones: refuse (default), hash (their SHA-256 is the id) or as_is.")
    :choices { "refuse", "hash", "as_is" }
end

--- How rows become members.
---@param command table
function row_options.reading(command)
  command:option("--region",
    "The country of phones in national form, where a row names none: US, USA or United States."):argname("COUNTRY")
  row_options.repairs(command)
  command:flag("--no-repair", "Refuse what would otherwise be repaired in an identifier, such as mailto:.")
  row_options.ids(command)
  command:option("--mode", "What a row does: upsert (default) or remove."):choices { "upsert", "remove" }
  command:option("--exclude",
    "Never send whom FILE names: an id, an email, a phone with its country code, or a SHA-256 of one a line; named "
    .. "again, several. With --state, whoever is there leaves."):argname("FILE"):count("*")
end

--- How files are written.
---@param command table
function row_options.format(command)
  command:option("--delimiter",
    "What separates columns: a character, tab, comma, semicolon, pipe, space, or a code such as \\x01 "
    .. "(found by itself)."):argname("CHARACTER")
  command:option("--skip-lines", "Lines before the header of CSV that are passed over (none)."):argname("N")
    :convert(tonumber)
  command:option("--quote", "What encloses values of CSV: one character, or none (\")."):argname("CHARACTER")
  command:option("--escape",
    "backslash: as MySQL, PostgreSQL and Hive write \\t, \\n, \\\\ and \\N; or none (none)."):argname("NAME")
  command:option("--null",
    "What stands for no value in CSV where it is not quoted (\\N with --escape backslash)."):argname("TEXT")
  command:option("--encoding",
    "The files' encoding: utf-8 (default), windows-1252, iso-8859-1, utf-16le and others; a byte order mark tells it.")
    :argname("NAME")
  command:flag("--no-header", "The file has no header: columns are given by number.")
  command:option("--format", "csv or jsonl (by the file's name)."):choices { "csv", "jsonl" }
end

--- Which columns, and which rows.
---@param command table
function row_options.map(command)
  command:option("--map",
    "FIELD is external_id, email, phone, region, hashed_email, hashed_phone or uid:TYPE; named again, it adds "
    .. "a column to take when those before give nothing that can be used. COLUMN is a name, or a number such as #4.")
    :argname("FIELD=COLUMN"):count("*")
  command:option("--each",
    "As --map, of an email, phone, hashed_email or hashed_phone; named again, it makes a further member of the row, "
    .. "with the id ID#2, ID#3.")
    :argname("FIELD=COLUMN"):count("*")
  command:option("--where",
    "Take only rows that meet this, such as 'Consent=yes', 'Spent>=500', 'Country!=US' or 'Email!=' (not blank); "
    .. "given again, all must hold.")
    :argname("CONDITION"):count("*")
end

return row_options
