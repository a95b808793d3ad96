#include "csv_scan.h"

#include <stdlib.h>

enum { FIRST_FIELDS = 32 };

static sc3_next fail(sc3_csv_row *row, sc3_fatal_kind kind, uint64_t line, size_t column) {
  row->error.kind = kind;
  row->error.line = line;
  row->error.column = column;
  row->error.lines = row->error.swallowed = 0;
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
  const char *head, *end;
  ptrdiff_t at;  /* where the block begins, from the head on: before it where a row ended in it */
  uint64_t bits; /* of the block, those that were not walked over */
  uint64_t delimiters; /* of the block */
  uint64_t high;       /* of all blocks so far */
  unsigned block;      /* of the stretch */
  sc3_csv_stretch *stretch;
  const sc3_csv_dialect *dialect;
  char delimiter, quote, escape;
  int finished; /* nothing follows `end` */
  sc3_csv_row *row;
} walk;

/* Looks at the stretch that begins with that block. What may still come is not known. */
static void look(walk *w) {
  sc3_csv_marked *const marked = &w->stretch->marked;
  const char *stretch = w->head + w->at;
  const size_t left = (size_t)(w->end - stretch);
  char copy[SC3_MARKS_STRETCH];
  w->stretch->known = left >= SC3_MARKS_STRETCH;
  if (w->stretch->known) {
    w->dialect->marks(stretch, w->delimiter, w->quote, w->escape, marked);
    return;
  }
  memset(copy, 'x', sizeof copy);
  memcpy(copy, stretch, left);
  w->dialect->marks(copy, w->delimiter, w->quote, w->escape, marked);
  marked->bits[left / SC3_MARKS_BLOCK] &= (UINT64_C(1) << left % SC3_MARKS_BLOCK) - 1;
}

/* Takes the marks of the block. Bytes in it that belong to other rows count as well for `high`. */
static inline void take_block(walk *w) {
  const sc3_csv_marked *const marked = &w->stretch->marked;
  w->bits = marked->bits[w->block];
  w->delimiters = marked->delimiters[w->block];
  w->high |= marked->high[w->block];
}

/* Begins with the block that the head of the text lies in. */
static inline void begin_walk(walk *w, uint64_t at) {
  sc3_csv_stretch *const s = w->stretch;
  const uint64_t into = at - s->at;
  const unsigned passed = (unsigned)into % SC3_MARKS_BLOCK;
  w->high = 0;
  if (s->known && at >= s->at && into < SC3_MARKS_STRETCH) {
    w->block = (unsigned)into / SC3_MARKS_BLOCK;
    w->at = -(ptrdiff_t)passed;
    take_block(w);
    w->bits &= UINT64_MAX << passed;
    return;
  }
  w->block = 0;
  w->at = 0;
  s->at = at;
  look(w);
  take_block(w);
}

/* Goes to the next block. 0 where the text has no more of them. */
static int take_next_block(walk *w) {
  if (w->end - w->head - w->at <= SC3_MARKS_BLOCK)
    return 0;
  w->at += SC3_MARKS_BLOCK;
  if (++w->block == SC3_MARKS_BLOCKS) {
    w->block = 0;
    w->stretch->at += SC3_MARKS_STRETCH;
    look(w);
  }
  take_block(w);
  return 1;
}

/* The mark that the lowest of `bits`, which are not all 0, stands for. */
static inline const char *first_of(const walk *w, uint64_t bits) {
#if defined(__GNUC__)
  return w->head + (w->at + __builtin_ctzll(bits));
#else
  ptrdiff_t at = w->at;
  for (; (bits & 1) == 0; bits >>= 1)
    at++;
  return w->head + at;
#endif
}

/* The next mark; the end of the text when there is none. */
static const char *step(walk *w) {
  const char *mark;
  while (w->bits == 0) {
    if (!take_next_block(w))
      return w->end;
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
  const sc3_next failed = fail(w->row, SC3_FATAL_UNCLOSED_QUOTE, opened, w->row->count + 1);
  const char *end = w->end - w->head > SC3_ROW_MAX ? w->head + SC3_ROW_MAX : w->end;
  w->row->error.lines = line_ends(start, end);
  w->row->error.swallowed = line_ends(w->head, end) + (end[-1] != '\n' && end[-1] != '\r');
  return failed;
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
static inline sc3_field *take_plain(walk *w, const char **start, sc3_field *field,
                                    const sc3_field *full) {
  const uint64_t others = w->bits & ~w->delimiters;
  uint64_t bits = others != 0 ? w->bits & ((others & -others) - 1) : w->bits;
  const char *from = *start;
  if (w->at > SC3_ROW_MAX - SC3_MARKS_BLOCK)
    return field;
  w->bits ^= bits;
  for (; bits != 0 && field != full; field++, bits &= bits - 1) {
    const char *mark = first_of(w, bits);
    field->value = sc3_slice_of(from, (size_t)(mark - from));
    from = mark + 1;
  }
  w->bits |= bits;
  *start = from;
  return field;
}

/* One by one, because this is asked for each row; `error` is of those that fail. */
static inline void begin_row(sc3_csv_row *row) {
  row->count = row->length = row->alike = row->fault_column = 0;
  row->lines = row->inner = 0;
  row->marked = row->is_ascii = row->ends_in_cr = 0;
  row->fault = SC3_R_NONE;
}

sc3_next sc3_csv_scan(const sc3_csv_dialect *dialect, const sc3_csv_text *text,
                      sc3_csv_fields *fields, sc3_csv_row *row) {
  const char *const head = text->waiting.p;
  const char *start = head, *mark;
  sc3_field *field = fields->at, *full = field != NULL ? field + fields->capacity : NULL;
  walk w;
  begin_row(row);
  w.head = head;
  w.end = head + text->waiting.n;
  w.stretch = text->stretch;
  w.dialect = dialect;
  w.delimiter = dialect->delimiter;
  w.quote = dialect->quote;
  w.escape = dialect->escape;
  w.finished = text->finished;
  w.row = row;
  begin_walk(&w, text->at);
  for (;;) {
    sc3_next next;
    field = take_plain(&w, &start, field, full);
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
    if (w.bits == 0 && take_next_block(&w))
      continue;
    mark = step(&w);
    row->count = (size_t)(field - fields->at);
    next = read_odd_field(&w, start, &mark, field);
    if (next != SC3_NEXT_RECORD)
      return next;
    if (mark == w.end || *mark != w.delimiter) {
      row->count++;
      return end_row(&w, mark);
    }
    start = mark + 1;
    field++;
  }
}
