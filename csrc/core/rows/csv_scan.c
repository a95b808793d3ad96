#include "csv_scan.h"

#include <stdlib.h>

enum { FIRST_FIELDS = 32 };

static sc3_next fail(sc3_csv_row *row, sc3_fatal_kind kind, uint64_t line, size_t column) {
  row->error.kind = kind;
  row->error.line = line;
  row->error.column = column;
  return SC3_NEXT_FATAL;
}

static void blame(sc3_csv_row *s, sc3_reason fault) {
  if (s->fault == SC3_R_NONE) {
    s->fault = fault;
    s->fault_column = s->count + 1;
  }
}

void sc3_csv_unmark(sc3_csv_fields *fields, size_t count) {
  size_t i;
  for (i = 0; i < count && i < fields->capacity; i++)
    fields->at[i].kind = SC3_KIND_TEXT;
}

static sc3_next add_fields(sc3_csv_fields *fields, sc3_csv_row *row) {
  size_t capacity = fields->capacity > 0 ? fields->capacity * 2 : FIRST_FIELDS;
  sc3_field *grown;
  row->count = fields->capacity;
  if (row->count >= SC3_COLUMNS_MAX)
    return fail(row, SC3_FATAL_TOO_MANY_COLUMNS, 0, row->count + 1);
  grown = realloc(fields->at, capacity * sizeof *grown);
  if (grown == NULL)
    return SC3_NEXT_NOMEM;
  memset(grown + fields->capacity, 0, (capacity - fields->capacity) * sizeof *grown);
  fields->at = grown;
  fields->capacity = capacity;
  return SC3_NEXT_RECORD;
}

/* The marks of a text, in order, and the row that is found on the way. */
typedef struct walk {
  const char *head, *block, *end;
  uint64_t bits; /* of the block, those that were not walked over */
  uint64_t high; /* of all blocks so far */
  sc3_csv_marks marks;
  char delimiter, quote, escape;
  int finished; /* nothing follows `end` */
  sc3_csv_row *row;
} walk;

/* Looks at the block. The bytes in it that belong to the next row count as well for `high`. */
static uint64_t bits_of(walk *w) {
  char copy[SC3_MARKS_BLOCK];
  const size_t left = (size_t)(w->end - w->block);
  sc3_csv_marked m;
  if (left >= SC3_MARKS_BLOCK) {
    m = w->marks(w->block, w->delimiter, w->quote, w->escape);
  } else {
    memset(copy, 'x', sizeof copy);
    memcpy(copy, w->block, left);
    m = w->marks(copy, w->delimiter, w->quote, w->escape);
    m.bits &= (UINT64_C(1) << left) - 1;
  }
  w->high |= m.high;
  return m.bits;
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
static void step_escaped(walk *w, const char *mark) {
  sc3_csv_row *const s = w->row;
  const char *next = mark + 1;
  if (next == w->end || !is_mark(w, *next))
    return;
  (void)step(w);
  if (*next == '\0')
    blame(s, SC3_R_NUL_BYTE);
  else if (*next == '\n' || (*next == '\r' && (next + 1 == w->end || next[1] != '\n')))
    s->lines++;
  else if (*next == '\r') { /* CR and LF after one escape */
    (void)step(w);
    s->lines++;
  }
}

/* The closing quote of the field whose opening quote was the last mark; NULL when it has not come.
 */
static const char *closing_quote(walk *w, sc3_kind *kind) {
  sc3_csv_row *const s = w->row;
  for (;;) {
    const char *mark = step(w);
    if (mark == w->end)
      return NULL;
    if (*mark == w->quote) {
      if (mark + 1 == w->end)
        return w->finished ? mark : NULL;
      if (mark[1] != w->quote)
        return mark;
      if (*kind == SC3_KIND_TEXT)
        *kind = SC3_CSV_DOUBLED;
      (void)step(w);
    } else if (*mark == '\n') {
      s->lines++;
    } else if (*mark == '\r') { /* CRLF is one line end; CR without LF is one too */
      s->lines += mark + 1 == w->end || mark[1] != '\n';
    } else if (*mark == '\0') {
      blame(s, SC3_R_NUL_BYTE);
    } else if (*mark == w->escape) {
      *kind = SC3_CSV_ESCAPED;
      step_escaped(w, mark);
    }
  }
}

/* The end of a quoted field: its closing quote, and in `*next` the delimiter, line end, or end of
 * what has come, that follows it. */
static const char *quoted_field(walk *w, sc3_kind *kind, const char **next) {
  const char *close = closing_quote(w, kind), *mark;
  if (close == NULL)
    return NULL;
  do
    mark = step(w);
  while (mark != w->end && *mark != w->delimiter && *mark != '\n' && *mark != '\r');
  *next = mark;
  return close;
}

/* The end of a row: a line end at `mark`, or the end of what has come. */
static sc3_next end_row(const walk *w, const char *mark) {
  sc3_csv_row *const s = w->row;
  if (mark - w->head > SC3_ROW_MAX)
    return fail(s, SC3_FATAL_ROW_TOO_LONG, 0, s->count);
  s->length = (size_t)(mark - w->head);
  s->is_ascii = w->high == 0;
  s->inner = s->lines;
  if (mark == w->end)
    return w->finished ? SC3_NEXT_RECORD : SC3_NEXT_NEED;
  s->lines++;
  s->length++;
  if (*mark == '\r') {
    if (mark + 1 < w->end && mark[1] == '\n')
      s->length++;
    else
      s->ends_in_cr = mark + 1 == w->end;
  }
  return SC3_NEXT_RECORD;
}

/* Whether the walk stops at a mark of a field without quotes that is only text: a quote, a NUL, and
   with an escape also what it stands before, and CR without LF. SC3_NEXT_NEED when that cannot be
   told before more has come. */
static sc3_next is_text(const walk *w, const char *mark) {
  if (*mark == w->delimiter || *mark == '\n')
    return SC3_NEXT_END;
  if (w->escape == '\0' || (*mark != w->escape && *mark != '\r'))
    return *mark == '\r' ? SC3_NEXT_END : SC3_NEXT_RECORD;
  if (mark + 1 == w->end && !w->finished)
    return SC3_NEXT_NEED;
  return *mark == '\r' && (mark + 1 == w->end || mark[1] == '\n') ? SC3_NEXT_END : SC3_NEXT_RECORD;
}

/* The end of a field without quotes, from its first mark on: the delimiter or line end that
 * follows, or the end of what has come. NULL when more has to come. */
static const char *plain_field(walk *w, const char *mark, sc3_kind *kind) {
  for (; mark != w->end; mark = step(w)) {
    sc3_next text = is_text(w, mark);
    if (text != SC3_NEXT_RECORD)
      return text == SC3_NEXT_NEED ? NULL : mark;
    if (*mark == '\0') {
      blame(w->row, SC3_R_NUL_BYTE);
    } else if (*mark == w->escape) {
      *kind = SC3_CSV_ESCAPED;
      step_escaped(w, mark);
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

/* A quote at `start`, after `opened` line ends, that does not close within the largest row. What is
 * said of the lines that follow does not depend on how much has come. */
static sc3_next fail_unclosed(const walk *w, const char *start, uint64_t opened) {
  sc3_csv_error *error = &w->row->error;
  const char *end = w->end - w->head > SC3_ROW_MAX ? w->head + SC3_ROW_MAX : w->end;
  error->lines = line_ends(start, end);
  error->swallowed = line_ends(w->head, end) + (end[-1] != '\n' && end[-1] != '\r');
  return fail(w->row, SC3_FATAL_UNCLOSED_QUOTE, opened, w->row->count + 1);
}

/* Reads a field from `start` on whose first mark, `*mark`, is no delimiter: it is quoted, holds a
   quote or a NUL, or is the last of its row. `*mark` becomes the field's end. SC3_NEXT_RECORD when
   it was read. */
static sc3_next read_odd_field(walk *w, const char *start, const char **mark, sc3_field *field) {
  sc3_csv_row *const s = w->row;
  sc3_kind kind = SC3_KIND_TEXT;
  if (*mark != w->end && w->quote != '\0' && **mark == w->quote && *mark == start) {
    const uint64_t opened = s->lines;
    const char *close = quoted_field(w, &kind, mark);
    if (close == NULL || close - w->head > SC3_ROW_MAX) {
      if (close != NULL || w->finished || w->end - w->head > SC3_ROW_MAX)
        return fail_unclosed(w, start, opened);
      return SC3_NEXT_NEED;
    }
    field->value = sc3_slice_of(start + 1, (size_t)(close - start) - 1);
    if (*mark != close + 1)
      blame(s, SC3_R_STRAY_QUOTE);
  } else {
    *mark = plain_field(w, *mark, &kind);
    if (*mark == NULL)
      return w->end - w->head > SC3_ROW_MAX ? fail(s, SC3_FATAL_ROW_TOO_LONG, 0, s->count)
                                            : SC3_NEXT_NEED;
    field->value = sc3_slice_of(start, (size_t)(*mark - start));
  }
  if (kind != SC3_KIND_TEXT) {
    field->kind = kind;
    s->marked = 1;
  }
  return SC3_NEXT_RECORD;
}

/* Takes the fields of the block that end at a delimiter, as long as nothing else comes; where the
   next one goes. None of them begins behind the largest row. */
static inline sc3_field *take_plain(const walk *w, uint64_t *bits, const char **start,
                                    sc3_field *field, const sc3_field *full) {
  if (w->block - w->head > SC3_ROW_MAX - SC3_MARKS_BLOCK)
    return field;
  for (; *bits != 0 && field != full; field++) {
    const char *mark = first_of(w, *bits);
    if (*mark != w->delimiter)
      break;
    field->value = sc3_slice_of(*start, (size_t)(mark - *start));
    *bits &= *bits - 1;
    *start = mark + 1;
  }
  return field;
}

/* The walk is kept in local variables as long as only delimiters come. */
sc3_next sc3_csv_scan(const sc3_csv_dialect *dialect, sc3_slice text, int finished,
                      sc3_csv_fields *fields, sc3_csv_row *row) {
  const char *const head = text.p, *const end = text.p + text.n;
  const char delimiter = dialect->delimiter;
  const char *start = head, *mark;
  sc3_field *field = fields->at, *full = field != NULL ? field + fields->capacity : NULL;
  walk w;
  uint64_t bits;
  memset(row, 0, sizeof *row);
  w.head = w.block = head;
  w.end = end;
  w.marks = dialect->marks;
  w.delimiter = delimiter;
  w.quote = dialect->quote;
  w.escape = dialect->escape;
  w.finished = finished;
  w.row = row;
  w.high = 0;
  bits = bits_of(&w);
  for (;; start = mark + 1, field++) {
    sc3_next next;
    field = take_plain(&w, &bits, &start, field, full);
    if (field == full) {
      next = add_fields(fields, row);
      if (next != SC3_NEXT_RECORD)
        return next;
      field = fields->at + row->count;
      full = fields->at + fields->capacity;
    }
    if (start - head > SC3_ROW_MAX) { /* the same limit however much has come in at once */
      row->count = (size_t)(field - fields->at);
      return fail(row, SC3_FATAL_ROW_TOO_LONG, 0, row->count);
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
    row->count = (size_t)(field - fields->at);
    next = read_odd_field(&w, start, &mark, field);
    if (next != SC3_NEXT_RECORD)
      return next;
    bits = w.bits;
    if (mark == end || *mark != delimiter) {
      row->count++;
      return end_row(&w, mark);
    }
  }
}
