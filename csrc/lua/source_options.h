/* What source{...} takes: the format, the path, the dialect of CSV and the encoding. */
#ifndef SC3L_SOURCE_OPTIONS_H
#define SC3L_SOURCE_OPTIONS_H

#include "source.h"

typedef struct sc3l_source_options {
  int is_csv;
  const char *path; /* NULL where Lua feeds the source */
  sc3_encoding encoding;
  char delimiter, quote, escape; /* 0 = found by itself, none, none */
  sc3_slice null;                /* the text that means no value */
  int header;
  uint64_t skip_lines;
  const char *marks; /* how CSV is scanned; NULL = the fastest way */
} sc3l_source_options;

/* Reads the table at index 1 and raises for what is wrong. The texts lie on the stack, which keeps
 * them alive. */
void sc3l_read_source_options(lua_State *L, sc3l_source_options *options);

/* Makes the parsers of a new source. */
void sc3l_init_parsers(sc3l_source *s, const sc3l_source_options *options);

#endif
