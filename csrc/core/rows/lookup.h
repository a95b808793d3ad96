/* Fields found by the names that people use for them: the very key, else a path into nested values,
 * else a key that is the same but for case and spacing. */
#ifndef SC3_LOOKUP_H
#define SC3_LOOKUP_H

#include "record.h"

typedef enum sc3_lookup_result {
  SC3_LOOKUP_NONE,
  SC3_LOOKUP_ONE,
  SC3_LOOKUP_AMBIGUOUS /* keys that may both be meant */
} sc3_lookup_result;

/* A value that was found. */
typedef struct sc3_found {
  sc3_slice value;
  sc3_kind kind;
  int escaped; /* a text that lies in JSON with its escapes, without the quotes: see
                  sc3_found_unescape() */
} sc3_found;

/* What a key is to a name. */
typedef enum sc3_likeness {
  SC3_UNLIKE,
  SC3_ALIKE,
  SC3_ALIKE_HEAD,
  SC3_HEAD,
  SC3_SAME
} sc3_likeness;

/* SC3_SAME: the very name. SC3_HEAD: the name goes on after it with a dot. SC3_ALIKE and
   SC3_ALIKE_HEAD: the same but for what does not count in the name of a column (see header.h), of
   the name or of what stands before its first dot. */
sc3_likeness sc3_likeness_of(sc3_slice key, sc3_slice name);

/* Looks for a name among the fields of a record, and in the nested JSON that they hold. An element
 * of an array is named by its number, from 1. */
sc3_lookup_result sc3_lookup_find(const sc3_field *fields, size_t count, sc3_slice name,
                                  sc3_found *found);

/* MongoDB's extended JSON: where a nested value is {"$oid": "…"}, {"$numberLong": "…"}, {"$date":
   …} or one of their like, it becomes what stands inside. */
void sc3_found_unwrap(sc3_found *found);

/* The text of an escaped value, made in `to`, which has room for its bytes and two more. */
sc3_slice sc3_found_unescape(const sc3_found *found, char *to);

#endif
