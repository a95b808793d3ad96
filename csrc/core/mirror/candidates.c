#include "candidates.h"

#include <errno.h>
#include <stdlib.h>

#include "../bytes/fetch.h"
#include "../bytes/little.h"

/* --- ranges --- */

sc3_mirror_status sc3_row_ranges_open(sc3_row_ranges *r, size_t capacity) {
  memset(r, 0, sizeof *r);
  r->starts = malloc(capacity * sizeof *r->starts);
  if (r->starts == NULL)
    return SC3_MIRROR_MEMORY;
  r->capacity = capacity;
  return SC3_MIRROR_OK;
}

void sc3_row_ranges_close(sc3_row_ranges *r) {
  free(r->starts);
  r->starts = NULL;
}

SC3_COLD
static void thin(sc3_row_ranges *r) {
  size_t i;
  for (i = 0; 2 * i < r->count; i++)
    r->starts[i] = r->starts[2 * i];
  r->count = i;
  r->every_bits++;
}

int sc3_row_ranges_note(sc3_row_ranges *r, uint64_t order) {
  if (r->count > 0 && order < r->last)
    return 0;
  if (r->count == 0 || ++r->rows >> r->every_bits > 0) {
    if (r->count == r->capacity)
      thin(r);
    r->starts[r->count++] = order;
    r->rows = 0;
  }
  r->last = order;
  return 1;
}

static int is_in(const sc3_row_ranges *r, size_t range, uint64_t order) {
  return r->starts[range] <= order && (range + 1 == r->count || order < r->starts[range + 1]);
}

/* The last range that does not begin behind a row. Where all rows of one file came, it is where
   their number says. */
static size_t range_of(const sc3_row_ranges *r, uint64_t order) {
  const uint64_t likely = (order - r->starts[0]) >> r->every_bits;
  size_t low = 0, high = r->count;
  if (likely < r->count && is_in(r, (size_t)likely, order))
    return (size_t)likely;
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    if (r->starts[middle] <= order)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* --- candidates --- */

sc3_mirror_status sc3_candidates_open(sc3_candidates *c, const sc3_row_ranges *ranges,
                                      sc3_blocks *blocks, int again) {
  memset(c, 0, sizeof *c);
  c->again = again;
  c->ranges = ranges;
  sc3_buffer_init(&c->bytes, UINT32_MAX);
  return sc3_part_spool_open(&c->spool, blocks, ranges->count > 0 ? ranges->count : 1);
}

void sc3_candidates_close(sc3_candidates *c) {
  sc3_part_spool_close(&c->spool);
  sc3_buffer_free(&c->bytes);
  free(c->keys);
  free(c->spare);
  memset(c, 0, sizeof *c);
}

/* In a range. Nearly all have the mask and standing of the first, and of rows on as many lines; and
 * in a first night nobody has been in an audience before:
 *
 *   form 1, hash 8, cells 8, offset 6,
 *   CLOSE: rows behind the first of the range 2; else: order 8
 *   OTHER: mask 2, beyond 4, standing 4, refused 2
 *   BEFORE: member 8
 *   and in the spool of those that go again: chunk 4, entry 4 */
enum {
  CLOSE = 1, /* forms */
  OTHER = 2,
  BEFORE = 4,
  HEAD = 23,
  CLOSE_SIZE = 2,
  FAR_SIZE = 8,
  OTHER_SIZE = 12,
  MEMBER_SIZE = 8,
  AGAIN_SIZE = 8,
  USUAL_SIZE = HEAD + CLOSE_SIZE + MEMBER_SIZE,
  MOST = HEAD + FAR_SIZE + OTHER_SIZE + MEMBER_SIZE + AGAIN_SIZE
};

static unsigned form_of(const sc3_candidates *c, size_t range, const sc3_candidate *it) {
  const sc3_candidate *usual = &c->usual;
  const int is_other = it->mask != usual->mask || it->beyond != usual->beyond ||
                       it->standing != usual->standing || it->refused != usual->refused;
  const int is_close = it->order - c->ranges->starts[range] <= UINT16_MAX;
  return (is_close ? (unsigned)CLOSE : 0u) | (is_other ? (unsigned)OTHER : 0u) |
         (it->member != 0 ? (unsigned)BEFORE : 0u);
}

static size_t size_of(const sc3_candidates *c, unsigned form) {
  const size_t order = (form & CLOSE) != 0 ? CLOSE_SIZE : FAR_SIZE;
  const size_t other = (form & OTHER) != 0 ? OTHER_SIZE : 0;
  const size_t before = (form & BEFORE) != 0 ? MEMBER_SIZE : 0;
  return HEAD + order + other + before + (c->again ? AGAIN_SIZE : 0);
}

static void write_candidate(const sc3_candidates *c, size_t range, unsigned form, unsigned char *p,
                            const sc3_candidate *it) {
  p[0] = (unsigned char)form;
  sc3_store64(p + 1, it->hash);
  sc3_store64(p + 9, it->cells);
  sc3_store32(p + 17, (uint32_t)it->offset);
  sc3_store16(p + 21, (uint16_t)(it->offset >> 32));
  p += HEAD;
  if ((form & CLOSE) != 0)
    sc3_store16(p, (uint16_t)(it->order - c->ranges->starts[range]));
  else
    sc3_store64(p, it->order);
  p += (form & CLOSE) != 0 ? CLOSE_SIZE : FAR_SIZE;
  if ((form & OTHER) != 0) {
    sc3_store16(p, it->mask);
    sc3_store32(p + 2, (uint32_t)it->beyond);
    sc3_store32(p + 6, it->standing);
    sc3_store16(p + 10, it->refused);
    p += OTHER_SIZE;
  }
  if ((form & BEFORE) != 0) {
    sc3_store64(p, it->member);
    p += MEMBER_SIZE;
  }
  if (c->again) {
    sc3_store32(p, it->again.chunk);
    sc3_store32(p + 4, it->again.entry);
  }
}

sc3_mirror_status sc3_candidates_put(sc3_candidates *c, const sc3_candidate *candidate) {
  const size_t range = range_of(c->ranges, candidate->order);
  unsigned char aside[MOST], *room;
  unsigned form;
  size_t size;
  if (!c->has_usual)
    c->usual = *candidate;
  c->has_usual = 1;
  form = form_of(c, range, candidate);
  size = size_of(c, form);
  room = sc3_part_room(&c->spool, range, size);
  write_candidate(c, range, form, room != NULL ? room : aside, candidate);
  if (room == NULL)
    return sc3_part_spill(&c->spool, range, aside, size);
  sc3_part_prefetch(room, size);
  return SC3_MIRROR_OK;
}

/* --- taken out again --- */

static uint64_t read_order(const sc3_candidates *c, unsigned form, const unsigned char *p) {
  return (form & CLOSE) != 0 ? c->ranges->starts[c->range] + sc3_load16(p) : sc3_load64(p);
}

static void read_candidate(const sc3_candidates *c, const unsigned char *p, sc3_candidate *to) {
  const unsigned form = p[0];
  *to = c->usual;
  to->hash = sc3_load64(p + 1);
  to->cells = sc3_load64(p + 9);
  to->offset = sc3_load32(p + 17) | (uint64_t)sc3_load16(p + 21) << 32;
  p += HEAD;
  to->order = read_order(c, form, p);
  p += (form & CLOSE) != 0 ? CLOSE_SIZE : FAR_SIZE;
  if ((form & OTHER) != 0) {
    to->mask = sc3_load16(p);
    to->beyond = (int32_t)sc3_load32(p + 2);
    to->standing = sc3_load32(p + 6);
    to->refused = sc3_load16(p + 10);
    p += OTHER_SIZE;
  }
  to->member = (form & BEFORE) != 0 ? sc3_load64(p) : 0;
  p += (form & BEFORE) != 0 ? MEMBER_SIZE : 0;
  if (c->again) {
    to->again.chunk = sc3_load32(p);
    to->again.entry = sc3_load32(p + 4);
  }
}

SC3_COLD
static sc3_mirror_status reserve_keys(sc3_candidates *c, size_t n) {
  if (c->keys_capacity >= n)
    return SC3_MIRROR_OK;
  free(c->keys);
  free(c->spare);
  c->keys_capacity = 0;
  c->keys = malloc(n * sizeof *c->keys);
  c->spare = malloc(n * sizeof *c->spare);
  if (c->keys == NULL || c->spare == NULL)
    return SC3_MIRROR_MEMORY;
  c->keys_capacity = n;
  return SC3_MIRROR_OK;
}

/* Somebody has changed what only this process knows of. */
SC3_COLD
static sc3_mirror_status changed(void) {
  errno = EIO;
  return SC3_MIRROR_SYSTEM;
}

/* Reads a range, whose candidates stay packed: so fewer lines of the cache hold them. */
static sc3_mirror_status read_range(sc3_candidates *c) {
  const size_t count = c->spool.parts[c->range].entries;
  sc3_mirror_status status = sc3_part_take(&c->spool, c->range, &c->bytes);
  const unsigned char *const p = (const unsigned char *)c->bytes.p;
  size_t at = 0;
  c->count = c->at = 0;
  if (status == SC3_MIRROR_OK)
    status = reserve_keys(c, count);
  if (status != SC3_MIRROR_OK)
    return status;
  while (c->count < count) {
    const size_t left = c->bytes.n - at, size = left > 0 ? size_of(c, p[at]) : 1;
    if (size > left)
      return changed();
    c->keys[c->count].value = read_order(c, p[at], p + at + HEAD);
    c->keys[c->count++].item = (uint32_t)at;
    at += size;
  }
  c->sorted = sc3_sort(c->keys, c->spare, c->count, SC3_SORT_ALL);
  return SC3_MIRROR_OK;
}

static const unsigned char *candidate_at(const sc3_candidates *c, size_t at) {
  return (const unsigned char *)c->bytes.p + c->sorted[at].item;
}

/* The one that will be needed in a while. They lie in the order of partitions, far from each other.
 */
static const unsigned char *ahead_of(const sc3_candidates *c, size_t at) {
  enum { AHEAD = 6 };
  return candidate_at(c, c->count - at > AHEAD ? at + AHEAD : at);
}

sc3_mirror_status sc3_candidates_next(sc3_candidates *c, const sc3_candidate **out) {
  const unsigned char *ahead;
  *out = NULL;
  while (c->at == c->count) {
    sc3_mirror_status status;
    if (c->next_range == c->spool.count)
      return SC3_MIRROR_OK;
    c->range = c->next_range++;
    status = read_range(c);
    if (status != SC3_MIRROR_OK)
      return status;
  }
  ahead = ahead_of(c, c->at);
  SC3_FETCH(ahead);
  SC3_FETCH(ahead + USUAL_SIZE - 1);
  read_candidate(c, candidate_at(c, c->at++), &c->current);
  *out = &c->current;
  return SC3_MIRROR_OK;
}
