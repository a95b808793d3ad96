#include "phone_extension.h"

#include "../bytes/ascii.h"
#include "digit.h"

static uint32_t fold(uint32_t c) {
  if (sc3_ascii_is_upper((int)c) || (c >= 0xff21 && c <= 0xff3a) || (c >= 0x410 && c <= 0x42f) ||
      c == 0xd3)
    return c + 0x20;
  return c;
}

static int is_space(uint32_t c) {
  return c == ' ' || c == 0xa0 || c == '\t';
}

static size_t skip_spaces(const sc3_phone_chars *s, size_t i, int commas) {
  while (i < s->n && (is_space(s->at[i]) || (commas && s->at[i] == ',')))
    i++;
  return i;
}

/* Whether [:.]? and separators, one to `most` digits and, with `hash`, a # take the rest of the
 * text. */
static int ends_in_digits(const sc3_phone_chars *s, size_t i, int separators, size_t most,
                          int hash) {
  size_t count = 0;
  if (separators) {
    if (i < s->n && (s->at[i] == ':' || s->at[i] == '.' || s->at[i] == 0xff0e))
      i++;
    while (i < s->n && (is_space(s->at[i]) || s->at[i] == ',' || s->at[i] == '-'))
      i++;
  }
  while (i < s->n && sc3_digit_value(s->at[i]) >= 0) {
    i++;
    count++;
  }
  if (hash && i < s->n && s->at[i] == '#')
    i++;
  return i == s->n && count >= 1 && count <= most;
}

/* The place after a word, without regard to case; 0 where it does not stand. */
static size_t word(const sc3_phone_chars *s, size_t i, const uint32_t *letters) {
  for (; *letters != 0; letters++, i++) {
    if (i == s->n || fold(s->at[i]) != *letters)
      return 0;
  }
  return i;
}

/* At `i`, which is inside the text: ext, extn, xt, extension, extensión and their full-width forms,
 * доб, anexo: the place after, 0 for none. */
static size_t explicit_label(const sc3_phone_chars *s, size_t i) {
  static const uint32_t xt[] = {'x', 't', 0}, ensi[] = {'e', 'n', 's', 'i', 0},
                        wide_xt[] = {0xff58, 0xff54, 0}, dob[] = {0x434, 0x43e, 0x431, 0},
                        anexo[] = {'a', 'n', 'e', 'x', 'o', 0};
  size_t behind, longer;
  behind = word(s, i + (fold(s->at[i]) == 'e'), xt);
  if (behind > 0) {
    longer = word(s, behind, ensi);
    if (longer > 0 && longer < s->n && fold(s->at[longer]) == 'o')
      behind = longer + 1 + (longer + 1 < s->n && s->at[longer + 1] == 0x301);
    else if (longer > 0 && longer < s->n && fold(s->at[longer]) == 0xf3)
      behind = longer + 1;
    return behind + (behind < s->n && fold(s->at[behind]) == 'n');
  }
  behind = word(s, i + (fold(s->at[i]) == 0xff45), wide_xt);
  if (behind > 0)
    return behind + (behind < s->n && fold(s->at[behind]) == 0xff4e);
  behind = word(s, i, dob);
  return behind > 0 ? behind : word(s, i, anexo);
}

/* The same: x, #, ~, int and their full-width forms. */
static size_t ambiguous_label(const sc3_phone_chars *s, size_t i) {
  static const uint32_t narrow[] = {'i', 'n', 't', 0}, wide[] = {0xff49, 0xff4e, 0xff54, 0};
  uint32_t c;
  size_t behind;
  c = fold(s->at[i]);
  if (c == 'x' || c == 0xff58 || c == '#' || c == 0xff03 || c == '~' || c == 0xff5e)
    return i + 1;
  behind = word(s, i, narrow);
  return behind > 0 ? behind : word(s, i, wide);
}

/* What of an extension may begin with a character. */
enum beginning { OTHER, SEPARATOR, LABEL };

static enum beginning beginning_of(uint32_t c) {
  static const unsigned char ascii[128] = {
      [';'] = SEPARATOR, [' '] = SEPARATOR, [','] = SEPARATOR, ['\t'] = SEPARATOR,
      ['-'] = SEPARATOR, ['#'] = LABEL,     ['~'] = LABEL,     ['x'] = LABEL,
      ['X'] = LABEL,     ['e'] = LABEL,     ['E'] = LABEL,     ['i'] = LABEL,
      ['I'] = LABEL,     ['a'] = LABEL,     ['A'] = LABEL,
  };
  if (c < 0x80)
    return (enum beginning)ascii[c];
  if (c == 0xa0)
    return SEPARATOR;
  return (c >= 0xff00 && c <= 0xff5e) || c == 0x434 || c == 0x414 ? LABEL : OTHER;
}

/* Whether a label at `i` and digits behind it take the rest of the text. */
static int is_labelled(const sc3_phone_chars *s, size_t i) {
  size_t after;
  if (i == s->n || beginning_of(s->at[i]) != LABEL)
    return 0;
  after = explicit_label(s, i);
  if (after > 0 && ends_in_digits(s, after, 1, 20, 1))
    return 1;
  after = ambiguous_label(s, i);
  return after > 0 && ends_in_digits(s, after, 1, 9, 1);
}

int sc3_phone_is_extension(const sc3_phone_chars *s, size_t from) {
  static const uint32_t rfc[] = {';', 'e', 'x', 't', '=', 0};
  size_t i;
  if (from == s->n || beginning_of(s->at[from]) == OTHER)
    return 0;
  i = s->at[from] == ';' ? word(s, from, rfc) : 0;
  if (i > 0 && ends_in_digits(s, i, 0, 20, 0))
    return 1;
  if (is_labelled(s, skip_spaces(s, from, 1)))
    return 1;
  for (i = from; i < s->n && (s->at[i] == '-' || s->at[i] == ' '); i++)
    continue;
  if (i > from && s->at[s->n - 1] == '#' && ends_in_digits(s, i, 0, 6, 1))
    return 1;
  i = skip_spaces(s, from, 0);
  if (i < s->n && s->at[i] == ';' && ends_in_digits(s, i + 1, 1, 15, 1))
    return 1;
  if (i + 1 < s->n && s->at[i] == ',' && s->at[i + 1] == ',' && ends_in_digits(s, i + 2, 1, 15, 1))
    return 1;
  return i < s->n && s->at[i] == ',' && ends_in_digits(s, i + 1, 1, 9, 1);
}
