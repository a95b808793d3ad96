#include "id_set.h"

#include <stdlib.h>
#include <string.h>

#include "../bytes/fetch.h"

/* Seven bytes an id, in ascending order, in one table: each at the place that its value has among
   all values, scaled to the table, or after it where that was taken. So a search ends at the first
   larger one, even in a table that is nearly full. The table grows where it lies, so that there is
   never twice of it (realloc() of something large moves no bytes on Linux). It grows by a quarter
   when it is over 90 % full: by more an id would cost over 10 bytes, and by less each is moved more
   often. */
enum { SLOT = 7 };

struct sc3_id_set {
  unsigned char *slots; /* a slot of zeros is free */
  size_t count;         /* slots that values are scaled to */
  size_t all; /* and with those after them, for values that found theirs taken; the last one is
                 always free */
  size_t used;
};

sc3_id_set *sc3_id_set_new(void) {
  return calloc(1, sizeof(sc3_id_set));
}

void sc3_id_set_clear(sc3_id_set *set) {
  free(set->slots);
  set->slots = NULL;
  set->count = set->all = set->used = 0;
}

void sc3_id_set_free(sc3_id_set *set) {
  if (set == NULL)
    return;
  sc3_id_set_clear(set);
  free(set);
}

/* The table has a byte to spare after its last slot, so that eight can be read. */
static uint64_t slot_at(const sc3_id_set *t, size_t i) {
  uint64_t v;
  memcpy(&v, t->slots + i * SLOT, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  return v >> 8;
#else
  return v << 8 >> 8;
#endif
}

static void set_slot(sc3_id_set *t, size_t i, uint64_t v) {
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  v <<= 8;
#endif
  memcpy(t->slots + i * SLOT, &v, SLOT);
}

/* Where a fingerprint belongs among `count` slots, which need not be a power of two. */
static size_t home(size_t count, uint64_t fingerprint) {
  return (size_t)(((fingerprint >> 24) * count) >> 32);
}

/* The slot that holds it, or that it would have: a free one, or a larger one's. */
static size_t find(const sc3_id_set *set, uint64_t fingerprint) {
  size_t i = home(set->count, fingerprint);
  uint64_t there;
  while ((there = slot_at(set, i)) != 0 && there < fingerprint)
    i++;
  return i;
}

void sc3_id_set_prefetch(const sc3_id_set *set, uint64_t fingerprint) {
  if (set->count > 0)
    SC3_FETCH(set->slots + home(set->count, fingerprint) * SLOT);
}

int sc3_id_set_contains(const sc3_id_set *set, uint64_t fingerprint) {
  return set->count > 0 && slot_at(set, find(set, fingerprint)) == fingerprint;
}

/* Whether all would fit into a table of another size, each at its place or after it. */
static int would_fit(const sc3_id_set *set, size_t count, size_t all) {
  size_t i, at = 0;
  for (i = 0; i < set->all; i++) {
    uint64_t value = slot_at(set, i);
    if (value != 0) {
      size_t there = home(count, value);
      at = (at < there ? there : at) + 1;
    }
  }
  return at <= all - 1;
}

static sc3_status grow(sc3_id_set *set) {
  size_t count = set->count, all, i, at, to;
  unsigned char *slots;
  do {
    count += count / 4 + 64;
    all = count + count / 256 + 64;
  } while (!would_fit(set, count, all));
  slots = realloc(set->slots, all * SLOT + 1);
  if (slots == NULL)
    return SC3_ENOMEM;
  set->slots = slots;
  /* All to the end, in their order. */
  for (i = set->all, to = all - 1; i-- > 0;) {
    uint64_t value = slot_at(set, i);
    if (value != 0)
      set_slot(set, --to, value);
  }
  memset(slots, 0, to * SLOT);
  memset(slots + (all - 1) * SLOT, 0, SLOT + 1);
  set->count = count;
  set->all = all;
  /* And back from there: nobody's place lies after where it stands, because those after it fit
   * too. */
  for (i = to, at = 0; i < all - 1; i++) {
    uint64_t value = slot_at(set, i);
    size_t there = home(count, value);
    set_slot(set, i, 0);
    at = at < there ? there : at;
    set_slot(set, at++, value);
  }
  return SC3_OK;
}

sc3_status sc3_id_set_insert(sc3_id_set *set, uint64_t fingerprint) {
  if ((set->used + 1) * 10 > set->count * 9 && grow(set) != SC3_OK)
    return SC3_ENOMEM;
  for (;;) {
    size_t i = find(set, fingerprint), end = i;
    if (slot_at(set, i) == fingerprint)
      return SC3_OK;
    while (slot_at(set, end) != 0)
      end++;
    if (end < set->all - 1) {
      memmove(set->slots + (i + 1) * SLOT, set->slots + i * SLOT, (end - i) * SLOT);
      set_slot(set, i, fingerprint);
      set->used++;
      return SC3_OK;
    }
    if (grow(set) != SC3_OK)
      return SC3_ENOMEM;
  }
}

size_t sc3_id_set_count(const sc3_id_set *set) {
  return set->used;
}

size_t sc3_id_set_bytes(const sc3_id_set *set) {
  return set->all * SLOT;
}
