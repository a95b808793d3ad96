/* What the builder needs of "scope3.id_set". */
#ifndef SC3_LUA_ID_SET_H
#define SC3_LUA_ID_SET_H

#include "../core/members/id_set.h"
#include "binding.h"

/* The set at `index`; raises when it is none. It lives as long as the value is anchored. */
sc3_id_set *sc3_checkidset(lua_State *L, int index);

/* While the set at `index` is used, which sc3_checkidset() took, closing it frees nothing. Neither
 * raises. */
void *sc3_useidset(lua_State *L, int index);
void sc3_leaveidset(void *set);

#endif
