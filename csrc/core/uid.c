#include "uid.h"

#include "base64.h"
#include "text.h"
#include "utf8.h"

static int all_hex(sc3_slice s) {
  size_t i;
  for (i = 0; i < s.n; i++) {
    if (!sc3_text_hex(s.p[i]))
      return 0;
  }
  return 1;
}

static int begins(sc3_slice s, const char *prefix) {
  size_t n = strlen(prefix);
  return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

/* One character over and over, but for those of `between`. */
static int is_repeated(sc3_slice v, char between) {
  size_t i;
  for (i = 1; i < v.n; i++) {
    if (v.p[i] != v.p[0] && v.p[i] != between)
      return 0;
  }
  return 1;
}

/* Raw UID2 and EUID: 32 bytes (version 2) or 33 (3 and 4) in standard base64. In these two the first byte tells by bit 0x10 which of the two it is; bit 0x20
   tells version 4, which ends in the XOR of the bytes before. */
static sc3_reason check_raw_uid(sc3_slice v, int euid) {
  uint8_t bytes[33], sum = 0;
  int n, i;
  if (v.n == 64 && all_hex(v))
    return SC3_R_UID_HASH;
  if (v.n > 44)
    return SC3_R_UID_TOKEN;
  if (v.n != 44 || memchr(v.p, '-', v.n) != NULL || memchr(v.p, '_', v.n) != NULL)
    return SC3_R_UID_MALFORMED;
  n = sc3_base64_decode(v, bytes, sizeof bytes);
  if (n < 32)
    return SC3_R_UID_MALFORMED;
  if (is_repeated(v, '='))
    return SC3_R_UID_PLACEHOLDER;
  if (n == 33 && (bytes[0] & 0x20) != 0) {
    for (i = 0; i < n; i++)
      sum ^= bytes[i];
    if (sum != 0)
      return SC3_R_UID_CHECKSUM;
  }
  return n == 33 && ((bytes[0] & 0x10) != 0) != euid ? SC3_R_UID_OTHER_TYPE : SC3_R_NONE;
}

static sc3_reason check_uid2(sc3_slice v) {
  return check_raw_uid(v, 0);
}

static sc3_reason check_euid(sc3_slice v) {
  return check_raw_uid(v, 1);
}

/* Letters, digits, and those of `others`. */
static int is_word(sc3_slice v, const char *others) {
  size_t i;
  for (i = 0; i < v.n; i++) {
    char c = v.p[i];
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c != '\0' && strchr(others, c) != NULL)))
      return 0;
  }
  return 1;
}

static sc3_reason check_rampid(sc3_slice v) {
  return v.n == 49 && (begins(v, "XY") || begins(v, "hY")) && is_word(v, "_-") ? SC3_R_NONE : SC3_R_UID_MALFORMED;
}

static sc3_reason check_rampid_derived(sc3_slice v) {
  return v.n == 70 && begins(v, "Xi") && is_word(v, "_-") ? SC3_R_NONE : SC3_R_UID_MALFORMED;
}

static sc3_reason check_id5(sc3_slice v) {
  if (v.n == 1 && v.p[0] == '0')
    return SC3_R_UID_OPT_OUT;
  return begins(v, "ID5*") && v.n > 4 && is_word(v, "_*!-") ? SC3_R_NONE : SC3_R_UID_MALFORMED;
}

static sc3_reason check_pairid(sc3_slice v) {
  uint8_t bytes[4096];
  return sc3_base64_decode(v, bytes, sizeof bytes) > 0 ? SC3_R_NONE : SC3_R_UID_MALFORMED;
}

/* A UUID as text; all zeros say that tracking was denied, and another digit over and over is no device's. */
static sc3_reason check_maid(sc3_slice v) {
  size_t i;
  if (v.n != 36)
    return SC3_R_UID_MALFORMED;
  for (i = 0; i < v.n; i++) {
    int hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? v.p[i] != '-' : !sc3_text_hex(v.p[i]))
      return SC3_R_UID_MALFORMED;
  }
  if (!is_repeated(v, '-'))
    return SC3_R_NONE;
  return v.p[0] == '0' ? SC3_R_UID_OPT_OUT : SC3_R_UID_PLACEHOLDER;
}

sc3_reason sc3_uid_check(const sc3_uid *uid) {
  static const struct {
    const char *type;
    sc3_reason (*check)(sc3_slice value);
  } types[] = {
    {"uid2", check_uid2}, {"euid", check_euid}, {"rampid", check_rampid}, {"rampid_derived", check_rampid_derived},
    {"id5", check_id5}, {"pairid", check_pairid}, {"maid", check_maid},
  };
  static const char not_a_type[] = "external_id";
  size_t i;
  if (!sc3_slice_some(uid->type) || sc3_slice_eq(uid->type, sc3_slice_of(not_a_type, sizeof not_a_type - 1)))
    return SC3_R_UID_TYPE;
  if (!sc3_slice_some(uid->value))
    return SC3_R_UID_VALUE;
  if (!sc3_utf8_valid(uid->type.p, uid->type.n) || !sc3_utf8_valid(uid->value.p, uid->value.n))
    return SC3_R_UID_UTF8;
  for (i = 0; i < sizeof types / sizeof types[0]; i++) {
    if (sc3_slice_eq(uid->type, sc3_slice_of(types[i].type, strlen(types[i].type))))
      return types[i].check(uid->value);
  }
  return SC3_R_NONE;
}
