/* libFuzzer's target for the way from bytes to members: CSV or JSON Lines in pieces, a map with fallbacks, conditions, every repair, payloads that fill up.
 * Beside the sanitizers it checks what must hold for any input:
 *   - CSV scanned by the processor's own way and by plain C gives the same rows, faults and places;
 *   - rows = skipped + rejected + used, and every built member is alive in a payload or superseded;
 *   - what is written is JSON: quotes closed, nothing below a space, brackets in pairs.
 *
 *   make fuzz FUZZ_SECONDS=60 */
#include <stdlib.h>
#include <string.h>

#include "../csrc/core/builder.h"
#include "../csrc/core/csv.h"
#include "../csrc/core/jsonl.h"
#include "../csrc/core/phone.h"
#include "../csrc/core/region.h"

enum { COLUMNS = 8, PAYLOAD = 5000 };

/* What a run of the first byte's bits means. */
enum { JSONL = 1, COMMA = 2, NO_HEADER = 4, REMOVE = 16, CONDITIONS = 32, REPAIRS = 64, NO_MEND = 128 };

typedef struct bytes {
  const uint8_t *p;
  size_t n, step;
} bytes;

/* The next piece into the parser. */
static void feed(sc3_input *in, bytes *from) {
  size_t n = from->n < from->step ? from->n : from->step;
  char *space = n > 0 ? sc3_input_space(in, n) : NULL;
  if (space == NULL) {
    in->finished = 1;
    return;
  }
  memcpy(space, from->p, n);
  sc3_input_commit(in, n);
  from->p += n;
  from->n -= n;
}

static void must(int holds) {
  if (!holds)
    abort();
}

/* --- two ways to scan ---------------------------------------------------------------------------------------------- */

static sc3_next next_row(sc3_csv *csv, bytes *from, sc3_record *record) {
  sc3_next next;
  while ((next = sc3_csv_next(csv, record)) == SC3_NEXT_NEED)
    feed(&csv->input, from);
  return next;
}

static void compare_scans(bytes from, int mode) {
  sc3_csv a, b;
  sc3_record x, y;
  bytes whole = from;
  sc3_next next;
  size_t i;
  sc3_csv_init(&a, mode & COMMA ? ',' : 0, !(mode & NO_HEADER));
  sc3_csv_init(&b, mode & COMMA ? ',' : 0, !(mode & NO_HEADER));
  b.marks = sc3_csv_marks_choose("portable");
  whole.step = 1 << 16;
  do {
    next = next_row(&a, &from, &x);
    must(next == next_row(&b, &whole, &y));
    if (next == SC3_NEXT_FATAL)
      must(a.fatal.kind == b.fatal.kind && a.fatal.row == b.fatal.row && a.fatal.line == b.fatal.line && a.fatal.column == b.fatal.column);
    if (next != SC3_NEXT_RECORD)
      break;
    must(x.row == y.row && x.line == y.line && x.count == y.count && x.fault == y.fault && x.fault_column == y.fault_column);
    for (i = 0; i < x.count; i++)
      must(sc3_slice_eq(x.fields[i].value, y.fields[i].value));
  } while (next == SC3_NEXT_RECORD);
  sc3_csv_free(&a);
  sc3_csv_free(&b);
}

/* --- from rows to JSON --------------------------------------------------------------------------------------------- */

static void check_json(sc3_slice s) {
  size_t i, depth = 0;
  int quoted = 0;
  for (i = 0; i < s.n; i++) {
    unsigned char c = (unsigned char)s.p[i];
    must(c >= 0x20);
    if (quoted && c == '\\')
      i++;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '{' || c == '['))
      depth++;
    else if (!quoted && (c == '}' || c == ']'))
      must(depth-- > 0);
  }
  must(!quoted && depth == 0);
}

/* Looks at what a full payload holds, in small requests, and empties it. */
static uint64_t drain(sc3_payload *p) {
  uint64_t living = sc3_payload_living(p, SC3_ADD) + sc3_payload_living(p, SC3_REMOVE), seen = 0;
  size_t first = 0;
  while (first < sc3_payload_count(p)) {
    sc3_extent x = sc3_payload_cut(p, first, SIZE_MAX, 3, 400);
    must(x.last > first);
    first = x.last;
    seen += x.members[0] + x.members[1];
    check_json(x.bytes[0]);
    check_json(x.bytes[1]);
  }
  must(seen == living);
  sc3_payload_reset(p);
  return living;
}

static void map_columns(sc3_builder *b, int mode) {
  static const sc3_role roles[] = {SC3_ROLE_EXTERNAL_ID, SC3_ROLE_EMAIL, SC3_ROLE_PHONE, SC3_ROLE_REGION, SC3_ROLE_EMAIL, SC3_ROLE_PHONE, SC3_ROLE_UID,
                                   SC3_ROLE_UID, SC3_ROLE_HASHED_EMAIL};
  static const char names[] = "abcdefghi";
  static const char *const types[] = {"uid2", "maid"};
  size_t i;
  for (i = 0; i < sizeof roles / sizeof roles[0]; i++) {
    sc3_target *t = &b->targets[i];
    t->role = roles[i];
    t->fallback = i == 4 || i == 5;
    if (roles[i] == SC3_ROLE_UID)
      t->uid_type = sc3_slice_of(types[i - 6], strlen(types[i - 6]));
    if (mode & JSONL)
      t->name = sc3_slice_of(names + i, 1);
    else
      t->column = i % COLUMNS + 1;
  }
  b->target_count = i;
}

static void set_conditions(sc3_builder *b) {
  static const sc3_operand operands[] = {{SC3_KIND_TEXT, {"yes", 3}, 0}, {SC3_KIND_NUMBER, {NULL, 0}, 5}};
  b->conditions[0].op = SC3_NOT_EQUAL;
  b->conditions[0].column = 2;
  b->conditions[0].operands = operands;
  b->conditions[0].operand_count = 2;
  b->conditions[1].op = SC3_AT_LEAST;
  b->conditions[1].column = 1;
  b->conditions[1].operands = operands + 1;
  b->conditions[1].operand_count = 1;
  b->condition_count = 2;
}

static void build(bytes from, int mode) {
  sc3_builder b;
  sc3_payload *p = sc3_payload_new(7, PAYLOAD);
  sc3_csv csv;
  sc3_jsonl jsonl;
  sc3_record record;
  uint64_t living = 0;
  if (p == NULL)
    return;
  sc3_builder_init(&b, mode & REMOVE ? SC3_REMOVE : SC3_ADD, 4000, 1);
  b.reading.mend = !(mode & NO_MEND);
  b.reading.region = sc3_region_find(sc3_slice_of("Germany", 7));
  if (mode & REPAIRS)
    b.reading.phone_repairs = SC3_PHONE_REPAIRS;
  map_columns(&b, mode);
  if (mode & CONDITIONS)
    set_conditions(&b);
  sc3_csv_init(&csv, mode & COMMA ? ',' : 0, !(mode & NO_HEADER));
  sc3_jsonl_init(&jsonl);
  for (;;) {
    sc3_next next = mode & JSONL ? sc3_jsonl_next(&jsonl, NULL, &record) : sc3_csv_next(&csv, &record);
    sc3_added added;
    int wanted;
    if (next == SC3_NEXT_NEED) {
      feed(mode & JSONL ? &jsonl.input : &csv.input, &from);
      continue;
    }
    if (next != SC3_NEXT_RECORD)
      break;
    sc3_builder_begin(&b, record.row);
    wanted = sc3_builder_wants(&b, &record);
    must(!wanted || sc3_builder_map(&b, &record, p) == SC3_OK);
    must(sc3_builder_end(&b, !wanted) == SC3_OK);
    while ((added = sc3_builder_flush(&b, p)) == SC3_FULL)
      living += drain(p);
    must(added == SC3_ADDED);
    b.refusals.n = 0;
  }
  living += drain(p);
  must(b.tally.rows == b.tally.skipped + b.tally.rejected + b.tally.used);
  must(b.tally.built == living + b.tally.superseded);
  must(b.tally.built == b.tally.built_op[0] + b.tally.built_op[1]);
  sc3_csv_free(&csv);
  sc3_jsonl_free(&jsonl);
  sc3_builder_free(&b);
  sc3_payload_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bytes from;
  if (size < 3)
    return 0;
  from.p = data + 2;
  from.n = size - 2;
  from.step = (size_t)data[0] + 1;
  if (!(data[1] & JSONL))
    compare_scans(from, data[1]);
  build(from, data[1]);
  return 0;
}
