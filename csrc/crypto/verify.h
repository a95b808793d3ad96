/* Signatures of public keys, verified (RFC 9421 section 3.3.4 and 3.3.6). Knows libcrypto and
   nothing else.

   What fails leaves no entry in the thread's error queue, where a host such as nginx would take it
   for its own. */
#ifndef SC3_VERIFY_H
#define SC3_VERIFY_H

#include <stddef.h>
#include <stdint.h>

enum { SC3_COORDINATE = 32, SC3_SIGNATURE = 64 };

typedef enum sc3_algorithm { SC3_ED25519, SC3_ECDSA_P256_SHA256 } sc3_algorithm;

typedef struct sc3_public_key sc3_public_key;

/* What became of a key or a signature. SC3_UNABLE: libcrypto could not tell, as without memory; the
   same may succeed later. */
typedef enum sc3_verdict { SC3_SOUND, SC3_REFUSED, SC3_UNABLE } sc3_verdict;

/* An Ed25519 key (RFC 8032) from its 32 bytes, as a JWK's `x` holds them (RFC 8037). Refused when
   it is of small order or not below the field's prime. */
sc3_verdict sc3_public_key_ed25519(sc3_public_key **key, const uint8_t x[SC3_COORDINATE]);

/* A P-256 key from the coordinates of its point, a JWK's `x` and `y` (RFC 7518 section 6.2.1).
   Refused when the point is not on the curve. */
sc3_verdict sc3_public_key_p256(sc3_public_key **key, const uint8_t x[SC3_COORDINATE],
                                const uint8_t y[SC3_COORDINATE]);

void sc3_public_key_free(sc3_public_key *key);

sc3_algorithm sc3_public_key_algorithm(const sc3_public_key *key);

/* Whether `signature` is the key's over the message. It has 64 bytes; for ECDSA r, then s, each 32
 * bytes. */
sc3_verdict sc3_public_key_verify(const sc3_public_key *key, const void *message, size_t message_n,
                                  const uint8_t *signature, size_t signature_n);

#endif
