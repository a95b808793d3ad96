/* Rows of a source as tables of Lua: a metatable finds values also by other spellings of a name. */
#ifndef SC3L_ROW_TABLE_H
#define SC3L_ROW_TABLE_H

#include "../core/bytes/slice.h"
#include "compat.h"

/* Pushes the metatable of the rows that a source gives: of CSV with these columns (0 without a
 * header), which raises for a name that no column has, or of JSON Lines. */
void sc3l_push_row_meta(lua_State *L, int is_csv, const sc3_slice *names, size_t n);

/* Whether the table at `index` is such a row. */
int sc3l_is_row(lua_State *L, int index);

#endif
