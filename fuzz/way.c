/* See way.h. WAY is the name that this build of it has. */
#include "way.h"

#include <stdlib.h>
#include <string.h>

#include "../csrc/core/bytes/sha256.h"
#include "../csrc/core/members/builder.h"
#include "../csrc/core/rows/csv.h"
#include "../csrc/core/rows/jsonl.h"
#include "../csrc/core/identity/phone.h"
#include "../csrc/core/identity/region.h"

enum {
  PAYLOAD = 5000,
  ROWS_TOGETHER = 20 /* of so many at most hashes are computed together, where that gains */
};

/* What is on its way. */
typedef struct way {
  const uint8_t *p;
  size_t n, step;
  unsigned mode;
  sc3_csv csv;
  sc3_jsonl jsonl;
  sc3_builder b;
  sc3_mapping columns;
  sc3_payload *now, *next;
  sc3_id_set *sealed; /* NULL outside epochs */
  uint64_t living;    /* members that left in payloads */
  way_result *result;
} way;

static void must(int holds) {
  if (!holds)
    abort();
}

/* --- what came of it, as one number --- */

static void note(way *w, uint64_t value) {
  uint64_t h = (w->result->digest ^ value) * UINT64_C(0x9e3779b97f4a7c15);
  w->result->digest = h ^ h >> 29;
}

/* Eight bytes or the last few; the same number on machines of either byte order. */
static uint64_t number_of(const unsigned char *p, size_t n) {
  uint64_t number = 0;
  size_t i;
  for (i = 0; i < n; i++)
    number |= (uint64_t)p[i] << 8 * i;
  return number;
}

static void note_bytes(way *w, const void *bytes, size_t n) {
  const unsigned char *p = bytes;
  note(w, n);
  for (; n > 8; n -= 8, p += 8)
    note(w, number_of(p, 8));
  note(w, number_of(p, n));
}

static void note_record(way *w, const sc3_record *r) {
  size_t i;
  note(w, r->row);
  note(w, r->line << 32 ^ r->lines);
  note(w, (uint64_t)r->fault << 32 | r->fault_column);
  note(w, (uint64_t)r->missing << 1 | (uint64_t)(r->child != 0));
  for (i = 0; r->fault == SC3_R_NONE && i < r->count; i++) {
    note(w, (uint64_t)r->fields[i].kind);
    note_bytes(w, r->fields[i].name.p, r->fields[i].name.n);
    note_bytes(w, r->fields[i].value.p, r->fields[i].value.n);
  }
}

static void note_rejections(way *w) {
  const sc3_rejection *r = (const sc3_rejection *)(const void *)w->b.rejections.p;
  size_t i, n = w->b.rejections.n / sizeof *r;
  for (i = 0; i < n; i++)
    note(w, r[i].row << 32 ^ (uint64_t)r[i].column << 24 ^ (uint64_t)r[i].role << 16 ^
                (uint64_t)r[i].reason << 8 ^ r[i].dropped ^ (uint64_t)r[i].lines << 48 ^
                r[i].line << 40);
  w->b.rejections.n = 0;
}

/* The lines that are no rows. */
static void note_lines(way *w) {
  const sc3_line_counts *l = w->mode & WAY_JSONL ? &w->jsonl.lines : &w->csv.lines;
  size_t i;
  note(w, l->header << 48 ^ l->blank << 32 ^ l->quoted);
  note(w, l->bytes.rows << 40 ^ l->bytes.good << 20 ^ l->bytes.row << 10 ^ l->bytes.line);
  note(w, l->swallowed << 32 ^ l->refused_rows << 24 ^ l->odd_rows << 16 ^ l->bytes_marks);
  note(w, l->shared << 48 ^ l->short_rows << 32 ^ l->trailing_rows << 16 ^ l->longer_rows);
  for (i = 0; i < SC3_SHORT_MAX; i++)
    note(w, l->short_at[i] << 32 ^ l->short_lines[i]);
  for (i = 0; i < l->spot_count; i++)
    note(w, l->spots[i].row << 48 ^ l->spots[i].line << 32 ^ l->spots[i].lines << 1 ^
                (uint64_t)l->spots[i].refused);
}

/* The tally and what it adds up to. */
static void note_tally(way *w) {
  const sc3_tally *t = &w->b.tally;
  size_t i;
  must(t->rows == t->skipped + t->rejected + t->used);
  must(t->built == w->living + t->replaced);
  must(t->built == t->built_op[0] + t->built_op[1]);
  note(w, t->rows << 40 ^ t->skipped << 20 ^ t->rejected);
  note(w, t->built << 40 ^ t->replaced << 20 ^ t->deferred);
  note(w, t->emails << 40 ^ t->phones << 20 ^ t->uids << 10 ^ t->prehashed);
  for (i = 0; i < SC3_R_COUNT; i++) {
    note(w, t->rejected_for[i] << 32 ^ t->dropped_for[i]);
    w->result->dropped += t->dropped_for[i];
  }
  for (i = 0; i < SC3_REPAIR_COUNT; i++)
    note(w, t->repaired_for[i]);
  w->result->rows = t->rows;
  w->result->built = t->built;
  w->result->replaced = t->replaced;
  w->result->deferred = t->deferred;
}

/* --- payloads --- */

/* Quotes closed, nothing below a space, brackets in pairs. */
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

/* Looks at what a payload holds, in small requests, and empties it. */
static void drain(way *w, sc3_payload *p) {
  uint64_t living = sc3_payload_living(p, SC3_ADD) + sc3_payload_living(p, SC3_REMOVE), seen = 0;
  size_t first = 0;
  sc3_builder_settle(&w->b);
  while (first < sc3_payload_count(p)) {
    sc3_extent x = sc3_payload_cut(p, first, SIZE_MAX, 3, 400);
    must(x.last > first);
    for (; first < x.last; first++) {
      note(w, sc3_payload_row(p, first));
      const uint64_t fingerprint = sc3_payload_fingerprint(p, first);
      if (w->sealed != NULL && fingerprint != 0)
        must(sc3_id_set_insert(w->sealed, fingerprint) == SC3_OK);
    }
    seen += x.members[0] + x.members[1];
    check_json(x.bytes[0]);
    check_json(x.bytes[1]);
    note_bytes(w, x.bytes[0].p, x.bytes[0].n);
    note_bytes(w, x.bytes[1].p, x.bytes[1].n);
  }
  must(seen == living);
  w->living += living;
  sc3_payload_reset(p);
}

/* The next epoch: what was held back for it is the payload under way. */
static void turn(way *w) {
  sc3_payload *emptied = w->now;
  drain(w, emptied);
  sc3_id_set_clear(w->sealed);
  w->now = w->next;
  w->next = w->b.next = emptied;
}

static void flush(way *w) {
  sc3_added added;
  while ((added = sc3_builder_flush(&w->b, w->now)) != SC3_ADDED) {
    must(added == SC3_FULL || added == SC3_FULL_NEXT);
    if (added == SC3_FULL)
      drain(w, w->now);
    else
      turn(w);
  }
}

/* --- rows --- */

/* The next piece into the parser. */
static void feed(way *w) {
  sc3_input *in = w->mode & WAY_JSONL ? &w->jsonl.input : &w->csv.input;
  size_t n = w->n < w->step ? w->n : w->step;
  char *space = n > 0 ? sc3_input_space(in, n) : NULL;
  if (space == NULL) {
    must(sc3_input_finish(in) == SC3_OK);
    return;
  }
  memcpy(space, w->p, n);
  sc3_input_commit(in, n);
  w->p += n;
  w->n -= n;
}

static void map_columns(way *w) {
  static const sc3_role roles[] = {SC3_ROLE_EXTERNAL_ID, SC3_ROLE_EMAIL, SC3_ROLE_PHONE,
                                   SC3_ROLE_REGION,      SC3_ROLE_EMAIL, SC3_ROLE_PHONE,
                                   SC3_ROLE_UID,         SC3_ROLE_UID,   SC3_ROLE_HASHED_EMAIL};
  static const char names[] = "abcdefghi";
  static const char *const types[] = {"uid2", "maid"};
  size_t i;
  for (i = 0; i < sizeof roles / sizeof roles[0]; i++) {
    sc3_target *t = &w->columns.targets[i];
    t->role = roles[i];
    t->fallback = i == 4 || i == 5;
    if (roles[i] == SC3_ROLE_UID)
      t->uid_type = sc3_slice_of(types[i - 6], strlen(types[i - 6]));
    if (w->mode & WAY_JSONL)
      t->name = sc3_slice_of(names + i, 1);
    else
      t->column = i % WAY_COLUMNS + 1;
  }
  w->columns.target_count = w->columns.ends[0] = i;
  w->columns.member_count = 1;
}

static void set_conditions(way *w) {
  static const sc3_operand operands[] = {
      {SC3_KIND_TEXT, {"yes", 3}, {0, 0, 0}},
      {SC3_KIND_NUMBER, {NULL, 0}, {5, 1, 5}},
  };
  sc3_condition *c = w->columns.conditions;
  c[0].op = SC3_NOT_EQUAL;
  c[0].operands = operands;
  c[0].operand_count = 2;
  c[1].op = SC3_AT_LEAST;
  c[1].operands = operands + 1;
  c[1].operand_count = 1;
  c[1].decimal = w->mode & WAY_ALL_KEYS ? ',' : '\0';
  if (w->mode & WAY_JSONL) {
    c[0].name = sc3_slice_of("b", 1);
    c[1].name = sc3_slice_of("a", 1);
  } else {
    c[0].column = 2;
    c[1].column = 1;
  }
  w->columns.condition_count = 2;
}

/* Processors with the SHA extensions have AVX2 too, and those of ARM have NEON. */
static void choose_hashes(const way *w) {
  static const sc3_sha256_impl *best, *slower;
  if (best == NULL) {
    best = sc3_sha256_used();
    slower = sc3_sha256_find("avx2");
    if (slower == NULL)
      slower = sc3_sha256_find("neon");
  }
  sc3_sha256_use((w->mode & WAY_SLOWER) != 0 && slower != NULL ? slower : best);
}

static void open_way(way *w) {
  static const char *const slower[] = {"sse2",
                                       "portable"}; /* of processors whose best is another */
  choose_hashes(w);
  w->now = sc3_payload_new(7, PAYLOAD);
  w->next = sc3_payload_new(7, PAYLOAD);
  w->sealed = w->mode & WAY_EPOCHS ? sc3_id_set_new() : NULL;
  must(w->now != NULL && w->next != NULL && (w->sealed != NULL) == ((w->mode & WAY_EPOCHS) != 0));
  sc3_builder_init(&w->b, w->mode & WAY_REMOVE ? SC3_REMOVE : SC3_ADD, 4000, 1);
  w->b.mapping = &w->columns;
  w->b.sealed = w->sealed;
  w->b.next = w->next;
  w->b.reading.repair = !(w->mode & WAY_NO_REPAIR);
  w->b.reading.ids = w->mode & WAY_HASH_IDS    ? SC3_IDS_HASH
                     : w->mode & WAY_IDS_AS_IS ? SC3_IDS_AS_IS
                                               : SC3_IDS_REFUSE;
  w->b.reading.region = sc3_region_find(sc3_slice_of("Germany", 7));
  if (w->mode & WAY_REPAIRS)
    w->b.reading.phone_repairs = SC3_PHONE_REPAIRS;
  map_columns(w);
  if (w->mode & WAY_CONDITIONS)
    set_conditions(w);
  sc3_csv_init(&w->csv,
               w->mode & WAY_CONTROL ? '\x01'
               : w->mode & WAY_COMMA ? ','
                                     : 0,
               !(w->mode & WAY_NO_HEADER));
  w->csv.skip_lines = w->mode & WAY_SKIP_LINES ? 2 : 0;
  sc3_csv_set_dialect(&w->csv, w->mode & WAY_NO_QUOTES ? '\0' : '"',
                      w->mode & WAY_ESCAPES ? '\\' : '\0',
                      sc3_slice_of("\\N", w->mode & WAY_ESCAPES ? 2 : 0));
  if (w->mode & WAY_SLOWER)
    w->csv.dialect.marks = sc3_csv_marks_choose(slower[sc3_csv_marks_choose(slower[0], 0) == NULL],
                                                (w->mode & WAY_ESCAPES) != 0);
  sc3_jsonl_init(&w->jsonl);
  if (w->mode & WAY_UTF16)
    w->csv.input.encoding = w->jsonl.input.encoding =
        w->mode & WAY_BYTES ? SC3_ENCODING_UTF16 : SC3_ENCODING_UTF16LE;
  else if (w->mode & WAY_BYTES)
    w->csv.input.encoding = w->jsonl.input.encoding =
        sc3_encoding_of(sc3_slice_of("windows-1252", 12));
}

static void close_way(way *w) {
  sc3_csv_free(&w->csv);
  sc3_jsonl_free(&w->jsonl);
  sc3_builder_free(&w->b);
  sc3_payload_free(w->now);
  sc3_payload_free(w->next);
  sc3_id_set_free(w->sealed);
}

static void take_rows(way *w, uint64_t max_rows) {
  sc3_keys keys = sc3_mapping_keys(w->b.mapping);
  sc3_record record;
  keys.all = (w->mode & WAY_ALL_KEYS) != 0;
  while (w->b.tally.rows < max_rows) {
    sc3_next next = w->mode & WAY_JSONL ? sc3_jsonl_next(&w->jsonl, &keys, &record)
                                        : sc3_csv_next(&w->csv, &record);
    int wanted;
    if (next == SC3_NEXT_NEED) {
      feed(w);
      continue;
    }
    if (next != SC3_NEXT_RECORD) {
      const sc3_fatal *f = w->mode & WAY_JSONL ? &w->jsonl.fatal : &w->csv.fatal;
      must(next == SC3_NEXT_END || next == SC3_NEXT_FATAL);
      note(w, (uint64_t)f->kind << 56 ^ f->row << 40 ^ f->line << 20 ^ f->column);
      return;
    }
    note_record(w, &record);
    w->result->faults += record.fault != SC3_R_NONE;
    if (w->b.tally.rows % ROWS_TOGETHER == 3) /* those before are hashed each for itself */
      sc3_builder_gather(&w->b);
    sc3_builder_begin(&w->b, record.row, record.line);
    sc3_mapping_check(w->b.mapping, &record);
    wanted = sc3_mapping_wants(w->b.mapping, &record);
    must(!wanted || sc3_builder_map(&w->b, &record, w->now) == SC3_OK);
    must(sc3_builder_end(&w->b, !wanted) == SC3_OK);
    flush(w);
    note_rejections(w);
    if (w->b.tally.rows % ROWS_TOGETHER == 0)
      sc3_builder_settle(&w->b);
  }
}

__attribute__((visibility("default"))) void WAY(const way_input *input, way_result *result) {
  static way w; /* too large for a stack that is guarded */
  memset(&w, 0, sizeof w);
  memset(result, 0, sizeof *result);
  w.p = input->p;
  w.n = input->n;
  w.step = input->step;
  w.mode = input->mode;
  w.result = result;
  open_way(&w);
  take_rows(&w, input->max_rows);
  drain(&w, w.now);
  if (w.sealed != NULL)
    turn(&w);
  drain(&w, w.now);
  note_tally(&w);
  note_lines(&w);
  close_way(&w);
}
