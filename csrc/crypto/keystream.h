/* AES-256 in counter mode by a random key that is told to nobody: it lives as long as this does.
   Knows libcrypto and nothing else. What fails leaves no entry in the thread's error queue. */
#ifndef SC3_KEYSTREAM_H
#define SC3_KEYSTREAM_H

#include <stddef.h>
#include <stdint.h>

typedef struct sc3_keystream sc3_keystream;

/* NULL where libcrypto has no random bytes, or no memory. */
sc3_keystream *sc3_keystream_new(void);

/* NULL does nothing. */
void sc3_keystream_free(sc3_keystream *k);

/* Adds the keystream from byte `at`, a multiple of 16, to at most 2^20 bytes. 0 where it failed. */
int sc3_keystream_apply(sc3_keystream *k, uint64_t at, unsigned char *to, const unsigned char *from,
                        size_t n);

#endif
