/* Replies of Redis, by its protocol RESP2, read as their bytes come.
 *
 * A reply is of a stranger. Its size, depth and count are capped, what does not fit ends the
 * reading for good, and no problem shows a byte of it. Each byte is looked at, and moved, a fixed
 * number of times however the pieces fall. */
#ifndef SC3_RESP_H
#define SC3_RESP_H

#include "buffer.h"

enum { SC3_RESP_DEPTH = 16 };

typedef struct sc3_resp {
  sc3_buffer input;
  size_t begin;    /* of the reply */
  size_t at;       /* up to where it was read */
  size_t searched; /* from `at` to here no line ends */
  size_t bytes_max, values_max;
  size_t values;               /* of the reply, those that are to come in lists too */
  size_t left[SC3_RESP_DEPTH]; /* of lists that are not whole, the values that are to come */
  size_t depth;
  size_t text; /* bytes of the text that comes next */
  int has_text, is_whole;
  const char *problem;
} sc3_resp;

/* Of one reply at most so many bytes, and values, those inside lists too. */
void sc3_resp_init(sc3_resp *r, size_t bytes_max, size_t values_max);
void sc3_resp_free(sc3_resp *r);

/* Takes bytes that came. SC3_ENOMEM changes nothing. */
sc3_status sc3_resp_feed(sc3_resp *r, const char *p, size_t n);

/* Bytes that came, and are of no reply that was passed. */
size_t sc3_resp_held(const sc3_resp *r);

/* Whether a reply is whole. 0 where more has to come, or where `problem` is set. */
int sc3_resp_next(sc3_resp *r);

typedef enum sc3_resp_kind {
  SC3_RESP_NULL,
  SC3_RESP_TEXT,
  SC3_RESP_REFUSAL,
  SC3_RESP_NUMBER,
  SC3_RESP_LIST
} sc3_resp_kind;

typedef struct sc3_resp_value {
  sc3_resp_kind kind;
  sc3_slice text;   /* of a text, a refusal; borrowed until bytes are fed or passed */
  long long number; /* below 2^53; of a list how many values follow */
} sc3_resp_value;

/* The value at a place of the whole reply: `begin`, or where the value before gave. Gives where the
 * next one is. A number of 2^53 and more is a text. */
size_t sc3_resp_value_at(const sc3_resp *r, size_t at, sc3_resp_value *value);

/* The reply that is whole has been taken. */
void sc3_resp_pass(sc3_resp *r);

#endif
