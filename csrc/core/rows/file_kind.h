/* What a file is that holds no rows, by its first bytes. The caller decides what to report. */
#ifndef SC3_FILE_KIND_H
#define SC3_FILE_KIND_H

#include "../bytes/slice.h"

enum {
  SC3_SNIFFED_BYTES = 1024, /* bytes that are looked at */
  SC3_MAGIC_MAX =
      24 /* of these, bytes in which most kinds say what they are, also after the end of a line */
};

/* Whether more than its first line has to come before a kind can be told. */
int sc3_file_kind_waits(sc3_slice head);

/* The name of a kind, such as "xz" or "parquet"; NULL for all else. */
const char *sc3_file_kind_of(sc3_slice head);

#endif
