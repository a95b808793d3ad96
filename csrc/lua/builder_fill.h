/* The methods that take rows through a builder, and what those of builder_night.c share with them.
 */
#ifndef SC3L_BUILDER_FILL_H
#define SC3L_BUILDER_FILL_H

#include "builder.h"

extern const luaL_Reg sc3l_builder_fill_methods[];

/* Bytes and seconds after which a call returns to Lua, so that it may look at what else there is.
 */
typedef struct sc3l_budget {
  double bytes;
  double until; /* by the monotonic clock */
  unsigned rows;
} sc3l_budget;

void sc3l_begin_budget(sc3l_budget *b, double bytes, double seconds);

enum { SC3L_ROWS_BETWEEN_CLOCKS = 32 };

/* Whether the time is up, or so many bytes are too many. */
int sc3l_is_over(const sc3l_budget *b, uint64_t bytes);

/* Asked for each row: whether the budget is used up, with so many bytes. */
static inline int sc3l_is_spent(sc3l_budget *b, uint64_t bytes) {
  return ++b->rows % SC3L_ROWS_BETWEEN_CLOCKS == 0 && sc3l_is_over(b, bytes);
}

int sc3l_push_outcome(lua_State *L, const char *what);

/* Pushes what is answered when the source has no row. */
int sc3l_push_no_record(lua_State *L, const sc3l_source *s, sc3_next next);

/* A script failed, with its message on top: the row is counted, and gives nothing. */
int sc3l_push_script_error(lua_State *L, sc3l_builder *u);

/* Rejects the row that an error left under way. */
void sc3l_fail_row(lua_State *L, sc3l_builder *u, int failed);

/* Makes sure that the row view in the user value looks at this source. */
void sc3l_adopt_source(lua_State *L, int values, int source);

/* Begins the row of the builder's record. 0 when that was all: it belongs to another row, and
   nobody asks for such rows. */
int sc3l_begin_record(lua_State *L, sc3l_builder *u, const sc3_keys *keys);

#endif
