#include "fatal.h"

#include <string.h>

/* What each kind is called in `reason`, and its message. */
static const struct {
  const char *reason, *message;
} FATALS[] = {
    [SC3_FATAL_NONE] = {"unknown", "the input cannot be read"},
    [SC3_FATAL_EMPTY] = {"empty", "the file is empty"},
    [SC3_FATAL_UTF16] = {"utf16", "the file is UTF-16 without a byte order mark"},
    [SC3_FATAL_UTF32] = {"utf32",
                         "the file is UTF-32; convert it to UTF-8 (iconv -f UTF-32 -t UTF-8)"},
    [SC3_FATAL_GZIP] = {"gzip",
                        "the data is gzip"}, /* the Lua layer reads it through scope3.gzip */
    [SC3_FATAL_KIND] = {NULL, "the file is not text"}, /* the Lua layer names what it is */
    [SC3_FATAL_ENCODING] = {"encoding", "the file is not in the encoding that was told"},
    [SC3_FATAL_BINARY] =
        {"binary",
         "the file is not text: its first line holds control characters (where one of them "
         "separates columns, name it: --delimiter '\\x01')"},
    [SC3_FATAL_JSON] =
        {"json", "the file is JSON and not CSV; say so (--format jsonl, or format = \"jsonl\"), "
                 "whether it has one object a line or an array of them"},
    [SC3_FATAL_NO_JSON] = {"no_json", "the file is not JSON: its first line holds columns of text"},
    [SC3_FATAL_JSON_CUT] = {"json_cut",
                            "the file ends inside an object or an array: it was cut off"},
    [SC3_FATAL_JSON_BROKEN] =
        {"json_broken",
         "what stands here is no JSON, and where the next row begins cannot be told"},
    [SC3_FATAL_JSON_BEHIND] = {"json_behind", "something stands behind the end of the array"},
    [SC3_FATAL_JSON_WRAPPED] = {"json_wrapped", "the file is one object with its rows inside"},
    [SC3_FATAL_HEADER] = {"bad_header",
                          "the header is broken: text behind a closing quote, or a NUL byte"},
    [SC3_FATAL_NO_LINES] =
        {"no_line_ends",
         "the file is one line without an end, and holds data: its line ends were lost, or it "
         "has no header (--no-header, or header = false)"},
    [SC3_FATAL_UNCLOSED_QUOTE] =
        {"unclosed_quote",
         "a quote is opened and does not close, which swallows the rows behind it; where "
         "quotes are only text, say quote = \"none\" (--quote none)"},
    [SC3_FATAL_ROW_TOO_LONG] = {"row_too_long",
                                "a row is over 1 MiB; is the delimiter or the format right?"},
    [SC3_FATAL_TOO_MANY_COLUMNS] =
        {"too_many_columns", "a row has over 4096 columns; is the delimiter or the format right?"},
};

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

/* Pushes the message, with where it happened before it. */
SC3_COLD
static void push_message(lua_State *L, const sc3_fatal *f) {
  const char *text = FATALS[f->kind].message;
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
}

SC3_COLD
void sc3l_push_fatal(lua_State *L, const sc3_fatal *f) {
  lua_createtable(L, 0, 6);
  /* A file of another kind is called by the name of that kind. */
  lua_pushstring(L, f->kind == SC3_FATAL_KIND ? f->what : FATALS[f->kind].reason);
  lua_setfield(L, -2, "reason");
  push_message(L, f);
  lua_setfield(L, -2, "message");
  if (f->what != NULL) {
    lua_pushstring(L, f->what);
    lua_setfield(L, -2, "what");
  }
  sc3l_set_position(L, f->row, f->line, f->column);
  set_known(L, "lines", f->lines);
}

SC3_COLD
void sc3l_push_read_error(lua_State *L, int error) {
  lua_createtable(L, 0, 2);
  lua_pushliteral(L, "read_error");
  lua_setfield(L, -2, "reason");
  lua_pushstring(L, strerror(error));
  lua_setfield(L, -2, "message");
}
