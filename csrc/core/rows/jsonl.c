#include "jsonl.h"

void sc3_jsonl_init(sc3_jsonl *j) {
  memset(j, 0, sizeof *j);
  sc3_input_init(&j->input);
  sc3_json_object_init(&j->object);
  j->line = 1;
}

void sc3_jsonl_other_keys(sc3_jsonl *j) {
  sc3_json_object_other_keys(&j->object);
}

void sc3_jsonl_free(sc3_jsonl *j) {
  sc3_buffer_free(&j->input.buffer);
  sc3_json_object_free(&j->object);
}

/* Reads the object at the head of `text`. */
static sc3_status read_object(sc3_jsonl *j, sc3_json_text *text, const sc3_keys *wanted,
                              sc3_record *r) {
  if (sc3_utf8_stats_add(&j->lines.bytes, text->p, (size_t)(text->end - text->p), r->row, r->line))
    return sc3_json_object_read(&j->object, text, wanted, r);
  text->rest = text->end;
  r->fault = SC3_R_INVALID_UTF8;
  r->fault_column = 0;
  r->fields = j->object.fields;
  r->count = 0;
  r->child = 0;
  return SC3_OK;
}

static sc3_next fail(sc3_jsonl *j, sc3_fatal_kind kind) {
  j->fatal.kind = kind;
  j->fatal.row = j->row + 1;
  j->fatal.line = j->line;
  return SC3_NEXT_FATAL;
}

/* How the objects follow each other, as the first one tells, which is kept in mind for what it
 * holds. */
static sc3_next find_layout(sc3_jsonl *j) {
  const sc3_input *in = &j->input;
  const char *p = sc3_input_head(in), *end = p + sc3_input_left(in), *behind = end;
  const int all = in->finished || end - p > SC3_ROW_MAX;
  sc3_json_whole whole;
  size_t n;
  int valid = 0;
  j->layout = SC3_LAYOUT_LINES;
  p = sc3_json_skip_between(p, end);
  if (p == end)
    return all ? SC3_NEXT_RECORD : SC3_NEXT_NEED;
  if (*p == '[')
    j->layout = SC3_LAYOUT_ARRAY;
  if (*p != '{')
    return SC3_NEXT_RECORD;
  whole = sc3_json_span(p, end, &behind);
  if (whole == SC3_JSON_BROKEN)
    return SC3_NEXT_RECORD;
  if (whole == SC3_JSON_PART && !all)
    return SC3_NEXT_NEED;
  if (whole == SC3_JSON_PART || behind - p > SC3_ROW_MAX) {
    n = end - p > SC3_ROW_MAX ? SC3_ROW_MAX : (size_t)(end - p);
    if (n == SC3_ROW_MAX)
      j->wrapped_length = sc3_json_rows_inside(sc3_slice_of(p, n), j->wrapped, &valid);
    return j->wrapped_length > 0 ? fail(j, SC3_FATAL_JSON_WRAPPED) : SC3_NEXT_RECORD;
  }
  n = (size_t)(behind - p);
  while (behind < end && sc3_json_between(*behind) && *behind != '\n' &&
         (*behind != '\r' || !j->cr))
    behind++;
  if (behind == end && !all)
    return SC3_NEXT_NEED;
  j->wrapped_length = sc3_json_rows_inside(sc3_slice_of(p, n), j->wrapped, &valid);
  if (memchr(p, j->cr ? '\r' : '\n', n) != NULL ? valid : behind < end && *behind == '{')
    j->layout = SC3_LAYOUT_STREAM;
  return SC3_NEXT_RECORD;
}

SC3_COLD
static sc3_next begin_input(sc3_jsonl *j) {
  sc3_input *in = &j->input;
  sc3_next next;
  if (!j->sniffed) {
    next = sc3_input_begin(in, SC3_CONTROLS_SEQUENCE, &j->fatal);
    if (next == SC3_NEXT_RECORD) {
      const int columns =
          sc3_json_is_columns(sc3_slice_of(sc3_input_head(in), sc3_input_left(in)), in->finished);
      if (columns > 0)
        j->fatal.kind = SC3_FATAL_NO_JSON;
      next = columns < 0 ? SC3_NEXT_NEED : columns > 0 ? SC3_NEXT_FATAL : next;
    }
    if (next != SC3_NEXT_RECORD) {
      j->fatal.line = next == SC3_NEXT_FATAL ? 1 : 0;
      return next;
    }
    j->cr = sc3_json_ends_in_cr(sc3_slice_of(sc3_input_head(in), sc3_input_left(in)));
    j->sniffed = 1;
  }
  if (sc3_input_starved(in))
    return SC3_NEXT_NEED;
  in->wanted = 0;
  next = find_layout(j);
  if (next == SC3_NEXT_NEED)
    sc3_input_starve(in);
  j->begun = next == SC3_NEXT_RECORD;
  return next;
}

/* --- objects that do not stand one a line --- */

/* Counts the lines up to that of the next row, or of the end. */
static void account(sc3_jsonl *j, uint64_t line) {
  if (line > j->accounted + 1)
    j->lines.blank += line - j->accounted - 1;
}

/* Takes what stands between two values; SC3_NEXT_RECORD when another value is there. */
static sc3_next take_between(sc3_jsonl *j) {
  sc3_input *in = &j->input;
  for (; sc3_input_left(in) > 0; sc3_input_take(in, 1)) {
    const char c = *sc3_input_head(in);
    if (sc3_input_left(in) >= 3 &&
        memcmp(sc3_input_head(in), "\xef\xbb\xbf", 3) == 0) { /* files were joined */
      j->lines.bytes_marks++;
      sc3_input_take(in, 2);
    } else if (c == (j->cr ? '\r' : '\n')) {
      j->line++;
      j->open = 0;
    } else if (sc3_json_between(c)) {
      j->open = 1;
    } else if (j->layout == SC3_LAYOUT_ARRAY && !j->closed &&
               (c == ']' || (c == '[' && !j->inside))) {
      j->closed = c == ']';
      j->inside = 1;
      j->open = 1;
    } else {
      return sc3_input_left(in) < 3 && c == '\xef' && !in->finished ? SC3_NEXT_NEED
                                                                    : SC3_NEXT_RECORD;
    }
  }
  return in->finished ? SC3_NEXT_END : SC3_NEXT_NEED;
}

/* The value that is next, whole. */
static sc3_next find_value(sc3_jsonl *j, const char **behind) {
  const sc3_input *in = &j->input;
  const char *p = sc3_input_head(in), *end = p + sc3_input_left(in);
  sc3_json_whole whole;
  if (j->closed)
    return fail(j, SC3_FATAL_JSON_BEHIND);
  whole = sc3_json_span(p, end, behind);
  if ((whole == SC3_JSON_WHOLE ? *behind : end) - p > SC3_ROW_MAX)
    return fail(j, SC3_FATAL_ROW_TOO_LONG);
  if (whole == SC3_JSON_BROKEN)
    return fail(j, SC3_FATAL_JSON_BROKEN);
  if (whole == SC3_JSON_WHOLE)
    return SC3_NEXT_RECORD;
  if (!in->finished)
    return SC3_NEXT_NEED;
  *behind = end;
  return *p == '{' || *p == '[' || *p == '"' ? fail(j, SC3_FATAL_JSON_CUT) : SC3_NEXT_RECORD;
}

/* Makes spaces of the line ends inside a value, where they are white space: strings hold none. How
 * many lines end there. */
static uint64_t blank_line_ends(const sc3_jsonl *j, char *p, const char *end) {
  uint64_t n = 0;
  for (; p < end; p++) {
    if (*p == '\n' || *p == '\r') {
      n += *p == (j->cr ? '\r' : '\n');
      *p = ' ';
    }
  }
  return n;
}

/* Numbers the next record. */
static void begin_record(sc3_jsonl *j, sc3_record *r) {
  r->row = ++j->row;
  r->lines = 0;
  r->missing = 0;
  r->count = 0;
  r->fields = NULL;
  r->found = NULL;
  r->fault = SC3_R_NONE;
  r->fault_column = 0;
  r->child = 0;
  r->fault_key = 0;
}

static sc3_next next_value(sc3_jsonl *j, const sc3_keys *wanted, sc3_record *r) {
  sc3_input *in = &j->input;
  const char *behind;
  sc3_json_text text;
  sc3_next next = take_between(j);
  if (next == SC3_NEXT_END && j->layout == SC3_LAYOUT_ARRAY && !j->closed)
    return fail(j, SC3_FATAL_JSON_CUT);
  if (next == SC3_NEXT_END) {
    account(j, j->line + (uint64_t)j->open);
    j->accounted = j->line;
    return next;
  }
  if (next == SC3_NEXT_RECORD && sc3_input_starved(in))
    return SC3_NEXT_NEED;
  in->wanted = 0;
  if (next == SC3_NEXT_RECORD) {
    next = find_value(j, &behind);
    if (next == SC3_NEXT_NEED)
      sc3_input_starve(in);
  }
  if (next != SC3_NEXT_RECORD)
    return next;
  text.p = in->buffer.p + in->at;
  text.end = behind;
  begin_record(j, r);
  r->offset = in->taken;
  r->line = j->line;
  r->lines = blank_line_ends(j, text.p, behind);
  account(j, j->line);
  j->lines.shared += j->line <= j->accounted;
  j->lines.quoted += r->lines;
  j->line += r->lines;
  j->accounted = j->line;
  j->open = 1;
  sc3_input_take(in, (size_t)(behind - text.p));
  return read_object(j, &text, wanted, r) == SC3_OK ? SC3_NEXT_RECORD : SC3_NEXT_NOMEM;
}

/* --- one a line --- */

/* Leaves the rest of a line, where another object begins, to be read. */
static void leave_rest(sc3_jsonl *j, const char *rest) {
  sc3_input *in = &j->input;
  const size_t back = in->at - (size_t)(rest - in->buffer.p);
  in->at -= back;
  in->taken -= back;
  j->line--;
  j->inside = 1;
}

/* Takes the next line, without its end, into `*line`; `line->p` is NULL where it is too long. */
static sc3_next take_line(sc3_jsonl *j, sc3_json_text *line) {
  sc3_input *in = &j->input;
  const size_t left = sc3_input_left(in);
  char *const head = left > 0 ? in->buffer.p + in->at : NULL;
  const char *const newline = left > 0 ? memchr(head, j->cr ? '\r' : '\n', left) : NULL;
  const size_t length = newline != NULL ? (size_t)(newline - head) : left;
  const int ended = newline != NULL || in->finished;
  /* A line that is too long and never ends is a row all the same. */
  if (left == 0 && !(in->finished && j->skipping))
    return in->finished ? SC3_NEXT_END : SC3_NEXT_NEED;
  if (!ended) {
    if (left > SC3_ROW_MAX) {
      j->skipping = 1;
      sc3_input_take(in, left);
    }
    return SC3_NEXT_NEED;
  }
  sc3_input_take(in, newline != NULL ? length + 1 : length);
  j->line++;
  line->p = j->skipping || length > SC3_ROW_MAX ? NULL : head;
  line->end = line->p != NULL ? line->p + length : NULL;
  j->skipping = 0;
  return SC3_NEXT_RECORD;
}

/* Skips what may stand before an object on its line. 0 where nothing follows. */
static int skip_to_object(sc3_jsonl *j, sc3_json_text *line) {
  const char *start = sc3_json_skip_between(line->p, line->end);
  if (line->end - start >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0) { /* files were joined */
    j->lines.bytes_marks++;
    start = sc3_json_skip_between(start + 3, line->end);
  }
  line->p += start - line->p;
  return start < line->end;
}

static sc3_next next_line(sc3_jsonl *j, const sc3_keys *wanted, sc3_record *r) {
  sc3_json_text line;
  for (;;) {
    const sc3_next next = take_line(j, &line);
    if (next != SC3_NEXT_RECORD)
      return next;
    j->lines.shared += (uint64_t)j->inside;
    j->inside = 0;
    if (line.p == NULL || skip_to_object(j, &line))
      break;
    j->lines.blank++;
  }
  begin_record(j, r);
  r->line = j->line - 1;
  r->offset = j->input.taken;
  if (line.p == NULL) {
    r->fault = SC3_R_ROW_TOO_LONG;
    return SC3_NEXT_RECORD;
  }
  r->offset -= j->input.at - (uint64_t)(line.p - j->input.buffer.p);
  if (read_object(j, &line, wanted, r) != SC3_OK)
    return SC3_NEXT_NOMEM;
  if (line.rest < line.end)
    leave_rest(j, line.rest);
  return SC3_NEXT_RECORD;
}

sc3_next sc3_jsonl_learn(sc3_jsonl *j) {
  if (j->fatal.kind != SC3_FATAL_NONE)
    return SC3_NEXT_FATAL;
  return j->begun ? SC3_NEXT_RECORD : begin_input(j);
}

void sc3_jsonl_resume(sc3_jsonl *j, uint64_t row, uint64_t line) {
  j->row = row - 1;
  j->line = line;
}

sc3_next sc3_jsonl_next(sc3_jsonl *j, const sc3_keys *wanted, sc3_record *r) {
  const sc3_next next = sc3_jsonl_learn(j);
  if (next != SC3_NEXT_RECORD)
    return next;
  return j->layout == SC3_LAYOUT_LINES ? next_line(j, wanted, r) : next_value(j, wanted, r);
}
