/* The members of one audience as they go on the wire: JSON bytes written once, and an index over
 * them.
 *
 * Adds and removes lie in two segments, because the service wants them in two arrays. Each member
 * is `{…},`; the index says where it lies and which row it came from. One operation an external id
 * survives, the last: the bytes of the one before are overwritten with spaces, which JSON allows
 * between values. A range of members is a request's share; its bytes are borrowed from the segments
 * and never copied.
 *
 * One of lines is a text and no request: each member ends in a line end in place of its comma, and
 * of one external id all stay.
 */
#ifndef SC3_PAYLOAD_H
#define SC3_PAYLOAD_H

#include <stdint.h>

#include "../bytes/buffer.h"
#include "member.h"
#include "../bytes/sha256.h"

typedef struct sc3_payload sc3_payload;

typedef enum sc3_added {
  SC3_ADDED,
  SC3_ADDED_OVER, /* added, and an earlier member of the same external id replaced */
  SC3_FULL,       /* a limit is reached; nothing changed */
  SC3_FULL_NEXT,  /* the same of the payload for the next epoch; only of sc3_builder_flush() */
  SC3_NEVER_FITS, /* the member alone is over max_bytes; nothing changed */
  SC3_ADD_NOMEM   /* nothing changed */
} sc3_added;

/* Identifiers of a member, or of several. */
typedef struct sc3_identifiers {
  unsigned emails, phones, uids;
  unsigned prehashed; /* of them, those that came hashed already */
} sc3_identifiers;

/* A member that another one of its external id took the place of. */
typedef struct sc3_replaced {
  uint64_t row;
  size_t index; /* which member it was */
  sc3_op op;
  sc3_identifiers had;
} sc3_replaced;

/* What a range of members comes to. */
typedef struct sc3_extent {
  size_t last;        /* the range ends before this member */
  size_t members[2];  /* living members, an operation each */
  sc3_slice bytes[2]; /* their JSON, commas between, none after; {NULL, 0} where there are none */
} sc3_extent;

/* A payload that holds at most `max_members` living members and `max_bytes` bytes, and at most 4
 * GiB. NULL when memory is out. */
sc3_payload *sc3_payload_new(size_t max_members, size_t max_bytes);

/* The same, of lines. */
sc3_payload *sc3_payload_new_lines(size_t max_bytes);

/* All lines of an operation, each with its end. */
sc3_slice sc3_payload_lines(const sc3_payload *p, sc3_op op);

void sc3_payload_free(sc3_payload *p);

/* Empties it; the memory is kept for the next request. */
void sc3_payload_reset(sc3_payload *p);

/* A member as sc3_member_write() made it. */
typedef struct sc3_new_member {
  sc3_op op;
  uint64_t row;         /* its number in the source, under 2^60; 0 where there is none */
  sc3_slice json;       /* with the comma */
  size_t id_length;     /* bytes of the escaped external id, which stands at SC3_MEMBER_ID_AT */
  uint64_t fingerprint; /* of the escaped external id */
  sc3_identifiers had; /* what stands in `json`, see sc3_member_identifiers(); `prehashed` of over 3
                          counts as 3 */
} sc3_new_member;

/* The identifiers in a member's JSON, by the bytes of its escaped external id; whether they came
   hashed does not stand there. */
sc3_identifiers sc3_member_identifiers(sc3_slice json, size_t id_length);

sc3_added sc3_payload_add(sc3_payload *p, const sc3_new_member *member);

/* What the last sc3_payload_add() that gave SC3_ADDED_OVER took the place of. */
const sc3_replaced *sc3_payload_replaced(const sc3_payload *p);

/* The identifiers of member `i`; none where it was taken out. */
sc3_identifiers sc3_payload_identifiers(const sc3_payload *p, size_t i);

/* Those of all living members. */
const sc3_identifiers *sc3_payload_living_identifiers(const sc3_payload *p);

/* Says that a member whose external id has this fingerprint comes soon, so that the memory where it
 * belongs may be fetched while the member is being made. */
void sc3_payload_prefetch(const sc3_payload *p, uint64_t fingerprint);

size_t sc3_payload_count(const sc3_payload *p); /* members in the index, replaced ones included */
size_t sc3_payload_living(const sc3_payload *p, sc3_op op);
size_t sc3_payload_bytes(const sc3_payload *p);
size_t sc3_payload_memory(const sc3_payload *p); /* bytes that it has allocated */

/* Its limits. */
size_t sc3_payload_max_members(const sc3_payload *p);
size_t sc3_payload_max_bytes(const sc3_payload *p);

/* The longest range of members from `first` (counted from 0) and before `last` that has at most
   `max_members` living members and `max_bytes` bytes; always at least one member where there is
   one. Its bytes are valid until the payload changes. */
sc3_extent sc3_payload_cut(const sc3_payload *p, size_t first, size_t last, size_t max_members,
                           size_t max_bytes);

/* The range `first` up to but without `last`. */
sc3_extent sc3_payload_range(const sc3_payload *p, size_t first, size_t last);

/* Takes member `i` out, as if it had been replaced; 0 where there is none. No request may be
 * reading that member. */
int sc3_payload_drop(sc3_payload *p, size_t i);

/* Hears of members that are removed. */
typedef struct sc3_removal_listener {
  void (*removed)(void *with, size_t i);
  void *with;
} sc3_removal_listener;

/* Removes the members that living members `first` up to but without `last` of `later` replaced:
   those of the same external ids. Gives their number, and reports each to the listener, which may
   be NULL. No request may be reading the members. */
size_t sc3_payload_replace(sc3_payload *p, const sc3_payload *later, size_t first, size_t last,
                           const sc3_removal_listener *listener);

/* The `nth` (counted from 0) living member of an operation in a range, as the service counts them;
 * SIZE_MAX where there is none. */
size_t sc3_payload_find(const sc3_payload *p, size_t first, size_t last, sc3_op op, size_t nth);

/* What stands for all its bytes: the SHA-256 of both segments' hashes. */
void sc3_payload_digest(const sc3_payload *p, char hex[SC3_SHA256_HEX]);

/* Stands for which rows its members came from, with what operation, and how long each is: far
   cheaper than the digest, for one process to see whether a script gave the same members once more.
 */
uint32_t sc3_payload_outline(const sc3_payload *p);

/* The JSON of member `i` without its comma, borrowed until the payload changes; {NULL, 0} where
 * there is none or it was replaced. */
sc3_slice sc3_payload_member(const sc3_payload *p, size_t i, sc3_op *op);

/* The escaped external id of member `i`; {NULL, 0} where it was replaced. */
sc3_slice sc3_payload_id(const sc3_payload *p, size_t i);

/* The fingerprint of the external id of member `i`; 0 where it was replaced. */
uint64_t sc3_payload_fingerprint(const sc3_payload *p, size_t i);

/* Where byte `at` of the JSON of member `i` lies until the payload changes, to be written over by
 * as many bytes; NULL where it was replaced. */
char *sc3_payload_place(sc3_payload *p, size_t i, size_t at);

/* The source row of member `i`, 0 where it has none or the member was replaced. */
uint64_t sc3_payload_row(const sc3_payload *p, size_t i);

/* The rows of the first and the last member that has one, from `first` up to but without `last`; 0
 * where none has. */
int sc3_payload_rows(const sc3_payload *p, size_t first, size_t last, uint64_t rows[2]);

#endif
