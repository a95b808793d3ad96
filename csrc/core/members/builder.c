#include "builder.h"

#include <stdlib.h>

#include "../identity/phone_plan.h"
#include "../bytes/text.h"
#include "fingerprint.h"
#include "prepared.h"

typedef struct staged {
  size_t offset, length, id_length;
  unsigned member; /* its number in the row, see sc3_values */
  sc3_member_counts counts;
} staged;

enum {
  SCRATCH_LIMIT = 16 << 20,   /* the members of one row */
  TEXTS_LIMIT = 1 << 20,      /* no row is longer */
  MEMBERS_OF_ROW = 250000,    /* a limit that is told in round numbers (SC3_R_ROW_FULL) */
  REJECTIONS_LIMIT = 64 << 20 /* between two visits of the owner */
};

void sc3_builder_init(sc3_builder *b, sc3_op op, size_t max_member, int keep_rejections) {
  memset(b, 0, sizeof *b);
  b->op = op;
  b->reading.repair = 1;
  b->reading.region = SC3_NO_REGION;
  b->max_member = max_member;
  b->keep_rejections = keep_rejections;
  sc3_buffer_init(&b->rejections, REJECTIONS_LIMIT);
  sc3_buffer_init(&b->scratch, SCRATCH_LIMIT);
  sc3_buffer_init(&b->staged, MEMBERS_OF_ROW * sizeof(staged));
  sc3_buffer_init(&b->texts, TEXTS_LIMIT);
}

void sc3_builder_free(sc3_builder *b) {
  sc3_buffer_free(&b->rejections);
  sc3_buffer_free(&b->scratch);
  sc3_buffer_free(&b->staged);
  sc3_buffer_free(&b->texts);
  sc3_exclusions_release(b->exclusions);
  free(b->reading.regions);
  free(b->tally.unknown_regions);
}

static sc3_status refuse(sc3_builder *b, sc3_role role, sc3_reason reason, size_t column,
                         int dropped) {
  sc3_rejection r;
  sc3_status st;
  if (!b->keep_rejections)
    return SC3_OK;
  memset(&r, 0, sizeof r);
  r.row = b->row;
  r.line = b->row_line;
  r.column = (uint32_t)column;
  r.role = (uint8_t)role;
  r.reason = (uint8_t)reason;
  r.dropped = (uint8_t)dropped;
  r.lines = dropped ? 0 : (uint32_t)b->row_lines; /* at most SC3_ROW_MAX */
  st = sc3_buffer_append(&b->rejections, &r, sizeof r);
  if (st != SC3_ELIMIT)
    return st;
  b->tally.untold++; /* one row may give any number of them */
  return SC3_OK;
}

/* The column that feeds a role, 0 where no mapping tells. */
static size_t column_of(const sc3_builder *b, sc3_role role) {
  return b->mapping != NULL ? sc3_mapping_column_of(b->mapping, role) : 0;
}

void sc3_builder_discard(sc3_builder *b) {
  b->staged.n = b->scratch.n = b->next_staged = 0;
  sc3_hash_queue_forget_staged(&b->hashes);
  b->members_of_row = 0;
}

void sc3_builder_exclude(sc3_builder *b, sc3_exclusions *exclusions) {
  sc3_exclusions_hold(exclusions);
  sc3_exclusions_release(b->exclusions);
  b->exclusions = exclusions;
}

void sc3_builder_begin(sc3_builder *b, uint64_t row, uint64_t line) {
  b->row = row;
  b->row_line = line;
  b->row_lines = 0;
  b->under_way = 1;
  b->tally.rows++;
  b->row_rejected = b->identifier_dropped = SC3_R_NONE;
  b->excluded_of_row = 0;
  sc3_builder_discard(b);
}

/* A member that has no room was prepared all the same. */
SC3_COLD
static void note_unprepared(sc3_builder *b, sc3_reason reason, sc3_role at) {
  if (!b->prepared || b->unprepared.reason != SC3_R_NONE || reason == SC3_R_MEMBER_TOO_LARGE)
    return;
  b->unprepared.row = b->row;
  b->unprepared.line = b->row_line;
  b->unprepared.reason = reason;
  b->unprepared.role = at;
}

sc3_status sc3_builder_reject(sc3_builder *b, sc3_reason reason, sc3_role at, size_t column) {
  note_unprepared(b, reason, at);
  if (b->row_rejected == SC3_R_NONE) {
    b->row_rejected = reason;
    b->row_rejected_at = at;
    b->row_rejected_column = (uint32_t)column;
    return SC3_OK;
  }
  b->tally.dropped_for[reason]++; /* a further member of a list; the row itself counts once */
  return refuse(b, at, reason, column, 1);
}

sc3_status sc3_builder_drop(sc3_builder *b, sc3_role role, sc3_reason reason, size_t column) {
  note_unprepared(b, reason, role);
  if (b->quiet)
    return SC3_OK;
  b->tally.dropped_for[reason]++;
  if (b->identifier_dropped == SC3_R_NONE)
    b->identifier_dropped = reason;
  return refuse(b, role, reason, column, 1);
}

/* Counts the identifiers that a member lost. */
static sc3_status drop_identifiers(sc3_builder *b, const sc3_values *values,
                                   const sc3_outcome *outcome) {
  sc3_status st = SC3_OK;
  size_t i;
  for (i = 0; st == SC3_OK && i < outcome->dropped_count; i++) {
    const sc3_role role = outcome->dropped[i].role;
    const size_t column = outcome->dropped[i].column;
    if (outcome->dropped[i].reason == SC3_R_PHONE_REGION)
      st = sc3_region_tally_add(&b->tally.unknown_regions,
                                sc3_text_trim(values->role[SC3_ROLE_REGION]));
    if (st == SC3_OK)
      st = sc3_builder_drop(b, role, outcome->dropped[i].reason,
                            column > 0 ? column : column_of(b, role));
  }
  return st;
}

/* Where hashes are put off; NULL where they are not, or are to be compared. */
static inline sc3_unhashed *put_off(sc3_builder *b) {
  if (b->hashes.lanes == 0 || (b->exclusions != NULL && sc3_exclusions_has_contacts(b->exclusions)))
    return NULL;
  return &b->hashes.fresh;
}

static inline int is_excluded(const sc3_builder *b, sc3_op op, size_t offset,
                              const sc3_outcome *outcome) {
  return b->exclusions != NULL && op == SC3_ADD && outcome->rejected == SC3_R_NONE &&
         sc3_exclusions_match(b->exclusions, b->scratch.p + offset, outcome);
}

/* Takes back a member that was written. */
static void leave_out(sc3_builder *b, size_t offset) {
  b->scratch.n = offset;
  b->excluded_of_row++;
  b->tally.excluded++;
}

sc3_status sc3_builder_stage(sc3_builder *b, sc3_op op, const sc3_values *values,
                             sc3_outcome *outcome) {
  const size_t offset = b->scratch.n;
  sc3_unhashed *later = put_off(b);
  staged *s;
  sc3_status st = sc3_buffer_reserve(&b->staged, sizeof *s);
  if (st == SC3_ELIMIT)
    return sc3_builder_reject(b, SC3_R_ROW_FULL, SC3_ROLE_NONE, 0);
  if (st != SC3_OK)
    return st;
  st = sc3_member_write(&b->scratch, op, values, &b->reading, later, outcome);
  if (st == SC3_ELIMIT || (st == SC3_OK && b->scratch.n - offset > b->max_member)) {
    outcome->rejected = st == SC3_ELIMIT && offset > 0 ? SC3_R_ROW_FULL : SC3_R_MEMBER_TOO_LARGE;
    b->scratch.n = offset;
    outcome->at = SC3_ROLE_NONE;
    outcome->dropped_count = 0;
    st = SC3_OK;
  }
  if (st == SC3_OK && is_excluded(b, op, offset, outcome)) {
    leave_out(b, offset);
    return SC3_OK;
  }
  if (st == SC3_OK)
    st = drop_identifiers(b, values, outcome);
  if (st != SC3_OK)
    return st;
  if (outcome->rejected == SC3_R_NO_IDENTIFIER && values->member > 0)
    return SC3_OK; /* the row gives others, or is rejected when it has given none */
  if (outcome->rejected != SC3_R_NONE)
    return sc3_builder_reject(b, outcome->rejected, outcome->at,
                              outcome->at_column > 0 ? outcome->at_column
                                                     : column_of(b, outcome->at));
  s = (staged *)(void *)(b->staged.p + b->staged.n); /* in place: a copy costs more than it */
  s->offset = offset;
  s->length = b->scratch.n - offset;
  s->id_length = outcome->id_length;
  s->member = values->member;
  sc3_member_counts_set(&s->counts, op, outcome);
  if (later != NULL)
    sc3_hash_queue_push(&b->hashes, &b->scratch, offset);
  b->staged.n += sizeof *s;
  b->members_of_row++;
  b->tally.zero_ids += s->id_length == 1 && b->scratch.p[offset + SC3_MEMBER_ID_AT] == '0';
  return SC3_OK;
}

sc3_status sc3_builder_end(sc3_builder *b, int skipped) {
  b->under_way = 0;
  if (b->members_of_row > 0) {
    b->tally.used++;
    if (b->row_rejected == SC3_R_NONE)
      return SC3_OK;
    /* A member of a list was refused while others of the same row are kept: nothing of it may go
     * unsaid. */
    b->tally.dropped_for[b->row_rejected]++;
    return refuse(b, b->row_rejected_at, b->row_rejected, b->row_rejected_column, 1);
  }
  if (skipped || (b->excluded_of_row > 0 && b->row_rejected == SC3_R_NONE)) {
    b->tally.skipped++;
    b->tally.excluded_rows += b->excluded_of_row > 0;
    return SC3_OK;
  }
  if (b->row_rejected == SC3_R_NONE)
    b->row_rejected = SC3_R_NO_IDENTIFIER;
  b->tally.rejected++;
  b->tally.rejected_for[b->row_rejected]++;
  return refuse(b, b->row_rejected_at, b->row_rejected, b->row_rejected_column, 0);
}

int sc3_builder_has_refused(const sc3_builder *b) {
  return b->row_rejected != SC3_R_NONE && b->members_of_row == 0;
}

void sc3_builder_fail(sc3_builder *b, sc3_reason reason) {
  if (!b->under_way)
    return;
  sc3_builder_discard(b);
  b->row_rejected = reason;
  b->row_rejected_at = SC3_ROLE_NONE;
  b->row_rejected_column = 0;
  (void)sc3_builder_end(b, 0);
}

void sc3_builder_prefetch(const sc3_builder *b, const sc3_payload *next, sc3_slice id) {
  const uint64_t fingerprint = sc3_fingerprint(id);
  sc3_payload_prefetch(next, fingerprint);
  if (b->sealed != NULL)
    sc3_id_set_prefetch(b->sealed, fingerprint);
}

/* Rejects the row under way for a record that cannot be read. */
static sc3_status reject_record(sc3_builder *b, const sc3_record *r) {
  sc3_role role = SC3_ROLE_NONE;
  if (r->fault == SC3_R_AMBIGUOUS_KEY && b->mapping != NULL)
    role = sc3_mapping_role_of(b->mapping, r->fault_key);
  b->row_lines = r->lines;
  return sc3_builder_reject(b, r->fault, role, r->fault_column);
}

/* Counts the values that the mapping could not use. */
static sc3_status refuse_values(sc3_builder *b, const sc3_mapped *mapped) {
  sc3_status st = SC3_OK;
  size_t i;
  for (i = 0; i < mapped->refused_count && st == SC3_OK; i++) {
    const sc3_mapping_rejection *it = &mapped->refused[i];
    st = it->role == SC3_ROLE_EXTERNAL_ID ? sc3_builder_reject(b, it->reason, it->role, it->column)
                                          : sc3_builder_drop(b, it->role, it->reason, it->column);
  }
  return st;
}

/* An identifier may stand in what is missing of a row. */
static void blame_missing(sc3_builder *b, const sc3_record *r) {
  if (r->missing > 0 && b->row_rejected == SC3_R_NO_IDENTIFIER) {
    b->row_rejected = SC3_R_RAGGED_ROW;
    b->row_rejected_column = (uint32_t)(r->count - r->missing + 1);
  }
}

static inline sc3_status stage_values(sc3_builder *b, const sc3_record *r, const sc3_values *values,
                                      const sc3_payload *next) {
  sc3_outcome outcome;
  sc3_status st;
  if (next != NULL && sc3_slice_some(values->role[SC3_ROLE_EXTERNAL_ID]))
    sc3_builder_prefetch(b, next, values->role[SC3_ROLE_EXTERNAL_ID]);
  st = sc3_builder_stage(b, b->op, values, &outcome);
  blame_missing(b, r);
  return st;
}

/* Who is excluded by one identifier is so as a whole. */
static void leave_out_others(sc3_builder *b) {
  b->tally.excluded += b->members_of_row;
  b->excluded_of_row += b->members_of_row;
  sc3_builder_discard(b);
}

/* Stages the further members of a row whose first one was staged. */
SC3_COLD
static sc3_status stage_further(sc3_builder *b, const sc3_record *r, const sc3_mapped *first) {
  sc3_outcome outcome;
  sc3_status st = SC3_OK;
  unsigned member;
  for (member = 2; member <= b->mapping->member_count; member++) {
    sc3_mapped mapped;
    const int some = sc3_mapping_read_further(b->mapping, r, first, member, &mapped);
    if (st == SC3_OK)
      st = refuse_values(b, &mapped);
    if (st == SC3_OK && b->row_rejected == SC3_R_NONE && (some || b->op == SC3_REMOVE))
      st = sc3_builder_stage(b, b->op, &mapped.values, &outcome);
  }
  if (b->excluded_of_row > 0)
    leave_out_others(b);
  else if (st == SC3_OK && b->members_of_row == 0 && b->row_rejected == SC3_R_NONE)
    st = sc3_builder_reject(b, SC3_R_NO_IDENTIFIER, SC3_ROLE_NONE, 0);
  blame_missing(b, r);
  return st;
}

/* Stages all members of a row that was read. */
static inline sc3_status stage_mapped(sc3_builder *b, const sc3_record *r, const sc3_mapped *mapped,
                                      const sc3_payload *next) {
  const sc3_status st = stage_values(b, r, &mapped->values, next);
  if (b->mapping->member_count < 2 || st != SC3_OK)
    return st;
  return stage_further(b, r, mapped);
}

/* Reads the values of the first member of a record without a fault. */
static inline sc3_status read_values(sc3_builder *b, const sc3_record *r, sc3_mapped *out) {
  sc3_mapped_clear(out);
  if (b->prepared)
    return sc3_prepared_read(b->mapping, r, b->reading.ids, &b->texts, out);
  sc3_mapping_read(b->mapping, r, b->reading.repair, out);
  return SC3_OK;
}

sc3_status sc3_builder_map(sc3_builder *b, const sc3_record *r, const sc3_payload *next) {
  sc3_mapped mapped;
  sc3_status st;
  if (r->fault != SC3_R_NONE)
    return reject_record(b, r);
  st = read_values(b, r, &mapped);
  if (st == SC3_OK)
    st = refuse_values(b, &mapped);
  if (st != SC3_OK || b->row_rejected != SC3_R_NONE)
    return st;
  return stage_mapped(b, r, &mapped, next);
}

/* Whether the mapping refused a value that an external id was looked for in. */
static int refuses_id(const sc3_mapped *mapped) {
  size_t i = 0;
  while (i < mapped->refused_count && mapped->refused[i].role != SC3_ROLE_EXTERNAL_ID)
    i++;
  return i < mapped->refused_count;
}

sc3_status sc3_builder_survey(sc3_builder *b, const sc3_record *r, sc3_survey *out) {
  sc3_outcome outcome;
  sc3_reason why;
  sc3_status st;
  if (r->fault != SC3_R_NONE)
    return reject_record(b, r);
  st = read_values(b, r, &out->mapped);
  if (st != SC3_OK)
    return st;
  if (out->mapped.refused_count > 0 && refuses_id(&out->mapped))
    return refuse_values(b, &out->mapped);
  why = sc3_member_read_id(&out->mapped.values, &b->reading, &outcome, &out->id);
  if (why == SC3_R_NONE) {
    if (out->mapped.values.fallback_count == 0)
      out->mapped.values.id = &out->id;
    return SC3_OK;
  }
  st = refuse_values(b, &out->mapped);
  if (st != SC3_OK)
    return st;
  return sc3_builder_reject(b, why, SC3_ROLE_EXTERNAL_ID,
                            outcome.at_column > 0 ? outcome.at_column
                                                  : column_of(b, SC3_ROLE_EXTERNAL_ID));
}

sc3_status sc3_builder_map_surveyed(sc3_builder *b, const sc3_record *r, const sc3_survey *survey,
                                    const sc3_payload *next) {
  const sc3_status st = refuse_values(b, &survey->mapped);
  return st == SC3_OK ? stage_mapped(b, r, &survey->mapped, next) : st;
}

unsigned sc3_builder_members(const sc3_builder *b) {
  return (unsigned)b->mapping->member_count;
}

void sc3_builder_select(sc3_builder *b, unsigned member) {
  const staged *s = (const staged *)(const void *)b->staged.p;
  const size_t n = b->staged.n / sizeof *s;
  b->next_staged = 0;
  while (b->next_staged < n && s[b->next_staged].member != member)
    b->next_staged++;
}

sc3_status sc3_builder_looks_excluded(sc3_builder *b, const sc3_survey *survey, int *excluded) {
  const size_t offset = b->scratch.n;
  sc3_outcome outcome;
  const sc3_status st =
      sc3_member_write(&b->scratch, SC3_ADD, &survey->mapped.values, &b->reading, NULL, &outcome);
  *excluded = st == SC3_OK && is_excluded(b, SC3_ADD, offset, &outcome);
  b->scratch.n = offset;
  if (!*excluded)
    return st == SC3_ELIMIT ? SC3_OK : st;
  leave_out(b, offset);
  return sc3_builder_end(b, 1);
}

void sc3_builder_leave(sc3_builder *b) {
  b->under_way = 0;
}

void sc3_builder_return(sc3_builder *b, uint64_t row, uint64_t line) {
  sc3_builder_begin(b, row, line);
  b->tally.rows--;
}

int sc3_builder_waiting(const sc3_builder *b) {
  return b->next_staged < b->staged.n / sizeof(staged);
}

sc3_slice sc3_builder_staged_member(const sc3_builder *b) {
  const staged *it = (const staged *)(const void *)b->staged.p + b->next_staged;
  return sc3_slice_of(b->scratch.p + it->offset, it->length - 1);
}

/* Whether an earlier member of this id was sealed in this epoch: then this one may overtake it, so
   it has to wait. An id in the payload under way is not among them. */
static int is_sealed(const sc3_builder *b, uint64_t fingerprint) {
  return b->sealed != NULL && sc3_id_set_contains(b->sealed, fingerprint);
}

/* Notes where the members of the row under way begin in a payload. What was emptied since then, or
 * is another one, has no earlier rows. */
static void note_start(sc3_row_start *start, const sc3_payload *p, int row_begins) {
  const size_t n = p != NULL ? sc3_payload_count(p) : 0;
  if (row_begins)
    start->first = n;
  else if (start->payload != p || n < start->first)
    start->first = 0;
  start->payload = p;
}

static void note_starts(sc3_builder *b, const sc3_payload *p) {
  const int row_begins = b->next_staged == 0;
  if (!row_begins && p == b->starts[1].payload) /* the next epoch has begun */
    b->starts[0] = b->starts[1];
  note_start(&b->starts[0], p, row_begins);
  note_start(&b->starts[1], b->next, row_begins);
}

/* Counts a member that `it` took the place of. The number of a row does not say whether it is the
 * row under way: rows of several files have the same ones. */
static void count_replaced(sc3_builder *b, const sc3_replaced *before, const staged *it,
                           int later) {
  if (before->row != b->row || b->row == 0 || before->index < b->starts[later].first) {
    sc3_tally_add_replaced(&b->tally, before, &it->counts);
    return;
  }
  sc3_tally_add_repeated(&b->tally, before);
  if (refuse(b, SC3_ROLE_EXTERNAL_ID, SC3_R_REPEATED_IN_ROW, 0, 1) != SC3_OK)
    b->tally.untold++; /* the payload was changed, so this must not fail */
}

static inline sc3_new_member new_member(const sc3_builder *b, const staged *it) {
  const char *json = b->scratch.p + it->offset;
  sc3_new_member member;
  member.op = it->counts.op;
  member.row = b->row;
  member.json = sc3_slice_of(json, it->length);
  member.id_length = it->id_length;
  member.fingerprint = sc3_fingerprint(sc3_slice_of(json + SC3_MEMBER_ID_AT, it->id_length));
  member.had = it->counts.had;
  return member;
}

sc3_added sc3_builder_flush(sc3_builder *b, sc3_payload *p) {
  const staged *s = (const staged *)(const void *)b->staged.p;
  note_starts(b, p);
  for (; sc3_builder_waiting(b); b->next_staged++) {
    const staged *it = &s[b->next_staged];
    const sc3_new_member member = new_member(b, it);
    int later = is_sealed(b, member.fingerprint);
    sc3_payload *to = later ? b->next : p;
    sc3_added a = sc3_payload_add(to, &member);
    if (a != SC3_ADDED && a != SC3_ADDED_OVER)
      return a == SC3_FULL && later ? SC3_FULL_NEXT : a;
    if (sc3_hash_queue_waits(&b->hashes))
      sc3_hash_queue_move(&b->hashes, it->offset, it->length, to);
    b->tally.deferred += (uint64_t)later;
    sc3_tally_add_built(&b->tally, &it->counts);
    if (a == SC3_ADDED_OVER)
      count_replaced(b, sc3_payload_replaced(to), it, later);
  }
  return SC3_ADDED;
}

sc3_added sc3_builder_put(sc3_builder *b, sc3_payload *p) {
  const staged *it = (const staged *)(const void *)b->staged.p + b->next_staged;
  const sc3_new_member member = new_member(b, it);
  const sc3_added added = sc3_payload_add(p, &member);
  if (added != SC3_ADDED && added != SC3_ADDED_OVER)
    return added;
  sc3_tally_add_built(&b->tally, &it->counts);
  if (added == SC3_ADDED_OVER)
    sc3_tally_add_replaced(&b->tally, sc3_payload_replaced(p), &it->counts);
  return SC3_ADDED;
}

void sc3_builder_gather(sc3_builder *b) {
  sc3_hash_queue_open(&b->hashes);
}

void sc3_builder_settle(sc3_builder *b) {
  sc3_hash_queue_close(&b->hashes, &b->scratch);
}
