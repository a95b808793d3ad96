#include "transfer_index.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 16 };

/* Ids are counted, so their lowest bits spread them evenly. */
static sc3_transfer **slot_of(const sc3_transfer_index *x, uint64_t id) {
  return &x->slots[id & (x->slot_count - 1)];
}

static void link_in(sc3_transfer_index *x, sc3_transfer *t) {
  sc3_transfer **slot = slot_of(x, t->result.id);
  t->peer = *slot;
  *slot = t;
}

int sc3_transfer_index_open(sc3_transfer_index *x) {
  x->n = 0;
  x->slot_count = FIRST_SLOTS;
  x->slots = calloc(x->slot_count, sizeof *x->slots);
  return x->slots != NULL ? 0 : -1;
}

void sc3_transfer_index_close(sc3_transfer_index *x) {
  free(x->slots);
  x->slots = NULL;
}

static void grow(sc3_transfer_index *x) {
  const sc3_transfer_index old = *x;
  size_t i;
  sc3_transfer **slots = calloc(2 * old.slot_count, sizeof *slots);
  if (slots == NULL)
    return;
  x->slots = slots;
  x->slot_count = 2 * old.slot_count;
  for (i = 0; i < old.slot_count; i++) {
    sc3_transfer *t = old.slots[i];
    while (t != NULL) {
      sc3_transfer *next = t->peer;
      link_in(x, t);
      t = next;
    }
  }
  free(old.slots);
}

void sc3_transfer_index_add(sc3_transfer_index *x, sc3_transfer *t) {
  if (x->n >= x->slot_count)
    grow(x);
  link_in(x, t);
  x->n++;
}

void sc3_transfer_index_remove(sc3_transfer_index *x, const sc3_transfer *t) {
  sc3_transfer **at = slot_of(x, t->result.id);
  while (*at != t)
    at = &(*at)->peer;
  *at = t->peer;
  x->n--;
}

sc3_transfer *sc3_transfer_index_find(const sc3_transfer_index *x, uint64_t id) {
  sc3_transfer *t = *slot_of(x, id);
  while (t != NULL && t->result.id != id)
    t = t->peer;
  return t;
}
