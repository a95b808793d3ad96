/* What the builder needs of "scope3.source". */
#ifndef SC3_LUA_SOURCE_H
#define SC3_LUA_SOURCE_H

#include "../core/rows/input.h"
#include "../core/rows/record.h"
#include "binding.h"

typedef struct sc3_source sc3_source;

/* The source at `index`; raises when it is none, closed, or locked. */
sc3_source *sc3_checksource(lua_State *L, int index);

/* The next row; reads the file by itself where there is one. Of JSON Lines the fields that the
 * `wanted` keys may mean, NULL = all. Never calls Lua. */
sc3_next sc3_source_next(sc3_source *s, const sc3_keys *wanted, sc3_record *record);

/* The keys that the rows are asked for from now on are others than before, or may be. */
void sc3_source_other_keys(sc3_source *s);

/* Pushes { reason=, message=, row=, line=, column= } of a source that answered SC3_NEXT_FATAL. No
 * cell is quoted. */
void sc3_source_pushfatal(lua_State *L, const sc3_source *s);

/* Bytes of the rows given so far. */
uint64_t sc3_source_bytes(const sc3_source *s);

/* The header's names; 0 where there are none. */
size_t sc3_source_names(const sc3_source *s, const sc3_slice **names);

/* While C looks at a row, or a script does, its source must stand still: a locked one refuses to be
   used. Closing it then waits for the unlocking; a script that closes it is told so. None of it
   raises. */
typedef enum sc3_source_state {
  SC3_SOURCE_FREE,
  SC3_SOURCE_LOCKED,
  SC3_SOURCE_IN_SCRIPT
} sc3_source_state;
void sc3_source_lock(sc3_source *s, sc3_source_state state);

/* Pushes the value of a field as Lua sees it: text as a string, a number where it is exact (else
   its text), true, false, nil, and nested JSON through the function at `decode` (0 = as text). 0,
   or not 0 with the function's error pushed instead. */
int sc3_pushfield(lua_State *L, const sc3_field *f, int decode);

#endif
