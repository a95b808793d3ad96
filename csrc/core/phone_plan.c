#include "phone_plan.h"

#include "phone_table.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

enum { ACCEPTS = 1 << 10, GROUPS_MAX = 4, STEPS_MAX = 20000 };

const char *sc3_plan_version(void) {
  return SC3_PHONE_METADATA_VERSION;
}

int sc3_plan_region(sc3_slice code) {
  size_t i;
  char upper[2];
  if (code.n != 2)
    return SC3_NO_REGION;
  upper[0] = (char)(code.p[0] & ~0x20);
  upper[1] = (char)(code.p[1] & ~0x20);
  for (i = 0; i < COUNT(SC3_PHONE_REGIONS); i++) {
    if (SC3_PHONE_REGIONS[i].code[0] == upper[0] && SC3_PHONE_REGIONS[i].code[1] == upper[1])
      return (int)i;
  }
  return SC3_NO_REGION;
}

unsigned sc3_plan_calling_code(int region) {
  return SC3_PHONE_REGIONS[region].calling_code;
}

/* The entry of a calling code, COUNT(SC3_PHONE_CALLING_CODES) for none. */
static size_t find_code(unsigned code) {
  size_t low = 0, high = COUNT(SC3_PHONE_CALLING_CODES);
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (SC3_PHONE_CALLING_CODES[middle].code == code)
      return middle;
    if (SC3_PHONE_CALLING_CODES[middle].code < code)
      low = middle + 1;
    else
      high = middle;
  }
  return COUNT(SC3_PHONE_CALLING_CODES);
}

int sc3_plan_main_region(unsigned calling_code) {
  size_t i = find_code(calling_code);
  return i < COUNT(SC3_PHONE_CALLING_CODES) ? SC3_PHONE_CALLING_CODES[i].main : SC3_NO_REGION;
}

/* The number of bits set among the low ten. */
static unsigned bits(uint32_t mask) {
  mask = (mask & 0x155) + (mask >> 1 & 0x155);
  mask = (mask & 0x333) + (mask >> 2 & 0x333);
  return (mask & 0xf) + (mask >> 4 & 0xf) + (mask >> 8);
}

static int accepts(unsigned node, const char *digits, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) {
    uint32_t word = SC3_PHONE_NODES[node];
    unsigned digit = (unsigned)(digits[i] - '0');
    if ((word >> digit & 1) == 0)
      return 0;
    node = SC3_PHONE_EDGES[(word >> 11) + bits(word & ((1u << digit) - 1))];
  }
  return (SC3_PHONE_NODES[node] & ACCEPTS) != 0;
}

int sc3_plan_valid(unsigned calling_code, const char *digits, size_t n) {
  size_t i = find_code(calling_code);
  return i < COUNT(SC3_PHONE_CALLING_CODES) && accepts(SC3_PHONE_CALLING_CODES[i].valid, digits, n);
}

int sc3_plan_general(int region, const char *digits, size_t n) {
  return accepts(SC3_PHONE_REGIONS[region].general, digits, n);
}

sc3_length sc3_plan_length(int region, size_t n) {
  uint32_t lengths = SC3_PHONE_REGIONS[region].lengths;
  if (n < 32 && (lengths >> n & 1) != 0)
    return SC3_LENGTH_POSSIBLE;
  if (n >= 32 || lengths >> n == 0)
    return SC3_LENGTH_TOO_LONG;
  return (lengths & ((1u << n) - 1)) == 0 ? SC3_LENGTH_TOO_SHORT : SC3_LENGTH_OTHER;
}

/* --- prefixes: the leftmost-first matching of JavaScript's regular expressions, anchored at the start ------------- */

typedef struct match {
  const char *digits;
  size_t n;
  size_t saved[2 * GROUPS_MAX + 2];
  unsigned set; /* a bit a saved position */
  size_t end;
  int steps; /* patterns are small: a bound that is never met, against tables gone wrong */
} match;

static int run(match *m, size_t pc, size_t at) {
  for (;;) {
    unsigned word = SC3_PHONE_WORDS[pc], argument = word & 0xfff;
    if (++m->steps > STEPS_MAX)
      return 0;
    switch (word >> 12) {
      case 0: /* a digit of the set */
        if (at == m->n || (argument >> (m->digits[at] - '0') & 1) == 0)
          return 0;
        at++;
        pc++;
        break;
      case 1: { /* first what follows, else the other way; what the first way saved is forgotten */
        unsigned set = m->set;
        size_t saved[2 * GROUPS_MAX + 2];
        memcpy(saved, m->saved, sizeof saved);
        if (run(m, pc + 1, at))
          return 1;
        memcpy(m->saved, saved, sizeof saved);
        m->set = set;
        pc += argument;
        break;
      }
      case 2:
        pc += argument;
        break;
      case 3:
        m->saved[argument] = at;
        m->set |= 1u << argument;
        pc++;
        break;
      case 4:
        if (at != m->n)
          return 0;
        pc++;
        break;
      default:
        m->end = at;
        return 1;
    }
  }
}

static int match_prefix(match *m, unsigned program, const char *digits, size_t n) {
  memset(m, 0, sizeof *m);
  m->digits = digits;
  m->n = n;
  return program != 0 && run(m, program, 0);
}

static sc3_slice group(const match *m, unsigned number) {
  sc3_slice s = {NULL, 0};
  if ((m->set >> (2 * number) & 3) == 3)
    s = sc3_slice_of(m->digits + m->saved[2 * number], m->saved[2 * number + 1] - m->saved[2 * number]);
  return s;
}

size_t sc3_plan_idd(int region, const char *digits, size_t n) {
  match m;
  return match_prefix(&m, SC3_PHONE_REGIONS[region].idd, digits, n) ? m.end : 0;
}

void sc3_plan_strip_national(int region, char *digits, size_t *n) {
  char changed[SC3_DIGITS_MAX + 8];
  size_t length = 0;
  const char *text;
  sc3_slice kept;
  match m;
  if (*n == 0 || !match_prefix(&m, SC3_PHONE_REGIONS[region].prefix, digits, *n))
    return;
  kept = group(&m, SC3_PHONE_REGIONS[region].groups);
  if (SC3_PHONE_REGIONS[region].rule_group > 0 && sc3_slice_some(kept)) {
    text = SC3_PHONE_RULES[SC3_PHONE_REGIONS[region].rule_text];
    kept = group(&m, SC3_PHONE_REGIONS[region].rule_group);
    length = strlen(text);
    memcpy(changed, text, length);
    if (kept.n > 0)
      memcpy(changed + length, kept.p, kept.n);
    length += kept.n;
  }
  memcpy(changed + length, digits + m.end, *n - m.end);
  length += *n - m.end;
  if (sc3_plan_general(region, digits, *n) && !sc3_plan_general(region, changed, length))
    return;
  memcpy(digits, changed, length);
  *n = length;
}
