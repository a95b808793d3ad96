/* Countries inside longer codes: ISO 3166-2 (US-WA, GB-ENG) and names of locales (en_US,
 * pt_BR.UTF-8, zh-Hant-TW). */
#include "../bytes/ascii.h"
#include "phone_plan.h"
#include "region.h"

enum { PARTS_MAX = 4 };

static int all_upper(sc3_slice s) {
  size_t i = 0;
  while (i < s.n && sc3_ascii_is_upper(s.p[i]))
    i++;
  return i == s.n;
}

static int is_number(sc3_slice s) {
  size_t i = 0;
  while (i < s.n && sc3_ascii_is_digit(s.p[i]))
    i++;
  return i == s.n;
}

/* Whether two letters, in any case, are a language's in ISO 639-1 and a country's too: the others
   cannot be mistaken for countries. */
static int is_language(sc3_slice s) {
  static const char languages[] =
      "af am ar as az ba be bg bh bi bm bn bo br bs ca ch co cr cu cv cy da de dz ee es et fi fj "
      "fo fr ga gd gl gn gu "
      "hr ht hu id ie is it ke kg ki km kn kr kw ky la lb li lt lu lv mg mh mk ml mn mr ms mt my "
      "na ne ng nl no nr om "
      "pa pl ps pt qu ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st sv sz tg "
      "th tk tl tn to tr tt tw ug uz ve vi za";
  const char a = (char)(s.p[0] | 0x20), b = (char)(s.p[1] | 0x20), *p = languages;
  for (; p[2] != '\0'; p += 3) {
    if (p[0] == a && p[1] == b)
      return 1;
  }
  return p[0] == a && p[1] == b;
}

/* Parts of two to eight letters and digits, between dashes or underscores; 0 for another text. */
static size_t split(sc3_slice s, sc3_slice parts[PARTS_MAX]) {
  size_t i, start = 0, n = 0;
  for (i = 0; i < s.n && s.p[i] != '.' && s.p[i] != '@'; i++) { /* an encoding, a modifier */
    if (sc3_ascii_is_alphanumeric(s.p[i]))
      continue;
    if ((s.p[i] != '-' && s.p[i] != '_') || n == PARTS_MAX || i == start)
      return 0;
    parts[n++] = sc3_slice_of(s.p + start, i - start);
    start = i + 1;
  }
  if (n == 0 || n == PARTS_MAX || i == start)
    return 0;
  parts[n++] = sc3_slice_of(s.p + start, i - start);
  return n;
}

static int country(sc3_slice part) {
  return part.n == 2 ? sc3_plan_region(part) : SC3_NO_REGION;
}

/* The country of a locale: the first part after the language that is one. */
static int of_locale(const sc3_slice *parts, size_t n) {
  size_t i;
  for (i = 1; i < n; i++) {
    if (country(parts[i]) != SC3_NO_REGION)
      return country(parts[i]);
  }
  return SC3_NO_REGION;
}

int sc3_region_find_tagged(sc3_slice name) {
  sc3_slice parts[PARTS_MAX];
  size_t n = split(name, parts);
  int first, locale;
  char joint;
  if (n == 0 || parts[0].n < 2 || parts[0].n > 3)
    return SC3_NO_REGION;
  first = all_upper(parts[0]) ? sc3_region_find(parts[0]) : country(parts[0]); /* USA and UK too */
  locale = of_locale(parts, n);
  joint = parts[0].p[parts[0].n];
  if (first < 0 || first == locale)
    return locale;
  if (locale < 0 && !all_upper(parts[0]) && is_number(parts[1])) /* es-419, of Latin America */
    return SC3_NO_REGION;
  if (locale < 0 || parts[0].n == 3 || !is_language(parts[0]))
    return n == 2 && parts[1].n <= 3 ? first : SC3_NO_REGION;
  if (!all_upper(parts[0])) /* de-AT, pt_br */
    return locale;
  if (joint == '-' && n == 2) /* US-CA, BR-PA */
    return first;
  return SC3_NO_REGION; /* BR_PA may be either */
}
