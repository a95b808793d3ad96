#include "phone.h"

#include "phone_text.h"
#include "text.h"
#include "utf8.h"

/* 4.4771E+11 and its like, with a point or a decimal comma: digits are lost, and what is left may still look valid. */
static int is_spreadsheet(sc3_slice s) {
  size_t i = 0;
  while (i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.' || s.p[i] == ','))
    i++;
  if (i == 0 || i + 2 >= s.n || (s.p[i] != 'E' && s.p[i] != 'e') || (s.p[i + 1] != '+' && s.p[i + 1] != '-'))
    return 0;
  for (i += 2; i < s.n; i++) {
    if (s.p[i] < '0' || s.p[i] > '9')
      return 0;
  }
  return 1;
}

/* Takes a calling code off the head of the digits: the code and its length, 0 where none stands there. */
static unsigned take_calling_code(const char *digits, size_t n, size_t *used) {
  unsigned code = 0;
  size_t i;
  if (n == 0 || digits[0] == '0')
    return 0;
  for (i = 0; i < 3 && i < n; i++) {
    code = code * 10 + (unsigned)(digits[i] - '0');
    if (sc3_plan_main_region(code) != SC3_NO_REGION) {
      *used = i + 1;
      return code;
    }
  }
  return 0;
}

static void drop_head(char *digits, size_t *n, size_t used) {
  *n -= used;
  memmove(digits, digits + used, *n);
}

/* The calling code that digits without a plus carry, taken off: behind the region's international prefix, or the region's own where the number makes
   sense only without it. 0 where they carry none, -1 where they must and do not. */
static int find_calling_code(char *digits, size_t *n, int region) {
  char rest[SC3_DIGITS_MAX + 8], own[4];
  size_t used, rest_length, own_length = 0;
  unsigned code;
  if (region == SC3_NO_REGION)
    return 0;
  used = sc3_plan_idd(region, digits, *n);
  if (used > 0 && !(used < *n && digits[used] == '0')) {
    drop_head(digits, n, used);
    if (*n <= SC3_NSN_MIN || (code = take_calling_code(digits, *n, &used)) == 0)
      return -1;
    drop_head(digits, n, used);
    return (int)code;
  }
  for (code = sc3_plan_calling_code(region); code > 0; code /= 10)
    own[own_length++] = (char)('0' + code % 10);
  if (*n < own_length)
    return 0;
  for (used = 0; used < own_length; used++) {
    if (digits[used] != own[own_length - 1 - used])
      return 0;
  }
  rest_length = *n - own_length;
  memcpy(rest, digits + own_length, rest_length);
  sc3_plan_strip_national(region, rest, &rest_length);
  if ((!sc3_plan_general(region, digits, *n) && sc3_plan_general(region, rest, rest_length)) ||
      sc3_plan_length(region, *n) == SC3_LENGTH_TOO_LONG) {
    memcpy(digits, rest, rest_length);
    *n = rest_length;
    return (int)sc3_plan_calling_code(region);
  }
  return 0;
}

static sc3_reason read_number(const sc3_phone_text *text, int region, char *digits, size_t *n, unsigned *code) {
  int found = 0;
  *n = text->n;
  memcpy(digits, text->digits, text->n);
  if (text->plus) {
    size_t used = 0;
    if (*n <= SC3_NSN_MIN)
      return SC3_R_PHONE_TOO_SHORT;
    found = (int)take_calling_code(digits, *n, &used);
    if (found != 0) {
      drop_head(digits, n, used);
    } else { /* a plus that leads nowhere is read as if it were not there */
      found = find_calling_code(digits, n, region);
      if (found <= 0)
        return SC3_R_PHONE_COUNTRY_CODE;
    }
  } else {
    found = find_calling_code(digits, n, region);
    if (found < 0)
      return SC3_R_PHONE_COUNTRY_CODE;
  }
  if (found > 0) {
    *code = (unsigned)found;
    region = sc3_plan_main_region(*code);
  } else {
    *code = sc3_plan_calling_code(region);
  }
  if (*n < SC3_NSN_MIN)
    return SC3_R_PHONE_TOO_SHORT;
  {
    char stripped[SC3_DIGITS_MAX + 8];
    size_t length = *n;
    memcpy(stripped, digits, *n);
    sc3_plan_strip_national(region, stripped, &length);
    switch (sc3_plan_length(region, length)) {
      case SC3_LENGTH_POSSIBLE:
      case SC3_LENGTH_TOO_LONG:
        memcpy(digits, stripped, length);
        *n = length;
        break;
      default:
        break;
    }
  }
  if (*n < SC3_NSN_MIN)
    return SC3_R_PHONE_TOO_SHORT;
  return *n > SC3_NSN_MAX ? SC3_R_PHONE_TOO_LONG : SC3_R_NONE;
}

sc3_reason sc3_phone_normalize(sc3_slice raw, int region, char out[SC3_PHONE_MAX], size_t *n) {
  char digits[SC3_DIGITS_MAX + 8], reversed[4];
  sc3_phone_text text;
  sc3_slice s;
  sc3_reason why;
  size_t length, i = 0, code_length = 0;
  unsigned code = 0;
  if (!sc3_utf8_valid(raw.p, raw.n))
    return SC3_R_PHONE_UTF8;
  s = sc3_text_trim(raw);
  if (sc3_text_placeholder(s))
    return SC3_R_PHONE_PLACEHOLDER;
  if (is_spreadsheet(s))
    return SC3_R_PHONE_SPREADSHEET;
  why = sc3_phone_read(raw, &text);
  if (why != SC3_R_NONE)
    return why;
  if (!text.plus && region == SC3_NO_REGION)
    return SC3_R_PHONE_NATIONAL;
  why = read_number(&text, region, digits, &length, &code);
  if (why != SC3_R_NONE)
    return why;
  if (!sc3_plan_valid(code, digits, length))
    return SC3_R_PHONE_INVALID;
  for (; code > 0; code /= 10)
    reversed[code_length++] = (char)('0' + code % 10);
  out[i++] = '+';
  while (code_length > 0)
    out[i++] = reversed[--code_length];
  memcpy(out + i, digits, length);
  *n = i + length;
  return SC3_R_NONE;
}
