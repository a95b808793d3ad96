#include "region_tally.h"

#include <stdlib.h>

#include "../bytes/ascii.h"
#include "../identity/digit.h"
#include "../bytes/utf8.h"

/* Letters, and what stands between the words of a name: no digit of any script, and no @. */
static int is_name(sc3_slice s) {
  if (s.n == 0 || s.n > SC3_TALLY_NAME_BYTES)
    return 0;
  while (s.n > 0) {
    uint32_t c;
    size_t used = sc3_utf8_decode(s.p, s.n, &c);
    if (used == 0 || sc3_digit_value(c) >= 0 || c == 0xfe6b || c == 0xff20)
      return 0;
    if (c < 0x80 &&
        !(sc3_ascii_is_letter((int)c) || (c != 0 && strchr(" .,'&()-", (int)c) != NULL)))
      return 0;
    s.p += used;
    s.n -= used;
  }
  return 1;
}

sc3_status sc3_region_tally_add(sc3_region_tally **made, sc3_slice name) {
  sc3_region_tally *t = *made != NULL ? *made : (*made = calloc(1, sizeof *t));
  size_t i;
  if (t == NULL)
    return SC3_ENOMEM;
  for (i = 0; i < t->n; i++) {
    if (t->names[i].n == name.n && memcmp(t->names[i].text, name.p, name.n) == 0) {
      t->names[i].count++;
      return SC3_OK;
    }
  }
  if (t->n == SC3_TALLY_NAMES || !is_name(name)) {
    t->others++;
    return SC3_OK;
  }
  memcpy(t->names[t->n].text, name.p, name.n);
  t->names[t->n].n = (unsigned char)name.n;
  t->names[t->n].count = 1;
  t->n++;
  return SC3_OK;
}
