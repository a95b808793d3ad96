/* "scope3.gzip": gunzip for sources. A module of its own, so that the core needs no zlib. */
#include <string.h>

#include "../lua/type.h"
#include "../lua/view.h"
#include "gunzip.h"

#define TYPE "scope3.gunzip"
#define VIEW "scope3.gunzip.view"

enum {
  PIECE = 256 << 10
}; /* what a parser takes at once; also what a small file of zeros can blow up to */

typedef struct gunzip_ud {
  sc3_gunzip z;
  int closed, last;
  char *room;      /* PIECE bytes */
  sc3l_view *view; /* of what was unpacked last: no piece is a text, which would have to be freed */
} gunzip_ud;

/* The user value is an array of these. It is that of the view, too, which shows the room. */
enum { AT_ROOM = 1, AT_VIEW = 2, AT_INPUT = 3 };

static gunzip_ud *check(lua_State *L) {
  gunzip_ud *u = luaL_checkudata(L, 1, TYPE);
  if (u->closed)
    sc3l_raise_closed(L, "gunzip");
  return u;
}

/* gunzip() -> object */
static int gunzip_new(lua_State *L) {
  gunzip_ud *u = sc3l_new_object(L, sizeof *u, TYPE);
  u->closed = 1;
  lua_createtable(L, 3, 0);
  u->room = lua_newuserdata(L, PIECE);
  lua_rawseti(L, -2, AT_ROOM);
  u->view = sc3l_push_view(L, VIEW);
  lua_pushvalue(L, -2);
  sc3l_setuservalue(L, -2);
  lua_rawseti(L, -2, AT_VIEW);
  sc3l_setuservalue(L, -2);
  if (sc3_gunzip_open(&u->z) != SC3_GUNZIP_NEED)
    return luaL_error(L, "not enough memory");
  u->closed = 0;
  return 1;
}

static int gunzip_close(lua_State *L) {
  gunzip_ud *u = luaL_checkudata(L, 1, TYPE);
  if (!u->closed) {
    sc3_gunzip_close(&u->z);
    u->view->bytes.p = NULL;
  }
  u->closed = 1;
  return 0;
}

/* :feed(bytes): the next compressed bytes, after :next() asked for them; nil for the end of the
 * input */
static int gunzip_feed(lua_State *L) {
  gunzip_ud *u = check(L);
  size_t n;
  const char *p;
  if (lua_isnoneornil(L, 2)) {
    u->last = 1;
    return 0;
  }
  luaL_checktype(L, 2, LUA_TSTRING);
  p = lua_tolstring(L, 2, &n);
  if (n > 1u << 30)
    return luaL_error(L, "a piece of gzip data is at most 1 GiB");
  lua_settop(L, 2);
  sc3l_getuservalue(L, 1);
  lua_pushvalue(L, 2);
  lua_rawseti(L, 3, AT_INPUT); /* keeps the bytes alive */
  sc3_gunzip_feed(&u->z, p, n);
  return 0;
}

/* :next() -> view of the next text, which shows another one after the next call | nil, "need" |
   nil, "end" | nil, message */
static int gunzip_next(lua_State *L) {
  gunzip_ud *u = check(L);
  size_t n;
  switch (sc3_gunzip_next(&u->z, u->last, u->room, PIECE, &n)) {
    case SC3_GUNZIP_OUTPUT:
      u->view->bytes = sc3_slice_of(u->room, n);
      sc3l_getuservalue(L, 1);
      lua_rawgeti(L, -1, AT_VIEW);
      return 1;
    case SC3_GUNZIP_NEED:
      lua_pushnil(L);
      lua_pushliteral(L, "need");
      return 2;
    case SC3_GUNZIP_END:
      lua_pushnil(L);
      lua_pushliteral(L, "end");
      return 2;
    case SC3_GUNZIP_EARLY:
      lua_pushnil(L);
      lua_pushliteral(L, "the gzip data ends early: the file was cut off");
      return 2;
    case SC3_GUNZIP_TRAILING:
      lua_pushnil(L);
      lua_pushliteral(L, "something that is not gzip stands behind the gzip data");
      return 2;
    case SC3_GUNZIP_BROKEN:
      lua_pushnil(L);
      lua_pushliteral(L, "the gzip data is damaged");
      return 2;
    default: return luaL_error(L, "not enough memory");
  }
}

/* :taken() -> compressed bytes so far */
static int gunzip_taken(lua_State *L) {
  lua_pushnumber(L, (lua_Number)check(L)->z.taken);
  return 1;
}

SC3L_EXPORT int luaopen_scope3_gzip(lua_State *L);

SC3L_EXPORT int luaopen_scope3_gzip(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"feed", gunzip_feed},
      {"next", gunzip_next},
      {"taken", gunzip_taken},
      {NULL, NULL},
  };
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = gunzip_close};
  sc3l_check_version(L);
  sc3l_new_type(L, &type);
  sc3l_new_view_type(L, VIEW);
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, gunzip_new);
  lua_setfield(L, -2, "gunzip");
  lua_pushstring(L, zlibVersion());
  lua_setfield(L, -2, "zlib_version");
  return 1;
}
