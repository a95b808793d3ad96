/* Several addresses in one field, as address books, shops and people write them. */
#include "../bytes/ascii.h"
#include "email.h"
#include "placeholder.h"
#include "../bytes/text.h"

enum { MOST = 16 }; /* addresses that are tried */

/* The length of what parts two addresses at `p`: no address holds it, but for the slash and the
   bar, which stand only before the @. */
static size_t separator(const char *p, const char *end, int behind_at) {
  static const char *const words[] = {" ::: ", ":::", " or ", " and ", " & ", NULL};
  const char *const *word;
  if (*p == ';' || *p == ',' || *p == '\n' || *p == '\r' || *p == '\t')
    return 1;
  if ((*p == '|' || *p == '/') && behind_at)
    return 1;
  if (*p != ' ' && *p != ':')
    return 0;
  for (word = words; *word != NULL; word++) {
    if (sc3_ascii_begins(sc3_slice_of(p, (size_t)(end - p)), *word))
      return strlen(*word);
  }
  return 0;
}

static int holds(sc3_slice s, char c) {
  return s.n > 0 && memchr(s.p, c, s.n) != NULL;
}

/* One part of a list. "a@x b@x" is two more; in "Name a@x <b@x>" the address is in the brackets,
   and nobody knows whether the other is the name. */
static sc3_reason read_part(sc3_slice part, sc3_reason (*read)(void *what, sc3_slice address),
                            void *what, int whole) {
  const char *p, *end = part.p + part.n, *start;
  sc3_reason why = SC3_R_EMAIL_SEVERAL;
  size_t ats = 0;
  for (p = part.p; p < end; p++)
    ats += *p == '@';
  if (ats < 2)
    return whole ? SC3_R_EMAIL_TWO_ATS : read(what, part);
  if (holds(part, '<') || !holds(part, ' '))
    return holds(part, '<') ? SC3_R_EMAIL_SEVERAL : SC3_R_EMAIL_TWO_ATS;
  for (start = p = part.p; p <= end && why != SC3_R_NONE; p++) {
    const sc3_slice word = sc3_slice_of(start, (size_t)(p - start));
    if (p < end && *p != ' ')
      continue;
    if (word.n > 0 && !holds(word, '@')) /* "jane doe@x": a part of the address, perhaps */
      return SC3_R_EMAIL_SEVERAL;
    if (word.n > 0)
      why = read(what, word);
    start = p + 1;
  }
  return why;
}

/* Takes quotes off both ends; 1 where there were any. */
static int take_quotes(sc3_slice *s) {
  const size_t before = s->n;
  while (s->n > 0 && (*s->p == '"' || *s->p == '\'')) {
    s->p++;
    s->n--;
  }
  while (s->n > 0 && (s->p[s->n - 1] == '"' || s->p[s->n - 1] == '\''))
    s->n--;
  return s->n < before;
}

sc3_slice sc3_email_only(sc3_slice s) {
  static const sc3_slice none = {NULL, 0};
  const char *p = s.p, *end = s.p + s.n, *start = s.p;
  sc3_slice only = none;
  int behind_at = 0, texts = 0,
      quoted = 0; /* texts: in quotes, which only a list has whose addresses are in quotes too */
  while (p <= end) {
    size_t n = p < end ? separator(p, end, behind_at) : 1;
    sc3_slice part;
    if (n == 0) {
      behind_at |= *p++ == '@';
      continue;
    }
    part = sc3_text_trim(sc3_slice_of(start, (size_t)(p - start)));
    if (behind_at) {
      only = part;
      quoted = take_quotes(&part);
    } else if (take_quotes(&part) && part.n > 0) {
      texts = 1;
    } else if (part.n > 0 && !sc3_is_placeholder(part)) {
      return none;
    }
    behind_at = 0;
    p += n;
    start = p;
  }
  return only.n < s.n && (quoted || !texts) ? only : none;
}

sc3_reason sc3_email_list(sc3_slice s, sc3_reason (*read)(void *what, sc3_slice address),
                          void *what) {
  const char *p = s.p, *end = s.p + s.n, *start = s.p;
  sc3_reason why = SC3_R_EMAIL_SEVERAL, first = SC3_R_NONE;
  int behind_at = 0, tried = 0,
      cut = 0; /* cut: a part without an @ stands before a comma: "jane,doe@x" */
  while (p <= end && tried < MOST) {
    size_t n = p < end ? separator(p, end, behind_at) : 1;
    if (n == 0) {
      behind_at |= *p++ == '@';
      continue;
    }
    if (behind_at) {
      sc3_slice part = sc3_text_trim(sc3_slice_of(start, (size_t)(p - start)));
      if ((cut && !holds(part, '<')) || holds(part, '/') ||
          holds(part, '|')) /* of an address, or between two */
        return SC3_R_EMAIL_SEVERAL;
      why = read_part(part, read, what, start == s.p && p == end);
      if (why == SC3_R_NONE)
        return why;
      first = first == SC3_R_NONE ? why : first;
      tried++;
    }
    cut = !behind_at && p < end && *p == ',' &&
          sc3_text_trim(sc3_slice_of(start, (size_t)(p - start))).n > 0;
    behind_at = 0;
    p += n;
    start = p;
  }
  return tried == 1 ? first : SC3_R_EMAIL_SEVERAL;
}
