/* Values of rows that are tables of Lua, found by the names that people use for them. */
#ifndef SC3L_TABLE_LOOKUP_H
#define SC3L_TABLE_LOOKUP_H

#include "../core/rows/lookup.h"
#include "compat.h"

/* Looks in the table at `index` as sc3_lookup_find() does in a record, and in the tables that it
   holds. Pushes the value: nil unless SC3_LOOKUP_ONE. Calls no metamethod. */
sc3_lookup_result sc3l_table_lookup(lua_State *L, int index, sc3_slice name);

#endif
