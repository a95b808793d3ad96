/* SHA-256 (FIPS 180-4) of short messages, by the processor's own instructions where it has them. */
#ifndef SC3_SHA256_H
#define SC3_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SC3_SHA256_HEX = 64 };

/* Writes `n` bytes as 2 * `n` lowercase hex digits, without a NUL. */
void sc3_hex(const uint8_t *bytes, size_t n, char *hex);

/* The digest of `n` bytes at `p` as 64 lowercase hex digits, without a NUL. `p` may be NULL when
 * `n` is 0. */
void sc3_sha256_hex(const void *p, size_t n, char hex[SC3_SHA256_HEX]);

/* The digests of two messages that have nothing to do with each other, which takes less time than
 * one after the other. */
void sc3_sha256_hex_pair(const void *a, size_t an, char a_hex[SC3_SHA256_HEX], const void *b,
                         size_t bn, char b_hex[SC3_SHA256_HEX]);

/* One way to compute the above; all give the same digests. */
typedef struct sc3_sha256_impl {
  const char *name; /* "portable", "sha-ni" or "armv8" */
  void (*hex)(const void *p, size_t n, char hex[SC3_SHA256_HEX]);
  void (*hex_pair)(const void *a, size_t an, char a_hex[SC3_SHA256_HEX], const void *b, size_t bn,
                   char b_hex[SC3_SHA256_HEX]);
} sc3_sha256_impl;

/* The implementation of that name; NULL when this machine or this build lacks it. */
const sc3_sha256_impl *sc3_sha256_find(const char *name);

/* What sc3_sha256_hex and sc3_sha256_hex_pair use in this process: the fastest that the machine
 * has, unless told another. */
const sc3_sha256_impl *sc3_sha256_used(void);
void sc3_sha256_use(const sc3_sha256_impl *impl);

#endif
