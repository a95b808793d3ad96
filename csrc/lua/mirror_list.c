/* "scope3.mirror_list": which entries of chunks go again in a payload. */
#include "../core/mirror/again.h"

#include <stdlib.h>

#include "mirror.h"
#include "type.h"

#define TYPE "scope3.mirror_list"

static sc3_again_list *check(lua_State *L) {
  return sc3l_check_mirror(L, TYPE, "list");
}

sc3_again_list *sc3l_use_list(lua_State *L, int index, sc3l_mirror **mirror) {
  return sc3l_use_mirror(L, index, TYPE, "list", mirror);
}

static void free_list(void *object) {
  sc3_again_free(object);
  free(object);
}

/* list() -> list */
static int list_new(lua_State *L) {
  sc3l_mirror *u = sc3l_new_object(L, sizeof *u, TYPE);
  sc3_again_list *list = malloc(sizeof *list);
  if (list == NULL)
    return luaL_error(L, "not enough memory");
  sc3_again_init(list);
  u->free_object = free_list;
  u->object = list;
  return 1;
}

/* :count() -> entries */
static int list_count(lua_State *L) {
  sc3l_push_count(L, sc3_again_count(check(L)));
  return 1;
}

/* :numbers() -> {numbers of chunks}, {numbers of entries in them}: one each for a member of the
   payload, in its order. */
static int list_numbers(lua_State *L) {
  const size_t n = sc3_again_count(check(L));
  const sc3_again_list *list;
  size_t i;
  sc3l_checkstack(L, 4);
  lua_createtable(L, (int)n, 0);
  lua_createtable(L, (int)n, 0);
  list = check(L); /* once more: that may have run finalizers. What follows has its room already */
  for (i = 0; i < n; i++) {
    const sc3_again again = sc3_again_at(list, i);
    sc3l_push_count(L, again.chunk);
    lua_rawseti(L, -3, (int)i + 1);
    sc3l_push_count(L, again.entry);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 2;
}

/* :reset(): empties it. */
static int list_reset(lua_State *L) {
  sc3_again_empty(check(L));
  return 0;
}

static int list_close(lua_State *L) {
  return sc3l_end_mirror(L, TYPE);
}

void sc3l_open_mirror_list(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"count", list_count}, {"numbers", list_numbers}, {"reset", list_reset}, {NULL, NULL}};
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = list_close};
  sc3l_new_type(L, &type);
  lua_pushcfunction(L, list_new);
  lua_setfield(L, -2, "list");
}
