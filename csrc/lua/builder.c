#include "builder.h"

#include <stdlib.h>

#include "id_set.h"
#include "payload.h"
#include "type.h"

sc3l_builder *sc3l_check_builder(lua_State *L) {
  sc3l_builder *u = luaL_checkudata(L, 1, SC3L_BUILDER);
  if (u->closed)
    sc3l_raise_closed(L, "builder");
  if (u->busy)
    luaL_error(L, "a builder was used from inside its own callback");
  return u;
}

static void free_when_unused(sc3l_builder *u) {
  if (!u->closed || u->busy)
    return;
  sc3_builder_free(&u->b);
  if (u->building != NULL)
    sc3_building_free(u->building);
  free(u->building);
  u->building = NULL;
  sc3_builder_init(&u->b, SC3_ADD, 0, 0); /* so that it may be freed again */
}

void sc3l_builder_end(sc3l_builder *u) {
  u->closed = 1;
  free_when_unused(u);
}

int sc3l_call_busy(lua_State *L, lua_CFunction body) {
  sc3l_builder *u;
  int failed;
  (void)sc3l_check_builder(L);
  lua_pushcfunction(L, body);
  u = sc3l_check_builder(L); /* once more: that may have run finalizers */
  lua_insert(L, 1);
  u->busy = 1;
  failed = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  u->busy = 0;
  free_when_unused(u);
  if (failed == LUA_ERRRUN) { /* the body does not know whom to blame */
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return failed ? lua_error(L) : lua_gettop(L);
}

void sc3l_script_begins(sc3l_builder *u) {
  u->in_script = 1;
  sc3l_payload_in_script(u->uses->payload, 1);
  sc3l_payload_in_script(u->uses->next, 1);
  if (u->uses->source != NULL)
    sc3l_source_lock(u->uses->source, SC3L_SOURCE_IN_SCRIPT);
}

void sc3l_script_ended(sc3l_builder *u) {
  u->in_script = 0;
  sc3l_payload_in_script(u->uses->payload, 0);
  sc3l_payload_in_script(u->uses->next, 0);
  if (u->uses->source != NULL)
    sc3l_source_lock(u->uses->source, SC3L_SOURCE_LOCKED);
}

void sc3l_builder_look_at_epoch(lua_State *L, sc3l_builder *u) {
  u->b.sealed = NULL;
  u->b.next = NULL;
  if (!u->in_epoch)
    return;
  sc3l_getuservalue(L, 1);
  lua_getfield(L, -1, KEY_SEALED);
  lua_getfield(L, -2, KEY_NEXT);
  u->b.next = sc3l_check_payload(L, lua_gettop(L));
  u->b.sealed = sc3l_check_id_set(L, lua_gettop(L) - 1);
  lua_pop(L, 3);
}

static void begin(sc3l_builder *u, sc3l_uses *uses, sc3l_source *source) {
  uses->source = source;
  if (source != NULL)
    sc3l_source_lock(source, SC3L_SOURCE_LOCKED);
  u->uses = uses;
  u->busy = 1;
}

void sc3l_builder_begin_use(lua_State *L, sc3l_builder *u, sc3l_uses *uses, sc3l_source *source) {
  memset(uses, 0, sizeof *uses);
  uses->payload = sc3l_fill_payload(L, 2);
  if (u->in_epoch) {
    sc3l_getuservalue(L, 1);
    lua_getfield(L, -1, KEY_SEALED);
    uses->sealed = sc3l_use_id_set(L, lua_gettop(L));
    lua_getfield(L, -2, KEY_NEXT);
    uses->next = sc3l_fill_payload(L, lua_gettop(L));
    lua_pop(L, 3);
  }
  begin(u, uses, source);
}

void sc3l_builder_begin_survey(sc3l_builder *u, sc3l_uses *uses, sc3l_source *source) {
  memset(uses, 0, sizeof *uses);
  begin(u, uses, source);
}

void sc3l_builder_end_use(sc3l_builder *u, sc3l_uses *uses) {
  sc3_builder_settle(&u->b); /* while the payloads are held */
  sc3l_script_ended(u);      /* which an error may have left */
  u->b.sealed = NULL;
  u->b.next = NULL;
  u->uses = NULL;
  u->busy = 0;
  if (uses->source != NULL)
    sc3l_source_lock(uses->source, SC3L_SOURCE_FREE);
  sc3l_leave_payload(uses->payload);
  sc3l_leave_payload(uses->next);
  sc3l_leave_id_set(uses->sealed);
  free_when_unused(u);
}

int sc3l_raise_misuse(lua_State *L, int level, const char *what, const char *message) {
  luaL_where(L, level);
  lua_pushfstring(L, "%s%s%s", what == NULL ? "" : what, what == NULL ? "" : ": ", message);
  lua_concat(L, 2);
  return lua_error(L);
}

const char *sc3l_builder_flush(lua_State *L, sc3l_builder *u, sc3_payload *p, int level) {
  switch (sc3_builder_flush(&u->b, p)) {
    case SC3_FULL: return "full";
    case SC3_FULL_NEXT: return "turn";
    case SC3_ADD_NOMEM: luaL_error(L, "not enough memory"); return NULL;
    case SC3_NEVER_FITS:
      (void)sc3l_raise_misuse(L, level, NULL, "a payload is smaller than the builder's max_member");
      return NULL;
    default: return NULL;
  }
}

void sc3l_check_status(lua_State *L, sc3_status st) {
  if (st != SC3_OK) /* the builder itself handles limits */
    luaL_error(L, "not enough memory");
}
