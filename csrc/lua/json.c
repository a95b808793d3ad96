/* JSON of replies and of our own files, read into Lua values; and single values written. */
#include "../core/bytes/buffer.h"
#include "../core/bytes/json.h"
#include "../core/bytes/json_read.h"
#include "../core/bytes/json_scan.h"
#include "values.h"

/* What is unescaped on the way. It is a userdata, so that no error of Lua leaves it behind. */
typedef struct scratch {
  char *p;
  size_t n;
} scratch;

/* Pushes the text between the quotes. The scratch lies at `index`, and is as large as the whole
   text from its first use on: each string is smaller. */
static void push_string(lua_State *L, sc3_slice quoted, scratch *room, int index, size_t whole) {
  if (memchr(quoted.p, '\\', quoted.n) == NULL) {
    lua_pushlstring(L, quoted.p + 1, quoted.n - 2);
    return;
  }
  if (room->p == NULL) {
    room->p = lua_newuserdata(L, whole);
    lua_replace(L, index);
  }
  memcpy(room->p, quoted.p, quoted.n);
  quoted = sc3_json_unescape(room->p, room->p + quoted.n);
  lua_pushlstring(L, quoted.p, quoted.n);
}

/* An open object or array lies on the stack, an object's name above it until its value is there. */
typedef struct level {
  int object;
  int count; /* of an array */
} level;

/* Whether a whole number cannot be told from its neighbours on every Lua: as an id it must stay the
 * text that it is. */
static int is_inexact(sc3_slice token, const sc3_number *number) {
  size_t i = token.p[0] == '-';
  if (number->value > -9007199254740992.0 && number->value < 9007199254740992.0)
    return 0;
  for (; i < token.n; i++) {
    if (token.p[i] < '0' || token.p[i] > '9')
      return 0;
  }
  return 1;
}

/* json_decode(text [, ids [, mark]]) -> value | nil, message. JSON's null is the light userdata
   NULL; of a name that stands twice the last counts. With `ids` whole numbers of 2^53 and more are
   texts. Arrays get the metatable `mark`, where one is given. */
static int json_decode(lua_State *L) {
  level levels[SC3_JSON_READ_DEPTH];
  sc3_json_reader reader;
  scratch room = {NULL, 0};
  sc3_number number = {0, 0, 0};
  sc3_slice text, token;
  int depth = 0, marks;
  const int ids = lua_toboolean(L, 2);
  luaL_checktype(L, 1, LUA_TSTRING);
  text.p = lua_tolstring(L, 1, &text.n);
  lua_settop(L, 3);
  marks = !lua_isnil(L, 3);
  if (marks)
    luaL_checktype(L, 3, LUA_TTABLE);
  lua_pushnil(L); /* the scratch */
  sc3_checkstack(L, 3 * SC3_JSON_READ_DEPTH);
  sc3_json_read_begin(&reader, text);
  for (;;) {
    const sc3_json_event event = sc3_json_read(&reader, &token);
    int in_object = depth > 0 && levels[depth - 1].object;
    switch (event) {
      case SC3_JSON_EVENT_BAD:
        lua_pushnil(L);
        lua_pushfstring(L, "no JSON from byte %d on", (int)(reader.p - reader.start) + 1);
        return 2;
      case SC3_JSON_EVENT_END: return 1; /* the value on top */
      case SC3_JSON_EVENT_OBJECT:
      case SC3_JSON_EVENT_ARRAY:
        lua_createtable(L, 0, 0);
        if (marks && event == SC3_JSON_EVENT_ARRAY) {
          lua_pushvalue(L, 3);
          lua_setmetatable(L, -2);
        }
        levels[depth].object = event == SC3_JSON_EVENT_OBJECT;
        levels[depth].count = 0;
        depth++;
        continue;
      case SC3_JSON_EVENT_CLOSE:
        depth--;
        in_object = depth > 0 && levels[depth - 1].object;
        break;
      case SC3_JSON_EVENT_NAME: push_string(L, token, &room, 4, text.n); continue;
      case SC3_JSON_EVENT_STRING: push_string(L, token, &room, 4, text.n); break;
      case SC3_JSON_EVENT_NUMBER:
        (void)sc3_number_read(token, &number);
        if (ids && is_inexact(token, &number))
          lua_pushlstring(L, token.p, token.n);
        else
          sc3_pushnumber(L, &number);
        break;
      case SC3_JSON_EVENT_TRUE:
      case SC3_JSON_EVENT_FALSE: lua_pushboolean(L, event == SC3_JSON_EVENT_TRUE); break;
      case SC3_JSON_EVENT_NULL: lua_pushlightuserdata(L, NULL); break;
    }
    /* A value is on top. */
    if (in_object)
      lua_rawset(L, -3);
    else if (depth > 0)
      lua_rawseti(L, -2, ++levels[depth - 1].count);
  }
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
        lua_pushlstring(L, number, sc3_writenumber(L, number));
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

void sc3_open_json(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"json_decode", json_decode}, {"json_scalar", json_scalar}, {NULL, NULL}};
  sc3_setfuncs(L, functions);
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
}
