/* Binds JSON: texts of replies and of our own files become Lua values, and single values are
 * written.
 */
#include "../core/bytes/ascii.h"
#include "../core/bytes/buffer.h"
#include "../core/bytes/json.h"
#include "../core/bytes/json_read.h"
#include "../core/bytes/json_scan.h"
#include "arguments.h"
#include "field.h"
#include "open.h"

/* The arguments of json_decode(), and what lies on the stack after them. */
enum { AT_TEXT = 1, AT_IDS = 2, AT_MARK = 3, AT_SCRATCH = 4 };

/* An open object or array lies on the stack, an object's name above it until its value is there. */
typedef struct level {
  int object;
  int count; /* of an array */
} level;

typedef struct decoder {
  sc3_json_reader reader;
  sc3_slice text;
  char *scratch; /* where strings are unescaped: a userdata, which an error of Lua does not leak */
  int ids;       /* whole numbers that a double may confuse stay texts */
  int mark;      /* arrays get a metatable */
  int depth;
  level levels[SC3_JSON_READ_DEPTH];
} decoder;

/* Pushes the text between the quotes. The scratch is as large as the whole text from its first use
 * on: each string is smaller. */
static void push_string(lua_State *L, decoder *d, sc3_slice quoted) {
  if (memchr(quoted.p, '\\', quoted.n) == NULL) {
    lua_pushlstring(L, quoted.p + 1, quoted.n - 2);
    return;
  }
  if (d->scratch == NULL) {
    d->scratch = lua_newuserdata(L, d->text.n);
    lua_replace(L, AT_SCRATCH);
  }
  memcpy(d->scratch, quoted.p, quoted.n);
  quoted = sc3_json_unescape(d->scratch, d->scratch + quoted.n);
  lua_pushlstring(L, quoted.p, quoted.n);
}

/* Whether a whole number may look like another one on some Lua. As an id it must stay text. */
static int is_inexact(sc3_slice token, const sc3_number *number) {
  size_t i = token.p[0] == '-';
  if (number->value > -9007199254740992.0 && number->value < 9007199254740992.0)
    return 0;
  for (; i < token.n; i++) {
    if (!sc3_ascii_is_digit(token.p[i]))
      return 0;
  }
  return 1;
}

static void push_number(lua_State *L, const decoder *d, sc3_slice token) {
  sc3_number number = {0, 0, 0};
  (void)sc3_number_read(token, &number);
  if (d->ids && is_inexact(token, &number))
    lua_pushlstring(L, token.p, token.n);
  else
    sc3l_push_number(L, &number);
}

/* Pushes an object or an array that begins. */
static void push_level(lua_State *L, decoder *d, int object) {
  lua_createtable(L, 0, 0);
  if (d->mark && !object) {
    lua_pushvalue(L, AT_MARK);
    lua_setmetatable(L, -2);
  }
  d->levels[d->depth].object = object;
  d->levels[d->depth].count = 0;
  d->depth++;
}

/* Puts the value on top of the stack into the object or array that it belongs to. The outermost one
 * stays on top. */
static void store_value(lua_State *L, decoder *d) {
  level *l;
  if (d->depth == 0)
    return;
  l = &d->levels[d->depth - 1];
  if (l->object)
    lua_rawset(L, -3);
  else
    lua_rawseti(L, -2, ++l->count);
}

/* Reads all of the text. True when its value is on top of the stack. */
static int decode(lua_State *L, decoder *d) {
  sc3_slice token;
  for (;;) {
    const sc3_json_event event = sc3_json_read(&d->reader, &token);
    switch (event) {
      case SC3_JSON_EVENT_BAD: return 0;
      case SC3_JSON_EVENT_END: return 1;
      case SC3_JSON_EVENT_OBJECT:
      case SC3_JSON_EVENT_ARRAY: push_level(L, d, event == SC3_JSON_EVENT_OBJECT); continue;
      case SC3_JSON_EVENT_NAME: push_string(L, d, token); continue;
      case SC3_JSON_EVENT_CLOSE: d->depth--; break;
      case SC3_JSON_EVENT_STRING: push_string(L, d, token); break;
      case SC3_JSON_EVENT_NUMBER: push_number(L, d, token); break;
      case SC3_JSON_EVENT_TRUE:
      case SC3_JSON_EVENT_FALSE: lua_pushboolean(L, event == SC3_JSON_EVENT_TRUE); break;
      case SC3_JSON_EVENT_NULL: lua_pushlightuserdata(L, NULL); break;
    }
    store_value(L, d);
  }
}

/* json_decode(text [, ids [, mark]]) -> value | nil, message. JSON's null is the light userdata
   NULL; of a name that stands twice the last counts. With `ids` whole numbers of 2^53 and more are
   texts. Arrays get the metatable `mark`, where one is given. */
static int json_decode(lua_State *L) {
  decoder d;
  d.text = sc3l_check_string(L, AT_TEXT);
  lua_settop(L, AT_MARK);
  d.ids = lua_toboolean(L, AT_IDS);
  d.mark = !lua_isnil(L, AT_MARK);
  if (d.mark)
    luaL_checktype(L, AT_MARK, LUA_TTABLE);
  lua_pushnil(L); /* the scratch */
  d.scratch = NULL;
  d.depth = 0;
  sc3l_checkstack(L, 3 * SC3_JSON_READ_DEPTH);
  sc3_json_read_begin(&d.reader, d.text);
  if (decode(L, &d))
    return 1;
  lua_pushnil(L);
  lua_pushfstring(L, "no JSON from byte %d on", (int)(d.reader.p - d.reader.start) + 1);
  return 2;
}

/* json_scalar(string, number, boolean, nil or null) -> its JSON. Numbers that are none are null, as
   in JavaScript; bytes of strings are not looked at. */
static int json_scalar(lua_State *L) {
  char number[SC3_NUMBER_TEXT];
  sc3_buffer b;
  sc3_slice s;
  double d;
  switch (lua_type(L, 1)) {
    case LUA_TSTRING: break;
    case LUA_TNUMBER:
      lua_settop(L, 1);
      d = (double)lua_tonumber(L, 1);
      if (!(d - d >= 0)) /* infinities and what is no number */
        lua_pushliteral(L, "null");
      else
        lua_pushlstring(L, number, sc3l_write_number(L, number));
      return 1;
    case LUA_TBOOLEAN: lua_pushstring(L, lua_toboolean(L, 1) ? "true" : "false"); return 1;
    case LUA_TNIL:
    case LUA_TLIGHTUSERDATA: lua_pushliteral(L, "null"); return 1;
    default: return luaL_error(L, "a %s cannot be written as JSON", luaL_typename(L, 1));
  }
  s.p = lua_tolstring(L, 1, &s.n);
  b.n = 0;
  /* the longest form of a character is \u00xx: the buffer never grows, and Lua owns it */
  b.capacity = b.limit = 6 * s.n + 2;
  b.p = lua_newuserdata(L, b.capacity);
  SC3_PUT_LITERAL(&b, "\"");
  (void)sc3_json_escape(&b, s);
  SC3_PUT_LITERAL(&b, "\"");
  lua_pushlstring(L, b.p, b.n);
  return 1;
}

void sc3l_open_json(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"json_decode", json_decode}, {"json_scalar", json_scalar}, {NULL, NULL}};
  sc3l_setfuncs(L, functions);
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
}
