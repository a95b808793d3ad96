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

/* Puts a removal into the payload. */
static sc3_mirror_status remove_member(sc3_building *g, const sc3_leaver *leaver, sc3_payload *p,
                                       sc3_tally *tally, int *full) {
  static const sc3_member_counts counts = {.op = SC3_REMOVE};
  sc3_new_member member;
  const sc3_mirror_status status = write_removal(g, leaver->id, &member);
  if (status != SC3_MIRROR_OK)
    return status;
  switch (sc3_payload_add(p, &member)) {
    case SC3_FULL: *full = 1; return SC3_MIRROR_OK;
    case SC3_NEVER_FITS: return SC3_MIRROR_FULL;
    case SC3_ADD_NOMEM: return SC3_MIRROR_MEMORY;
    default: sc3_tally_add_built(tally, &counts); return SC3_MIRROR_OK;
  }
}

static sc3_mirror_status put_entry(sc3_chunk_writer *chunk, const sc3_leaver *leaver) {
  sc3_mirror_entry e;
  e.op = SC3_ENTRY_REMOVE;
  e.audience = 0;
  e.run = 0;
  e.hash = leaver->hash;
  e.cells = e.member = 0;
  e.id = leaver->id;
  return sc3_chunk_put(chunk, &e);
}

/* A removal and its entry: both, or none. */
static sc3_mirror_status leave(sc3_building *g, const sc3_leaver *leaver, sc3_tally *tally,
                               const sc3_building_to *to, int *full) {
  const sc3_chunk_writer before = *to->chunk;
  sc3_mirror_status status = put_entry(to->chunk, leaver);
  if (status == SC3_MIRROR_OK)
    status = remove_member(g, leaver, to->payload, tally, full);
  if (status != SC3_MIRROR_OK || *full)
    sc3_chunk_take_back(to->chunk, &before);
  else
    g->written[SC3_ENTRY_REMOVE]++;
  return status;
}

static sc3_mirror_status leave_again(sc3_building *g, const sc3_leaver *leaver, sc3_tally *tally,
                                     const sc3_building_to *to, int *full) {
  sc3_mirror_status status = sc3_again_reserve(to->list);
  if (status == SC3_MIRROR_OK)
    status = remove_member(g, leaver, to->payload, tally, full);
  if (status == SC3_MIRROR_OK && !*full) {
    sc3_again_put(to->list, leaver->again);
    g->again[SC3_REMOVE]++;
  }
  return status;
}

sc3_mirror_status sc3_building_leave(sc3_building *g, sc3_night *n, sc3_tally *tally,
                                     const sc3_building_to *to, int *full) {
  const int again = to->list != NULL;
  *full = 0;
  for (;;) {
    sc3_leaver leaver;
    sc3_mirror_status status = sc3_night_look(n, again, &leaver);
    if (status != SC3_MIRROR_OK || leaver.id.p == NULL)
      return status;
    status = (again ? leave_again : leave)(g, &leaver, tally, to, full);
    if (status != SC3_MIRROR_OK || *full)
      return status;
    sc3_night_pass(n, again);
  }
}
