#include "lowercase.h"

#include "../bytes/ascii.h"
#include "lowercase_table.h"
#include "../bytes/utf8.h"

enum {
  CAPITAL_I_DOT = 0x130,
  CAPITAL_SIGMA = 0x3a3,
  SMALL_SIGMA = 0x3c3,
  FINAL_SIGMA = 0x3c2,
  DOT_ABOVE = 0x307
};

const char *sc3_unicode_version(void) {
  return SC3_UNICODE_VERSION;
}

/* Of a character outside ASCII. */
static uint32_t lower(uint32_t cp) {
  size_t low = 0, high = sizeof SC3_LOWERCASE_RUNS / sizeof SC3_LOWERCASE_RUNS[0];
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (cp < SC3_LOWERCASE_RUNS[middle].first)
      high = middle;
    else if (cp > SC3_LOWERCASE_RUNS[middle].last)
      low = middle + 1;
    else if ((cp - SC3_LOWERCASE_RUNS[middle].first) % SC3_LOWERCASE_RUNS[middle].stride == 0)
      return (uint32_t)((int32_t)cp + SC3_LOWERCASE_RUNS[middle].delta);
    else
      break;
  }
  return cp;
}

static int is_in(uint32_t cp, const sc3_code_range *ranges, size_t count) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (cp < ranges[middle].first)
      high = middle;
    else if (cp > ranges[middle].last)
      low = middle + 1;
    else
      return 1;
  }
  return 0;
}

#define IS_IN(cp, table) is_in((cp), (table), sizeof(table) / sizeof(table)[0])

/* Whether a cased letter stands after `p`, nothing but case-ignorable characters between. */
static int cased_follows(const char *p, const char *end) {
  uint32_t cp;
  while (p < end) {
    p += sc3_utf8_decode(p, (size_t)(end - p), &cp);
    if (!IS_IN(cp, SC3_CASE_IGNORABLE))
      return IS_IN(cp, SC3_CASED);
  }
  return 0;
}

/* The same before `p`. */
static int cased_precedes(const char *start, const char *p) {
  uint32_t cp;
  while (p > start) {
    const char *behind = p;
    do
      p--;
    while (p > start && ((unsigned char)*p & 0xc0) == 0x80);
    (void)sc3_utf8_decode(p, (size_t)(behind - p), &cp);
    if (!IS_IN(cp, SC3_CASE_IGNORABLE))
      return IS_IN(cp, SC3_CASED);
  }
  return 0;
}

int sc3_lowercase(sc3_slice s, char *out, size_t room, size_t *n) {
  const char *p = s.p, *end = s.p + s.n;
  *n = 0;
  while (p < end) {
    uint32_t cp;
    size_t used;
    char bytes[4];
    size_t length;
    if ((unsigned char)*p < 0x80) {
      if (*n == room)
        return -1;
      out[(*n)++] = sc3_ascii_to_lower(*p++);
      continue;
    }
    used = sc3_utf8_decode(p, (size_t)(end - p), &cp);
    if (cp == CAPITAL_I_DOT) {
      if (*n == room)
        return -1;
      out[(*n)++] = 'i';
      cp = DOT_ABOVE;
    } else if (cp == CAPITAL_SIGMA) {
      cp = cased_precedes(s.p, p) && !cased_follows(p + used, end) ? FINAL_SIGMA : SMALL_SIGMA;
    } else {
      cp = lower(cp);
    }
    length = sc3_utf8_encode(cp, bytes);
    if (*n + length > room)
      return -1;
    memcpy(out + *n, bytes, length);
    *n += length;
    p += used;
  }
  return 0;
}
