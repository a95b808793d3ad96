/* Numbers between the core and Lua. */
#ifndef SC3L_VALUES_H
#define SC3L_VALUES_H

#include "../core/bytes/number.h"
#include "compat.h"

/* Pushes a number, as an integer where Lua has them and it is written as one. */
void sc3l_push_number(lua_State *L, const sc3_number *number);

/* Reads the number on top of the stack. */
sc3_number sc3l_to_number(lua_State *L);

/* Writes the number on top of the stack, as digits alone when it is an exact integer, and returns
 * its bytes. */
size_t sc3l_write_number(lua_State *L, char out[SC3_NUMBER_TEXT]);

#endif
