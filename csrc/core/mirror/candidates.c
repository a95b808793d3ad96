#include "candidates.h"

#include <stdlib.h>

#include "../bytes/little.h"

enum { SIZE = 52, AGAIN_SIZE = 60, LEAST = 1024 };

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

static void write_candidate(unsigned char *p, const sc3_candidate *candidate) {
  sc3_store64(p, candidate->order);
  sc3_store64(p + 8, candidate->offset);
  sc3_store64(p + 16, candidate->hash);
  sc3_store64(p + 24, candidate->cells);
  sc3_store64(p + 32, candidate->member);
  sc3_store32(p + 40, candidate->standing);
  sc3_store16(p + 44, candidate->mask);
  sc3_store16(p + 46, candidate->refused);
  sc3_store32(p + 48, (uint32_t)candidate->beyond);
}

sc3_mirror_status sc3_candidates_put(sc3_candidates *c, const sc3_candidate *candidate) {
  const size_t range = range_of(c->ranges, candidate->order);
  const size_t size = c->again ? AGAIN_SIZE : SIZE;
  unsigned char aside[AGAIN_SIZE], *const room = sc3_part_room(&c->spool, range, size);
  unsigned char *const p = room != NULL ? room : aside;
  write_candidate(p, candidate);
  if (c->again) {
    sc3_store32(p + SIZE, candidate->again.chunk);
    sc3_store32(p + SIZE + 4, candidate->again.entry);
  }
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

static int read_bytes(const sc3_candidates *c, sc3_part_reader *r, unsigned char *bytes) {
  return c->again ? sc3_part_read(r, bytes, AGAIN_SIZE) : sc3_part_read(r, bytes, SIZE);
}

static sc3_mirror_status read_range(sc3_candidates *c, size_t range) {
  unsigned char bytes[AGAIN_SIZE] = {0};
  sc3_part_reader reader;
  sc3_mirror_status status = sc3_part_begin(&reader, &c->spool, range);
  if (status != SC3_MIRROR_OK)
    return status;
  c->count = 0;
  while (status == SC3_MIRROR_OK && read_bytes(c, &reader, bytes)) {
    sc3_candidate *to;
    if (c->count == c->capacity)
      status = reserve(c, c->capacity > 0 ? c->capacity * 2 : LEAST);
    if (status != SC3_MIRROR_OK)
      break;
    to = &c->list[c->count++];
    to->order = sc3_load64(bytes);
    to->offset = sc3_load64(bytes + 8);
    to->hash = sc3_load64(bytes + 16);
    to->cells = sc3_load64(bytes + 24);
    to->member = sc3_load64(bytes + 32);
    to->standing = sc3_load32(bytes + 40);
    to->mask = sc3_load16(bytes + 44);
    to->refused = sc3_load16(bytes + 46);
    to->beyond = (int32_t)sc3_load32(bytes + 48);
    to->again.chunk = sc3_load32(bytes + SIZE);
    to->again.entry = sc3_load32(bytes + SIZE + 4);
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
