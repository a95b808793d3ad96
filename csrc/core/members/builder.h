/* From rows to members: counts everything, keeps a note of what was refused, and holds a row's
 * members until a payload has room for them, so that a full payload loses nothing and no row is
 * read twice. */
#ifndef SC3_BUILDER_H
#define SC3_BUILDER_H

#include "../rows/record.h"
#include "exclusions.h"
#include "hash_queue.h"
#include "id_set.h"
#include "mapping.h"
#include "member.h"
#include "payload.h"
#include "tally.h"

/* One rejection: where and why, without the value. */
typedef struct sc3_rejection {
  uint64_t row;
  uint64_t line;   /* where the row begins, 0 where that is unknown */
  uint32_t column; /* 1-based column of the source, 0 where only the role is known */
  uint8_t role;    /* sc3_role */
  uint8_t reason;  /* sc3_reason */
  uint8_t dropped; /* 1: an identifier was dropped; 0: the row or member was rejected */
  uint32_t lines;  /* of a row that was rejected: further lines of the text that lie inside it */
} sc3_rejection;

/* The first row that is not as rows of members that are prepared have to be. */
typedef struct sc3_unprepared {
  uint64_t row, line;
  sc3_reason reason; /* SC3_R_NONE = there is none */
  sc3_role role;
} sc3_unprepared;

/* Where the members of the row under way begin in a payload. */
typedef struct sc3_row_start {
  const sc3_payload *payload;
  size_t first;
} sc3_row_start;

typedef struct sc3_builder {
  sc3_tally tally;
  int keep_rejections;
  sc3_buffer rejections; /* of sc3_rejection, taken out by the owner */
  sc3_op op;             /* for rows that do not say */
  sc3_reading reading;
  size_t max_member;       /* bytes of one member, at most a payload's max_bytes */
  uint64_t row;            /* of the row under way, */
  uint64_t row_line;       /* and the line where it begins, 0 where it stands in no text */
  int under_way;           /* it was begun, and did not end */
  sc3_row_start starts[2]; /* in the payload under way, and in the one of the next epoch */
  uint64_t row_lines;      /* further lines that a row under way has which cannot be read */
  size_t members_of_row;
  sc3_reason row_rejected;
  sc3_role row_rejected_at;
  uint32_t row_rejected_column;
  sc3_buffer scratch;            /* the members of the row under way, as JSON */
  sc3_buffer staged;             /* where in scratch they lie */
  sc3_reason identifier_dropped; /* of the row under way: why the first identifier was dropped */
  size_t next_staged;
  sc3_exclusions *exclusions; /* held; NULL = nobody is excluded */
  size_t excluded_of_row;     /* members of the row under way that were left out */
  sc3_hash_queue hashes;      /* empty outside sc3_builder_gather() and sc3_builder_settle() */
  sc3_mapping *mapping;       /* the owner's, NULL for rows that are no records */
  int quiet;                  /* identifiers that are dropped are not counted */
  int prepared;               /* rows are members already: what of one is refused ends the job */
  sc3_unprepared unprepared;
  sc3_buffer texts; /* of the uids of such a row */
  /* Inside an epoch (docs: lua/scope3/job/batcher.lua), else NULL: the ids of payloads that were
   * sealed in it, and where a further member of one of them goes. */
  const sc3_id_set *sealed;
  sc3_payload *next;
} sc3_builder;

void sc3_builder_init(sc3_builder *b, sc3_op op, size_t max_member, int keep_rejections);
void sc3_builder_free(sc3_builder *b);

/* A row is begun, given members or a rejection (by any of the next four), ended, and flushed.
   Starts row number `row`, which begins at `line` of a text (0: at none), and counts it. All
   members of the row before must be flushed. */
void sc3_builder_begin(sc3_builder *b, uint64_t row, uint64_t line);

/* Writes one member of the row under way aside. A refused member is SC3_OK and counted, and so is
 * one that is excluded. `outcome` may be read afterwards. */
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

/* Nobody of these is added from now on; whoever is removed is. */
void sc3_builder_exclude(sc3_builder *b, sc3_exclusions *exclusions);

/* Forgets the members of the row under way. */
void sc3_builder_discard(sc3_builder *b);

/* Ends the row: it counts as skipped (when told), rejected, or used. */
sc3_status sc3_builder_end(sc3_builder *b, int skipped);

/* Whether the row that ended last gave no member for a fault of it. */
int sc3_builder_has_refused(const sc3_builder *b);

/* Stages the member that the mapping, which there must be, finds in the record of the row under
   way. A record with a fault is rejected for it. `next` is the payload that the member will be
   flushed to. */
sc3_status sc3_builder_map(sc3_builder *b, const sc3_record *record, const sc3_payload *next);

/* What sc3_builder_survey() reads of a row. It borrows from the record, and its values from its id:
   it cannot be copied. */
typedef struct sc3_survey {
  sc3_mapped mapped;
  sc3_external_id_form id;
} sc3_survey;

/* Reads of the record of the row under way what has to be known before its member is built: its
   values as they stand, and its id as it will be sent. A row that the mapping or the id reject is
   counted as sc3_builder_map() would; of any other only sc3_builder_map_surveyed() counts what was
   dropped. */
sc3_status sc3_builder_survey(sc3_builder *b, const sc3_record *record, sc3_survey *out);

/* Stages the members of a row that was surveyed and not rejected. */
sc3_status sc3_builder_map_surveyed(sc3_builder *b, const sc3_record *record,
                                    const sc3_survey *survey, const sc3_payload *next);

/* How many members a row may give. */
unsigned sc3_builder_members(const sc3_builder *b);

/* Of a row that may give several, has only that member wait of those staged, or none. The others
   are kept, until another row begins. */
void sc3_builder_select(sc3_builder *b, unsigned member);

/* Whether the member of a row that was surveyed and not rejected would be left out: then the row is
   counted for it, and ended. Nothing else of it is counted, nor staged. */
sc3_status sc3_builder_looks_excluded(sc3_builder *b, const sc3_survey *survey, int *excluded);

/* Ends a row that was surveyed, or begins it again to be built: it counts as seen once, and as used
   or rejected when it was built. */
void sc3_builder_leave(sc3_builder *b);
void sc3_builder_return(sc3_builder *b, uint64_t row, uint64_t line);

/* Says that a member of this external id is staged now and flushed to `next` soon, so that the
 * memory where it belongs is fetched meanwhile. An id that needs escaping belongs elsewhere, which
 * costs nothing but the gain. */
void sc3_builder_prefetch(const sc3_builder *b, const sc3_payload *next, sc3_slice id);

/* Moves staged members to the payload, inside an epoch those of sealed ids to the next one's:
   SC3_ADDED when all are in, SC3_FULL or SC3_FULL_NEXT when there is no room for the next member,
   SC3_ADD_NOMEM. Payloads must hold at least `max_member` bytes. */
sc3_added sc3_builder_flush(sc3_builder *b, sc3_payload *p);

/* Puts the next member that waits into the payload, and leaves it waiting: it goes into others,
   too. sc3_builder_discard() forgets it. Neither in an epoch nor while hashes are gathered. */
sc3_added sc3_builder_put(sc3_builder *b, sc3_payload *p);

/* From sc3_builder_gather() on, hashes of several rows are computed together: before a payload that
 * was flushed to is read, emptied or freed, sc3_builder_settle() has to write those that are
 * missing, which never fails. */
void sc3_builder_gather(sc3_builder *b);
void sc3_builder_settle(sc3_builder *b);

/* The JSON of the next member that waits, without its comma, in which nothing is missing unless
   hashes are gathered. There must be one. */
sc3_slice sc3_builder_staged_member(const sc3_builder *b);

/* True while members of the last row wait for room. */
int sc3_builder_waiting(const sc3_builder *b);

#endif
