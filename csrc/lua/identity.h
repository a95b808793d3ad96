/* Options of identities as Lua gives them. */
#ifndef SC3_LUA_IDENTITY_H
#define SC3_LUA_IDENTITY_H

#include "../core/members/member.h"
#include "../core/identity/reason.h"
#include "compat.h"

/* The set of repairs of phones that the array of names at `index` stands for, such as {"plus",
 * "words"}; none for nil. Raises for other names. */
sc3_repairs sc3_checkphonerepairs(lua_State *L, int index);

/* What becomes of external ids that are emails or phones: "refuse", "hash" or "as_is" at `index`;
 * nil refuses. */
sc3_ids sc3_checkids(lua_State *L, int index);

#endif
