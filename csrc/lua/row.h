/* "scope3.row": a read-only view of the row that a script is given. It owns nothing, so it has no
 * close(): row.close is a column. */
#ifndef SC3L_ROW_H
#define SC3L_ROW_H

#include "../core/rows/record.h"
#include "compat.h"

typedef struct sc3l_row {
  const sc3_record *record; /* NULL outside of a call */
  int by_name;              /* JSON Lines: fields carry their names */
} sc3l_row;

/* Pushes a view of the rows of the source at `index`. */
void sc3l_new_row(lua_State *L, int index);

/* Around each call of a script. */
void sc3l_row_open(sc3l_row *row, const sc3_record *record);
void sc3l_row_close(sc3l_row *row);

/* Adds keys to the array on top of the stack: those that were asked of the view at `index` and that
 * no row had. */
void sc3l_row_missing(lua_State *L, int index);

#endif
