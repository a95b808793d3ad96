#include "phone_plan.h"

#include "phone_table.h"

enum { ACCEPTS = 0x8000, GROUPS_MAX = 4, STEPS_MAX = 20000 };

const char *sc3_plan_version(void) {
  return SC3_PHONE_METADATA_VERSION;
}

int sc3_plan_region(sc3_slice code) {
  unsigned first, second;
  if (code.n != 2)
    return SC3_NO_REGION;
  first = ((unsigned char)code.p[0] | 0x20u) - 'a';
  second = ((unsigned char)code.p[1] | 0x20u) - 'a';
  return first < 26 && second < 26 ? SC3_PHONE_REGION_AT[first * 26 + second] - 1 : SC3_NO_REGION;
}

const char *sc3_plan_region_code(int region) {
  return SC3_PHONE_REGIONS[region].code;
}

unsigned sc3_plan_calling_code(int region) {
  return SC3_PHONE_REGIONS[region].calling_code;
}

int sc3_plan_main_region(unsigned calling_code) {
  int at = calling_code < 1000 ? SC3_PHONE_CODE_AT[calling_code] - 1 : -1;
  return at >= 0 ? SC3_PHONE_CALLING_CODES[at].main : SC3_NO_REGION;
}

/* Nothing that the automata accept is empty, so the edge that was taken last tells. */
static int accepts(unsigned node, sc3_slice digits) {
  size_t i;
  for (i = 0; i < digits.n; i++) {
    node = SC3_PHONE_NEXT[(node & (ACCEPTS - 1)) * 10 + (unsigned)(digits.p[i] - '0')];
    if (node == 0)
      return 0;
  }
  return (node & ACCEPTS) != 0;
}

int sc3_plan_is_valid(unsigned calling_code, sc3_slice digits) {
  int at = calling_code < 1000 ? SC3_PHONE_CODE_AT[calling_code] - 1 : -1;
  return at >= 0 && accepts(SC3_PHONE_CALLING_CODES[at].valid, digits);
}

int sc3_plan_is_mobile(unsigned calling_code, sc3_slice digits) {
  int at = calling_code < 1000 ? SC3_PHONE_CODE_AT[calling_code] - 1 : -1;
  return at >= 0 && accepts(SC3_PHONE_CALLING_CODES[at].mobile, digits);
}

int sc3_plan_is_general(int region, sc3_slice digits) {
  return accepts(SC3_PHONE_REGIONS[region].general, digits);
}

sc3_length sc3_plan_compare_length(int region, size_t n) {
  uint32_t lengths = SC3_PHONE_REGIONS[region].lengths;
  if (n < 32 && (lengths >> n & 1) != 0)
    return SC3_LENGTH_POSSIBLE;
  if (n >= 32 || lengths >> n == 0)
    return SC3_LENGTH_TOO_LONG;
  return (lengths & ((1u << n) - 1)) == 0 ? SC3_LENGTH_TOO_SHORT : SC3_LENGTH_OTHER;
}

/* --- prefixes: the leftmost-first matching of JavaScript's regular expressions, anchored at the
 * start --- */

enum { SAVED = 2 * GROUPS_MAX + 2 };

typedef struct match {
  sc3_slice digits;
  uint8_t
      saved[SAVED]; /* no text is longer than SC3_DIGITS_ROOM, and no prefix than a few digits */
  unsigned set;     /* a bit a saved position */
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
        if (at == m->digits.n || (argument >> (m->digits.p[at] - '0') & 1) == 0)
          return 0;
        at++;
        pc++;
        break;
      case 1: { /* first what follows, else the other way; what the first way saved is forgotten */
        unsigned set = m->set;
        uint8_t saved[SAVED];
        memcpy(saved, m->saved, sizeof saved);
        if (run(m, pc + 1, at))
          return 1;
        memcpy(m->saved, saved, sizeof saved);
        m->set = set;
        pc += argument;
        break;
      }
      case 2: pc += argument; break;
      case 3:
        m->saved[argument] = (uint8_t)at;
        m->set |= 1u << argument;
        pc++;
        break;
      case 4:
        if (at != m->digits.n)
          return 0;
        pc++;
        break;
      default: m->end = at; return 1;
    }
  }
}

/* Most digits cannot begin what the program matches, and are told by the first of them. */
static int match_prefix(match *m, unsigned program, unsigned firsts, sc3_slice digits) {
  if (program == 0 || digits.n == 0 || (firsts >> (digits.p[0] - '0') & 1) == 0)
    return 0;
  memset(m, 0, sizeof *m);
  m->digits = digits;
  return run(m, program, 0);
}

static sc3_slice group(const match *m, unsigned number) {
  sc3_slice s = {NULL, 0};
  if ((m->set >> (2 * number) & 3) == 3)
    s = sc3_slice_of(m->digits.p + m->saved[2 * number],
                     (size_t)m->saved[2 * number + 1] - m->saved[2 * number]);
  return s;
}

size_t sc3_plan_match_idd(int region, sc3_slice digits) {
  match m;
  return match_prefix(&m, SC3_PHONE_REGIONS[region].idd, SC3_PHONE_REGIONS[region].idd_firsts,
                      digits)
             ? m.end
             : 0;
}

sc3_slice sc3_plan_strip_national(int region, sc3_slice digits, char room[SC3_DIGITS_ROOM]) {
  sc3_slice kept, changed;
  match m;
  if (digits.n > SC3_DIGITS_MAX || !match_prefix(&m, SC3_PHONE_REGIONS[region].prefix,
                                                 SC3_PHONE_REGIONS[region].prefix_firsts, digits))
    return digits;
  changed = sc3_slice_of(digits.p + m.end, digits.n - m.end);
  kept = group(&m, SC3_PHONE_REGIONS[region].groups);
  if (SC3_PHONE_REGIONS[region].rule_group > 0 && sc3_slice_some(kept)) {
    const char *text = SC3_PHONE_RULES[SC3_PHONE_REGIONS[region].rule_text];
    size_t n = strlen(text);
    kept = group(&m, SC3_PHONE_REGIONS[region].rule_group);
    memcpy(room, text, n);
    if (kept.n > 0)
      memcpy(room + n, kept.p, kept.n);
    n += kept.n;
    memcpy(room + n, changed.p, changed.n);
    changed = sc3_slice_of(room, n + changed.n);
  }
  return sc3_plan_is_general(region, digits) && !sc3_plan_is_general(region, changed) ? digits
                                                                                      : changed;
}
