#include "region.h"

#include "phone_plan.h"
#include "region_table.h"
#include "utf8.h"

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
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      folded = (char)c;
    else if (c >= 'A' && c <= 'Z')
      folded = (char)(c + ('a' - 'A'));
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
  return n;
}

static int look_up(const char *name, size_t n) {
  size_t low = 0, high = sizeof SC3_REGION_NAMES / sizeof SC3_REGION_NAMES[0];
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const char *other = SC3_REGION_NAMES[middle].name;
    int order = strncmp(name, other, n);
    if (order == 0 && other[n] != '\0')
      order = -1;
    if (order == 0)
      return sc3_plan_region(sc3_slice_of(SC3_REGION_NAMES[middle].code, 2));
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return SC3_NO_REGION;
}

int sc3_region_find(sc3_slice name) {
  char folded[NAME_MAX_FOLDED];
  size_t n = fold(name, folded);
  int found = n > 0 ? look_up(folded, n) : SC3_NO_REGION;
  const char *open = name.n > 0 ? memchr(name.p, '(', name.n) : NULL;
  if (found == SC3_NO_REGION && open != NULL && open > name.p) { /* "Slovakia (Slovak Republic)" */
    n = fold(sc3_slice_of(name.p, (size_t)(open - name.p)), folded);
    found = n > 0 ? look_up(folded, n) : SC3_NO_REGION;
  }
  return found;
}
