#include "tally.h"

void sc3_member_counts_set(sc3_member_counts *counts, sc3_op op, const sc3_outcome *outcome) {
  counts->op = op;
  counts->had.emails = outcome->emails;
  counts->had.phones = outcome->phones;
  counts->had.uids = outcome->uids;
  counts->had.prehashed = outcome->prehashed;
  counts->repairs = outcome->repairs;
  counts->came_raw = outcome->came_raw;
  counts->came_hashed = outcome->came_hashed;
}

static void add_identifiers(sc3_tally *t, const sc3_identifiers *i) {
  t->emails += i->emails;
  t->phones += i->phones;
  t->uids += i->uids;
  t->prehashed += i->prehashed;
}

static void subtract_identifiers(sc3_tally *t, const sc3_identifiers *i) {
  t->emails -= i->emails;
  t->phones -= i->phones;
  t->uids -= i->uids;
  t->prehashed -= i->prehashed;
}

void sc3_tally_add_built(sc3_tally *t, const sc3_member_counts *member) {
  unsigned repair, role;
  t->built++;
  t->built_op[member->op]++;
  add_identifiers(t, &member->had);
  for (repair = 0; member->repairs >> repair != 0; repair++)
    t->repaired_for[repair] += member->repairs >> repair & 1;
  for (role = SC3_ROLE_EMAIL; role <= SC3_ROLE_PHONE; role++) {
    t->raw_in[role] += member->came_raw >> role & 1;
    t->hashed_in[role] += member->came_hashed >> role & 1;
  }
}

void sc3_tally_add_replaced(sc3_tally *t, const sc3_replaced *before,
                            const sc3_member_counts *member) {
  const sc3_identifiers *had = &before->had, *has = &member->had;
  subtract_identifiers(t, had);
  t->replaced++;
  t->poorer += member->op == SC3_ADD && before->op == SC3_ADD &&
               (has->emails < had->emails || has->phones < had->phones || has->uids < had->uids);
}

void sc3_tally_add_repeated(sc3_tally *t, const sc3_replaced *before) {
  subtract_identifiers(t, &before->had);
  t->built--;
  t->built_op[before->op]--;
  t->dropped_for[SC3_R_REPEATED_IN_ROW]++;
}
