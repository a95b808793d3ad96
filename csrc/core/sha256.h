/* SHA-256 (FIPS 180-4) of short messages. */
#ifndef SC3_SHA256_H
#define SC3_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SC3_SHA256_HEX = 64 };

/* Writes the 32 bytes of the digest of `n` bytes at `p`. `p` may be NULL when `n` is 0. */
void sc3_sha256(const void *p, size_t n, uint8_t digest[32]);

/* Writes `n` bytes as 2 * `n` lowercase hex digits, without a NUL. */
void sc3_hex(const uint8_t *bytes, size_t n, char *hex);

/* The digest as 64 lowercase hex digits, without a NUL. */
void sc3_sha256_hex(const void *p, size_t n, char hex[SC3_SHA256_HEX]);

/* The same for two messages, side by side where the processor gains by it. */
void sc3_sha256_hex_pair(const void *a, size_t a_length, char a_hex[SC3_SHA256_HEX], const void *b, size_t b_length, char b_hex[SC3_SHA256_HEX]);

#endif
