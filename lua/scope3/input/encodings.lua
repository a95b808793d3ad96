--- The encodings of files: their names, and messages about a file that is in another one.
local arguments = require "scope3.util.arguments"
local core = require "scope3.core"
local plural = require "scope3.util.plural"
local result = require "scope3.result"

local encodings = {}

-- Other names of what core.encodings has, in the form of bare(). ISO-8859-9 has the letters of windows-1254.
local ALIASES = {
  ascii = "utf-8", usascii = "utf-8", utf8sig = "utf-8", utf8bom = "utf-8", utf8mb3 = "utf-8", utf8mb4 = "utf-8",
  unicode = "utf-16", ucs2 = "utf-16", ucs2le = "utf-16le", ucs2be = "utf-16be",
  latin1 = "iso-8859-1", l1 = "iso-8859-1", isolatin1 = "iso-8859-1", isoir100 = "iso-8859-1", ["819"] = "iso-8859-1",
  latin2 = "iso-8859-2", l2 = "iso-8859-2", isolatin2 = "iso-8859-2", isoir101 = "iso-8859-2",
  latin9 = "iso-8859-15", latin0 = "iso-8859-15", l9 = "iso-8859-15",
  latin5 = "windows-1254", l5 = "windows-1254", iso88599 = "windows-1254",
  ansi = "windows-1252", mac = "macintosh", macroman = "macintosh",
}

-- A name without what does not distinguish encodings: case, marks, the year of a standard, the prefix of a code page.
local function bare(name)
  name = core.lower(name):gsub(":%d+$", ""):gsub("[-_ ]", ""):gsub("^x(%a)", "%1"):gsub("^cs(%a)", "%1")
  return name:match("^cp(%d+)$") or name:match("^ibm(%d+)$") or name:match("^win(%d+)$")
    or name:match("^windows(%d+)$") or name
end

local NAMES = {}
for _, name in ipairs(core.encodings) do
  NAMES[bare(name)] = name
end

--- The name that core.source() takes; nil for one that is not known.
---@param name string
---@return string?
function encodings.canonical(name)
  return NAMES[bare(name)] or ALIASES[bare(name)]
end

-- How to say that a file is in an encoding.
local function say(name)
  return ('say encoding = "%s" (--encoding %s)'):format(name, name)
end

local LIKELY_1252 = ("It is most likely windows-1252: %s, or windows-1250 where it comes from Central Europe; "
  .. "iconv makes UTF-8 of others"):format(say "windows-1252")

--- The charset that a Content-Type names; nil where it names none.
---@param text string
---@return string?
function encodings.of_content_type(text)
  for parameter in text:gmatch(";([^;]*)") do
    local name, value = parameter:match('^[ \t]*([^ \t=]+)="?([^" \t]*)')
    if name and core.lower(name) == "charset" and value ~= "" then
      return value
    end
  end
end

--- What is wrong with an option `encoding`, or nil.
---@param opts {encoding: string?, delimiter: string?, quote: string?}
---@return string?
function encodings.problem(opts)
  local name = opts.encoding and encodings.canonical(opts.encoding)
  if opts.encoding and not name then
    return ("encoding must be one of %s (and the usual other names of these); iconv makes UTF-8 of others%s"):format(
      table.concat(core.encodings, ", "), arguments.remark(opts.encoding, core.encodings))
  end
  for _, key in ipairs { "delimiter", "quote" } do
    if name and name ~= "utf-8" and opts[key] and opts[key]:find("[\128-\255]") then
      return key .. " must be a character of ASCII where the encoding is not UTF-8"
    end
  end
end

--- What to say of a source whose first bytes contradict the given encoding, or need one; nil for another fault.
---@param fatal {reason: string, what: string?}
---@param told string?  the encoding that was given
---@return string?
function encodings.explain(fatal, told)
  local name = fatal.what
  if fatal.reason == "encoding" and not name then
    return ("its encoding is said to be %s, and it does not begin so. %s"):format(told, LIKELY_1252)
  elseif fatal.reason == "encoding" then
    local seems = name == "utf-8" and "plain text in UTF-8" or name
    local words = "its encoding is said to be %s, and it begins as %s does: %s, or leave that out"
    return words:format(told, seems, say(name))
  elseif fatal.reason == "utf16" then
    return "it is UTF-16 without a byte order mark: " .. say(name or "utf-16le") .. (name and "" or ", or utf-16be")
  end
end

-- The encoding in which the bytes would be text, and how to say it.
local function likely(seen)
  if seen.not_1252 == 0 then
    return LIKELY_1252
  elseif seen.not_1250 == 0 then
    return "It is most likely windows-1250: " .. say "windows-1250"
  end
  return ("It may be cp850 or macintosh, of old programs: %s, or make UTF-8 of it with iconv"):format(say "cp850")
end

local function place(seen)
  local line = ("line %.0f"):format(seen.line)
  return seen.row > 0 and ("row %.0f, %s"):format(seen.row, line) or "the header, " .. line
end

--- What to do about a header whose bytes are not UTF-8; nil where they are.
---@param handle userdata
---@return string?
function encodings.of_header(handle)
  local seen = handle:encoding()
  if not seen.name and seen.rows > 0 and seen.row == 0 then
    return "its header is not UTF-8. " .. likely(seen)
  end
end

local function rows_hold(n)
  return plural.of(n, "row holds", "rows hold")
end

local function warn_of_bytes(res, name, seen, went)
  local fields = { file = name, rows = seen.rows, row = seen.row, line = seen.line }
  if seen.good > 0 then
    local words = "%s: %s bytes that are not UTF-8 (the first: %s), and %s characters in UTF-8. "
    result.warn(res, "mixed_encodings", (words
      .. "Texts in two encodings may have been joined, or characters cut; %s")
      :format(name, rows_hold(seen.rows), place(seen), rows_hold(seen.good), went), fields)
    return
  end
  local words = "%s: %s bytes that are not UTF-8 (the first: %s), and %s. %s"
  result.warn(res, "not_utf8", words:format(name, rows_hold(seen.rows), place(seen), went, likely(seen)), fields)
end

--- Warns of what the encoding of a source did to its rows.
---@param res scope3.Result
---@param source scope3.Source
function encodings.report(res, source)
  local seen = source.handle:encoding()
  local name = source.name
  if seen.rows > 0 and not seen.name then
    warn_of_bytes(res, name, seen, source.format == "jsonl" and "such rows were rejected"
      or "values with such bytes were dropped")
  elseif seen.rows > 0 then
    local words = "%s: %s bytes that are no characters in %s (%.0f; the first: %s). "
      .. "Values with such bytes were dropped; is the encoding right?"
    result.warn(res, "characters_lost", words:format(name, rows_hold(seen.rows), seen.name, seen.lost, place(seen)),
      { file = name, rows = seen.rows, row = seen.row, line = seen.line, characters = seen.lost })
  end
  if seen.controls > 0 and seen.name:find("^iso") then
    local words = "%s: %s in %s, where windows-1252 has letters or signs. "
      .. "Most likely it is windows-1252: %s"
    result.warn(res, "encoding_doubtful", words:format(name, plural.of(seen.controls,
      "of its bytes is a control character", "of its bytes are control characters"), seen.name, say "windows-1252"),
      { file = name, characters = seen.controls })
  end
  if seen.utf8_like > 0 and seen.utf8_unlike == 0 then
    local words = "%s: all its characters outside ASCII (%.0f) are UTF-8, and were read as %s. "
      .. "Then names and ids are wrong, and so are hashes: leave the encoding out"
    result.warn(res, "encoding_doubtful", words:format(name, seen.utf8_like, seen.name),
      { file = name, characters = seen.utf8_like })
  end
end

return encodings
