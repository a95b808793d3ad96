/* Bytes on their way into a parser, and what a parser can answer. */
#ifndef SC3_INPUT_H
#define SC3_INPUT_H

#include <stdint.h>

#include "../bytes/buffer.h"
#include "encoding.h"

enum {
  SC3_ROW_MAX = 1 << 20, /* bytes of one row */
  SC3_CHUNK = 256 << 10  /* bytes asked of a file at once */
};

/* What a request for the next row gives. */
typedef enum sc3_next {
  SC3_NEXT_RECORD,
  SC3_NEXT_NEED, /* feed more, or finish */
  SC3_NEXT_END,
  SC3_NEXT_FATAL, /* the input cannot be read further: see sc3_fatal */
  SC3_NEXT_NOMEM
} sc3_next;

/* Why an input cannot be read further. */
typedef enum sc3_fatal_kind {
  SC3_FATAL_NONE,
  SC3_FATAL_EMPTY,
  SC3_FATAL_UTF16,
  SC3_FATAL_UTF32,
  SC3_FATAL_GZIP,
  SC3_FATAL_KIND,     /* it is something else, which has a name */
  SC3_FATAL_ENCODING, /* its first bytes contradict the encoding that was told */
  SC3_FATAL_BINARY,
  SC3_FATAL_JSON,         /* where names of columns should stand */
  SC3_FATAL_NO_JSON,      /* columns of text where an object should stand */
  SC3_FATAL_JSON_CUT,     /* it ends inside an object or an array */
  SC3_FATAL_JSON_BROKEN,  /* the end of the row cannot be known, and so neither can the next one */
  SC3_FATAL_JSON_BEHIND,  /* something stands after the array */
  SC3_FATAL_JSON_WRAPPED, /* one large object with the rows inside it */
  SC3_FATAL_HEADER,       /* a fault in the header: every name after it would be a guess */
  SC3_FATAL_NO_LINES,     /* one line without an end, which holds data */
  SC3_FATAL_UNCLOSED_QUOTE, /* it swallowed rows, so it is more than one bad row */
  SC3_FATAL_ROW_TOO_LONG,
  SC3_FATAL_TOO_MANY_COLUMNS
} sc3_fatal_kind;

typedef struct sc3_fatal {
  sc3_fatal_kind kind;
  uint64_t row, line;
  size_t column;
  uint64_t lines;   /* SC3_FATAL_UNCLOSED_QUOTE: line ends after the quote that were read */
  const char *what; /* the name of a kind of files, or of an encoding; NULL where there is none */
} sc3_fatal;

typedef struct sc3_input {
  sc3_buffer buffer;
  size_t at;             /* bytes of the buffer that were taken */
  size_t wanted;         /* bytes to wait for before the end of a row is looked for again */
  uint64_t taken;        /* bytes taken in all */
  int finished;          /* no more will come, */
  int unended;           /* and what came last is no line end: it may be a piece of a row */
  sc3_encoding encoding; /* as it is told, and once it was begun as it is read */
  int begun;             /* the first bytes were looked at */
  int decoding;          /* what comes in is made UTF-8 */
  size_t before;         /* bytes of room before those that are to be committed */
  uint64_t raw;          /* bytes that came in to be made UTF-8 */
  sc3_decoder decoder;
} sc3_input;

static inline void sc3_input_init(sc3_input *in) {
  memset(in, 0, sizeof *in);
  sc3_buffer_init(&in->buffer, SC3_ROW_MAX + (SC3_DECODE_GROWTH + 1) * SC3_CHUNK);
}

static inline const char *sc3_input_head(const sc3_input *in) {
  return in->buffer.p + in->at;
}

static inline size_t sc3_input_left(const sc3_input *in) {
  return in->buffer.n - in->at;
}

static inline void sc3_input_take(sc3_input *in, size_t n) {
  in->at += n;
  in->taken += n;
}

/* Passes over what has come before byte `at` of the text, which was not taken yet. Whether that
   byte is where the input stands now. */
static inline int sc3_input_pass(sc3_input *in, uint64_t at) {
  const size_t left = sc3_input_left(in);
  const int there = at - in->taken <= left;
  sc3_input_take(in, there ? (size_t)(at - in->taken) : left);
  return there;
}

/* What is committed from here on begins with that byte of the text, which is UTF-8 as it comes, and
   is not finished. */
static inline void sc3_input_jump(sc3_input *in, uint64_t at) {
  sc3_input_take(in, sc3_input_left(in));
  in->taken = at;
}

/* Room for `want` bytes (at most SC3_CHUNK) after those that wait, to be written by the caller and
   then committed; NULL when memory is out. Slices into the input die. */
char *sc3_input_space(sc3_input *in, size_t want);

/* Takes over `n` bytes that were written there, and makes them UTF-8 where they are not. */
void sc3_input_commit(sc3_input *in, size_t n);

/* No more will come. SC3_ENOMEM. */
sc3_status sc3_input_finish(sc3_input *in);

/* The control characters that a first line of text may hold, besides white space. */
typedef enum sc3_controls {
  SC3_CONTROLS_NONE,
  SC3_CONTROLS_SEQUENCE, /* the separator of RFC 7464, 0x1e */
  SC3_CONTROLS_ANY /* all but NUL: one of them separates columns, and others may separate what is
                      inside them */
} sc3_controls;

/* A row whose end has not come is looked at from its beginning again. A long one is not before much
   more of it is there: small chunks must not cost the square of a row. */
static inline int sc3_input_starved(const sc3_input *in) {
  return !in->finished && sc3_input_left(in) < in->wanted;
}

static inline void sc3_input_starve(sc3_input *in) {
  enum { SHORT = 4096, STEP = 64 << 10 };
  const size_t left = sc3_input_left(in);
  in->wanted = left < SHORT ? 0 : left + (left < STEP ? left : STEP);
}

/* Whether enough has come to say what the input is: its first line, or the bytes that are looked
 * at. */
int sc3_input_sniffable(const sc3_input *in);

/* Looks at the first bytes: what is no text is refused, a byte order mark is dropped, and from here
   on all is UTF-8. SC3_NEXT_RECORD when it is begun, SC3_NEXT_NEED, SC3_NEXT_NOMEM, or
   SC3_NEXT_FATAL with the reason. The same however the bytes came in. */
sc3_next sc3_input_begin(sc3_input *in, sc3_controls allowed, sc3_fatal *fatal);

#endif
