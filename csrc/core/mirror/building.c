#include "building.h"

#include "cells.h"

/* Where nearly all rows give notes, no payload gets full, and memory must not grow with them. */
enum { NOTES_FULL = 4 << 20 };

/* Bytes that JSON makes of a byte at most, and those of a removal besides its id. */
enum { LARGEST_ESCAPE = 6, REMOVAL = 64 };

void sc3_building_init(sc3_building *g) {
  memset(g, 0, sizeof *g);
  sc3_buffer_init(&g->id, SC3_MIRROR_ID_MAX);
  sc3_buffer_init(&g->json, SC3_MIRROR_ID_MAX * LARGEST_ESCAPE + REMOVAL);
}

void sc3_building_free(sc3_building *g) {
  sc3_buffer_free(&g->id);
  sc3_buffer_free(&g->json);
}

sc3_mirror_status sc3_building_next(sc3_building *g, sc3_night *n, int again,
                                    const sc3_candidate **out) {
  const sc3_candidate *found = NULL;
  sc3_mirror_status status = SC3_MIRROR_OK;
  if (!g->has) {
    status = sc3_night_candidate(n, again, &found);
    if (found != NULL) {
      g->candidate = *found;
      g->has = 1;
      g->built = 0;
    }
  }
  *out = g->has ? &g->candidate : NULL;
  return status;
}

static int is_same(const sc3_building *g, const sc3_night *n, const sc3_survey *survey) {
  const sc3_row_hash hash = sc3_night_values(n, survey->id.value, &survey->mapped.values);
  return hash.cells == g->candidate.cells; /* the id is among them */
}

/* Says what becomes of the member that was staged, or of the row that gave none. */
static void decide(sc3_building *g, const sc3_night *n, const sc3_builder *b) {
  const sc3_standing standing = sc3_stands(g->candidate.standing, 0);
  sc3_mirror_entry *e = &g->entry;
  e->audience = 0;
  e->hash = g->candidate.hash;
  e->cells = g->candidate.cells;
  e->member = 0;
  e->op = SC3_ENTRY_REJECTED;
  g->differs = 1;
  g->leaves = standing != SC3_AWAY;
  if (!sc3_builder_waiting(b))
    return;
  e->member = sc3_night_hash(n, sc3_builder_staged_member(b));
  g->differs = e->member != g->candidate.member;
  e->op = standing == SC3_KNOWN && !g->differs ? SC3_ENTRY_NOTE : SC3_ENTRY_ADD;
  g->leaves = 0;
}

/* Whether all that is asked of the candidate is if it is excluded. */
static int is_only_asked(const sc3_candidate *c) {
  const uint32_t asked = c->standing & c->standing >> 1 & UINT32_C(0x55555555);
  unsigned audience;
  if (asked == 0)
    return 0;
  for (audience = 0; audience < SC3_MIRROR_AUDIENCES; audience++) {
    if ((c->mask >> audience & 1) != 0 && sc3_stands(c->standing, audience) != SC3_ASKED)
      return 0;
  }
  return 1;
}

static sc3_status look(sc3_building *g, sc3_builder *b, const sc3_survey *survey) {
  const sc3_status st = sc3_builder_looks_excluded(b, survey, &g->excluded);
  if (!g->excluded)
    sc3_builder_leave(b);
  return st;
}

static sc3_status build(sc3_building *g, const sc3_night *n, sc3_builder *b,
                        const sc3_payload *next, const sc3_record *record, int *same) {
  sc3_survey survey;
  sc3_status st = sc3_builder_survey(b, record, &survey);
  *same = g->excluded = 0;
  if (st != SC3_OK || b->row_rejected != SC3_R_NONE)
    return st;
  *same = is_same(g, n, &survey);
  if (!*same)
    return SC3_OK;
  g->id.n = 0;
  st = sc3_buffer_append(&g->id, survey.id.value.p, survey.id.value.n);
  if (st == SC3_OK && is_only_asked(&g->candidate))
    return look(g, b, &survey);
  if (st == SC3_OK)
    st = sc3_builder_map_surveyed(b, record, &survey, next);
  g->excluded = b->excluded_of_row > 0;
  return st == SC3_OK ? sc3_builder_end(b, 0) : st;
}

sc3_mirror_status sc3_building_build(sc3_building *g, const sc3_night *n, sc3_builder *b,
                                     const sc3_payload *next, const sc3_record *record, int *same) {
  const sc3_status st = build(g, n, b, next, record, same);
  if (st != SC3_OK)
    return SC3_MIRROR_MEMORY;
  if (*same) {
    decide(g, n, b);
    g->built = 1;
  }
  return SC3_MIRROR_OK;
}

static sc3_mirror_status leave(sc3_night *n, const sc3_mirror_entry *entry) {
  sc3_leaver leaver;
  leaver.hash = entry->hash;
  leaver.mask = 1;
  leaver.id = entry->id;
  leaver.again.chunk = leaver.again.entry = 0;
  return sc3_night_leave(n, &leaver);
}

/* Puts the member that was built into the payload, and its entry into the chunk: both, or none. */
static sc3_mirror_status add(const sc3_building *g, sc3_builder *b, const sc3_building_to *to,
                             sc3_added *added) {
  const sc3_chunk_writer before = *to->chunk;
  const sc3_mirror_status status = sc3_chunk_put(to->chunk, &g->entry);
  if (status != SC3_MIRROR_OK)
    return status;
  *added = sc3_builder_flush(b, to->payload);
  if (*added != SC3_ADDED)
    sc3_chunk_take_back(to->chunk, &before);
  return SC3_MIRROR_OK;
}

static sc3_mirror_status note(const sc3_building *g, sc3_night *n, const sc3_building_to *to,
                              sc3_added *added) {
  sc3_mirror_status status;
  *added = SC3_FULL;
  if (to->notes->out.n >= NOTES_FULL)
    return SC3_MIRROR_OK;
  *added = SC3_ADDED;
  status = sc3_chunk_put(to->notes, &g->entry);
  return status == SC3_MIRROR_OK && g->leaves ? leave(n, &g->entry) : status;
}

/* Puts the member into the payload whose entry goes again, exactly as it was. */
static sc3_mirror_status add_again(sc3_building *g, sc3_builder *b, const sc3_building_to *to,
                                   sc3_added *added) {
  const sc3_mirror_status status = sc3_again_reserve(to->list);
  if (status != SC3_MIRROR_OK)
    return status;
  *added = sc3_builder_flush(b, to->payload);
  if (*added == SC3_ADDED) {
    sc3_again_put(to->list, g->candidate.again);
    g->again[SC3_ADD]++;
  }
  return SC3_MIRROR_OK;
}

static sc3_mirror_status write_again(sc3_building *g, sc3_builder *b, const sc3_building_to *to,
                                     sc3_added *added) {
  if (!g->differs)
    return add_again(g, b, to, added);
  g->deferred++;
  *added = SC3_ADDED;
  return SC3_MIRROR_OK;
}

/* Sends the entry or notes it. Of who is excluded, or stays as before, the state learns nothing:
   another night may find them wanted. */
static sc3_mirror_status write_entry(sc3_building *g, sc3_night *n, sc3_builder *b,
                                     const sc3_building_to *to, sc3_added *added) {
  sc3_mirror_status status;
  g->entry.id = sc3_slice_of(g->id.p, g->id.n);
  *added = SC3_ADDED;
  if (g->excluded || is_only_asked(&g->candidate))
    return sc3_night_tell(n, &g->candidate, g->entry.id, g->excluded);
  status = g->entry.op == SC3_ENTRY_ADD ? add(g, b, to, added) : note(g, n, to, added);
  if (status != SC3_MIRROR_OK || *added != SC3_ADDED)
    return status;
  g->written[g->entry.op]++;
  return sc3_night_tell(n, &g->candidate, g->entry.id, 0);
}

sc3_mirror_status sc3_building_write(sc3_building *g, sc3_night *n, sc3_builder *b,
                                     const sc3_building_to *to, sc3_added *added) {
  const sc3_mirror_status status =
      to->list != NULL ? write_again(g, b, to, added) : write_entry(g, n, b, to, added);
  if (status != SC3_MIRROR_OK || *added != SC3_ADDED)
    return status;
  sc3_builder_discard(b); /* of what is not sent */
  g->has = 0;
  return status;
}
