/* Bytes on their way into a parser: pushed in at one end, taken off at the other. */
#ifndef SC3_INPUT_H
#define SC3_INPUT_H

#include <stdint.h>

#include "buffer.h"
#include "record.h"

typedef struct sc3_input {
  sc3_buffer buffer;
  size_t at;      /* bytes of the buffer that were taken */
  size_t wanted;  /* bytes to wait for before the end of a row is looked for again */
  uint64_t taken; /* bytes taken in all */
  int finished;   /* no more will come */
} sc3_input;

static inline void sc3_input_init(sc3_input *in) {
  sc3_buffer_init(&in->buffer, SC3_ROW_MAX + 2 * SC3_CHUNK);
  in->at = 0;
  in->wanted = 0;
  in->taken = 0;
  in->finished = 0;
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

/* Room for `want` bytes (at most SC3_CHUNK) behind those that wait, to be written by the caller and then committed;
   NULL when memory is out. Slices into the input die. */
char *sc3_input_space(sc3_input *in, size_t want);

static inline void sc3_input_commit(sc3_input *in, size_t n) {
  in->buffer.n += n;
}

/* A row whose end has not come is looked at from its beginning again. A long one is not before much more of it is there: small
   chunks must not cost the square of a row. */
static inline int sc3_input_starved(const sc3_input *in) {
  return !in->finished && sc3_input_left(in) < in->wanted;
}

static inline void sc3_input_starve(sc3_input *in) {
  enum { SHORT = 4096, STEP = 64 << 10 };
  const size_t left = sc3_input_left(in);
  in->wanted = left < SHORT ? 0 : left + (left < STEP ? left : STEP);
}

/* Whether enough has come to say what the input is: its first line, or the bytes that are looked at. */
int sc3_input_sniffable(const sc3_input *in);

/* What the first line says the input is, when it is no text: SC3_FATAL_NONE for text. The same however the
   bytes came in. */
sc3_fatal_kind sc3_input_sniff(const char *p, size_t n);

#endif
