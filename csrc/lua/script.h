/* Transformation scripts: where(row) and member(row) decide about a row. */
#ifndef SC3L_SCRIPT_H
#define SC3L_SCRIPT_H

#include "builder.h"

/* A row on its way into a payload. */
typedef struct sc3l_staging {
  sc3l_builder *u;
  const sc3_payload *payload; /* where its members will go: memory is fetched ahead */
  int values;                 /* stack index of the builder's user value */
  int row;                    /* stack index of a row that is a table; 0 = the builder's record */
  int audience;               /* whose where() is asked, from 1; 0 = that of all */
} sc3l_staging;

/* Takes the row, which was begun, through where, then member or map, and ends it. NULL, or a
   message without any value of the row, left on top of the stack: the script failed, and the row
   was not ended. */
const char *sc3l_stage_row(lua_State *L, const sc3l_staging *staging);

/* Takes the row, which conditions have not skipped, through where() of a builder, or of one of its
   audiences, that has one.
   NULL, or a message that is left on top. */
const char *sc3l_ask_where(lua_State *L, const sc3l_staging *staging, int *skipped);

#endif
