/* "scope3.mirror_chunk": the entries of one cut of a night. */
#include "../core/mirror/chunk.h"

#include <stdlib.h>

#include "arguments.h"
#include "mirror.h"
#include "type.h"
#include "view.h"

#define TYPE "scope3.mirror_chunk"
#define VIEW "scope3.chunk_view"

static const char *const OPS[] = {"add", "remove", "note", "rejected", "refused", NULL};

static sc3_chunk_writer *check(lua_State *L) {
  return sc3l_check_mirror(L, TYPE, "chunk");
}

sc3_chunk_writer *sc3l_use_chunk(lua_State *L, int index, sc3l_mirror **mirror) {
  return sc3l_use_mirror(L, index, TYPE, "chunk", mirror);
}

static void free_chunk(void *object) {
  sc3_chunk_free(object);
  free(object);
}

/* chunk(run) -> chunk. `run` is the number of the night. */
static int chunk_new(lua_State *L) {
  const uint32_t run = (uint32_t)sc3l_check_whole(L, 1, 0, UINT32_MAX);
  sc3l_mirror *u = sc3l_new_object(L, sizeof *u, TYPE);
  sc3_chunk_writer *w = malloc(sizeof *w);
  if (w == NULL)
    return luaL_error(L, "not enough memory");
  sc3_chunk_begin(w, run);
  u->free_object = free_chunk;
  u->object = w;
  return 1;
}

/* :add(op, audience, id, hash, cells, member) -> its number, from 1 | nil, message, "too_large".
   `op` is "add", "remove", "note", "rejected" or "refused"; audiences are numbered from 0. A
   removal has neither cells nor member, and a rejected row no member. */
static int chunk_add(lua_State *L) {
  sc3_chunk_writer *w = check(L);
  sc3_mirror_entry e;
  luaL_checktype(L, 2, LUA_TSTRING);
  e.op = (sc3_entry_op)(luaL_checkoption(L, 2, NULL, OPS) + 1);
  e.audience = (unsigned)sc3l_check_whole(L, 3, 0, SC3_MIRROR_AUDIENCES - 1);
  e.id = sc3l_check_id(L, 4);
  e.hash = sc3l_check_hash(L, 5);
  e.cells = e.op == SC3_ENTRY_REMOVE ? 0 : sc3l_check_hash(L, 6);
  e.member = e.op == SC3_ENTRY_ADD || e.op == SC3_ENTRY_NOTE ? sc3l_check_hash(L, 7) : 0;
  if (!sc3l_mirror_is_well(L, sc3_chunk_put(w, &e)))
    return 3;
  sc3l_push_count(L, w->count);
  return 1;
}

/* :count() -> entries */
static int chunk_count(lua_State *L) {
  sc3l_push_count(L, check(L)->count);
  return 1;
}

/* :size() -> entries, bytes of the blob */
static int chunk_size(lua_State *L) {
  const sc3_chunk_writer *w = check(L);
  sc3l_push_count(L, w->count);
  sc3l_push_count(L, w->out.n);
  return 2;
}

/* :blob() -> text. More entries may follow, which are in the next one. */
static int chunk_blob(lua_State *L) {
  sc3_slice blob;
  (void)check(L);
  sc3l_push_copier(L);
  if (!sc3l_mirror_is_well(L, sc3_chunk_end(check(L), &blob)))
    return 3;
  sc3l_copy_text(L, lua_touserdata(L, 1), blob);
  return 1;
}

/* chunk_audience(blob) -> the number of the audience, from 0, of its first entry that is of one;
   nil where none is. The blob is a text or a view. */
static int chunk_audience(lua_State *L) {
  sc3_chunk_reader reader;
  sc3_mirror_entry entry;
  sc3_mirror_status status = sc3_chunk_open(&reader, sc3l_check_blob(L, 1), SC3_MIRROR_AUDIENCES);
  do {
    if (status == SC3_MIRROR_OK)
      status = sc3_chunk_next(&reader, &entry);
    if (status != SC3_MIRROR_OK || entry.id.p == NULL)
      return 0;
  } while (entry.op == SC3_ENTRY_BLANK);
  sc3l_push_count(L, entry.audience);
  return 1;
}

/* :show(work) -> true | nil, message, "too_large". Calls work() with a view of the blob, which ends
   when it returns. Meanwhile nothing may be added. */
static int chunk_show(lua_State *L) {
  sc3l_mirror *u;
  sc3_slice blob;
  sc3l_view *view;
  int failed;
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  sc3l_checkstack(L, 8);
  view = sc3l_push_view(L, VIEW);
  if (!sc3l_mirror_is_well(L, sc3_chunk_end(sc3l_use_chunk(L, 1, &u), &blob)))
    return 3;
  view->bytes = blob;
  sc3l_hold_mirror(u);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3); /* the view stays where it is: the function may drop its own */
  failed = lua_pcall(L, 1, 0, 0);
  view->bytes.p = NULL;
  sc3l_leave_mirror(u, 1);
  if (failed)
    return lua_error(L);
  lua_pushboolean(L, 1);
  return 1;
}

/* :reset(): empties it. */
static int chunk_reset(lua_State *L) {
  sc3_chunk_empty(check(L));
  return 0;
}

static int chunk_close(lua_State *L) {
  return sc3l_end_mirror(L, TYPE);
}

void sc3l_open_mirror_chunk(lua_State *L) {
  static const luaL_Reg methods[] = {{"add", chunk_add},
                                     {"blob", chunk_blob},
                                     {"count", chunk_count},
                                     {"reset", chunk_reset},
                                     {"show", chunk_show},
                                     {"size", chunk_size},
                                     {NULL, NULL}};
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = chunk_close};
  sc3l_new_type(L, &type);
  sc3l_new_view_type(L, VIEW);
  lua_pushcfunction(L, chunk_new);
  lua_setfield(L, -2, "chunk");
  lua_pushcfunction(L, chunk_audience);
  lua_setfield(L, -2, "chunk_audience");
}
