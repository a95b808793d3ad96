/* Which entries of which chunks go again, in the order of the payload that they are in. */
#ifndef SC3_MIRROR_AGAIN_H
#define SC3_MIRROR_AGAIN_H

#include <stdint.h>

#include "../bytes/buffer.h"
#include "status.h"

/* An entry of a chunk that is not folded: the number of the chunk, and its own from 1. A `chunk` of
   0 stands for no entry. */
typedef struct sc3_again {
  uint32_t chunk, entry;
} sc3_again;

typedef struct sc3_again_list {
  sc3_buffer entries; /* of sc3_again */
} sc3_again_list;

enum { SC3_AGAIN_MOST = 1 << 24 };

static inline void sc3_again_init(sc3_again_list *l) {
  sc3_buffer_init(&l->entries, SC3_AGAIN_MOST * sizeof(sc3_again));
}

static inline void sc3_again_free(sc3_again_list *l) {
  sc3_buffer_free(&l->entries);
}

/* Takes all entries out, and keeps the room that they had. */
static inline void sc3_again_empty(sc3_again_list *l) {
  l->entries.n = 0;
}

/* Room for one more. */
static inline sc3_mirror_status sc3_again_reserve(sc3_again_list *l) {
  return sc3_mirror_of(sc3_buffer_reserve(&l->entries, sizeof(sc3_again)));
}

/* Only after sc3_again_reserve(). */
static inline void sc3_again_put(sc3_again_list *l, sc3_again again) {
  sc3_buffer_put(&l->entries, &again, sizeof again);
}

static inline size_t sc3_again_count(const sc3_again_list *l) {
  return l->entries.n / sizeof(sc3_again);
}

static inline sc3_again sc3_again_at(const sc3_again_list *l, size_t i) {
  sc3_again again;
  memcpy(&again, l->entries.p + i * sizeof again, sizeof again);
  return again;
}

#endif
