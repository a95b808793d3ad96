/* "scope3.source": the object, its lock, and the rows that it reads. Its methods are in
 * source_methods.c, source_read.c and source_report.c. */
#ifndef SC3L_SOURCE_H
#define SC3L_SOURCE_H

#include "../core/rows/csv.h"
#include "../core/rows/jsonl.h"
#include "compat.h"
#include "input_file.h"

#define SC3L_SOURCE "scope3.source"

/* A source stands still while C or a script looks at its row: a locked one refuses to be used.
 * Closing it waits for the unlocking; a script that closes it gets an error. */
typedef enum sc3l_source_state {
  SC3L_SOURCE_FREE,
  SC3L_SOURCE_LOCKED,
  SC3L_SOURCE_IN_SCRIPT
} sc3l_source_state;

typedef struct sc3l_source {
  int closed;
  int ended; /* to be closed when it is unlocked */
  sc3l_source_state locked;
  int is_csv;
  int twice;            /* names of the header stand twice; known once a row was given as a table */
  sc3l_input_file file; /* without a descriptor where Lua feeds it */
  sc3_csv csv;
  sc3_jsonl jsonl;
} sc3l_source;

/* Where a row stands: see sc3_record. */
typedef struct sc3l_spot {
  uint64_t row, line, offset;
} sc3l_spot;

/* The user value is a table with these. */
#define SC3L_SOURCE_DECODE "decode" /* the decoder of nested JSON, or nil */
#define SC3L_SOURCE_META "meta"     /* the metatable of rows that are given as tables */

/* The source at `index`; raises when it is none, or closed. */
sc3l_source *sc3l_check_open_source(lua_State *L, int index);

/* The same; raises also when it is locked. */
sc3l_source *sc3l_check_source(lua_State *L, int index);

/* Locks or unlocks. Never raises. */
void sc3l_source_lock(sc3l_source *s, sc3l_source_state state);

/* Calls the method's body with its arguments, and the source locked. An error of the body unlocks
 * it. */
int sc3l_source_call_locked(lua_State *L, lua_CFunction body);

/* Marks it as closed, and frees what it owns unless it is locked. Idempotent, never raises. */
void sc3l_source_end(sc3l_source *s);

/* The next row; reads the file where there is one. Of JSON Lines the fields that the `wanted` keys
   may mean, NULL = all. SC3_NEXT_NEED asks for more to be fed; of a file it says that no bytes came
   for a moment. Never calls Lua. */
sc3_next sc3l_source_next(sc3l_source *s, const sc3_keys *wanted, sc3_record *record);

/* The columns of CSV, as sc3_csv_begin() gives them. Reads and answers as sc3l_source_next(). */
sc3_next sc3l_source_begin(sc3l_source *s);

/* Goes on to a row that was given by another reading of the same input, and was not passed since:
   SC3_NEXT_RECORD when it is what sc3l_source_next() gives next. Reads and answers as that. */
sc3_next sc3l_source_go(sc3l_source *s, const sc3l_spot *spot);

/* The keys that rows are asked for may be others from now on. */
void sc3l_source_other_keys(sc3l_source *s);

/* Pushes { reason=, message=, row=, line=, column= } of a source that answered SC3_NEXT_FATAL. */
void sc3l_source_push_fatal(lua_State *L, const sc3l_source *s);

/* Bytes of the rows given so far. */
uint64_t sc3l_source_bytes(const sc3l_source *s);

/* The header's names; 0 where there are none. */
size_t sc3l_source_names(const sc3l_source *s, const sc3_slice **names);

/* The bytes on their way to the parser. */
sc3_input *sc3l_source_input(sc3l_source *s);

/* Pushes the decoder of nested JSON of the source at `index`, or nil. */
void sc3l_source_push_decode(lua_State *L, int index);

#endif
