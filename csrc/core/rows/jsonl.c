#include "jsonl.h"

#include <stdlib.h>

#include "../bytes/json_scan.h"
#include "look.h"

enum { DEPTH_MAX = 64, FIRST_FIELDS = 16, TEXTS_CAP = 16 << 20 };

enum { KEPT = -1, PASSED_OVER = -2, UNKNOWN = -3 };

void sc3_jsonl_init(sc3_jsonl *j) {
  memset(j, 0, sizeof *j);
  sc3_input_init(&j->input);
  sc3_buffer_init(&j->texts, TEXTS_CAP);
  j->line = 1;
}

void sc3_jsonl_other_keys(sc3_jsonl *j) {
  size_t i;
  for (i = 0; i < SC3_JSONL_PLACES; i++)
    j->places[i].key = UNKNOWN;
}

void sc3_jsonl_free(sc3_jsonl *j) {
  sc3_buffer_free(&j->input.buffer);
  sc3_buffer_free(&j->texts);
  free(j->fields);
  j->fields = NULL;
}

/* --- values: each takes a pointer and gives the one behind, NULL where the text is no JSON --- */

/* A line as it is scanned. */
typedef struct text {
  const char *end;
  int half; /* half a surrogate pair stands somewhere in it */
} text;

static const char *skip_space(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
    p++;
  return p;
}

static const char *scan_value(const char *p, text *t, int depth, sc3_kind *kind);

/* The inside of an object or array, from its opening bracket. */
static const char *scan_nested(const char *p, text *t, int depth) {
  const char closing = *p == '{' ? '}' : ']', *const end = t->end;
  sc3_kind kind;
  if (depth >= DEPTH_MAX)
    return NULL;
  p = skip_space(p + 1, end);
  if (p < end && *p == closing)
    return p + 1;
  for (;;) {
    p = skip_space(p, end);
    if (closing == '}') {
      if (p == end || *p != '"' || (p = sc3_json_string(p, t->end, &t->half)) == NULL)
        return NULL;
      p = skip_space(p, end);
      if (p == end || *p != ':')
        return NULL;
      p++;
    }
    p = scan_value(p, t, depth + 1, &kind);
    if (p == NULL)
      return NULL;
    p = skip_space(p, end);
    if (p < end && *p == closing)
      return p + 1;
    if (p == end || *p != ',')
      return NULL;
    p++;
  }
}

static const char *scan_value(const char *p, text *t, int depth, sc3_kind *kind) {
  p = skip_space(p, t->end);
  if (p == t->end)
    return NULL;
  switch (*p) {
    case '"': *kind = SC3_KIND_TEXT; return sc3_json_string(p, t->end, &t->half);
    case '{':
    case '[': *kind = SC3_KIND_NESTED; return scan_nested(p, t, depth);
    case 't': *kind = SC3_KIND_TRUE; return sc3_json_word(p, t->end, "true");
    case 'f': *kind = SC3_KIND_FALSE; return sc3_json_word(p, t->end, "false");
    case 'n': *kind = SC3_KIND_NULL; return sc3_json_word(p, t->end, "null");
    default: *kind = SC3_KIND_NUMBER; return sc3_json_number(p, t->end);
  }
}

/* --- rows --- */

static sc3_status keep_field(sc3_jsonl *j, size_t *count, sc3_slice name, sc3_slice value,
                             sc3_kind kind) {
  sc3_field *f;
  if (*count == j->field_capacity) {
    size_t capacity = *count > 0 ? *count * 2 : FIRST_FIELDS;
    sc3_field *grown;
    if (*count >= SC3_COLUMNS_MAX)
      return SC3_ECAP;
    grown = realloc(j->fields, capacity * sizeof *grown);
    if (grown == NULL)
      return SC3_ENOMEM;
    j->fields = grown;
    j->field_capacity = capacity;
  }
  f = &j->fields[(*count)++];
  f->name = name;
  f->value = value;
  f->kind = kind;
  return SC3_OK;
}

/* What a key is to those asked for: the number of the one that it is, or whether it may be meant by
 * another, or leads to one inside it. */
static int key_among(const sc3_keys *wanted, sc3_slice name) {
  int key = wanted->all ? KEPT : PASSED_OVER;
  size_t i;
  for (i = 0; i < wanted->count; i++) {
    sc3_likeness like = sc3_likeness_of(name, wanted->names[i]);
    if (like == SC3_SAME)
      return (int)i;
    if (like != SC3_UNLIKE)
      key = KEPT;
  }
  return key;
}

static int key_at(sc3_jsonl *j, const sc3_keys *wanted, size_t place, sc3_slice name) {
  sc3_jsonl_place *p = &j->places[place % SC3_JSONL_PLACES];
  if (p->n > 0 && p->key != UNKNOWN && p->n == name.n && memcmp(p->name, name.p, name.n) == 0)
    return p->key;
  if (name.n == 0 || name.n > SC3_JSONL_KEY_MAX)
    return key_among(wanted, name);
  p->n = (unsigned char)name.n;
  memcpy(p->name, name.p, name.n);
  p->key = (signed char)key_among(wanted, name);
  return p->key;
}

/* Keeps a value that stands for the key of that number. `*room` grows by what its text takes. */
static void keep_found(sc3_jsonl *j, sc3_slice name, size_t key, sc3_found *found, size_t *room) {
  sc3_field *f = &j->looked[key];
  sc3_found_unwrap(found);
  f->name = name;
  f->value = found->value;
  f->kind = found->kind;
  j->found[key] = f;
  j->escaped[key] = (unsigned char)found->escaped;
  *room += found->escaped ? found->value.n + 2 : 0;
}

/* Looks for the key of that number where the row has it under another spelling, or inside another
 * value. `*room` grows by what its text takes. */
static sc3_reason look_for(sc3_jsonl *j, const sc3_keys *wanted, size_t key, sc3_record *r,
                           size_t *room) {
  sc3_found found;
  switch (sc3_look(j->fields, r->count, wanted->names[key], &found)) {
    case SC3_LOOKED_NONE: return SC3_R_NONE;
    case SC3_LOOKED_TWO: r->fault_key = key; return SC3_R_AMBIGUOUS_KEY;
    default: break;
  }
  keep_found(j, wanted->names[key], key, &found, room);
  return SC3_R_NONE;
}

/* Takes the escapes out of texts that were found inside nested values; these themselves stay as
 * they are. */
static sc3_status unescape_found(sc3_jsonl *j, const sc3_keys *wanted, size_t room) {
  size_t i;
  sc3_status st;
  j->texts.n = 0;
  st = sc3_buffer_reserve(&j->texts, room);
  for (i = 0; i < wanted->count && st == SC3_OK; i++) {
    sc3_found found;
    if (!j->escaped[i])
      continue;
    found.value = j->looked[i].value;
    j->looked[i].value = sc3_found_text(&found, j->texts.p + j->texts.n);
    j->texts.n += found.value.n + 2;
  }
  return st;
}

/* Points to the field of each key that is asked for. */
static sc3_reason find_keys(sc3_jsonl *j, const sc3_keys *wanted, sc3_record *r, sc3_status *st) {
  size_t i, room = 0;
  sc3_reason fault = SC3_R_NONE;
  r->found = j->found;
  for (i = 0; i < wanted->count && fault == SC3_R_NONE; i++) {
    j->found[i] = j->at[i] > 0 ? &j->fields[j->at[i] - 1] : NULL;
    j->escaped[i] = 0;
    if (j->at[i] == 0 && r->count > 0) {
      fault = look_for(j, wanted, i, r, &room);
    } else if (j->at[i] > 0 && j->found[i]->kind == SC3_KIND_NESTED) {
      sc3_found found = {j->found[i]->value, SC3_KIND_NESTED, 0};
      keep_found(j, wanted->names[i], i, &found, &room);
    }
    if (wanted->seen != NULL)
      wanted->seen[i] = (unsigned char)(wanted->seen[i] | (j->found[i] != NULL ? SC3_SEEN : 0) |
                                        (fault == SC3_R_AMBIGUOUS_KEY ? SC3_SEEN_TWICE : 0));
  }
  if (fault == SC3_R_NONE && room > 0)
    *st = unescape_found(j, wanted, room);
  return *st == SC3_OK ? fault : SC3_R_ROW_TOO_LONG;
}

static const char PARENT[] = "__parentId";

/* Reads the members of an object from behind its opening bracket; `*last` is what stands behind it.
 */
static sc3_reason read_members(sc3_jsonl *j, char *p, text *t, const sc3_keys *wanted,
                               size_t *count, sc3_status *st, const char **last) {
  const char *const end = t->end;
  size_t place;
  for (place = 0;; place++) {
    sc3_slice name, value;
    sc3_kind kind;
    int key;
    char *start = p + (skip_space(p, end) - p), *value_start;
    const char *behind;
    if (start == end || *start != '"' ||
        (behind = sc3_json_string(start, t->end, &t->half)) == NULL)
      return SC3_R_BAD_JSON;
    p = start + (skip_space(behind, end) - start);
    if (p == end || *p != ':')
      return SC3_R_BAD_JSON;
    if (t->half)
      return SC3_R_INVALID_UTF8;
    name = sc3_json_unescape(start, behind);
    value_start = p + (skip_space(p + 1, end) - p);
    behind = scan_value(value_start, t, 1, &kind);
    if (behind == NULL)
      return SC3_R_BAD_JSON;
    p = value_start + (skip_space(behind, end) - value_start);
    if (p == end || (*p != ',' && *p != '}'))
      return SC3_R_BAD_JSON;
    if (t->half)
      return SC3_R_INVALID_UTF8;
    if (name.n == sizeof PARENT - 1 && memcmp(name.p, PARENT, name.n) == 0)
      j->child = kind == SC3_KIND_TEXT;
    key = wanted != NULL ? key_at(j, wanted, place, name) : KEPT;
    if (key != PASSED_OVER) {
      value = kind == SC3_KIND_TEXT ? sc3_json_unescape(value_start, behind)
                                    : sc3_slice_of(value_start, (size_t)(behind - value_start));
      *st = keep_field(j, count, name, value, kind);
      if (*st != SC3_OK)
        return SC3_R_ROW_TOO_LONG;
      if (key >= 0)
        j->at[key] = (uint32_t)*count;
    }
    if (*p++ == '}') {
      *last = p;
      return SC3_R_NONE;
    }
  }
}

static const char *skip_between(const char *p, const char *end) {
  while (p < end && sc3_json_between(*p))
    p++;
  return p;
}

/* Reads the object at `p`, up to `end`; its fault, or SC3_R_NONE with the fields in place.
   `*rest` is the next object before `end`, or `end`. SC3_ENOMEM. */
static sc3_status read_object(sc3_jsonl *j, char *p, const char *end, const sc3_keys *wanted,
                              sc3_record *r, const char **rest) {
  sc3_status st = SC3_OK;
  const char *last = end;
  text t;
  t.end = end;
  t.half = 0;
  j->child = 0;
  r->count = 0;
  r->fault_column = 0;
  if (wanted != NULL)
    memset(j->at, 0, wanted->count * sizeof j->at[0]);
  if (!sc3_bytes_see(&j->lines.bytes, p, (size_t)(end - p), r->row, r->line)) {
    r->fault = SC3_R_INVALID_UTF8;
  } else if (*p != '{') {
    sc3_kind kind;
    const char *behind = scan_value(p, &t, 0, &kind);
    r->fault =
        behind != NULL && skip_between(behind, end) == end ? SC3_R_NOT_AN_OBJECT : SC3_R_BAD_JSON;
  } else {
    const char *inside = skip_space(p + 1, end);
    if (inside < end && *inside == '}') {
      r->fault = SC3_R_NONE;
      last = inside + 1;
    } else {
      r->fault = read_members(j, p + 1, &t, wanted, &r->count, &st, &last);
    }
  }
  *rest = r->fault == SC3_R_NONE ? skip_between(last, end) : end;
  if (*rest < end && **rest != '{') {
    r->fault = SC3_R_BAD_JSON;
    *rest = end;
  }
  if (r->fault == SC3_R_NONE && wanted != NULL && st == SC3_OK)
    r->fault = find_keys(j, wanted, r, &st);
  if (r->fault != SC3_R_NONE)
    r->count = 0;
  r->child = j->child;
  return st == SC3_ENOMEM ? st : SC3_OK;
}

enum { LOOKED_AT = 1024 };

/* Whether the first line ends with CR alone, as far as it is looked at. */
static int ends_in_cr(const sc3_input *in) {
  size_t n = sc3_input_left(in) < LOOKED_AT ? sc3_input_left(in) : LOOKED_AT;
  const char *p = sc3_input_head(in), *newline = memchr(p, '\n', n),
             *cr = memchr(p, '\r', newline != NULL ? (size_t)(newline - p) : n);
  return cr != NULL && cr + 1 != newline && (newline != NULL || cr + 1 < p + n || n < LOOKED_AT);
}

/* Whether the first line that holds something has columns of text: a delimiter behind what no
   object begins with. Negative where that line has not come to its end. */
SC3_COLD
static int is_columns(const char *p, size_t n, int finished) {
  const char *end = p + (n < LOOKED_AT ? n : LOOKED_AT), *newline;
  p = skip_between(p, end); /* record separators, and commas behind the line before */
  if (p < end && (*p == '{' || *p == '['))
    return 0;
  newline = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
  if (newline == NULL && n < LOOKED_AT && !finished)
    return -1;
  end = newline != NULL ? newline : end;
  if (p == end)
    return 0;
  if (*p == '"') { /* a text of JSON has none behind it */
    p = memchr(p + 1, '"', (size_t)(end - p) - 1);
    return p != NULL && p + 1 < end && strchr(",;\t|", p[1]) != NULL && p[1] != '\0';
  }
  return memchr(p, ',', (size_t)(end - p)) != NULL || memchr(p, ';', (size_t)(end - p)) != NULL ||
         memchr(p, '\t', (size_t)(end - p)) != NULL || memchr(p, '|', (size_t)(end - p)) != NULL;
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
  p = skip_between(p, end);
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
      const int columns = is_columns(sc3_input_head(in), sc3_input_left(in), in->finished);
      if (columns > 0)
        j->fatal.kind = SC3_FATAL_NO_JSON;
      next = columns < 0 ? SC3_NEXT_NEED : columns > 0 ? SC3_NEXT_FATAL : next;
    }
    if (next != SC3_NEXT_RECORD) {
      j->fatal.line = next == SC3_NEXT_FATAL ? 1 : 0;
      return next;
    }
    j->cr = ends_in_cr(in);
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

static sc3_next next_value(sc3_jsonl *j, const sc3_keys *wanted, sc3_record *r) {
  sc3_input *in = &j->input;
  const char *behind, *rest;
  char *p, *at;
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
  p = in->buffer.p + in->at;
  r->row = ++j->row;
  r->line = j->line;
  r->lines = 0;
  r->missing = 0;
  r->found = NULL;
  for (at = p; at < behind;
       at++) { /* line ends inside are white space, because strings hold none */
    if (*at == '\n' || *at == '\r') {
      r->lines += *at == (j->cr ? '\r' : '\n');
      *at = ' ';
    }
  }
  account(j, j->line);
  j->lines.shared += j->line <= j->accounted;
  j->lines.quoted += r->lines;
  j->line += r->lines;
  j->accounted = j->line;
  j->open = 1;
  sc3_input_take(in, (size_t)(behind - p));
  if (read_object(j, p, behind, wanted, r, &rest) != SC3_OK)
    return SC3_NEXT_NOMEM;
  r->fields = j->fields;
  return SC3_NEXT_RECORD;
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

sc3_next sc3_jsonl_next(sc3_jsonl *j, const sc3_keys *wanted, sc3_record *r) {
  sc3_input *in = &j->input;
  if (j->fatal.kind != SC3_FATAL_NONE)
    return SC3_NEXT_FATAL;
  if (!j->begun) {
    sc3_next next = begin_input(j);
    if (next != SC3_NEXT_RECORD)
      return next;
  }
  if (j->layout != SC3_LAYOUT_LINES)
    return next_value(j, wanted, r);
  for (;;) {
    size_t left = sc3_input_left(in), length;
    char *head = left > 0 ? in->buffer.p + in->at : NULL;
    const char *newline = left > 0 ? memchr(head, j->cr ? '\r' : '\n', left) : NULL;
    const char *start, *rest;
    if (left == 0 &&
        !(in->finished &&
          j->skipping)) /* a line that is too long and never ends is a row all the same */
      return in->finished ? SC3_NEXT_END : SC3_NEXT_NEED;
    if (newline == NULL && !in->finished) {
      if (left <= SC3_ROW_MAX)
        return SC3_NEXT_NEED;
      j->skipping = 1;
      sc3_input_take(in, left);
      return SC3_NEXT_NEED;
    }
    length = newline != NULL ? (size_t)(newline - head) : left;
    sc3_input_take(in, newline != NULL ? length + 1 : length);
    r->line = j->line++;
    r->lines = 0;
    r->missing = 0;
    r->fields = NULL;
    r->found = NULL;
    r->child = 0;
    j->lines.shared += (uint64_t)j->inside;
    j->inside = 0;
    if (j->skipping || length > SC3_ROW_MAX) {
      j->skipping = 0;
      r->row = ++j->row;
      r->count = 0;
      r->fault = SC3_R_ROW_TOO_LONG;
      r->fault_column = 0;
      return SC3_NEXT_RECORD;
    }
    start = skip_between(head, head + length);
    if (head + length - start >= 3 &&
        memcmp(start, "\xef\xbb\xbf", 3) == 0) { /* files were joined */
      j->lines.bytes_marks++;
      start = skip_between(start + 3, head + length);
    }
    if (start == head + length) {
      j->lines.blank++;
      continue;
    }
    r->row = ++j->row;
    if (read_object(j, head + (start - head), head + length, wanted, r, &rest) != SC3_OK)
      return SC3_NEXT_NOMEM;
    if (rest < head + length)
      leave_rest(j, rest);
    r->fields = j->fields;
    return SC3_NEXT_RECORD;
  }
}
