#include "script_error.h"

#include <string.h>

#include "quotes.h"

int sc3l_quotes_row(lua_State *L, sc3_slice text, const sc3l_script_row *row) {
  if (row->table > 0)
    return sc3l_quotes_table(L, text, row->table);
  return sc3l_quotes_record(L, text, row->record);
}

enum { LEVELS = 20 };

/* What the handler makes: { the message, the position that it may begin with, the same without
 * folders }. */
enum { AT_MESSAGE = 1, AT_PREFIX = 2, AT_POSITION = 3 };

static int begins_with(sc3_slice text, const char *prefix) {
  const size_t n = strlen(prefix);
  return text.p != NULL && text.n >= n && memcmp(text.p, prefix, n) == 0;
}

/* Sets the positions of the table at index 2. Leaves the stack as it is. */
static void set_position(lua_State *L, const lua_Debug *where) {
  const char *slash = strrchr(where->short_src, '/');
  lua_pushfstring(L, "%s:%d: ", where->short_src, where->currentline);
  lua_rawseti(L, 2, AT_PREFIX);
  lua_pushfstring(L, "%s:%d: ", slash != NULL ? slash + 1 : where->short_src, where->currentline);
  lua_rawseti(L, 2, AT_POSITION);
}

/* The position comes from the debugger's knowledge and not from the text, which may be anything.
   What was called may blame the line that called it, as error(text, 2) does: that line counts, else
   the innermost. */
int sc3l_locate_error(lua_State *L) {
  lua_Debug where;
  int level, located = 0, named = 0;
  sc3_slice text = {NULL, 0};
  if (lua_type(L, 1) == LUA_TSTRING)
    text.p = lua_tolstring(L, 1, &text.n);
  lua_createtable(L, 3, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, 2, AT_MESSAGE);
  for (level = 1; level < LEVELS && !named && lua_getstack(L, level, &where); level++) {
    if (!lua_getinfo(L, "Sl", &where) || where.currentline <= 0)
      continue;
    named = begins_with(text, lua_pushfstring(L, "%s:%d: ", where.short_src, where.currentline));
    lua_pop(L, 1);
    if (!located || named)
      set_position(L, &where);
    located = 1;
  }
  return 1;
}

/* Pushes the message at `message`, a string, without its position and without values of the row.
 * The position, or nil, is the next value on the stack. */
static void push_cleaned(lua_State *L, int message, const sc3l_script_row *row) {
  const char *prefix = lua_tostring(L, message + 1);
  sc3_slice text;
  text.p = lua_tolstring(L, message, &text.n);
  if (prefix != NULL && begins_with(text, prefix))
    text = sc3_slice_of(text.p + strlen(prefix), text.n - strlen(prefix));
  if (sc3l_quotes_row(L, text, row))
    lua_pushliteral(L, "the message quotes the row and is withheld");
  else
    lua_pushlstring(L, text.p, text.n);
}

void sc3l_clean_error(lua_State *L, const sc3l_script_row *row) {
  const int caught = lua_gettop(L), message = caught + AT_MESSAGE;
  if (lua_type(L, caught) != LUA_TTABLE) { /* the handler itself failed: out of memory */
    lua_pushliteral(L, "not enough memory");
    lua_replace(L, caught);
    return;
  }
  lua_rawgeti(L, caught, AT_MESSAGE);
  lua_rawgeti(L, caught, AT_PREFIX);
  lua_rawgeti(L, caught, AT_POSITION);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushliteral(L, "");
  }
  if (lua_type(L, message) == LUA_TSTRING)
    push_cleaned(L, message, row);
  else
    lua_pushfstring(L, "the error is a %s", luaL_typename(L, message));
  lua_concat(L, 2);
  lua_replace(L, caught);
  lua_settop(L, caught);
}
