#include "input.h"

char *sc3_input_space(sc3_input *in, size_t want) {
  sc3_buffer *b = &in->buffer;
  if (in->at > 0) {
    b->n -= in->at;
    memmove(b->p, b->p + in->at, b->n);
    in->at = 0;
  }
  return sc3_buffer_reserve(b, want) == SC3_OK ? b->p + b->n : NULL;
}

static int begins(const char *p, size_t n, const char *magic, size_t length) {
  return n >= length && memcmp(p, magic, length) == 0;
}

sc3_fatal_kind sc3_input_sniff(const char *p, size_t n) {
  size_t i, nuls[2] = {0, 0}, controls = 0;
  int in_first_line = 1, strange_first_line = 0;
  if (begins(p, n, "\xff\xfe\0\0", 4) || begins(p, n, "\0\0\xfe\xff", 4))
    return SC3_FATAL_UTF32;
  if (begins(p, n, "\xff\xfe", 2) || begins(p, n, "\xfe\xff", 2))
    return SC3_FATAL_UTF16;
  if (begins(p, n, "\x1f\x8b", 2))
    return SC3_FATAL_GZIP;
  if (begins(p, n, "PK\x03\x04", 4))
    return SC3_FATAL_ZIP;
  if (n > 1024)
    n = 1024;
  for (i = 0; i < n; i++) {
    unsigned char c = (unsigned char)p[i];
    int strange = c == 0 || (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f');
    if (c == 0)
      nuls[i & 1]++;
    controls += (size_t)strange;
    strange_first_line |= strange && in_first_line;
    in_first_line &= c != '\n';
  }
  if (controls == nuls[0] + nuls[1] && (nuls[0] > 0) != (nuls[1] > 0) && controls * 4 > n)
    return SC3_FATAL_UTF16; /* every other byte of ASCII in UTF-16 is NUL */
  /* A stray control character further down is the fault of its row alone. */
  return strange_first_line || controls * 10 > n ? SC3_FATAL_BINARY : SC3_FATAL_NONE;
}
