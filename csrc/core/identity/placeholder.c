#include "placeholder.h"

#include "../bytes/ascii.h"
#include "placeholder_table.h"
#include "../bytes/text.h"
#include "../bytes/utf8.h"

_Static_assert(sizeof SC3_PLACEHOLDERS[0] == SC3_PLACEHOLDER_LONGEST + 1,
               "the longest word of the table");

/* Whether a word of the table stands there, in any case: `general` for one that is none of
 * anything, else of emails and phones too. */
static int is_word(sc3_slice s, int general) {
  size_t i, end;
  char first;
  if (s.n == 0 || s.n >= sizeof SC3_PLACEHOLDERS[0])
    return 0;
  first = sc3_ascii_to_lower(s.p[0]);
  if ((unsigned char)first >= 128 || (SC3_PLACEHOLDER_FIRSTS[first / 64] >> first % 64 & 1) == 0)
    return 0;
  end = general ? SC3_PLACEHOLDERS_GENERAL_END[s.n] : SC3_PLACEHOLDERS_START[s.n + 1];
  for (i = SC3_PLACEHOLDERS_START[s.n]; i < end; i++) {
    if (sc3_ascii_begins(s, SC3_PLACEHOLDERS[i]))
      return 1;
  }
  return 0;
}

/* #NAME?, #REF!, #DIV/0! and what they are in other languages: #WERT!, #BEZUG!, #¿NOMBRE?. */
static int is_spreadsheet_error(sc3_slice s) {
  size_t i;
  if (s.n < 4 || s.n > 32 || s.p[0] != '#' || (s.p[s.n - 1] != '!' && s.p[s.n - 1] != '?'))
    return 0;
  for (i = 1; i < s.n; i++) {
    const unsigned char c = (unsigned char)s.p[i];
    if (c <= ' ' || c == '@' || (c >= '1' && c <= '9'))
      return 0;
  }
  return 1;
}

int sc3_is_placeholder(sc3_slice s) {
  if (s.n == 0)
    return 0;
  if (sc3_ascii_begins(s, "noemail@"))
    return 1;
  return is_word(s, 0) || is_spreadsheet_error(s);
}

/* One word over and over, as programs make it that join two columns: nullnull, None None,
 * undefined-undefined. */
static int is_joined(sc3_slice s) {
  static const char *const words[] = {"null", "none", "undefined", "unknown", "nan", "n/a", NULL};
  const char *const *word;
  for (word = words; *word != NULL; word++) {
    size_t n, at = 0;
    if (!sc3_ascii_begins(s, *word))
      continue;
    n = strlen(*word);
    while (at < s.n && sc3_ascii_begins(sc3_slice_of(s.p + at, s.n - at), *word)) {
      at += n;
      while (at < s.n && s.p[at] != '\0' && strchr(" -_|:.,;/", s.p[at]) != NULL)
        at++;
    }
    if (at == s.n)
      return 1;
  }
  return 0;
}

/* Neither a letter nor a digit: "-", "...", "???". Outside ASCII, punctuation. */
static int is_hollow(sc3_slice s) {
  size_t i = 0;
  while (i < s.n) {
    uint32_t c = (unsigned char)s.p[i];
    size_t used = c < 0x80 ? 1 : sc3_utf8_decode(s.p + i, s.n - i, &c);
    if (c < 0x80 ? sc3_ascii_is_alphanumeric((int)c) : !sc3_text_is_punctuation(c))
      return 0;
    i += used > 0 ? used : 1;
  }
  return 1;
}

/* What a template has where nobody put a value in: {{customer.id}}, ${ID}, *|ID|*, %%ID%%, <%= id
 * %>. */
static int is_template(sc3_slice s) {
  static const char *const marks[][2] = {
      {"{{", "}}"}, {"${", "}"}, {"*|", "|*"}, {"%%", "%%"}, {"<%", "%>"}};
  size_t i;
  if (sc3_ascii_is_alphanumeric(s.p[0])) /* as most ids do, and no mark */
    return 0;
  for (i = 0; i < sizeof marks / sizeof marks[0]; i++) {
    size_t open = strlen(marks[i][0]), close = strlen(marks[i][1]);
    if (s.n > open + close && memcmp(s.p, marks[i][0], open) == 0 &&
        memcmp(s.p + s.n - close, marks[i][1], close) == 0)
      return 1;
  }
  return 0;
}

int sc3_is_placeholder_id(sc3_slice s) {
  size_t i;
  if (s.n == 0)
    return 0;
  if (is_template(s) || is_word(s, 1) || is_joined(s) || is_hollow(s) || is_spreadsheet_error(s))
    return 1;
  if (s.n != 36 || s.p[8] != '-' || s.p[13] != '-' || s.p[18] != '-' || s.p[23] != '-')
    return 0;
  for (i = 1; i < s.n && (s.p[i] == s.p[0] || s.p[i] == '-'); i++)
    continue;
  return i == s.n;
}

/* 64 bits are enough to tell: that another hash begins with those of one of a few words does not
 * happen. */
int sc3_is_placeholder_hash(const char hex[SC3_SHA256_HEX]) {
  size_t low = 0, left = sizeof SC3_PLACEHOLDER_HASHES / sizeof SC3_PLACEHOLDER_HASHES[0], i;
  uint64_t begin = 0;
  for (i = 0; i < 16; i++) /* of a letter bit 6 is set, and its low bits count from 1 */
    begin = begin << 4 | (uint64_t)((hex[i] & 15) + (hex[i] >> 6) * 9);
  while (left > 1) { /* without a branch that a processor would have to guess */
    const size_t half = left / 2;
    low += SC3_PLACEHOLDER_HASHES[low + half] <= begin ? half : 0;
    left -= half;
  }
  return SC3_PLACEHOLDER_HASHES[low] == begin;
}
