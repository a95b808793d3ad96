/* What one cut of a night asks of the service, entry by entry, and what apply() makes of it. */
#ifndef SC3_MIRROR_ENTRY_H
#define SC3_MIRROR_ENTRY_H

#include "record.h"

/* Stored: the numbers stay. */
typedef enum sc3_entry_op {
  SC3_ENTRY_ADD = 1,
  SC3_ENTRY_REMOVE,
  SC3_ENTRY_NOTE,     /* other cells, the same member; nothing is sent */
  SC3_ENTRY_REJECTED, /* the row gives no member; nothing is sent */
  SC3_ENTRY_REFUSED,  /* the service refuses the member of these cells for the audience */
  SC3_ENTRY_BLANK     /* of somebody who was forgotten: it has its number and nothing else */
} sc3_entry_op;

/* What became of an entry that was sent. */
typedef enum sc3_entry_outcome {
  SC3_OUTCOME_NONE, /* the service did nothing */
  SC3_OUTCOME_APPLIED,
  SC3_OUTCOME_UNSURE,
  SC3_OUTCOME_OPEN, /* it may still be carried out */
  SC3_OUTCOME_AGAIN /* the same, and it may be sent again exactly as it was */
} sc3_entry_outcome;

static inline int sc3_is_open(sc3_entry_outcome outcome) {
  return outcome == SC3_OUTCOME_OPEN || outcome == SC3_OUTCOME_AGAIN;
}

/* `refused`: a later request went without the entry, because the service refuses its content. */
typedef struct sc3_became {
  sc3_entry_outcome outcome;
  int refused; /* not while it is open */
} sc3_became;

typedef struct sc3_mirror_entry {
  sc3_entry_op op;
  unsigned audience;
  uint32_t run;
  uint64_t hash, cells, member;
  sc3_slice id; /* borrowed */
} sc3_mirror_entry;

/* Whether an outcome decides about the entry: the others were never sent. */
static inline int sc3_entry_is_sent(sc3_entry_op op) {
  return op == SC3_ENTRY_ADD || op == SC3_ENTRY_REMOVE;
}

/* Changes a record by an entry of the same id. An id that is not known has a record without
   standing and marks; only its `hash` and `id` are read. What is open changes nothing. */
void sc3_mirror_apply(sc3_mirror_record *record, const sc3_mirror_entry *entry, sc3_became became);

/* Whether the state has to hold the record. */
static inline int sc3_record_is_kept(const sc3_mirror_record *record) {
  return record->standing != 0 || record->refused != 0 || record->rejected;
}

#endif
