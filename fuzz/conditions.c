/* libFuzzer's target for the names of columns and for conditions on values (csrc/core/rows). An
 * input is two bytes and up to three lines: a value or name, what it is compared with, another
 * name. What must hold:
 *   - no value is equal and unequal, less and more, present and absent, yes and no; what is less or
 *     equal is at most; what is absent is none of it;
 *   - a condition comes to the same when it is asked again;
 *   - names are alike both ways, and the column that is found is one of that name, or of one alike.
 *
 *   make fuzz FUZZ_SECONDS=60 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../csrc/core/rows/condition.h"
#include "../csrc/core/rows/header.h"
#include "../csrc/core/rows/lookup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds) {
  if (!holds)
    abort();
}

/* The next line, without its end. */
static sc3_slice next_line(sc3_slice *rest) {
  const char *end = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;
  const size_t n = end != NULL ? (size_t)(end - rest->p) : rest->n;
  const sc3_slice line = sc3_slice_of(rest->p, n);
  const size_t used = end != NULL ? n + 1 : n;
  *rest = sc3_slice_of(rest->p + used, rest->n - used);
  return line;
}

/* --- names --- */

static int is_same_or_alike(sc3_slice a, sc3_slice b) {
  return sc3_slice_eq(a, b) || sc3_header_is_alike(a, b);
}

/* What is to be found: the very name counts before one that is alike. */
static sc3_header_found expected_of(const sc3_slice *names, size_t n, sc3_slice name) {
  size_t same = 0, alike = 0, i;
  for (i = 0; i < n; i++) {
    same += (size_t)sc3_slice_eq(names[i], name);
    alike += (size_t)(sc3_header_is_alike(names[i], name) != 0);
  }
  if (same > 0)
    return same == 1 ? SC3_HEADER_ONE : SC3_HEADER_TWICE;
  return alike == 0 ? SC3_HEADER_NONE : alike == 1 ? SC3_HEADER_ONE : SC3_HEADER_ALIKE;
}

static void check_found(const sc3_slice *names, size_t n, sc3_slice name) {
  size_t at[2] = {n, n};
  const sc3_header_found found = sc3_header_find(names, n, name, at);
  must(found == expected_of(names, n, name));
  if (found == SC3_HEADER_NONE)
    return;
  must(at[0] < n && is_same_or_alike(names[at[0]], name));
  if (found != SC3_HEADER_ONE)
    must(at[1] < n && at[1] != at[0] && is_same_or_alike(names[at[1]], name));
}

static void check_names(const sc3_slice names[3]) {
  size_t i, k;
  for (i = 0; i < 3; i++) {
    (void)sc3_header_detect_pii(names[i]);
    (void)sc3_header_number(names[i]);
    check_found(names, 3, names[i]);
    check_found(names + 1, 2, names[0]);
    for (k = 0; k < 3; k++) {
      must(sc3_header_is_alike(names[i], names[k]) == sc3_header_is_alike(names[k], names[i]));
      must(sc3_likeness_of(names[i], names[k]) != SC3_UNLIKE || !sc3_slice_eq(names[i], names[k]));
    }
  }
  (void)sc3_header_advice(names, 3);
}

static void check_lookup(const sc3_slice lines[3], unsigned kind) {
  const sc3_field fields[2] = {{lines[1], lines[0], (sc3_kind)(kind % 6)},
                               {lines[2], lines[0], SC3_KIND_TEXT}};
  sc3_found found = {{NULL, 0}, SC3_KIND_NULL, 0};
  char *room = malloc(lines[0].n + lines[1].n + lines[2].n + 2);
  must(room != NULL);
  if (sc3_lookup_find(fields, 2, lines[2], &found) == SC3_LOOKUP_ONE) {
    sc3_found_unwrap(&found);
    if (found.escaped)
      must(sc3_found_unescape(&found, room).n <= found.value.n + 2);
  }
  free(room);
}

/* --- conditions --- */

static int holds(const sc3_condition *like, sc3_operator op, const sc3_field *field) {
  sc3_condition c = *like;
  sc3_condition_tally tally, again;
  int does;
  c.op = op;
  memset(&tally, 0, sizeof tally);
  memset(&again, 0, sizeof again);
  does = sc3_condition_holds(&c, field, &tally);
  must(sc3_condition_holds(&c, field, &again) == does);
  must(memcmp(&tally, &again, sizeof tally) == 0);
  return does;
}

static void check_orders(const sc3_condition *c, const sc3_field *field) {
  const int equal = holds(c, SC3_EQUAL, field), less = holds(c, SC3_LESS, field),
            more = holds(c, SC3_MORE, field), most = holds(c, SC3_AT_MOST, field),
            least = holds(c, SC3_AT_LEAST, field);
  must(equal + less + more <= 1);
  must(!equal || !holds(c, SC3_NOT_EQUAL, field));
  if (c->ignore_case)
    return;
  must(!less || most);
  must(!more || least);
  must(!(most && least) || (!less && !more));
  must(!(less && least) && !(more && most));
}

static void check_condition(const sc3_condition *c, const sc3_field *field) {
  const int absent = holds(c, SC3_ABSENT, field);
  must(holds(c, SC3_PRESENT, field) != absent);
  must(!holds(c, SC3_SAYS_YES, field) || !holds(c, SC3_SAYS_NO, field));
  check_orders(c, field);
  if (absent)
    must(!holds(c, SC3_EQUAL, field) && !holds(c, SC3_LESS, field) && !holds(c, SC3_MORE, field));
}

/* An operand as Lua gives it: a number, a text, true or false. */
static sc3_operand operand_of(unsigned kind, sc3_slice text) {
  sc3_operand operand = {SC3_KIND_TEXT, {NULL, 0}, {0, 0, 0}};
  if (kind % 4 == 0 && sc3_number_read(text, &operand.number))
    operand.kind = SC3_KIND_NUMBER;
  else if (kind % 4 == 1)
    operand.kind = kind % 8 == 1 ? SC3_KIND_TRUE : SC3_KIND_FALSE;
  else
    operand.text = text;
  return operand;
}

static int is_lower(sc3_slice text) {
  size_t i;
  for (i = 0; i < text.n; i++) {
    if ((text.p[i] >= 'A' && text.p[i] <= 'Z') || (unsigned char)text.p[i] >= 0x80)
      return 0;
  }
  return text.n <= SC3_FOLDED_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char decimals[] = {'\0', ',', '.'};
  sc3_slice rest, lines[3];
  sc3_operand operand;
  sc3_condition c;
  sc3_field field;
  if (size < 2)
    return 0;
  rest = sc3_slice_of((const char *)data + 2, size - 2);
  lines[0] = next_line(&rest);
  lines[1] = next_line(&rest);
  lines[2] = next_line(&rest);
  check_names(lines);
  check_lookup(lines, data[0]);
  operand = operand_of(data[1], lines[1]);
  memset(&c, 0, sizeof c);
  c.operands = &operand;
  c.operand_count = 1;
  c.decimal = operand.kind == SC3_KIND_NUMBER ? decimals[data[1] / 8 % 3] : '\0';
  c.ignore_case = operand.kind == SC3_KIND_TEXT && data[1] / 8 % 2 == 1 && is_lower(lines[1]);
  c.blank = data[1] / 32 % 3 - 1;
  memset(&field, 0, sizeof field);
  field.value = lines[0];
  field.kind = (sc3_kind)(data[0] % 6);
  check_condition(&c, &field);
  must(holds(&c, SC3_ABSENT, NULL) && !holds(&c, SC3_EQUAL, NULL));
  return 0;
}
