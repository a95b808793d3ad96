#include "quotes.h"

#include <string.h>

#include "../core/bytes/ascii.h"
#include "field.h"

static int is_word(char c) {
  return sc3_ascii_is_alphanumeric(c) || c == '_';
}

static int are_digits(sc3_slice s) {
  size_t i = 0;
  while (i < s.n && sc3_ascii_is_digit(s.p[i]))
    i++;
  return i == s.n;
}

/* True when no letter, digit or underscore of the text touches its `n` bytes from `at` on. */
static int stands_alone(sc3_slice text, size_t at, size_t n) {
  return (at == 0 || !is_word(text.p[at - 1])) && (at + n == text.n || !is_word(text.p[at + n]));
}

/* True when the text holds the value `part`. One or two characters occur in any sentence, so of
 * these only numbers count, and only as words of their own. */
static int contains(sc3_slice text, sc3_slice part) {
  const int is_short = part.n < 3;
  size_t i;
  if (part.p == NULL || part.n == 0 || (is_short && !are_digits(part)))
    return 0;
  for (i = 0; i + part.n <= text.n; i++) {
    if (memcmp(text.p + i, part.p, part.n) == 0 && (!is_short || stands_alone(text, i, part.n)))
      return 1;
  }
  return 0;
}

/* True when the text holds the string or number on top of the stack. */
static int contains_value(lua_State *L, sc3_slice text) {
  sc3_slice part;
  int found;
  if (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER)
    return 0;
  lua_pushvalue(L, -1); /* a number is turned into its text in place */
  part.p = lua_tolstring(L, -1, &part.n);
  found = contains(text, part);
  lua_pop(L, 1);
  return found;
}

/* Puts the table on top of the stack into the list at `list`, which has `n`, where it is not in
 * there. Gives how many there are. */
static int list_once(lua_State *L, int list, int n) {
  lua_pushvalue(L, -1);
  lua_rawget(L, list);
  if (lua_isnil(L, -1)) {
    lua_pushvalue(L, -2);
    lua_pushboolean(L, 1);
    lua_rawset(L, list);
    lua_pushvalue(L, -2);
    lua_rawseti(L, list, ++n);
  }
  lua_pop(L, 1);
  return n;
}

enum { VALUES_SEARCHED = 100000 };

/* Rows may hold themselves, so each table is looked into once. */
int sc3l_quotes_table(lua_State *L, sc3_slice text, int row) {
  int left = VALUES_SEARCHED, list, i, count, found = 0;
  sc3l_checkstack(L, 8);
  lua_createtable(L, 0, 0);
  list = lua_gettop(L);
  lua_pushvalue(L, row);
  count = list_once(L, list, 0);
  for (i = 1; i <= count && !found; i++) {
    lua_rawgeti(L, list, i);
    lua_pushnil(L);
    while (!found && lua_next(L, list + 2) != 0) {
      if (lua_type(L, -1) == LUA_TTABLE)
        count = list_once(L, list, count);
      found = left-- == 0 || contains_value(L, text);
      lua_pop(L, 1);
    }
    lua_settop(L, list + 1);
  }
  lua_settop(L, list - 1);
  return found;
}

/* The same for the strings and numbers in raw JSON: its text between the marks. */
static int contains_json(sc3_slice text, sc3_slice json) {
  size_t i, start = 0;
  for (i = 0; i <= json.n; i++) {
    if (i < json.n && (json.p[i] == '\0' || strchr("\"\\{}[]:,", json.p[i]) == NULL))
      continue;
    if (contains(text, sc3_slice_of(json.p + start, i - start)))
      return 1;
    start = i + 1;
  }
  return 0;
}

/* True when the text holds the value of a field: as it is written, or as Lua would write it. */
static int contains_field(lua_State *L, sc3_slice text, const sc3_field *f) {
  int found;
  if (f->kind == SC3_KIND_NESTED)
    return contains_json(text, f->value);
  if (contains(text, f->value))
    return 1;
  if (f->kind != SC3_KIND_NUMBER)
    return 0;
  (void)sc3l_push_field(L, f, 0);
  found = contains_value(L, text);
  lua_pop(L, 1);
  return found;
}

int sc3l_quotes_record(lua_State *L, sc3_slice text, const sc3_record *record) {
  size_t i;
  for (i = 0; i < record->count; i++) {
    if (contains_field(L, text, &record->fields[i]))
      return 1;
  }
  return 0;
}
