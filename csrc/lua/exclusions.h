/* "scope3.exclusions", who is never sent: what the builder needs of it. */
#ifndef SC3L_EXCLUSIONS_H
#define SC3L_EXCLUSIONS_H

#include "../core/members/exclusions.h"
#include "compat.h"

/* Those at `index`; raises when they are none, or closed. Whoever keeps them holds them. */
sc3_exclusions *sc3l_check_exclusions(lua_State *L, int index);

#endif
