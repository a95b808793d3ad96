/* Why an input cannot be read any further, as a table for Lua. No cell is quoted. */
#ifndef SC3L_FATAL_H
#define SC3L_FATAL_H

#include "../core/rows/input.h"
#include "compat.h"

/* Pushes { reason=, message=, what=, row=, line=, column=, lines= }, each where it is known. */
void sc3l_push_fatal(lua_State *L, const sc3_fatal *f);

/* Pushes { reason = "read_error", message = the system's text of an errno }. */
void sc3l_push_read_error(lua_State *L, int error);

/* Sets `row`, `line` and `column` of the table on top of the stack, each counted from 1; 0 is not
 * known and left out. */
void sc3l_set_position(lua_State *L, uint64_t row, uint64_t line, uint64_t column);

#endif
