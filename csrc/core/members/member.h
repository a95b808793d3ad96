/* A member: what one person is called in the account, and the identifiers that the service matches
 * by. */
#ifndef SC3_MEMBER_H
#define SC3_MEMBER_H

#include <stdint.h>

#include "../bytes/buffer.h"
#include "../bytes/sha256.h"
#include "../identity/external_id.h"
#include "../identity/pii.h"
#include "../identity/reading.h"
#include "../identity/reason.h"
#include "../bytes/slice.h"
#include "../identity/uid.h"

typedef enum sc3_op { SC3_ADD = 0, SC3_REMOVE = 1 } sc3_op;

/* Where a value of a row goes. Names are AdCP's in snake_case; `X(NAME, name)`. */
#define SC3_ROLES(X)                                                                               \
  X(EXTERNAL_ID, "external_id")                                                                    \
  X(EMAIL, "email")                                                                                \
  X(PHONE, "phone")                                                                                \
  X(REGION, "region")                                                                              \
  X(HASHED_EMAIL, "hashed_email")                                                                  \
  X(HASHED_PHONE, "hashed_phone")                                                                  \
  X(UID, "uids")

typedef enum sc3_role {
#define X(name, text) SC3_ROLE_##name,
  SC3_ROLES(X)
#undef X
      SC3_ROLE_COUNT,
  SC3_ROLE_NONE = SC3_ROLE_COUNT
} sc3_role;

enum { SC3_UIDS_MAX = 32, SC3_FALLBACKS_MAX = 16, SC3_EACH_MAX = 16 };

/* An email or a phone of any member of a row. */
typedef struct sc3_contact {
  sc3_role role;
  sc3_slice value;
} sc3_contact;

/* The raw values of one member. An absent or blank value is one that the row does not have. */
typedef struct sc3_values {
  unsigned member; /* of a row that gives several, from 1; 0 = the only one. From 2 on the id ends
                      in its number, as in "ID#2" */
  sc3_slice role[SC3_ROLE_UID]; /* one a role, uids apart */
  uint32_t
      column[SC3_ROLE_UID]; /* of the source, where it is not the one that feeds the role; else 0 */
  /* Further values of identifiers, in order: each is tried when those of its role before it cannot
   * be used. */
  struct {
    sc3_role role;
    uint32_t column; /* of the source, to tell where a value that was dropped stands */
    sc3_slice value;
  } fallbacks[SC3_FALLBACKS_MAX];
  size_t fallback_count;
  sc3_uid uids[SC3_UIDS_MAX];
  size_t uid_count;
  /* What the id, and each of its fallbacks, is known to be by the name of its column. That an id is
     the email or the phone of its own member is found out when it is read. */
  sc3_pii meant, fallbacks_meant[SC3_FALLBACKS_MAX];
  const sc3_external_id_form
      *id;                     /* as it was read already, where there are no fallbacks; or NULL */
  const sc3_contact *contacts; /* of a row that gives several members, for its id may be any of
                                  them: all of the row, and the same for each member */
  size_t contact_count;
  int prepared; /* a member that was written once: its id, and the types and values of its uids, go
                   as they are, and the id may end in a number */
} sc3_values;

/* In two halves: more than 96 bytes at once are cleared by an instruction that begins slowly. */
static inline void sc3_values_clear(sc3_values *v) {
  enum { HALF = SC3_ROLE_UID / 2 };
  v->member = 0;
  memset(v->role, 0, HALF * sizeof *v->role);
  memset(v->role + HALF, 0, (SC3_ROLE_UID - HALF) * sizeof *v->role);
  memset(v->column, 0, sizeof v->column);
  v->uid_count = 0;
  v->fallback_count = 0;
  v->contact_count = 0;
  v->prepared = 0;
  v->meant = SC3_PII_NONE;
  v->id = NULL;
}

/* What became of a member's identifiers. */
typedef struct sc3_outcome {
  sc3_reason rejected; /* SC3_R_NONE when the member was written */
  sc3_role at;         /* the role that `rejected` speaks of, or SC3_ROLE_NONE */
  uint32_t at_column;  /* 0 = that of the role */
  struct {
    sc3_role role;
    sc3_reason reason;
    uint32_t column; /* 0 = that of the role */
  } dropped[SC3_ROLE_UID + SC3_FALLBACKS_MAX + SC3_UIDS_MAX];
  size_t dropped_count;
  sc3_repairs repairs;            /* what was repaired in the identifiers that were kept */
  unsigned emails, phones, uids;  /* identifiers that were written */
  unsigned prehashed;             /* of them, those that came hashed */
  unsigned came_raw, came_hashed; /* of the roles for raw values: which brought one, and which a
                                     hash in its place; bit (1 << role) */
  size_t id_length;               /* bytes of the escaped external id */
  size_t id_suffix;               /* of them, those of the member's number, or what looks like it in
                                     the id of one that is prepared */
} sc3_outcome;

/* Emails and phones of a member that is written without their hashes. Where a hash belongs stand as
 * many zeros, so that its JSON is as long as it will be. */
typedef struct sc3_unhashed {
  size_t count;
  struct {
    size_t at; /* of its hash in the member's JSON */
    size_t n;
    char text[SC3_SHA256_ONE_BLOCK]; /* longer ones are hashed at once */
  } of[2];
} sc3_unhashed;

/* The escaped external id stands at this offset of a written member. */
enum { SC3_MEMBER_ID_AT = 15 };

/* What the id of a further member of a row ends in, such as #2: as many bytes as answered, none for
   the first. */
typedef struct sc3_member_suffix {
  char text[3];
} sc3_member_suffix;

size_t sc3_member_suffix_write(unsigned member, sc3_member_suffix *out);

/* Bytes of the end of an id that is as those of further members; 0 where it ends in another way. */
size_t sc3_member_suffix_length(sc3_slice id);

/* Reads only the external id, as sc3_member_write() does: SC3_R_NONE with the id in `form`, else
   why the member is rejected for it. Of `outcome` only what concerns the id is set. */
sc3_reason sc3_member_read_id(const sc3_values *values, sc3_reading *reading, sc3_outcome *outcome,
                              sc3_external_id_form *form);

/* Appends `{"externalId":"…",…},` (docs/contract.md section 2) to `out`, and says in `outcome` what
   was kept and dropped. A rejected member appends nothing and is SC3_OK with `outcome->rejected`
   set. SC3_REMOVE writes only the external id. SC3_ELIMIT, SC3_ENOMEM: `out` is as it was.
   What is to be hashed is left to the caller in `later`, where that is not NULL. */
sc3_status sc3_member_write(sc3_buffer *out, sc3_op op, const sc3_values *values,
                            sc3_reading *reading, sc3_unhashed *later, sc3_outcome *outcome);

/* Where the hashes of a member that was written whole begin; NULL where it has none. */
typedef struct sc3_member_hashes {
  const char *email, *phone;
} sc3_member_hashes;

sc3_member_hashes sc3_member_hashes_of(const char *json, const sc3_outcome *outcome);

/* As sc3_member_write() for SC3_REMOVE, of an id as it was sent once: valid UTF-8, which is not
   read anew. */
sc3_status sc3_member_write_removal(sc3_buffer *out, sc3_slice id, size_t *id_length);

#endif
