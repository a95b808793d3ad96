#include "pairs.h"

#include "../bytes/fetch.h"

sc3_mirror_status sc3_pairs_open(sc3_pairs *p, const sc3_gather *gather, sc3_slice base,
                                 size_t part, unsigned bits, unsigned audiences) {
  p->gather = gather;
  p->at = 0;
  p->item = NULL;
  p->in_base = 1; /* the first record is fetched first */
  p->next.id.p = NULL;
  p->status = sc3_members_open(&p->base, base, part, bits, audiences);
  return p->status;
}

/* The item that will be needed in a while. Items lie as they came, in megabytes. */
static const sc3_gathered *ahead_of(const sc3_gather *g, size_t at) {
  enum { AHEAD = 12 };
  return sc3_gather_at(g, g->count - at > AHEAD ? at + AHEAD : at);
}

/* The item that is next, while the one ahead is fetched: most lie in two lines of the cache. */
static const sc3_gathered *take_item(const sc3_gather *g, size_t at) {
  const sc3_gathered *const ahead = ahead_of(g, at);
  SC3_FETCH(ahead);
  SC3_FETCH(&ahead->gone);
  return sc3_gather_at(g, at);
}

int sc3_pairs_next(sc3_pairs *p) {
  const sc3_gather *g = p->gather;
  int has_item;
  if (p->in_base) {
    p->status = sc3_members_next(&p->base, &p->next);
    if (p->status != SC3_MIRROR_OK)
      return 0;
  }
  p->in_base = p->next.id.p != NULL;
  has_item = p->at < g->count;
  if (has_item && p->in_base) {
    has_item = g->sorted[p->at].value <= p->next.hash;
    p->in_base = g->sorted[p->at].value >= p->next.hash;
  }
  if (!has_item && !p->in_base)
    return 0;
  p->item = has_item ? take_item(g, p->at++) : NULL;
  if (p->in_base) {
    p->record = p->next;
  } else {
    memset(&p->record, 0, sizeof p->record);
    p->record.hash = p->item->hash;
  }
  return 1;
}

void sc3_pairs_apply(sc3_pairs *p, sc3_open_entries *open) {
  uint32_t number = p->item != NULL ? p->item->first : SC3_NO_ENTRY;
  while (number != SC3_NO_ENTRY) {
    const sc3_mirror_entry entry = sc3_gather_entry(p->gather, number);
    const sc3_gathered_entry *gathered = &p->gather->entries[number];
    const sc3_became became = gathered->became;
    number = gathered->next;
    if (p->record.id.n == 0) /* a note has none */
      p->record.id = entry.id;
    sc3_mirror_apply(&p->record, &entry, became);
    if (open != NULL && sc3_is_open(became.outcome) && sc3_entry_is_sent(entry.op)) {
      open->mask |= UINT32_C(1) << entry.audience;
      open->of[entry.audience] = gathered;
    }
  }
}
