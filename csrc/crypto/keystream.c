#include "keystream.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>

enum { KEY = 32, BLOCK = 16 };

struct sc3_keystream {
  EVP_CIPHER_CTX *context;
};

static int set_key(EVP_CIPHER_CTX *context) {
  unsigned char key[KEY];
  const int made = RAND_priv_bytes(key, sizeof key) == 1 &&
                   EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), NULL, key, NULL) == 1;
  OPENSSL_cleanse(key, sizeof key);
  return made;
}

sc3_keystream *sc3_keystream_new(void) {
  sc3_keystream *k = malloc(sizeof *k);
  int made;
  if (k == NULL)
    return NULL;
  (void)ERR_set_mark();
  k->context = EVP_CIPHER_CTX_new();
  made = k->context != NULL && set_key(k->context);
  (void)ERR_pop_to_mark();
  if (made)
    return k;
  sc3_keystream_free(k);
  return NULL;
}

void sc3_keystream_free(sc3_keystream *k) {
  if (k != NULL)
    EVP_CIPHER_CTX_free(k->context); /* which wipes the key */
  free(k);
}

int sc3_keystream_apply(sc3_keystream *k, uint64_t at, unsigned char *to, const unsigned char *from,
                        size_t n) {
  unsigned char counter[BLOCK] = {0}; /* the number of the block, the highest byte first */
  uint64_t number = at / BLOCK;
  int i, done = 0;
  for (i = BLOCK - 1; number > 0; i--, number >>= 8)
    counter[i] = (unsigned char)number;
  (void)ERR_set_mark();
  i = EVP_EncryptInit_ex(k->context, NULL, NULL, NULL, counter) == 1 &&
      EVP_EncryptUpdate(k->context, to, &done, from, (int)n) == 1 && (size_t)done == n;
  (void)ERR_pop_to_mark();
  return i;
}
