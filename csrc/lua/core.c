/* The module scope3.core: luaopen_scope3_core() is the only symbol that it exports. */
#include "open.h"
#include "type.h"

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

SC3L_EXPORT int luaopen_scope3_core(lua_State *L) {
  sc3l_check_version(L);
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
