/* "scope3.mirror_without": blobs of a state without people who are to be forgotten. */
#include "../core/mirror/without.h"

#include <stdlib.h>

#include "arguments.h"
#include "mirror.h"
#include "type.h"

#define TYPE "scope3.mirror_without"

typedef struct without {
  unsigned bits, audiences;
  sc3_hash_list gone;
  sc3_members_writer members;
  sc3_chunk_writer chunk;
} without;

static without *check(lua_State *L) {
  return sc3l_check_mirror(L, TYPE, "object");
}

static void free_without(void *object) {
  without *w = object;
  sc3_hash_list_free(&w->gone);
  sc3_members_free(&w->members);
  sc3_chunk_free(&w->chunk);
  free(w);
}

/* without{ hashes, parts = 256, audiences = 1 } -> object. `hashes` is a text of key_hash() of
   each. */
static int without_new(lua_State *L) {
  static const char *const known[] = {"audiences", "hashes", "parts", NULL};
  unsigned audiences, bits;
  sc3_slice hashes;
  sc3l_mirror *u;
  without *w;
  luaL_checktype(L, 1, LUA_TTABLE);
  sc3l_check_keys(L, 1, known, "without");
  audiences = sc3l_check_audiences(L);
  bits = sc3l_check_parts(L);
  hashes = sc3l_opt_string(L, 1, "hashes");
  u = sc3l_new_object(L, sizeof *u, TYPE);
  w = calloc(1, sizeof *w);
  if (w == NULL)
    return luaL_error(L, "not enough memory");
  u->free_object = free_without;
  u->object = w;
  w->bits = bits;
  w->audiences = audiences;
  sc3_members_begin(&w->members, audiences);
  sc3_chunk_begin(&w->chunk, 0);
  (void)sc3l_mirror_is_well(L, sc3_hash_list_read(&w->gone, hashes)); /* raises what may fail */
  return 1;
}

/* Pushes the new blob and how many are gone; false where nobody is. */
static int push_blob(lua_State *L, sc3_mirror_status status, sc3_slice blob, uint32_t gone) {
  sc3l_mirror *u = lua_touserdata(L, 1);
  if (!sc3l_mirror_is_well(L, status))
    return 3;
  if (gone == 0) {
    lua_pushboolean(L, 0);
    return 1;
  }
  u->lost = 1; /* a finalizer must not write the next blob where this one lies */
  sc3l_copy_text(L, u, blob);
  u->lost = 0;
  sc3l_push_count(L, gone);
  return 2;
}

/* :members(number, blob) -> the new blob of a partition, how many are gone | false, where nobody is
   | nil, message, code */
static int without_members(lua_State *L) {
  without *w = check(L);
  const size_t part = sc3l_check_part(L, 2, w->bits);
  const sc3_slice from = sc3l_check_string(L, 3);
  sc3_members_reader reader;
  sc3_slice blob = {NULL, 0};
  uint32_t gone = 0;
  sc3_mirror_status status;
  sc3l_push_copier(L);
  w = check(L);
  w->members.out.n = 0;
  w->members.count = 0;
  status = sc3_members_open(&reader, from, part, w->bits, w->audiences);
  if (status == SC3_MIRROR_OK)
    status = sc3_members_without(&w->members, &reader, &w->gone, &blob, &gone);
  return push_blob(L, status, blob, gone);
}

/* :chunk(blob) -> the new blob of a chunk, whose other entries keep their numbers, and how many are
   gone | false | nil, message, code. The blob is a text or a view. */
static int without_chunk(lua_State *L) {
  without *w;
  const sc3_slice from = sc3l_check_blob(L, 2);
  sc3_chunk_reader reader;
  sc3_slice blob = {NULL, 0};
  uint32_t gone = 0;
  sc3_mirror_status status;
  sc3l_push_copier(L);
  w = check(L);
  w->chunk.out.n = 0;
  w->chunk.count = 0;
  status = sc3_chunk_open(&reader, from, w->audiences);
  if (status == SC3_MIRROR_OK) {
    w->chunk.run = reader.run;
    status = sc3_chunk_without(&w->chunk, &reader, &w->gone, &blob, &gone);
  }
  return push_blob(L, status, blob, gone);
}

static int without_close(lua_State *L) {
  return sc3l_end_mirror(L, TYPE);
}

void sc3l_open_mirror_without(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"chunk", without_chunk}, {"members", without_members}, {NULL, NULL}};
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = without_close};
  sc3l_new_type(L, &type);
  lua_pushcfunction(L, without_new);
  lua_setfield(L, -2, "without");
}
