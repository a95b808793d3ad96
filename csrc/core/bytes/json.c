#include "json.h"

#include <stdint.h>

static int plain(unsigned char c) {
  return c >= 0x20 && c != '"' && c != '\\';
}

/* The bytes of `s` at its head that are plain for sure: eight at a time. A byte below `n` borrows
   into its high bit, which a byte of 0x80 or more has already, so those are asked for apart; a
   borrow from the byte before can only add a false alarm. */
static size_t plain_head(sc3_slice s) {
  const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
  size_t i;
  if (s.n < 8)
    return 0;
  for (i = 0; i < s.n; i += 8) {
    uint64_t w, quote, slash;
    memcpy(&w, s.p + (i + 8 <= s.n ? i : s.n - 8), 8); /* the last eight, some of them again */
    quote = w ^ ones * '"';
    slash = w ^ ones * '\\';
    if (((((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) &
         high) != 0)
      return i;
  }
  return s.n;
}

sc3_status sc3_json_escape(sc3_buffer *b, sc3_slice s) {
  static const char digits[] = "0123456789abcdef";
  size_t i, start = 0, extra = 0;
  sc3_status st;
  for (i = plain_head(s); i < s.n; i++) {
    if (!plain((unsigned char)s.p[i]))
      extra += 5; /* the longest form is \u00xx */
  }
  st = sc3_buffer_reserve(b, s.n + extra);
  if (st != SC3_OK)
    return st;
  if (extra == 0) {
    if (s.n > 0)
      sc3_buffer_put(b, s.p, s.n);
    return SC3_OK;
  }
  for (i = 0; i < s.n; i++) {
    unsigned char c = (unsigned char)s.p[i];
    char u[6] = {'\\', 'u', '0', '0', 0, 0};
    if (plain(c))
      continue;
    sc3_buffer_put(b, s.p + start, i - start);
    start = i + 1;
    if (c == '"' || c == '\\') {
      u[1] = (char)c;
      sc3_buffer_put(b, u, 2);
    } else {
      u[4] = digits[c >> 4];
      u[5] = digits[c & 15];
      sc3_buffer_put(b, u, 6);
    }
  }
  sc3_buffer_put(b, s.p + start, s.n - start);
  return SC3_OK;
}
