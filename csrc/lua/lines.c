/* Binds "scope3.lines": a text of members as lines (core/members/lines.h), which goes from a spool
 * to a connection without becoming a text of Lua. */
#include "lines.h"

#include <stdint.h>

#include "open.h"
#include "type.h"

#define TYPE "scope3.lines"

enum { KEPT = 1 << 20 }; /* bytes of memory that one keeps when it is emptied */

typedef struct lines_ud {
  sc3_buffer bytes;
  int closed;
} lines_ud;

static lines_ud *check_open(lua_State *L, int index) {
  lines_ud *u = luaL_checkudata(L, index, TYPE);
  if (u->closed)
    sc3l_raise_closed(L, "list of lines");
  return u;
}

sc3_buffer *sc3l_check_lines(lua_State *L, int index) {
  return &check_open(L, index)->bytes;
}

size_t sc3l_write_lines(lua_State *L, int index, char *out) {
  const sc3_buffer *bytes = sc3l_check_lines(L, index);
  if (out != NULL && bytes->n > 0)
    memcpy(out, bytes->p, bytes->n);
  return bytes->n;
}

/* lines() -> an empty one */
static int lines_new(lua_State *L) {
  lines_ud *u = sc3l_new_object(L, sizeof *u, TYPE);
  sc3_buffer_init(&u->bytes, SIZE_MAX / 2);
  return 1;
}

/* :size() -> bytes */
static int lines_size(lua_State *L) {
  sc3l_push_count(L, sc3l_check_lines(L, 1)->n);
  return 1;
}

/* :text() -> all of it */
static int lines_text(lua_State *L) {
  const sc3_buffer *bytes = sc3l_check_lines(L, 1);
  lua_pushlstring(L, bytes->n > 0 ? bytes->p : "", bytes->n);
  return 1;
}

/* :reset(). Empties it; its memory is kept for what comes next, unless it is much. */
static int lines_reset(lua_State *L) {
  sc3_buffer *bytes = sc3l_check_lines(L, 1);
  bytes->n = 0;
  if (bytes->capacity > KEPT)
    sc3_buffer_free(bytes);
  return 0;
}

static int lines_close(lua_State *L) {
  lines_ud *u = luaL_checkudata(L, 1, TYPE);
  u->closed = 1;
  sc3_buffer_free(&u->bytes);
  return 0;
}

void sc3l_open_lines(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"reset", lines_reset}, {"size", lines_size}, {"text", lines_text}, {NULL, NULL}};
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = lines_close};
  sc3l_new_type(L, &type);
  lua_pushcfunction(L, lines_new);
  lua_setfield(L, -2, "lines");
}
