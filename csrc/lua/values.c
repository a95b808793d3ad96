/* Texts that are read the same in every locale: numbers, yes and no, the case of ASCII letters. */
#include "values.h"

#include "../core/bytes/amount.h"
#include "../core/bytes/text.h"
#include "../core/identity/boolean_words.h"

static const double EXACT =
    9007199254740992.0; /* 2^53: whole doubles below are integers without doubt */

void sc3_pushnumber(lua_State *L, const sc3_number *number) {
#if LUA_VERSION_NUM >= 503
  if (number->is_integer) {
    lua_pushinteger(L, (lua_Integer)number->integer);
    return;
  }
#endif
  lua_pushnumber(L, (lua_Number)number->value);
}

sc3_number sc3_tonumber(lua_State *L) {
  sc3_number n;
  n.value = (double)lua_tonumber(L, -1);
  n.is_integer = n.value > -EXACT && n.value < EXACT && (double)(int64_t)n.value == n.value;
  n.integer = n.is_integer ? (int64_t)n.value : 0;
#if LUA_VERSION_NUM >= 503
  if (lua_isinteger(L, -1)) {
    n.is_integer = 1;
    n.integer = (int64_t)lua_tointeger(L, -1);
  }
#endif
  return n;
}

size_t sc3_writenumber(lua_State *L, char out[SC3_NUMBER_TEXT]) {
  sc3_number n = sc3_tonumber(L);
  return n.is_integer ? sc3_number_write_integer(n.integer, out) : sc3_number_write(n.value, out);
}

static sc3_slice check_text(lua_State *L) {
  sc3_slice s;
  luaL_checktype(L, 1, LUA_TSTRING);
  s.p = lua_tolstring(L, 1, &s.n);
  return s;
}

/* The same without what nobody sees at its ends, as conditions read values. */
static sc3_slice check_value(lua_State *L) {
  int ignored = 0;
  return sc3_text_strip(check_text(L), &ignored);
}

/* number(text [, decimal mark]) -> number | nil. Without a mark plain numbers alone
   (sc3_number_read), else amounts (sc3_amount_read). */
static int values_number(lua_State *L) {
  sc3_slice s = check_value(L);
  const char *mark = luaL_optstring(L, 2, NULL);
  sc3_number n;
  if (!(mark != NULL ? sc3_amount_read(s, *mark == ',' ? ',' : '.', &n) : sc3_number_read(s, &n)))
    return 0;
  sc3_pushnumber(L, &n);
  return 1;
}

/* yes(text) -> true | false | nil */
static int values_yes(lua_State *L) {
  int said = sc3_boolean_read(check_value(L));
  if (said < 0)
    return 0;
  lua_pushboolean(L, said);
  return 1;
}

/* Pushes the text with the letters from `first` on, 26 of them, moved by `by`. */
static int push_moved(lua_State *L, char first, int by) {
  sc3_slice s = check_text(L);
  luaL_Buffer b;
  size_t i;
  luaL_buffinit(L, &b);
  for (i = 0; i < s.n; i++) {
    char c = s.p[i];
    luaL_addchar(&b, c >= first && c < first + 26 ? (char)(c + by) : c);
  }
  luaL_pushresult(&b);
  return 1;
}

/* lower(text), upper(text) -> the text with the letters of ASCII in that case */
static int values_lower(lua_State *L) {
  return push_moved(L, 'A', 'a' - 'A');
}

static int values_upper(lua_State *L) {
  return push_moved(L, 'a', 'A' - 'a');
}

/* before(a, b) -> whether a stands before b, by their bytes. Lua's own `<` asks the locale. */
static int values_before(lua_State *L) {
  sc3_slice a = check_text(L), b;
  int order;
  luaL_checktype(L, 2, LUA_TSTRING);
  b.p = lua_tolstring(L, 2, &b.n);
  order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
  lua_pushboolean(L, order < 0 || (order == 0 && a.n < b.n));
  return 1;
}

void sc3_open_values(lua_State *L) {
  static const luaL_Reg functions[] = {{"number", values_number}, {"yes", values_yes},
                                       {"lower", values_lower},   {"upper", values_upper},
                                       {"before", values_before}, {NULL, NULL}};
  sc3_setfuncs(L, functions);
}
