/* JSON strings, written. */
#ifndef SC3_JSON_H
#define SC3_JSON_H

#include "buffer.h"

/* Appends the escaped form of `s` without the quotes round it (RFC 8259 section 7): `"`, `\` and
   control characters are escaped, everything else is copied. `s` must be valid UTF-8. SC3_ELIMIT,
   SC3_ENOMEM: nothing was appended. */
sc3_status sc3_json_escape(sc3_buffer *b, sc3_slice s);

#endif
