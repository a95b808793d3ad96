#include "request_body.h"

#include "../lua/arguments.h"

/* The bytes of the piece on top of the stack; raises where it is none. They live as long as the
 * value is anchored and the payload pinned. */
static sc3_slice check_piece(lua_State *L, const sc3l_payload_access *payloads) {
  const int piece = lua_gettop(L);
  size_t first, last;
  sc3_slice bytes;
  sc3_op op;
  if (lua_type(L, piece) == LUA_TSTRING)
    return sc3l_check_string(L, piece);
  if (lua_type(L, piece) != LUA_TTABLE)
    luaL_error(L,
               "a piece of a body must be a string or {payload, operation, first, last}, not a %s",
               luaL_typename(L, piece));
  lua_rawgeti(L, piece, 2);
  op = payloads->op(L, -1);
  lua_rawgeti(L, piece, 3);
  first = sc3l_check_size(L, -1, "first");
  lua_rawgeti(L, piece, 4);
  last = sc3l_check_size(L, -1, "last");
  lua_rawgeti(L, piece, 1);
  bytes = payloads->range(L, -1, op, first, last);
  lua_pop(L, 4);
  return bytes;
}

/* Replaces the piece on top of the stack, a table, by a copy. */
static void copy_piece(lua_State *L) {
  int part;
  lua_createtable(L, 4, 0);
  for (part = 1; part <= 4; part++) {
    lua_rawgeti(L, -2, part);
    lua_rawseti(L, -2, part);
  }
  lua_replace(L, -2);
}

/* The number of pieces of the body at `index`; raises where it is none. */
static size_t count_pieces(lua_State *L, int index) {
  if (lua_type(L, index) == LUA_TSTRING)
    return 1;
  if (lua_type(L, index) != LUA_TTABLE)
    luaL_error(L, "body must be a string or an array of pieces, not a %s", luaL_typename(L, index));
  return (size_t)lua_rawlen(L, index);
}

size_t sc3l_copy_body(lua_State *L, const sc3l_payload_access *payloads) {
  const int from = lua_gettop(L), to = from + 1;
  const size_t n = count_pieces(L, from);
  size_t i;
  lua_createtable(L, (int)n, 0);
  for (i = 0; i < n; i++) {
    if (lua_type(L, from) == LUA_TSTRING)
      lua_pushvalue(L, from);
    else
      lua_rawgeti(L, from, (int)i + 1);
    (void)check_piece(L, payloads);
    if (lua_istable(L, -1))
      copy_piece(L);
    lua_rawseti(L, to, (int)i + 1);
  }
  lua_replace(L, from);
  return n;
}

/* Pins the payload of the piece on top of the stack, where it is of one. */
static void pin_piece(lua_State *L, const sc3l_payload_access *payloads) {
  if (lua_type(L, -1) != LUA_TTABLE)
    return;
  lua_rawgeti(L, -1, 1);
  (void)payloads->pin(L, -1);
  lua_pop(L, 1);
}

static void unpin_piece(lua_State *L, const sc3l_payload_access *payloads) {
  if (lua_type(L, -1) != LUA_TTABLE)
    return;
  lua_rawgeti(L, -1, 1);
  payloads->unpin(lua_touserdata(L, -1));
  lua_pop(L, 1);
}

void sc3l_hold_body(lua_State *L, const sc3l_body *body) {
  size_t i;
  for (i = 0; i < body->count; i++) {
    lua_rawgeti(L, body->pieces, (int)i + 1);
    body->bytes[i] = check_piece(L, body->payloads);
    lua_pop(L, 1);
  }
  sc3l_push_count(L, body->id); /* an int is too small for ids */
  lua_pushvalue(L, body->pieces);
  lua_rawset(L, body->anchors);
  for (i = 0; i < body->count; i++) {
    lua_rawgeti(L, body->pieces, (int)i + 1);
    pin_piece(L, body->payloads);
    lua_pop(L, 1);
  }
}

/* Unpins the pieces of the table on top of the stack, and pops it. */
static void unpin_pieces(lua_State *L, const sc3l_payload_access *payloads) {
  size_t i, n = lua_istable(L, -1) ? (size_t)lua_rawlen(L, -1) : 0;
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, -1, (int)i);
    unpin_piece(L, payloads);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

void sc3l_release_body(lua_State *L, const sc3l_payload_access *payloads, int anchors,
                       uint64_t id) {
  sc3l_push_count(L, id);
  lua_rawget(L, anchors);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  unpin_pieces(L, payloads);
  sc3l_push_count(L, id);
  lua_pushnil(L);
  lua_rawset(L, anchors);
}

void sc3l_release_all_bodies(lua_State *L, const sc3l_payload_access *payloads, int anchors) {
  lua_pushnil(L);
  while (lua_next(L, anchors) != 0) {
    unpin_pieces(L, payloads);
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_rawset(L, anchors);
  }
}
