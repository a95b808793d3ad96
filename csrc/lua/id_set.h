/* "scope3.id_set", the external ids that an epoch has sealed: what the builder needs of it. */
#ifndef SC3L_ID_SET_H
#define SC3L_ID_SET_H

#include "../core/members/id_set.h"
#include "compat.h"

/* The set at `index`; raises when it is none. It lives as long as the value is anchored. */
sc3_id_set *sc3l_check_id_set(lua_State *L, int index);

/* While the set at `index` is used, which sc3l_check_id_set() took, closing it frees nothing.
 * Neither raises. */
void *sc3l_use_id_set(lua_State *L, int index);
void sc3l_leave_id_set(void *set);

#endif
