#include "json_object.h"

#include <stdlib.h>

#include "../bytes/json_scan.h"
#include "json_layout.h"
#include "lookup.h"

enum { DEPTH_MAX = 64, FIRST_FIELDS = 16, TEXTS_LIMIT = 16 << 20 };

enum { KEPT = -1, PASSED_OVER = -2, UNKNOWN = -3 };

void sc3_json_object_init(sc3_json_object *o) {
  memset(o, 0, sizeof *o);
  sc3_buffer_init(&o->texts, TEXTS_LIMIT);
}

void sc3_json_object_free(sc3_json_object *o) {
  sc3_buffer_free(&o->texts);
  free(o->fields);
  o->fields = NULL;
  o->capacity = 0;
}

void sc3_json_object_other_keys(sc3_json_object *o) {
  size_t i;
  for (i = 0; i < SC3_JSON_PLACES; i++)
    o->places[i].key = UNKNOWN;
}

/* --- values: each function takes a pointer to a value and gives the one after it, NULL where the
 * text is no JSON --- */

/* A text as it is scanned. */
typedef struct scan {
  const char *end;
  int half; /* half a surrogate pair stands somewhere in it */
} scan;

static const char *skip_space(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
    p++;
  return p;
}

static const char *scan_value(const char *p, scan *t, int depth, sc3_kind *kind);

/* The inside of an object or array, from its opening bracket. */
static const char *scan_nested(const char *p, scan *t, int depth) {
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

static const char *scan_value(const char *p, scan *t, int depth, sc3_kind *kind) {
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

static sc3_status keep_field(sc3_json_object *o, const sc3_field *field) {
  if (o->count == o->capacity) {
    size_t capacity = o->count > 0 ? o->count * 2 : FIRST_FIELDS;
    sc3_field *grown;
    if (o->count >= SC3_COLUMNS_MAX)
      return SC3_ELIMIT;
    grown = realloc(o->fields, capacity * sizeof *grown);
    if (grown == NULL)
      return SC3_ENOMEM;
    o->fields = grown;
    o->capacity = capacity;
  }
  o->fields[o->count++] = *field;
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

static int key_at(sc3_json_object *o, const sc3_keys *wanted, size_t place, sc3_slice name) {
  sc3_json_place *p = &o->places[place % SC3_JSON_PLACES];
  if (p->n > 0 && p->key != UNKNOWN && p->n == name.n && memcmp(p->name, name.p, name.n) == 0)
    return p->key;
  if (name.n == 0 || name.n > SC3_JSON_KEY_MAX)
    return key_among(wanted, name);
  p->n = (unsigned char)name.n;
  memcpy(p->name, name.p, name.n);
  p->key = (signed char)key_among(wanted, name);
  return p->key;
}

/* Keeps a value that stands for the key of that number. Gives the bytes that its text takes. */
static size_t keep_found(sc3_json_object *o, sc3_slice name, size_t key, sc3_found *found) {
  sc3_field *f = &o->looked[key];
  sc3_found_unwrap(found);
  f->name = name;
  f->value = found->value;
  f->kind = found->kind;
  o->found[key] = f;
  o->escaped[key] = (unsigned char)found->escaped;
  return found->escaped ? found->value.n + 2 : 0;
}

/* Removes the escapes of texts that were found inside nested values; these themselves stay as
 * they are. */
static sc3_status unescape_found(sc3_json_object *o, const sc3_keys *wanted, size_t room) {
  size_t i;
  sc3_status st;
  o->texts.n = 0;
  st = sc3_buffer_reserve(&o->texts, room);
  for (i = 0; i < wanted->count && st == SC3_OK; i++) {
    sc3_found found;
    if (!o->escaped[i])
      continue;
    found.value = o->looked[i].value;
    o->looked[i].value = sc3_found_unescape(&found, o->texts.p + o->texts.n);
    o->texts.n += found.value.n + 2;
  }
  return st;
}

/* Finds the value of one key that is asked for. `*room` grows by what its text takes. */
static sc3_lookup_result find_key(sc3_json_object *o, const sc3_keys *wanted, size_t key,
                                  size_t *room) {
  const sc3_slice name = wanted->names[key];
  sc3_found found;
  sc3_lookup_result looked;
  o->found[key] = o->at[key] > 0 ? &o->fields[o->at[key] - 1] : NULL;
  o->escaped[key] = 0;
  if (o->found[key] != NULL) {
    if (o->found[key]->kind == SC3_KIND_NESTED) {
      found.value = o->found[key]->value;
      found.kind = SC3_KIND_NESTED;
      found.escaped = 0;
      *room += keep_found(o, name, key, &found);
    }
    return SC3_LOOKUP_ONE;
  }
  looked = o->count > 0 && !wanted->exact ? sc3_lookup_find(o->fields, o->count, name, &found)
                                          : SC3_LOOKUP_NONE;
  if (looked == SC3_LOOKUP_ONE)
    *room += keep_found(o, name, key, &found);
  return looked;
}

/* Points to the field of each key that is asked for. SC3_ELIMIT: their texts take too much. */
static sc3_status find_keys(sc3_json_object *o, const sc3_keys *wanted, sc3_record *r) {
  size_t i, room = 0;
  r->found = o->found;
  for (i = 0; i < wanted->count && r->fault == SC3_R_NONE; i++) {
    sc3_lookup_result looked = find_key(o, wanted, i, &room);
    if (looked == SC3_LOOKUP_AMBIGUOUS) {
      r->fault = SC3_R_AMBIGUOUS_KEY;
      r->fault_key = i;
    }
    if (wanted->seen != NULL)
      wanted->seen[i] = (unsigned char)(wanted->seen[i] | (o->found[i] != NULL ? SC3_SEEN : 0) |
                                        (looked == SC3_LOOKUP_AMBIGUOUS ? SC3_SEEN_TWICE : 0));
  }
  return r->fault == SC3_R_NONE && room > 0 ? unescape_found(o, wanted, room) : SC3_OK;
}

static const char PARENT[] = "__parentId";

/* One member of an object. */
typedef struct member {
  char *name;           /* its opening quote */
  const char *name_end; /* after its closing quote */
  char *value;
  const char *value_end;
  sc3_kind kind;
  char *next; /* the comma, or the closing bracket, that follows */
} member;

/* Scans the member at `p`. */
static sc3_reason scan_member(char *p, scan *t, member *m) {
  const char *const end = t->end;
  m->name = p + (skip_space(p, end) - p);
  if (m->name == end || *m->name != '"')
    return SC3_R_BAD_JSON;
  m->name_end = sc3_json_string(m->name, end, &t->half);
  if (m->name_end == NULL)
    return SC3_R_BAD_JSON;
  p = m->name + (skip_space(m->name_end, end) - m->name);
  if (p == end || *p != ':')
    return SC3_R_BAD_JSON;
  if (t->half)
    return SC3_R_INVALID_UTF8;
  m->value = p + (skip_space(p + 1, end) - p);
  m->value_end = scan_value(m->value, t, 1, &m->kind);
  if (m->value_end == NULL)
    return SC3_R_BAD_JSON;
  m->next = m->value + (skip_space(m->value_end, end) - m->value);
  if (m->next == end || (*m->next != ',' && *m->next != '}'))
    return SC3_R_BAD_JSON;
  return t->half ? SC3_R_INVALID_UTF8 : SC3_R_NONE;
}

/* Keeps a member where it is wanted. `place` is its number in the object, from 0. SC3_ELIMIT: there
 * are too many. */
static sc3_status take_member(sc3_json_object *o, const sc3_keys *wanted, size_t place,
                              const member *m) {
  sc3_field field;
  sc3_status st;
  int key;
  field.name = sc3_json_unescape(m->name, m->name_end);
  if (sc3_slice_eq(field.name, SC3_LITERAL(PARENT)))
    o->child = m->kind == SC3_KIND_TEXT;
  key = wanted != NULL ? key_at(o, wanted, place, field.name) : KEPT;
  if (key == PASSED_OVER)
    return SC3_OK;
  field.kind = m->kind;
  field.value = m->kind == SC3_KIND_TEXT
                    ? sc3_json_unescape(m->value, m->value_end)
                    : sc3_slice_of(m->value, (size_t)(m->value_end - m->value));
  st = keep_field(o, &field);
  if (st == SC3_OK && key >= 0)
    o->at[key] = (uint32_t)o->count;
  return st;
}

/* Reads the members of an object from after its opening bracket on. Sets the fault, and
 * `text->rest` where there is none. */
static sc3_status read_members(sc3_json_object *o, sc3_json_text *text, const sc3_keys *wanted,
                               sc3_record *r) {
  scan t = {text->end, 0};
  char *p = text->p + 1;
  size_t place;
  member m;
  for (place = 0;; place++) {
    sc3_status st;
    r->fault = scan_member(p, &t, &m);
    if (r->fault != SC3_R_NONE)
      return SC3_OK;
    st = take_member(o, wanted, place, &m);
    if (st != SC3_OK)
      return st;
    p = m.next + 1;
    if (*m.next == '}')
      break;
  }
  text->rest = p;
  return SC3_OK;
}

/* The fault of a text that does not begin with an object. */
static sc3_reason judge_value(const sc3_json_text *text) {
  scan t = {text->end, 0};
  sc3_kind kind;
  const char *next = scan_value(text->p, &t, 0, &kind);
  return next != NULL && sc3_json_skip_between(next, text->end) == text->end ? SC3_R_NOT_AN_OBJECT
                                                                             : SC3_R_BAD_JSON;
}

sc3_status sc3_json_object_read(sc3_json_object *o, sc3_json_text *text, const sc3_keys *wanted,
                                sc3_record *r) {
  sc3_status st = SC3_OK;
  o->child = 0;
  o->count = 0;
  r->fault = SC3_R_NONE;
  r->fault_column = 0;
  if (wanted != NULL)
    memset(o->at, 0, wanted->count * sizeof o->at[0]);
  if (*text->p != '{') {
    r->fault = judge_value(text);
  } else {
    const char *inside = skip_space(text->p + 1, text->end);
    if (inside < text->end && *inside == '}')
      text->rest = inside + 1;
    else
      st = read_members(o, text, wanted, r);
  }
  if (st == SC3_OK && r->fault == SC3_R_NONE) {
    text->rest = sc3_json_skip_between(text->rest, text->end);
    if (text->rest < text->end && *text->rest != '{')
      r->fault = SC3_R_BAD_JSON;
  }
  if (st != SC3_OK || r->fault != SC3_R_NONE)
    text->rest = text->end;
  else if (wanted != NULL)
    st = find_keys(o, wanted, r);
  if (st == SC3_ELIMIT)
    r->fault = SC3_R_ROW_TOO_LONG;
  r->fields = o->fields;
  r->count = r->fault == SC3_R_NONE ? o->count : 0;
  r->child = o->child;
  return st == SC3_ENOMEM ? st : SC3_OK;
}
