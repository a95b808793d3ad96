/* Binds "scope3.builder": rows from a source, or tables from Lua, become members of a payload. */
#include "arguments.h"
#include "builder.h"
#include "builder_fill.h"
#include "builder_night.h"
#include "builder_options.h"
#include "builder_report.h"
#include "id_set.h"
#include "open.h"
#include "payload.h"
#include "type.h"

/* builder{ remove = false, max_member = bytes, rejections = false, repair = true, ids = "refuse",
   region = nil, phone_repairs = {names} or nil, exclusions = nil, prepared = false, conditions =
   {{operator, column or name, {values}, decimal =, ignore_case =, blank =, audience =}, ...},
   columns = {key of a row that is a table, ...}, map = {{role, column or name, uid type}, ...},
   where = f, wheres = {[number of an audience] = f}, member = f } */
static int builder_new(lua_State *L) {
  static const char *const known[] = {"remove",  "max_member", "rejections",    "map",
                                      "where",   "wheres",     "member",        "repair",
                                      "ids",     "region",     "phone_repairs", "conditions",
                                      "columns", "exclusions", "prepared",      NULL};
  sc3l_builder *u;
  luaL_checktype(L, 1, LUA_TTABLE);
  sc3l_check_keys(L, 1, known, "builder");
  lua_settop(L, 1);
  u = sc3l_new_object(L, sizeof *u, SC3L_BUILDER);
  u->closed = 1;
  sc3l_read_builder_options(L, u);
  return 1;
}

/* Of the collector, and of a variable that goes out of scope. */
static int builder_end(lua_State *L) {
  sc3l_builder_end(luaL_checkudata(L, 1, SC3L_BUILDER));
  return 0;
}

/* :close(). Raises when its own callback calls it. */
static int builder_close(lua_State *L) {
  const sc3l_builder *u = luaL_checkudata(L, 1, SC3L_BUILDER);
  if (u->in_script)
    return luaL_error(L, "a builder was closed from inside its own callback");
  return builder_end(L);
}

/* true, or false and what is full */
static int push_flushed(lua_State *L, sc3l_builder *u, sc3_payload *p) {
  const char *full = sc3l_builder_flush(L, u, p, 1);
  lua_pushboolean(L, full == NULL);
  if (full == NULL)
    return 1;
  lua_pushstring(L, full);
  return 2;
}

/* :epoch(id set, payload of the next epoch), or :epoch() for none: from now on members of sealed
 * ids go to that payload. */
static int builder_epoch(lua_State *L) {
  sc3l_builder *u = sc3l_check_builder(L);
  lua_settop(L, 3);
  u->in_epoch = !lua_isnil(L, 2);
  if (u->in_epoch) {
    (void)sc3l_check_id_set(L, 2);
    (void)sc3l_check_payload(L, 3);
  }
  sc3l_getuservalue(L, 1);
  lua_pushvalue(L, 2);
  lua_setfield(L, 4, KEY_SEALED);
  lua_pushvalue(L, 3);
  lua_setfield(L, 4, KEY_NEXT);
  return 0;
}

/* :flush(payload) -> true | false, "full" (the payload: flush to the next one) | false, "turn"
 * (that of the next epoch) */
static int builder_flush(lua_State *L) {
  sc3l_builder *u = sc3l_check_builder(L);
  sc3_payload *p = sc3l_check_payload(L, 2);
  sc3l_builder_look_at_epoch(L, u);
  return push_flushed(L, u, p);
}

/* Puts the member that was staged into the payload. One that finds no memory for it counts as full:
 * after an error nobody would know that the member waits. */
static int push_added(lua_State *L, sc3l_builder *u, sc3_payload *p) {
  if (sc3_builder_flush(&u->b, p) != SC3_ADD_NOMEM)
    return push_flushed(L, u, p);
  lua_pushboolean(L, 0);
  lua_pushliteral(L, "full");
  return 2;
}

/* :add(payload, member, remove, level, name of the function to blame for) -> as :flush(), which is
   to follow when it is false | nil, reason key Each call is a row of its own. */
static int builder_add(lua_State *L) {
  sc3l_builder *u = sc3l_check_builder(L);
  sc3_payload *p = sc3l_check_payload(L, 2);
  const int level = (int)luaL_optinteger(L, 5, 1);
  const char *what = luaL_optstring(L, 6, NULL);
  sc3l_member member; /* of this call alone: each builder would carry its two kilobytes */
  sc3_status st;
  int results;
  if (!lua_istable(L, 3))
    return sc3l_raise_misuse(
        L, level, what,
        lua_pushfstring(L, "a member must be a table, not a %s", lua_typename(L, lua_type(L, 3))));
  if (sc3_builder_waiting(&u->b))
    return luaL_error(L, "the member before waits for room: flush it first");
  sc3l_checkstack(L, 10);
  sc3l_builder_look_at_epoch(L, u);
  sc3l_clear_member(&member, lua_toboolean(L, 4) ? SC3_REMOVE : u->b.op);
  if (sc3l_read_member(L, 3, &member) != NULL)
    return sc3l_raise_misuse(L, level, what, lua_tostring(L, -1));
  sc3_builder_begin(&u->b, u->b.tally.rows + 1, 0);
  st = sc3l_stage_member(&u->b, &member);
  if (st == SC3_OK)
    st = sc3_builder_end(&u->b, 0);
  else
    sc3_builder_fail(&u->b, SC3_R_NO_MEMORY);
  sc3l_check_status(L, st);
  if (!sc3_builder_waiting(&u->b)) {
    lua_pushnil(L);
    lua_pushstring(L, sc3_reason_key(u->b.row_rejected));
    return 2;
  }
  results = push_added(L, u, p);
  sc3l_count_payload(L, 2); /* when all is done: finalizers may run */
  return results;
}

/* :columns(map, conditions): what builder{} took as such, for a source with other columns than the
 * one before. */
static int set_columns(lua_State *L) {
  static const sc3l_column_arguments at = {.values = 4, .map = 2, .conditions = 3};
  sc3l_builder *u = lua_touserdata(L, 1);
  sc3l_checkstack(L, 20);
  if (sc3_builder_waiting(&u->b))
    return luaL_error(L, "the row before waits for room: flush it first");
  lua_settop(L, 3);
  sc3l_getuservalue(L, 1);
  sc3l_builder_need_lookup(L, u, 4);
  sc3l_read_columns(L, u, &at);
  return 0;
}

static int builder_columns(lua_State *L) {
  return sc3l_call_busy(L, set_columns);
}

/* Words that are pushed after a member was staged: the registry holds them, so that pushing them
 * needs no memory. An error there would leave a member waiting that the caller does not know of. */
static void keep_words(lua_State *L) {
  lua_createtable(L, 2, 0);
  lua_pushliteral(L, "full");
  lua_rawseti(L, -2, 1);
  lua_pushliteral(L, "turn");
  lua_rawseti(L, -2, 2);
  lua_setfield(L, LUA_REGISTRYINDEX, "scope3.builder.words");
}

void sc3l_open_builder(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"add", builder_add},
      {"columns", builder_columns},
      {"epoch", builder_epoch},
      {"flush", builder_flush},
      {NULL, NULL},
  };
  static const sc3l_type type = {.name = SC3L_BUILDER,
                                 .methods = {methods, sc3l_builder_fill_methods,
                                             sc3l_builder_night_methods,
                                             sc3l_builder_report_methods},
                                 .end = builder_end,
                                 .close = builder_close};
  sc3l_new_type(L, &type);
  keep_words(L);
  lua_pushcfunction(L, builder_new);
  lua_setfield(L, -2, "builder");
}
