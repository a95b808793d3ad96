/* What is left of a text that is read from front to back. */
#ifndef SC3_REST_H
#define SC3_REST_H

#include <string.h>

#include "slice.h"

typedef struct sc3_rest {
  const char *at, *end;
} sc3_rest;

static inline sc3_rest sc3_rest_of(sc3_slice text) {
  const sc3_rest r = {text.p, text.p + text.n};
  return r;
}

static inline size_t sc3_rest_size(const sc3_rest *r) {
  return (size_t)(r->end - r->at);
}

/* Passes over a text where it stands next; else 0, and nothing is passed over. */
static inline int sc3_rest_take(sc3_rest *r, const char *text, size_t n) {
  if (sc3_rest_size(r) < n || memcmp(r->at, text, n) != 0)
    return 0;
  r->at += n;
  return 1;
}

#define SC3_REST_TAKE(r, literal) sc3_rest_take((r), literal, sizeof(literal) - 1)

#endif
