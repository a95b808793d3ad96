/* Values of rows that are tables, found by the names that people use for them; and rows of sources,
 * which find theirs so. */
#ifndef SC3L_TABLE_LOOK_H
#define SC3L_TABLE_LOOK_H

#include "../core/rows/look.h"
#include "compat.h"

/* Looks in the table at `index` as sc3_look() does in a record, and in the tables that it holds.
   Pushes the value: nil unless SC3_LOOKED_ONE. Calls no metamethod. */
sc3_looked sc3l_table_lookup(lua_State *L, int index, sc3_slice name);

/* Pushes the metatable of the rows that a source gives: of CSV with these columns (0 without a
 * header), which raises for a name that no column has, or of JSON Lines. */
void sc3l_push_row_meta(lua_State *L, int is_csv, const sc3_slice *names, size_t n);

/* Whether the table at `index` is such a row. */
int sc3l_is_row(lua_State *L, int index);

#endif
