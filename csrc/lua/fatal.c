#include "fatal.h"

#include <string.h>

SC3_COLD
static const char *fatal_text(const sc3_fatal *f, const char **reason) {
  switch (f->kind) {
    case SC3_FATAL_EMPTY: *reason = "empty"; return "the file is empty";
    case SC3_FATAL_UTF16: *reason = "utf16"; return "the file is UTF-16 without a byte order mark";
    case SC3_FATAL_UTF32:
      *reason = "utf32";
      return "the file is UTF-32; convert it to UTF-8 (iconv -f UTF-32 -t UTF-8)";
    case SC3_FATAL_GZIP:
      *reason = "gzip";
      return "the data is gzip"; /* which the Lua layer takes over */
    case SC3_FATAL_KIND:
      *reason = f->what;
      return "the file is not text"; /* the Lua layer says what it is */
    case SC3_FATAL_ENCODING:
      *reason = "encoding";
      return "the file is not in the encoding that was told";
    case SC3_FATAL_BINARY:
      *reason = "binary";
      return "the file is not text: its first line holds control characters (where one of them "
             "separates columns, name it: --delimiter '\\x01')";
    case SC3_FATAL_JSON:
      *reason = "json";
      return "the file is JSON and not CSV; say so (--format jsonl, or format = \"jsonl\"), "
             "whether it has one object a line or an array of them";
    case SC3_FATAL_NO_JSON:
      *reason = "no_json";
      return "the file is not JSON: its first line holds columns of text";
    case SC3_FATAL_JSON_CUT:
      *reason = "json_cut";
      return "the file ends inside an object or an array: it was cut off";
    case SC3_FATAL_JSON_BROKEN:
      *reason = "json_broken";
      return "what stands here is no JSON, and where the next row begins cannot be told";
    case SC3_FATAL_JSON_BEHIND:
      *reason = "json_behind";
      return "something stands behind the end of the array";
    case SC3_FATAL_JSON_WRAPPED:
      *reason = "json_wrapped";
      return "the file is one object with its rows inside";
    case SC3_FATAL_HEADER:
      *reason = "bad_header";
      return "the header is broken: text behind a closing quote, or a NUL byte";
    case SC3_FATAL_NO_LINES:
      *reason = "no_line_ends";
      return "the file is one line without an end, and holds data: its line ends were lost, or it "
             "has no header (--no-header, or header = false)";
    case SC3_FATAL_UNCLOSED_QUOTE:
      *reason = "unclosed_quote";
      return "a quote is opened and does not close, which swallows the rows behind it; where "
             "quotes are only text, say quote = \"none\" (--quote none)";
    case SC3_FATAL_ROW_TOO_LONG:
      *reason = "row_too_long";
      return "a row is over 1 MiB; is the delimiter or the format right?";
    case SC3_FATAL_TOO_MANY_COLUMNS:
      *reason = "too_many_columns";
      return "a row has over 4096 columns; is the delimiter or the format right?";
    case SC3_FATAL_READ: *reason = "read_error"; return strerror(f->error);
    case SC3_FATAL_NONE: break;
  }
  *reason = "unknown";
  return "the input cannot be read";
}

SC3_COLD
static void set_known(lua_State *L, const char *key, uint64_t n) {
  if (n == 0)
    return;
  sc3l_push_count(L, n);
  lua_setfield(L, -2, key);
}

void sc3l_set_position(lua_State *L, uint64_t row, uint64_t line, uint64_t column) {
  set_known(L, "row", row);
  set_known(L, "line", line);
  set_known(L, "column", column);
}

SC3_COLD
void sc3l_push_fatal(lua_State *L, const sc3_fatal *f) {
  const char *reason;
  const char *text = fatal_text(f, &reason);
  lua_createtable(L, 0, 6);
  lua_pushstring(L, reason);
  lua_setfield(L, -2, "reason");
  if (f->row > 0 && f->column > 0)
    lua_pushfstring(L, "row %d (line %d), column %d: %s", (int)f->row, (int)f->line, (int)f->column,
                    text);
  else if (f->row > 0 && f->line > 0)
    lua_pushfstring(L, "row %d (line %d): %s", (int)f->row, (int)f->line, text);
  else if (f->column > 0)
    lua_pushfstring(L, "line %d, column %d: %s", (int)f->line, (int)f->column, text);
  else
    lua_pushstring(L, text);
  if (f->lines > 0) {
    lua_pushfstring(L, " (further lines that were read in search of its end: %d)", (int)f->lines);
    lua_concat(L, 2);
  }
  lua_setfield(L, -2, "message");
  if (f->what != NULL) {
    lua_pushstring(L, f->what);
    lua_setfield(L, -2, "what");
  }
  sc3l_set_position(L, f->row, f->line, f->column);
  set_known(L, "lines", f->lines);
}
