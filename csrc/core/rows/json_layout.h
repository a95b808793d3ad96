/* How the objects of a JSON text follow each other: one a line, one after the other, or as the
   elements of an array. */
#ifndef SC3_JSON_LAYOUT_H
#define SC3_JSON_LAYOUT_H

#include "../bytes/slice.h"

typedef enum sc3_json_whole {
  SC3_JSON_WHOLE,
  SC3_JSON_PART,  /* more has to come before its end is known */
  SC3_JSON_BROKEN /* no value begins here, or a string holds a control character: nobody knows where
                     it ends */
} sc3_json_whole;

/* Finds the end of the value that begins at `p`, over line ends, only by its brackets and quotes.
 */
sc3_json_whole sc3_json_span(const char *p, const char *end, const char **behind);

/* What stands between values: white space, line ends, commas, and the record separator of RFC 7464.
 */
static inline int sc3_json_between(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',' || c == '\x1e';
}

static inline const char *sc3_json_skip_between(const char *p, const char *end) {
  while (p < end && sc3_json_between(*p))
    p++;
  return p;
}

enum { SC3_JSON_PATH_MAX = 64 };

/* The names, with a dot between, of the first array of objects that an object holds, at most two
   deep; 0 bytes where there is none in `text`, which may be cut off. `*valid` tells whether it is
   JSON and whole. */
size_t sc3_json_rows_inside(sc3_slice text, char path[SC3_JSON_PATH_MAX], int *valid);

/* Whether the first line that holds something has columns of text: a delimiter after what no object
   begins with. Negative where that line has not come to its end. */
int sc3_json_is_columns(sc3_slice text, int finished);

/* Whether the first line ends with CR, without LF, as far as it is looked at. */
int sc3_json_ends_in_cr(sc3_slice text);

#endif
