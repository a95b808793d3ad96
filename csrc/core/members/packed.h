/* A member in less than half of its JSON: the digits of its hashes as the bytes that they stand
 * for, and no names. So it lies in a spool, and goes through a queue.
 *
 *   byte    which parts follow the id
 *   uint24  bytes of the external id, the lowest first: an id of 16 MiB has no packed form
 *   bytes   the external id as it stands in the JSON, escaped
 *   bytes   32 of the email, 32 of the phone
 *   bytes   the list of universal ids without its brackets, to the end
 *
 * What sc3_member_write() gives a member is packed to the same bytes each time, and unpacked to
 * what it was. That is at most 256 bytes longer. */
#ifndef SC3_PACKED_H
#define SC3_PACKED_H

#include "../bytes/slice.h"

/* The parts of a member. */
typedef struct sc3_packed {
  sc3_slice id, uids;        /* the latter {NULL, 0} where there are none */
  const char *email, *phone; /* 64 digits or 32 bytes; NULL where there is none */
} sc3_packed;

/* Takes a member's JSON apart, without its comma, as sc3_member_write() gives it: the digits of its
 * hashes are not looked at. Gives the bytes that it has packed; 0 where it has another form. */
size_t sc3_packed_of(sc3_slice json, sc3_packed *parts);

/* Packs such parts. */
void sc3_packed_write(const sc3_packed *parts, char *to);

/* Takes a packed member apart, a stranger's: whether it is one. What its texts hold is not looked
   at. */
int sc3_packed_read(sc3_slice packed, sc3_packed *parts);

/* Bytes of the JSON of a member that was read. */
size_t sc3_packed_json_size(const sc3_packed *parts);

/* Writes it. */
void sc3_packed_unpack(const sc3_packed *parts, char *to);

#endif
