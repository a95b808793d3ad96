#include "building.h"

#include "cells.h"

/* Where nearly all rows give notes, no payload gets full, and the chunk must not grow with them. */
enum { CHUNK_FULL = 4 << 20 };

void sc3_building_init(sc3_building *g) {
  memset(g, 0, sizeof *g);
  sc3_buffer_init(&g->id, SC3_MIRROR_ID_MAX);
}

void sc3_building_free(sc3_building *g) {
  sc3_buffer_free(&g->id);
}

sc3_mirror_status sc3_building_next(sc3_building *g, sc3_night *n, const sc3_candidate **out) {
  const sc3_candidate *found = NULL;
  sc3_mirror_status status = SC3_MIRROR_OK;
  if (!g->has) {
    status = sc3_night_candidate(n, &found);
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
  g->leaves = standing != SC3_AWAY;
  if (!sc3_builder_waiting(b))
    return;
  e->member = sc3_night_hash(n, sc3_builder_staged_member(b));
  e->op =
      standing == SC3_KNOWN && e->member == g->candidate.member ? SC3_ENTRY_NOTE : SC3_ENTRY_ADD;
  g->leaves = 0;
}

static sc3_status build(sc3_building *g, const sc3_night *n, sc3_builder *b,
                        const sc3_payload *next, const sc3_record *record, int *same) {
  sc3_survey survey;
  sc3_status st = sc3_builder_survey(b, record, &survey);
  *same = 0;
  if (st != SC3_OK || b->row_rejected != SC3_R_NONE)
    return st;
  *same = is_same(g, n, &survey);
  if (!*same)
    return SC3_OK;
  g->id.n = 0;
  st = sc3_buffer_append(&g->id, survey.id.value.p, survey.id.value.n);
  if (st == SC3_OK)
    st = sc3_builder_map_surveyed(b, record, &survey, next);
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
  return sc3_night_leave(n, &leaver);
}

sc3_mirror_status sc3_building_write(sc3_building *g, sc3_night *n, sc3_builder *b, sc3_payload *p,
                                     sc3_chunk_writer *chunk, sc3_added *added) {
  const sc3_chunk_writer before = *chunk;
  sc3_mirror_status status;
  *added = SC3_FULL;
  if (chunk->out.n >= CHUNK_FULL)
    return SC3_MIRROR_OK;
  g->entry.id = sc3_slice_of(g->id.p, g->id.n);
  status = sc3_chunk_put(chunk, &g->entry);
  if (status != SC3_MIRROR_OK)
    return status;
  if (g->entry.op == SC3_ENTRY_ADD) {
    *added = sc3_builder_flush(b, p);
    if (*added != SC3_ADDED) {
      sc3_chunk_take_back(chunk, &before);
      return SC3_MIRROR_OK;
    }
  }
  *added = SC3_ADDED;
  sc3_builder_discard(b); /* of a note, nothing is sent */
  if (g->leaves)
    status = leave(n, &g->entry);
  g->written[g->entry.op]++;
  g->has = 0;
  return status;
}
