/* The module scope3.core: luaopen_scope3_core() is the only symbol that it exports. */
#include <string.h>

#include "open.h"
#include "type.h"
#include "version.h"

/* Times, row numbers and sizes are Lua numbers: with the 32 bits of LUA_32BITS a time has steps of
 * two minutes. */
_Static_assert(sizeof(lua_Number) >= sizeof(double),
               "scope3 needs a Lua whose numbers have 64 bits: this one was built with LUA_32BITS");
#if LUA_VERSION_NUM >= 503
_Static_assert(
    sizeof(lua_Integer) >= 8,
    "scope3 needs a Lua whose integers have 64 bits: this one was built with LUA_32BITS");
#endif

SC3L_EXPORT int luaopen_scope3_core(lua_State *L);

/* nginx's master keeps a C module through a reload, and reads the Lua files anew, which an upgrade
 * may have replaced. Where there are none, as in a host that has the core alone, nothing is
 * compared. */
static void check_lua_files(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "scope3.version");
  if (lua_pcall(L, 1, 1, 0) == 0 && lua_type(L, -1) == LUA_TSTRING &&
      strcmp(lua_tostring(L, -1), SC3L_VERSION) != 0)
    luaL_error(L,
               "scope3.core is of version %s, and its Lua files are of %s: install both of one "
               "version, and restart what has loaded it (a reload of nginx is not enough)",
               SC3L_VERSION, lua_tostring(L, -1));
  lua_pop(L, 1);
}

SC3L_EXPORT int luaopen_scope3_core(lua_State *L) {
  sc3l_check_version(L);
  check_lua_files(L);
  lua_createtable(L, 0, 40);
  sc3l_open_identity(L);
  sc3l_open_payload(L);
  sc3l_open_builder(L);
  sc3l_open_row(L);
  sc3l_open_source(L);
  sc3l_open_exclusions(L);
  sc3l_open_id_set(L);
  sc3l_open_process(L);
  sc3l_open_standard(L);
  sc3l_open_append_file(L);
  sc3l_open_webhook(L);
  sc3l_open_count_file(L);
  sc3l_open_lines(L);
  sc3l_open_spool(L);
  sc3l_open_values(L);
  sc3l_open_json(L);
  sc3l_open_mirror(L);
  sc3l_open_resp(L);
  return 1;
}
