/* The short way of plain addresses. What it answers must be what the long way does:
 * spec/identity/lowercase_spec.lua compares them. */
#include <stdint.h>

#include "../bytes/ascii.h"
#include "email.h"
#include "placeholder.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(SC3_PORTABLE)

#include <emmintrin.h>

/* What stands where in up to 64 characters, a bit a character. */
typedef struct kinds {
  uint64_t at, dot, hyphen, local_only, digit, other;
} kinds;

static uint64_t bits_of(__m128i v) {
  return (uint64_t)(uint32_t)_mm_movemask_epi8(v);
}

/* Bytes from `low` to `high`, which are ASCII: as signed numbers the others are below or above. */
static __m128i between(__m128i v, char low, char high) {
  return _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8((char)(low - 1))),
                       _mm_cmplt_epi8(v, _mm_set1_epi8((char)(high + 1))));
}

static __m128i is(__m128i v, char c) {
  return _mm_cmpeq_epi8(v, _mm_set1_epi8(c));
}

/* Lowercases 16 characters, and adds where their kinds stand. */
static void classify(const char *from, char *to, unsigned shift, kinds *k) {
  __m128i v = _mm_loadu_si128((const __m128i *)(const void *)from);
  __m128i lower = _mm_or_si128(v, _mm_and_si128(between(v, 'A', 'Z'), _mm_set1_epi8(0x20)));
  __m128i digit = between(v, '0', '9'), dot = is(v, '.'), at = is(v, '@');
  __m128i local_only = _mm_or_si128(is(v, '_'), is(v, '+')), hyphen = is(v, '-');
  __m128i known =
      _mm_or_si128(_mm_or_si128(between(lower, 'a', 'z'), digit),
                   _mm_or_si128(_mm_or_si128(dot, at), _mm_or_si128(local_only, hyphen)));
  _mm_storeu_si128((__m128i *)(void *)to, lower);
  k->at |= bits_of(at) << shift;
  k->dot |= bits_of(dot) << shift;
  k->hyphen |= bits_of(hyphen) << shift;
  k->local_only |= bits_of(local_only) << shift;
  k->digit |= bits_of(digit) << shift;
  k->other |= (~bits_of(known) & 0xffff) << shift;
}

enum { LONGEST = 64 };

static int is_plain(const char *p, size_t n, char *out) {
  char from[LONGEST], to[LONGEST];
  kinds k = {0, 0, 0, 0, 0, 0};
  uint64_t all = n == 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1, domain, dots, last_label;
  unsigned i;
  memcpy(from, p, n);
  memset(from + n, 'a', ((n + 15) & ~(size_t)15) - n); /* a character of no consequence */
  for (i = 0; i < n; i += 16)
    classify(from + i, to + i, i, &k);
  if ((k.other & all) != 0 || k.at == 0 || (k.at & (k.at - 1)) != 0 || (k.at & 1) != 0)
    return 0; /* something odd, no @, two, or nothing before it */
  domain = all & ~(k.at | (k.at - 1));
  dots = k.dot & domain;
  if (dots == 0 || (k.local_only & domain) != 0 || (dots & (k.at << 1)) != 0 ||
      (dots & (dots << 1)) != 0)
    return 0; /* no dot after the @, an empty label, or what no host's name holds */
  if ((k.hyphen & domain) !=
      0) { /* a label's ends stand beside the @ and dots, and at the end of all */
    uint64_t beside = k.at | dots;
    if ((k.hyphen & domain & (beside << 1 | beside >> 1 | UINT64_C(1) << (n - 1))) != 0)
      return 0;
  }
  i = 64 - (unsigned)__builtin_clzll(dots);
  if (n - i >= SC3_EMAIL_PRIVATE_LEAST && sc3_email_is_private(sc3_slice_of(to + i, n - i)))
    return 0;
  last_label = domain & ~((UINT64_C(2) << (63 - __builtin_clzll(dots))) - 1);
  if ((k.digit & last_label) == last_label)
    return 0; /* a number, or nothing */
  memcpy(out, to, n);
  return 1;
}

#else

#define BOTH(upper, lower) [upper] = lower, [lower] = lower
#define LETTERS_AND_DIGITS                                                                         \
  BOTH('A', 'a'), BOTH('B', 'b'), BOTH('C', 'c'), BOTH('D', 'd'), BOTH('E', 'e'), BOTH('F', 'f'),  \
      BOTH('G', 'g'), BOTH('H', 'h'), BOTH('I', 'i'), BOTH('J', 'j'), BOTH('K', 'k'),              \
      BOTH('L', 'l'), BOTH('M', 'm'), BOTH('N', 'n'), BOTH('O', 'o'), BOTH('P', 'p'),              \
      BOTH('Q', 'q'), BOTH('R', 'r'), BOTH('S', 's'), BOTH('T', 't'), BOTH('U', 'u'),              \
      BOTH('V', 'v'), BOTH('W', 'w'), BOTH('X', 'x'), BOTH('Y', 'y'),                              \
      BOTH('Z', 'z'), ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4',             \
                      ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9'

enum { LONGEST = SC3_EMAIL_MAX };

static int is_plain(const char *p, size_t n, char *out) {
  /* The character in lowercase. */
  static const char before[256] = {
      LETTERS_AND_DIGITS, ['.'] = '.', ['_'] = '_', ['+'] = '+', ['-'] = '-', ['@'] = '@'};
  static const char behind[256] = {LETTERS_AND_DIGITS, ['.'] = '.', ['-'] = '-'};
  size_t i, local, label, digit;
  for (i = 0; i < n; i++) {
    out[i] = before[(unsigned char)p[i]];
    if (out[i] == '@')
      break;
    if (out[i] == 0)
      return 0;
  }
  local = i;
  label = ++i; /* where the label under way begins */
  for (; i < n; i++) {
    out[i] = behind[(unsigned char)p[i]];
    if (out[i] == 0)
      return 0;
    if (out[i] == '.') {
      if (i == label)
        return 0;
      label = i + 1;
    } else if (out[i] == '-' && (i == label || i + 1 == n || p[i + 1] == '.')) {
      return 0;
    }
  }
  if (n - label >= SC3_EMAIL_PRIVATE_LEAST &&
      sc3_email_is_private(sc3_slice_of(out + label, n - label)))
    return 0;
  for (digit = label; digit < n && sc3_ascii_is_digit(out[digit]); digit++)
    continue;
  /* Something before the @, a dot after it, and a last label that is neither empty nor a number.
   */
  return local > 0 && label > local + 1 && digit < n;
}

#endif

enum { SHORTEST = sizeof "a@b.c" - 1 };

int sc3_email_normalize_plain(sc3_slice raw, char out[SC3_EMAIL_MAX], size_t *n) {
  while (raw.n > 0 && raw.p[0] == ' ') {
    raw.p++;
    raw.n--;
  }
  while (raw.n > 0 && raw.p[raw.n - 1] == ' ')
    raw.n--;
  if (raw.n < SHORTEST || raw.n > LONGEST || !is_plain(raw.p, raw.n, out))
    return 0;
  *n = raw.n;
  if (raw.n > SC3_PLACEHOLDER_LONGEST && out[0] != 'n')
    return 1; /* noemail@ may be longer */
  return !sc3_is_placeholder(sc3_slice_of(out, raw.n));
}
