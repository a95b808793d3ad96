/* Members as lines, as machines hand them to one another. A line is
 *
 *   byte    "+" for a member that is added, "-" for one that is removed, or "@" for a label
 *   uint32  bytes that follow, the lowest first
 *   bytes   the member, packed (packed.h); or the label, which says whose the members after it are
 *
 * What is read may be a stranger's. So a line is taken only where its member, unpacked, has the
 * very form that sc3_member_write() gives one: it would go to the service as it is.
 *
 * Each member of a payload that is written has a line. One whose id is too long to be packed fits
 * into no request of who hands members on. */
#ifndef SC3_LINES_H
#define SC3_LINES_H

#include "payload.h"

/* Bytes of a line before the member or the label. */
enum { SC3_LINE_HEAD = 5 };

/* Appends the line of a packed member; only after sc3_buffer_reserve() made the room. */
void sc3_lines_put(sc3_buffer *out, sc3_op op, sc3_slice packed);

/* Appends the line of a label. Likewise. */
void sc3_lines_put_label(sc3_buffer *out, sc3_slice label);

/* Bytes of the lines of all living members. */
size_t sc3_lines_size(const sc3_payload *p);

/* Writes so many bytes. */
void sc3_lines_write(const sc3_payload *p, char *to);

typedef struct sc3_lines_taken {
  size_t members; /* that went into the payload */
  size_t bad;     /* lines that are no member, passed over; one that is cut short is the last */
  size_t unfit;   /* members that are larger than the payload may be, likewise */
  size_t next;    /* where the first line begins that was not read */
  int full;       /* the payload has no room for it */
} sc3_lines_taken;

/* Reads lines from `at` on, up to the end, to one with a label, or until the payload is full.
   Linear in time. SC3_ENOMEM: what was read until then stays. */
sc3_status sc3_lines_take(sc3_slice text, size_t at, sc3_payload *p, sc3_lines_taken *taken);

#endif
