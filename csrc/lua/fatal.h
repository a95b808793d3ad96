/* Why an input cannot be read any further, for people and for programs. */
#ifndef SC3_LUA_FATAL_H
#define SC3_LUA_FATAL_H

#include "../core/rows/input.h"
#include "binding.h"

/* Pushes { reason=, message=, row=, line=, column=, what= }. No cell is quoted. */
void sc3_pushfatal(lua_State *L, const sc3_fatal *f);

/* Sets these fields of the table on top of the stack, each counted from 1; 0 is not known and left
 * out. */
void sc3_setposition(lua_State *L, uint64_t row, uint64_t line, uint64_t column);

#endif
