#include "uid.h"

#include "../bytes/ascii.h"
#include "../bytes/base64.h"
#include "pii.h"
#include "hashed.h"
#include "placeholder.h"
#include "../bytes/text.h"
#include "../bytes/utf8.h"

static int all_hex(sc3_slice s) {
  size_t i;
  for (i = 0; i < s.n; i++) {
    if (!sc3_ascii_is_hex(s.p[i]))
      return 0;
  }
  return 1;
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

/* Letters, digits, and those of `others`. */
static int is_word(sc3_slice v, const char *others) {
  size_t i;
  for (i = 0; i < v.n; i++) {
    char c = v.p[i];
    if (!(sc3_ascii_is_alphanumeric(c) || (c != '\0' && strchr(others, c) != NULL)))
      return 0;
  }
  return 1;
}

/* Control and invisible characters. */
static int has_control(sc3_slice s) {
  const char *p = s.p, *end = s.p + s.n;
  while (p < end) {
    uint32_t c;
    p += sc3_utf8_decode(p, (size_t)(end - p), &c);
    if (sc3_text_is_control(c) || (c >= 0x80 && sc3_text_is_invisible(c)))
      return 1;
  }
  return 0;
}

/* Percent codes: %3D, %2B. */
static int has_percent_code(sc3_slice s) {
  size_t i;
  for (i = 0; i + 2 < s.n; i++) {
    if (s.p[i] == '%' && sc3_ascii_is_hex(s.p[i + 1]) && sc3_ascii_is_hex(s.p[i + 2]))
      return 1;
  }
  return 0;
}

/* Raw UID2 and EUID: 32 bytes (version 2) or 33 (3 and 4) in standard base64; the other alphabet,
   and 32 bytes without their =, are rewritten. In the longer two the first byte tells by bit 0x10
   which of the two it is; bit 0x20 tells version 4, which ends in the XOR of the bytes before. */
static sc3_reason check_raw_uid(sc3_uid_form *f, int repair, int euid) {
  sc3_slice v = f->value;
  uint8_t bytes[33], sum = 0;
  int n, i;
  if (v.n == 64 && all_hex(v))
    return SC3_R_UID_HASH;
  if (v.n > 44)
    return is_word(v, "+/=_-.") ? SC3_R_UID_TOKEN : SC3_R_UID_MALFORMED;
  n = v.n == 43 || v.n == 44 ? sc3_base64_decode(v, bytes, sizeof bytes) : 0;
  if (n < 32)
    return SC3_R_UID_MALFORMED;
  if (v.n == 43 || memchr(v.p, '-', v.n) != NULL || memchr(v.p, '_', v.n) != NULL) {
    if (!repair)
      return SC3_R_UID_MALFORMED;
    f->repairs |= 1u << SC3_REPAIR_UID_BASE64;
    for (i = 0; i < (int)v.n; i++)
      f->text[i] = v.p[i] == '-' ? '+' : v.p[i] == '_' ? '/' : v.p[i];
    if (v.n == 43)
      f->text[v.n++] = '=';
    f->value = v = sc3_slice_of(f->text, v.n);
  }
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

static sc3_reason check_uid2(sc3_uid_form *f, int repair) {
  return check_raw_uid(f, repair, 0);
}

static sc3_reason check_euid(sc3_uid_form *f, int repair) {
  return check_raw_uid(f, repair, 1);
}

static sc3_reason check_rampid(sc3_uid_form *f, int repair) {
  sc3_slice v = f->value;
  (void)repair;
  return v.n == 49 &&
                 (sc3_slice_begins(v, SC3_LITERAL("XY")) ||
                  sc3_slice_begins(v, SC3_LITERAL("hY"))) &&
                 is_word(v, "_-")
             ? SC3_R_NONE
             : SC3_R_UID_MALFORMED;
}

static sc3_reason check_rampid_derived(sc3_uid_form *f, int repair) {
  sc3_slice v = f->value;
  (void)repair;
  return v.n == 70 && sc3_slice_begins(v, SC3_LITERAL("Xi")) && is_word(v, "_-")
             ? SC3_R_NONE
             : SC3_R_UID_MALFORMED;
}

static sc3_reason check_id5(sc3_uid_form *f, int repair) {
  sc3_slice v = f->value;
  (void)repair;
  if (v.n == 1 && v.p[0] == '0')
    return SC3_R_UID_OPT_OUT;
  return sc3_slice_begins(v, SC3_LITERAL("ID5*")) && v.n > 4 && is_word(v, "_*!-")
             ? SC3_R_NONE
             : SC3_R_UID_MALFORMED;
}

/* Opaque, and kept as it came. Fewer than 16 bytes are no encrypted identity, but a word that
 * happens to be base64. */
static sc3_reason check_pairid(sc3_uid_form *f, int repair) {
  enum { LEAST = 16 };
  uint8_t bytes[4096];
  (void)repair;
  if (sc3_base64_decode(f->value, bytes, sizeof bytes) < LEAST)
    return SC3_R_UID_MALFORMED;
  return is_repeated(f->value, '=') || sc3_is_placeholder_id(f->value) ? SC3_R_UID_PLACEHOLDER
                                                                       : SC3_R_NONE;
}

/* A UUID as text; all zeros say that tracking was denied, and another digit over and over is no
 * device's. */
static sc3_reason check_maid(sc3_uid_form *f, int repair) {
  sc3_slice v = f->value;
  size_t i;
  (void)repair;
  if (v.n != 36)
    return SC3_R_UID_MALFORMED;
  for (i = 0; i < v.n; i++) {
    int hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? v.p[i] != '-' : !sc3_ascii_is_hex(v.p[i]))
      return SC3_R_UID_MALFORMED;
  }
  if (!is_repeated(v, '-'))
    return SC3_R_NONE;
  return v.p[0] == '0' ? SC3_R_UID_OPT_OUT : SC3_R_UID_PLACEHOLDER;
}

/* A SHA-256, as those of members. */
static sc3_reason check_hashed(sc3_uid_form *f, int repair) {
  sc3_reason why;
  (void)repair;
  switch (sc3_hashed_recognize(f->value, f->text, &why, &f->repairs)) {
    case SC3_HASHED_SHA256: f->value = sc3_slice_of(f->text, sizeof f->text); return SC3_R_NONE;
    case SC3_HASHED_REFUSED: return why;
    case SC3_HASHED_NOT: break;
  }
  return SC3_R_HASH_MALFORMED;
}

/* Types whose values have a form of their own, and others of AdCP's list. */
static const struct known {
  const char *name;
  sc3_reason (*check)(sc3_uid_form *form, int repair); /* NULL: free text */
} TYPES[] = {
    {"uid2", check_uid2},
    {"maid", check_maid},
    {"id5", check_id5},
    {"euid", check_euid},
    {"rampid", check_rampid},
    {"rampid_derived", check_rampid_derived},
    {"pairid", check_pairid},
    {"hashed_email", check_hashed},
    {"hashed_phone", check_hashed},
    {"publisher_first_party", NULL},
    {"world_id_nullifier", NULL},
    {"other", NULL}, /* stays last: see OTHER */
};

enum { TYPE_COUNT = sizeof TYPES / sizeof TYPES[0], OTHER = TYPE_COUNT - 1, KEY_MAX = 40 };

static int type_named(sc3_slice name) {
  size_t i;
  for (i = 0; i < TYPE_COUNT; i++) {
    if (sc3_slice_eq(name, sc3_slice_of(TYPES[i].name, strlen(TYPES[i].name))))
      return (int)i;
  }
  return -1;
}

/* Letters in lowercase and digits of a name, without what people put between: "UID-2" is uid2, also
   in full-width letters. 0 where there is anything else outside ASCII, or too much. */
static size_t key_of(sc3_slice name, char key[KEY_MAX]) {
  size_t i, n = 0;
  for (i = 0; i < name.n;) {
    uint32_t cp = (unsigned char)name.p[i];
    size_t used = cp < 0x80 ? 1 : sc3_utf8_decode(name.p + i, name.n - i, &cp);
    char c;
    if (cp > 0xff00 && cp < 0xff5f)
      cp -= 0xff00 - 0x20;
    if (used == 0 || cp >= 0x80 || n == KEY_MAX)
      return 0;
    i += used;
    c = (char)cp;
    c = sc3_ascii_to_lower(c);
    if (sc3_ascii_is_alphanumeric(c))
      key[n++] = c;
  }
  return n;
}

static sc3_slice key_of_type(size_t i, char key[KEY_MAX]) {
  return sc3_slice_of(key, key_of(sc3_slice_of(TYPES[i].name, strlen(TYPES[i].name)), key));
}

/* Two letters in the wrong order, and all else alike. */
static int is_swapped(sc3_slice a, sc3_slice b) {
  size_t i = 0;
  if (a.n != b.n)
    return 0;
  while (i < a.n && a.p[i] == b.p[i])
    i++;
  if (i + 1 >= a.n || a.p[i] != b.p[i + 1] || a.p[i + 1] != b.p[i])
    return 0;
  return memcmp(a.p + i + 2, b.p + i + 2, a.n - i - 2) == 0;
}

/* Whether one letter too many, too few, or another makes the difference, or two in the wrong order.
 */
static int is_close(sc3_slice a, sc3_slice b) {
  size_t head = 0, tail = 0;
  if (is_swapped(a, b))
    return 1;
  if (a.n < b.n) {
    sc3_slice shorter = a;
    a = b;
    b = shorter;
  }
  if (a.n - b.n > 1)
    return 0;
  while (head < b.n && a.p[head] == b.p[head])
    head++;
  while (tail < b.n - head && a.p[a.n - 1 - tail] == b.p[b.n - 1 - tail])
    tail++;
  return a.n - head - tail <= 1;
}

/* Short names are one letter from too many words (euid from guid). Close to them are two letters in
   the wrong order, one more at the end, and whatever follows a digit at the end: "uid2_token". */
static int is_close_to_short(sc3_slice key, sc3_slice known) {
  if (is_swapped(key, known))
    return 1;
  if (key.n <= known.n || memcmp(key.p, known.p, known.n) != 0)
    return 0;
  return key.n == known.n + 1 || known.p[known.n - 1] <= '9';
}

static int is_nearly(sc3_slice key, sc3_slice known) {
  enum { SHORT = 5 };
  if (known.n <= SHORT)
    return is_close_to_short(key, known);
  return is_close(key, known) || (key.n > known.n && memcmp(key.p, known.p, known.n) == 0);
}

/* What a type is called elsewhere, and its name; or, without a name, why such a type is refused. */
static const struct alias {
  const char *name;
  sc3_reason why;
  const char *keys[14];
} ALIASES[] = {
    {"maid",
     SC3_R_NONE,
     {"idfa", "gaid", "aaid", "adid", "maids", "mobileadid", "mobileadvertisingid", "advertisingid",
      "googleadvertisingid", "googleadid", "gpsadid", "appleidfa"}},
    {"uid2", SC3_R_NONE, {"unifiedid2", "unifiedid20", "uid20"}},
    {"euid", SC3_R_NONE, {"europeanunifiedid"}},
    {"id5", SC3_R_NONE, {"id5id"}},
    {"rampid", SC3_R_NONE, {"liveramprampid"}},
    {"pairid", SC3_R_NONE, {"pair", "googlepair"}},
    {"hashed_email", SC3_R_NONE, {"hem", "emailsha256", "sha256email", "emailhash"}},
    {"hashed_phone", SC3_R_NONE, {"phonesha256", "sha256phone", "phonehash"}},
    {NULL, SC3_R_UID_TYPE_VENDOR, {"idfv", "vendorid", "appleidfv"}},
    {NULL,
     SC3_R_UID_TYPE_CLOSE,
     {"email", "phone", "emails", "phones", "uid", "uid1", "uid3", "uidv2"}},
    {NULL, SC3_R_UID_TYPE, {"externalid"}},
};

static const struct alias *alias_of(sc3_slice key) {
  size_t i;
  for (i = 0; i < sizeof ALIASES / sizeof ALIASES[0]; i++) {
    const char *const *alias;
    for (alias = ALIASES[i].keys; *alias != NULL; alias++) {
      if (sc3_slice_eq(key, sc3_slice_of(*alias, strlen(*alias))))
        return &ALIASES[i];
    }
  }
  return NULL;
}

/* The known type whose name has this key; NULL where there is none. */
static const struct known *type_of(sc3_slice key) {
  char text[KEY_MAX];
  size_t i;
  for (i = 0; i < TYPE_COUNT; i++) {
    if (sc3_slice_eq(key, key_of_type(i, text)))
      return &TYPES[i];
  }
  return NULL;
}

static int is_nearly_known(sc3_slice key) {
  char text[KEY_MAX];
  size_t i;
  for (i = 0; i < OTHER; i++) {
    if (is_nearly(key, key_of_type(i, text)))
      return 1;
  }
  return 0;
}

sc3_reason sc3_uid_type(sc3_slice type, sc3_slice *name) {
  char key_text[KEY_MAX];
  const struct alias *alias;
  const struct known *known;
  sc3_slice key;
  int stripped = 0;
  *name = type;
  if (!sc3_slice_some(type))
    return SC3_R_UID_TYPE;
  if (type_named(type) >= 0)
    return SC3_R_NONE;
  if (!sc3_utf8_valid(type.p, type.n))
    return SC3_R_UID_UTF8;
  *name = type = sc3_text_strip(type, &stripped);
  if (type.n == 0 || has_control(type) || sc3_pii_detect(type) != SC3_PII_NONE)
    return SC3_R_UID_TYPE;
  key = sc3_slice_of(key_text, key_of(type, key_text));
  alias = alias_of(key);
  if (alias != NULL) {
    if (alias->name != NULL)
      *name = sc3_slice_of(alias->name, strlen(alias->name));
    return alias->why;
  }
  known = type_of(key);
  if (known != NULL) {
    *name = sc3_slice_of(known->name, strlen(known->name));
    return SC3_R_NONE;
  }
  return is_nearly_known(key) ? SC3_R_UID_TYPE_CLOSE : SC3_R_NONE;
}

/* 64 hex digits of one digit, or the hash of an empty text or of a placeholder. */
static int is_hash_of_nobody(sc3_slice v) {
  char hex[SC3_SHA256_HEX];
  sc3_repairs ignored = 0;
  sc3_reason why;
  return sc3_hashed_recognize(v, hex, &why, &ignored) == SC3_HASHED_REFUSED;
}

/* What a value of any type may not be: a placeholder, a raw identity, or damaged. */
static sc3_reason check_any(sc3_slice v, sc3_pii meant) {
  sc3_pii contact;
  if (sc3_is_placeholder_id(v) || (v.p[0] == '0' && is_repeated(v, '-')))
    return SC3_R_UID_PLACEHOLDER;
  if (v.n == SC3_SHA256_HEX && is_hash_of_nobody(v))
    return SC3_R_UID_PLACEHOLDER;
  if (sc3_text_is_exponent(v))
    return SC3_R_UID_SPREADSHEET;
  contact = sc3_pii_detect_as(v, meant);
  if (contact == SC3_PII_EMAIL)
    return SC3_R_UID_EMAIL;
  if (contact == SC3_PII_PHONE)
    return SC3_R_UID_PHONE;
  return has_control(v) ? SC3_R_UID_CONTROL : SC3_R_NONE;
}

/* What a value that has not its type's form is instead, as far as that can be told. */
static sc3_reason name_fault(sc3_slice v, sc3_pii meant, sc3_reason why) {
  sc3_reason other = check_any(v, meant);
  if (other != SC3_R_NONE)
    return other;
  return has_percent_code(v) ? SC3_R_UID_ESCAPED : why;
}

sc3_reason sc3_uid_read(const sc3_uid *uid, int repair, sc3_uid_form *form) {
  sc3_reason why = sc3_uid_type(uid->type, &form->type);
  sc3_slice bare;
  int known, taken = 0;
  if (why != SC3_R_NONE)
    return why;
  if (!sc3_slice_some(uid->value))
    return SC3_R_UID_VALUE;
  if (!sc3_utf8_valid(uid->value.p, uid->value.n))
    return SC3_R_UID_UTF8;
  form->repairs = 0;
  bare = sc3_text_strip(uid->value, &taken);
  bare = sc3_text_unmark(bare, "'\"`=", "'\"`", &taken);
  if (bare.n == 0)
    return sc3_text_strip(uid->value, &taken).n == 0 ? SC3_R_UID_VALUE : SC3_R_UID_PLACEHOLDER;
  form->value = bare;
  known = type_named(form->type);
  why = known >= 0 && TYPES[known].check != NULL ? TYPES[known].check(form, repair)
                                                 : check_any(bare, uid->meant);
  if (why == SC3_R_UID_MALFORMED || why == SC3_R_UID_TOKEN || why == SC3_R_HASH_MALFORMED)
    return name_fault(bare, uid->meant, why);
  if (why != SC3_R_NONE || !taken)
    return why;
  if (!repair)
    return SC3_R_UID_UNREPAIRED;
  form->repairs |= 1u << SC3_REPAIR_UID_MARKS;
  return SC3_R_NONE;
}
