#include "hash_list.h"

#include <stdlib.h>

#include "../bytes/little.h"

enum { HASH = 8 };

static int compare(const void *one, const void *other) {
  const uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
  return (a > b) - (a < b);
}

sc3_mirror_status sc3_hash_list_read(sc3_hash_list *h, sc3_slice bytes) {
  size_t i;
  h->count = bytes.n / HASH;
  h->list = malloc((h->count + 1) * sizeof *h->list);
  if (h->list == NULL)
    return SC3_MIRROR_MEMORY;
  for (i = 0; i < h->count; i++)
    h->list[i] = sc3_load64((const unsigned char *)bytes.p + i * HASH);
  qsort(h->list, h->count, sizeof *h->list, compare);
  return SC3_MIRROR_OK;
}

void sc3_hash_list_free(sc3_hash_list *h) {
  free(h->list);
  h->list = NULL;
  h->count = 0;
}

int sc3_hash_list_has(const sc3_hash_list *h, uint64_t hash) {
  size_t low = 0, high = h->count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (h->list[middle] < hash)
      low = middle + 1;
    else
      high = middle;
  }
  return low < h->count && h->list[low] == hash;
}
