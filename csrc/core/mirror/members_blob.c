#include "members_blob.h"

#include "../bytes/crc32c.h"
#include "../bytes/little.h"

enum {
  FORMAT = 1,
  HEAD = 6,
  FIXED = 29,          /* of a record, before its standing */
  LARGEST = 1000000000 /* SQLite's own limit of a blob */
};

static size_t standing_size(unsigned audiences) {
  return (audiences + 3) / 4;
}

/* --- ids and checksums --- */

int sc3_blob_is_whole(sc3_slice blob, size_t least) {
  size_t n;
  if (blob.n < least + SC3_BLOB_FOOT)
    return 0;
  n = blob.n - SC3_BLOB_FOOT;
  return sc3_load32((const unsigned char *)blob.p + n) == sc3_crc32c(0, blob.p, n);
}

const unsigned char *sc3_read_id(const unsigned char *p, const unsigned char *end, sc3_slice *id) {
  size_t n;
  if (p == end)
    return NULL;
  n = *p++;
  if (n == SC3_ID_ESCAPE) {
    if (end - p < 2)
      return NULL;
    n = sc3_load16(p);
    p += 2;
    if (n < SC3_ID_ESCAPE) /* it would have another form too */
      return NULL;
  }
  if (n == 0 || (size_t)(end - p) < n)
    return NULL;
  *id = sc3_slice_of((const char *)p, n);
  return p + n;
}

unsigned char *sc3_write_id(unsigned char *p, sc3_slice id) {
  if (id.n < SC3_ID_ESCAPE) {
    *p++ = (unsigned char)id.n;
  } else {
    *p++ = SC3_ID_ESCAPE;
    sc3_store16(p, (uint16_t)id.n);
    p += 2;
  }
  memcpy(p, id.p, id.n);
  return p + id.n;
}

sc3_mirror_status sc3_blob_seal(sc3_buffer *out) {
  const sc3_status st = sc3_buffer_reserve(out, SC3_BLOB_FOOT);
  if (st != SC3_OK)
    return sc3_mirror_of(st);
  sc3_store32((unsigned char *)out->p + out->n, sc3_crc32c(0, out->p, out->n));
  out->n += SC3_BLOB_FOOT;
  return SC3_MIRROR_OK;
}

/* --- reading --- */

sc3_mirror_status sc3_members_open(sc3_members_reader *r, sc3_slice blob, size_t part,
                                   unsigned bits, unsigned audiences) {
  memset(r, 0, sizeof *r);
  r->part = part;
  r->bits = bits;
  r->audiences = audiences;
  if (blob.n == 0)
    return SC3_MIRROR_OK;
  if (!sc3_blob_is_whole(blob, HEAD))
    return SC3_MIRROR_DAMAGED;
  r->p = (const unsigned char *)blob.p;
  r->end = r->p + blob.n - SC3_BLOB_FOOT;
  r->audiences = r->p[1];
  r->left = sc3_load32(r->p + 2);
  if (r->p[0] != FORMAT || r->audiences == 0 || r->audiences > audiences)
    return SC3_MIRROR_DAMAGED;
  r->p += HEAD;
  return SC3_MIRROR_OK;
}

/* Nearly no record is refused by some audiences alone, so the others have no bytes for it. */
enum { REJECTED = 1, REFUSED = 2, REFUSED_BY_SOME = 4 };

static uint32_t all_of(unsigned audiences) {
  return (UINT32_C(1) << audiences) - 1;
}

static size_t refusing_size(unsigned audiences) {
  return (audiences + 7) / 8;
}

static unsigned char mark_of(const sc3_mirror_record *record, unsigned audiences) {
  return record->rejected                       ? REJECTED
         : record->refused == 0                 ? 0
         : record->refused == all_of(audiences) ? REFUSED
                                                : REFUSED_BY_SOME;
}

/* The audiences that refuse, behind the standing; where they end, or NULL where they are none. */
static const unsigned char *read_refusing(const sc3_members_reader *r, const unsigned char *p,
                                          sc3_mirror_record *record) {
  const size_t n = refusing_size(r->audiences);
  uint32_t refused = 0;
  size_t i;
  if ((size_t)(r->end - p) < n)
    return NULL;
  for (i = 0; i < n; i++)
    refused |= (uint32_t)p[i] << 8 * i;
  if (refused == 0 || refused >= all_of(r->audiences)) /* all of them have a mark of their own */
    return NULL;
  record->refused = (uint16_t)refused;
  return p + n;
}

/* Where the id is, behind what a mark has; NULL where there is no such mark. */
static const unsigned char *read_mark(const sc3_members_reader *r, unsigned mark,
                                      const unsigned char *p, sc3_mirror_record *record) {
  record->rejected = mark == REJECTED;
  record->refused = mark == REFUSED ? (uint16_t)all_of(r->audiences) : 0;
  if (mark == REFUSED_BY_SOME)
    return read_refusing(r, p, record);
  return mark <= REFUSED ? p : NULL;
}

/* The standing at `p`; 0 where it is none. */
static int read_standing(const sc3_members_reader *r, const unsigned char *p,
                         sc3_mirror_record *record) {
  const size_t n = standing_size(r->audiences);
  uint32_t standing = 0;
  size_t i;
  for (i = 0; i < n; i++)
    standing |= (uint32_t)p[i] << 8 * i;
  record->standing = standing;
  /* No two bits are both set, and none behind the last audience. */
  if ((standing & standing >> 1 & UINT32_C(0x55555555)) != 0 ||
      (r->audiences < SC3_MIRROR_AUDIENCES && standing >> 2 * r->audiences != 0))
    return 0;
  return 1;
}

sc3_mirror_status sc3_members_next(sc3_members_reader *r, sc3_mirror_record *record) {
  const unsigned char *p = r->p;
  const size_t head = FIXED + standing_size(r->audiences);
  record->id.p = NULL;
  if (r->left == 0)
    return p == r->end ? SC3_MIRROR_OK : SC3_MIRROR_DAMAGED;
  if ((size_t)(r->end - p) < head)
    return SC3_MIRROR_DAMAGED;
  record->hash = sc3_load64(p);
  record->cells = sc3_load64(p + 8);
  record->member = sc3_load64(p + 16);
  record->run = sc3_load32(p + 24);
  if (!read_standing(r, p + FIXED, record) || (r->any && record->hash <= r->last) ||
      sc3_part_of(record->hash, r->bits) != r->part)
    return SC3_MIRROR_DAMAGED;
  r->raw = p;
  record->rejected = 0;
  record->refused = 0;
  if (p[28] != 0)
    p = read_mark(r, p[28], p + head, record);
  else
    p = record->standing != 0 ? p + head : NULL; /* it would be there for nothing */
  if (p != NULL)
    p = sc3_read_id(p, r->end, &record->id);
  if (p == NULL)
    return SC3_MIRROR_DAMAGED;
  r->next = r->p = p;
  r->last = record->hash;
  r->any = 1;
  r->left--;
  return SC3_MIRROR_OK;
}

/* --- writing --- */

void sc3_members_begin(sc3_members_writer *w, unsigned audiences) {
  sc3_buffer_init(&w->out, LARGEST);
  w->audiences = audiences;
  w->count = 0;
}

/* Room for more, with the head in front of the first. */
static sc3_mirror_status reserve(sc3_members_writer *w, size_t n) {
  static const char head[HEAD] = {0};
  sc3_status st = sc3_buffer_reserve(&w->out, HEAD + n);
  if (st == SC3_OK && w->out.n == 0)
    sc3_buffer_put(&w->out, head, HEAD);
  return sc3_mirror_of(st);
}

sc3_mirror_status sc3_members_put(sc3_members_writer *w, const sc3_mirror_record *record) {
  const size_t standing = standing_size(w->audiences);
  const size_t refusing = refusing_size(w->audiences);
  const sc3_mirror_status status =
      reserve(w, FIXED + standing + refusing + SC3_ID_HEAD + record->id.n);
  unsigned char *p;
  int has_refusing;
  size_t i;
  if (status != SC3_MIRROR_OK)
    return status;
  p = (unsigned char *)w->out.p + w->out.n;
  sc3_store64(p, record->hash);
  sc3_store64(p + 8, record->cells);
  sc3_store64(p + 16, record->member);
  sc3_store32(p + 24, record->run);
  p[28] = mark_of(record, w->audiences);
  has_refusing = p[28] == REFUSED_BY_SOME;
  p += FIXED;
  for (i = 0; i < standing; i++)
    *p++ = (unsigned char)(record->standing >> 8 * i);
  for (i = 0; i < refusing && has_refusing; i++)
    *p++ = (unsigned char)(record->refused >> 8 * i);
  p = sc3_write_id(p, record->id);
  w->out.n = (size_t)(p - (unsigned char *)w->out.p);
  w->count++;
  return SC3_MIRROR_OK;
}

sc3_mirror_status sc3_members_copy(sc3_members_writer *w, const sc3_members_reader *r) {
  const size_t n = (size_t)(r->next - r->raw);
  const sc3_mirror_status status = reserve(w, n);
  if (status != SC3_MIRROR_OK)
    return status;
  sc3_buffer_put(&w->out, r->raw, n);
  w->count++;
  return SC3_MIRROR_OK;
}

sc3_mirror_status sc3_members_end(sc3_members_writer *w, sc3_slice *blob) {
  sc3_mirror_status status = reserve(w, 0);
  if (status != SC3_MIRROR_OK)
    return status;
  w->out.p[0] = FORMAT;
  w->out.p[1] = (char)w->audiences;
  sc3_store32((unsigned char *)w->out.p + 2, w->count);
  status = sc3_blob_seal(&w->out);
  *blob = sc3_slice_of(w->out.p, w->out.n);
  return status;
}

void sc3_members_free(sc3_members_writer *w) {
  sc3_buffer_free(&w->out);
}
