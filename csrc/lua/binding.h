/* What the bindings share: type registration, checked access, and the one function a type registers
 * with. */
#ifndef SC3L_BINDING_H
#define SC3L_BINDING_H

#include "../core/bytes/slice.h"
#include "compat.h"

/* Names of the metatables. */
#define SC3L_TYPE_PAYLOAD "scope3.payload"
#define SC3L_TYPE_BUILDER "scope3.builder"
#define SC3L_TYPE_ROW "scope3.row"
#define SC3L_TYPE_SOURCE "scope3.source"
#define SC3L_TYPE_ENGINE "scope3.engine"
#define SC3L_TYPE_APPEND_FILE "scope3.append_file"
#define SC3L_TYPE_COUNT_FILE "scope3.count_file"
#define SC3L_TYPE_ID_SET "scope3.id_set"
#define SC3L_TYPE_SPOOL "scope3.spool"

/* Makes the metatable `name`: `methods` under __index, `meta` beside it (may be NULL), __name,
   __metatable = false;
   __gc and, from 5.4 on, __close both call `close`. Leaves nothing on the stack. */
void sc3l_new_type(lua_State *L, const char *name, const luaL_Reg *methods, const luaL_Reg *meta,
                   lua_CFunction close);

/* Raises "attempt to use a closed <what>". */
int sc3l_raise_closed(lua_State *L, const char *what);

/* Reads a number of seconds at `field` of the table at `index`; `def` when nil. Raises on a wrong
 * type, a negative or a NaN. */
double sc3l_opt_seconds(lua_State *L, int index, const char *field, double def);

/* Pushes the field `field` of the table at `index` when it is a string, and returns its bytes;
   {NULL, 0} and nothing pushed when nil. Raises on another type. The bytes live as long as the
   table holds the string. */
sc3_slice sc3l_opt_string(lua_State *L, int index, const char *field);

/* Raises unless every key of the table at `index` is a string listed in `known` (NULL-terminated).
 */
void sc3l_check_keys(lua_State *L, int index, const char *const *known, const char *what);

/* Each adds its functions to the table on top of the stack. */
void sc3l_open_identity(lua_State *L);
void sc3l_open_payload(lua_State *L);
void sc3l_open_builder(lua_State *L);
void sc3l_open_source(lua_State *L);
void sc3l_open_id_set(lua_State *L);
void sc3l_open_engine(lua_State *L);
void sc3l_open_libcurl(lua_State *L);
void sc3l_open_process(lua_State *L);
void sc3l_open_standard(lua_State *L);
void sc3l_open_append_file(lua_State *L);
void sc3l_open_callback(lua_State *L);
void sc3l_open_count_file(lua_State *L);
void sc3l_open_spool(lua_State *L);
void sc3l_open_values(lua_State *L);
void sc3l_open_json(lua_State *L);

#endif
