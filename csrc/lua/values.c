/* Binds text functions that answer the same in every locale: numbers, yes and no, case, order. */
#include "../core/bytes/amount.h"
#include "../core/bytes/text.h"
#include "../core/identity/boolean_words.h"
#include "arguments.h"
#include "field.h"
#include "open.h"

/* The first argument without what is invisible at its ends, as conditions read values. */
static sc3_slice check_value(lua_State *L) {
  int ignored = 0;
  return sc3_text_strip(sc3l_check_string(L, 1), &ignored);
}

/* number(text [, decimal mark]) -> number | nil. Without a mark only plain numbers
 * (sc3_number_read), else amounts (sc3_amount_read). */
static int values_number(lua_State *L) {
  sc3_slice s = check_value(L);
  const char *mark = luaL_optstring(L, 2, NULL);
  sc3_number n;
  if (!(mark != NULL ? sc3_amount_read(s, *mark == ',' ? ',' : '.', &n) : sc3_number_read(s, &n)))
    return 0;
  sc3l_push_number(L, &n);
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
  sc3_slice s = sc3l_check_string(L, 1);
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
  sc3_slice a = sc3l_check_string(L, 1), b = sc3l_check_string(L, 2);
  int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
  lua_pushboolean(L, order < 0 || (order == 0 && a.n < b.n));
  return 1;
}

void sc3l_open_values(lua_State *L) {
  static const luaL_Reg functions[] = {{"number", values_number}, {"yes", values_yes},
                                       {"lower", values_lower},   {"upper", values_upper},
                                       {"before", values_before}, {NULL, NULL}};
  sc3l_setfuncs(L, functions);
}
