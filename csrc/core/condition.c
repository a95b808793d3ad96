#include "condition.h"

#include "text.h"

/* A decimal number that takes the whole text: 12, -3.5, 1e3. 0 when it is none. Right to the last bit for up to 15 digits and the powers of ten that a
   double holds, which is what people write; beyond that to about one part in 10^15. */
static int read_number(sc3_slice s, double *number) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  size_t i = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'), digits = 0;
  int exponent = 0, shift = 0, sign = 1;
  uint64_t value = 0;
  for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++, digits++) {
    if (value < UINT64_C(100000000000000000))
      value = value * 10 + (uint64_t)(s.p[i] - '0');
    else
      shift++;
  }
  if (i < s.n && s.p[i] == '.') {
    for (i++; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++, digits++) {
      if (value < UINT64_C(100000000000000000)) {
        value = value * 10 + (uint64_t)(s.p[i] - '0');
        shift--;
      }
    }
  }
  if (digits == 0)
    return 0;
  if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
    size_t start;
    i++;
    if (i < s.n && (s.p[i] == '-' || s.p[i] == '+')) {
      sign = s.p[i] == '-' ? -1 : 1;
      i++;
    }
    for (start = i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
      if (exponent < 10000)
        exponent = exponent * 10 + (s.p[i] - '0');
    }
    if (i == start)
      return 0;
  }
  if (i != s.n)
    return 0;
  exponent = sign * exponent + shift;
  *number = (double)value;
  for (; exponent > 0 && value != 0; exponent -= exponent > 22 ? 22 : exponent)
    *number *= powers[exponent > 22 ? 22 : exponent];
  for (; exponent < 0 && value != 0; exponent += exponent < -22 ? 22 : -exponent)
    *number /= powers[exponent < -22 ? 22 : -exponent];
  if (s.p[0] == '-')
    *number = -*number;
  return 1;
}

/* -1, 0 or 1; 2 when the two cannot be compared. */
static int compare(const sc3_operand *operand, const sc3_field *field, sc3_slice text) {
  double number;
  size_t n;
  int order;
  switch (operand->kind) {
    case SC3_KIND_NUMBER:
      if ((field->kind != SC3_KIND_TEXT && field->kind != SC3_KIND_NUMBER) || !read_number(text, &number))
        return 2;
      return number < operand->number ? -1 : number > operand->number;
    case SC3_KIND_TEXT:
      if (field->kind != SC3_KIND_TEXT && field->kind != SC3_KIND_NUMBER)
        return 2;
      n = text.n < operand->text.n ? text.n : operand->text.n;
      order = n > 0 ? memcmp(text.p, operand->text.p, n) : 0;
      if (order == 0)
        return text.n < operand->text.n ? -1 : text.n > operand->text.n;
      return order < 0 ? -1 : 1;
    default:
      return field->kind == operand->kind ? 0 : 2;
  }
}

int sc3_condition_holds(const sc3_condition *c, const sc3_field *field) {
  sc3_slice text = {NULL, 0};
  size_t i;
  int absent = field == NULL || field->kind == SC3_KIND_NULL, order;
  if (!absent && (field->kind == SC3_KIND_TEXT || field->kind == SC3_KIND_NUMBER)) {
    text = sc3_text_trim(field->value);
    absent = text.n == 0;
  }
  switch (c->op) {
    case SC3_PRESENT:
      return !absent;
    case SC3_ABSENT:
      return absent;
    case SC3_EQUAL:
    case SC3_NOT_EQUAL:
      for (i = 0; i < c->operand_count; i++) {
        if (!absent && compare(&c->operands[i], field, text) == 0)
          return c->op == SC3_EQUAL;
      }
      return c->op == SC3_NOT_EQUAL;
    default:
      break;
  }
  order = absent || c->operand_count == 0 ? 2 : compare(&c->operands[0], field, text);
  switch (c->op) {
    case SC3_LESS:
      return order == -1;
    case SC3_AT_MOST:
      return order == -1 || order == 0;
    case SC3_MORE:
      return order == 1;
    default:
      return order == 1 || order == 0;
  }
}
