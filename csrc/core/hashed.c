#include "hashed.h"

#include "base64.h"

static const char HASH_OF_EMPTY[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static const char *const HASHES_OF_PLACEHOLDERS[] = {
  "a683c5c5349f6f7fb903ba8a9e7e55d0ba1b8f03579f95be83f4954c33e81098", /* n/a */
  "3d9fc4bde7ceef058d65b00186e79c1f14b42687b491644c303065135b644e18", /* na */
  "140bedbf9c3f6d56a9846d2ba7088798683f4da0c248231336e6a05679e4fdfe", /* none */
  "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b", /* null */
  "5da3a4c7f117944275b4c8629c4916403625d5a4a6573a01ecb03f0e9d2edbe6", /* nil */
  "9b2d5b4678781e53038e91ea5324530a03f27dc1d0e5f6c9bc9d493a23be9de0", /* nan */
  "b23a6a8439c0dde5515893e7c90c1e3233b8616e634470f20dc4928bcf3609bc", /* unknown */
  "eb045d78d273107348b0300c01d29b7552d622abbc6faf81b3ec55359aa9950c", /* undefined */
  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", /* test */
  "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9", /* 0 */
  "3973e022e93220f9212c18d0d0c543ae7c309e46640da93a4a0314de999f5112", /* - */
  "9390298f3fb0c5b160498935d79cb139aef28e1c47358b4bbba61862b9c26e59", /* no */
  "f660ab912ec121d1b1e928a0bb4bc61b15f5ad44d5efdc4e1c92a25e99b8e44a", /* test@test.com */
  "ca871b3caae791a6a4b969195738f187bc7e993d13e98d522153a21885557fb6", /* none@none.com */
};

/* `n` hex digits of either case, written in lowercase; 0 when there is anything else among them. */
static int read_hex(sc3_slice s, char *hex) {
  size_t i;
  for (i = 0; i < s.n; i++) {
    char c = s.p[i];
    if (c >= 'A' && c <= 'F')
      c = (char)(c + ('a' - 'A'));
    else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
      return 0;
    hex[i] = c;
  }
  return 1;
}

static sc3_hashed judge(const char hex[SC3_SHA256_HEX], sc3_reason *why) {
  size_t i;
  if (memcmp(hex, HASH_OF_EMPTY, SC3_SHA256_HEX) == 0)
    *why = SC3_R_HASH_OF_EMPTY;
  for (i = 0; i < sizeof HASHES_OF_PLACEHOLDERS / sizeof HASHES_OF_PLACEHOLDERS[0]; i++) {
    if (memcmp(hex, HASHES_OF_PLACEHOLDERS[i], SC3_SHA256_HEX) == 0)
      *why = SC3_R_HASH_PLACEHOLDER;
  }
  return *why == SC3_R_NONE ? SC3_HASHED_SHA256 : SC3_HASHED_REFUSED;
}

sc3_hashed sc3_hashed_recognize(sc3_slice s, char hex[SC3_SHA256_HEX], sc3_reason *why, sc3_repairs *repairs) {
  uint8_t bytes[SC3_SHA256_HEX];
  *why = SC3_R_NONE;
  if (s.n == 64 && read_hex(s, hex))
    return judge(hex, why);
  if ((s.n == 32 || s.n == 40) && read_hex(s, hex)) {
    *why = s.n == 32 ? SC3_R_HASH_MD5 : SC3_R_HASH_SHA1;
    return SC3_HASHED_REFUSED;
  }
  if ((s.n == 43 || s.n == 44) && sc3_base64_decode(s, bytes, 32) == 32) {
    sc3_hex(bytes, 32, hex);
    *repairs |= 1u << SC3_FIX_HASH_BASE64;
    return judge(hex, why);
  }
  if ((s.n >= 86 && s.n <= 88) && sc3_base64_decode(s, bytes, SC3_SHA256_HEX) == SC3_SHA256_HEX &&
      read_hex(sc3_slice_of((const char *)bytes, SC3_SHA256_HEX), hex)) {
    *why = SC3_R_HASH_BASE64_OF_HEX;
    return SC3_HASHED_REFUSED;
  }
  return SC3_HASHED_NOT;
}
