/* Walks the records of a partition and what a night has for it side by side, by hash. */
#ifndef SC3_MIRROR_PAIRS_H
#define SC3_MIRROR_PAIRS_H

#include "gather.h"
#include "members_blob.h"

typedef struct sc3_pairs {
  sc3_members_reader base;
  const sc3_gather *gather;
  size_t at;                /* the next item */
  sc3_mirror_record next;   /* of the base; its id is NULL after the last */
  sc3_mirror_record record; /* the current one; without id, standing and marks where there is none
                             */
  const sc3_gathered *item; /* the current one, or NULL */
  int in_base;              /* `record` is of the base */
  sc3_mirror_status status;
} sc3_pairs;

sc3_mirror_status sc3_pairs_open(sc3_pairs *p, const sc3_gather *gather, sc3_slice base,
                                 size_t part, unsigned bits, unsigned audiences);

/* The next id; 0 after the last, or where p->status says what went wrong. While a record is the
   current one, the reader's raw bytes are its own. */
int sc3_pairs_next(sc3_pairs *p);

/* The entries that are still open, the last of each audience; set where the mask says so. */
typedef struct sc3_open_entries {
  uint32_t mask;
  const sc3_gathered_entry *of[SC3_MIRROR_AUDIENCES];
} sc3_open_entries;

/* Applies the entries of the current item to the current record. `open` may be NULL where none can
 * be. */
void sc3_pairs_apply(sc3_pairs *p, sc3_open_entries *open);

#endif
