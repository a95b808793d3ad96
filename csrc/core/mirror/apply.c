#include "entry.h"

/* A bit for each audience that is SC3_KNOWN, at the lower bit of its standing. */
static uint32_t known(uint32_t standing) {
  return standing & UINT32_C(0x55555555);
}

static void take_over(sc3_mirror_record *record, const sc3_mirror_entry *entry) {
  record->cells = entry->cells;
  record->member = entry->member;
  record->marks = 0;
}

static void add(sc3_mirror_record *record, const sc3_mirror_entry *entry) {
  /* Others have another version now than the one that the record describes. */
  if (record->member != entry->member)
    record->standing = (record->standing & ~known(record->standing)) | known(record->standing) << 1;
  record->standing = sc3_with_standing(record->standing, entry->audience, SC3_KNOWN);
  record->run = entry->run;
  take_over(record, entry);
}

static void add_unsure(sc3_mirror_record *record, const sc3_mirror_entry *entry) {
  record->standing = sc3_with_standing(record->standing, entry->audience, SC3_UNSURE);
  if (known(record->standing) == 0)
    take_over(record, entry);
}

static void mark(sc3_mirror_record *record, const sc3_mirror_entry *entry, int mark) {
  record->marks = (unsigned char)mark;
  record->cells = entry->cells;
}

static void apply_add(sc3_mirror_record *record, const sc3_mirror_entry *entry, sc3_became became) {
  if (became.outcome == SC3_OUTCOME_APPLIED)
    add(record, entry);
  else if (became.outcome == SC3_OUTCOME_UNSURE)
    add_unsure(record, entry);
  if (became.refused)
    mark(record, entry, SC3_MARK_REFUSED);
}

static void apply_remove(sc3_mirror_record *record, unsigned audience, sc3_entry_outcome outcome) {
  if (outcome == SC3_OUTCOME_APPLIED)
    record->standing = sc3_with_standing(record->standing, audience, SC3_AWAY);
  else if (outcome == SC3_OUTCOME_UNSURE && sc3_stands(record->standing, audience) != SC3_AWAY)
    record->standing = sc3_with_standing(record->standing, audience, SC3_UNSURE);
}

void sc3_mirror_apply(sc3_mirror_record *record, const sc3_mirror_entry *entry, sc3_became became) {
  switch (entry->op) {
    case SC3_ENTRY_ADD: apply_add(record, entry, became); break;
    case SC3_ENTRY_REMOVE: apply_remove(record, entry->audience, became.outcome); break;
    case SC3_ENTRY_NOTE:
      if (sc3_record_is_kept(record) && record->member == entry->member)
        take_over(record, entry);
      break;
    case SC3_ENTRY_REJECTED: mark(record, entry, SC3_MARK_REJECTED); break;
    case SC3_ENTRY_REFUSED: mark(record, entry, SC3_MARK_REFUSED); break;
    case SC3_ENTRY_BLANK: return;
  }
  /* Whoever is nowhere any more leaves the state, and may come back as a stranger. */
  if (!sc3_record_is_kept(record)) {
    record->cells = record->member = 0;
    record->run = 0;
  }
}
