#include "gather.h"

#include <stdlib.h>

enum { LEAST = 1024, AT_ONCE = 131072 }; /* items that are made room for before they are read */

void sc3_gather_init(sc3_gather *g) {
  memset(g, 0, sizeof *g);
  sc3_buffer_init(&g->ids, SIZE_MAX / 4);
}

void sc3_gather_free(sc3_gather *g) {
  free(g->items);
  free(g->keys);
  free(g->spare);
  free(g->entries);
  sc3_buffer_free(&g->ids);
  sc3_gather_init(g);
}

/* Makes room for `n` items; what is there stays. */
static sc3_mirror_status reserve(sc3_gather *g, size_t n) {
  sc3_gathered *items;
  if (n <= g->capacity)
    return SC3_MIRROR_OK;
  if (n >= UINT32_MAX || n > SIZE_MAX / sizeof *items)
    return SC3_MIRROR_FULL;
  items = realloc(g->items, n * sizeof *items);
  if (items == NULL)
    return SC3_MIRROR_MEMORY;
  g->items = items;
  g->capacity = n;
  return SC3_MIRROR_OK;
}

static sc3_mirror_status reserve_keys(sc3_gather *g) {
  if (g->keys_capacity >= g->capacity && g->keys != NULL)
    return SC3_MIRROR_OK;
  free(g->keys);
  free(g->spare);
  g->keys_capacity = 0;
  g->keys = malloc(g->capacity * sizeof *g->keys);
  g->spare = malloc(g->capacity * sizeof *g->spare);
  if (g->keys == NULL || g->spare == NULL)
    return SC3_MIRROR_MEMORY;
  g->keys_capacity = g->capacity;
  return SC3_MIRROR_OK;
}

/* A later item of the same id goes into the earlier one. */
static void absorb(sc3_gather *g, sc3_gathered *to, sc3_gathered *later) {
  if (later->has_row) {
    g->replaced += to->has_row && !later->further;
    to->has_row = 1;
    to->cells = later->cells;
    to->order = later->order;
    to->offset = later->offset;
    to->beyond = later->beyond;
    to->mask = later->mask;
    to->further = later->further;
  }
  to->excluded |= later->excluded;
  if (later->first != SC3_NO_ENTRY) {
    if (to->first == SC3_NO_ENTRY)
      to->first = later->first;
    else
      g->entries[to->last].next = later->first;
    to->last = later->last;
  }
  later->gone = 1;
}

/* Sorts the items, and leaves one key for each id. */
static sc3_mirror_status sort_items(sc3_gather *g, size_t *ids) {
  const sc3_mirror_status status = reserve_keys(g);
  size_t i, n = 0;
  if (status != SC3_MIRROR_OK)
    return status;
  for (i = 0; i < g->count; i++) {
    g->keys[i].value = g->items[i].hash;
    g->keys[i].item = (uint32_t)i;
  }
  g->sorted = sc3_sort(g->keys, g->spare, g->count, SC3_SORT_HASHES);
  for (i = 0; i < g->count; i++) {
    if (n > 0 && g->sorted[n - 1].value == g->sorted[i].value)
      absorb(g, &g->items[g->sorted[n - 1].item], &g->items[g->sorted[i].item]);
    else
      g->sorted[n++] = g->sorted[i];
  }
  *ids = n;
  return SC3_MIRROR_OK;
}

/* Makes room for one more: by leaving each id once, and where that was not much by growing. */
static sc3_mirror_status make_room(sc3_gather *g) {
  size_t ids = 0, i, to = 0;
  sc3_mirror_status status;
  if (g->count < g->capacity)
    return SC3_MIRROR_OK;
  status = sort_items(g, &ids);
  if (status != SC3_MIRROR_OK)
    return status;
  for (i = 0; i < g->count; i++) {
    if (!g->items[i].gone)
      g->items[to++] = g->items[i];
  }
  g->count = to;
  return to > g->capacity / 2 ? reserve(g, g->capacity * 2) : SC3_MIRROR_OK;
}

/* --- entries --- */

static sc3_mirror_status reserve_entry(sc3_gather *g) {
  const size_t n = g->entry_capacity > 0 ? g->entry_capacity * 2 : LEAST;
  sc3_gathered_entry *entries;
  if (g->entry_count < g->entry_capacity)
    return SC3_MIRROR_OK;
  if (n >= SC3_NO_ENTRY || n > SIZE_MAX / sizeof *entries)
    return SC3_MIRROR_FULL;
  entries = realloc(g->entries, n * sizeof *entries);
  if (entries == NULL)
    return SC3_MIRROR_MEMORY;
  g->entries = entries;
  g->entry_capacity = n;
  return SC3_MIRROR_OK;
}

static sc3_mirror_status read_id(sc3_gather *g, sc3_part_reader *r, size_t n) {
  const sc3_status st = sc3_buffer_reserve(&g->ids, n);
  if (st != SC3_OK || n == 0)
    return sc3_mirror_of(st);
  if (!sc3_part_read(r, g->ids.p + g->ids.n, n))
    return r->status != SC3_MIRROR_OK ? r->status : SC3_MIRROR_DAMAGED;
  g->ids.n += n;
  return SC3_MIRROR_OK;
}

static sc3_mirror_status take_entry(sc3_gather *g, sc3_part_reader *r, const sc3_staged *staged,
                                    sc3_gathered *item) {
  sc3_mirror_status status = reserve_entry(g);
  sc3_gathered_entry *e;
  if (status != SC3_MIRROR_OK)
    return status;
  e = &g->entries[g->entry_count];
  e->entry = staged->entry;
  e->entry.id = sc3_slice_of(NULL, staged->id_size);
  e->became = staged->became;
  e->again = staged->again;
  e->next = SC3_NO_ENTRY;
  e->id_at = g->ids.n;
  status = read_id(g, r, staged->id_size);
  item->first = item->last = (uint32_t)g->entry_count++;
  return status;
}

/* --- */

static sc3_mirror_status take(sc3_gather *g, sc3_part_reader *r, const sc3_staged *staged) {
  sc3_mirror_status status = make_room(g);
  sc3_gathered *item;
  if (status != SC3_MIRROR_OK)
    return status;
  item = &g->items[g->count];
  item->hash = staged->hash;
  item->first = item->last = SC3_NO_ENTRY;
  item->has_row = staged->kind == SC3_STAGE_ROW;
  item->excluded = staged->kind == SC3_STAGE_EXCLUSION;
  item->gone = 0;
  item->cells = item->order = item->offset = 0;
  item->beyond = SC3_NO_LINE;
  item->mask = 0;
  item->further = 0;
  if (item->has_row) {
    item->cells = staged->cells;
    item->order = sc3_order_of(staged->place);
    item->offset = staged->place->offset;
    item->beyond = staged->place->beyond;
    item->mask = staged->place->mask;
    item->further = staged->place->further;
  }
  if (staged->kind == SC3_STAGE_ENTRY)
    status = take_entry(g, r, staged, item);
  g->count++;
  return status;
}

sc3_mirror_status sc3_gather_read(sc3_gather *g, sc3_part_spool *from, size_t part) {
  size_t wanted = from->parts[part].entries;
  sc3_part_reader reader;
  sc3_staged staged;
  sc3_mirror_status status;
  g->count = g->entry_count = g->ids.n = 0;
  wanted = wanted > AT_ONCE ? AT_ONCE : wanted < LEAST ? LEAST : wanted;
  status = reserve(g, wanted);
  if (status == SC3_MIRROR_OK)
    status = sc3_part_begin(&reader, from, part);
  if (status != SC3_MIRROR_OK)
    return status;
  while (status == SC3_MIRROR_OK && sc3_staged_next(&reader, &staged))
    status = take(g, &reader, &staged);
  if (status == SC3_MIRROR_OK)
    status = reader.status;
  sc3_part_end(&reader);
  return status == SC3_MIRROR_OK ? sort_items(g, &g->count) : status;
}
