#include "leaving.h"

#include "../bytes/utf8.h"
#include "../members/fingerprint.h"

/* The member that is removed, as JSON. The id is one that was sent; but a state may come from a
   stranger. */
static sc3_mirror_status write_removal(sc3_building *g, sc3_slice id, sc3_new_member *out) {
  size_t length;
  sc3_status st;
  if (!sc3_utf8_valid(id.p, id.n))
    return SC3_MIRROR_DAMAGED;
  g->json.n = 0;
  st = sc3_member_write_removal(&g->json, id, &length);
  if (st != SC3_OK)
    return sc3_mirror_of(st);
  memset(out, 0, sizeof *out);
  out->op = SC3_REMOVE;
  out->json = sc3_slice_of(g->json.p, g->json.n);
  out->id_length = length;
  out->fingerprint = sc3_fingerprint(sc3_slice_of(g->json.p + SC3_MEMBER_ID_AT, length));
  return SC3_MIRROR_OK;
}

/* Puts a removal into a payload. */
static sc3_mirror_status put(sc3_building_to *to, sc3_payload *payload,
                             const sc3_new_member *removal, sc3_tally *tally, int *full) {
  static const sc3_member_counts counts = {.op = SC3_REMOVE};
  sc3_added added = SC3_FULL;
  if (sc3_building_has_room(to, payload, removal->json.n))
    added = sc3_payload_add(payload, removal);
  switch (added) {
    case SC3_FULL: *full = 1; return SC3_MIRROR_OK;
    case SC3_NEVER_FITS: return SC3_MIRROR_FULL;
    case SC3_ADD_NOMEM: return SC3_MIRROR_MEMORY;
    default: sc3_tally_add_built(tally, &counts); break;
  }
  sc3_building_took(to, removal->json.n);
  return SC3_MIRROR_OK;
}

static sc3_mirror_status put_entry(sc3_chunk_writer *chunk, const sc3_leaver *leaver,
                                   unsigned audience) {
  sc3_mirror_entry e;
  e.op = SC3_ENTRY_REMOVE;
  e.audience = audience;
  e.run = 0;
  e.hash = leaver->hash;
  e.cells = e.member = 0;
  e.id = leaver->id;
  return sc3_chunk_put(chunk, &e);
}

/* What one audience is left with. */
typedef struct leaving {
  const sc3_leaver *leaver;
  const sc3_new_member *removal;
  sc3_tally *tally;
  unsigned audience;
} leaving;

/* A removal and its entry: both, or none. */
static sc3_mirror_status leave(sc3_building *g, const leaving *l, sc3_building_to *to, int *full) {
  const sc3_building_part *part = &to->parts[l->audience];
  const sc3_chunk_writer before = *part->chunk;
  sc3_mirror_status status = put_entry(part->chunk, l->leaver, l->audience);
  if (status == SC3_MIRROR_OK)
    status = put(to, part->payload, l->removal, l->tally, full);
  if (status != SC3_MIRROR_OK || *full)
    sc3_chunk_take_back(part->chunk, &before);
  else
    g->counts[l->audience].removed++;
  return status;
}

static sc3_mirror_status leave_again(sc3_building *g, const leaving *l, sc3_building_to *to,
                                     int *full) {
  const sc3_building_part *part = &to->parts[l->audience];
  sc3_mirror_status status = sc3_again_reserve(part->list);
  if (status == SC3_MIRROR_OK)
    status = put(to, part->payload, l->removal, l->tally, full);
  if (status == SC3_MIRROR_OK && !*full) {
    sc3_again_put(part->list, l->leaver->again);
    g->counts[l->audience].again[SC3_REMOVE]++;
  }
  return status;
}

/* Takes a leaver out of the audiences of `*left`, as far as there is room. */
static sc3_mirror_status leave_all(sc3_building *g, leaving *l, uint32_t *left, sc3_building_to *to,
                                   int *full) {
  sc3_new_member removal;
  sc3_mirror_status status = write_removal(g, l->leaver->id, &removal);
  l->removal = &removal;
  for (l->audience = 0; status == SC3_MIRROR_OK && *left >> l->audience != 0; l->audience++) {
    const uint32_t bit = UINT32_C(1) << l->audience;
    if ((*left & bit) == 0)
      continue;
    status = (to->again ? leave_again : leave)(g, l, to, full);
    if (*full)
      return status;
    *left &= ~bit;
  }
  return status;
}

sc3_mirror_status sc3_building_leave(sc3_building *g, sc3_night *n, sc3_tally *tally,
                                     sc3_building_to *to, int *full) {
  uint32_t *const left = &g->left[to->again];
  *full = 0;
  for (;;) {
    sc3_leaver leaver;
    leaving l = {&leaver, NULL, tally, 0};
    sc3_mirror_status status = sc3_night_look(n, to->again, &leaver);
    if (status != SC3_MIRROR_OK || leaver.id.p == NULL)
      return status;
    if (*left == 0)
      *left = leaver.mask;
    status = leave_all(g, &l, left, to, full);
    if (status != SC3_MIRROR_OK || *full)
      return status;
    sc3_night_pass(n, to->again);
  }
}
