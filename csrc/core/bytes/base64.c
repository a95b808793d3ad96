#include "base64.h"

#include "ascii.h"

/* The value of a digit, -1 for none; `*url` tells which alphabet it belongs to, where that makes a
 * difference. */
static int digit(char c, int *standard, int *url) {
  if (sc3_ascii_is_upper(c))
    return c - 'A';
  if (sc3_ascii_is_lower(c))
    return c - 'a' + 26;
  if (sc3_ascii_is_digit(c))
    return c - '0' + 52;
  if (c == '+' || c == '/') {
    *standard = 1;
    return c == '+' ? 62 : 63;
  }
  if (c == '-' || c == '_') {
    *url = 1;
    return c == '-' ? 62 : 63;
  }
  return -1;
}

int sc3_base64_decode(sc3_slice s, uint8_t *out, int room) {
  uint32_t bits = 0;
  int count = 0, n = 0, standard = 0, url = 0;
  size_t i, padding = 0;
  while (s.n > 0 && s.p[s.n - 1] == '=' && padding < 2) {
    s.n--;
    padding++;
  }
  if (padding > 0 && (s.n + padding) % 4 != 0)
    return -1;
  for (i = 0; i < s.n; i++) {
    int d = digit(s.p[i], &standard, &url);
    if (d < 0)
      return -1;
    bits = bits << 6 | (uint32_t)d;
    count += 6;
    if (count >= 8) {
      count -= 8;
      if (n == room)
        return -1;
      out[n++] = (uint8_t)(bits >> count);
      bits &= (1u << count) - 1;
    }
  }
  return (standard && url) || count == 6 || bits != 0 ? -1 : n;
}
