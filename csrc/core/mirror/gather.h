/* All that one night has for a partition, by hash: the last row of each id, whether it is excluded,
   and its entries in order. Memory grows with the ids, not with the rows of an id. */
#ifndef SC3_MIRROR_GATHER_H
#define SC3_MIRROR_GATHER_H

#include "sort.h"
#include "stage.h"

#define SC3_NO_ENTRY UINT32_MAX

typedef struct sc3_gathered {
  uint64_t hash;
  uint64_t cells, order, offset; /* of the row */
  uint32_t first, last;          /* of its entries; SC3_NO_ENTRY = none */
  int32_t beyond;                /* of the row */
  uint16_t mask;
  unsigned char has_row, excluded, gone;
  unsigned char further; /* of the row, see sc3_row_place */
} sc3_gathered;

typedef struct sc3_gathered_entry {
  sc3_mirror_entry entry; /* its id lies in `ids` at `id_at` */
  size_t id_at;
  uint32_t next;
  sc3_became became;
  sc3_again again; /* zeros but for SC3_OUTCOME_AGAIN */
} sc3_gathered_entry;

typedef struct sc3_gather {
  sc3_gathered *items;
  size_t count, capacity;
  sc3_sort_key *keys, *spare; /* as many as there is room for items, once sorted */
  size_t keys_capacity;
  sc3_sort_key *sorted; /* one of the two: the items by hash, each id once */
  sc3_gathered_entry *entries;
  size_t entry_count, entry_capacity;
  sc3_buffer ids;
  uint64_t replaced; /* rows that a later one of the same id took the place of, in all partitions */
} sc3_gather;

void sc3_gather_init(sc3_gather *g);
void sc3_gather_free(sc3_gather *g);

/* Reads a partition in place of the one before. Then `count` items stand at `sorted`. */
sc3_mirror_status sc3_gather_read(sc3_gather *g, sc3_part_spool *from, size_t part);

static inline const sc3_gathered *sc3_gather_at(const sc3_gather *g, size_t i) {
  return &g->items[g->sorted[i].item];
}

/* The entry of that number, with its id. */
static inline sc3_mirror_entry sc3_gather_entry(const sc3_gather *g, uint32_t number) {
  sc3_mirror_entry entry = g->entries[number].entry;
  entry.id.p = g->ids.p + g->entries[number].id_at;
  return entry;
}

#endif
