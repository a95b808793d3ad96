#include "jsonl.h"

#include <stdlib.h>

#include "json_scan.h"
#include "look.h"
#include "utf8.h"

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

/* --- values: each takes a pointer and gives the one behind, NULL where the text is no JSON --------------------- */

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
    case '"':
      *kind = SC3_KIND_TEXT;
      return sc3_json_string(p, t->end, &t->half);
    case '{':
    case '[':
      *kind = SC3_KIND_NESTED;
      return scan_nested(p, t, depth);
    case 't':
      *kind = SC3_KIND_TRUE;
      return sc3_json_word(p, t->end, "true");
    case 'f':
      *kind = SC3_KIND_FALSE;
      return sc3_json_word(p, t->end, "false");
    case 'n':
      *kind = SC3_KIND_NULL;
      return sc3_json_word(p, t->end, "null");
    default:
      *kind = SC3_KIND_NUMBER;
      return sc3_json_number(p, t->end);
  }
}

/* --- rows -------------------------------------------------------------------------------------------------------- */

static sc3_status keep_field(sc3_jsonl *j, size_t *count, sc3_slice name, sc3_slice value, sc3_kind kind) {
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

/* What a key is to those asked for: the number of the one that it is, or whether it may be meant by another, or leads to one inside it. */
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

/* Looks for the key of that number where the row has it under another spelling, or inside another value. `*room` grows by what its text takes. */
static sc3_fault look_for(sc3_jsonl *j, const sc3_keys *wanted, size_t key, sc3_record *r, size_t *room) {
  sc3_field *f = &j->looked[key];
  sc3_found found;
  switch (sc3_look(j->fields, r->count, wanted->names[key], &found)) {
    case SC3_LOOKED_NONE:
      return SC3_FAULT_NONE;
    case SC3_LOOKED_TWO:
      r->fault_key = key;
      return SC3_FAULT_AMBIGUOUS;
    default:
      break;
  }
  f->name = wanted->names[key];
  f->value = found.value;
  f->kind = found.kind;
  j->found[key] = f;
  j->escaped[key] = (unsigned char)found.escaped;
  *room += found.escaped ? found.value.n + 2 : 0;
  return SC3_FAULT_NONE;
}

/* Takes the escapes out of texts that were found inside nested values; these themselves stay as they are. */
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
static sc3_fault find_keys(sc3_jsonl *j, const sc3_keys *wanted, sc3_record *r, sc3_status *st) {
  size_t i, room = 0;
  sc3_fault fault = SC3_FAULT_NONE;
  r->found = j->found;
  for (i = 0; i < wanted->count && fault == SC3_FAULT_NONE; i++) {
    j->found[i] = j->at[i] > 0 ? &j->fields[j->at[i] - 1] : NULL;
    j->escaped[i] = 0;
    if (j->at[i] == 0 && r->count > 0)
      fault = look_for(j, wanted, i, r, &room);
    if (wanted->seen != NULL)
      wanted->seen[i] = (unsigned char)(wanted->seen[i] | (j->found[i] != NULL ? SC3_SEEN : 0) | (fault == SC3_FAULT_AMBIGUOUS ? SC3_SEEN_TWICE : 0));
  }
  if (fault == SC3_FAULT_NONE && room > 0)
    *st = unescape_found(j, wanted, room);
  return *st == SC3_OK ? fault : SC3_FAULT_TOO_LONG;
}

/* Reads the members of an object from behind its opening bracket, up to the end of the line. */
static sc3_fault read_members(sc3_jsonl *j, char *p, text *t, const sc3_keys *wanted, size_t *count, sc3_status *st) {
  const char *const end = t->end;
  size_t place;
  for (place = 0;; place++) {
    sc3_slice name, value;
    sc3_kind kind;
    int key;
    char *start = p + (skip_space(p, end) - p), *value_start;
    const char *behind;
    if (start == end || *start != '"' || (behind = sc3_json_string(start, t->end, &t->half)) == NULL)
      return SC3_FAULT_BAD_JSON;
    p = start + (skip_space(behind, end) - start);
    if (p == end || *p != ':')
      return SC3_FAULT_BAD_JSON;
    if (t->half)
      return SC3_FAULT_UTF8;
    name = sc3_json_unescape(start, behind);
    value_start = p + (skip_space(p + 1, end) - p);
    behind = scan_value(value_start, t, 1, &kind);
    if (behind == NULL)
      return SC3_FAULT_BAD_JSON;
    p = value_start + (skip_space(behind, end) - value_start);
    if (p == end || (*p != ',' && *p != '}'))
      return SC3_FAULT_BAD_JSON;
    if (t->half)
      return SC3_FAULT_UTF8;
    key = wanted != NULL ? key_at(j, wanted, place, name) : KEPT;
    if (key != PASSED_OVER) {
      value = kind == SC3_KIND_TEXT ? sc3_json_unescape(value_start, behind) : sc3_slice_of(value_start, (size_t)(behind - value_start));
      *st = keep_field(j, count, name, value, kind);
      if (*st != SC3_OK)
        return SC3_FAULT_TOO_LONG;
      if (key >= 0)
        j->at[key] = (uint32_t)*count;
    }
    if (*p++ == '}')
      return skip_space(p, end) == end ? SC3_FAULT_NONE : SC3_FAULT_BAD_JSON;
  }
}

/* Reads one line; its fault, or SC3_FAULT_NONE with the fields in place. SC3_ENOMEM. */
static sc3_status read_line(sc3_jsonl *j, char *p, const char *end, const sc3_keys *wanted, sc3_record *r) {
  sc3_status st = SC3_OK;
  text t;
  t.end = end;
  t.half = 0;
  r->count = 0;
  r->fault_column = 0;
  if (wanted != NULL)
    memset(j->at, 0, wanted->count * sizeof j->at[0]);
  if (!sc3_utf8_valid(p, (size_t)(end - p))) {
    r->fault = SC3_FAULT_UTF8;
  } else if (*p != '{') {
    sc3_kind kind;
    const char *behind = scan_value(p, &t, 0, &kind);
    r->fault = behind != NULL && skip_space(behind, end) == end ? SC3_FAULT_NOT_OBJECT : SC3_FAULT_BAD_JSON;
  } else {
    const char *inside = skip_space(p + 1, end);
    if (inside < end && *inside == '}')
      r->fault = skip_space(inside + 1, end) == end ? SC3_FAULT_NONE : SC3_FAULT_BAD_JSON;
    else
      r->fault = read_members(j, p + 1, &t, wanted, &r->count, &st);
  }
  if (r->fault == SC3_FAULT_NONE && wanted != NULL && st == SC3_OK)
    r->fault = find_keys(j, wanted, r, &st);
  if (r->fault != SC3_FAULT_NONE)
    r->count = 0;
  return st == SC3_ENOMEM ? st : SC3_OK;
}

enum { LOOKED_AT = 1024 };

/* Whether the first line ends with CR alone, as far as it is looked at. */
static int ends_in_cr(const sc3_input *in) {
  size_t n = sc3_input_left(in) < LOOKED_AT ? sc3_input_left(in) : LOOKED_AT;
  const char *p = sc3_input_head(in), *newline = memchr(p, '\n', n), *cr = memchr(p, '\r', newline != NULL ? (size_t)(newline - p) : n);
  return cr != NULL && cr + 1 != newline && (newline != NULL || cr + 1 < p + n || n < LOOKED_AT);
}

static sc3_next begin_input(sc3_jsonl *j) {
  sc3_input *in = &j->input;
  sc3_fatal_kind kind;
  if (!sc3_input_sniffable(in))
    return SC3_NEXT_NEED;
  kind = sc3_input_left(in) == 0 ? SC3_FATAL_EMPTY : sc3_input_sniff(sc3_input_head(in), sc3_input_left(in));
  if (kind != SC3_FATAL_NONE) {
    j->fatal.kind = kind;
    j->fatal.line = 1;
    return SC3_NEXT_FATAL;
  }
  if (sc3_input_left(in) >= 3 && memcmp(sc3_input_head(in), "\xef\xbb\xbf", 3) == 0)
    sc3_input_take(in, 3);
  j->cr = ends_in_cr(in);
  j->begun = 1;
  return SC3_NEXT_RECORD;
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
  for (;;) {
    size_t left = sc3_input_left(in), length;
    char *head = left > 0 ? in->buffer.p + in->at : NULL;
    const char *newline = left > 0 ? memchr(head, j->cr ? '\r' : '\n', left) : NULL;
    const char *start;
    if (left == 0 && !(in->finished && j->skipping)) /* a line that is too long and never ends is a row all the same */
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
    if (j->skipping || length > SC3_ROW_MAX) {
      j->skipping = 0;
      r->row = ++j->row;
      r->count = 0;
      r->fault = SC3_FAULT_TOO_LONG;
      r->fault_column = 0;
      return SC3_NEXT_RECORD;
    }
    start = skip_space(head, head + length);
    if (head + length - start >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0) { /* files were joined */
      j->lines.bytes_marks++;
      start = skip_space(start + 3, head + length);
    }
    if (start == head + length) {
      j->lines.blank++;
      continue;
    }
    r->row = ++j->row;
    if (read_line(j, head + (start - head), head + length, wanted, r) != SC3_OK)
      return SC3_NEXT_NOMEM;
    r->fields = j->fields;
    return SC3_NEXT_RECORD;
  }
}
