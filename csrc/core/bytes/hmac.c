#include "hmac.h"

#include <stdlib.h>

#include "ascii.h"

enum { BLOCK = 64, DIGEST = 32 };

/* Wipes memory that held a key. It is volatile, so that no compiler takes the stores for useless.
 */
static void wipe(void *p, size_t n) {
  volatile unsigned char *byte = p;
  while (n-- > 0)
    *byte++ = 0;
}

/* The same for what functions that were called left below this frame: the state of a hash of a key
 * is worth as much as the key. */
static void burn_stack(void) {
  unsigned char room[2048];
  wipe(room, sizeof room);
}

/* Read anew at each call, so that no compiler puts the room into the caller's frame. */
static void (*volatile burn)(void) = burn_stack;

static void from_hex(const char hex[SC3_SHA256_HEX], uint8_t digest[DIGEST]) {
  int i;
  for (i = 0; i < DIGEST; i++) {
    digest[i] =
        (uint8_t)(sc3_ascii_hex_value(hex[2 * i]) << 4 | sc3_ascii_hex_value(hex[2 * i + 1]));
  }
}

sc3_status sc3_hmac_sha256_hex(sc3_slice key, const sc3_slice *parts, size_t count,
                               char hex[SC3_SHA256_HEX]) {
  uint8_t block[BLOCK] = {0}, outer[BLOCK + DIGEST];
  char digest[SC3_SHA256_HEX];
  uint8_t *inner;
  size_t i, n = BLOCK;
  for (i = 0; i < count; i++)
    n += parts[i].n;
  inner = malloc(n);
  if (inner == NULL)
    return SC3_ENOMEM;
  if (key.n > BLOCK) {
    sc3_sha256_hex(key.p, key.n, digest);
    from_hex(digest, block);
  } else if (key.n > 0) {
    memcpy(block, key.p, key.n);
  }
  for (i = 0; i < BLOCK; i++) {
    inner[i] = block[i] ^ 0x36;
    outer[i] = block[i] ^ 0x5c;
  }
  for (i = 0, n = BLOCK; i < count; n += parts[i].n, i++) {
    if (parts[i].n > 0)
      memcpy(inner + n, parts[i].p, parts[i].n);
  }
  sc3_sha256_hex(inner, n, digest);
  from_hex(digest, outer + BLOCK);
  sc3_sha256_hex(outer, sizeof outer, hex);
  wipe(inner, n);
  wipe(outer, sizeof outer);
  wipe(block, sizeof block);
  wipe(digest, sizeof digest);
  burn();
  free(inner);
  return SC3_OK;
}

int sc3_equal_secret(sc3_slice a, sc3_slice b) {
  volatile unsigned char differs = 0;
  size_t i;
  if (a.n != b.n)
    return 0;
  for (i = 0; i < a.n; i++)
    differs = (unsigned char)(differs | ((unsigned char)a.p[i] ^ (unsigned char)b.p[i]));
  return differs == 0;
}
