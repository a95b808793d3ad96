/* "scope3.crypto": public keys that verify the signatures of callbacks, and ciphers for temporary
 * files. A module of its own, so that the core needs no libcrypto. */
#include <openssl/crypto.h>

#include "../lua/cipher_access.h"
#include "../lua/type.h"
#include "keystream.h"
#include "verify.h"

#define TYPE "scope3.public_key"

typedef struct key_ud {
  sc3_public_key *key; /* NULL when closed */
} key_ud;

/* The 32 bytes of argument `index`; NULL when it has another length. */
static const uint8_t *coordinate(lua_State *L, int index) {
  size_t n;
  const char *p;
  luaL_checktype(L, index, LUA_TSTRING);
  p = lua_tolstring(L, index, &n);
  return n == SC3_COORDINATE ? (const uint8_t *)p : NULL;
}

/* nil and why libcrypto could not tell */
static int push_unable(lua_State *L) {
  lua_pushnil(L);
  lua_pushliteral(L, "libcrypto has failed, as where there is not enough memory");
  return 2;
}

/* The object on top of the stack, which has its key; nothing for a key that was refused. */
static int push_key(lua_State *L, sc3_verdict verdict) {
  return verdict == SC3_UNABLE ? push_unable(L) : verdict == SC3_SOUND;
}

/* ed25519(x) -> key; nil when `x` is no key: other than 32 bytes, or one under which a signature
 * proves nothing; nil, message when it could not be made */
static int crypto_ed25519(lua_State *L) {
  const uint8_t *x = coordinate(L, 1);
  key_ud *u = sc3l_new_object(L, sizeof *u, TYPE);
  return push_key(L, x != NULL ? sc3_public_key_ed25519(&u->key, x) : SC3_REFUSED);
}

/* p256(x, y) -> key; nil when they are no point of the curve, 32 bytes each; nil, message when it
 * could not be made */
static int crypto_p256(lua_State *L) {
  const uint8_t *x = coordinate(L, 1), *y = coordinate(L, 2);
  key_ud *u = sc3l_new_object(L, sizeof *u, TYPE);
  return push_key(L, x != NULL && y != NULL ? sc3_public_key_p256(&u->key, x, y) : SC3_REFUSED);
}

static key_ud *check(lua_State *L) {
  key_ud *u = luaL_checkudata(L, 1, TYPE);
  if (u->key == NULL)
    sc3l_raise_closed(L, "public key");
  return u;
}

/* :algorithm() -> "ed25519" or "ecdsa-p256-sha256", RFC 9421's names */
static int key_algorithm(lua_State *L) {
  lua_pushstring(L, sc3_public_key_algorithm(check(L)->key) == SC3_ED25519 ? "ed25519"
                                                                           : "ecdsa-p256-sha256");
  return 1;
}

/* :verify(message, signature) -> boolean; nil, message when it could not be checked. The signature
 * is 64 bytes; for ECDSA r, then s. */
static int key_verify(lua_State *L) {
  size_t message_n, signature_n;
  const char *message, *signature;
  sc3_verdict verdict;
  key_ud *u = check(L);
  luaL_checktype(L, 2, LUA_TSTRING);
  luaL_checktype(L, 3, LUA_TSTRING);
  message = lua_tolstring(L, 2, &message_n);
  signature = lua_tolstring(L, 3, &signature_n);
  verdict =
      sc3_public_key_verify(u->key, message, message_n, (const uint8_t *)signature, signature_n);
  if (verdict == SC3_UNABLE)
    return push_unable(L);
  lua_pushboolean(L, verdict == SC3_SOUND);
  return 1;
}

static int key_close(lua_State *L) {
  key_ud *u = luaL_checkudata(L, 1, TYPE);
  sc3_public_key_free(u->key);
  u->key = NULL;
  return 0;
}

/* --- ciphers --- */

#define CIPHER "scope3.cipher"

typedef struct cipher_ud {
  sc3_keystream *stream; /* NULL when it was taken */
} cipher_ud;

/* cipher() -> object that a night takes over; nil, message when it could not be made. Its key is
 * random, and in memory alone. */
static int crypto_cipher(lua_State *L) {
  cipher_ud *u = sc3l_new_object(L, sizeof *u, CIPHER);
  u->stream = sc3_keystream_new();
  return u->stream != NULL ? 1 : push_unable(L);
}

static int cipher_end(lua_State *L) {
  cipher_ud *u = luaL_checkudata(L, 1, CIPHER);
  sc3_keystream_free(u->stream);
  u->stream = NULL;
  return 0;
}

static int apply(void *of, uint64_t at, unsigned char *to, const unsigned char *from, size_t n) {
  return sc3_keystream_apply(of, at, to, from, n);
}

static void end(void *of) {
  sc3_keystream_free(of);
}

static sc3_cipher take_cipher(lua_State *L, int index) {
  cipher_ud *u = luaL_checkudata(L, index, CIPHER);
  sc3_cipher cipher = {NULL, apply, end};
  if (u->stream == NULL)
    sc3l_raise_closed(L, "cipher");
  cipher.of = u->stream;
  u->stream = NULL;
  return cipher;
}

static void open_cipher(lua_State *L) {
  static const sc3l_type type = {.name = CIPHER, .end = cipher_end};
  static const sc3l_cipher_access access = {.version = SC3L_CIPHER_ACCESS_VERSION,
                                            .take = take_cipher};
  sc3l_new_type(L, &type);
  lua_pushlightuserdata(L, (void *)(uintptr_t)&access);
  lua_setfield(L, LUA_REGISTRYINDEX, SC3L_CIPHER_ACCESS);
}

SC3L_EXPORT int luaopen_scope3_crypto(lua_State *L);

SC3L_EXPORT int luaopen_scope3_crypto(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"algorithm", key_algorithm},
      {"verify", key_verify},
      {NULL, NULL},
  };
  static const luaL_Reg functions[] = {
      {"cipher", crypto_cipher}, {"ed25519", crypto_ed25519}, {"p256", crypto_p256}, {NULL, NULL}};
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = key_close};
  sc3l_check_version(L);
  sc3l_new_type(L, &type);
  open_cipher(L);
  lua_createtable(L, 0, 4);
  sc3l_setfuncs(L, functions);
  lua_pushstring(L, OpenSSL_version(OPENSSL_VERSION));
  lua_setfield(L, -2, "openssl_version");
  return 1;
}
