/* What all payloads of a Lua state hold. Lua's collector sees a few words of each, and would let
 * hundreds of megabytes of dropped ones stand; so it is run when they have piled up. */
#ifndef SC3L_HOLDINGS_H
#define SC3L_HOLDINGS_H

#include <stddef.h>

#include "compat.h"

typedef struct sc3l_holdings sc3l_holdings;

/* Makes those of the Lua state, where they do not exist yet. */
void sc3l_make_holdings(lua_State *L);

/* Those of the Lua state, which live as long as it does. */
sc3l_holdings *sc3l_find_holdings(lua_State *L);

/* Adds bytes, and runs the collector when they are too many: more than twice what the last run
 * left, and more than the rest of Lua has. Finalizers may run. */
void sc3l_grow_holdings(lua_State *L, sc3l_holdings *h, size_t bytes);

/* Takes bytes out. */
void sc3l_shrink_holdings(sc3l_holdings *h, size_t bytes);

#endif
