/* Binds "scope3.resp": replies of Redis, as values of Lua (core/bytes/resp.h). */
#include "../core/bytes/resp.h"

#include "arguments.h"
#include "open.h"
#include "type.h"

#define TYPE "scope3.resp"

typedef struct resp_ud {
  sc3_resp r;
  int reads; /* values are made of its bytes now, when finalizers may run */
  int closed;
} resp_ud;

/* The user value is { refuse }. */

static resp_ud *check_idle(lua_State *L) {
  resp_ud *u = luaL_checkudata(L, 1, TYPE);
  if (u->closed)
    sc3l_raise_closed(L, "decoder");
  if (u->reads)
    luaL_error(L, "attempt to use a decoder while it makes a reply");
  return u;
}

static size_t check_limit(lua_State *L, const char *field) {
  size_t n;
  lua_getfield(L, 1, field);
  n = sc3l_check_size(L, -1, field);
  lua_pop(L, 1);
  return n;
}

/* resp{ bytes=, values=, refuse= }: of one reply at most so many bytes, and values, those inside
   lists too. `refuse` is called with the line of what was refused, and gives its value. */
static int resp_new(lua_State *L) {
  static const char *const known[] = {"bytes", "values", "refuse", NULL};
  size_t bytes, values;
  resp_ud *u;
  luaL_checktype(L, 1, LUA_TTABLE);
  sc3l_check_keys(L, 1, known, "resp");
  bytes = check_limit(L, "bytes");
  values = check_limit(L, "values");
  lua_createtable(L, 1, 0);
  lua_getfield(L, 1, "refuse");
  luaL_argcheck(L, lua_isfunction(L, -1), 1, "refuse must be a function");
  lua_rawseti(L, -2, 1);
  u = sc3l_new_object(L, sizeof *u, TYPE);
  sc3_resp_init(&u->r, bytes, values);
  lua_insert(L, -2);
  sc3l_setuservalue(L, -2);
  return 1;
}

static int resp_end(lua_State *L) {
  resp_ud *u = luaL_checkudata(L, 1, TYPE);
  u->closed = 1;
  sc3_resp_free(&u->r);
  return 0;
}

static int resp_close(lua_State *L) {
  const resp_ud *u = luaL_checkudata(L, 1, TYPE);
  if (u->reads)
    return luaL_error(L, "attempt to close a decoder while it makes a reply");
  return resp_end(L);
}

/* :feed(bytes) takes what came */
static int resp_feed(lua_State *L) {
  const sc3_slice bytes = sc3l_check_string(L, 2);
  resp_ud *u = check_idle(L);
  if (sc3_resp_feed(&u->r, bytes.p, bytes.n) != SC3_OK)
    return luaL_error(L, "not enough memory");
  return 0;
}

/* :held() -> bytes that came and were not read */
static int resp_held(lua_State *L) {
  sc3l_push_count(L, sc3_resp_held(&check_idle(L)->r));
  return 1;
}

/* Pushes the value at a place, and gives where the next one is. The stack is (decoder, refuse). */
static size_t push_value(lua_State *L, const sc3_resp *r, size_t at) {
  sc3_resp_value value;
  size_t next = sc3_resp_value_at(r, at, &value);
  long long i;
  switch (value.kind) {
    case SC3_RESP_NULL: lua_pushboolean(L, 0); break;
    case SC3_RESP_TEXT: lua_pushlstring(L, value.text.p, value.text.n); break;
    case SC3_RESP_NUMBER: sc3l_push_count(L, value.number); break;
    case SC3_RESP_REFUSAL:
      lua_pushvalue(L, 2);
      lua_pushlstring(L, value.text.p, value.text.n);
      lua_call(L, 1, 1);
      break;
    case SC3_RESP_LIST:
      lua_createtable(L, (int)value.number, 0);
      for (i = 1; i <= value.number; i++) {
        next = push_value(L, r, next);
        lua_rawseti(L, -2, (int)i);
      }
      break;
  }
  return next;
}

/* (decoder, refuse) -> its reply */
static int make_reply(lua_State *L) {
  const resp_ud *u = lua_touserdata(L, 1);
  sc3l_checkstack(L, 2 * SC3_RESP_DEPTH + LUA_MINSTACK);
  (void)push_value(L, &u->r, u->r.begin);
  return 1;
}

/* :next() -> true and the next reply that has come whole | false, more has to come | nil and the
   problem, for good. A status and a text are strings, a null is false, a list is a table, a whole
   number is a number, or its text at 2^53 and more. */
static int resp_next(lua_State *L) {
  resp_ud *u = check_idle(L);
  int failed;
  lua_settop(L, 1);
  if (!sc3_resp_next(&u->r)) {
    if (u->r.problem == NULL)
      lua_pushboolean(L, 0);
    else
      lua_pushnil(L);
    lua_pushstring(L, u->r.problem);
    return 2;
  }
  lua_pushboolean(L, 1);
  lua_pushcfunction(L, make_reply);
  lua_pushvalue(L, 1);
  sc3l_getuservalue(L, 1);
  lua_rawgeti(L, -1, 1);
  lua_remove(L, -2);
  u->reads = 1;
  failed = lua_pcall(L, 2, 1, 0);
  u->reads = 0;
  if (failed)
    return lua_error(L); /* the reply is there still */
  sc3_resp_pass(&u->r);
  return 2;
}

void sc3l_open_resp(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"feed", resp_feed}, {"held", resp_held}, {"next", resp_next}, {NULL, NULL}};
  static const sc3l_type type = {
      .name = TYPE, .methods = {methods}, .end = resp_end, .close = resp_close};
  sc3l_new_type(L, &type);
  lua_pushcfunction(L, resp_new);
  lua_setfield(L, -2, "resp");
}
