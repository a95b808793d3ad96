/* One row as a parser yields it. */
#ifndef SC3_RECORD_H
#define SC3_RECORD_H

#include <stdint.h>

#include "../bytes/slice.h"
#include "../identity/reason.h"

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

typedef struct sc3_record {
  uint64_t row;    /* counted from 1, without the header */
  uint64_t line;   /* where it starts, counted from 1 */
  uint64_t lines;  /* further lines that it takes up */
  uint64_t offset; /* of its first byte in the text, or in the file where that is UTF-8 */
  size_t count;
  size_t missing; /* CSV: of them, the last ones, which the row does not have; they are blank */
  const sc3_field *fields; /* valid until the parser is asked again */
  /* Why the row cannot be read; SC3_R_NONE when it can. It still is a row: it is counted and
     rejected, and the next one is read. */
  sc3_reason fault;
  size_t fault_column;           /* counted from 1; 0 = none to blame */
  const sc3_field *const *found; /* JSON Lines: the field of each key that is asked for, NULL where
                                    the row has none; NULL where none are asked for */
  int child; /* JSON Lines: it names the row that it belongs to, as Shopify's bulk operations have
                it (__parentId) */
  size_t fault_key; /* SC3_R_AMBIGUOUS_KEY: the key's number among those asked for, from 0 */
} sc3_record;

enum { SC3_KEYS_MAX = 128, SC3_SEEN = 1, SC3_SEEN_TWICE = 2 /* a row had two that may be meant */ };

/* Keys whose values are asked for, each once: at most SC3_KEYS_MAX. */
typedef struct sc3_keys {
  const sc3_slice *names;
  size_t count;
  int all;             /* the other fields are kept too */
  int exact;           /* no key is looked for under another spelling, or inside other values */
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

enum { SC3_COLUMNS_MAX = 4096 };

#endif
