/* Values of rows that are tables, found by the names that people use for them; and rows of sources,
 * which find theirs so. */
#ifndef SC3_LUA_TABLE_LOOK_H
#define SC3_LUA_TABLE_LOOK_H

#include "../core/rows/lookup.h"
#include "binding.h"

/* Looks in the table at `index` as sc3_lookup_find() does in a record, and in the tables that it
   holds. Pushes the value: nil unless SC3_LOOKUP_ONE. Calls no metamethod. */
sc3_lookup_result sc3_tablelook(lua_State *L, int index, sc3_slice name);

/* Pushes the metatable of the rows that a source gives: of CSV with these columns (0 without a
 * header), which raises for a name that no column has, or of JSON Lines. */
void sc3_pushrowmeta(lua_State *L, int is_csv, const sc3_slice *names, size_t n);

/* Whether the table at `index` is such a row. */
int sc3_isrow(lua_State *L, int index);

#endif
