#include "csv.h"

#include <stdlib.h>

#include "csv_sniff.h"
#include "csv_unquote.h"
#include "header.h"

enum { LOOK_AHEAD = 64 << 10 };

void sc3_csv_init(sc3_csv *csv, char delimiter, int has_header) {
  memset(csv, 0, sizeof *csv);
  sc3_input_init(&csv->input);
  sc3_buffer_init(&csv->header, SC3_ROW_MAX);
  csv->dialect.delimiter = delimiter;
  csv->dialect.quote = '"';
  csv->dialect.marks = sc3_csv_marks_choose(NULL, 0);
  csv->has_header = has_header;
  csv->line = 1;
}

void sc3_csv_set_dialect(sc3_csv *csv, char quote, char escape, sc3_slice null) {
  csv->dialect.quote = quote;
  csv->dialect.escape = escape;
  csv->dialect.null_length = null.n < SC3_NULL_MAX ? null.n : SC3_NULL_MAX;
  if (csv->dialect.null_length > 0)
    memcpy(csv->dialect.null, null.p, csv->dialect.null_length);
  csv->dialect.marks = sc3_csv_marks_choose(NULL, escape != '\0');
}

void sc3_csv_free(sc3_csv *csv) {
  sc3_buffer_free(&csv->input.buffer);
  sc3_buffer_free(&csv->header);
  free(csv->fields.at);
  free(csv->names);
  csv->fields.at = NULL;
  csv->names = NULL;
}

static sc3_next fail(sc3_csv *csv, sc3_fatal_kind kind, uint64_t line, size_t column) {
  csv->fatal.kind = kind;
  csv->fatal.row = csv->header_read || !csv->has_header ? csv->row + 1 : 0;
  csv->fatal.line = line;
  csv->fatal.column = column;
  return SC3_NEXT_FATAL;
}

/* Drops line ends before a row, and a byte order mark, which stands inside where files were joined.
 * SC3_NEXT_RECORD when something else stands there. */
static sc3_next skip_empty_lines(sc3_csv *csv) {
  sc3_input *in = &csv->input;
  for (;;) {
    char c;
    if (sc3_input_left(in) == 0)
      return in->finished ? SC3_NEXT_END : SC3_NEXT_NEED;
    c = *sc3_input_head(in);
    if (c == '\n') {
      if (!csv->skip_lf) {
        csv->line++;
        csv->lines.blank++;
      }
      csv->skip_lf = 0;
    } else if (c == '\r') {
      if (csv->dialect.escape != '\0' && sc3_input_left(in) == 1 && !in->finished)
        return SC3_NEXT_NEED;
      if (csv->dialect.escape != '\0' && sc3_input_left(in) > 1 && sc3_input_head(in)[1] != '\n')
        return SC3_NEXT_RECORD; /* with an escape it is text */
      csv->line++;
      csv->lines.blank++;
      csv->skip_lf = 1;
    } else if (c == '\xef' &&
               (sc3_input_left(in) >= 3 ? memcmp(sc3_input_head(in), "\xef\xbb\xbf", 3) == 0
                                        : !in->finished)) {
      csv->skip_lf = 0;
      if (sc3_input_left(in) < 3)
        return SC3_NEXT_NEED;
      csv->lines.bytes_marks++;
      sc3_input_take(in, 3);
      continue;
    } else {
      csv->skip_lf = 0;
      return SC3_NEXT_RECORD;
    }
    sc3_input_take(in, 1);
  }
}

/* Looks at the first bytes: what is no text is refused, and what stands before the header is passed
 * over. */
SC3_COLD
static sc3_next begin_input(sc3_csv *csv) {
  sc3_input *in = &csv->input;
  sc3_next next;
  if (!csv->sniffed) {
    const unsigned char d = (unsigned char)csv->dialect.delimiter;
    next = sc3_input_begin(
        in, d == 0 || d == '\t' || d >= 0x20 ? SC3_CONTROLS_NONE : SC3_CONTROLS_ANY, &csv->fatal);
    if (next == SC3_NEXT_FATAL)
      return fail(csv, csv->fatal.kind, 1, 0);
    if (next != SC3_NEXT_RECORD)
      return next;
    csv->sniffed = 1;
  }
  next = sc3_csv_skip_head(csv);
  if (next != SC3_NEXT_RECORD)
    return next;
  if (!sc3_input_sniffable(in))
    return SC3_NEXT_NEED;
  if (csv->has_header && sc3_csv_sniff_json(sc3_slice_of(sc3_input_head(in), sc3_input_left(in))))
    return fail(csv, SC3_FATAL_JSON, 1, 0);
  csv->begun = 1;
  return SC3_NEXT_RECORD;
}

/* A line of nothing but delimiters and white space is an empty line; before a header, whatever
   delimits. Of one column a blank may be a value. */
static int holds_nothing(const sc3_csv *csv, const sc3_csv_row *s) {
  const char *p = sc3_input_head(&csv->input), *const end = p + s->length;
  const int before = csv->has_header && csv->columns == 0;
  if (s->count == 1 && csv->columns == 1)
    return 0;
  while (p < end && (!sc3_csv_is_content(*p, csv->dialect.delimiter) ||
                     (before && *p != '\0' && strchr(",;|", *p) != NULL)))
    p++;
  return p == end;
}

/* What came in and was not taken. */
static sc3_slice waiting(const sc3_csv *csv) {
  return sc3_slice_of(sc3_input_head(&csv->input), sc3_input_left(&csv->input));
}

static sc3_next find_delimiter(sc3_csv *csv) {
  const sc3_slice text = waiting(csv);
  csv->dialect.delimiter = sc3_csv_sniff_delimiter(&csv->dialect, csv->likely, text,
                                                   csv->input.finished || text.n > SC3_ROW_MAX);
  return csv->dialect.delimiter != '\0' ? SC3_NEXT_RECORD : SC3_NEXT_NEED;
}

static void note_error(sc3_csv *csv, const sc3_csv_error *error) {
  csv->fatal.lines = error->lines;
  csv->lines.swallowed += error->swallowed;
  (void)fail(csv, error->kind, csv->line + error->line, error->column);
}

static sc3_next find_row(sc3_csv *csv, sc3_csv_row *s) {
  for (;;) {
    sc3_next next = skip_empty_lines(csv);
    s->marked = 0;
    if (next == SC3_NEXT_RECORD && csv->dialect.delimiter == '\0')
      next = find_delimiter(csv);
    if (next == SC3_NEXT_RECORD) {
      const sc3_csv_text text = {waiting(csv), csv->input.taken, csv->input.finished,
                                 &csv->stretch};
      next = sc3_csv_scan(&csv->dialect, &text, &csv->fields, s);
    }
    if (next == SC3_NEXT_FATAL)
      note_error(csv, &s->error);
    if (next != SC3_NEXT_RECORD && s->marked)
      sc3_csv_unmark(&csv->fields, s->count + 1);
    if (next != SC3_NEXT_RECORD || !holds_nothing(csv, s))
      return next;
    csv->line += s->lines;
    csv->lines.blank++;
    csv->skip_lf = s->ends_in_cr;
    sc3_input_take(&csv->input, s->length);
    if (csv->input.finished && sc3_input_left(&csv->input) == 0)
      csv->input.unended = 0; /* the line without an end is no row, and the last row has its own */
  }
}

/* How many lines inside the row's fields look like rows of their own. Counted before quotes and
 * escapes are taken out. */
static size_t alike_in(const sc3_csv *csv, const sc3_csv_row *s) {
  size_t i, alike = 0;
  if (s->fault != SC3_R_NONE || s->count < 2 ||
      (csv->columns > 0 && s->count != csv->columns && s->count != csv->columns + csv->width.extra))
    return 0;
  for (i = 0; i < s->count; i++) {
    sc3_slice v = csv->fields.at[i].value;
    if (!sc3_csv_is_quoted(&csv->dialect, sc3_input_head(&csv->input), &csv->fields.at[i]) ||
        v.n == 0 || (memchr(v.p, '\n', v.n) == NULL && memchr(v.p, '\r', v.n) == NULL))
      continue;
    alike += sc3_count_row_like_lines(csv->fields.at, s->count, i, csv->dialect.delimiter,
                                      csv->columns == 0);
  }
  return alike;
}

/* The next row; not before enough has come, when it was looked for in vain. */
static sc3_next find_row_when_due(sc3_csv *csv, sc3_csv_row *s) {
  sc3_next next;
  if (sc3_input_starved(&csv->input))
    return SC3_NEXT_NEED;
  csv->input.wanted = 0;
  next = find_row(csv, s);
  if (next == SC3_NEXT_NEED)
    sc3_input_starve(&csv->input);
  return next;
}

static sc3_next take_row(sc3_csv *csv, sc3_csv_row *s) {
  sc3_next next;
  if (csv->has_nulls) {
    sc3_csv_unmark(&csv->fields, csv->fields.capacity);
    csv->has_nulls = 0;
  }
  next = find_row_when_due(csv, s);
  if (next != SC3_NEXT_RECORD)
    return next;
  s->alike = s->inner > 0 ? alike_in(csv, s) : 0;
  if (!s->is_ascii)
    (void)sc3_utf8_stats_add(&csv->lines.bytes, sc3_input_head(&csv->input), s->length,
                             csv->row + (csv->columns > 0), csv->line);
  if (csv->dialect.null_length > 0 && csv->columns > 0)
    csv->has_nulls =
        sc3_csv_find_nulls(&csv->dialect, sc3_input_head(&csv->input), &csv->fields, s->count);
  if (s->marked)
    sc3_csv_unquote(&csv->dialect, csv->input.buffer.p + csv->input.at, &csv->fields, s);
  sc3_input_take(&csv->input, s->length);
  csv->skip_lf = s->ends_in_cr;
  return SC3_NEXT_RECORD;
}

static sc3_next keep_header(sc3_csv *csv, size_t count) {
  size_t i, total = 0;
  char *p;
  for (i = 0; i < count; i++)
    total += csv->fields.at[i].value.n;
  csv->names = calloc(count, sizeof *csv->names);
  if (csv->names == NULL || sc3_buffer_reserve(&csv->header, total + 1) != SC3_OK)
    return SC3_NEXT_NOMEM;
  for (i = 0; i < count; i++) {
    p = csv->header.p + csv->header.n;
    sc3_buffer_put(&csv->header, csv->fields.at[i].value.p, csv->fields.at[i].value.n);
    csv->names[i] = sc3_slice_of(p, csv->fields.at[i].value.n);
  }
  csv->columns = count;
  return SC3_NEXT_RECORD;
}

sc3_next sc3_csv_begin(sc3_csv *csv) {
  sc3_csv_row s;
  sc3_next next;
  if (csv->fatal.kind != SC3_FATAL_NONE)
    return SC3_NEXT_FATAL;
  if (!csv->begun) {
    next = begin_input(csv);
    if (next != SC3_NEXT_RECORD)
      return next;
  }
  if (csv->columns > 0)
    return SC3_NEXT_RECORD;
  if (!csv->has_header) {
    next = find_row_when_due(csv, &s);
    if (next == SC3_NEXT_RECORD) {
      csv->columns = s.count;
      if (s.marked)
        sc3_csv_unmark(&csv->fields, s.count);
    }
    return next == SC3_NEXT_END ? SC3_NEXT_RECORD : next;
  }
  next = take_row(csv, &s);
  if (next == SC3_NEXT_END)
    return fail(csv, SC3_FATAL_EMPTY, 1, 0);
  if (next != SC3_NEXT_RECORD)
    return next;
  if (s.fault != SC3_R_NONE)
    return fail(csv, SC3_FATAL_HEADER, csv->line, s.fault_column);
  next = keep_header(csv, s.count);
  if (next == SC3_NEXT_RECORD && s.lines == s.inner &&
      sc3_header_advice(csv->names, csv->columns) != NULL)
    return fail(csv, SC3_FATAL_NO_LINES, 1, 0);
  if (next == SC3_NEXT_RECORD) {
    csv->line += s.lines;
    csv->lines.header += s.inner + 1;
    csv->lines.odd_header = s.alike > 0;
    csv->header_read = 1;
  }
  return next;
}

/* Whether a row in the next bytes has something where the first one has `extra` empty fields: then
   these are no trailing delimiters. Nothing is taken. */
static int has_content_there(sc3_csv *csv, size_t extra, const sc3_csv_row *first) {
  sc3_input *in = &csv->input;
  const sc3_input before = *in;
  const sc3_line_counts lines = csv->lines;
  const uint64_t line = csv->line;
  const int skip_lf = csv->skip_lf;
  const size_t columns = csv->columns, until = in->at + LOOK_AHEAD;
  int found = 0;
  sc3_csv_row s = *first;
  while (!found && in->at + s.length < in->buffer.n && in->at + s.length < until) {
    sc3_input_take(in, s.length);
    if (find_row(csv, &s) != SC3_NEXT_RECORD)
      break;
    found = s.fault == SC3_R_NONE && s.count == columns + extra &&
            sc3_csv_width_count_filled(csv->fields.at, s.count, columns) > columns;
    sc3_csv_unmark(&csv->fields, s.count);
  }
  memset(&csv->fatal, 0, sizeof csv->fatal);
  csv->lines = lines;
  csv->line = line;
  csv->skip_lf = skip_lf;
  *in = before;
  return found;
}

/* Looks at the first row, and where it is too long only by empty fields, at those after it. It
 * stays to be read. */
static sc3_next learn_width(sc3_csv *csv) {
  sc3_csv_row s;
  size_t extra;
  sc3_next next = find_row_when_due(csv, &s);
  if (next != SC3_NEXT_RECORD)
    return next;
  extra = 0;
  if (s.fault == SC3_R_NONE &&
      sc3_csv_width_count_filled(csv->fields.at, s.count, csv->columns) == csv->columns)
    extra = s.count - csv->columns;
  if (s.marked)
    sc3_csv_unmark(&csv->fields, s.count);
  if (extra > 0 && !csv->input.finished && sc3_input_left(&csv->input) < LOOK_AHEAD + s.length) {
    csv->input.wanted =
        LOOK_AHEAD + s.length; /* what is decided does not depend on how much has come */
    return SC3_NEXT_NEED;
  }
  csv->width.extra = extra > 0 && !has_content_there(csv, extra, &s) ? extra : 0;
  csv->width.known = 1;
  return SC3_NEXT_RECORD;
}

/* Judges how many fields a row has. Gives how many are missing at its end, and were filled up. */
static size_t judge_width(sc3_csv *csv, sc3_csv_row *s) {
  sc3_csv_width_row row;
  const size_t had = s->count;
  if (had == csv->columns || s->fault != SC3_R_NONE)
    return 0;
  row.fields = csv->fields.at;
  row.count = had;
  row.columns = csv->columns;
  row.number = csv->row + 1;
  row.line = csv->line;
  row.inner = s->inner;
  s->fault = sc3_csv_width_judge(&csv->width, &csv->lines, &row);
  s->fault_column = (had < csv->columns ? had : csv->columns) + 1;
  s->count = row.count;
  return s->fault == SC3_R_NONE && row.count > had ? row.count - had : 0;
}

static void count_lines(sc3_csv *csv, const sc3_csv_row *s) {
  sc3_spot spot;
  spot.row = csv->row;
  spot.line = csv->line;
  spot.lines = s->inner;
  spot.refused = s->fault != SC3_R_NONE;
  sc3_line_counts_add(&csv->lines, &spot, s->alike);
}

sc3_next sc3_csv_learn(sc3_csv *csv) {
  const sc3_next next = sc3_csv_begin(csv);
  return next == SC3_NEXT_RECORD && !csv->width.known ? learn_width(csv) : next;
}

void sc3_csv_resume(sc3_csv *csv, uint64_t row, uint64_t line) {
  csv->row = row - 1;
  csv->line = line;
  csv->stretch.known = 0; /* the file may have other bytes by now */
}

sc3_next sc3_csv_next(sc3_csv *csv, sc3_record *record) {
  sc3_csv_row s;
  sc3_next next = sc3_csv_begin(csv);
  if (next == SC3_NEXT_RECORD && !csv->width.known)
    next = learn_width(csv);
  if (next == SC3_NEXT_RECORD)
    next = take_row(csv, &s);
  if (next != SC3_NEXT_RECORD)
    return next;
  record->missing = judge_width(csv, &s);
  record->row = ++csv->row;
  record->line = csv->line;
  record->lines = s.inner;
  record->offset = csv->input.taken - s.length;
  record->found = NULL;
  record->count = s.count;
  record->fields = csv->fields.at;
  record->fault = s.fault;
  record->fault_column = s.fault != SC3_R_NONE ? s.fault_column : 0;
  record->child = 0;
  record->fault_key = 0;
  if (s.inner > 0)
    count_lines(csv, &s);
  csv->line += s.lines;
  return SC3_NEXT_RECORD;
}
