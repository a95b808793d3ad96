#include "phone_text.h"

#include "../bytes/ascii.h"
#include "digit.h"
#include "phone_extension.h"
#include "../bytes/utf8.h"

static int is_plus(uint32_t c) {
  return c == '+' || c == 0xff0b;
}

/* What may stand between the digits of a number. */
static int is_punctuation(uint32_t c) {
  static const char ascii[128] = {
      ['-'] = 1, ['x'] = 1, ['X'] = 1, [' '] = 1, ['('] = 1, [')'] = 1,
      ['.'] = 1, ['['] = 1, [']'] = 1, ['/'] = 1, ['~'] = 1,
  };
  if (c < 0x80)
    return ascii[c];
  return (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0x30fc ||
         (c >= 0xff0d && c <= 0xff0f) || c == 0xa0 || c == 0xad || c == 0x200b || c == 0x2060 ||
         c == 0x3000 || c == 0xff08 || c == 0xff09 || c == 0xff3b || c == 0xff3d || c == 0x2053 ||
         c == 0x223c || c == 0xff5e;
}

/* Two digits; or pluses, three digits with punctuation between, then digits, letters and
 * punctuation, and an extension. */
static int is_viable(const sc3_phone_chars *s) {
  size_t i = 0;
  int digits = 0;
  if (s->n == 2 && sc3_digit_value(s->at[0]) >= 0 && sc3_digit_value(s->at[1]) >= 0)
    return 1;
  while (i < s->n && is_plus(s->at[i]))
    i++;
  for (; i < s->n; i++) {
    if (digits >= 3 && sc3_phone_is_extension(s, i))
      return 1;
    if (sc3_digit_value(s->at[i]) >= 0)
      digits++;
    else if (!is_punctuation(s->at[i]) && s->at[i] != '*' &&
             !(digits >= 3 && sc3_ascii_is_letter((int)s->at[i])))
      return 0;
  }
  return digits >= 3;
}

/* --- tel: URIs --- */

/* The place of an ASCII word, `s->n` for none. */
static size_t find(const sc3_phone_chars *s, const char *word) {
  size_t i, j;
  for (i = 0; i < s->n; i++) {
    for (j = 0; word[j] != '\0' && i + j < s->n && s->at[i + j] == (unsigned char)word[j]; j++)
      continue;
    if (word[j] == '\0')
      return i;
  }
  return s->n;
}

/* A plus, then digits and separators. */
static int is_global_context(const sc3_phone_chars *s, size_t from, size_t to) {
  int digits = 0;
  if (from == to || s->at[from] != '+')
    return 0;
  for (from++; from < to; from++) {
    if (sc3_digit_value(s->at[from]) >= 0)
      digits = 1;
    else if (s->at[from] != '-' && s->at[from] != '.' && s->at[from] != '(' && s->at[from] != ')')
      return 0;
  }
  return digits;
}

/* Labels of letters, digits and inner hyphens; the last begins with a letter, and a dot may stand
 * after it. */
static int is_domain_context(const sc3_phone_chars *s, size_t from, size_t to) {
  size_t label;
  if (to > from && s->at[to - 1] == '.')
    to--;
  for (label = from;; label = from + 1) {
    for (from = label; from < to && s->at[from] != '.'; from++) {
      if (!sc3_ascii_is_letter((int)s->at[from]) && sc3_digit_value(s->at[from]) < 0 &&
          !(s->at[from] == '-' && from > label))
        return 0;
    }
    if (from == label || s->at[from - 1] == '-')
      return 0;
    if (from == to)
      return sc3_ascii_is_letter((int)s->at[label]);
  }
}

/* The number of a text with a phone-context: after tel:, and with the context before it when that
   is a number too. 0 when there is none, -1 when it is not of the form that RFC 3966 gives it. */
static int take_context(sc3_phone_chars *s) {
  static const char tel[] = "tel:", mark[] = ";phone-context=";
  sc3_phone_chars number;
  size_t at = find(s, mark), from = at + sizeof mark - 1, to, i;
  if (at == s->n)
    return 0;
  for (to = from; to < s->n && s->at[to] != ';'; to++)
    continue;
  if (!is_global_context(s, from, to) && !is_domain_context(s, from, to))
    return -1;
  number.n = 0;
  if (s->at[from] == '+') {
    for (i = from; i < to; i++)
      number.at[number.n++] = s->at[i];
  }
  i = find(s, tel);
  for (i = i < s->n ? i + sizeof tel - 1 : 0; i < at; i++)
    number.at[number.n++] = s->at[i];
  *s = number;
  return 1;
}

/* --- the number --- */

/* Leaves of a text what may be a number. */
static void find_number(sc3_phone_chars *s, unsigned *steps) {
  size_t start = 0, end = s->n, i;
  while (start < s->n && !is_plus(s->at[start]) && sc3_digit_value(s->at[start]) < 0) {
    if (!is_punctuation(s->at[start]))
      *steps |= 1u << SC3_PHONE_LEADING;
    start++;
  }
  while (end > start && sc3_digit_value(s->at[end - 1]) < 0 &&
         !sc3_ascii_is_letter((int)s->at[end - 1]) && s->at[end - 1] != '#') {
    if (!is_punctuation(s->at[end - 1]))
      *steps |= 1u << SC3_PHONE_TRAILING;
    end--;
  }
  s->n = end - start;
  memmove(s->at, s->at + start, s->n * sizeof s->at[0]);
  for (i = 0; i < s->n; i++) { /* "123 / x 456" */
    size_t j = i + 1;
    if (s->at[i] != '/' && s->at[i] != '\\')
      continue;
    while (j < s->n && s->at[j] == ' ')
      j++;
    if (j < s->n && s->at[j] == 'x') {
      s->n = i;
      *steps |= 1u << SC3_PHONE_SECOND;
      break;
    }
  }
}

static void cut_subaddress(sc3_phone_chars *s, unsigned *steps) {
  size_t at = find(s, ";isub=");
  if (at > 0 && at < s->n) {
    s->n = at;
    *steps |= 1u << SC3_PHONE_SUBADDRESS;
  }
}

static void take_extension_off(sc3_phone_chars *s, unsigned *steps) {
  size_t i, whole = s->n;
  for (i = 0; i < whole; i++) {
    if (!sc3_phone_is_extension(s, i))
      continue;
    s->n = i;
    if (is_viable(s))
      *steps |= 1u << SC3_PHONE_EXTENSION;
    else
      s->n = whole;
    return;
  }
}

static void take_digits(const sc3_phone_chars *s, sc3_phone_text *text) {
  static const char keypad[] = "22233344455566677778889999"; /* A to Z */
  size_t i, letters = 0;
  for (i = 0; i < s->n; i++)
    letters += (size_t)sc3_ascii_is_letter((int)s->at[i]);
  text->n = 0;
  for (i = 0; i < s->n; i++) {
    int digit = sc3_digit_value(s->at[i]);
    if (digit >= 0) {
      text->digits[text->n++] = (char)('0' + digit);
      if (s->at[i] >= 0x80)
        text->steps |= 1u << SC3_PHONE_DIGITS;
    } else if (sc3_ascii_is_letter((int)s->at[i])) {
      if (letters >= 3)
        text->digits[text->n++] = keypad[(s->at[i] | 0x20) - 'a'];
      if (!is_punctuation(s->at[i]) || letters >= 3)
        text->steps |= 1u << (letters >= 3 ? SC3_PHONE_KEYPAD : SC3_PHONE_LETTERS);
    }
  }
}

sc3_reason sc3_phone_read(sc3_slice raw, sc3_phone_text *text) {
  sc3_phone_chars s;
  size_t units = 0, digits = 0;
  s.n = 0;
  text->steps = 0;
  while (raw.n > 0) {
    uint32_t c;
    size_t used = sc3_utf8_decode(raw.p, raw.n, &c);
    units += c > 0xffff ? 2 : 1; /* libphonenumber counts UTF-16 */
    if (units > SC3_DIGITS_MAX)
      return SC3_R_PHONE_TOO_LONG;
    digits += sc3_digit_value(c) >= 0;
    s.at[s.n++] = c;
    raw.p += used;
    raw.n -= used;
  }
  if (digits == 0)
    return SC3_R_PHONE_LETTERS;
  switch (take_context(&s)) {
    case 0: find_number(&s, &text->steps); break;
    case 1: text->steps |= 1u << SC3_PHONE_CONTEXT; break;
    default: return SC3_R_PHONE_CONTEXT;
  }
  cut_subaddress(&s, &text->steps);
  if (!is_viable(&s))
    return digits < 3 ? SC3_R_PHONE_TOO_SHORT : SC3_R_PHONE_CHARACTER;
  text->plus = s.n > 0 && is_plus(s.at[0]);
  take_extension_off(&s, &text->steps);
  take_digits(&s, text);
  return SC3_R_NONE;
}

int sc3_phone_read_plain(sc3_slice raw, sc3_phone_text *text) {
  enum { OTHER, DIGIT, PLUS, BETWEEN };
  static const unsigned char kinds[256] = {
      ['0'] = DIGIT,   ['1'] = DIGIT,   ['2'] = DIGIT,   ['3'] = DIGIT,   ['4'] = DIGIT,
      ['5'] = DIGIT,   ['6'] = DIGIT,   ['7'] = DIGIT,   ['8'] = DIGIT,   ['9'] = DIGIT,
      ['+'] = PLUS,    [' '] = BETWEEN, ['-'] = BETWEEN, ['.'] = BETWEEN, ['('] = BETWEEN,
      [')'] = BETWEEN, ['['] = BETWEEN, [']'] = BETWEEN, ['/'] = BETWEEN,
  };
  enum { LEAST = 7 }; /* fewer digits may be a placeholder, or not enough to be viable */
  size_t i, n = 0;
  int plus = 0;
  if (raw.n > SC3_DIGITS_MAX)
    return 0;
  for (i = 0; i < raw.n; i++) {
    unsigned char c = (unsigned char)raw.p[i];
    switch (kinds[c]) {
      case DIGIT: text->digits[n++] = (char)c; break;
      case PLUS: /* nowhere but at the start of the number */
        if (n > 0 || plus)
          return 0;
        plus = 1;
        break;
      case BETWEEN: break;
      default: return 0;
    }
  }
  text->n = n;
  text->plus = plus;
  text->steps = 0;
  return n >= LEAST;
}
