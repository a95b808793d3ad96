-- Writes csrc/core/rows/encoding_table.h: what the bytes 0x80 to 0xFF stand for, as iconv(1) of the GNU C library has it.
-- lua csrc/tables/encodings.lua > csrc/core/rows/encoding_table.h
local TABLES = { "windows-1250", "windows-1251", "windows-1252", "iso-8859-2", "cp850", "macintosh" }
local LIKE_OTHERS = { ["iso-8859-15"] = "iso-8859-1", ["windows-1254"] = "windows-1252" }

local function code_point(byte, encoding)
  local pipe = assert(io.popen(("printf '\\%o' | iconv -f %s -t UTF-16BE 2>/dev/null"):format(byte, encoding)))
  local text = pipe:read "*a"
  pipe:close()
  return #text == 2 and text:byte(1) * 256 + text:byte(2) or 0
end

print "/* Made by csrc/tables/encodings.lua. The characters of the bytes 0x80 to 0xFF; 0 where there is none. */"
print "#ifndef SC3_ENCODING_TABLE_H"
print "#define SC3_ENCODING_TABLE_H"
print ""
print "#include <stdint.h>"
print(("\nstatic const uint16_t encoding_tables[%d][128] = {"):format(#TABLES))
for _, encoding in ipairs(TABLES) do
  print(("  { /* %s */"):format(encoding))
  for first = 0x80, 0xF8, 8 do
    local line = {}
    for byte = first, first + 7 do
      line[#line + 1] = ("0x%04x"):format(code_point(byte, encoding))
    end
    print("    " .. table.concat(line, ", ") .. ",")
  end
  print "  },"
end
print "};"
for _, encoding in ipairs { "iso-8859-15", "windows-1254" } do
  print(("\n/* What differs from %s: byte, character. */"):format(LIKE_OTHERS[encoding]))
  print(("static const uint16_t %s[][2] = {"):format((encoding:gsub("%-", "_"))))
  for byte = 0x80, 0xFF do
    local character = code_point(byte, encoding)
    if character ~= code_point(byte, LIKE_OTHERS[encoding]) then
      print(("  {0x%02x, 0x%04x},"):format(byte, character))
    end
  end
  print "};"
end
print "\n#endif"
