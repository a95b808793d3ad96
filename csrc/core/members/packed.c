#include "packed.h"

#include <string.h>

#include "../bytes/little.h"
#include "../bytes/rest.h"
#include "../bytes/sha256.h"

#if defined(__SSE2__) && !defined(SC3_PORTABLE)
#include <emmintrin.h>
#endif

enum { EMAIL = 1, PHONE = 2, UIDS = 4 };

/* Bytes before the id, and of a hash. */
enum { HEAD = 4, HASH = SC3_SHA256_HEX / 2, LONGEST_ID = 0xffffff };

#define ID_NAME "{\"externalId\":\""
#define EMAIL_NAME ",\"hashedEmail\":\""
#define PHONE_NAME ",\"hashedPhone\":\""
#define UIDS_NAME ",\"uids\":["

#define LENGTH(literal) (sizeof(literal) - 1)

/* --- digits --- */

#if defined(__SSE2__) && !defined(SC3_PORTABLE)

/* Eight bytes of sixteen digits at once: of a letter the lower four bits are its place among them.
 */
static void pack_digits(const char *digits, char *to) {
  size_t i;
  for (i = 0; i < SC3_SHA256_HEX; i += 16) {
    const __m128i d = _mm_loadu_si128((const __m128i *)(const void *)(digits + i));
    const __m128i letter = _mm_cmpgt_epi8(d, _mm_set1_epi8('9'));
    const __m128i n =
        _mm_add_epi8(_mm_and_si128(d, _mm_set1_epi8(15)), _mm_and_si128(letter, _mm_set1_epi8(9)));
    const __m128i pairs = _mm_or_si128(_mm_slli_epi16(n, 4), _mm_srli_epi16(n, 8));
    _mm_storel_epi64(
        (__m128i *)(void *)(to + i / 2),
        _mm_packus_epi16(_mm_and_si128(pairs, _mm_set1_epi16(0xff)), _mm_setzero_si128()));
  }
}

static void unpack_digits(const char *bytes, char *to) {
  size_t i;
  for (i = 0; i < HASH; i += 8) {
    const __m128i b = _mm_loadl_epi64((const __m128i *)(const void *)(bytes + i));
    const __m128i n = _mm_and_si128(_mm_unpacklo_epi8(_mm_srli_epi16(b, 4), b), _mm_set1_epi8(15));
    const __m128i letter = _mm_cmpgt_epi8(n, _mm_set1_epi8(9));
    _mm_storeu_si128((__m128i *)(void *)(to + 2 * i),
                     _mm_add_epi8(_mm_add_epi8(n, _mm_set1_epi8('0')),
                                  _mm_and_si128(letter, _mm_set1_epi8('a' - '0' - 10))));
  }
}

#else

/* Each byte of a word. */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The eight digits of four bytes, of which the first has the lowest bits. */
static uint64_t digits_of(uint32_t bytes) {
  uint64_t n = bytes, above;
  n = (n | n << 16) & UINT64_C(0x0000ffff0000ffff);
  n = (n | n << 8) & UINT64_C(0x00ff00ff00ff00ff);
  n = (n >> 4 | n << 8) & EACH(0x0f);
  above = (n + EACH(6)) >> 4 & EACH(1); /* of 10 and more */
  return n + EACH('0') + above * ('a' - '0' - 10);
}

/* The other way. */
static uint32_t bytes_of(uint64_t digits) {
  uint64_t n = (digits & EACH(0x0f)) + (digits >> 6 & EACH(1)) * 9;
  n = (n << 4 | n >> 8) & UINT64_C(0x00ff00ff00ff00ff);
  n = (n | n >> 8) & UINT64_C(0x0000ffff0000ffff);
  return (uint32_t)(n | n >> 16);
}

static void pack_digits(const char *digits, char *to) {
  size_t i;
  for (i = 0; i < HASH; i += 4)
    sc3_store32((unsigned char *)to + i,
                bytes_of(sc3_load64((const unsigned char *)digits + 2 * i)));
}

static void unpack_digits(const char *bytes, char *to) {
  size_t i;
  for (i = 0; i < HASH; i += 4)
    sc3_store64((unsigned char *)to + 2 * i,
                digits_of(sc3_load32((const unsigned char *)bytes + i)));
}

#endif

/* --- JSON --- */

/* The text up to its quote, which is taken too. */
static int take_id(sc3_rest *r, sc3_slice *id) {
  const char *at = r->at;
  while (at < r->end && *at != '"')
    at += *at == '\\' && r->end - at > 1 ? 2 : 1;
  if (at == r->end || at - r->at > LONGEST_ID)
    return 0;
  *id = sc3_slice_of(r->at, (size_t)(at - r->at));
  r->at = at + 1;
  return 1;
}

static int take_hash(sc3_rest *r, const char **digits) {
  if (sc3_rest_size(r) <= SC3_SHA256_HEX)
    return 0;
  *digits = r->at;
  r->at += SC3_SHA256_HEX;
  return SC3_REST_TAKE(r, "\"");
}

static int take_parts(sc3_rest *r, sc3_packed *parts) {
  if (!SC3_REST_TAKE(r, ID_NAME) || !take_id(r, &parts->id) ||
      (SC3_REST_TAKE(r, EMAIL_NAME) && !take_hash(r, &parts->email)) ||
      (SC3_REST_TAKE(r, PHONE_NAME) && !take_hash(r, &parts->phone)))
    return 0;
  if (SC3_REST_TAKE(r, UIDS_NAME)) {
    const ptrdiff_t left = r->end - r->at - 2; /* ]} */
    if (left < 0)
      return 0;
    parts->uids = sc3_slice_of(r->at, (size_t)left);
    r->at += left;
    if (!SC3_REST_TAKE(r, "]"))
      return 0;
  }
  return SC3_REST_TAKE(r, "}") && r->at == r->end;
}

size_t sc3_packed_of(sc3_slice json, sc3_packed *parts) {
  sc3_rest r = sc3_rest_of(json);
  memset(parts, 0, sizeof *parts);
  if (!take_parts(&r, parts))
    return 0;
  return HEAD + parts->id.n + (parts->email != NULL ? HASH : 0) +
         (parts->phone != NULL ? HASH : 0) + parts->uids.n;
}

static char *put(char *to, const char *from, size_t n) {
  if (n > 0)
    memcpy(to, from, n);
  return to + n;
}

void sc3_packed_write(const sc3_packed *parts, char *to) {
  const unsigned kind = (parts->email != NULL ? EMAIL : 0) | (parts->phone != NULL ? PHONE : 0) |
                        (parts->uids.p != NULL ? UIDS : 0);
  sc3_store32((unsigned char *)to, kind | (uint32_t)parts->id.n << 8);
  to = put(to + HEAD, parts->id.p, parts->id.n);
  if (parts->email != NULL) {
    pack_digits(parts->email, to);
    to += HASH;
  }
  if (parts->phone != NULL) {
    pack_digits(parts->phone, to);
    to += HASH;
  }
  (void)put(to, parts->uids.p, parts->uids.n);
}

/* --- packed --- */

static const char *take_bytes(sc3_rest *r, size_t n) {
  const char *const at = r->at;
  if (sc3_rest_size(r) < n)
    return NULL;
  r->at += n;
  return at;
}

int sc3_packed_read(sc3_slice packed, sc3_packed *parts) {
  sc3_rest r = sc3_rest_of(packed);
  const unsigned char *const head = (const unsigned char *)take_bytes(&r, HEAD);
  const unsigned kind = head != NULL ? head[0] : 0;
  memset(parts, 0, sizeof *parts);
  if (head == NULL || kind > (EMAIL | PHONE | UIDS))
    return 0;
  parts->id.n = sc3_load32(head) >> 8;
  parts->id.p = take_bytes(&r, parts->id.n);
  if (parts->id.p == NULL ||
      ((kind & EMAIL) != 0 && (parts->email = take_bytes(&r, HASH)) == NULL) ||
      ((kind & PHONE) != 0 && (parts->phone = take_bytes(&r, HASH)) == NULL))
    return 0;
  if ((kind & UIDS) != 0)
    parts->uids = sc3_slice_of(r.at, sc3_rest_size(&r));
  return (kind & UIDS) != 0 || r.at == r.end;
}

size_t sc3_packed_json_size(const sc3_packed *parts) {
  const size_t hash = SC3_SHA256_HEX + LENGTH("\"");
  return LENGTH(ID_NAME) + parts->id.n + LENGTH("\"") +
         (parts->email != NULL ? LENGTH(EMAIL_NAME) + hash : 0) +
         (parts->phone != NULL ? LENGTH(PHONE_NAME) + hash : 0) +
         (parts->uids.p != NULL ? LENGTH(UIDS_NAME) + parts->uids.n + LENGTH("]") : 0) +
         LENGTH("}");
}

#define PUT(to, literal) put((to), literal, LENGTH(literal))

void sc3_packed_unpack(const sc3_packed *parts, char *to) {
  to = PUT(to, ID_NAME);
  to = put(to, parts->id.p, parts->id.n);
  to = PUT(to, "\"");
  if (parts->email != NULL) {
    to = PUT(to, EMAIL_NAME);
    unpack_digits(parts->email, to);
    to = PUT(to + SC3_SHA256_HEX, "\"");
  }
  if (parts->phone != NULL) {
    to = PUT(to, PHONE_NAME);
    unpack_digits(parts->phone, to);
    to = PUT(to + SC3_SHA256_HEX, "\"");
  }
  if (parts->uids.p != NULL) {
    to = PUT(to, UIDS_NAME);
    to = put(to, parts->uids.p, parts->uids.n);
    to = PUT(to, "]");
  }
  (void)PUT(to, "}");
}
