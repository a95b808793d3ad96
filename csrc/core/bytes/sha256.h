/* SHA-256 (FIPS 180-4) of short messages, by the processor's own instructions where it has them. */
#ifndef SC3_SHA256_H
#define SC3_SHA256_H

#include "sha256_impl.h"

/* The digest of `n` bytes at `p` as 64 lowercase hex digits, without a NUL. `p` may be NULL when
 * `n` is 0. */
void sc3_sha256_hex(const void *p, size_t n, char hex[SC3_SHA256_HEX]);

/* The digests of two unrelated messages, which takes less time than one after the other. */
void sc3_sha256_hex_pair(const sc3_sha256_message *a, const sc3_sha256_message *b);

/* The digests of messages that have SC3_SHA256_ONE_BLOCK bytes at most, unless they are only two.
 */
void sc3_sha256_hex_many(const sc3_sha256_impl *impl, const sc3_sha256_message *messages,
                         size_t count);

/* The implementation of that name; NULL when this machine or this build lacks it. */
const sc3_sha256_impl *sc3_sha256_find(const char *name);

/* What sc3_sha256_hex() and sc3_sha256_hex_pair() use in this process: the fastest that the machine
 * has, unless another was set. */
const sc3_sha256_impl *sc3_sha256_used(void);
void sc3_sha256_use(const sc3_sha256_impl *impl);

#endif
