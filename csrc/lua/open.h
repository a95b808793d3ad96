/* What luaopen_scope3_core() is made of: each function registers its types and adds its functions
 * to the table on top of the stack. */
#ifndef SC3L_OPEN_H
#define SC3L_OPEN_H

#include "compat.h"

void sc3l_open_append_file(lua_State *L);
void sc3l_open_builder(lua_State *L);
void sc3l_open_webhook(lua_State *L);
void sc3l_open_count_file(lua_State *L);
void sc3l_open_exclusions(lua_State *L);
void sc3l_open_id_set(lua_State *L);
void sc3l_open_identity(lua_State *L);
void sc3l_open_json(lua_State *L);
void sc3l_open_lines(lua_State *L);
void sc3l_open_mirror(lua_State *L);
void sc3l_open_payload(lua_State *L);
void sc3l_open_process(lua_State *L);
void sc3l_open_resp(lua_State *L);
void sc3l_open_row(lua_State *L);
void sc3l_open_source(lua_State *L);
void sc3l_open_spool(lua_State *L);
void sc3l_open_standard(lua_State *L);
void sc3l_open_values(lua_State *L);

#endif
