/* Base64 (RFC 4648), read. */
#ifndef SC3_BASE64_H
#define SC3_BASE64_H

#include <stdint.h>

#include "slice.h"

/* Decodes standard or URL-safe base64, with or without padding, never a mix of the two alphabets;
   bits left over must be zero. The bytes written to `out`, or -1 when `s` is no base64 or holds
   more than `room` bytes. */
int sc3_base64_decode(sc3_slice s, uint8_t *out, int room);

#endif
