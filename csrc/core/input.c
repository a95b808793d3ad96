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

enum { LOOKED_AT = 1024 };

int sc3_input_sniffable(const sc3_input *in) {
  size_t left = sc3_input_left(in);
  return in->finished || left >= LOOKED_AT || (left >= 8 && memchr(sc3_input_head(in), '\n', left) != NULL);
}

sc3_fatal_kind sc3_input_sniff(const char *p, size_t n) {
  static const char *const binaries[] = {"\x89PNG", "%PDF-", "\xd0\xcf\x11\xe0", "\x7f" "ELF", "GIF8", "\xff\xd8\xff", "SQLite format 3", NULL};
  const char *const *magic;
  size_t i, nuls[2] = {0, 0}, controls = 0;
  if (begins(p, n, "\xff\xfe\0\0", 4) || begins(p, n, "\0\0\xfe\xff", 4))
    return SC3_FATAL_UTF32;
  if (begins(p, n, "\xff\xfe", 2) || begins(p, n, "\xfe\xff", 2))
    return SC3_FATAL_UTF16;
  if (begins(p, n, "\x1f\x8b", 2))
    return SC3_FATAL_GZIP;
  if (begins(p, n, "PK\x03\x04", 4))
    return SC3_FATAL_ZIP;
  for (magic = binaries; *magic != NULL; magic++) {
    if (begins(p, n, *magic, strlen(*magic)))
      return SC3_FATAL_BINARY;
  }
  for (i = 0; i < n && i < LOOKED_AT && p[i] != '\n'; i++) {
    unsigned char c = (unsigned char)p[i];
    if (c == 0)
      nuls[i & 1]++;
    controls += c < 0x20 && c != '\t' && c != '\r' && c != '\f';
  }
  if (controls == nuls[0] + nuls[1] && (nuls[0] > 0) != (nuls[1] > 0) && controls * 4 > i)
    return SC3_FATAL_UTF16; /* every other byte of ASCII in UTF-16 is NUL */
  return controls > 0 ? SC3_FATAL_BINARY : SC3_FATAL_NONE;
}
