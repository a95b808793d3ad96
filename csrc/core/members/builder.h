/* From rows to members: counts everything, keeps a note of what was refused, and holds a row's
 * members until a payload has room for them, so that a full payload loses nothing and no row is
 * read twice. */
#ifndef SC3_BUILDER_H
#define SC3_BUILDER_H

#include "../rows/condition.h"
#include "id_set.h"
#include "member.h"
#include "payload.h"
#include "../rows/record.h"
#include "region_tally.h"

/* Counts only, never a value. Two sums hold: rows = skipped + rejected + used; built = what
 * payloads took in. */
typedef struct sc3_tally {
  uint64_t rows;     /* rows seen */
  uint64_t skipped;  /* rows that a predicate or a script left out */
  uint64_t rejected; /* rows that gave no member though they should have */
  uint64_t used;     /* rows that gave members */
  uint64_t built;    /* members written to payloads */
  uint64_t built_op[2];
  uint64_t deferred; /* members that went to the payload of the next epoch */
  uint64_t replaced; /* members overwritten by one of a later row, of the same external id in the
                          same payload */
  uint64_t
      poorer; /* of them, those that had identifiers of a kind that the later one has fewer of */
  uint64_t untold; /* rejections that there was no room to keep; they are counted all the same */
  uint64_t emails, phones, uids, prehashed; /* of members built that were not replaced */
  uint64_t children; /* of the rows skipped, those that name the row that they belong to */
  uint64_t zero_ids; /* members whose external id is 0: shops give it to everybody who has none */
  uint64_t rejected_for[SC3_R_COUNT];
  uint64_t dropped_for[SC3_R_COUNT];
  uint64_t repaired_for[SC3_REPAIR_COUNT]; /* identifiers that were repaired and kept */
  uint64_t raw_in[SC3_ROLE_UID], hashed_in[SC3_ROLE_UID]; /* values used of a role for raw ones: as
                                                             they should be, and hashed already */
  sc3_region_tally
      *unknown_regions; /* of phones that were dropped for it; NULL where there are none */
} sc3_tally;

/* One rejection: where and why, without the value. */
typedef struct sc3_rejection {
  uint64_t row;
  uint32_t column; /* 1-based column of the source, 0 where only the role is known */
  uint8_t role;    /* sc3_role */
  uint8_t reason;  /* sc3_reason */
  uint8_t dropped; /* 1: an identifier was dropped; 0: the row or member was rejected */
  uint32_t lines;  /* of a row that was rejected: further lines of the text that lie inside it */
} sc3_rejection;

/* Which part of a record goes to which role. */
typedef struct sc3_target {
  sc3_role role;
  sc3_slice uid_type; /* for SC3_ROLE_UID */
  size_t column;      /* 1-based; 0 = by name */
  sc3_slice name;
  sc3_contact meant; /* what its column holds by its name, for ids and uids */
  size_t key;        /* the name's number, see sc3_builder_keys() */
  int fallback; /* a target of the same role (and type) stands before it: it counts only when that
                   gives nothing that can be used */
} sc3_target;

enum {
  SC3_TARGETS_MAX = SC3_ROLE_UID + SC3_FALLBACKS_MAX + SC3_UIDS_MAX,
  SC3_CONDITIONS_MAX = 64,
  SC3_OPERANDS_MAX = 512
};

/* What records are asked for: which of their values are a member's, and the conditions that a row
   has to meet. It is large, and a builder of rows that are no records has none. */
typedef struct sc3_columns {
  sc3_target targets[SC3_TARGETS_MAX];
  size_t target_count;
  sc3_condition conditions[SC3_CONDITIONS_MAX];
  size_t condition_count;
  /* of the conditions; they go on where these are set anew for another source */
  sc3_condition_tally tallies[SC3_CONDITIONS_MAX];
  sc3_slice names[SC3_TARGETS_MAX +
                  SC3_CONDITIONS_MAX]; /* of the columns that these look at by name, each once */
  size_t name_count;
  unsigned char seen[SC3_TARGETS_MAX +
                     SC3_CONDITIONS_MAX]; /* which of them, or of the keys of tables, a row had */
  uint64_t looked;                        /* rows that were looked at for them */
} sc3_columns;

typedef struct sc3_builder {
  sc3_tally tally;
  int keep_rejections;
  sc3_buffer rejections; /* of sc3_rejection, taken out by the owner */
  sc3_op op;             /* for rows that do not say */
  sc3_reading reading;
  size_t max_member;  /* bytes of one member, at most a payload's max_bytes */
  uint64_t row;       /* of the row under way */
  int under_way;      /* it was begun, and did not end */
  uint64_t row_lines; /* further lines that a row under way has which cannot be read */
  size_t members_of_row;
  sc3_reason row_rejected;
  sc3_role row_rejected_at;
  uint32_t row_rejected_column;
  sc3_buffer scratch;            /* the members of the row under way, as JSON */
  sc3_buffer staged;             /* where in scratch they lie */
  sc3_reason identifier_dropped; /* of the row under way: why the first identifier was dropped */
  size_t next_staged;
  sc3_columns *columns; /* the owner's, or NULL */
  /* Inside an epoch (docs: lua/scope3/job/batcher.lua), else NULL: the ids of payloads that were
   * sealed in it, and where a further member of one of them goes. */
  const sc3_id_set *sealed;
  sc3_payload *next;
} sc3_builder;

void sc3_builder_init(sc3_builder *b, sc3_op op, size_t max_member, int keep_rejections);
void sc3_builder_free(sc3_builder *b);

/* A row is begun, given members or a rejection (by any of the next four), ended, and flushed.
   Starts row number `row` and counts it. All members of the row before must be flushed. */
void sc3_builder_begin(sc3_builder *b, uint64_t row);

/* Writes one member of the row under way aside. A refused member is SC3_OK and counted. `outcome`
 * may be read afterwards. */
sc3_status sc3_builder_stage(sc3_builder *b, sc3_op op, const sc3_values *values,
                             sc3_outcome *outcome);

/* Notes that the row under way gives no member for `reason`; a further one of the same row counts
   as dropped. `column` 0 where none is to blame. */
sc3_status sc3_builder_reject(sc3_builder *b, sc3_reason reason, sc3_role at, size_t column);

/* Notes an identifier that was dropped before sc3_builder_stage() saw it. */
sc3_status sc3_builder_drop(sc3_builder *b, sc3_role role, sc3_reason reason, size_t column);

/* Ends a row that an error left under way: it gives no member, and counts as rejected for that.
 * Never fails. */
void sc3_builder_fail(sc3_builder *b, sc3_reason reason);

/* Forgets the members of the row under way. */
void sc3_builder_discard(sc3_builder *b);

/* Ends the row: it counts as skipped (when told), rejected, or used. */
sc3_status sc3_builder_end(sc3_builder *b, int skipped);

/* The names by which targets and conditions look at a record, each once; valid until these are
   changed. From here on to sc3_builder_wants() a builder with columns. */
sc3_keys sc3_builder_keys(sc3_builder *b);

/* Stages the member that the targets find in the record of the row under way; a record with a fault
   is rejected for it. `next` is the payload that it will be flushed to. */
sc3_status sc3_builder_map(sc3_builder *b, const sc3_record *record, const sc3_payload *next);

/* A record that lacks a column of a condition has a fault: nobody knows whether its row meets it.
 */
void sc3_builder_check(const sc3_builder *b, sc3_record *record);

/* Whether the row of a record meets all of the conditions; the first that it does not meet counts
   it. A record with a fault does: its fault is told. */
int sc3_builder_wants(sc3_builder *b, const sc3_record *record);

/* Moves staged members to the payload, inside an epoch those of sealed ids to the next one's:
   SC3_ADDED when all are in, SC3_FULL or SC3_FULL_NEXT when there is no room for the next member,
   SC3_ADD_NOMEM. Payloads must hold at least `max_member` bytes. */
sc3_added sc3_builder_flush(sc3_builder *b, sc3_payload *p);

/* True while members of the last row wait for room. */
int sc3_builder_waiting(const sc3_builder *b);

/* The reason that a record's fault stands for. */
sc3_reason sc3_fault_reason(sc3_fault fault);

#endif
