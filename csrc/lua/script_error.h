/* Errors of scripts, made fit to be shown: with their position, and without values of the row. */
#ifndef SC3L_SCRIPT_ERROR_H
#define SC3L_SCRIPT_ERROR_H

#include "../core/rows/record.h"
#include "compat.h"

/* The row that a script was given: the table at the stack index `table`, or `record` where that is
 * 0. */
typedef struct sc3l_script_row {
  int table;
  const sc3_record *record;
} sc3l_script_row;

/* True when the text holds a value of the row. */
int sc3l_quotes_row(lua_State *L, sc3_slice text, const sc3l_script_row *row);

/* The message handler for lua_pcall(): notes where the error happened. */
int sc3l_locate_error(lua_State *L);

/* Turns what sc3l_locate_error() made, on top of the stack, into a message that holds no value of
 * the row. */
void sc3l_clean_error(lua_State *L, const sc3l_script_row *row);

#endif
