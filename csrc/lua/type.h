/* Registers userdata types and exports modules, for all modules in C. */
#ifndef SC3L_TYPE_H
#define SC3L_TYPE_H

#include "compat.h"

/* Marks luaopen_*, the only symbol that a module exports. */
#if defined(__GNUC__)
#define SC3L_EXPORT __attribute__((visibility("default")))
#else
#define SC3L_EXPORT
#endif

typedef struct sc3l_type {
  const char *name;           /* of the metatable, such as "scope3.payload" */
  const luaL_Reg *methods[4]; /* up to four lists, without close; each ends with {NULL, NULL} */
  const luaL_Reg *meta;       /* further metamethods; may be NULL */
  lua_CFunction end;   /* frees what the object owns: idempotent, never raises; NULL = nothing */
  lua_CFunction close; /* :close() of a type that may refuse it; NULL = `end` */
} sc3l_type;

/* Makes the metatable of a type: __index holds the methods and :close(), __name the name, and
   __metatable is false. __gc and, from Lua 5.4 on, __close call `end`. Leaves nothing on the stack.
 */
void sc3l_new_type(lua_State *L, const sc3l_type *type);

/* Pushes a userdata of `size` zeroed bytes with the metatable `name`, and returns it. The caller
 * marks it as closed before it calls Lua again, where zeros do not mean that. */
void *sc3l_new_object(lua_State *L, size_t size, const char *name);

/* Raises "attempt to use a closed <what>". */
int sc3l_raise_closed(lua_State *L, const char *what);

/* Raises where the host runs another version of Lua than this was compiled for. 5.1 cannot know. */
void sc3l_check_version(lua_State *L);

#endif
