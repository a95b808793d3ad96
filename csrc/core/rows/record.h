/* One row as a parser yields it. */
#ifndef SC3_RECORD_H
#define SC3_RECORD_H

#include <stdint.h>

#include "../bytes/slice.h"

typedef enum sc3_kind {
  SC3_KIND_TEXT,
  SC3_KIND_NUMBER, /* raw JSON text */
  SC3_KIND_TRUE,
  SC3_KIND_FALSE,
  SC3_KIND_NULL,
  SC3_KIND_NESTED /* raw JSON text of an object or array */
} sc3_kind;

typedef struct sc3_field {
  sc3_slice name; /* JSON Lines only */
  sc3_slice value;
  sc3_kind kind;
} sc3_field;

/* What makes a row unreadable. It still is a row: counted, rejected, and the next one is read. */
typedef enum sc3_fault {
  SC3_FAULT_NONE,
  SC3_FAULT_RAGGED,      /* more or fewer fields than the header */
  SC3_FAULT_NUL,         /* a NUL byte */
  SC3_FAULT_STRAY_QUOTE, /* text behind a closing quote */
  SC3_FAULT_BAD_JSON,
  SC3_FAULT_NOT_OBJECT,
  SC3_FAULT_TOO_LONG,
  SC3_FAULT_AMBIGUOUS, /* JSON Lines: two keys may both be what is asked for by one name */
  SC3_FAULT_UTF8       /* JSON Lines: bytes that are not UTF-8, or half a surrogate pair */
} sc3_fault;

typedef struct sc3_record {
  uint64_t row;   /* counted from 1, without the header */
  uint64_t line;  /* where it starts, counted from 1 */
  uint64_t lines; /* further lines that it takes up */
  size_t count;
  size_t missing; /* CSV: of them, the last ones, which the row does not have; they are blank */
  const sc3_field *fields; /* valid until the parser is asked again */
  sc3_fault fault;
  size_t fault_column;           /* counted from 1; 0 = none to blame */
  const sc3_field *const *found; /* JSON Lines: the field of each key that is asked for, NULL where
                                    the row has none; NULL where none are asked for */
  int child; /* JSON Lines: it names the row that it belongs to, as Shopify's bulk operations have
                it (__parentId) */
  size_t fault_key; /* SC3_FAULT_AMBIGUOUS: the key's number among those asked for, from 0 */
} sc3_record;

enum { SC3_KEYS_MAX = 128, SC3_SEEN = 1, SC3_SEEN_TWICE = 2 /* a row had two that may be meant */ };

/* Keys whose values are asked for, each once: at most SC3_KEYS_MAX. */
typedef struct sc3_keys {
  const sc3_slice *names;
  size_t count;
  int all;             /* the other fields are kept too */
  unsigned char *seen; /* `count` sets of SC3_SEEN and SC3_SEEN_TWICE: what rows had; may be NULL */
} sc3_keys;

/* The field of that name: the last of them, as a repeated key of JSON has it. NULL when there is
 * none. */
static inline const sc3_field *sc3_record_find(const sc3_record *r, sc3_slice name) {
  size_t i;
  for (i = r->count; i-- > 0;) {
    if (sc3_slice_eq(r->fields[i].name, name))
      return &r->fields[i];
  }
  return NULL;
}

/* What asking for the next row answers. */
typedef enum sc3_next {
  SC3_NEXT_RECORD,
  SC3_NEXT_NEED, /* feed more, or finish */
  SC3_NEXT_END,
  SC3_NEXT_FATAL, /* the input cannot be read further: see sc3_fatal */
  SC3_NEXT_NOMEM
} sc3_next;

/* Why an input cannot be read further. */
typedef enum sc3_fatal_kind {
  SC3_FATAL_NONE,
  SC3_FATAL_EMPTY,
  SC3_FATAL_UTF16,
  SC3_FATAL_UTF32,
  SC3_FATAL_GZIP,
  SC3_FATAL_KIND,     /* it is something else, which has a name */
  SC3_FATAL_ENCODING, /* its first bytes contradict the encoding that was told */
  SC3_FATAL_BINARY,
  SC3_FATAL_JSON,           /* where names of columns should stand */
  SC3_FATAL_NO_JSON,        /* columns of text where an object should stand */
  SC3_FATAL_JSON_CUT,       /* it ends inside an object or an array */
  SC3_FATAL_JSON_BROKEN,    /* nobody knows where the row ends, so neither where the next begins */
  SC3_FATAL_JSON_BEHIND,    /* something stands behind the array */
  SC3_FATAL_JSON_WRAPPED,   /* one large object with the rows inside it */
  SC3_FATAL_HEADER,         /* a fault in the header: every name behind it would be a guess */
  SC3_FATAL_NO_LINES,       /* one line without an end, which holds data */
  SC3_FATAL_UNCLOSED_QUOTE, /* it swallowed rows, so it is more than one bad row */
  SC3_FATAL_ROW_TOO_LONG,
  SC3_FATAL_TOO_MANY_COLUMNS
} sc3_fatal_kind;

typedef struct sc3_fatal {
  sc3_fatal_kind kind;
  uint64_t row, line;
  size_t column;
  uint64_t lines;   /* SC3_FATAL_UNCLOSED_QUOTE: line ends behind the quote that were read */
  const char *what; /* the name of a kind of files, or of an encoding; NULL where there is none */
} sc3_fatal;

enum {
  SC3_ROW_MAX = 1 << 20, /* bytes of one row */
  SC3_COLUMNS_MAX = 4096,
  SC3_CHUNK = 256 << 10 /* bytes asked of a file at once */
};

#endif
