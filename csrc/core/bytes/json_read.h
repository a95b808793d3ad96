/* A JSON text (RFC 8259), event by event: for replies of services and for files of our own. The
 * whole text is there. */
#ifndef SC3_JSON_READ_H
#define SC3_JSON_READ_H

#include <stdint.h>

#include "slice.h"

enum { SC3_JSON_READ_DEPTH = 64 }; /* objects and arrays within one another */

typedef enum sc3_json_event {
  SC3_JSON_EVENT_BAD, /* no JSON, half a surrogate pair, or too deep; it stays so */
  SC3_JSON_EVENT_END, /* of the text; it stays so */
  SC3_JSON_EVENT_OBJECT,
  SC3_JSON_EVENT_ARRAY,
  SC3_JSON_EVENT_CLOSE, /* of the innermost of these */
  SC3_JSON_EVENT_NAME,  /* the text with its quotes; a value follows */
  SC3_JSON_EVENT_STRING,
  SC3_JSON_EVENT_NUMBER,
  SC3_JSON_EVENT_TRUE,
  SC3_JSON_EVENT_FALSE,
  SC3_JSON_EVENT_NULL
} sc3_json_event;

typedef struct sc3_json_reader {
  const char *start, *p, *end;
  int depth;
  uint64_t objects; /* a bit for each open level, the innermost lowest: 1 for an object */
  int expects;      /* of json_read.c */
  int failed;
} sc3_json_reader;

void sc3_json_read_begin(sc3_json_reader *r, sc3_slice text);

/* The next event, and the text of a name, a string or a number. As parsers of replies do, it takes
   what is no valid UTF-8 and raw control characters within strings as they are, and a byte order
   mark before the text; a NUL is never taken. Linear in time, and no memory is allocated. */
sc3_json_event sc3_json_read(sc3_json_reader *r, sc3_slice *text);

#endif
