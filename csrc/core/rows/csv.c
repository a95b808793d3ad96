#include "csv.h"

#include <stdlib.h>

#include "header.h"

enum { FIRST_FIELDS = 32, SNIFFED = 1024, LOOK_AHEAD = 64 << 10 };

void sc3_csv_init(sc3_csv *csv, char delimiter, int has_header) {
  memset(csv, 0, sizeof *csv);
  sc3_input_init(&csv->input);
  sc3_buffer_init(&csv->header, SC3_ROW_MAX);
  csv->delimiter = delimiter;
  csv->quote = '"';
  csv->marks = sc3_csv_marks_choose(NULL, 0);
  csv->has_header = has_header;
  csv->line = 1;
}

void sc3_csv_dialect(sc3_csv *csv, char quote, char escape, sc3_slice null) {
  csv->quote = quote;
  csv->escape = escape;
  csv->null_length = null.n < SC3_NULL_MAX ? null.n : SC3_NULL_MAX;
  if (csv->null_length > 0)
    memcpy(csv->null, null.p, csv->null_length);
  csv->marks = sc3_csv_marks_choose(NULL, escape != '\0');
}

void sc3_csv_free(sc3_csv *csv) {
  sc3_buffer_free(&csv->input.buffer);
  sc3_buffer_free(&csv->header);
  free(csv->fields);
  free(csv->names);
  csv->fields = NULL;
  csv->names = NULL;
}

static sc3_next fail(sc3_csv *csv, sc3_fatal_kind kind, uint64_t line, size_t column) {
  csv->fatal.kind = kind;
  csv->fatal.row = csv->header_read || !csv->has_header ? csv->row + 1 : 0;
  csv->fatal.line = line;
  csv->fatal.column = column;
  return SC3_NEXT_FATAL;
}

/* A row as it is being found: nothing is changed in the input until its end is known, because it
   may have to be looked at again when more has come. */
typedef struct scan {
  size_t count;   /* fields */
  size_t length;  /* bytes, the line end included */
  uint64_t lines; /* line ends, that of the row included */
  uint64_t inner; /* those inside fields */
  size_t alike;   /* lines inside fields that look like rows */
  int doubled;    /* some field holds doubled quotes, or escapes */
  int ends_in_cr; /* at the end of what has come: an LF may follow */
  sc3_reason fault;
  size_t fault_column;
} scan;

static void blame(scan *s, sc3_reason fault) {
  if (s->fault == SC3_R_NONE) {
    s->fault = fault;
    s->fault_column = s->count + 1;
  }
}

static sc3_next more_fields(sc3_csv *csv, size_t count) {
  size_t capacity = csv->field_capacity > 0 ? csv->field_capacity * 2 : FIRST_FIELDS;
  sc3_field *grown;
  if (count >= SC3_COLUMNS_MAX)
    return fail(csv, SC3_FATAL_TOO_MANY_COLUMNS, csv->line, count + 1);
  grown = realloc(csv->fields, capacity * sizeof *grown);
  if (grown == NULL)
    return SC3_NEXT_NOMEM;
  /* CSV's fields have no names of their own, and all are text: a row writes nothing but values. */
  memset(grown + csv->field_capacity, 0, (capacity - csv->field_capacity) * sizeof *grown);
  csv->fields = grown;
  csv->field_capacity = capacity;
  return SC3_NEXT_RECORD;
}

/* Mark a field that holds doubled quotes, or escapes (and doubled quotes perhaps), until they are
 * taken out. */
#define HAS_DOUBLED SC3_KIND_NESTED
#define HAS_ESCAPES SC3_KIND_TRUE

/* The marks of a text, in order. */
typedef struct walk {
  const char *block, *end;
  uint64_t bits; /* of the block, those that were not walked over */
  sc3_csv_marks marks;
  char delimiter, quote, escape;
} walk;

static uint64_t bits_of(const walk *w) {
  char copy[SC3_MARKS_BLOCK];
  size_t left = (size_t)(w->end - w->block);
  if (left >= SC3_MARKS_BLOCK)
    return w->marks(w->block, w->delimiter, w->quote, w->escape);
  memset(copy, 'x', sizeof copy);
  memcpy(copy, w->block, left);
  return w->marks(copy, w->delimiter, w->quote, w->escape) & ((UINT64_C(1) << left) - 1);
}

/* The mark that the lowest of `bits`, which are not all 0, stands for. */
static inline const char *first_of(const walk *w, uint64_t bits) {
#if defined(__GNUC__)
  return w->block + __builtin_ctzll(bits);
#else
  const char *mark = w->block;
  for (; (bits & 1) == 0; bits >>= 1)
    mark++;
  return mark;
#endif
}

/* The next mark; the end of the text when there is none. */
static const char *step(walk *w) {
  const char *mark;
  while (w->bits == 0) {
    if (w->end - w->block <= SC3_MARKS_BLOCK) {
      w->block = w->end;
      return w->end;
    }
    w->block += SC3_MARKS_BLOCK;
    w->bits = bits_of(w);
  }
  mark = first_of(w, w->bits);
  w->bits &= w->bits - 1;
  return mark;
}

static int is_mark(const walk *w, char c) {
  return c == w->delimiter || c == w->quote || c == '\n' || c == '\r' || c == '\0' ||
         c == w->escape;
}

/* Walks over the byte that the escape at `mark` takes its meaning from, where it has come. */
static void step_escaped(walk *w, const char *mark, scan *s) {
  const char *next = mark + 1;
  if (next == w->end || !is_mark(w, *next))
    return;
  (void)step(w);
  if (*next == '\0')
    blame(s, SC3_R_NUL_BYTE);
  else if (*next == '\n' || (*next == '\r' && (next + 1 == w->end || next[1] != '\n')))
    s->lines++;
  else if (*next == '\r') { /* CR and LF behind one escape */
    (void)step(w);
    s->lines++;
  }
}

/* The closing quote of the field whose opening quote was the last mark; NULL when it has not come.
 */
static const char *closing_quote(walk *w, int finished, scan *s, sc3_kind *kind) {
  for (;;) {
    const char *mark = step(w);
    if (mark == w->end)
      return NULL;
    if (*mark == w->quote) {
      if (mark + 1 == w->end)
        return finished ? mark : NULL;
      if (mark[1] != w->quote)
        return mark;
      if (*kind == SC3_KIND_TEXT)
        *kind = HAS_DOUBLED;
      (void)step(w);
    } else if (*mark == '\n') {
      s->lines++;
    } else if (*mark == '\r') { /* CRLF is one line end; CR alone is one too */
      s->lines += mark + 1 == w->end || mark[1] != '\n';
    } else if (*mark == '\0') {
      blame(s, SC3_R_NUL_BYTE);
    } else if (*mark == w->escape) {
      *kind = HAS_ESCAPES;
      step_escaped(w, mark, s);
    }
  }
}

/* The end of a quoted field: its closing quote, and in `*behind` the delimiter, line end, or end of
 * what has come, behind it. */
static const char *quoted_field(walk *w, int finished, scan *s, sc3_kind *kind,
                                const char **behind) {
  const char *close = closing_quote(w, finished, s, kind), *mark;
  if (close == NULL)
    return NULL;
  do
    mark = step(w);
  while (mark != w->end && *mark != w->delimiter && *mark != '\n' && *mark != '\r');
  *behind = mark;
  return close;
}

/* The end of a row: a line end at `mark`, or the end of what has come. */
static sc3_next end_row(sc3_csv *csv, scan *s, const char *head, const char *mark,
                        const char *end) {
  if (mark - head > SC3_ROW_MAX)
    return fail(csv, SC3_FATAL_ROW_TOO_LONG, csv->line, s->count);
  s->length = (size_t)(mark - head);
  s->inner = s->lines;
  if (mark == end)
    return csv->input.finished ? SC3_NEXT_RECORD : SC3_NEXT_NEED;
  s->lines++;
  s->length++;
  if (*mark == '\r') {
    if (mark + 1 < end && mark[1] == '\n')
      s->length++;
    else
      s->ends_in_cr = mark + 1 == end;
  }
  return SC3_NEXT_RECORD;
}

/* Whether the walk stops at a mark of a field without quotes that is only text: a quote, a NUL, and
   with an escape also what it stands before, and CR alone. SC3_NEXT_NEED when that cannot be told
   before more has come. */
static sc3_next is_text(const walk *w, const char *mark, int finished) {
  if (*mark == w->delimiter || *mark == '\n')
    return SC3_NEXT_END;
  if (w->escape == '\0' || (*mark != w->escape && *mark != '\r'))
    return *mark == '\r' ? SC3_NEXT_END : SC3_NEXT_RECORD;
  if (mark + 1 == w->end && !finished)
    return SC3_NEXT_NEED;
  return *mark == '\r' && (mark + 1 == w->end || mark[1] == '\n') ? SC3_NEXT_END : SC3_NEXT_RECORD;
}

/* The end of a field without quotes, from its first mark on: the delimiter or line end behind it,
 * or the end of what has come. NULL when more has to come. */
static const char *plain_field(walk *w, int finished, scan *s, const char *mark, sc3_kind *kind) {
  for (; mark != w->end; mark = step(w)) {
    sc3_next text = is_text(w, mark, finished);
    if (text != SC3_NEXT_RECORD)
      return text == SC3_NEXT_NEED ? NULL : mark;
    if (*mark == '\0') {
      blame(s, SC3_R_NUL_BYTE);
    } else if (*mark == w->escape) {
      *kind = HAS_ESCAPES;
      step_escaped(w, mark, s);
    }
  }
  return mark;
}

static uint64_t line_ends(const char *p, const char *end) {
  uint64_t n = 0;
  for (; p < end; p++)
    n += *p == '\n' || (*p == '\r' && (p + 1 == end || p[1] != '\n'));
  return n;
}

/* A quote that does not close in its row's megabyte. What is said of the lines behind it does not
 * depend on how much has come. */
static sc3_next unclosed(sc3_csv *csv, const scan *s, const char *head, const char *start,
                         const char *end, uint64_t line) {
  if (end - head > SC3_ROW_MAX)
    end = head + SC3_ROW_MAX;
  csv->fatal.lines = line_ends(start, end);
  csv->lines.swallowed += line_ends(head, end) + (end[-1] != '\n' && end[-1] != '\r');
  return fail(csv, SC3_FATAL_UNCLOSED_QUOTE, line, s->count + 1);
}

/* A field whose first mark is no delimiter: quoted, with a quote or a NUL in it, or the last of its
   row. Its end is written to `*behind`. SC3_NEXT_RECORD when the field was read. */
static sc3_next odd_field(sc3_csv *csv, scan *s, walk *w, const char *head, const char *start,
                          const char *mark, sc3_field *field, const char **behind) {
  const int finished = csv->input.finished;
  sc3_kind kind = SC3_KIND_TEXT;
  s->count = (size_t)(field - csv->fields);
  if (mark != w->end && w->quote != '\0' && *mark == w->quote && mark == start) {
    uint64_t opened = s->lines;
    const char *close = quoted_field(w, finished, s, &kind, &mark);
    if (close == NULL || close - head > SC3_ROW_MAX) {
      if (close != NULL || finished || w->end - head > SC3_ROW_MAX)
        return unclosed(csv, s, head, start, w->end, csv->line + opened);
      return SC3_NEXT_NEED;
    }
    field->value = sc3_slice_of(start + 1, (size_t)(close - start) - 1);
    if (mark != close + 1)
      blame(s, SC3_R_STRAY_QUOTE);
  } else {
    mark = plain_field(w, finished, s, mark, &kind);
    if (mark == NULL)
      return w->end - head > SC3_ROW_MAX ? fail(csv, SC3_FATAL_ROW_TOO_LONG, csv->line, s->count)
                                         : SC3_NEXT_NEED;
    field->value = sc3_slice_of(start, (size_t)(mark - start));
  }
  if (kind != SC3_KIND_TEXT) {
    field->kind = kind;
    s->doubled = 1;
  }
  *behind = mark;
  return SC3_NEXT_RECORD;
}

/* Finds the row that begins at the head of the input. The walk is kept in local variables where
 * nothing but delimiters comes. */
static sc3_next scan_row(sc3_csv *csv, scan *s) {
  const char *const head = sc3_input_head(&csv->input), *const end =
                                                            head + sc3_input_left(&csv->input);
  const char delimiter = csv->delimiter;
  const char *start = head, *mark;
  sc3_field *field = csv->fields, *full = field != NULL
                                              ? field + csv->field_capacity
                                              : NULL; /* none has been made before the first row */
  walk w;
  uint64_t bits;
  memset(s, 0, sizeof *s);
  w.block = head;
  w.end = end;
  w.marks = csv->marks;
  w.delimiter = delimiter;
  w.quote = csv->quote;
  w.escape = csv->escape;
  bits = bits_of(&w);
  for (;; start = mark + 1, field++) {
    sc3_next next;
    if (field == full) {
      s->count = csv->field_capacity;
      next = more_fields(csv, s->count);
      if (next != SC3_NEXT_RECORD)
        return next;
      field = csv->fields + s->count;
      full = csv->fields + csv->field_capacity;
    }
    if (start - head > SC3_ROW_MAX) { /* the same limit however much has come in at once */
      s->count = (size_t)(field - csv->fields);
      return fail(csv, SC3_FATAL_ROW_TOO_LONG, csv->line, s->count);
    }
    if (bits != 0) {
      mark = first_of(&w, bits);
      bits &= bits - 1;
      if (*mark == delimiter) {
        field->value = sc3_slice_of(start, (size_t)(mark - start));
        continue;
      }
      w.bits = bits;
    } else {
      w.bits = 0;
      mark = step(&w);
    }
    next = odd_field(csv, s, &w, head, start, mark, field, &mark);
    if (next != SC3_NEXT_RECORD)
      return next;
    bits = w.bits;
    if (mark == end || *mark != delimiter) {
      s->count++;
      return end_row(csv, s, head, mark, end);
    }
  }
}

static int is_quoted(const sc3_csv *csv, const sc3_field *f) {
  return csv->quote != '\0' && f->value.p > sc3_input_head(&csv->input) &&
         f->value.p[-1] == csv->quote;
}

/* The character that the one behind an escape stands for. */
static char escaped(char c) {
  static const char from[] = "0bfnrtvZ", to[] = "\0\b\f\n\r\t\v\x1a";
  const char *at = c != '\0' ? strchr(from, c) : NULL;
  return at != NULL ? to[at - from] : c;
}

/* Takes escapes out of a field that begins at `to`, and where it was quoted doubled quotes too. Its
 * new end; NULL when it holds a NUL. */
static char *unescape(const sc3_csv *csv, char *to, const char *end, int quoted) {
  const char *from = to;
  int nul = 0;
  while (from < end) {
    char c = *from++;
    if (c == csv->escape && from < end) {
      c = escaped(*from++);
      nul |= c == '\0';
    } else if (quoted && c == csv->quote && from < end && *from == c) {
      from++;
    }
    *to++ = c;
  }
  return nul ? NULL : to;
}

/* Takes doubled quotes out of a field that begins at `to`; its new end. */
static char *halve_quotes(const sc3_csv *csv, char *to, char *end) {
  char *from = to;
  while (from < end) {
    char *quote = memchr(from, csv->quote, (size_t)(end - from));
    size_t n = quote != NULL ? (size_t)(quote + 1 - from) : (size_t)(end - from);
    memmove(to, from, n);
    to += n;
    from += quote != NULL ? n + 1 : n;
  }
  return to;
}

/* Takes doubled quotes and escapes out, in place: the row's bytes are not looked at again. */
static void unquote(sc3_csv *csv, scan *s) {
  size_t i;
  for (i = 0; i < s->count; i++) {
    sc3_field *f = &csv->fields[i];
    char *start, *end;
    if (f->kind != HAS_DOUBLED && f->kind != HAS_ESCAPES)
      continue;
    start = csv->input.buffer.p + (f->value.p - csv->input.buffer.p);
    end = f->kind == HAS_DOUBLED ? halve_quotes(csv, start, start + f->value.n)
                                 : unescape(csv, start, start + f->value.n, is_quoted(csv, f));
    f->kind = SC3_KIND_TEXT;
    if (end != NULL) {
      f->value.n = (size_t)(end - start);
    } else if (s->fault == SC3_R_NONE) {
      s->fault = SC3_R_NUL_BYTE;
      s->fault_column = i + 1;
    }
  }
}

/* Fields that hold what stands for no value, and are not quoted, have none. */
static void find_nulls(sc3_csv *csv, size_t count) {
  const sc3_slice null = sc3_slice_of(csv->null, csv->null_length);
  size_t i;
  for (i = 0; i < count; i++) {
    sc3_field *f = &csv->fields[i];
    if (sc3_slice_eq(f->value, null) && !is_quoted(csv, f)) {
      f->kind = SC3_KIND_NULL;
      csv->has_nulls = 1;
    }
  }
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
      if (csv->escape != '\0' && sc3_input_left(in) == 1 && !in->finished)
        return SC3_NEXT_NEED;
      if (csv->escape != '\0' && sc3_input_left(in) > 1 && sc3_input_head(in)[1] != '\n')
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

/* Whether a byte is neither white space, nor a line end, nor this delimiter. */
static int is_something(char c, char delimiter) {
  return c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != delimiter;
}

/* The most frequent of the four in the first line that holds more than these and white space,
   outside quotes and behind no escape. */
static sc3_next find_delimiter(sc3_csv *csv) {
  static const char candidates[] = {',', ';', '\t', '|'};
  const char *p = sc3_input_head(&csv->input), *end = p + sc3_input_left(&csv->input);
  size_t counts[sizeof candidates] = {0}, empty[sizeof candidates] = {0}, i, best = 0;
  int quoted = 0, holds = 0;
  for (; p < end; p++) {
    if (csv->escape != '\0' && *p == csv->escape && p + 1 < end) {
      p++;
      holds = 1;
      continue;
    }
    if (csv->quote != '\0' && *p == csv->quote)
      quoted = !quoted;
    else if (!quoted && (*p == '\n' || *p == '\r') && holds)
      break;
    else if (!quoted && (*p == '\n' || *p == '\r') &&
             counts[0] + counts[1] + counts[2] + counts[3] > 0) {
      memcpy(empty, counts, sizeof empty);
      memset(counts, 0, sizeof counts);
    }
    holds |= is_something(*p, '\0') && strchr(",;|", *p) == NULL; /* a NUL is nothing here */
    for (i = 0; i < sizeof candidates && !quoted; i++)
      counts[i] += *p == candidates[i];
  }
  if (p == end && !csv->input.finished && sc3_input_left(&csv->input) <= SC3_ROW_MAX)
    return SC3_NEXT_NEED;
  if (!holds && counts[0] + counts[1] + counts[2] + counts[3] == 0)
    memcpy(counts, empty, sizeof counts);
  for (i = 0; i < sizeof candidates; i++)
    best = candidates[i] == csv->likely ? i : best;
  for (i = 0; i < sizeof candidates; i++) {
    if (counts[i] > counts[best])
      best = i;
  }
  csv->delimiter = candidates[best];
  return SC3_NEXT_RECORD;
}

/* Whether the text is an object or an array of objects, as no header begins. */
SC3_COLD
static int begins_json(const char *p, size_t n) {
  size_t i;
  char first = '\0';
  for (i = 0; i < n; i++) {
    if (p[i] == ' ' || p[i] == '\t')
      continue;
    if (first != '\0')
      return p[i] == (first == '{' ? '"' : '{') || p[i] == '\n' || p[i] == '\r';
    if (p[i] != '{' && p[i] != '[')
      return 0;
    first = p[i];
  }
  return 0;
}

/* Looks at the first bytes: what is no text is refused, and what stands before the header is passed
 * over. */
SC3_COLD
static sc3_next begin_input(sc3_csv *csv) {
  sc3_input *in = &csv->input;
  sc3_next next;
  if (!csv->sniffed) {
    const unsigned char d = (unsigned char)csv->delimiter;
    next = sc3_input_begin(
        in, d == 0 || d == '\t' || d >= 0x20 ? SC3_CONTROLS_NONE : SC3_CONTROLS_ANY, &csv->fatal);
    if (next == SC3_NEXT_FATAL)
      return fail(csv, csv->fatal.kind, 1, 0);
    if (next != SC3_NEXT_RECORD)
      return next;
    csv->sniffed = 1;
  }
  next = sc3_csv_head(csv);
  if (next != SC3_NEXT_RECORD)
    return next;
  if (!sc3_input_sniffable(in))
    return SC3_NEXT_NEED;
  if (csv->has_header && begins_json(sc3_input_head(in), sc3_input_left(in)))
    return fail(csv, SC3_FATAL_JSON, 1, 0);
  csv->begun = 1;
  return SC3_NEXT_RECORD;
}

/* A row that has not come to its end is scanned again: what was noted of its fields is taken back.
 */
static void forget(sc3_csv *csv, size_t count) {
  size_t i;
  for (i = 0; i < count && i < csv->field_capacity; i++)
    csv->fields[i].kind = SC3_KIND_TEXT;
}

/* A line of nothing but delimiters and white space is an empty line; before a header, whatever
   delimits. Of one column a blank may be a value. */
static int holds_nothing(const sc3_csv *csv, const scan *s) {
  const char *p = sc3_input_head(&csv->input), *const end = p + s->length;
  const int before = csv->has_header && csv->columns == 0;
  if (s->count == 1 && csv->columns == 1)
    return 0;
  while (p < end &&
         (!is_something(*p, csv->delimiter) || (before && *p != '\0' && strchr(",;|", *p) != NULL)))
    p++;
  return p == end;
}

static sc3_next find_row(sc3_csv *csv, scan *s) {
  for (;;) {
    sc3_next next = skip_empty_lines(csv);
    s->doubled = 0;
    if (next == SC3_NEXT_RECORD && csv->delimiter == '\0')
      next = find_delimiter(csv);
    if (next == SC3_NEXT_RECORD)
      next = scan_row(csv, s);
    if (next != SC3_NEXT_RECORD && s->doubled)
      forget(csv, s->count + 1);
    if (next != SC3_NEXT_RECORD || !holds_nothing(csv, s))
      return next;
    csv->line += s->lines;
    csv->lines.blank++;
    csv->skip_lf = s->ends_in_cr;
    sc3_input_take(&csv->input, s->length);
  }
}

/* How many lines inside the row's fields look like rows of their own. Counted before quotes and
 * escapes are taken out. */
static size_t alike_in(const sc3_csv *csv, const scan *s) {
  size_t i, alike = 0;
  if (s->fault != SC3_R_NONE || s->count < 2 ||
      (csv->columns > 0 && s->count != csv->columns && s->count != csv->columns + csv->width.extra))
    return 0;
  for (i = 0; i < s->count; i++) {
    sc3_slice v = csv->fields[i].value;
    if (!is_quoted(csv, &csv->fields[i]) || v.n == 0 ||
        (memchr(v.p, '\n', v.n) == NULL && memchr(v.p, '\r', v.n) == NULL))
      continue;
    alike += sc3_lines_alike(csv->fields, s->count, i, csv->delimiter, csv->columns == 0);
  }
  return alike;
}

/* The next row; not before enough has come, when it was looked for in vain. */
static sc3_next find_row_when_due(sc3_csv *csv, scan *s) {
  sc3_next next;
  if (sc3_input_starved(&csv->input))
    return SC3_NEXT_NEED;
  csv->input.wanted = 0;
  next = find_row(csv, s);
  if (next == SC3_NEXT_NEED)
    sc3_input_starve(&csv->input);
  return next;
}

static sc3_next take_row(sc3_csv *csv, scan *s) {
  sc3_next next;
  if (csv->has_nulls) {
    forget(csv, csv->field_capacity);
    csv->has_nulls = 0;
  }
  next = find_row_when_due(csv, s);
  if (next != SC3_NEXT_RECORD)
    return next;
  s->alike = s->inner > 0 ? alike_in(csv, s) : 0;
  (void)sc3_bytes_see(&csv->lines.bytes, sc3_input_head(&csv->input), s->length,
                      csv->row + (csv->columns > 0), csv->line);
  if (csv->null_length > 0 && csv->columns > 0)
    find_nulls(csv, s->count);
  if (s->doubled)
    unquote(csv, s);
  sc3_input_take(&csv->input, s->length);
  csv->skip_lf = s->ends_in_cr;
  return SC3_NEXT_RECORD;
}

static sc3_next keep_header(sc3_csv *csv, size_t count) {
  size_t i, total = 0;
  char *p;
  for (i = 0; i < count; i++)
    total += csv->fields[i].value.n;
  csv->names = calloc(count, sizeof *csv->names);
  if (csv->names == NULL || sc3_buffer_reserve(&csv->header, total + 1) != SC3_OK)
    return SC3_NEXT_NOMEM;
  for (i = 0; i < count; i++) {
    p = csv->header.p + csv->header.n;
    sc3_buffer_put(&csv->header, csv->fields[i].value.p, csv->fields[i].value.n);
    csv->names[i] = sc3_slice_of(p, csv->fields[i].value.n);
  }
  csv->columns = count;
  return SC3_NEXT_RECORD;
}

sc3_next sc3_csv_begin(sc3_csv *csv) {
  scan s;
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
      if (s.doubled)
        forget(csv, s.count);
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
static int has_content_there(sc3_csv *csv, size_t extra, const scan *first) {
  sc3_input *in = &csv->input;
  const sc3_input before = *in;
  const sc3_lines lines = csv->lines;
  const uint64_t line = csv->line;
  const int skip_lf = csv->skip_lf;
  const size_t columns = csv->columns, until = in->at + LOOK_AHEAD;
  int found = 0;
  scan s = *first;
  while (!found && in->at + s.length < in->buffer.n && in->at + s.length < until) {
    in->at += s.length;
    if (find_row(csv, &s) != SC3_NEXT_RECORD)
      break;
    found = s.fault == SC3_R_NONE && s.count == columns + extra &&
            sc3_width_filled(csv->fields, s.count, columns) > columns;
    forget(csv, s.count);
  }
  memset(&csv->fatal, 0, sizeof csv->fatal);
  csv->lines = lines;
  csv->line = line;
  csv->skip_lf = skip_lf;
  *in = before;
  return found;
}

/* Looks at the first row, and where it is too long by empty fields alone at those behind it. It
 * stays to be read. */
static sc3_next learn_width(sc3_csv *csv) {
  scan s;
  size_t extra;
  sc3_next next = find_row_when_due(csv, &s);
  if (next != SC3_NEXT_RECORD)
    return next;
  extra = 0;
  if (s.fault == SC3_R_NONE && sc3_width_filled(csv->fields, s.count, csv->columns) == csv->columns)
    extra = s.count - csv->columns;
  if (s.doubled)
    forget(csv, s.count);
  if (extra > 0 && !csv->input.finished && sc3_input_left(&csv->input) < LOOK_AHEAD + s.length) {
    csv->input.wanted =
        LOOK_AHEAD + s.length; /* what is decided does not depend on how much has come */
    return SC3_NEXT_NEED;
  }
  csv->width.extra = extra > 0 && !has_content_there(csv, extra, &s) ? extra : 0;
  csv->width.known = 1;
  return SC3_NEXT_RECORD;
}

sc3_next sc3_csv_next(sc3_csv *csv, sc3_record *record) {
  scan s;
  sc3_next next = sc3_csv_begin(csv);
  if (next == SC3_NEXT_RECORD && !csv->width.known)
    next = learn_width(csv);
  if (next == SC3_NEXT_RECORD)
    next = take_row(csv, &s);
  if (next != SC3_NEXT_RECORD)
    return next;
  record->missing = 0;
  if (s.count != csv->columns && s.fault == SC3_R_NONE) {
    const size_t had = s.count;
    s.fault_column = (s.count < csv->columns ? s.count : csv->columns) + 1;
    s.fault = sc3_width_judge(&csv->width, &csv->lines, csv->fields, &s.count, csv->columns,
                              csv->row + 1, s.inner);
    if (s.fault == SC3_R_NONE)
      record->missing = s.count > had ? s.count - had : 0;
  }
  record->row = ++csv->row;
  record->line = csv->line;
  record->lines = s.inner;
  record->found = NULL;
  record->count = s.count;
  record->fields = csv->fields;
  record->fault = s.fault;
  record->fault_column = s.fault != SC3_R_NONE ? s.fault_column : 0;
  if (s.inner > 0)
    sc3_lines_count(&csv->lines, csv->row, csv->line, s.inner, s.fault != SC3_R_NONE, s.alike);
  csv->line += s.lines;
  return SC3_NEXT_RECORD;
}
