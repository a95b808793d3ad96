/* Transfers by their id: thousands may be under way, and each may be cancelled. Inside csrc/http
 * only. */
#ifndef SC3_TRANSFER_INDEX_H
#define SC3_TRANSFER_INDEX_H

#include "transfer.h"

typedef struct sc3_transfer_index {
  sc3_transfer **slots; /* each the first of a chain of `peer` */
  size_t slot_count;    /* a power of two */
  size_t n;
} sc3_transfer_index;

/* 0, or -1 when memory is out. */
int sc3_transfer_index_open(sc3_transfer_index *x);
void sc3_transfer_index_close(sc3_transfer_index *x);

/* Never fails: without memory for more slots the chains become longer. */
void sc3_transfer_index_add(sc3_transfer_index *x, sc3_transfer *t);
void sc3_transfer_index_remove(sc3_transfer_index *x, const sc3_transfer *t);

/* NULL where there is none of that id. */
sc3_transfer *sc3_transfer_index_find(const sc3_transfer_index *x, uint64_t id);

#endif
