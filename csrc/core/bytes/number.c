#include "number.h"

#include "ascii.h"
#include "bignum.h"

/* The double of m * 2^e, a little more where `sticky` is set; the top bit of m is set. */
static double assemble(int negative, uint64_t m, int e, int sticky) {
  const uint64_t infinity = UINT64_C(0x7ff) << 52;
  uint64_t bits, rest, half;
  int top = e + 63, shift = 11; /* the power of two of the top bit; what goes beyond 53 bits */
  double d;
  if (top > 1023) {
    bits = infinity;
  } else {
    if (top < -1022)
      shift += -1022 - top;
    if (shift > 64) {
      bits = 0;
    } else {
      half = UINT64_C(1) << (shift - 1);
      bits = shift < 64 ? m >> shift : 0;
      rest = shift < 64 ? m & ((UINT64_C(1) << shift) - 1) : m;
      if (rest > half || (rest == half && (sticky || (bits & 1))))
        bits++;
      if (top >= -1022)
        /* the leading bit of the 53 adds the last 1; a carry goes into the exponent */
        bits += (uint64_t)(top + 1022) << 52;
    }
  }
  bits |= (uint64_t)negative << 63;
  memcpy(&d, &bits, sizeof d);
  return d;
}

/* --- reading --- */

enum { HEAD_DIGITS = 19, EXACT_POWER = 27 /* 5^27 is below 2^63 */ };

/* What a text says: head * 10^exponent, and more digits than `head` has room for where `more` is
 * set. */
typedef struct decimal {
  int negative, more, pointed;
  uint64_t head;
  int head_digits;
  int64_t exponent;
  const char *digits, *end; /* digits and at most one point, from the first that is not 0 */
} decimal;

static int scan(sc3_slice s, decimal *d) {
  const char *p = s.p, *const end = s.p + s.n;
  int digits = 0, behind = 0;
  memset(d, 0, sizeof *d);
  if (s.n == 0)
    return 0;
  if (*p == '-' || *p == '+')
    d->negative = *p++ == '-';
  for (; p < end; p++) {
    if (*p == '.' && !behind) {
      behind = d->pointed = 1;
      continue;
    }
    if (!sc3_ascii_is_digit(*p))
      break;
    digits = 1;
    if (d->digits == NULL && *p != '0')
      d->digits = p;
    if (d->digits == NULL) {
      d->exponent -= behind; /* a zero before all others */
    } else if (d->head_digits < HEAD_DIGITS) {
      d->head = d->head * 10 + (uint64_t)(*p - '0');
      d->head_digits++;
      d->exponent -= behind;
    } else {
      d->more |= *p != '0';
      d->exponent += !behind;
    }
  }
  d->end = p;
  if (!digits)
    return 0;
  if (p < end && (*p == 'e' || *p == 'E')) {
    int sign = 1;
    int64_t exponent = 0;
    d->pointed = 1;
    p++;
    if (p < end && (*p == '-' || *p == '+'))
      sign = *p++ == '-' ? -1 : 1;
    if (p == end || !sc3_ascii_is_digit(*p))
      return 0;
    for (; p < end && sc3_ascii_is_digit(*p); p++) {
      if (exponent < INT64_C(1000000000000)) /* far beyond what zeros in a text can make good */
        exponent = exponent * 10 + (*p - '0');
    }
    d->exponent += sign * exponent;
  }
  return p == end;
}

/* head * 10^exponent, where the power is small enough for 64 and 128 bits. */
static double convert_small(const decimal *d) {
  uint64_t five = 1, high, low, m, left = 0;
  int power = (int)(d->exponent < 0 ? -d->exponent : d->exponent), i, e, shift;
  for (i = 0; i < power; i++)
    five *= 5;
  if (d->exponent >= 0) {
    sc3_multiply_64(d->head, five, &high, &low);
    if (high == 0) {
      shift = sc3_leading_zeros(low);
      return assemble(d->negative, low << shift, power - shift, 0);
    }
    shift = sc3_leading_zeros(high);
    m = shift > 0 ? high << shift | low >> (64 - shift) : high;
    return assemble(d->negative, m, power + 64 - shift, low << shift != 0);
  }
  shift = sc3_leading_zeros(d->head);
  e = sc3_leading_zeros(five);
  m = d->head << shift;
  m = sc3_divide_128(m >> 1, m << 63, five << e, &left); /* at least 2^62 */
  e += -63 - shift - power;
  if (m >> 63 == 0) {
    m <<= 1; /* what this moves in is below all that counts, as the rest is */
    e--;
  }
  return assemble(d->negative, m, e, left != 0);
}

static double convert_large(const decimal *d) {
  sc3_big a, b;
  const char *p;
  int kept = 0, beyond = 0, exponent = (int)(d->exponent + d->head_digits), shift, e;
  uint64_t m;
  sc3_big_rest left;
  sc3_big_set(&a, 0);
  for (p = d->digits; p < d->end; p++) {
    if (*p == '.')
      continue;
    if (kept < SC3_BIG_DIGITS) {
      uint32_t digit = (uint32_t)(*p - '0');
      if (a.n == 0)
        sc3_big_set(&a, digit);
      else
        sc3_big_multiply(&a, 10, digit);
      kept++;
    } else {
      beyond |= *p != '0';
    }
  }
  exponent -= kept;
  sc3_big_set(&b, 1);
  if (exponent >= 0)
    sc3_big_multiply_5(&a, exponent);
  else
    sc3_big_multiply_5(&b, -exponent);
  shift = 63 - sc3_big_bits(&a) + sc3_big_bits(&b); /* the quotient is above 2^62 and below 2^64 */
  e = exponent - shift;
  if (shift >= 0)
    sc3_big_shift(&a, shift);
  else
    sc3_big_shift(&b, -shift);
  m = sc3_big_divide(&a, &b, &left);
  if (m >> 63 == 0) {
    m <<= 1;
    e--;
  }
  return assemble(d->negative, m, e, left != SC3_REST_NONE || beyond);
}

static double convert(const decimal *d) {
  int64_t size =
      d->head_digits + d->exponent; /* the value is below 10^size, and not below a tenth of it */
  if (d->head == 0 || size < -326)
    return assemble(d->negative, UINT64_C(1) << 63, -10000, 0);
  if (size > 310)
    return assemble(d->negative, UINT64_C(1) << 63, 10000, 0);
  if (!d->more && d->exponent >= -EXACT_POWER && d->exponent <= EXACT_POWER)
    return convert_small(d);
  return convert_large(d);
}

int sc3_number_read(sc3_slice text, sc3_number *number) {
  decimal d;
  if (!scan(text, &d))
    return 0;
  number->is_integer = !d.pointed && d.exponent == 0 && d.head <= (uint64_t)INT64_MAX;
  number->integer = number->is_integer ? d.negative ? -(int64_t)d.head : (int64_t)d.head : 0;
  number->value = convert(&d);
  return 1;
}

/* --- writing --- */

/* m * 2^e, rounded to `digits` digits: the result times 10^*power. */
static uint64_t round_to(uint64_t m, int e, int digits, int *power) {
  uint64_t bound = 1;
  int i;
  int log2 = e + 63 - sc3_leading_zeros(m), size; /* the place of its first digit, or one less */
  size = log2 >= 0 ? (int)((int64_t)log2 * 78913 >> 18)
                   : -(int)((-(int64_t)log2 * 78913 + (1 << 18) - 1) >> 18);
  for (i = 0; i < digits; i++)
    bound *= 10;
  for (;;) {
    sc3_big a, b;
    sc3_big_rest left;
    uint64_t q;
    *power = size - digits + 1;
    sc3_big_set(&a, m);
    sc3_big_set(&b, 1);
    if (*power >= 0)
      sc3_big_multiply_5(&b, *power);
    else
      sc3_big_multiply_5(&a, -*power);
    if (e >= *power)
      sc3_big_shift(&a, e - *power);
    else
      sc3_big_shift(&b, *power - e);
    q = sc3_big_divide(&a, &b, &left);
    if (left == SC3_REST_ABOVE_HALF || (left == SC3_REST_HALF && (q & 1)))
      q++;
    if (q < bound)
      return q;
    size++;
  }
}

static size_t write_digits(uint64_t q, char *out) {
  char reversed[20];
  size_t n = 0, i;
  do {
    reversed[n++] = (char)('0' + q % 10);
    q /= 10;
  } while (q > 0);
  for (i = 0; i < n; i++)
    out[i] = reversed[n - 1 - i];
  return n;
}

size_t sc3_number_write_integer(int64_t value, char out[SC3_NUMBER_TEXT]) {
  uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  out[0] = '-';
  return write_digits(magnitude, out + (value < 0)) + (value < 0);
}

/* q * 10^power as people write it where that is short, else with an exponent. */
static size_t lay_out(uint64_t q, int power, char *out) {
  char digits[20];
  size_t n, at = 0;
  int size;
  while (q % 10 == 0) {
    q /= 10;
    power++;
  }
  n = write_digits(q, digits);
  size = (int)n + power; /* digits before the point */
  if (size > 21 || size < -5) {
    out[at++] = digits[0];
    if (n > 1)
      out[at++] = '.';
    memcpy(out + at, digits + 1, n - 1);
    at += n - 1;
    out[at++] = 'e';
    out[at++] = size > 0 ? '+' : '-';
    return at + write_digits((uint64_t)(size > 0 ? size - 1 : 1 - size), out + at);
  }
  if (size <= 0) {
    out[at++] = '0';
    out[at++] = '.';
    for (; size < 0; size++)
      out[at++] = '0';
    memcpy(out + at, digits, n);
    return at + n;
  }
  if ((size_t)size >= n) {
    memcpy(out, digits, n);
    for (at = n; at < (size_t)size; at++)
      out[at] = '0';
    return at;
  }
  memcpy(out, digits, (size_t)size);
  out[size] = '.';
  memcpy(out + size + 1, digits + size, n - (size_t)size);
  return n + 1;
}

/* Whether q * 10^power is read as the double of these bits, which is positive. */
static int reads_as(uint64_t q, int power, uint64_t bits) {
  decimal d;
  char text[SC3_NUMBER_TEXT];
  double back;
  uint64_t back_bits;
  memset(&d, 0, sizeof d);
  d.head = q;
  d.exponent = power;
  d.digits = text;
  d.head_digits = (int)write_digits(q, text);
  d.end = text + d.head_digits;
  back = convert(&d);
  memcpy(&back_bits, &back, sizeof back_bits);
  return back_bits == bits;
}

size_t sc3_number_write(double value, char out[SC3_NUMBER_TEXT]) {
  const uint64_t leading = UINT64_C(1) << 52;
  uint64_t bits, m, q = 0;
  int e, digits, power = 0;
  size_t at = 0;
  memcpy(&bits, &value, sizeof bits);
  m = bits & (leading - 1);
  e = (int)(bits >> 52 & 0x7ff);
  if (e == 0x7ff && m != 0) {
    memcpy(out, "nan", 3);
    return 3;
  }
  if (bits >> 63)
    out[at++] = '-';
  if (e == 0x7ff) {
    memcpy(out + at, "1e999", 5);
    return at + 5;
  }
  if (e > 0)
    m |= leading;
  else
    e = 1;
  if (m == 0) {
    out[at] = '0';
    return at + 1;
  }
  bits &= ~(UINT64_C(1) << 63);
  /* Decimals of 15 digits are told apart by all doubles that have their full precision. */
  for (digits = m & leading ? 15 : 1; digits <= 17; digits++) {
    q = round_to(m, e - 1075, digits, &power);
    if (reads_as(q, power, bits))
      break;
    if (m == leading && reads_as(q + 1, power, bits)) {
      q++; /* below a power of two doubles lie closer together, so the nearest decimal may be one of
              another double */
      break;
    }
  }
  return at + lay_out(q, power, out + at);
}
