#include "building.h"

#include "cells.h"

/* Where nearly all rows give notes, no payload gets full, and memory must not grow with them. */
enum { NOTES_FULL = 4 << 20 };

/* Bytes that JSON makes of a byte at most, and those of a removal besides its id. */
enum { LARGEST_ESCAPE = 6, REMOVAL = 64 };

void sc3_building_init(sc3_building *g) {
  memset(g, 0, sizeof *g);
  sc3_buffer_init(&g->id, SC3_MIRROR_ID_MAX + sizeof(sc3_member_suffix));
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
      g->built = g->is_surveyed = 0;
    }
  }
  *out = g->has ? &g->candidate : NULL;
  return status;
}

/* A row that was kept is that of the candidate. */
static int is_same(const sc3_building *g, const sc3_night *n, const sc3_survey *survey) {
  sc3_row_hash hash;
  if (sc3_candidate_is_kept(&g->candidate))
    return 1;
  hash = sc3_night_values(n, survey->id.value, &survey->mapped.values);
  return hash.cells == g->candidate.cells; /* the id is among them */
}

/* The audiences of the candidate that stand so. */
static uint32_t standing(const sc3_candidate *c, sc3_standing as) {
  uint32_t mask = 0;
  unsigned audience;
  for (audience = 0; c->mask >> audience != 0; audience++) {
    if (sc3_stands(c->standing, audience) == as)
      mask |= UINT32_C(1) << audience;
  }
  return mask & c->mask;
}

/* Says what becomes of the member that was staged, or of the row that gave none. */
static void decide(sc3_building *g, const sc3_night *n, const sc3_builder *b) {
  sc3_mirror_entry *e = &g->entry;
  e->audience = 0; /* of an entry that is not sent: it is of none */
  e->hash = g->candidate.hash;
  e->cells = g->candidate.cells;
  e->member = 0;
  e->op = SC3_ENTRY_REJECTED;
  g->notes = g->differs = 1;
  g->adds = g->noted = g->leaves = 0;
  if (!sc3_builder_waiting(b)) {
    g->leaves = g->candidate.mask & ~standing(&g->candidate, SC3_AWAY);
    return;
  }
  e->member = sc3_text_hash(sc3_night_key(n), sc3_builder_staged_member(b));
  e->op = SC3_ENTRY_NOTE;
  g->differs = e->member != g->candidate.member;
  g->noted = g->differs ? 0 : standing(&g->candidate, SC3_KNOWN);
  g->notes = g->noted != 0;
  g->adds = g->candidate.mask & ~(g->noted | standing(&g->candidate, SC3_ASKED));
}

/* Whether all that is asked of the candidate is if it is excluded. */
static int is_only_asked(const sc3_candidate *c) {
  return standing(c, SC3_ASKED) == c->mask;
}

static sc3_status look(sc3_building *g, sc3_builder *b, const sc3_survey *survey) {
  const sc3_status st = sc3_builder_looks_excluded(b, survey, &g->excluded);
  if (!g->excluded)
    sc3_builder_leave(b);
  return st;
}

sc3_mirror_status sc3_building_take(sc3_building *g, sc3_night *n, sc3_record *record) {
  return sc3_night_kept(n, &g->candidate, record, &g->survey, &g->is_surveyed);
}

static sc3_status build(sc3_building *g, const sc3_night *n, sc3_builder *b,
                        const sc3_payload *next, const sc3_record *record, int *same) {
  sc3_survey *const survey = &g->survey;
  sc3_status st = g->is_surveyed ? SC3_OK : sc3_builder_survey(b, record, survey);
  *same = g->excluded = 0;
  if (st != SC3_OK || b->row_rejected != SC3_R_NONE)
    return st;
  *same = is_same(g, n, survey);
  if (!*same)
    return SC3_OK;
  g->id.n = 0;
  st = sc3_buffer_append(&g->id, survey->id.value.p, survey->id.value.n);
  if (st == SC3_OK && is_only_asked(&g->candidate))
    return look(g, b, survey);
  if (st == SC3_OK)
    st = sc3_builder_map_surveyed(b, record, survey, next);
  g->excluded = b->excluded_of_row > 0;
  return st == SC3_OK ? sc3_builder_end(b, 0) : st;
}

/* --- rows that may give several members --- */

/* The number of the candidate's member in the row that was built; 0 where it is none of it. */
static unsigned member_of(const sc3_building *g) {
  unsigned member = g->members;
  while (member > 0 && (g->hashes[member - 1].id != g->candidate.hash ||
                        g->hashes[member - 1].cells != g->candidate.cells))
    member--;
  return member;
}

static sc3_mirror_status hash_members(sc3_building *g, sc3_night *n, const sc3_builder *b,
                                      const sc3_record *record, const sc3_survey *survey) {
  unsigned member;
  g->hashes[0] = sc3_night_values(n, survey->id.value, &survey->mapped.values);
  for (member = 2; member <= sc3_builder_members(b); member++) {
    sc3_mapped mapped;
    const sc3_slice id = sc3_night_id(n, survey->id.value, member);
    if (id.p == NULL)
      return SC3_MIRROR_MEMORY;
    (void)sc3_mapping_read_further(b->mapping, record, &survey->mapped, member, &mapped);
    g->hashes[member - 1] = sc3_night_values(n, id, &mapped.values);
  }
  g->members = sc3_builder_members(b);
  g->order = g->candidate.order;
  g->again = g->candidate.again.chunk > 0;
  return SC3_MIRROR_OK;
}

/* Counts the row, once for all its members. Where all that was asked so far is if it is excluded,
   only that counts. */
static sc3_status count_row(sc3_building *g, sc3_builder *b) {
  g->counted = g->row_excluded || !is_only_asked(&g->candidate);
  if (g->counted)
    return sc3_builder_end(b, 0);
  sc3_builder_leave(b);
  return SC3_OK;
}

/* Stages all members of a row. */
static sc3_status stage_all(sc3_building *g, sc3_builder *b, const sc3_payload *next,
                            const sc3_record *record, const sc3_survey *survey) {
  sc3_status st;
  g->id.n = 0;
  st = sc3_buffer_append(&g->id, survey->id.value.p, survey->id.value.n);
  g->id_length = g->id.n;
  if (st != SC3_OK)
    return st;
  b->quiet = is_only_asked(&g->candidate);
  st = sc3_builder_map_surveyed(b, record, survey, next);
  b->quiet = 0;
  g->row_excluded = b->excluded_of_row > 0;
  return st == SC3_OK ? count_row(g, b) : st;
}

static sc3_mirror_status build_several(sc3_building *g, sc3_night *n, sc3_builder *b,
                                       const sc3_payload *next, const sc3_record *record,
                                       int *same) {
  sc3_survey survey;
  sc3_mirror_status status;
  sc3_status st = sc3_builder_survey(b, record, &survey);
  *same = 0;
  g->members = 0;
  if (st != SC3_OK || b->row_rejected != SC3_R_NONE)
    return sc3_mirror_of(st);
  status = hash_members(g, n, b, record, &survey);
  if (status != SC3_MIRROR_OK || member_of(g) == 0)
    return status;
  st = stage_all(g, b, next, record, &survey);
  return st == SC3_OK ? sc3_building_select(g, n, b, same) : SC3_MIRROR_MEMORY;
}

sc3_mirror_status sc3_building_select(sc3_building *g, const sc3_night *n, sc3_builder *b,
                                      int *same) {
  const unsigned member = member_of(g);
  sc3_member_suffix suffix;
  *same = member > 0;
  if (!*same)
    return SC3_MIRROR_OK;
  g->id.n = g->id_length;
  if (sc3_buffer_append(&g->id, suffix.text, sc3_member_suffix_write(member, &suffix)) != SC3_OK)
    return SC3_MIRROR_MEMORY;
  sc3_builder_select(b, member);
  if (!g->counted && !is_only_asked(&g->candidate)) {
    b->tally.used++;
    g->counted = 1;
  }
  g->excluded = g->row_excluded;
  decide(g, n, b);
  g->built = 1;
  return SC3_MIRROR_OK;
}

sc3_mirror_status sc3_building_build(sc3_building *g, sc3_night *n, sc3_builder *b,
                                     const sc3_payload *next, const sc3_record *record, int *same) {
  sc3_status st;
  if (sc3_builder_members(b) > 1)
    return build_several(g, n, b, next, record, same);
  st = build(g, n, b, next, record, same);
  if (st != SC3_OK)
    return SC3_MIRROR_MEMORY;
  if (*same) {
    decide(g, n, b);
    g->built = 1;
  }
  return SC3_MIRROR_OK;
}

static sc3_mirror_status leave(sc3_night *n, const sc3_mirror_entry *entry, uint32_t mask) {
  sc3_leaver leaver;
  leaver.hash = entry->hash;
  leaver.mask = (uint16_t)mask;
  leaver.id = entry->id;
  leaver.again.chunk = leaver.again.entry = 0;
  return sc3_night_leave(n, &leaver);
}

void sc3_building_count(sc3_building_to *to) {
  unsigned audience;
  to->members = to->bytes = 0;
  for (audience = 0; audience < to->audiences; audience++) {
    const sc3_payload *p = to->parts[audience].payload;
    to->members += sc3_payload_living(p, SC3_ADD) + sc3_payload_living(p, SC3_REMOVE);
    to->bytes += sc3_payload_bytes(p);
  }
}

/* Puts the member that was built into the payload of an audience; SC3_FULL where it has no room
   beside the others. */
static sc3_added put(sc3_builder *b, sc3_building_to *to, sc3_payload *payload) {
  const size_t bytes = sc3_builder_staged_member(b).n + 1;
  sc3_added added = SC3_FULL;
  if (sc3_building_has_room(to, payload, bytes))
    added = sc3_builder_put(b, payload);
  if (added == SC3_ADDED)
    sc3_building_took(to, bytes);
  return added;
}

/* Puts the member that was built into the payload, and its entry into the chunk: both, or none. */
static sc3_mirror_status add(sc3_building *g, sc3_builder *b, sc3_building_to *to,
                             unsigned audience, sc3_added *added) {
  const sc3_building_part *part = &to->parts[audience];
  const sc3_chunk_writer before = *part->chunk;
  sc3_mirror_entry entry = g->entry;
  sc3_mirror_status status;
  entry.op = SC3_ENTRY_ADD;
  entry.audience = audience;
  status = sc3_chunk_put(part->chunk, &entry);
  if (status != SC3_MIRROR_OK)
    return status;
  *added = put(b, to, part->payload);
  if (*added == SC3_ADDED)
    g->counts[audience].added++;
  else
    sc3_chunk_take_back(part->chunk, &before);
  return SC3_MIRROR_OK;
}

static void count_note(sc3_building *g) {
  unsigned audience;
  g->rejected += g->entry.op == SC3_ENTRY_REJECTED;
  for (audience = 0; g->noted >> audience != 0; audience++)
    g->counts[audience].noted += g->noted >> audience & 1;
}

static sc3_mirror_status note(sc3_building *g, sc3_night *n, const sc3_building_to *to,
                              sc3_added *added) {
  sc3_mirror_status status;
  *added = SC3_FULL;
  if (to->notes->out.n >= NOTES_FULL)
    return SC3_MIRROR_OK;
  *added = SC3_ADDED;
  status = sc3_chunk_put(to->notes, &g->entry);
  if (status == SC3_MIRROR_OK && g->leaves != 0)
    status = leave(n, &g->entry, g->leaves);
  if (status != SC3_MIRROR_OK)
    return status;
  g->notes = 0;
  count_note(g);
  return SC3_MIRROR_OK;
}

/* The only audience of a mask. */
static unsigned only(uint32_t mask) {
  unsigned audience = 0;
  while (mask >> audience > 1)
    audience++;
  return audience;
}

/* Puts the member into the payload whose entry goes again, exactly as it was. */
static sc3_mirror_status write_again(sc3_building *g, sc3_builder *b, sc3_building_to *to,
                                     sc3_added *added) {
  const unsigned audience = only(g->candidate.mask);
  const sc3_building_part *part = &to->parts[audience];
  sc3_mirror_status status;
  *added = SC3_ADDED;
  if (g->differs) {
    g->counts[audience].deferred++;
    return SC3_MIRROR_OK;
  }
  status = sc3_again_reserve(part->list);
  if (status != SC3_MIRROR_OK)
    return status;
  *added = put(b, to, part->payload);
  if (*added == SC3_ADDED) {
    sc3_again_put(part->list, g->candidate.again);
    g->counts[audience].again[SC3_ADD]++;
  }
  return SC3_MIRROR_OK;
}

/* Sends the member to the audiences that it goes to, and notes what is not sent. Of who is
   excluded, or stays as before, the state learns nothing: another night may find them wanted. */
static sc3_mirror_status write_entries(sc3_building *g, sc3_night *n, sc3_builder *b,
                                       sc3_building_to *to, sc3_added *added) {
  sc3_mirror_status status = SC3_MIRROR_OK;
  unsigned audience;
  *added = SC3_ADDED;
  g->entry.id = sc3_slice_of(g->id.p, g->id.n);
  if (g->excluded || is_only_asked(&g->candidate))
    return sc3_night_tell(n, &g->candidate, g->entry.id, g->excluded);
  if (g->notes)
    status = note(g, n, to, added);
  for (audience = 0; g->adds >> audience != 0; audience++) {
    const uint32_t bit = UINT32_C(1) << audience;
    if (status != SC3_MIRROR_OK || *added != SC3_ADDED)
      return status;
    if ((g->adds & bit) == 0)
      continue;
    status = add(g, b, to, audience, added);
    if (status == SC3_MIRROR_OK && *added == SC3_ADDED)
      g->adds &= ~bit;
  }
  if (status != SC3_MIRROR_OK || *added != SC3_ADDED)
    return status;
  return sc3_night_tell(n, &g->candidate, g->entry.id, 0);
}

sc3_mirror_status sc3_building_write(sc3_building *g, sc3_night *n, sc3_builder *b,
                                     sc3_building_to *to, sc3_added *added) {
  const sc3_mirror_status status =
      to->again ? write_again(g, b, to, added) : write_entries(g, n, b, to, added);
  if (status != SC3_MIRROR_OK || *added != SC3_ADDED)
    return status;
  if (g->members > 0)
    sc3_builder_select(b, 0);
  else
    sc3_builder_discard(b);
  g->has = 0;
  return status;
}
