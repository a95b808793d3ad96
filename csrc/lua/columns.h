/* Columns by their names: looking one up in a header, and the errors for those that are not there.
 */
#ifndef SC3L_COLUMNS_H
#define SC3L_COLUMNS_H

#include "../core/rows/header.h"
#include "compat.h"

/* A column that is asked for by name. */
typedef struct sc3l_column_search {
  const sc3_slice *names; /* of the header */
  size_t count;
  sc3_slice name; /* what was asked for; ends with a NUL */
  sc3_header_found found;
  size_t at[2]; /* its place, or the two that may be meant: see sc3_header_find() */
} sc3l_column_search;

/* Looks the name up, as maps do. */
sc3l_column_search sc3l_search_column(const sc3_slice *names, size_t count, sc3_slice name);

/* Raises for a search that found none (SC3_HEADER_NONE), or two that may be meant. */
int sc3l_raise_no_column(lua_State *L, const sc3l_column_search *search);

/* Pushes an array of the names. */
void sc3l_push_names(lua_State *L, const sc3_slice *names, size_t count);

#endif
