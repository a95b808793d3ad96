#include "builder.h"

#include <stdlib.h>

#include "../identity/phone_plan.h"
#include "../bytes/text.h"

typedef struct staged {
  size_t offset, length, id_length;
  sc3_op op;
  unsigned emails, phones, uids, prehashed, came_raw, came_hashed;
  sc3_repairs repairs;
} staged;

enum {
  SCRATCH_CAP = 16 << 20,   /* the members of one row */
  MEMBERS_OF_ROW = 250000,  /* a limit that is told in round numbers (SC3_R_ROW_FULL) */
  REJECTIONS_CAP = 64 << 20 /* between two visits of the owner */
};

void sc3_builder_init(sc3_builder *b, sc3_op op, size_t max_member, int keep_rejections) {
  memset(b, 0, sizeof *b);
  b->op = op;
  b->reading.repair = 1;
  b->reading.region = SC3_NO_REGION;
  b->max_member = max_member;
  b->keep_rejections = keep_rejections;
  sc3_buffer_init(&b->rejections, REJECTIONS_CAP);
  sc3_buffer_init(&b->scratch, SCRATCH_CAP);
  sc3_buffer_init(&b->staged, MEMBERS_OF_ROW * sizeof(staged));
}

void sc3_builder_free(sc3_builder *b) {
  sc3_buffer_free(&b->rejections);
  sc3_buffer_free(&b->scratch);
  sc3_buffer_free(&b->staged);
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
  r.column = (uint32_t)column;
  r.role = (uint8_t)role;
  r.reason = (uint8_t)reason;
  r.dropped = (uint8_t)dropped;
  r.lines = dropped ? 0 : (uint32_t)b->row_lines; /* at most SC3_ROW_MAX */
  st = sc3_buffer_append(&b->rejections, &r, sizeof r);
  if (st != SC3_ECAP)
    return st;
  b->tally.untold++; /* one row may give any number of them */
  return SC3_OK;
}

/* The column that feeds a role, 0 where no mapping tells. */
static size_t column_of(const sc3_builder *b, sc3_role role) {
  size_t i;
  for (i = 0; b->columns != NULL && i < b->columns->target_count; i++) {
    if (b->columns->targets[i].role == role)
      return b->columns->targets[i].column;
  }
  return 0;
}

void sc3_builder_discard(sc3_builder *b) {
  b->staged.n = b->scratch.n = b->next_staged = 0;
  b->members_of_row = 0;
}

void sc3_builder_begin(sc3_builder *b, uint64_t row) {
  b->row = row;
  b->row_lines = 0;
  b->under_way = 1;
  b->tally.rows++;
  b->row_rejected = b->identifier_dropped = SC3_R_NONE;
  sc3_builder_discard(b);
}

sc3_status sc3_builder_reject(sc3_builder *b, sc3_reason reason, sc3_role at, size_t column) {
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
  b->tally.dropped_for[reason]++;
  if (b->identifier_dropped == SC3_R_NONE)
    b->identifier_dropped = reason;
  return refuse(b, role, reason, column, 1);
}

sc3_status sc3_builder_stage(sc3_builder *b, sc3_op op, const sc3_values *values,
                             sc3_outcome *outcome) {
  staged s;
  size_t i;
  sc3_status st = sc3_buffer_reserve(&b->staged, sizeof s);
  if (st == SC3_ECAP)
    return sc3_builder_reject(b, SC3_R_ROW_FULL, SC3_ROLE_NONE, 0);
  if (st != SC3_OK)
    return st;
  s.offset = b->scratch.n;
  st = sc3_member_write(&b->scratch, op, values, &b->reading, outcome);
  if (st == SC3_ECAP || (st == SC3_OK && b->scratch.n - s.offset > b->max_member)) {
    outcome->rejected = st == SC3_ECAP && s.offset > 0 ? SC3_R_ROW_FULL : SC3_R_MEMBER_TOO_LARGE;
    b->scratch.n = s.offset;
    outcome->at = SC3_ROLE_NONE;
    outcome->dropped_count = 0;
    st = SC3_OK;
  }
  for (i = 0; st == SC3_OK && i < outcome->dropped_count; i++) {
    if (outcome->dropped[i].reason == SC3_R_PHONE_REGION)
      st = sc3_region_tally_add(&b->tally.unknown_regions,
                                sc3_text_trim(values->role[SC3_ROLE_REGION]));
    if (st == SC3_OK)
      st =
          sc3_builder_drop(b, outcome->dropped[i].role, outcome->dropped[i].reason,
                           outcome->dropped[i].column > 0 ? outcome->dropped[i].column
                                                          : column_of(b, outcome->dropped[i].role));
  }
  if (st != SC3_OK)
    return st;
  if (outcome->rejected != SC3_R_NONE)
    return sc3_builder_reject(b, outcome->rejected, outcome->at,
                              outcome->at_column > 0 ? outcome->at_column
                                                     : column_of(b, outcome->at));
  s.length = b->scratch.n - s.offset;
  s.id_length = outcome->id_length;
  s.op = op;
  s.emails = outcome->emails;
  s.phones = outcome->phones;
  s.uids = outcome->uids;
  s.prehashed = outcome->prehashed;
  s.came_raw = outcome->came_raw;
  s.came_hashed = outcome->came_hashed;
  s.repairs = outcome->repairs;
  sc3_buffer_put(&b->staged, &s, sizeof s);
  b->members_of_row++;
  b->tally.zero_ids += s.id_length == 1 && b->scratch.p[s.offset + SC3_MEMBER_ID_AT] == '0';
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
  if (skipped) {
    b->tally.skipped++;
    return SC3_OK;
  }
  if (b->row_rejected == SC3_R_NONE)
    b->row_rejected = SC3_R_NO_IDENTIFIER;
  b->tally.rejected++;
  b->tally.rejected_for[b->row_rejected]++;
  return refuse(b, b->row_rejected_at, b->row_rejected, b->row_rejected_column, 0);
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

sc3_reason sc3_fault_reason(sc3_fault fault) {
  switch (fault) {
    case SC3_FAULT_NONE: return SC3_R_NONE;
    case SC3_FAULT_RAGGED: return SC3_R_RAGGED_ROW;
    case SC3_FAULT_NUL: return SC3_R_NUL_BYTE;
    case SC3_FAULT_STRAY_QUOTE: return SC3_R_STRAY_QUOTE;
    case SC3_FAULT_BAD_JSON: return SC3_R_BAD_JSON;
    case SC3_FAULT_NOT_OBJECT: return SC3_R_NOT_AN_OBJECT;
    case SC3_FAULT_TOO_LONG: return SC3_R_ROW_TOO_LONG;
    case SC3_FAULT_AMBIGUOUS: return SC3_R_AMBIGUOUS_KEY;
    case SC3_FAULT_UTF8: return SC3_R_INVALID_UTF8;
  }
  return SC3_R_BAD_JSON;
}

static inline const sc3_field *field_of(const sc3_record *r, size_t column, size_t key,
                                        sc3_slice name) {
  if (column > 0)
    return column <= r->count ? &r->fields[column - 1] : NULL;
  return r->found != NULL ? r->found[key] : sc3_record_find(r, name);
}

/* The number of a name among those that are looked at. */
static size_t name_number(sc3_columns *c, size_t column, sc3_slice name) {
  size_t i;
  if (column > 0)
    return 0;
  for (i = 0; i < c->name_count; i++) {
    if (sc3_slice_eq(c->names[i], name))
      return i;
  }
  c->names[c->name_count++] = name;
  return i;
}

sc3_keys sc3_builder_keys(sc3_builder *b) {
  sc3_columns *c = b->columns;
  sc3_keys keys;
  size_t i;
  c->name_count = 0;
  for (i = 0; i < c->target_count; i++)
    c->targets[i].key = name_number(c, c->targets[i].column, c->targets[i].name);
  for (i = 0; i < c->condition_count; i++)
    c->conditions[i].key = name_number(c, c->conditions[i].column, c->conditions[i].name);
  keys.names = c->names;
  keys.count = c->name_count;
  keys.all = 0;
  keys.seen = c->seen;
  return keys;
}

/* The role that looks for the key which is ambiguous; of rows that are tables the keys are their
 * columns. */
static sc3_role role_of_key(const sc3_builder *b, size_t key) {
  size_t i;
  for (i = 0; b->columns != NULL && i < b->columns->target_count; i++) {
    const sc3_target *t = &b->columns->targets[i];
    if ((t->column > 0 ? t->column - 1 : t->key) == key)
      return t->role;
  }
  return SC3_ROLE_NONE;
}

/* A JSON number whose text is an integer is an id or a phone as it stands; 1e3 would be a guess.
   Both may have the .0 of a program that writes every number with a fraction: whoever reads ids
   takes it off, and whole_part() a phone's. */
static int is_integer_text(sc3_slice s, sc3_role role) {
  size_t i;
  for (i = 0; i < s.n; i++) {
    if ((role == SC3_ROLE_EXTERNAL_ID || role == SC3_ROLE_PHONE) && s.p[i] == '.') {
      while (++i < s.n && s.p[i] == '0')
        continue;
      return i == s.n;
    }
    if (!((s.p[i] >= '0' && s.p[i] <= '9') || (i == 0 && s.p[i] == '-')))
      return 0;
  }
  return s.n > 0;
}

/* A number without its fraction, which in a text would be read as digits of a phone. */
static sc3_slice whole_part(sc3_slice s) {
  const char *dot = memchr(s.p, '.', s.n);
  return dot != NULL ? sc3_slice_of(s.p, (size_t)(dot - s.p)) : s;
}

/* An array of emails or phones, which whoever reads these takes for a list as other programs write
 * it. */
static int is_list(const sc3_field *f, sc3_role role) {
  return f->kind == SC3_KIND_NESTED && (role == SC3_ROLE_EMAIL || role == SC3_ROLE_PHONE) &&
         *f->value.p == '[' && memchr(f->value.p, '{', f->value.n) == NULL;
}

/* A universal id of a column. A type may have several columns: the first id that can be used
 * counts. */
static sc3_status take_uid(sc3_builder *b, const sc3_target *t, sc3_slice value, sc3_values *v) {
  size_t i;
  for (i = 0; t->fallback && i < v->uid_count; i++) {
    sc3_uid_form form;
    sc3_reason why;
    sc3_status st;
    if (!sc3_slice_eq(v->uids[i].type, t->uid_type))
      continue;
    why = sc3_uid_read(&v->uids[i], b->reading.repair, &form);
    if (why == SC3_R_NONE)
      return SC3_OK;
    st = sc3_builder_drop(b, SC3_ROLE_UID, why, v->uids[i].column);
    v->uids[i].value = value;
    v->uids[i].meant = t->meant;
    v->uids[i].column = (unsigned)t->column;
    return st;
  }
  if (v->uid_count == SC3_UIDS_MAX)
    return sc3_builder_drop(b, SC3_ROLE_UID, SC3_R_UID_TOO_MANY, t->column);
  v->uids[v->uid_count].type = t->uid_type;
  v->uids[v->uid_count].value = value;
  v->uids[v->uid_count].meant = t->meant;
  v->uids[v->uid_count].column = (unsigned)t->column;
  v->uid_count++;
  return SC3_OK;
}

/* Puts the value of a column to its role, or behind those that stand there already. */
static void take_value(const sc3_target *t, sc3_slice value, sc3_values *v) {
  if (!t->fallback || v->role[t->role].p == NULL) {
    v->role[t->role] = value;
    v->column[t->role] = t->fallback ? (uint32_t)t->column : 0;
    if (t->role == SC3_ROLE_EXTERNAL_ID)
      v->meant = t->meant;
  } else if (t->role != SC3_ROLE_REGION && v->fallback_count < SC3_FALLBACKS_MAX) {
    v->fallbacks[v->fallback_count].role = t->role;
    v->fallbacks[v->fallback_count].column = (uint32_t)t->column;
    v->fallbacks[v->fallback_count].value = value;
    v->fallbacks_meant[v->fallback_count] = t->meant;
    v->fallback_count++;
  }
}

static int is_empty_list(sc3_slice s) { /* also of empty texts */
  size_t i;
  for (i = 1; i + 1 < s.n; i++) {
    if (s.p[i] == '\0' || strchr("\", \t\r\n", s.p[i]) == NULL)
      return 0;
  }
  return 1;
}

/* Puts each mapped field to its role. */
static sc3_status take_fields(sc3_builder *b, const sc3_record *r, sc3_values *v) {
  size_t i;
  for (i = 0; i < b->columns->target_count; i++) {
    const sc3_target *t = &b->columns->targets[i];
    const sc3_field *f = field_of(r, t->column, t->key, t->name);
    sc3_slice trimmed;
    sc3_status st = SC3_OK;
    if (f == NULL || f->kind == SC3_KIND_NULL)
      continue;
    if (f->kind != SC3_KIND_TEXT && !is_list(f, t->role) &&
        !(f->kind == SC3_KIND_NUMBER && is_integer_text(f->value, t->role))) {
      st = t->role == SC3_ROLE_EXTERNAL_ID
               ? sc3_builder_reject(b, SC3_R_EXTERNAL_ID_TYPE, t->role, t->column)
               : sc3_builder_drop(b, t->role, SC3_R_NOT_TEXT, t->column);
      if (st != SC3_OK)
        return st;
      continue;
    }
    trimmed = sc3_text_trim(f->value);
    if (trimmed.n == 0 || (f->kind == SC3_KIND_NESTED && is_empty_list(f->value)))
      continue;
    if (t->role == SC3_ROLE_UID)
      st = take_uid(b, t, trimmed, v);
    else
      take_value(t,
                 f->kind == SC3_KIND_NUMBER && t->role == SC3_ROLE_PHONE ? whole_part(f->value)
                                                                         : f->value,
                 v);
    if (st != SC3_OK)
      return st;
  }
  return SC3_OK;
}

void sc3_builder_check(const sc3_builder *b, sc3_record *r) {
  const size_t had = r->count - r->missing;
  size_t i;
  for (i = 0; r->missing > 0 && i < b->columns->condition_count; i++) {
    if (b->columns->conditions[i].column > had) {
      r->fault = SC3_FAULT_RAGGED;
      r->fault_column = had + 1;
      return;
    }
  }
}

int sc3_builder_wants(sc3_builder *b, const sc3_record *r) {
  size_t i;
  for (i = 0; i < b->columns->condition_count && r->fault == SC3_FAULT_NONE; i++) {
    const sc3_condition *c = &b->columns->conditions[i];
    if (!sc3_condition_holds(c, field_of(r, c->column, c->key, c->name), &b->columns->tallies[i]))
      return 0;
  }
  return 1;
}

/* Has the memory fetched that the member's id will be looked for in. */
static void expect(const sc3_builder *b, const sc3_payload *next, sc3_slice id) {
  sc3_payload_expect(next, id);
  if (b->sealed != NULL)
    sc3_id_set_expect(b->sealed, sc3_id_set_fingerprint(b->sealed, id));
}

sc3_status sc3_builder_map(sc3_builder *b, const sc3_record *r, const sc3_payload *next) {
  sc3_values v;
  sc3_outcome outcome;
  sc3_status st;
  if (r->fault != SC3_FAULT_NONE) {
    b->row_lines = r->lines;
    return sc3_builder_reject(b, sc3_fault_reason(r->fault),
                              r->fault == SC3_FAULT_AMBIGUOUS ? role_of_key(b, r->fault_key)
                                                              : SC3_ROLE_NONE,
                              r->fault_column);
  }
  memset(v.role, 0, sizeof v.role);
  memset(v.column, 0, sizeof v.column);
  v.uid_count = 0;
  v.fallback_count = 0;
  v.meant = SC3_CONTACT_NONE;
  st = take_fields(b, r, &v);
  if (st != SC3_OK || b->row_rejected != SC3_R_NONE)
    return st;
  if (sc3_slice_some(v.role[SC3_ROLE_EXTERNAL_ID]))
    expect(b, next, v.role[SC3_ROLE_EXTERNAL_ID]);
  st = sc3_builder_stage(b, b->op, &v, &outcome);
  if (r->missing > 0 &&
      b->row_rejected == SC3_R_NO_IDENTIFIER) { /* it may stand in what is missing */
    b->row_rejected = SC3_R_RAGGED_ROW;
    b->row_rejected_column = (uint32_t)(r->count - r->missing + 1);
  }
  return st;
}

int sc3_builder_waiting(const sc3_builder *b) {
  return b->next_staged < b->staged.n / sizeof(staged);
}

/* Whether an earlier member of this id was sealed in this epoch: then this one may overtake it, so
   it has to wait. An id in the payload under way is not among them. */
static int is_sealed(const sc3_builder *b, const char *id, size_t n) {
  return b->sealed != NULL &&
         sc3_id_set_contains(b->sealed, sc3_id_set_fingerprint(b->sealed, sc3_slice_of(id, n)));
}

static void count_identifiers(sc3_tally *t, const sc3_identifiers *i, int sign) {
  const uint64_t by = sign < 0 ? ~UINT64_C(0) : 1; /* unsigned sums wrap round */
  t->emails += by * i->emails;
  t->phones += by * i->phones;
  t->uids += by * i->uids;
  t->prehashed += by * i->prehashed;
}

/* A member of this row took the place of another. The report counts identifiers of members that go.
 */
static void count_replaced(sc3_builder *b, const sc3_replaced *before, const staged *it) {
  count_identifiers(&b->tally, &before->had, -1);
  if (before->row == b->row && b->row > 0) { /* one row is not later than itself */
    b->tally.built--;
    b->tally.built_op[before->op]--;
    b->tally.dropped_for[SC3_R_REPEATED_IN_ROW]++;
    if (refuse(b, SC3_ROLE_EXTERNAL_ID, SC3_R_REPEATED_IN_ROW, 0, 1) != SC3_OK)
      b->tally.untold++; /* the payload was changed, so this must not fail */
    return;
  }
  b->tally.replaced++;
  b->tally.poorer += it->op == SC3_ADD && before->op == SC3_ADD &&
                     (it->emails < before->had.emails || it->phones < before->had.phones ||
                      it->uids < before->had.uids);
}

sc3_added sc3_builder_flush(sc3_builder *b, sc3_payload *p) {
  const staged *s = (const staged *)(const void *)b->staged.p;
  for (; sc3_builder_waiting(b); b->next_staged++) {
    const staged *it = &s[b->next_staged];
    unsigned repair, role;
    int later = is_sealed(b, b->scratch.p + it->offset + SC3_MEMBER_ID_AT, it->id_length);
    const sc3_identifiers has = {it->emails, it->phones, it->uids, it->prehashed};
    sc3_payload *to = later ? b->next : p;
    sc3_added a =
        sc3_payload_add(to, it->op, b->row, b->scratch.p + it->offset, it->length, it->id_length);
    if (a != SC3_ADDED && a != SC3_ADDED_OVER)
      return a == SC3_FULL && later ? SC3_FULL_NEXT : a;
    b->tally.deferred += (uint64_t)later;
    b->tally.built++;
    b->tally.built_op[it->op]++;
    sc3_payload_note_prehashed(to, it->prehashed);
    count_identifiers(&b->tally, &has, 1);
    for (repair = 0; it->repairs >> repair != 0; repair++)
      b->tally.repaired_for[repair] += it->repairs >> repair & 1;
    for (role = SC3_ROLE_EMAIL; role <= SC3_ROLE_PHONE; role++) {
      b->tally.raw_in[role] += it->came_raw >> role & 1;
      b->tally.hashed_in[role] += it->came_hashed >> role & 1;
    }
    if (a == SC3_ADDED_OVER)
      count_replaced(b, sc3_payload_replaced(to), it);
  }
  return SC3_ADDED;
}
