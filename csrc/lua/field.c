#include "field.h"

#include <math.h>

/* 2^53: each whole double below it stands for one integer. */
static const double EXACT = 9007199254740992.0;

enum { EXACT_DIGITS = 15 }; /* so many digits survive a double */

void sc3l_push_number(lua_State *L, const sc3_number *number) {
#if LUA_VERSION_NUM >= 503
  if (number->is_integer) {
    lua_pushinteger(L, (lua_Integer)number->integer);
    return;
  }
#endif
  lua_pushnumber(L, (lua_Number)number->value);
}

sc3_number sc3l_to_number(lua_State *L) {
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

size_t sc3l_write_number(lua_State *L, char out[SC3_NUMBER_TEXT]) {
  const sc3_number n = sc3l_to_number(L);
  return n.is_integer ? sc3_number_write_integer(n.integer, out) : sc3_number_write(n.value, out);
}

/* Whether a number of a record is pushed as a number: with more digits only its text is exact. */
static int read_exact(sc3_slice text, sc3_number *number) {
  return text.n <= EXACT_DIGITS && sc3_number_read(text, number) && fabs(number->value) < EXACT;
}

static int push_decoded(lua_State *L, sc3_slice json, int decode) {
  lua_pushvalue(L, decode);
  lua_pushlstring(L, json.p, json.n);
  return lua_pcall(L, 1, 1, 0);
}

int sc3l_push_field(lua_State *L, const sc3_field *f, int decode) {
  sc3_number number;
  switch (f->kind) {
    case SC3_KIND_TRUE:
    case SC3_KIND_FALSE: lua_pushboolean(L, f->kind == SC3_KIND_TRUE); return 0;
    case SC3_KIND_NULL: lua_pushnil(L); return 0;
    case SC3_KIND_NUMBER:
      if (read_exact(f->value, &number)) {
        sc3l_push_number(L, &number);
        return 0;
      }
      break;
    case SC3_KIND_NESTED:
      if (decode != 0)
        return push_decoded(L, f->value, decode);
      break;
    case SC3_KIND_TEXT: break;
  }
  lua_pushlstring(L, f->value.p, f->value.n);
  return 0;
}

/* The number on top of the stack as the text of a field. A whole double from 2^53 on may have lost
   digits, so that the ids of several people became one. It gets an exponent, which neither ids nor
   phones accept. */
static sc3_slice write_field_number(lua_State *L, char out[SC3_NUMBER_TEXT]) {
  size_t n = sc3l_write_number(L, out);
  if (!sc3l_to_number(L).is_integer && memchr(out, '.', n) == NULL && memchr(out, 'e', n) == NULL &&
      n + 2 <= SC3_NUMBER_TEXT) {
    memcpy(out + n, "e0", 2);
    n += 2;
  }
  return sc3_slice_of(out, n);
}

void sc3l_read_field(lua_State *L, sc3_field *f, char number[SC3_NUMBER_TEXT]) {
  f->name = f->value = sc3_slice_of(NULL, 0);
  switch (lua_type(L, -1)) {
    case LUA_TSTRING:
      f->kind = SC3_KIND_TEXT;
      f->value.p = lua_tolstring(L, -1, &f->value.n);
      break;
    case LUA_TNUMBER:
      f->kind = SC3_KIND_NUMBER;
      f->value = write_field_number(L, number);
      break;
    case LUA_TBOOLEAN: f->kind = lua_toboolean(L, -1) ? SC3_KIND_TRUE : SC3_KIND_FALSE; break;
    case LUA_TLIGHTUSERDATA: /* JSON's null */
    case LUA_TNIL: f->kind = SC3_KIND_NULL; break;
    default: f->kind = SC3_KIND_NESTED; break;
  }
}
