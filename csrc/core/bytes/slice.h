/* A view of bytes that belong to another object. */
#ifndef SC3_SLICE_H
#define SC3_SLICE_H

#include <stddef.h>
#include <string.h>

/* Marks functions that run once per file: the compiler makes them small. */
#if defined(__GNUC__)
#define SC3_COLD __attribute__((cold))
#else
#define SC3_COLD
#endif

/* Marks functions that are to be inline although they are large: what they work on stays in
   registers then. */
#if defined(__GNUC__)
#define SC3_INLINE static inline __attribute__((always_inline))
#else
#define SC3_INLINE static inline
#endif

/* `p` is NULL where the value is absent; an empty value has a non-NULL `p` and `n` 0. Never
 * NUL-terminated. */
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

/* `s` without its first `n` bytes, of which it has as many. */
static inline sc3_slice sc3_slice_from(sc3_slice s, size_t n) {
  return sc3_slice_of(s.p + n, s.n - n);
}

/* A string literal without its NUL; NULs inside it count. */
#define SC3_LITERAL(s) sc3_slice_of((s), sizeof(s) - 1)

/* True when the value is present and has at least one byte. */
static inline int sc3_slice_some(sc3_slice s) {
  return s.p != NULL && s.n > 0;
}

static inline int sc3_slice_eq(sc3_slice a, sc3_slice b) {
  return a.n == b.n && (a.n == 0 || a.p == b.p || memcmp(a.p, b.p, a.n) == 0);
}

/* Whether the first bytes of `s` are those of `prefix`, which is not empty. */
static inline int sc3_slice_begins(sc3_slice s, sc3_slice prefix) {
  return s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0;
}

#endif
