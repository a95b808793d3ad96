#include "phone_text.h"

#include "utf8.h"

typedef struct characters {
  uint32_t at[SC3_DIGITS_MAX];
  size_t n;
} characters;

/* The value of a decimal digit: ASCII, full-width, Arabic-Indic, Eastern Arabic-Indic; -1 for others. */
static int digit(uint32_t c) {
  static const uint32_t zeros[] = {'0', 0xff10, 0x660, 0x6f0};
  size_t i;
  for (i = 0; i < sizeof zeros / sizeof zeros[0]; i++) {
    if (c >= zeros[i] && c <= zeros[i] + 9)
      return (int)(c - zeros[i]);
  }
  return -1;
}

static int is_letter(uint32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_plus(uint32_t c) {
  return c == '+' || c == 0xff0b;
}

/* What may stand between the digits of a number. */
static int is_punctuation(uint32_t c) {
  if (c < 0x80)
    return c != 0 && strchr("-xX ().[]/~", (int)c) != NULL;
  return (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0x30fc || (c >= 0xff0d && c <= 0xff0f) || c == 0xa0 || c == 0xad ||
         c == 0x200b || c == 0x2060 || c == 0x3000 || c == 0xff08 || c == 0xff09 || c == 0xff3b || c == 0xff3d || c == 0x2053 ||
         c == 0x223c || c == 0xff5e;
}

static uint32_t fold(uint32_t c) {
  if ((c >= 'A' && c <= 'Z') || (c >= 0xff21 && c <= 0xff3a) || (c >= 0x410 && c <= 0x42f) || c == 0xd3)
    return c + 0x20;
  return c;
}

/* --- extensions --------------------------------------------------------------------------------------------------- */

static int is_space(uint32_t c) {
  return c == ' ' || c == 0xa0 || c == '\t';
}

static size_t skip_spaces(const characters *s, size_t i, int commas) {
  while (i < s->n && (is_space(s->at[i]) || (commas && s->at[i] == ',')))
    i++;
  return i;
}

/* Whether [:.]? and separators, one to `most` digits and, with `hash`, a # take the rest of the text. */
static int ends_in_digits(const characters *s, size_t i, int separators, size_t most, int hash) {
  size_t count = 0;
  if (separators) {
    if (i < s->n && (s->at[i] == ':' || s->at[i] == '.' || s->at[i] == 0xff0e))
      i++;
    while (i < s->n && (is_space(s->at[i]) || s->at[i] == ',' || s->at[i] == '-'))
      i++;
  }
  while (i < s->n && digit(s->at[i]) >= 0) {
    i++;
    count++;
  }
  if (hash && i < s->n && s->at[i] == '#')
    i++;
  return i == s->n && count >= 1 && count <= most;
}

/* The place behind a word, without regard to case; 0 where it does not stand. */
static size_t word(const characters *s, size_t i, const uint32_t *letters) {
  for (; *letters != 0; letters++, i++) {
    if (i == s->n || fold(s->at[i]) != *letters)
      return 0;
  }
  return i;
}

/* ext, extn, xt, extension, extensión and their full-width forms, доб, anexo: the place behind, 0 for none. */
static size_t explicit_label(const characters *s, size_t i) {
  static const uint32_t xt[] = {'x', 't', 0}, ensi[] = {'e', 'n', 's', 'i', 0}, wide_xt[] = {0xff58, 0xff54, 0},
                        dob[] = {0x434, 0x43e, 0x431, 0}, anexo[] = {'a', 'n', 'e', 'x', 'o', 0};
  size_t behind, longer;
  if (i == s->n)
    return 0;
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

/* x, #, ~, int and their full-width forms. */
static size_t ambiguous_label(const characters *s, size_t i) {
  static const uint32_t narrow[] = {'i', 'n', 't', 0}, wide[] = {0xff49, 0xff4e, 0xff54, 0};
  uint32_t c;
  size_t behind;
  if (i == s->n)
    return 0;
  c = fold(s->at[i]);
  if (c == 'x' || c == 0xff58 || c == '#' || c == 0xff03 || c == '~' || c == 0xff5e)
    return i + 1;
  behind = word(s, i, narrow);
  return behind > 0 ? behind : word(s, i, wide);
}

/* Whether an extension begins at `from` and takes the rest of the text: the six forms that libphonenumber knows. */
static int is_extension(const characters *s, size_t from) {
  static const uint32_t rfc[] = {';', 'e', 'x', 't', '=', 0};
  size_t i = word(s, from, rfc), after;
  if (i > 0 && ends_in_digits(s, i, 0, 20, 0))
    return 1;
  i = skip_spaces(s, from, 1);
  after = explicit_label(s, i);
  if (after > 0 && ends_in_digits(s, after, 1, 20, 1))
    return 1;
  after = ambiguous_label(s, i);
  if (after > 0 && ends_in_digits(s, after, 1, 9, 1))
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

/* --- the number --------------------------------------------------------------------------------------------------- */

/* Two digits; or pluses, three digits with punctuation between, then digits, letters and punctuation, and an extension. */
static int is_viable(const characters *s) {
  size_t i = 0;
  int digits = 0;
  if (s->n == 2 && digit(s->at[0]) >= 0 && digit(s->at[1]) >= 0)
    return 1;
  while (i < s->n && is_plus(s->at[i]))
    i++;
  for (; i < s->n; i++) {
    if (digits >= 3 && is_extension(s, i))
      return 1;
    if (digit(s->at[i]) >= 0)
      digits++;
    else if (!is_punctuation(s->at[i]) && s->at[i] != '*' && !(digits >= 3 && is_letter(s->at[i])))
      return 0;
  }
  return digits >= 3;
}

static void cut(characters *s, size_t from, size_t n) {
  memmove(s->at, s->at + from, n * sizeof s->at[0]);
  s->n = n;
}

/* Leaves of a text what may be a number. */
static void find_number(characters *s) {
  static const uint32_t isub[] = {';', 'i', 's', 'u', 'b', '=', 0};
  size_t start = 0, end = s->n, i;
  while (start < s->n && !is_plus(s->at[start]) && digit(s->at[start]) < 0)
    start++;
  while (end > start && digit(s->at[end - 1]) < 0 && !is_letter(s->at[end - 1]) && s->at[end - 1] != '#')
    end--;
  cut(s, start, end - start);
  for (i = 0; i < s->n; i++) { /* "123 / x 456": a second number */
    size_t j = i + 1;
    if (s->at[i] != '/' && s->at[i] != '\\')
      continue;
    while (j < s->n && s->at[j] == ' ')
      j++;
    if (j < s->n && s->at[j] == 'x') {
      s->n = i;
      break;
    }
  }
  for (i = 1; i < s->n; i++) {
    size_t j;
    for (j = 0; isub[j] != 0 && i + j < s->n && s->at[i + j] == isub[j]; j++)
      continue;
    if (isub[j] == 0) {
      s->n = i;
      break;
    }
  }
}

static void take_extension_off(characters *s) {
  size_t i, whole = s->n;
  for (i = 0; i < whole; i++) {
    if (!is_extension(s, i))
      continue;
    s->n = i;
    if (!is_viable(s))
      s->n = whole;
    return;
  }
}

static int holds_context(sc3_slice raw) {
  static const char mark[] = ";phone-context=";
  size_t i;
  for (i = 0; i + sizeof mark - 1 <= raw.n; i++) {
    if (memcmp(raw.p + i, mark, sizeof mark - 1) == 0)
      return 1;
  }
  return 0;
}

sc3_reason sc3_phone_read(sc3_slice raw, sc3_phone_text *text) {
  static const char keypad[] = "22233344455566677778889999"; /* A to Z */
  characters s;
  size_t i, units = 0, letters = 0, digits = 0;
  if (holds_context(raw))
    return SC3_R_PHONE_CONTEXT;
  s.n = 0;
  while (raw.n > 0) {
    uint32_t c;
    size_t used = sc3_utf8_decode(raw.p, raw.n, &c);
    units += c > 0xffff ? 2 : 1; /* libphonenumber counts UTF-16 */
    if (units > SC3_DIGITS_MAX)
      return SC3_R_PHONE_TOO_LONG;
    digits += digit(c) >= 0;
    s.at[s.n++] = c;
    raw.p += used;
    raw.n -= used;
  }
  if (digits == 0)
    return SC3_R_PHONE_LETTERS;
  find_number(&s);
  if (!is_viable(&s))
    return digits < 3 ? SC3_R_PHONE_TOO_SHORT : SC3_R_PHONE_CHARACTER;
  text->plus = s.n > 0 && is_plus(s.at[0]);
  take_extension_off(&s);
  for (i = 0; i < s.n; i++)
    letters += (size_t)is_letter(s.at[i]);
  text->n = 0;
  for (i = 0; i < s.n; i++) {
    if (digit(s.at[i]) >= 0)
      text->digits[text->n++] = (char)('0' + digit(s.at[i]));
    else if (letters >= 3 && is_letter(s.at[i]))
      text->digits[text->n++] = keypad[(s.at[i] | 0x20) - 'a'];
  }
  return SC3_R_NONE;
}
