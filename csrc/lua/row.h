/* "scope3.row": a read-only look at the row that a script is given. */
#ifndef SC3_LUA_ROW_H
#define SC3_LUA_ROW_H

#include "../core/record.h"
#include "binding.h"

typedef struct sc3_row {
  const sc3_record *record; /* NULL outside of a call */
  int by_name;              /* JSON Lines: fields carry their names */
} sc3_row;

/* Pushes a view of the rows of the source at `index`. */
void sc3_row_new(lua_State *L, int index);

/* Around each call of a script. */
void sc3_row_open(sc3_row *row, const sc3_record *record);
void sc3_row_close(sc3_row *row);

void sc3_open_row(lua_State *L);

#endif
