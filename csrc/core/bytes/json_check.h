/* Whether a JSON text can be trusted to mean one thing. */
#ifndef SC3_JSON_CHECK_H
#define SC3_JSON_CHECK_H

#include "slice.h"

enum {
  SC3_JSON_DEPTH = 64,     /* objects and arrays within one another */
  SC3_JSON_NAMES = 4,      /* duplicate names that are told (docs/contract.md section 6) */
  SC3_JSON_NAME_BYTES = 32 /* of each, up to the first that is not printable ASCII */
};

typedef enum sc3_json_verdict {
  SC3_JSON_FINE,
  SC3_JSON_MALFORMED,  /* no JSON, no object, not UTF-8, half a surrogate pair, or deeper than
                          SC3_JSON_DEPTH */
  SC3_JSON_DUPLICATES, /* an object has a name twice: parsers disagree on what such an object says
                          (RFC 8259 section 4) */
  SC3_JSON_NOMEM
} sc3_json_verdict;

typedef struct sc3_json_duplicates {
  size_t count; /* names that an object has more than once, all objects together */
  struct {
    size_t n;
    char text[SC3_JSON_NAME_BYTES]; /* printable ASCII, without a NUL */
  } names[SC3_JSON_NAMES];          /* the first of them */
} sc3_json_duplicates;

/* Judges a text that is to be one object and nothing else (RFC 8259, strictly). Names are compared
   as they read, so "a" is "\u0061". Takes time n log n and memory for the names of the objects that
   are open at once. */
sc3_json_verdict sc3_json_check_object(sc3_slice text, sc3_json_duplicates *found);

#endif
