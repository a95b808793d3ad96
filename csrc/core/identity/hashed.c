#include "hashed.h"

#include "../bytes/ascii.h"
#include "../bytes/base64.h"
#include "placeholder.h"
#include "../bytes/text.h"

static const char HASH_OF_EMPTY[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#define EACH(c) (UINT64_C(0x0101010101010101) * (c))

/* The high bit of each of eight characters of ASCII that is one from `low` to `high`. */
static uint64_t between(uint64_t v, unsigned char low, unsigned char high) {
  return ((v | EACH(0x80)) - EACH(low)) & ~((v | EACH(0x80)) - EACH(high + UINT64_C(1))) &
         EACH(0x80);
}

/* Hex digits of either case, a multiple of eight, written in lowercase; 0 when there is anything
   else among them. Eight at a time without a branch: digits and letters come in no order that a
   processor could learn. */
static int read_hex(sc3_slice s, char *hex) {
  uint64_t others = 0;
  size_t i;
  for (i = 0; i < s.n; i += 8) {
    uint64_t v, letters;
    memcpy(&v, s.p + i, sizeof v);
    letters = between(v | EACH(0x20), 'a', 'f');
    others |= (v & EACH(0x80)) | ((between(v, '0', '9') | letters) ^ EACH(0x80));
    v |= letters >> 2; /* 0x20, which is what makes a letter lowercase */
    memcpy(hex + i, &v, sizeof v);
  }
  return others == 0;
}

/* Hex digits that are no SHA-256: of another length, cut short, or after the 0x or \x of a
 * program. A text of only digits may be a bad phone. */
static int is_other_hex(sc3_slice s) {
  size_t i, letters = 0;
  if (sc3_ascii_begins(s, "0x") || sc3_ascii_begins(s, "\\x"))
    s = sc3_slice_of(s.p + 2, s.n - 2);
  if (s.n < SC3_HEX_LEAST)
    return 0;
  for (i = 0; i < s.n; i++) {
    if (!sc3_ascii_is_hex(s.p[i]))
      return 0;
    letters += s.p[i] > '9';
  }
  return letters > 0;
}

static sc3_hashed judge(const char hex[SC3_SHA256_HEX], sc3_reason *why) {
  size_t i;
  for (i = 1; i < SC3_SHA256_HEX && hex[i] == hex[0]; i++)
    continue;
  if (memcmp(hex, HASH_OF_EMPTY, SC3_SHA256_HEX) == 0)
    *why = SC3_R_HASH_OF_EMPTY;
  else if (i == SC3_SHA256_HEX || sc3_is_placeholder_hash(hex))
    *why = SC3_R_HASH_PLACEHOLDER;
  return *why == SC3_R_NONE ? SC3_HASHED_SHA256 : SC3_HASHED_REFUSED;
}

sc3_hashed sc3_hashed_recognize(sc3_slice s, char hex[SC3_SHA256_HEX], sc3_reason *why,
                                sc3_repairs *repairs) {
  uint8_t bytes[SC3_SHA256_HEX];
  *why = SC3_R_NONE;
  if (s.n == 64 && read_hex(s, hex))
    return judge(hex, why);
  if ((s.n == 32 || s.n == 40) && read_hex(s, hex)) {
    *why = s.n == 32 ? SC3_R_HASH_MD5 : SC3_R_HASH_SHA1;
    return SC3_HASHED_REFUSED;
  }
  if ((s.n == 43 || s.n == 44) && sc3_base64_decode(s, bytes, 32) == 32) {
    sc3_ascii_write_hex(bytes, 32, hex);
    *repairs |= 1u << SC3_REPAIR_HASH_BASE64;
    return judge(hex, why);
  }
  if ((s.n >= 86 && s.n <= 88) && sc3_base64_decode(s, bytes, SC3_SHA256_HEX) == SC3_SHA256_HEX &&
      read_hex(sc3_slice_of((const char *)bytes, SC3_SHA256_HEX), hex)) {
    *why = SC3_R_HASH_BASE64_OF_HEX;
    return SC3_HASHED_REFUSED;
  }
  if (is_other_hex(s)) {
    *why = SC3_R_HASH_MALFORMED;
    return SC3_HASHED_REFUSED;
  }
  return SC3_HASHED_NOT;
}
