/* Arguments and tables of options, as Lua gives them to any binding. */
#ifndef SC3L_ARGUMENTS_H
#define SC3L_ARGUMENTS_H

#include "../core/bytes/slice.h"
#include "compat.h"

/* The string at `index`; raises on other types, numbers too. Its bytes live as long as Lua holds
 * the string. */
sc3_slice sc3l_check_string(lua_State *L, int index);

/* The number of seconds in `field` of the table at `index`; `def` when nil. Raises on another type,
 * a negative number or a NaN. */
double sc3l_opt_seconds(lua_State *L, int index, const char *field, double def);

/* Pushes the string in `field` of the table at `index`, and returns its bytes. When it is nil,
   pushes nothing and returns {NULL, 0}. Raises on another type. The bytes live as long as the table
   holds the string. */
sc3_slice sc3l_opt_string(lua_State *L, int index, const char *field);

/* The same of a text that is written into a request, where a control character could start a line
   of its own: raises for one, and does not show the text, which may be a secret. NULL when nil. */
const char *sc3l_opt_clean(lua_State *L, int index, const char *field);

/* The number at `index`, at least 1 and below 2^32; raises for others. `what` begins the message.
 */
size_t sc3l_check_size(lua_State *L, int index, const char *what);

/* Raises unless every key of the table at `index` is a string listed in `known`, which ends with
   NULL. `what` begins the message. */
void sc3l_check_keys(lua_State *L, int index, const char *const *known, const char *what);

#endif
