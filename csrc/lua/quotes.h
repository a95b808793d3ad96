/* Whether a text quotes a row: what a script says of a failed row may hold personal data. */
#ifndef SC3L_QUOTES_H
#define SC3L_QUOTES_H

#include "../core/rows/record.h"
#include "compat.h"

/* True when the text holds a value of the record. */
int sc3l_quotes_record(lua_State *L, sc3_slice text, const sc3_record *record);

/* True when it holds a value that lies in the table at `row`, however deep. Also true when the
 * table is too large to be searched. */
int sc3l_quotes_table(lua_State *L, sc3_slice text, int row);

#endif
