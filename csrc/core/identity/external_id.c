#include "external_id.h"

#include "../bytes/ascii.h"
#include "pii.h"
#include "email.h"
#include "hashed.h"
#include "phone.h"
#include "placeholder.h"
#include "../bytes/text.h"
#include "../bytes/utf8.h"

/* What was seen of an id: not zero where there was any. */
typedef struct kinds {
  uint64_t digits, letters, joints, others;
} kinds;

#define EACH(c) (UINT64_C(0x0101010101010101) * (c))

#if defined(__x86_64__) && defined(__GNUC__) && !defined(SC3_PORTABLE)

#include <emmintrin.h>

/* Bytes from `low` on, `count` of them: shifted so that they are the lowest of the signed ones. */
static __m128i range(__m128i v, int low, int count) {
  return _mm_cmplt_epi8(_mm_add_epi8(v, _mm_set1_epi8((char)(-128 - low))),
                        _mm_set1_epi8((char)(-128 + count)));
}

/* The eight characters of `a` and the eight of `b`. */
static void classify(uint64_t a, uint64_t b, kinds *k) {
  __m128i v = _mm_set_epi64x((long long)b, (long long)a);
  __m128i digits = range(v, '0', 10),
          letters = range(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 26);
  __m128i joints =
      _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('-')), _mm_cmpeq_epi8(v, _mm_set1_epi8('_')));
  __m128i known = _mm_or_si128(_mm_or_si128(digits, letters), joints);
  k->digits |= (uint64_t)(unsigned)_mm_movemask_epi8(digits);
  k->letters |= (uint64_t)(unsigned)_mm_movemask_epi8(letters);
  k->joints |= (uint64_t)(unsigned)_mm_movemask_epi8(joints);
  k->others |= (uint64_t)((unsigned)_mm_movemask_epi8(known) ^ 0xffff);
}

#else

/* Eight characters at a time, the high bit of each for an answer. */
#define HIGH EACH(0x80)

/* Those of ASCII from `c` on. */
static uint64_t from(uint64_t v, unsigned char c) {
  return ((v | HIGH) - EACH(c)) & HIGH;
}

static uint64_t between(uint64_t v, unsigned char low, unsigned char high) {
  return from(v, low) & ~from(v, (unsigned char)(high + 1));
}

static void classify_8(uint64_t v, kinds *k) {
  uint64_t digits = between(v, '0', '9'), letters = between(v | EACH(0x20), 'a', 'z');
  uint64_t joints = between(v, '-', '-') | between(v, '_', '_');
  k->digits |= digits;
  k->letters |= letters;
  k->joints |= joints;
  k->others |= (v & HIGH) | ((digits | letters | joints) ^ HIGH);
}

/* The eight characters of `a` and the eight of `b`. */
static void classify(uint64_t a, uint64_t b, kinds *k) {
  classify_8(a, k);
  classify_8(b, k);
}

#endif

static uint64_t eight(const char *p) {
  uint64_t v;
  memcpy(&v, p, sizeof v);
  return v;
}

/* The commonest ids, of which nothing has to be asked: digits, and letters and digits with _ and -
 * between. */
static int is_plain(sc3_slice s) {
  kinds k = {0, 0, 0, 0};
  uint64_t a = 0, b = 0;
  size_t i;
  if (s.n == SC3_SHA256_HEX || (s.n == 36 && s.p[0] == s.p[1]))
    return 0; /* a hash, or the UUID of nobody: looked at further */
  if (s.n > 12 && ((s.p[3] == '-' && s.p[7] == '-') || (s.p[1] == '-' && s.p[5] == '-')) &&
      sc3_ascii_is_digit(s.p[0]))
    return 0; /* perhaps 206-555-0142x12 */
  if (s.n < 8) {
    a = EACH((unsigned char)s.p[0]); /* the rest are copies of the first */
    for (i = 0; i < s.n; i++)
      a = a << 8 | (unsigned char)s.p[i];
    b = a;
  }
  i = 0;
  do {
    if (s.n >= 8) { /* the last look at some once more */
      a = eight(s.p + (i + 8 < s.n ? i : s.n - 8));
      b = eight(s.p + (i + 16 < s.n ? i + 8 : s.n - 8));
    }
    classify(a, b, &k);
    i += 16;
  } while (i < s.n);
  return k.others == 0 && k.digits != 0 && (k.letters != 0 || k.joints == 0);
}

/* How many characters at the end are the .0 of a number that a program took for one with a
   fraction: ".0", ",00". SIZE_MAX where it may be thousands. */
static size_t decimals(sc3_slice s) {
  size_t whole = s.n > 0 && s.p[0] == '-', start = whole, zeros;
  while (whole < s.n && sc3_ascii_is_digit(s.p[whole]))
    whole++;
  if (whole == start || whole + 1 >= s.n || (s.p[whole] != '.' && s.p[whole] != ','))
    return 0;
  for (zeros = whole + 1; zeros < s.n && s.p[zeros] == '0'; zeros++)
    continue;
  if (zeros < s.n)
    return 0;
  return zeros - whole == 4 && whole - start <= 3 ? SIZE_MAX : zeros - whole;
}

/* 7.01235E+12. But 12E-5 is how a house or a part is numbered: no id is as small as that number. */
static int is_exponent(sc3_slice s) {
  if (!sc3_text_is_exponent(s))
    return 0;
  return memchr(s.p, '.', s.n) != NULL || memchr(s.p, ',', s.n) != NULL ||
         memchr(s.p + 1, '-', s.n - 1) == NULL;
}

static sc3_reason check_characters(sc3_slice s) {
  const char *p = s.p, *end = s.p + s.n;
  while (p < end) {
    uint32_t c;
    p += sc3_utf8_decode(p, (size_t)(end - p), &c);
    if (sc3_text_is_control(c) || c == 0x2028 || c == 0x2029 ||
        (c >= 0x80 && sc3_text_is_invisible(c)))
      return SC3_R_ID_CONTROL;
    if (c == 0xfffd)
      return SC3_R_ID_LOST;
  }
  return SC3_R_NONE;
}

/* An id in two forms: as it stands in its field, and without quotes round it. */
typedef struct texts {
  sc3_slice whole, bare;
} texts;

/* The SHA-256 of the email or phone that the id is. `region` reads a national phone. */
static sc3_reason hash_contact(sc3_pii contact, const texts *s, int region,
                               const sc3_reading *reading, sc3_external_id_form *form) {
  sc3_email email;
  sc3_phone phone;
  sc3_reason why;
  if (contact == SC3_PII_EMAIL) {
    why = sc3_email_normalize(s->whole, reading->repair, &email);
    form->repairs |= email.repairs;
    if (why == SC3_R_NONE && (email.repairs >> SC3_REPAIR_EMAIL_FIRST & 1) != 0)
      why = SC3_R_EMAIL_SEVERAL; /* another export has them in another order, and an id is one */
    if (why == SC3_R_NONE)
      sc3_sha256_hex(email.text, email.n, form->hex);
  } else {
    why = sc3_phone_normalize(s->bare, region,
                              reading->phone_repairs & ~(1u << SC3_REPAIR_PHONE_FIRST), &phone);
    if (why == SC3_R_NONE) {
      form->repairs |= phone.repairs;
      sc3_sha256_hex(phone.text, phone.n, form->hex);
    }
  }
  if (why != SC3_R_NONE)
    return why;
  form->repairs |= 1u << SC3_REPAIR_ID_HASHED;
  form->value = sc3_slice_of(form->hex, SC3_SHA256_HEX);
  return SC3_R_NONE;
}

/* 64 hex digits, which are the hash of a person or of nobody. */
static sc3_reason check_hash(sc3_ids ids, sc3_external_id_form *form) {
  sc3_repairs none = 0;
  sc3_reason why;
  switch (sc3_hashed_recognize(form->value, form->hex, &why, &none)) {
    case SC3_HASHED_REFUSED: return SC3_R_ID_PLACEHOLDER;
    case SC3_HASHED_SHA256:
      if (ids == SC3_IDS_HASH)
        form->value = sc3_slice_of(form->hex, SC3_SHA256_HEX); /* lowercase, as those made here */
      break;
    case SC3_HASHED_NOT: break;
  }
  return SC3_R_NONE;
}

/* The inside of ObjectId("…"), NumberLong(…) and {"$oid": "…"}, as MongoDB's programs write ids
   into CSV; the text itself where it is none of these. */
static sc3_slice unwrap(sc3_slice s) {
  static const char *const heads[] = {
      "objectid(", "numberlong(", "numberint(",        "numberdecimal(", "uuid(",
      "long(",     "{\"$oid\":",  "{\"$numberlong\":", "{\"$uuid\":",    NULL};
  const char *const *head = heads;
  int taken = 0;
  sc3_slice inside;
  while (*head != NULL && !sc3_ascii_begins(s, *head))
    head++;
  if (*head == NULL || s.p[s.n - 1] != (**head == '{' ? '}' : ')'))
    return s;
  inside = sc3_text_trim(sc3_slice_of(s.p + strlen(*head), s.n - strlen(*head) - 1));
  inside = sc3_text_unmark(inside, "'\"", "'\"", &taken);
  if (inside.n == 0 || memchr(inside.p, '(', inside.n) != NULL ||
      memchr(inside.p, '"', inside.n) != NULL)
    return s;
  return inside;
}

/* Removes what stands round an id: `*s` gets the id in both forms. */
static sc3_reason strip(sc3_slice raw, int repair, texts *s, sc3_repairs *repairs) {
  int stripped = 0, marked = 0;
  sc3_slice inside;
  s->whole = sc3_text_strip(raw, &stripped);
  if (s->whole.n == 0)
    return SC3_R_NO_EXTERNAL_ID;
  if (s->whole.n < raw.n)
    *repairs |= 1u << SC3_REPAIR_ID_EDGES;
  if (sc3_is_placeholder_id(s->whole))
    return SC3_R_ID_PLACEHOLDER;
  if (*repairs != 0 && !repair)
    return SC3_R_ID_UNREPAIRED;
  inside = unwrap(s->whole);
  if (inside.n < s->whole.n) {
    *repairs |= 1u << SC3_REPAIR_ID_WRAPPED;
    s->whole = inside;
    if (sc3_is_placeholder_id(inside))
      return SC3_R_ID_PLACEHOLDER;
  }
  s->bare = sc3_text_unmark(s->whole, "'\"`=", "'\"`", &marked);
  return s->bare.n == 0 ? SC3_R_NO_EXTERNAL_ID : SC3_R_NONE;
}

/* What the id reads as, where that decides what becomes of it. */
static sc3_pii contact_of(const texts *s, const sc3_external_id *id, sc3_reading *reading,
                          int *region) {
  sc3_pii contact = sc3_pii_detect_as(s->bare, id->meant);
  if (contact == SC3_PII_NONE || reading->ids == SC3_IDS_AS_IS)
    return contact;
  *region = sc3_reading_region(reading, id->region);
  return contact == SC3_PII_NATIONAL && !sc3_pii_is_phone_in(s->bare, *region) ? SC3_PII_NONE
                                                                               : contact;
}

/* Takes what is left: an id that is no contact, or one that is sent as it is. */
static sc3_reason take_id(const texts *s, sc3_pii contact, const sc3_reading *reading,
                          sc3_external_id_form *form) {
  sc3_slice bare = s->bare;
  size_t cut = decimals(bare);
  if (bare.n < s->whole.n)
    form->repairs |= 1u << SC3_REPAIR_ID_MARKS;
  if (cut == SIZE_MAX)
    return SC3_R_ID_SPREADSHEET;
  if (cut > 0) {
    form->repairs |= 1u << SC3_REPAIR_ID_DECIMAL;
    bare.n -= cut;
  }
  if (sc3_is_placeholder_id(bare) || (contact == SC3_PII_EMAIL && sc3_is_placeholder(bare)))
    return SC3_R_ID_PLACEHOLDER;
  if (form->repairs != 0 && !reading->repair)
    return SC3_R_ID_UNREPAIRED;
  form->value = bare;
  return bare.n == SC3_SHA256_HEX ? check_hash(reading->ids, form) : SC3_R_NONE;
}

sc3_reason sc3_external_id_read(const sc3_external_id *id, sc3_reading *reading,
                                sc3_external_id_form *form) {
  texts s;
  sc3_pii contact;
  sc3_reason why;
  int region = SC3_NO_REGION;
  form->value = id->raw;
  form->repairs = 0;
  if (id->meant == SC3_PII_NONE && is_plain(id->raw))
    return SC3_R_NONE;
  if (!sc3_utf8_valid(id->raw.p, id->raw.n))
    return SC3_R_EXTERNAL_ID_UTF8;
  why = strip(id->raw, reading->repair, &s, &form->repairs);
  if (why != SC3_R_NONE)
    return why;
  if (is_exponent(s.bare))
    return SC3_R_ID_SPREADSHEET;
  why = check_characters(s.bare);
  if (why != SC3_R_NONE)
    return why;
  contact = contact_of(&s, id, reading, &region);
  if (contact == SC3_PII_NONE || reading->ids == SC3_IDS_AS_IS)
    return take_id(&s, contact, reading, form);
  if (reading->ids == SC3_IDS_REFUSE)
    return contact == SC3_PII_EMAIL ? SC3_R_ID_EMAIL : SC3_R_ID_PHONE;
  return hash_contact(contact, &s, region, reading, form);
}

sc3_reason sc3_external_id_check(sc3_slice id, sc3_ids ids) {
  sc3_reason why;
  if (is_plain(id))
    return SC3_R_NONE;
  why = check_characters(id);
  if (why != SC3_R_NONE || ids == SC3_IDS_AS_IS)
    return why;
  switch (sc3_pii_detect(id)) {
    case SC3_PII_EMAIL: return SC3_R_ID_EMAIL;
    case SC3_PII_PHONE: return SC3_R_ID_PHONE;
    default: return SC3_R_NONE; /* digits that are a phone in some country are ids in others */
  }
}
