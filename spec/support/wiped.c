/* Whether a code over a secret leaves anything of it behind: on the stack below, or in the memory
 * that it gave back. Prints what it found. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "../../csrc/core/bytes/hmac.h"

enum { DEEP = 65536, KEY = 100, BODY = 3000 };

static unsigned char below[DEEP]; /* a stack of its own, so that it can be looked at afterwards */
static sc3_slice the_key, the_body;
static ucontext_t here, there;

static int stands(const unsigned char *p, size_t n, const void *part, size_t part_n) {
  size_t i;
  for (i = 0; i + part_n <= n; i++) {
    if (memcmp(p + i, part, part_n) == 0)
      return 1;
  }
  return 0;
}

static void code(void) {
  char hex[SC3_SHA256_HEX];
  if (sc3_hmac_sha256_hex(the_key, &the_body, 1, hex) != SC3_OK)
    exit(2);
}

int main(void) {
  char hex[SC3_SHA256_HEX];
  unsigned char digest[32], words[32];
  char *key = malloc(KEY), *body = malloc(BODY);
  volatile unsigned char *again;
  unsigned char copy[64 + BODY] = {0};
  size_t i;
  if (key == NULL || body == NULL)
    return 2;
  for (i = 0; i < KEY; i++)
    key[i] = (char)('!' + i % 90);
  for (i = 0; i < BODY; i++)
    body[i] = (char)('a' + i * 7 % 26);
  sc3_sha256_hex(key, KEY, hex); /* what a key over 64 bytes becomes */
  for (i = 0; i < 32; i++)
    (void)sscanf(hex + 2 * i, "%2hhx", &digest[i]);
  for (i = 0; i < 32; i++)
    words[i] = digest[i / 4 * 4 + 3 - i % 4]; /* as the state of the hash has it */
  the_key = sc3_slice_of(key, KEY);
  the_body = sc3_slice_of(body, BODY);
  if (getcontext(&there) != 0)
    return 2;
  there.uc_stack.ss_sp = below;
  there.uc_stack.ss_size = DEEP;
  there.uc_link = &here;
  makecontext(&there, code, 0);
  if (swapcontext(&here, &there) != 0)
    return 2;
  if (stands(below, DEEP, hex, sizeof hex) || stands(below, DEEP, digest, 16) ||
      stands(below, DEEP, words, 16) || stands(below, DEEP, key, 16))
    puts("the key is left on the stack");
  again = malloc(64 + BODY); /* the block that was given back */
  for (i = 0; again != NULL && i < sizeof copy; i++)
    copy[i] = again[i];
  if (stands(copy, sizeof copy, body + 100, 64))
    puts("the text is left in the heap");
  free((void *)again);
  free(body);
  free(key);
  return 0;
}
