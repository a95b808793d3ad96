#include "gunzip.h"

#include <string.h>

enum { GZIP_WINDOW = 16 + MAX_WBITS, MAGIC = 0x1f };

sc3_gunzip_state sc3_gunzip_open(sc3_gunzip *z) {
  memset(z, 0, sizeof *z);
  if (inflateInit2(&z->stream, GZIP_WINDOW) != Z_OK)
    return SC3_GUNZIP_NOMEM;
  z->open = 1;
  return SC3_GUNZIP_NEED;
}

void sc3_gunzip_close(sc3_gunzip *z) {
  if (z->open)
    (void)inflateEnd(&z->stream);
  z->open = 0;
}

void sc3_gunzip_feed(sc3_gunzip *z, const void *p, size_t n) {
  z->stream.next_in = p;
  z->stream.avail_in = (uInt)n; /* callers give pieces */
}

/* After a member: another begins, or zeros pad the end. 1 when there is nothing more to read of
 * this input. */
static int skip_padding(sc3_gunzip *z) {
  while (z->stream.avail_in > 0 && *z->stream.next_in == 0) {
    z->stream.next_in++;
    z->stream.avail_in--;
    z->taken++;
  }
  return z->stream.avail_in == 0;
}

sc3_gunzip_state sc3_gunzip_next(sc3_gunzip *z, int last, void *out, size_t room, size_t *n) {
  z->stream.next_out = out;
  z->stream.avail_out = (uInt)room;
  *n = 0;
  for (;;) {
    uInt before = z->stream.avail_in;
    int status;
    if (z->between) {
      if (skip_padding(z)) {
        *n = room - z->stream.avail_out;
        if (*n > 0)
          return SC3_GUNZIP_OUTPUT;
        return last ? SC3_GUNZIP_END : SC3_GUNZIP_NEED;
      }
      if (*z->stream.next_in != MAGIC)
        return SC3_GUNZIP_TRAILING;
      if (inflateReset(&z->stream) != Z_OK)
        return SC3_GUNZIP_BROKEN;
      z->between = 0;
      before = z->stream.avail_in;
    }
    status = inflate(&z->stream, Z_NO_FLUSH);
    z->taken += before - z->stream.avail_in;
    *n = room - z->stream.avail_out;
    switch (status) {
      case Z_STREAM_END:
        z->between = 1;
        if (z->stream.avail_out == 0)
          return SC3_GUNZIP_OUTPUT;
        break;
      case Z_OK:
      case Z_BUF_ERROR: /* no input, or no room: neither is an error */
        if (*n > 0)
          return SC3_GUNZIP_OUTPUT;
        if (z->stream.avail_in == 0)
          return last ? SC3_GUNZIP_EARLY : SC3_GUNZIP_NEED;
        if (status == Z_BUF_ERROR)
          return SC3_GUNZIP_BROKEN; /* input and room, and yet no way on */
        break;
      case Z_MEM_ERROR: return SC3_GUNZIP_NOMEM;
      default:
        return *n > 0 ? SC3_GUNZIP_OUTPUT
                      : SC3_GUNZIP_BROKEN; /* what came before the damage is given out first; the
                                              error stays */
    }
  }
}
