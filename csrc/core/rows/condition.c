#include "condition.h"

#include "../bytes/ascii.h"
#include "../bytes/amount.h"
#include "../identity/lowercase.h"
#include "../bytes/text.h"
#include "../bytes/utf8.h"
#include "../identity/boolean_words.h"

/* What an order answers when two values have none. */
enum { NO_ORDER = 2 };

/* A value as it is compared. */
typedef struct value {
  sc3_kind kind;
  int absent;
  sc3_slice text; /* trimmed */
  /* in lowercase where the condition asks for it, else as `text`; {NULL, 0} where that is longer
   * than any operand */
  sc3_slice folded;
  int number_state; /* 0: not looked at yet; 1: `number` is its number; -1: it is none */
  sc3_number number;
} value;

static int read_number(const sc3_condition *c, value *v) {
  if (v->number_state == 0) {
    int found = 0;
    if (v->kind == SC3_KIND_NUMBER || (v->kind == SC3_KIND_TEXT && c->decimal == '\0'))
      found = sc3_number_read(v->text, &v->number);
    else if (v->kind == SC3_KIND_TEXT)
      found = sc3_amount_read(v->text, c->decimal, &v->number);
    v->number_state = found ? 1 : -1;
  }
  return v->number_state > 0;
}

static int order_of_numbers(const sc3_number *a, const sc3_number *b) {
  if (a->is_integer && b->is_integer) /* exactly, where doubles are too coarse */
    return (a->integer > b->integer) - (a->integer < b->integer);
  return a->value < b->value ? -1 : a->value > b->value;
}

static int order_of_texts(sc3_slice a, sc3_slice b) {
  size_t n = a.n < b.n ? a.n : b.n;
  int order = n > 0 ? memcmp(a.p, b.p, n) : 0;
  if (order == 0)
    return (a.n > b.n) - (a.n < b.n);
  return order < 0 ? -1 : 1;
}

/* How long the date is that a text begins with, 0 without one: the year first and all in full,
   which is what bytes put in order. 2024-01-31, 2024-01, and the same with slashes or points. */
static size_t date_at(sc3_slice s) {
  static const char form[] = "0000-00-00";
  size_t i, n = 0;
  for (i = 0; i < s.n && i < sizeof form - 1; i++) {
    if (form[i] == '-' ? s.p[i] != s.p[4] : s.p[i] < '0' || s.p[i] > '9')
      break;
  }
  if (i > 4 && strchr("-/.", s.p[4]) != NULL && s.p[4] != '\0')
    n = i == sizeof form - 1 ? i : i >= 7 ? 7 : 0;
  return n;
}

/* Whether a value can be compared with a date: it begins with one that is written like it. */
static int is_dated_like(sc3_slice text, sc3_slice date) {
  const size_t n = date_at(text);
  return n > 0 && n >= date_at(date) && text.p[4] == date.p[4];
}

/* -1, 0 or 1; NO_ORDER when the two cannot be compared. */
static int compare(const sc3_condition *c, const sc3_operand *operand, value *v) {
  switch (operand->kind) {
    case SC3_KIND_NUMBER:
      return read_number(c, v) ? order_of_numbers(&v->number, &operand->number) : NO_ORDER;
    case SC3_KIND_TEXT:
      if ((v->kind != SC3_KIND_TEXT && v->kind != SC3_KIND_NUMBER) || v->folded.p == NULL)
        return NO_ORDER;
      return order_of_texts(v->folded, operand->text);
    default: return v->kind == operand->kind ? 0 : NO_ORDER;
  }
}

static int all_are(const sc3_condition *c, sc3_kind kind, sc3_kind or_kind) {
  size_t i;
  for (i = 0; i < c->operand_count; i++) {
    if (c->operands[i].kind != kind && c->operands[i].kind != or_kind)
      return 0;
  }
  return c->operand_count > 0;
}

static int is_bool(sc3_kind kind) {
  return kind == SC3_KIND_TRUE || kind == SC3_KIND_FALSE;
}

/* Whether two texts may begin alike in lowercase; most differ in the first character already. */
static int may_be_alike(sc3_slice a, sc3_slice b) {
  const unsigned char x = a.n > 0 ? (unsigned char)a.p[0] : 0,
                      y = b.n > 0 ? (unsigned char)b.p[0] : 0;
  return a.n <= 3 * b.n && b.n <= 3 * a.n && (x >= 0x80 || y >= 0x80 || ((x ^ y) & ~0x20) == 0);
}

/* The same for all of their characters where these are of ASCII: 1 or 0; -1 where others are among
 * them. */
static int are_alike_in_ascii(sc3_slice a, sc3_slice b) {
  size_t i;
  int alike = a.n == b.n;
  for (i = 0; i < a.n || i < b.n; i++) {
    unsigned char x = i < a.n ? (unsigned char)a.p[i] : 0, y = i < b.n ? (unsigned char)b.p[i] : 0;
    if (x >= 0x80 || y >= 0x80)
      return -1;
    alike = alike && sc3_ascii_to_lower((char)x) == sc3_ascii_to_lower((char)y);
  }
  return alike;
}

/* Whether a text is an operand but for upper and lower case. */
static int differs_in_case_alone(const sc3_condition *c, const value *v) {
  char a[2 * SC3_FOLDED_MAX], b[2 * SC3_FOLDED_MAX];
  size_t i, n, m;
  if (c->ignore_case || v->kind != SC3_KIND_TEXT || v->text.n > SC3_FOLDED_MAX)
    return 0;
  for (i = 0; i < c->operand_count; i++) {
    const sc3_slice wanted = c->operands[i].text;
    int alike;
    if (c->operands[i].kind != SC3_KIND_TEXT || wanted.n > SC3_FOLDED_MAX ||
        !may_be_alike(wanted, v->text))
      continue;
    alike = are_alike_in_ascii(wanted, v->text);
    if (alike > 0)
      return 1;
    if (alike == 0)
      continue;
    if (!sc3_utf8_valid(wanted.p, wanted.n) || !sc3_utf8_valid(v->text.p, v->text.n))
      continue;
    if (sc3_lowercase(v->text, a, sizeof a, &n) == 0 &&
        sc3_lowercase(wanted, b, sizeof b, &m) == 0 && m == n && memcmp(a, b, n) == 0)
      return 1;
  }
  return 0;
}

/* Whether a text that was read as a plain number is one such as 1.234, which may as well be
   thousands: nobody said what the point means. */
static int may_be_thousands(const sc3_condition *c, const value *v) {
  const sc3_slice s = v->text;
  const size_t sign = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+');
  if (c->decimal != '\0' || v->kind != SC3_KIND_TEXT || s.n < sign + 5 || s.n > sign + 7)
    return 0;
  return s.p[s.n - 4] == '.' && s.p[sign] != '0' && memchr(s.p, 'e', s.n) == NULL &&
         memchr(s.p, 'E', s.n) == NULL;
}

static sc3_content content_of(const sc3_condition *c, const value *v, int other_case) {
  sc3_number ignored;
  if (v->absent)
    return SC3_CONTENT_ABSENT;
  if (other_case)
    return SC3_CONTENT_OTHER_CASE;
  if (v->kind != SC3_KIND_TEXT && v->kind != SC3_KIND_NUMBER)
    return SC3_CONTENT_OTHER_TYPE;
  if (c->decimal != '\0' && v->number_state < 0 && sc3_number_read(v->text, &ignored))
    return SC3_CONTENT_POINT; /* where the point parts thousands: 1.5 */
  if (v->number_state > 0 || sc3_number_read(v->text, &ignored))
    return may_be_thousands(c, v) ? SC3_CONTENT_POINT : SC3_CONTENT_NUMBER;
  switch (sc3_amount_find_notation(v->text)) {
    case SC3_NOTATION_COMMA: return SC3_CONTENT_COMMA;
    case SC3_NOTATION_SYMBOLS: return SC3_CONTENT_SIGNS;
    default: return SC3_CONTENT_WORDS;
  }
}

/* 1, 0, or -1 for neither. */
static int says(const sc3_condition *c, value *v) {
  if (v->absent)
    return c->blank;
  if (is_bool(v->kind))
    return v->kind == SC3_KIND_TRUE;
  if (v->kind == SC3_KIND_NUMBER && read_number(c, v))
    return v->number.value == 1 ? 1 : v->number.value == 0 ? 0 : -1;
  return v->kind == SC3_KIND_TEXT ? sc3_boolean_read(v->text) : -1;
}

static int equals_any(const sc3_condition *c, value *v) {
  size_t i;
  for (i = 0; i < c->operand_count && !v->absent; i++) {
    if (compare(c, &c->operands[i], v) == 0)
      return 1;
  }
  return 0;
}

/* Whether it is met; counts values that cannot be read. */
static int meets(const sc3_condition *c, value *v, sc3_condition_tally *t) {
  int said, order, equal;
  switch (c->op) {
    case SC3_PRESENT: return !v->absent;
    case SC3_ABSENT: return v->absent;
    case SC3_SAYS_YES:
    case SC3_SAYS_NO:
      said = says(c, v);
      t->not_yes_or_no += said < 0 && !v->absent;
      return said == (c->op == SC3_SAYS_YES);
    case SC3_EQUAL:
    case SC3_NOT_EQUAL:
      equal = equals_any(c, v);
      if (!equal && !v->absent && !is_bool(v->kind) && all_are(c, SC3_KIND_TRUE, SC3_KIND_FALSE)) {
        t->not_yes_or_no++;
        return 0;
      }
      return equal == (c->op == SC3_EQUAL);
    default: break;
  }
  order = v->absent || c->operand_count == 0 ? NO_ORDER : compare(c, &c->operands[0], v);
  if (order != NO_ORDER && c->operands[0].kind == SC3_KIND_TEXT &&
      date_at(c->operands[0].text) > 0 &&
      !is_dated_like(v->text, c->operands[0].text)) { /* 31.12.2023 is not after 2024-01-01 */
    t->not_a_date++;
    order = NO_ORDER;
  }
  switch (c->op) {
    case SC3_LESS: return order == -1;
    case SC3_AT_MOST: return order == -1 || order == 0;
    case SC3_MORE: return order == 1;
    default: return order == 1 || order == 0;
  }
}

int sc3_condition_holds(const sc3_condition *c, const sc3_field *field, sc3_condition_tally *t) {
  char lower[2 * SC3_FOLDED_MAX];
  value v;
  size_t n;
  int ignored = 0;
  int holds, no_number, doubtful, other_case = 0;
  v.kind = field == NULL ? SC3_KIND_NULL : field->kind;
  v.absent = v.kind == SC3_KIND_NULL;
  v.text = sc3_slice_of(NULL, 0);
  v.number_state = 0;
  if (v.kind == SC3_KIND_TEXT || v.kind == SC3_KIND_NUMBER) {
    v.text = sc3_text_trim(field->value);
    if (v.text.n > 0 &&
        ((v.text.p[0] | v.text.p[v.text.n - 1]) & 0x80) != 0) /* else nothing invisible is there */
      v.text = sc3_text_strip(v.text, &ignored);
    v.absent = v.text.n == 0;
  }
  v.folded = v.text;
  if (c->ignore_case && !v.absent && v.kind == SC3_KIND_TEXT) {
    v.folded = sc3_slice_of(NULL, 0);
    if (sc3_utf8_valid(v.text.p, v.text.n) && sc3_lowercase(v.text, lower, sizeof lower, &n) == 0)
      v.folded = sc3_slice_of(lower, n);
  }
  t->seen++;
  holds = meets(c, &v, t);
  /* Whatever follows is for rows that were not understood or not taken; the others are through. */
  doubtful = v.number_state > 0 && !holds && may_be_thousands(c, &v);
  no_number = v.number_state < 0 && all_are(c, SC3_KIND_NUMBER, SC3_KIND_NUMBER);
  t->not_a_number += (uint64_t)no_number;
  if ((c->op == SC3_EQUAL || c->op == SC3_NOT_EQUAL) && holds == (c->op == SC3_NOT_EQUAL) &&
      !v.absent) {
    other_case = differs_in_case_alone(c, &v);
    t->other_case += (uint64_t)other_case;
  }
  if (!holds) {
    t->skipped++;
    t->absent += (uint64_t)v.absent;
  }
  if (no_number || doubtful)
    t->unread[content_of(c, &v, other_case)]++;
  if (!holds && t->skipped == t->seen)
    t->content[content_of(c, &v, other_case)]++;
  return holds;
}
