#include "region_tally.h"

#include "utf8.h"

/* Letters, and what stands between the words of a name. */
static int is_name(sc3_slice s) {
  size_t i;
  if (s.n == 0 || s.n > SC3_TALLY_NAME_BYTES || !sc3_utf8_valid(s.p, s.n))
    return 0;
  for (i = 0; i < s.n; i++) {
    char c = s.p[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || ((unsigned char)c & 0x80) != 0 || (c != '\0' && strchr(" .,'&()-", c) != NULL)))
      return 0;
  }
  return 1;
}

void sc3_region_tally_add(sc3_region_tally *t, sc3_slice name) {
  size_t i;
  for (i = 0; i < t->n; i++) {
    if (t->names[i].n == name.n && memcmp(t->names[i].text, name.p, name.n) == 0) {
      t->names[i].count++;
      return;
    }
  }
  if (t->n == SC3_TALLY_NAMES || !is_name(name)) {
    t->others++;
    return;
  }
  memcpy(t->names[t->n].text, name.p, name.n);
  t->names[t->n].n = (unsigned char)name.n;
  t->names[t->n].count = 1;
  t->n++;
}
