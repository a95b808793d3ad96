#include "entry.h"

/* Who refused is forgotten with the cells that were refused. */
static void take_cells(sc3_mirror_record *record, uint64_t cells) {
  if (record->cells != cells)
    record->refused = 0;
  record->cells = cells;
  record->rejected = 0;
}

static void take_over(sc3_mirror_record *record, const sc3_mirror_entry *entry) {
  take_cells(record, entry->cells);
  record->member = entry->member;
}

/* The service took the member, or may have. */
static void forget_refusal(sc3_mirror_record *record, unsigned audience) {
  record->refused = (uint16_t)(record->refused & ~(1u << audience));
}

static void add(sc3_mirror_record *record, const sc3_mirror_entry *entry) {
  /* Others have another version now than the one that the record describes. */
  if (record->member != entry->member)
    record->standing = sc3_as_unsure(record->standing, sc3_known(record->standing));
  record->standing = sc3_with_standing(record->standing, entry->audience, SC3_KNOWN);
  record->run = entry->run;
  forget_refusal(record, entry->audience);
  take_over(record, entry);
}

static void add_unsure(sc3_mirror_record *record, const sc3_mirror_entry *entry) {
  record->standing = sc3_with_standing(record->standing, entry->audience, SC3_UNSURE);
  forget_refusal(record, entry->audience);
  if (sc3_known(record->standing) == 0)
    take_over(record, entry);
}

static void reject(sc3_mirror_record *record, const sc3_mirror_entry *entry) {
  take_cells(record, entry->cells);
  record->refused = 0;
  record->rejected = 1;
}

/* Those who have another version, and do not refuse these cells, would seem to have theirs. */
static void refuse(sc3_mirror_record *record, const sc3_mirror_entry *entry) {
  unsigned audience;
  take_cells(record, entry->cells);
  record->refused = (uint16_t)(record->refused | 1u << entry->audience);
  for (audience = 0; audience < SC3_MIRROR_AUDIENCES && record->member != entry->member; audience++)
    if ((record->refused >> audience & 1) == 0)
      record->standing = sc3_as_unsure(record->standing,
                                       sc3_known(record->standing) & UINT32_C(3) << 2 * audience);
}

static void apply_add(sc3_mirror_record *record, const sc3_mirror_entry *entry, sc3_became became) {
  if (became.outcome == SC3_OUTCOME_APPLIED)
    add(record, entry);
  else if (became.outcome == SC3_OUTCOME_UNSURE)
    add_unsure(record, entry);
  if (became.refused)
    refuse(record, entry);
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
    case SC3_ENTRY_REJECTED: reject(record, entry); break;
    case SC3_ENTRY_REFUSED: refuse(record, entry); break;
    case SC3_ENTRY_BLANK: return;
  }
  /* Whoever is nowhere any more leaves the state, and may come back as a stranger. */
  if (!sc3_record_is_kept(record)) {
    record->cells = record->member = 0;
    record->run = 0;
  }
}
