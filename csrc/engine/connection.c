#include "connection.h"

#include <string.h>

#include "../lua/arguments.h"
#include "../lua/payload_access.h"
#include "../lua/type.h"

#define TYPE "scope3.connection"

/* The object is a pointer: NULL = closed. Its user value holds the engine, in a table. */

static sc3_connection *check_connection(lua_State *L) {
  sc3_connection **place = luaL_checkudata(L, 1, TYPE);
  if (*place == NULL)
    sc3l_raise_closed(L, "connection");
  return *place;
}

sc3_connection **sc3l_new_connection(lua_State *L, int engine) {
  sc3_connection **place = sc3l_new_object(L, sizeof *place, TYPE);
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, engine);
  lua_rawseti(L, -2, 1);
  sc3l_setuservalue(L, -2);
  return place;
}

static int connection_close(lua_State *L) {
  sc3_connection **place = luaL_checkudata(L, 1, TYPE), *c = *place;
  *place = NULL;
  if (c != NULL)
    sc3_connection_free(c);
  return 0;
}

/* :state() -> "connecting", "open", "failed", or "closed" with its engine */
static int connection_state(lua_State *L) {
  static const char *const names[] = {"closed", "connecting", "open", "failed"};
  const sc3_connection *c = check_connection(L);
  lua_pushstring(L, names[c->state]);
  return 1;
}

/* :is_ready() -> whether it is no longer connecting, and something happened since :watch() */
static int connection_is_ready(lua_State *L) {
  lua_pushboolean(L, sc3_connection_is_ready(check_connection(L)));
  return 1;
}

/* :failure() -> { code, message, cause, verify } as of a result; nil where it has not failed */
static int connection_failure(lua_State *L) {
  const sc3_connection *c = check_connection(L);
  if (c->state != SC3_CONNECTION_FAILED)
    return 0;
  lua_createtable(L, 0, 4);
  lua_pushstring(L, c->code);
  lua_setfield(L, -2, "code");
  lua_pushstring(L, c->message);
  lua_setfield(L, -2, "message");
  if (c->cause != NULL) {
    lua_pushstring(L, c->cause);
    lua_setfield(L, -2, "cause");
  }
  if (c->verify != 0) {
    lua_pushinteger(L, (lua_Integer)c->verify);
    lua_setfield(L, -2, "verify");
  }
  return 1;
}

/* Bytes of the piece at `index`, which are written to `out` unless that is NULL. */
static size_t copy_piece(lua_State *L, const sc3l_payload_access *payloads, int index, char *out) {
  sc3_slice text;
  if (lua_type(L, index) != LUA_TSTRING)
    return payloads->lines(L, index, out);
  text = sc3l_check_string(L, index);
  if (out != NULL && text.n > 0)
    memcpy(out, text.p, text.n);
  return text.n;
}

/* Bytes of all pieces, likewise. The stack is (connection, pieces, access of payloads). */
static size_t copy_pieces(lua_State *L, char *out) {
  const sc3l_payload_access *payloads = lua_touserdata(L, 3);
  const int n = (int)lua_rawlen(L, 2);
  size_t sum = 0;
  int i;
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, 2, i);
    sum += copy_piece(L, payloads, 4, out != NULL ? out + sum : NULL);
    lua_pop(L, 1);
  }
  return sum;
}

/* :put(pieces) takes bytes to send, all or none: a list of texts, and of lines of members. Not
 * between the first :send() of the bytes before and the last. */
static int connection_put(lua_State *L) {
  sc3_connection *c = check_connection(L);
  char *room;
  size_t n;
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  lua_getfield(L, LUA_REGISTRYINDEX, SC3L_PAYLOAD_ACCESS); /* the module has checked its version */
  if (c->is_sending)
    return luaL_error(L, "attempt to put into a connection that is sending");
  n = copy_pieces(L, NULL);
  room = sc3_connection_room(c, n);
  if (room == NULL && n > 0)
    return luaL_error(L, "not enough memory");
  if (n > 0)
    (void)copy_pieces(L, room);
  return 0;
}

/* :send() sends what can leave without waiting -> bytes that are left; nil where it is not open */
static int connection_send(lua_State *L) {
  sc3_connection *c = check_connection(L);
  if (sc3_connection_send(c) != 0)
    return 0;
  sc3l_push_count(L, sc3_connection_left(c));
  return 1;
}

/* :receive() -> the bytes that are there, "" for none yet; nil where it is not open. What was
 * received stays where memory runs out. */
static int connection_receive(lua_State *L) {
  sc3_connection *c = check_connection(L);
  char bytes[SC3_CONNECTION_INPUT];
  size_t n;
  if (sc3_connection_receive(c) != 0)
    return 0;
  n = c->received;
  memcpy(bytes, c->input, n); /* a finalizer may close it while the text is made */
  lua_pushlstring(L, bytes, n);
  check_connection(L)->received = 0;
  return 1;
}

/* :watch(writes) has the engine wait for bytes, after :receive() gave none, and for room */
static int connection_watch(lua_State *L) {
  sc3_connection_watch(check_connection(L), lua_toboolean(L, 2));
  return 0;
}

void sc3l_open_connection(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"failure", connection_failure}, {"is_ready", connection_is_ready},
      {"put", connection_put},         {"receive", connection_receive},
      {"send", connection_send},       {"state", connection_state},
      {"watch", connection_watch},     {NULL, NULL},
  };
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = connection_close};
  sc3l_new_type(L, &type);
}
