#include "redactor.h"

#include "../bytes/ascii.h"

enum { LEAST_BUCKETS = 1 << 8, MOST_BUCKETS = 1 << 16, PIECE = 4, FOLDED = 256, SHORT = 6 };

struct sc3_redactor {
  const char *text;
  size_t n;
  size_t buckets;   /* a power of two */
  uint32_t *counts; /* of each bucket: places of the longest pieces */
  uint32_t *heads;  /* PIECE times the buckets: the last place of a bucket, plus 1 */
  uint32_t *next;   /* PIECE times n: the place before with the same bucket, plus 1 */
};

/* Most texts are short, and clearing a table costs more than looking through them. */
static size_t buckets_for(size_t n) {
  size_t buckets = LEAST_BUCKETS;
  while (buckets < MOST_BUCKETS && buckets < 4 * n)
    buckets *= 2;
  return buckets;
}

size_t sc3_redactor_size(size_t n) {
  return sizeof(sc3_redactor) + ((1 + PIECE) * buckets_for(n) + PIECE * n) * sizeof(uint32_t);
}

static unsigned char fold(unsigned char c) {
  return (unsigned char)(c < 0x20 ? ' ' : sc3_ascii_to_lower((char)c));
}

/* A byte of the text as it is compared: its NULs are borders, which equal nothing. */
static unsigned char text_at(const sc3_redactor *m, size_t i) {
  return m->text[i] == '\0' ? 0 : fold((unsigned char)m->text[i]);
}

static int is_word(unsigned char c) {
  return sc3_ascii_is_digit(c) || sc3_ascii_is_lower(c) || c >= 0x80;
}

static size_t bucket_of(const sc3_redactor *m, const unsigned char *start, size_t n) {
  uint32_t h = 2166136261u;
  size_t i;
  for (i = 0; i < n; i++)
    h = (h ^ start[i]) * 16777619u;
  return (h ^ h >> 15) & (m->buckets - 1);
}

sc3_redactor *sc3_redactor_init(void *memory, const char *text, size_t n) {
  sc3_redactor *m = memory;
  size_t i, k;
  m->text = text;
  m->n = n;
  m->buckets = buckets_for(n);
  m->counts = (uint32_t *)(void *)((char *)memory + sizeof *m);
  m->heads = m->counts + m->buckets;
  m->next = m->heads + PIECE * m->buckets;
  memset(m->counts, 0, (1 + PIECE) * m->buckets * sizeof *m->counts);
  for (i = 0; i < n; i++) {
    unsigned char piece[PIECE];
    for (k = 0; k < PIECE && i + k < n; k++) {
      uint32_t *head;
      size_t bucket;
      piece[k] = text_at(m, i + k);
      bucket = bucket_of(m, piece, k + 1);
      head = &m->heads[k * m->buckets + bucket];
      m->next[k * n + i] = *head;
      *head = (uint32_t)i + 1;
      if (k == PIECE - 1)
        m->counts[bucket]++;
    }
  }
  return m;
}

/* The next byte of a value as sc3_json_escape() wrote it, as it is compared. */
static unsigned char next_byte(sc3_slice *value) {
  unsigned char c = (unsigned char)value->p[0];
  size_t taken = 1;
  if (c == '\\' && value->n >= 6 && value->p[1] == 'u') {
    c = (unsigned char)(sc3_ascii_hex_value(value->p[4]) << 4 | sc3_ascii_hex_value(value->p[5]));
    taken = 6;
  } else if (c == '\\' && value->n >= 2) {
    c = (unsigned char)value->p[1];
    taken = 2;
  }
  value->p += taken;
  value->n -= taken;
  return fold(c);
}

/* Whether a value stands at place `i`: its length in the text, or 0. */
static size_t match_at(const sc3_redactor *m, size_t i, sc3_slice value) {
  size_t at = i;
  int digits = 0, first_is_word = 0;
  unsigned char c = 0;
  while (value.n > 0) {
    c = next_byte(&value);
    if (at >= m->n || text_at(m, at) != c)
      return 0;
    digits |= sc3_ascii_is_digit(c);
    first_is_word |= at == i && is_word(c);
    at++;
  }
  if (at - i >= SHORT && digits)
    return at - i;
  if (first_is_word && i > 0 && is_word(text_at(m, i - 1)))
    return 0;
  return is_word(c) && at < m->n && is_word(text_at(m, at)) ? 0 : at - i;
}

/* Of a value's beginning, middle and end the one that is rarest in the text: ids of one kind often
   have the others in common. */
static size_t rarest_piece(const sc3_redactor *m, const unsigned char *folded, size_t n) {
  size_t places[3], i, best = 0;
  places[0] = 0;
  places[1] = n - PIECE;
  places[2] = (n - PIECE) / 2;
  for (i = 1; i < 3; i++) {
    if (m->counts[bucket_of(m, folded + places[i], PIECE)] <
        m->counts[bucket_of(m, folded + places[best], PIECE)])
      best = i;
  }
  return places[best];
}

static int find_value(const sc3_redactor *m, sc3_slice value, unsigned char *hidden) {
  unsigned char folded[FOLDED];
  sc3_slice rest = value;
  size_t n = 0, k, from;
  uint32_t at;
  int found = 0;
  while (n < FOLDED && rest.n > 0)
    folded[n++] = next_byte(&rest);
  if (n == 0)
    return 0;
  k = n < PIECE ? n : PIECE;
  from = n < PIECE ? 0 : rarest_piece(m, folded, n);
  for (at = m->heads[(k - 1) * m->buckets + bucket_of(m, folded + from, k)]; at != 0;
       at = m->next[(k - 1) * m->n + at - 1]) {
    size_t length = at - 1 >= from ? match_at(m, at - 1 - from, value) : 0;
    if (length > 0) {
      memset(hidden + (at - 1 - from), 1, length);
      found = 1;
    }
  }
  return found;
}

/* The next string of a member's JSON, without its quotes; {NULL, 0} where there is none. */
static sc3_slice next_string(sc3_slice *json) {
  const char *from = json->n > 0 ? memchr(json->p, '"', json->n) : NULL, *end, *p;
  if (from == NULL)
    return sc3_slice_of(NULL, 0);
  end = json->p + json->n;
  for (p = ++from; p < end && *p != '"'; p++)
    p += *p == '\\';
  if (p >= end)
    return sc3_slice_of(NULL, 0);
  json->n = (size_t)(end - p) - 1;
  json->p = p + 1;
  return sc3_slice_of(from, (size_t)(p - from));
}

static int find_member(const sc3_redactor *m, sc3_slice member, unsigned char *hidden) {
  int found = 0;
  for (;;) {
    sc3_slice key = next_string(&member), value;
    if (key.p == NULL)
      return found;
    if (sc3_slice_eq(key, sc3_slice_of("uids", 4)))
      continue; /* a list of pairs of strings follows */
    value = next_string(&member);
    if (value.p == NULL)
      return found;
    if (sc3_slice_eq(key, sc3_slice_of("externalId", 10)) ||
        sc3_slice_eq(key, sc3_slice_of("value", 5)))
      found |= find_value(m, value, hidden);
  }
}

int sc3_redactor_mark(const sc3_redactor *m, const sc3_payload *p, size_t first, size_t last,
                      unsigned char *hidden) {
  size_t count = sc3_payload_count(p);
  int found = 0;
  for (; first < last && first < count; first++) {
    sc3_op op;
    sc3_slice member = sc3_payload_member(p, first, &op);
    if (member.p != NULL)
      found |= find_member(m, member, hidden);
  }
  return found;
}
