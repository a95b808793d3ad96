#include "json_check.h"

#include <stdlib.h>

#include "json_scan.h"

enum { FIRST_NAMES = 64 };

typedef struct checker {
  const char *end;
  char *text; /* strings that were read: names of open objects, and room for one more; never more
                 than the whole text */
  size_t used;
  sc3_slice *names; /* of the open objects, the innermost last; they lie in `text` */
  size_t count, capacity;
  sc3_json_duplicates *found;
  int out_of_memory;
} checker;

static const char *skip_space(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
    p++;
  return p;
}

/* Reads a string into the room after the kept ones; {NULL, 0} in `*s` where it is none. */
static const char *read_string(checker *c, const char *p, sc3_slice *s) {
  int half = 0;
  const char *behind = sc3_json_string(p, c->end, &half);
  *s = sc3_slice_of(NULL, 0);
  if (behind != NULL && !half) {
    char *copy = c->text + c->used;
    size_t n = (size_t)(behind - p);
    memcpy(copy, p, n);
    *s = sc3_json_unescape(copy, copy + n);
  }
  return s->p != NULL ? behind : NULL;
}

static int keep_name(checker *c, sc3_slice name) {
  if (c->count == c->capacity) {
    size_t capacity = c->capacity > 0 ? c->capacity * 2 : FIRST_NAMES;
    sc3_slice *grown = realloc(c->names, capacity * sizeof *grown);
    if (grown == NULL) {
      c->out_of_memory = 1;
      return -1;
    }
    c->names = grown;
    c->capacity = capacity;
  }
  c->names[c->count++] = name;
  c->used = (size_t)(name.p - c->text) + name.n;
  return 0;
}

static int compare_names(const void *a, const void *b) {
  const sc3_slice *x = a, *y = b;
  size_t n = x->n < y->n ? x->n : y->n;
  int order = n > 0 ? memcmp(x->p, y->p, n) : 0;
  return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

static void tell(sc3_json_duplicates *found, sc3_slice name) {
  size_t n = 0;
  if (found->count++ >= SC3_JSON_NAMES)
    return;
  while (n < name.n && n < SC3_JSON_NAME_BYTES && name.p[n] >= 0x20 && name.p[n] < 0x7f)
    n++;
  found->names[found->count - 1].n = n;
  if (n > 0)
    memcpy(found->names[found->count - 1].text, name.p, n);
}

/* Looks through the names of the innermost object, from the one numbered `first` on, and forgets
 * them. */
static void close_object(checker *c, size_t first, size_t used) {
  size_t i;
  if (c->count - first > 1) {
    qsort(c->names + first, c->count - first, sizeof *c->names, compare_names);
    for (i = first + 1; i < c->count; i++) {
      if (sc3_slice_eq(c->names[i], c->names[i - 1]) &&
          (i == first + 1 || !sc3_slice_eq(c->names[i], c->names[i - 2])))
        tell(c->found, c->names[i]);
    }
  }
  c->count = first;
  c->used = used;
}

static const char *check_value(checker *c, const char *p, int depth);

/* An object or an array, from its opening bracket; `depth` are already open. */
static const char *check_nested(checker *c, const char *p, int depth) {
  const char closing = *p == '{' ? '}' : ']';
  size_t first = c->count, used = c->used;
  if (depth == SC3_JSON_DEPTH)
    return NULL;
  p = skip_space(p + 1, c->end);
  if (p < c->end && *p == closing)
    return p + 1;
  for (;;) {
    if (closing == '}') {
      sc3_slice name;
      if (p == c->end || *p != '"' || (p = read_string(c, p, &name)) == NULL ||
          keep_name(c, name) != 0)
        return NULL;
      p = skip_space(p, c->end);
      if (p == c->end || *p != ':')
        return NULL;
      p = skip_space(p + 1, c->end);
    }
    p = check_value(c, p, depth + 1);
    if (p == NULL)
      return NULL;
    p = skip_space(p, c->end);
    if (p < c->end && *p == closing)
      break;
    if (p == c->end || *p != ',')
      return NULL;
    p = skip_space(p + 1, c->end);
  }
  close_object(c, first, used); /* an array has no names */
  return p + 1;
}

static const char *check_value(checker *c, const char *p, int depth) {
  sc3_slice ignored;
  if (p == c->end)
    return NULL;
  switch (*p) {
    case '"': return read_string(c, p, &ignored);
    case '{':
    case '[': return check_nested(c, p, depth);
    case 't': return sc3_json_word(p, c->end, "true");
    case 'f': return sc3_json_word(p, c->end, "false");
    case 'n': return sc3_json_word(p, c->end, "null");
    default: return sc3_json_number(p, c->end);
  }
}

sc3_json_verdict sc3_json_check_object(sc3_slice text, sc3_json_duplicates *found) {
  checker c;
  const char *p;
  found->count = 0;
  if (!sc3_slice_some(text) || !sc3_utf8_valid(text.p, text.n))
    return SC3_JSON_MALFORMED;
  memset(&c, 0, sizeof c);
  c.end = text.p + text.n;
  c.found = found;
  p = skip_space(text.p, c.end);
  if (p == c.end || *p != '{')
    return SC3_JSON_MALFORMED;
  c.text = malloc(text.n);
  if (c.text == NULL)
    return SC3_JSON_NOMEM;
  p = check_nested(&c, p, 0);
  free(c.text);
  free(c.names);
  if (c.out_of_memory)
    return SC3_JSON_NOMEM;
  if (p == NULL || skip_space(p, c.end) != c.end)
    return SC3_JSON_MALFORMED;
  return found->count > 0 ? SC3_JSON_DUPLICATES : SC3_JSON_FINE;
}
