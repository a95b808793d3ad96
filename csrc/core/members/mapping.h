/* Which part of a record goes to which role of a member, and which rows are taken. */
#ifndef SC3_MAPPING_H
#define SC3_MAPPING_H

#include "../rows/condition.h"
#include "../rows/record.h"
#include "member.h"

typedef struct sc3_target {
  sc3_role role;
  sc3_slice uid_type; /* for SC3_ROLE_UID */
  size_t column;      /* 1-based; 0 = by name */
  sc3_slice name;
  sc3_pii meant; /* what its column holds by its name, for ids and uids */
  size_t key;    /* the name's number, see sc3_mapping_keys() */
  int fallback;  /* a target of the same role (and type) stands before it: it counts only when that
                    gives nothing that can be used */
} sc3_target;

/* A row gives one member, or several: each further one from targets of its own, under the id of the
   row with its number. */

enum {
  SC3_TARGETS_MAX = SC3_ROLE_UID + SC3_FALLBACKS_MAX + SC3_UIDS_MAX,
  SC3_CONDITIONS_MAX = 64,
  SC3_OPERANDS_MAX = 512
};

/* What records are asked for: which of their values are a member's, and the conditions that a row
   has to meet. It is large, and a builder of rows that are no records has none. */
typedef struct sc3_mapping {
  sc3_target targets[SC3_TARGETS_MAX]; /* those of the first member, of the second, … */
  size_t target_count;
  size_t member_count;       /* that a row may give */
  size_t ends[SC3_EACH_MAX]; /* behind the last target of each */
  sc3_condition conditions[SC3_CONDITIONS_MAX];
  size_t condition_count;
  size_t own_count; /* of the conditions, the first ones: those that a row has to meet at all */
  unsigned char audiences[SC3_CONDITIONS_MAX]; /* of each other one, the audience that it is for */
  /* of the conditions; they go on where these are set anew for another source */
  sc3_condition_tally tallies[SC3_CONDITIONS_MAX];
  sc3_slice names[SC3_TARGETS_MAX +
                  SC3_CONDITIONS_MAX]; /* of the columns that these look at by name, each once */
  size_t name_count;
  unsigned char seen[SC3_TARGETS_MAX +
                     SC3_CONDITIONS_MAX]; /* which of them, or of the keys of tables, a row had */
  uint64_t looked;                        /* rows that were looked at for them */
} sc3_mapping;

/* The names by which targets and conditions look at a record, each once. Valid until these are
 * changed. */
sc3_keys sc3_mapping_keys(sc3_mapping *m);

/* The column that feeds a role, 0 where no target has the role. */
size_t sc3_mapping_column_of(const sc3_mapping *m, sc3_role role);

/* The role that looks for the key of that number. For rows that are tables, keys are columns. */
sc3_role sc3_mapping_role_of(const sc3_mapping *m, size_t key);

/* Gives a record a fault where it lacks a column of a condition: nobody knows whether its row meets
 * the condition. */
void sc3_mapping_check(const sc3_mapping *m, sc3_record *record);

/* Whether the row of a record meets all conditions but those of single audiences. The first one
 * that it does not meet counts the row. A record with a fault meets them: its fault is reported. */
int sc3_mapping_wants(sc3_mapping *m, const sc3_record *record);

/* Of the audiences in `mask`, those whose conditions the row of a record without a fault meets. */
uint32_t sc3_mapping_audiences(sc3_mapping *m, const sc3_record *record, uint32_t mask);

/* A value that cannot be used. */
typedef struct sc3_mapping_rejection {
  sc3_role role;
  sc3_reason reason;
  size_t column;
} sc3_mapping_rejection;

/* The values of a record, and those that cannot be used, in their order. An external id among these
 * rejects the member; any other is dropped. */
typedef struct sc3_mapped {
  sc3_values values;
  sc3_mapping_rejection refused[SC3_TARGETS_MAX];
  size_t refused_count;
  sc3_contact contacts[SC3_TARGETS_MAX]; /* that `values` of all members have */
  sc3_external_id_form prepared_id;      /* that `values` of a member have which is one already */
} sc3_mapped;

/* Inline, so that the compiler knows the memory: clearing it takes a part of a row's time. */
static inline void sc3_mapped_clear(sc3_mapped *m) {
  sc3_values_clear(&m->values);
  m->refused_count = 0;
}

/* Whether there is any value to find a person by. */
int sc3_mapped_has_identifiers(const sc3_mapped *m);

/* Takes the values of the first member's targets from a record without a fault into `*out`, which
 * must be clear. `repair` as in sc3_uid_read(). */
void sc3_mapping_read(const sc3_mapping *m, const sc3_record *record, int repair, sc3_mapped *out);

/* The same of member `member` of the row, from 2, whose id and region are those of the `first` one.
   Whether it has any value of its own. */
int sc3_mapping_read_further(const sc3_mapping *m, const sc3_record *record,
                             const sc3_mapped *first, unsigned member, sc3_mapped *out);

#endif
