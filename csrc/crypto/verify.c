#include "verify.h"

#include <openssl/opensslv.h>

#if !defined(OPENSSL_VERSION_NUMBER) || OPENSSL_VERSION_NUMBER < 0x30000000L
#error                                                                                             \
    "scope3.crypto needs OpenSSL 3.0 or newer; without its headers the build leaves this module out"
#endif

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { DER_MAX = 80 }; /* a signature of P-256 takes 72 bytes at most */

struct sc3_public_key {
  EVP_PKEY *pkey;
  sc3_algorithm algorithm;
};

/* Takes the key over, a NULL too. */
static sc3_verdict wrap(sc3_public_key **key, EVP_PKEY *pkey, sc3_algorithm algorithm) {
  sc3_public_key *made = pkey != NULL ? malloc(sizeof *made) : NULL;
  if (made == NULL) {
    EVP_PKEY_free(pkey);
    return SC3_UNABLE;
  }
  made->pkey = pkey;
  made->algorithm = algorithm;
  *key = made;
  return SC3_SOUND;
}

/* The y of Ed25519's points of small order, the lowest byte first. Under such a key a signature may
 * hold without its private key, and libcrypto accepts it as any other. */
static const uint8_t SMALL_ORDER[][SC3_COORDINATE] = {
    {0},
    {1},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

/* Whether 32 bytes may be a key: their y is below 2^255 - 19 (RFC 8032 section 5.1.3), and their
 * order is not small. */
static int sound_ed25519(const uint8_t x[SC3_COORDINATE]) {
  uint8_t y[SC3_COORDINATE];
  size_t i;
  memcpy(y, x, sizeof y);
  y[SC3_COORDINATE - 1] &= 0x7f; /* the sign of x says nothing about the order */
  for (i = 0; i < sizeof SMALL_ORDER / sizeof SMALL_ORDER[0]; i++) {
    if (memcmp(y, SMALL_ORDER[i], sizeof y) == 0)
      return 0;
  }
  for (i = 1; i < SC3_COORDINATE - 1 && y[i] == 0xff; i++)
    ;
  return i < SC3_COORDINATE - 1 || y[SC3_COORDINATE - 1] < 0x7f || y[0] < 0xed;
}

sc3_verdict sc3_public_key_ed25519(sc3_public_key **key, const uint8_t x[SC3_COORDINATE]) {
  EVP_PKEY *pkey;
  if (!sound_ed25519(x))
    return SC3_REFUSED;
  (void)ERR_set_mark();
  pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, SC3_COORDINATE);
  (void)ERR_pop_to_mark();
  return wrap(key, pkey, SC3_ED25519);
}

static sc3_verdict make_p256(EVP_PKEY **made, uint8_t *point, size_t n) {
  char group[] = "P-256";
  OSSL_PARAM params[3];
  EVP_PKEY *pkey = NULL;
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
  sc3_verdict verdict = SC3_UNABLE;
  params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
  params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, n);
  params[2] = OSSL_PARAM_construct_end();
  if (context != NULL && EVP_PKEY_fromdata_init(context) == 1)
    verdict = EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1 ? SC3_SOUND
                                                                                  : SC3_REFUSED;
  if (verdict != SC3_SOUND)
    EVP_PKEY_free(pkey);
  else
    *made = pkey;
  EVP_PKEY_CTX_free(context);
  return verdict;
}

sc3_verdict sc3_public_key_p256(sc3_public_key **key, const uint8_t x[SC3_COORDINATE],
                                const uint8_t y[SC3_COORDINATE]) {
  uint8_t point[1 + 2 * SC3_COORDINATE] = {
      4}; /* uncompressed: reading it checks that it lies on the curve */
  EVP_PKEY *pkey = NULL;
  sc3_verdict verdict;
  memcpy(point + 1, x, SC3_COORDINATE);
  memcpy(point + 1 + SC3_COORDINATE, y, SC3_COORDINATE);
  (void)ERR_set_mark();
  verdict = make_p256(&pkey, point, sizeof point);
  if (verdict == SC3_REFUSED)
    verdict = make_p256(&pkey, point, sizeof point); /* see confirmed() */
  (void)ERR_pop_to_mark();
  return verdict == SC3_SOUND ? wrap(key, pkey, SC3_ECDSA_P256_SHA256) : verdict;
}

void sc3_public_key_free(sc3_public_key *key) {
  if (key != NULL)
    EVP_PKEY_free(key->pkey);
  free(key);
}

sc3_algorithm sc3_public_key_algorithm(const sc3_public_key *key) {
  return key->algorithm;
}

/* r and s as the DER that libcrypto verifies; its length, 0 where it failed. */
static size_t to_der(const uint8_t raw[SC3_SIGNATURE], uint8_t der[DER_MAX]) {
  ECDSA_SIG *parts = ECDSA_SIG_new();
  BIGNUM *r = BN_bin2bn(raw, SC3_COORDINATE, NULL),
         *s = BN_bin2bn(raw + SC3_COORDINATE, SC3_COORDINATE, NULL);
  uint8_t *end = der;
  int n = 0;
  if (parts != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(parts, r, s) == 1) {
    r = s = NULL; /* they are the signature's now */
    n = i2d_ECDSA_SIG(parts, NULL);
    n = n > 0 && n <= DER_MAX ? i2d_ECDSA_SIG(parts, &end) : 0;
  }
  BN_free(r);
  BN_free(s);
  ECDSA_SIG_free(parts);
  return n > 0 ? (size_t)n : 0;
}

static sc3_verdict verify(const sc3_public_key *key, const void *message, size_t message_n,
                          const uint8_t *signature, size_t signature_n) {
  const EVP_MD *digest =
      key->algorithm == SC3_ECDSA_P256_SHA256 ? EVP_sha256() : NULL; /* Ed25519 has its own */
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  sc3_verdict verdict = SC3_UNABLE;
  if (context != NULL && EVP_DigestVerifyInit(context, NULL, digest, NULL, key->pkey) == 1)
    verdict = EVP_DigestVerify(context, signature, signature_n, message, message_n) == 1
                  ? SC3_SOUND
                  : SC3_REFUSED;
  EVP_MD_CTX_free(context);
  return verdict;
}

/* libcrypto may fail to verify for want of memory and say no more than of a wrong signature. So a
   refusal is asked for twice: where there is still no memory, the context is not made. */
static sc3_verdict confirmed(const sc3_public_key *key, const void *message, size_t message_n,
                             const uint8_t *signature, size_t signature_n) {
  sc3_verdict verdict = verify(key, message, message_n, signature, signature_n);
  return verdict != SC3_REFUSED ? verdict : verify(key, message, message_n, signature, signature_n);
}

sc3_verdict sc3_public_key_verify(const sc3_public_key *key, const void *message, size_t message_n,
                                  const uint8_t *signature, size_t signature_n) {
  uint8_t der[DER_MAX];
  sc3_verdict verdict = SC3_UNABLE;
  if (signature_n != SC3_SIGNATURE)
    return SC3_REFUSED;
  (void)ERR_set_mark();
  if (key->algorithm == SC3_ED25519) {
    verdict = confirmed(key, message, message_n, signature, signature_n);
  } else {
    size_t n = to_der(signature, der);
    if (n > 0)
      verdict = confirmed(key, message, message_n, der, n);
  }
  (void)ERR_pop_to_mark();
  return verdict;
}
