/* Why an input cannot be read any further, for people and for programs. */
#ifndef SC3L_FATAL_H
#define SC3L_FATAL_H

#include "../core/rows/record.h"
#include "compat.h"

/* Pushes { reason=, message=, row=, line=, column=, what= }. No cell is quoted. */
void sc3l_push_fatal(lua_State *L, const sc3_fatal *f);

/* Sets these fields of the table on top of the stack, each counted from 1; 0 is not known and left
 * out. */
void sc3l_set_position(lua_State *L, uint64_t row, uint64_t line, uint64_t column);

#endif
