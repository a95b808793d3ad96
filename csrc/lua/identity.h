/* Options of identities as Lua gives them, for all who read identities. */
#ifndef SC3L_IDENTITY_H
#define SC3L_IDENTITY_H

#include "../core/members/member.h"
#include "../core/identity/reason.h"
#include "compat.h"

/* The set of repairs of phones that the array of names at `index` stands for, such as {"plus",
 * "words"}; none for nil. Raises for other names. */
sc3_repairs sc3l_check_phone_repairs(lua_State *L, int index);

/* What becomes of external ids that are emails or phones: "refuse", "hash" or "as_is" at `index`;
 * nil refuses. */
sc3_ids sc3l_check_ids(lua_State *L, int index);

#endif
