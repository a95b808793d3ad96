/* Hashes of ids, to be looked for. */
#ifndef SC3_MIRROR_HASH_LIST_H
#define SC3_MIRROR_HASH_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "../bytes/slice.h"
#include "status.h"

typedef struct sc3_hash_list {
  uint64_t *list; /* in order */
  size_t count;
} sc3_hash_list;

/* Reads hashes of 8 bytes each, in any order; a rest of less is no hash. Of zeros. */
sc3_mirror_status sc3_hash_list_read(sc3_hash_list *h, sc3_slice bytes);
void sc3_hash_list_free(sc3_hash_list *h);

int sc3_hash_list_has(const sc3_hash_list *h, uint64_t hash);

#endif
