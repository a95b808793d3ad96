#include "region.h"

#include <stdlib.h>

#include "../bytes/ascii.h"
#include "phone_plan.h"
#include "region_table.h"
#include "../bytes/utf8.h"

enum { NAME_MAX_FOLDED = 64 };

/* A letter of Latin-1 without its accent, 0 for others. */
static char bare(uint32_t c) {
  static const char letters[] = "aaaaaa\0ceeeeiiii\0nooooo\0ouuuuy\0\0";
  if (c >= 0xc0 && c <= 0xff)
    return letters[(c - 0xc0) & 0x1f];
  return 0;
}

/* The name in lowercase letters and digits; 0 when it is too long. */
static size_t fold(sc3_slice s, char out[NAME_MAX_FOLDED]) {
  size_t n = 0;
  while (s.n > 0) {
    uint32_t c;
    char folded = 0;
    size_t used = sc3_utf8_decode(s.p, s.n, &c);
    if (used == 0)
      return 0;
    if (sc3_ascii_is_alphanumeric((int)c))
      folded = sc3_ascii_to_lower((char)c);
    else
      folded = bare(c);
    if (n + 3 > NAME_MAX_FOLDED)
      return 0;
    if (c == '&') {
      memcpy(out + n, "and", 3);
      n += 3;
    } else if (folded != 0) {
      out[n++] = folded;
    }
    s.p += used;
    s.n -= used;
  }
  if (n > 3 && memcmp(out, "the", 3) == 0) {
    n -= 3;
    memmove(out, out + 3, n);
  }
  if (n > 3 && memcmp(out + n - 3, "the", 3) == 0) /* "Gambia, The" */
    n -= 3;
  return n;
}

static int look_up(const char *name, size_t n) {
  size_t low = 0, high = sizeof SC3_REGION_NAME_AT / sizeof SC3_REGION_NAME_AT[0];
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const char *code = SC3_REGION_NAMES + SC3_REGION_NAME_AT[middle], *other = code + 2;
    int order = strncmp(name, other, n);
    if (order == 0 && other[n] != '\0')
      order = -1;
    if (order == 0) {
      int region = sc3_plan_region(sc3_slice_of(code, 2));
      return region == SC3_NO_REGION ? SC3_REGION_NO_PLAN : region;
    }
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return SC3_NO_REGION;
}

static int find_folded(sc3_slice name) {
  char folded[NAME_MAX_FOLDED];
  size_t n = fold(name, folded);
  return n > 0 ? look_up(folded, n) : SC3_NO_REGION;
}

/* Names that several countries have: what stands in brackets after them decides, and where it is
 * not known nothing does. */
static int is_shared(sc3_slice name) {
  static const char *const shared[] = {"korea",   "congo",   "ireland",     "irland",
                                       "irlande", "irlanda", "ierland",     "guinea",
                                       "sudan",   "samoa",   "saintmartin", NULL};
  char folded[NAME_MAX_FOLDED];
  size_t n = fold(name, folded);
  const char *const *s;
  for (s = shared; *s != NULL; s++) {
    if (strlen(*s) == n && memcmp(*s, folded, n) == 0)
      return 1;
  }
  return 0;
}

int sc3_region_find(sc3_slice name) {
  int found = sc3_plan_region(name), inside;
  const char *open;
  sc3_slice before;
  if (found != SC3_NO_REGION) /* a code, as most exports have it */
    return found;
  found = find_folded(name);
  if (found == SC3_NO_REGION)
    found = sc3_region_find_tagged(name);
  open = name.n > 0 ? memchr(name.p, '(', name.n) : NULL;
  if (found != SC3_NO_REGION || open == NULL || open == name.p)
    return found;
  /* "Slovakia (Slovak Republic)" is Slovakia; "China (Hong Kong)" may be either, so it is neither.
   */
  before = sc3_slice_of(name.p, (size_t)(open - name.p));
  found = find_folded(before);
  inside = find_folded(sc3_slice_of(open, name.n - before.n));
  return (inside == SC3_NO_REGION && !is_shared(before)) || inside == found ? found : SC3_NO_REGION;
}

int sc3_region_recall(sc3_region_memo **made, sc3_slice name) {
  const unsigned char *p = (const unsigned char *)name.p;
  sc3_region_memo *memo = *made != NULL ? *made : (*made = calloc(1, sizeof *memo));
  size_t at;
  if (memo == NULL || name.n == 0 || name.n > SC3_MEMO_NAME)
    return sc3_region_find(name);
  at = (name.n * 37 + p[0] * 5u + p[name.n / 2] * 11u + p[name.n - 1] * 3u) % SC3_MEMO_SLOTS;
  if (memo->slots[at].n != name.n || memcmp(memo->slots[at].name, name.p, name.n) != 0) {
    memo->slots[at].region = (int16_t)sc3_region_find(name);
    memo->slots[at].n = (unsigned char)name.n;
    memcpy(memo->slots[at].name, name.p, name.n);
  }
  return memo->slots[at].region;
}
