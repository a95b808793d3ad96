#include "payload.h"

#include <stdlib.h>

#include "../bytes/crc32c.h"
#include "../bytes/fetch.h"
#include "fingerprint.h"

typedef struct entry {
  uint64_t tagged_row; /* the row number, shifted by four: bits 2 and 3 count identifiers that came
                          hashed, bit 1 says replaced, bit 0 is the operation */
  uint32_t offset;     /* in the operation's segment */
  uint32_t length;     /* the comma included */
} entry;

/* Open addressing over the living members. Bits of the fingerprint are kept beside the index, so
 * that a miss rarely reads the segment. */
typedef struct slot {
  uint32_t index_plus_1; /* 0 = free */
  uint32_t hash;         /* the low half of the fingerprint */
} slot;

struct sc3_payload {
  sc3_buffer segment[2];
  sc3_buffer index;        /* of entry */
  sc3_buffer fingerprints; /* of uint64_t, one an entry */
  slot *slots;
  size_t slot_count; /* a power of two */
  size_t used_slots;
  size_t living[2];
  sc3_identifiers identifiers; /* of the living members */
  size_t max_members, max_bytes;
  int lines;             /* no requests, so that no slots are used */
  sc3_replaced replaced; /* by the last member that was added over another */
};

enum { FIRST_SLOTS = 16, FEW = 16, HASH_KEY = sizeof ",\"hashedEmail\":\"" - 1 };

static size_t count(const sc3_payload *p) {
  return p->index.n / sizeof(entry);
}

static entry *entries(const sc3_payload *p) {
  return (entry *)(void *)p->index.p; /* malloc'd, so aligned for any type */
}

static const uint64_t *fingerprints(const sc3_payload *p) {
  return (const uint64_t *)(const void *)p->fingerprints.p;
}

static int is_dead(const entry *e) {
  return (int)(e->tagged_row >> 1 & 1);
}

static sc3_op op_of(const entry *e) {
  return (sc3_op)(e->tagged_row & 1);
}

sc3_payload *sc3_payload_new(size_t max_members, size_t max_bytes) {
  sc3_payload *p = calloc(1, sizeof *p);
  if (p == NULL)
    return NULL;
  if (max_bytes > UINT32_MAX)
    max_bytes = UINT32_MAX;
  sc3_buffer_init(&p->segment[0], max_bytes);
  sc3_buffer_init(&p->segment[1], max_bytes);
  sc3_buffer_init(&p->index, SIZE_MAX / 2);
  sc3_buffer_init(&p->fingerprints, SIZE_MAX / 2);
  p->max_members = max_members;
  p->max_bytes = max_bytes;
  return p;
}

sc3_payload *sc3_payload_new_lines(size_t max_bytes) {
  sc3_payload *p = sc3_payload_new(SIZE_MAX, max_bytes);
  if (p != NULL)
    p->lines = 1;
  return p;
}

sc3_slice sc3_payload_lines(const sc3_payload *p, sc3_op op) {
  return sc3_slice_of(p->segment[op].p, p->segment[op].n);
}

void sc3_payload_free(sc3_payload *p) {
  if (p == NULL)
    return;
  sc3_buffer_free(&p->segment[0]);
  sc3_buffer_free(&p->segment[1]);
  sc3_buffer_free(&p->index);
  sc3_buffer_free(&p->fingerprints);
  free(p->slots);
  free(p);
}

/* A table that once was large is not wiped whole for a few members. Every slot in use lies in the
   run that begins where the fingerprint of its member points to. */
static void clear_slots(sc3_payload *p) {
  const size_t n = count(p);
  size_t i, j;
  if (n >= p->slot_count / FEW) {
    if (p->slots != NULL)
      memset(p->slots, 0, p->slot_count * sizeof *p->slots);
    return;
  }
  for (i = 0; i < n; i++) {
    j = (uint32_t)fingerprints(p)[i] & (p->slot_count - 1);
    for (; p->slots[j].index_plus_1 != 0; j = (j + 1) & (p->slot_count - 1))
      p->slots[j].index_plus_1 = 0;
  }
}

void sc3_payload_reset(sc3_payload *p) {
  clear_slots(p);
  p->segment[0].n = p->segment[1].n = 0;
  p->index.n = p->fingerprints.n = 0;
  p->living[0] = p->living[1] = 0;
  memset(&p->identifiers, 0, sizeof p->identifiers);
  p->used_slots = 0;
}

/* The slot of this external id, or the free one where it belongs. */
static slot *find(const sc3_payload *p, uint32_t hash, const char *id, size_t n) {
  size_t i = hash & (p->slot_count - 1);
  for (;; i = (i + 1) & (p->slot_count - 1)) {
    slot *s = &p->slots[i];
    const entry *e;
    const char *other;
    if (s->index_plus_1 == 0)
      return s;
    if (s->hash != hash)
      continue;
    e = &entries(p)[s->index_plus_1 - 1];
    other = p->segment[op_of(e)].p + e->offset + SC3_MEMBER_ID_AT;
    /* An escaped id holds no bare quote, so the quote after the same bytes means the same id. */
    if (e->length > SC3_MEMBER_ID_AT + n && memcmp(other, id, n) == 0 && other[n] == '"')
      return s;
  }
}

/* Keeps the table at most half full. */
static sc3_status make_slots(sc3_payload *p) {
  size_t wanted = p->slot_count > 0 ? p->slot_count * 2 : FIRST_SLOTS;
  slot *old = p->slots, *fresh;
  size_t i, old_count = p->slot_count;
  if (p->used_slots < p->slot_count / 2)
    return SC3_OK;
  fresh = calloc(wanted, sizeof *fresh);
  if (fresh == NULL)
    return SC3_ENOMEM;
  for (i = 0; i < old_count; i++) {
    size_t j;
    if (old[i].index_plus_1 == 0)
      continue;
    j = old[i].hash & (wanted - 1);
    while (fresh[j].index_plus_1 != 0)
      j = (j + 1) & (wanted - 1);
    fresh[j] = old[i];
  }
  p->slots = fresh;
  p->slot_count = wanted;
  free(old);
  return SC3_OK;
}

/* After the closing quote of the text that begins at `p`. */
static const char *behind_text(const char *p) {
  while (*p != '"')
    p += *p == '\\' ? 2 : 1;
  return p + 1;
}

/* Whether a hash of this key stands at `*p`, which is then after it. */
static unsigned take_hash(const char **p, const char *end, const char key[HASH_KEY]) {
  if ((size_t)(end - *p) < HASH_KEY + SC3_SHA256_HEX + 1 || memcmp(*p, key, HASH_KEY) != 0)
    return 0;
  *p += HASH_KEY + SC3_SHA256_HEX + 1;
  return 1;
}

/* From after the external id to the end. */
static sc3_identifiers read_identifiers(const char *at, const char *end) {
  static const char uid[] = "{\"type\":\""; /* quotes inside texts are escaped */
  sc3_identifiers had = {0, 0, 0, 0};
  had.emails = take_hash(&at, end, ",\"hashedEmail\":\"");
  had.phones = take_hash(&at, end, ",\"hashedPhone\":\"");
  for (; (size_t)(end - at) > sizeof uid; at++) {
    if (*at == '{' && memcmp(at, uid, sizeof uid - 1) == 0)
      had.uids++;
  }
  return had;
}

sc3_identifiers sc3_member_identifiers(sc3_slice json, size_t id_length) {
  return read_identifiers(json.p + SC3_MEMBER_ID_AT + id_length + 1, json.p + json.n);
}

static sc3_identifiers identifiers_of(const sc3_payload *p, const entry *e) {
  const char *json = p->segment[op_of(e)].p + e->offset;
  sc3_identifiers had = {0, 0, 0, 0};
  if (is_dead(e))
    return had;
  had = read_identifiers(behind_text(json + SC3_MEMBER_ID_AT), json + e->length);
  had.prehashed = (unsigned)(e->tagged_row >> 2 & 3);
  return had;
}

static void count_in(sc3_identifiers *sum, const sc3_identifiers *had) {
  sum->emails += had->emails;
  sum->phones += had->phones;
  sum->uids += had->uids;
  sum->prehashed += had->prehashed;
}

static void count_out(sc3_identifiers *sum, const sc3_identifiers *had) {
  sum->emails -= had->emails;
  sum->phones -= had->phones;
  sum->uids -= had->uids;
  sum->prehashed -= had->prehashed;
}

/* Takes a living member out: its bytes become spaces, which JSON allows. Gives what it had. */
static sc3_identifiers bury(sc3_payload *p, entry *e) {
  const sc3_identifiers had = identifiers_of(p, e);
  count_out(&p->identifiers, &had);
  memset(p->segment[op_of(e)].p + e->offset, ' ', e->length);
  p->living[op_of(e)]--;
  e->tagged_row |= 2;
  return had;
}

/* Room for one member more. */
static sc3_status reserve(sc3_payload *p, const sc3_new_member *m) {
  sc3_status st = sc3_buffer_reserve(&p->segment[m->op], m->json.n);
  if (st == SC3_OK)
    st = sc3_buffer_reserve(&p->index, sizeof(entry));
  return st == SC3_OK ? sc3_buffer_reserve(&p->fingerprints, sizeof m->fingerprint) : st;
}

/* Only after reserve(). */
static inline void put(sc3_payload *p, const sc3_new_member *m) {
  sc3_identifiers had = m->had;
  entry fresh;
  had.prehashed = had.prehashed < 3 ? had.prehashed : 3;
  fresh.tagged_row = m->row << 4 | (uint64_t)had.prehashed << 2 | (uint64_t)m->op;
  fresh.offset = (uint32_t)p->segment[m->op].n;
  fresh.length = (uint32_t)m->json.n;
  sc3_buffer_put(&p->index, &fresh, sizeof fresh);
  sc3_buffer_put(&p->fingerprints, &m->fingerprint, sizeof m->fingerprint);
  sc3_buffer_put(&p->segment[m->op], m->json.p, m->json.n);
  p->living[m->op]++;
  count_in(&p->identifiers, &had);
}

static sc3_added add_line(sc3_payload *p, const sc3_new_member *m) {
  if (reserve(p, m) != SC3_OK)
    return SC3_ADD_NOMEM;
  put(p, m);
  p->segment[m->op].p[p->segment[m->op].n - 1] = '\n';
  return SC3_ADDED;
}

sc3_added sc3_payload_add(sc3_payload *p, const sc3_new_member *m) {
  const size_t n = m->json.n;
  const char *id = m->json.p + SC3_MEMBER_ID_AT;
  const uint32_t hash = (uint32_t)m->fingerprint;
  sc3_added result = SC3_ADDED;
  slot *s;
  if (n > p->max_bytes)
    return SC3_NEVER_FITS;
  if (sc3_payload_bytes(p) > p->max_bytes - n || count(p) >= UINT32_MAX - 1)
    return SC3_FULL;
  if (p->lines)
    return add_line(p, m);
  if (make_slots(p) != SC3_OK)
    return SC3_ADD_NOMEM;
  s = find(p, hash, id, m->id_length);
  if (s->index_plus_1 == 0 && p->living[0] + p->living[1] >= p->max_members)
    return SC3_FULL;
  if (reserve(p, m) != SC3_OK)
    return SC3_ADD_NOMEM;
  if (s->index_plus_1 != 0) {
    entry *before = &entries(p)[s->index_plus_1 - 1];
    p->replaced.row = before->tagged_row >> 4;
    p->replaced.index = s->index_plus_1 - 1;
    p->replaced.op = op_of(before);
    p->replaced.had = bury(p, before);
    result = SC3_ADDED_OVER;
  } else {
    p->used_slots++;
  }
  s->index_plus_1 = (uint32_t)count(p) + 1;
  s->hash = hash;
  put(p, m);
  return result;
}

void sc3_payload_prefetch(const sc3_payload *p, uint64_t fingerprint) {
  if (p->slot_count > 0)
    SC3_FETCH_TO_WRITE(&p->slots[(uint32_t)fingerprint & (p->slot_count - 1)]);
}

size_t sc3_payload_count(const sc3_payload *p) {
  return count(p);
}

size_t sc3_payload_living(const sc3_payload *p, sc3_op op) {
  return p->living[op];
}

size_t sc3_payload_bytes(const sc3_payload *p) {
  return p->segment[0].n + p->segment[1].n;
}

size_t sc3_payload_memory(const sc3_payload *p) {
  return p->segment[0].capacity + p->segment[1].capacity + p->index.capacity +
         p->fingerprints.capacity + p->slot_count * sizeof *p->slots;
}

/* Takes member `i` into the range when the limits allow it; 0 when they do not. */
static int extend(const sc3_payload *p, sc3_extent *x, size_t i, size_t max_members,
                  size_t max_bytes) {
  const entry *e = &entries(p)[i];
  sc3_op op = op_of(e);
  sc3_slice grown = x->bytes[op];
  const char *start = p->segment[op].p + e->offset;
  if (is_dead(e))
    return 1;
  if (grown.p == NULL)
    grown.p = start;
  grown.n = (size_t)(start - grown.p) + e->length - 1; /* without its comma */
  if (x->members[0] + x->members[1] > 0 &&
      (x->members[0] + x->members[1] >= max_members || grown.n + x->bytes[1 - op].n > max_bytes))
    return 0;
  x->bytes[op] = grown;
  x->members[op]++;
  return 1;
}

static sc3_extent walk(const sc3_payload *p, size_t first, size_t last, size_t max_members,
                       size_t max_bytes) {
  sc3_extent x = {0, {0, 0}, {{NULL, 0}, {NULL, 0}}};
  x.last = first;
  while (x.last < last && extend(p, &x, x.last, max_members, max_bytes))
    x.last++;
  return x;
}

sc3_extent sc3_payload_cut(const sc3_payload *p, size_t first, size_t last, size_t max_members,
                           size_t max_bytes) {
  return walk(p, first, last < count(p) ? last : count(p), max_members, max_bytes);
}

sc3_extent sc3_payload_range(const sc3_payload *p, size_t first, size_t last) {
  return walk(p, first, last < count(p) ? last : count(p), SIZE_MAX, SIZE_MAX);
}

int sc3_payload_drop(sc3_payload *p, size_t i) {
  if (i >= count(p) || is_dead(&entries(p)[i]))
    return 0;
  bury(p, &entries(p)[i]);
  return 1;
}

size_t sc3_payload_replace(sc3_payload *p, const sc3_payload *later, size_t first, size_t last,
                           const sc3_removal_listener *listener) {
  size_t n = 0;
  if (p->slot_count == 0)
    return 0;
  for (; first < last && first < count(later); first++) {
    sc3_slice id = sc3_payload_id(later, first);
    const slot *s = id.p != NULL ? find(p, (uint32_t)fingerprints(later)[first], id.p, id.n) : NULL;
    size_t i;
    /* A slot of a member that was taken out still has its hash, and never the bytes of an id. */
    if (s == NULL || s->index_plus_1 == 0 || is_dead(&entries(p)[s->index_plus_1 - 1]))
      continue;
    i = s->index_plus_1 - 1;
    bury(p, &entries(p)[i]);
    n++;
    if (listener != NULL)
      listener->removed(listener->with, i);
  }
  return n;
}

size_t sc3_payload_find(const sc3_payload *p, size_t first, size_t last, sc3_op op, size_t nth) {
  for (; first < last && first < count(p); first++) {
    const entry *e = &entries(p)[first];
    if (!is_dead(e) && op_of(e) == op && nth-- == 0)
      return first;
  }
  return SIZE_MAX;
}

void sc3_payload_digest(const sc3_payload *p, char hex[SC3_SHA256_HEX]) {
  char both[2 * SC3_SHA256_HEX];
  int op;
  for (op = SC3_ADD; op <= SC3_REMOVE; op++)
    sc3_sha256_hex(p->segment[op].n > 0 ? p->segment[op].p : "", p->segment[op].n,
                   both + op * SC3_SHA256_HEX);
  sc3_sha256_hex(both, sizeof both, hex);
}

uint32_t sc3_payload_outline(const sc3_payload *p) {
  return sc3_crc32c(0, p->index.n > 0 ? p->index.p : "", p->index.n); /* an entry has no padding */
}

uint64_t sc3_payload_fingerprint(const sc3_payload *p, size_t i) {
  return i >= count(p) || is_dead(&entries(p)[i]) ? 0 : fingerprints(p)[i];
}

uint64_t sc3_payload_row(const sc3_payload *p, size_t i) {
  const entry *e;
  if (i >= count(p))
    return 0;
  e = &entries(p)[i];
  return is_dead(e) ? 0 : e->tagged_row >> 4;
}

int sc3_payload_rows(const sc3_payload *p, size_t first, size_t last, uint64_t rows[2]) {
  while (first < last && sc3_payload_row(p, first) == 0)
    first++;
  while (last > first && sc3_payload_row(p, last - 1) == 0)
    last--;
  if (first >= last)
    return 0;
  rows[0] = sc3_payload_row(p, first);
  rows[1] = sc3_payload_row(p, last - 1);
  return 1;
}

size_t sc3_payload_max_members(const sc3_payload *p) {
  return p->max_members;
}

size_t sc3_payload_max_bytes(const sc3_payload *p) {
  return p->max_bytes;
}

const sc3_replaced *sc3_payload_replaced(const sc3_payload *p) {
  return &p->replaced;
}

sc3_identifiers sc3_payload_identifiers(const sc3_payload *p, size_t i) {
  sc3_identifiers none = {0, 0, 0, 0};
  return i < count(p) ? identifiers_of(p, &entries(p)[i]) : none;
}

const sc3_identifiers *sc3_payload_living_identifiers(const sc3_payload *p) {
  return &p->identifiers;
}

sc3_slice sc3_payload_member(const sc3_payload *p, size_t i, sc3_op *op) {
  const entry *e;
  if (i >= count(p) || is_dead(&entries(p)[i]))
    return sc3_slice_of(NULL, 0);
  e = &entries(p)[i];
  *op = op_of(e);
  return sc3_slice_of(p->segment[*op].p + e->offset, e->length - 1);
}

char *sc3_payload_place(sc3_payload *p, size_t i, size_t at) {
  const entry *e = &entries(p)[i];
  return is_dead(e) ? NULL : p->segment[op_of(e)].p + e->offset + at;
}

sc3_slice sc3_payload_id(const sc3_payload *p, size_t i) {
  sc3_slice id = {NULL, 0};
  const entry *e;
  if (i >= count(p))
    return id;
  e = &entries(p)[i];
  if (is_dead(e))
    return id;
  id.p = p->segment[op_of(e)].p + e->offset + SC3_MEMBER_ID_AT;
  while (id.p[id.n] != '"')
    id.n += id.p[id.n] == '\\' ? 2 : 1;
  return id;
}
