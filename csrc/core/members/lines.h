/* Members as lines of a text, as machines hand them to one another: an operation, and the JSON as a
 * request holds it.
 *
 *     +{"externalId":"17","hashedEmail":"…"},
 *     -{"externalId":"18"},
 *
 * What is read may be a stranger's. So a line is taken only where it has the very form that
 * sc3_member_write() gives a member: it would go to the service as it is. */
#ifndef SC3_LINES_H
#define SC3_LINES_H

#include "payload.h"

/* Bytes of a line beside what is written there: the JSON without its comma, or a label. */
enum { SC3_LINE_ROUND = 3, SC3_LABEL_LINE_ROUND = 2 };

/* Appends the line of a member; only after sc3_buffer_reserve() made the room. */
void sc3_lines_put(sc3_buffer *out, sc3_op op, sc3_slice json);

/* Appends the line that says whose the members after it are: an @ and a label. Likewise. */
void sc3_lines_put_label(sc3_buffer *out, sc3_slice label);

/* Bytes of the lines of all living members. */
size_t sc3_lines_size(const sc3_payload *p);

/* Writes so many bytes. */
void sc3_lines_write(const sc3_payload *p, char *to);

typedef struct sc3_lines_taken {
  size_t members; /* that went into the payload */
  size_t bad;     /* lines that are no member, and were passed over */
  size_t unfit;   /* members that are larger than the payload may be, likewise */
  size_t next;    /* where the first line begins that was not read */
  int full;       /* the payload has no room for it */
} sc3_lines_taken;

/* Reads lines from `at` on, up to the end, to a line that begins with an @, or until the payload is
   full. Linear in time. SC3_ENOMEM: what was read until then stays. */
sc3_status sc3_lines_take(sc3_slice text, size_t at, sc3_payload *p, sc3_lines_taken *taken);

#endif
