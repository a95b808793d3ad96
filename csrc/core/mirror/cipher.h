/* What enciphers bytes on their way to the disk, by a key that only memory has. The core knows no
   cipher: whoever opens a night brings one. */
#ifndef SC3_MIRROR_CIPHER_H
#define SC3_MIRROR_CIPHER_H

#include <stddef.h>
#include <stdint.h>

/* `at` is a multiple of this. */
enum { SC3_CIPHER_STEP = 16 };

typedef struct sc3_cipher {
  void *of; /* NULL = there is none */

  /* Adds the keystream from its byte `at` on to `n` bytes, at most 2^20, which enciphers and
     deciphers; 0 where it failed. No byte of the stream may be added to two texts. */
  int (*apply)(void *of, uint64_t at, unsigned char *to, const unsigned char *from, size_t n);

  void (*end)(void *of);
} sc3_cipher;

#endif
