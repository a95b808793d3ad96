/* A view of bytes owned by somebody else. */
#ifndef SC3_SLICE_H
#define SC3_SLICE_H

#include <stddef.h>
#include <string.h>

/* `p` is NULL where the value is absent; an empty value has a non-NULL `p` and `n` 0. Never
 * NUL-terminated. */
/* Of functions that run once for a file: they are made small. */
#if defined(__GNUC__)
#define SC3_COLD __attribute__((cold))
#else
#define SC3_COLD
#endif

typedef struct sc3_slice {
  const char *p;
  size_t n;
} sc3_slice;

static inline sc3_slice sc3_slice_of(const char *p, size_t n) {
  sc3_slice s;
  s.p = p;
  s.n = n;
  return s;
}

/* True when the value is present and has at least one byte. */
static inline int sc3_slice_some(sc3_slice s) {
  return s.p != NULL && s.n > 0;
}

static inline int sc3_slice_eq(sc3_slice a, sc3_slice b) {
  return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

#endif
