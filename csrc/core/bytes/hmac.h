/* HMAC-SHA256 (RFC 2104, FIPS 198-1), and the comparison that belongs to it. */
#ifndef SC3_HMAC_H
#define SC3_HMAC_H

#include "sha256.h"
#include "slice.h"
#include "status.h"

/* The code of `count` parts, one after the other, under a key of any length, as 64 lowercase hex
 * digits without a NUL. SC3_ENOMEM: nothing was written. */
sc3_status sc3_hmac_sha256_hex(sc3_slice key, const sc3_slice *parts, size_t count,
                               char hex[SC3_SHA256_HEX]);

/* 1 when both hold the same bytes. The time depends on their lengths and on nothing else, so that
 * it tells nobody how much of a guess was right. */
int sc3_equal_secret(sc3_slice a, sc3_slice b);

#endif
