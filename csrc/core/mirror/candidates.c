#include "candidates.h"

#include <stdlib.h>

#include "../bytes/little.h"

enum { LEAST = 1024 };

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
  return sc3_part_spool_open(&c->spool, blocks, ranges->count > 0 ? ranges->count : 1);
}

void sc3_candidates_close(sc3_candidates *c) {
  sc3_part_spool_close(&c->spool);
  free(c->list);
  free(c->keys);
  free(c->spare);
  memset(c, 0, sizeof *c);
}

/* In a range, with less of those that are in no audience yet, as all are in a first night:
 *
 *   form 1, hash 8, cells 8, offset 6, mask 2, beyond 4,
 *   NEAR: rows behind the first of the range 4; else: order 8
 *   BEFORE: member 8, standing 4, refused 2
 *   and in the spool of those that go again: chunk 4, entry 4 */
enum {
  NEAR = 1,
  BEFORE = 2,
  HEAD = 28, /* behind the form */
  NEAR_SIZE = 4,
  FAR_SIZE = 8,
  BEFORE_SIZE = 14,
  AGAIN_SIZE = 8,
  MOST = 1 + HEAD + FAR_SIZE + BEFORE_SIZE + AGAIN_SIZE
};

static unsigned form_of(const sc3_candidates *c, size_t range, const sc3_candidate *it) {
  const int has_before = (it->member | it->standing | it->refused) != 0;
  const int is_near = it->order - c->ranges->starts[range] <= UINT32_MAX;
  return (is_near ? (unsigned)NEAR : 0u) | (has_before ? (unsigned)BEFORE : 0u);
}

/* Of an entry, behind its form. */
static size_t size_of(const sc3_candidates *c, unsigned form) {
  const size_t order = (form & NEAR) != 0 ? NEAR_SIZE : FAR_SIZE;
  const size_t before = (form & BEFORE) != 0 ? BEFORE_SIZE : 0;
  return HEAD + order + before + (c->again ? AGAIN_SIZE : 0);
}

static void write_candidate(const sc3_candidates *c, size_t range, unsigned form, unsigned char *p,
                            const sc3_candidate *it) {
  *p++ = (unsigned char)form;
  sc3_store64(p, it->hash);
  sc3_store64(p + 8, it->cells);
  sc3_store32(p + 16, (uint32_t)it->offset);
  sc3_store16(p + 20, (uint16_t)(it->offset >> 32));
  sc3_store16(p + 22, it->mask);
  sc3_store32(p + 24, (uint32_t)it->beyond);
  p += HEAD;
  if ((form & NEAR) != 0)
    sc3_store32(p, (uint32_t)(it->order - c->ranges->starts[range]));
  else
    sc3_store64(p, it->order);
  p += (form & NEAR) != 0 ? NEAR_SIZE : FAR_SIZE;
  if ((form & BEFORE) != 0) {
    sc3_store64(p, it->member);
    sc3_store32(p + 8, it->standing);
    sc3_store16(p + 12, it->refused);
    p += BEFORE_SIZE;
  }
  if (c->again) {
    sc3_store32(p, it->again.chunk);
    sc3_store32(p + 4, it->again.entry);
  }
}

sc3_mirror_status sc3_candidates_put(sc3_candidates *c, const sc3_candidate *candidate) {
  const size_t range = range_of(c->ranges, candidate->order);
  const unsigned form = form_of(c, range, candidate);
  const size_t size = 1 + size_of(c, form);
  unsigned char aside[MOST], *const room = sc3_part_room(&c->spool, range, size);
  write_candidate(c, range, form, room != NULL ? room : aside, candidate);
  if (room == NULL)
    return sc3_part_spill(&c->spool, range, aside, size);
  sc3_part_prefetch(room, size);
  return SC3_MIRROR_OK;
}

static sc3_mirror_status reserve(sc3_candidates *c, size_t n) {
  sc3_candidate *list;
  if (n >= UINT32_MAX || n > SIZE_MAX / sizeof *list)
    return SC3_MIRROR_FULL;
  list = realloc(c->list, n * sizeof *list);
  if (list == NULL)
    return SC3_MIRROR_MEMORY;
  c->list = list;
  c->capacity = n;
  return SC3_MIRROR_OK;
}

static sc3_mirror_status reserve_keys(sc3_candidates *c) {
  if (c->keys_capacity >= c->count)
    return SC3_MIRROR_OK;
  free(c->keys);
  free(c->spare);
  c->keys_capacity = 0;
  c->keys = malloc(c->capacity * sizeof *c->keys);
  c->spare = malloc(c->capacity * sizeof *c->spare);
  if (c->keys == NULL || c->spare == NULL)
    return SC3_MIRROR_MEMORY;
  c->keys_capacity = c->capacity;
  return SC3_MIRROR_OK;
}

static void take(const sc3_candidates *c, size_t range, unsigned form, const unsigned char *p,
                 sc3_candidate *to) {
  to->hash = sc3_load64(p);
  to->cells = sc3_load64(p + 8);
  to->offset = sc3_load32(p + 16) | (uint64_t)sc3_load16(p + 20) << 32;
  to->mask = sc3_load16(p + 22);
  to->beyond = (int32_t)sc3_load32(p + 24);
  p += HEAD;
  to->order = (form & NEAR) != 0 ? c->ranges->starts[range] + sc3_load32(p) : sc3_load64(p);
  p += (form & NEAR) != 0 ? NEAR_SIZE : FAR_SIZE;
  to->member = 0;
  to->standing = 0;
  to->refused = 0;
  if ((form & BEFORE) != 0) {
    to->member = sc3_load64(p);
    to->standing = sc3_load32(p + 8);
    to->refused = sc3_load16(p + 12);
    p += BEFORE_SIZE;
  }
  to->again.chunk = c->again ? sc3_load32(p) : 0;
  to->again.entry = c->again ? sc3_load32(p + 4) : 0;
}

static sc3_mirror_status read_range(sc3_candidates *c, size_t range) {
  sc3_part_reader reader;
  unsigned char form, aside[MOST];
  sc3_mirror_status status = sc3_part_begin(&reader, &c->spool, range);
  if (status != SC3_MIRROR_OK)
    return status;
  c->count = 0;
  while (status == SC3_MIRROR_OK && sc3_part_read(&reader, &form, 1)) {
    const unsigned char *p = sc3_part_view(&reader, aside, size_of(c, form));
    if (p == NULL)
      break;
    if (c->count == c->capacity)
      status = reserve(c, c->capacity > 0 ? c->capacity * 2 : LEAST);
    if (status == SC3_MIRROR_OK)
      take(c, range, form, p, &c->list[c->count++]);
  }
  if (status == SC3_MIRROR_OK)
    status = reader.status;
  sc3_part_end(&reader);
  return status;
}

static sc3_mirror_status sort_range(sc3_candidates *c) {
  const sc3_mirror_status status = reserve_keys(c);
  size_t i;
  if (status != SC3_MIRROR_OK)
    return status;
  for (i = 0; i < c->count; i++) {
    c->keys[i].value = c->list[i].order;
    c->keys[i].item = (uint32_t)i;
  }
  c->sorted = sc3_sort(c->keys, c->spare, c->count, SC3_SORT_ALL);
  c->at = 0;
  return SC3_MIRROR_OK;
}

/* They lie in the order of partitions, far from each other. Together they are fetched at once, and
   one by one each would be waited for while a row is built. */
static void copy_next(sc3_candidates *c) {
  const size_t left = c->count - c->at;
  size_t i;
  c->near_count = left < SC3_CANDIDATES_NEAR ? left : SC3_CANDIDATES_NEAR;
  for (i = 0; i < c->near_count; i++)
    c->near[i] = c->list[c->sorted[c->at + i].item];
  c->at += c->near_count;
  c->near_at = 0;
}

sc3_mirror_status sc3_candidates_next(sc3_candidates *c, const sc3_candidate **out) {
  *out = NULL;
  if (c->near_at < c->near_count) {
    *out = &c->near[c->near_at++];
    return SC3_MIRROR_OK;
  }
  while (c->at == c->count) {
    sc3_mirror_status status;
    if (c->next_range == c->spool.count)
      return SC3_MIRROR_OK;
    status = read_range(c, c->next_range++);
    if (status == SC3_MIRROR_OK)
      status = sort_range(c);
    if (status != SC3_MIRROR_OK)
      return status;
  }
  copy_next(c);
  *out = &c->near[c->near_at++];
  return SC3_MIRROR_OK;
}
