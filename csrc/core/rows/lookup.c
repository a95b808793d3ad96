#include "lookup.h"

#include "../bytes/ascii.h"
#include "header.h"
#include "../bytes/json_scan.h"

sc3_likeness sc3_likeness_of(sc3_slice key, sc3_slice name) {
  const char *dot;
  if (sc3_slice_eq(key, name))
    return SC3_SAME;
  if (key.n > 0 && key.n < name.n && name.p[key.n] == '.' && memcmp(key.p, name.p, key.n) == 0)
    return SC3_HEAD;
  if (sc3_header_is_alike(key, name))
    return SC3_ALIKE;
  dot = name.n > 0 ? memchr(name.p, '.', name.n) : NULL;
  return dot != NULL && sc3_header_is_alike(key, sc3_slice_of(name.p, (size_t)(dot - name.p)))
             ? SC3_ALIKE_HEAD
             : SC3_UNLIKE;
}

enum { KEY_MAX = 256 }; /* bytes of a key with escapes in it */

/* The best of the keys that were seen, by likeness. Of one key that comes twice the last counts. */
typedef struct best {
  size_t below; /* only heads of fewer bytes are asked for */
  sc3_slice key[SC3_SAME + 1];
  sc3_found value[SC3_SAME + 1];
  int two[SC3_SAME + 1];
} best;

/* Where keys are looked for: the fields of a record, or an object of JSON from its opening bracket
   on. Keys with escapes are made in `keys`, one for each likeness that holds one and one for the
   next. */
typedef struct place {
  const sc3_field *fields;
  size_t count;
  sc3_slice object;
  char keys[SC3_SAME + 2][KEY_MAX];
} place;

static void consider(best *b, sc3_slice key, const sc3_found *value, sc3_slice name) {
  sc3_likeness like = sc3_likeness_of(key, name);
  if (like == SC3_UNLIKE || (like == SC3_HEAD && key.n >= b->below))
    return;
  if (b->key[like].p != NULL && !sc3_slice_eq(b->key[like], key)) {
    if (like == SC3_HEAD && key.n < b->key[like].n)
      return; /* the longest first: keys may hold dots */
    b->two[like] = like != SC3_HEAD;
  }
  b->key[like] = key;
  b->value[like] = *value;
}

static sc3_lookup_result look_inside(const sc3_found *in, sc3_slice name, sc3_found *found);
static void consider_object(best *b, place *in, sc3_slice name);

static void consider_all(best *b, place *in, sc3_slice name, size_t below) {
  size_t i;
  memset(b, 0, sizeof *b);
  b->below = below;
  if (in->object.p != NULL)
    consider_object(b, in, name);
  for (i = 0; i < in->count; i++) {
    const sc3_found value = {in->fields[i].value, in->fields[i].kind, 0};
    consider(b, in->fields[i].name, &value, name);
  }
}

static sc3_lookup_result look_behind(const best *b, sc3_likeness like, size_t head, sc3_slice name,
                                     sc3_found *found) {
  return look_inside(&b->value[like], sc3_slice_of(name.p + head + 1, name.n - head - 1), found);
}

/* The order is that of lua/table_lookup.c. A value is reached by only one chain of keys, so it is
 * looked into once. */
static sc3_lookup_result look_in(place *in, sc3_slice name, sc3_found *found) {
  sc3_lookup_result looked;
  sc3_likeness like;
  best b;
  consider_all(&b, in, name, name.n);
  if (b.key[SC3_SAME].p != NULL) {
    *found = b.value[SC3_SAME];
    return SC3_LOOKUP_ONE;
  }
  while (b.key[SC3_HEAD].p != NULL) {
    looked = look_behind(&b, SC3_HEAD, b.key[SC3_HEAD].n, name, found);
    if (looked != SC3_LOOKUP_NONE)
      return looked;
    consider_all(&b, in, name, b.key[SC3_HEAD].n);
  }
  like = b.key[SC3_ALIKE].p != NULL ? SC3_ALIKE : SC3_ALIKE_HEAD;
  if (b.key[like].p == NULL)
    return SC3_LOOKUP_NONE;
  if (b.two[like])
    return SC3_LOOKUP_AMBIGUOUS;
  if (like == SC3_ALIKE_HEAD)
    return look_behind(&b, like, (size_t)((const char *)memchr(name.p, '.', name.n) - name.p), name,
                       found);
  *found = b.value[like];
  return SC3_LOOKUP_ONE;
}

/* --- nested JSON: it was checked when its line was read --- */

static const char *skip_space(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
    p++;
  return p;
}

/* After the string whose opening quote is at `p`. */
static const char *string_end(const char *p, const char *end) {
  int half = 0;
  const char *behind = sc3_json_string(p, end, &half);
  return behind != NULL ? behind : end;
}

/* Reads the value at `p`; the pointer after it. */
static const char *read_value(const char *p, const char *end, sc3_found *found) {
  const char *start = p;
  size_t depth = 0;
  found->escaped = 0;
  if (*p == '"') {
    p = string_end(p, end);
    found->kind = SC3_KIND_TEXT;
    found->value = sc3_slice_of(start + 1, (size_t)(p - start) - 2);
    found->escaped = memchr(found->value.p, '\\', found->value.n) != NULL;
    return p;
  }
  found->kind = *p == '{' || *p == '[' ? SC3_KIND_NESTED
                : *p == 't'            ? SC3_KIND_TRUE
                : *p == 'f'            ? SC3_KIND_FALSE
                : *p == 'n'            ? SC3_KIND_NULL
                                       : SC3_KIND_NUMBER;
  while (p < end) {
    if (*p == '"') {
      p = string_end(p, end);
      continue;
    }
    if (*p == '{' || *p == '[') {
      depth++;
    } else if (*p == '}' || *p == ']') {
      if (depth == 0)
        break;
      depth--;
      if (depth == 0) {
        p++;
        break;
      }
    } else if (depth == 0 && (*p == ',' || *p == ' ' || *p == '\t' || *p == '\r')) {
      break;
    }
    p++;
  }
  found->value = sc3_slice_of(start, (size_t)(p - start));
  return p;
}

/* Room for a key that none of the best holds. */
static char *free_key(const best *b, place *in) {
  size_t i, like;
  for (i = 0; i <= SC3_SAME; i++) {
    for (like = 0; like <= SC3_SAME &&
                   (b->key[like].p < in->keys[i] || b->key[like].p >= in->keys[i] + KEY_MAX);
         like++)
      ;
    if (like > SC3_SAME)
      break;
  }
  return in->keys[i];
}

static void consider_object(best *b, place *in, sc3_slice name) {
  const char *p = in->object.p, *end = p + in->object.n;
  for (p = skip_space(p + 1, end); p < end && *p == '"'; p = skip_space(p, end)) {
    const char *start = p;
    sc3_slice key;
    sc3_found value;
    p = string_end(p, end);
    key = sc3_slice_of(start + 1, (size_t)(p - start) - 2);
    if (memchr(key.p, '\\', key.n) != NULL && key.n + 2 <= KEY_MAX) {
      char *text = free_key(b, in);
      memcpy(text, start, key.n + 2);
      key = sc3_json_unescape(text, text + key.n + 2);
    }
    p = skip_space(p, end);
    p = read_value(skip_space(p + 1, end), end, &value);
    consider(b, key, &value, name);
    p = skip_space(p, end);
    if (p < end && *p == ',')
      p = skip_space(p + 1, end);
  }
}

static sc3_lookup_result look_in_object(sc3_slice object, sc3_slice name, sc3_found *found) {
  place in;
  in.fields = NULL;
  in.count = 0;
  in.object = object;
  return look_in(&in, name, found);
}

/* The number that a name begins with, and `*rest` of the name after its dot; 0 where it begins
 * with none. */
static size_t number_of(sc3_slice name, sc3_slice *rest) {
  size_t i, number = 0;
  for (i = 0; i < name.n && i < 7 && sc3_ascii_is_digit(name.p[i]); i++)
    number = number * 10 + (size_t)(name.p[i] - '0');
  if (i == 0 || (i < name.n && name.p[i] != '.'))
    return 0;
  *rest = i < name.n ? sc3_slice_of(name.p + i + 1, name.n - i - 1) : sc3_slice_of(NULL, 0);
  return number;
}

static sc3_lookup_result look_in_array(const char *p, const char *end, sc3_slice name,
                                       sc3_found *found) {
  sc3_slice rest = {NULL, 0};
  size_t number = number_of(name, &rest);
  for (p = skip_space(p + 1, end); number > 0 && p < end && *p != ']'; p = skip_space(p + 1, end)) {
    p = skip_space(read_value(p, end, found), end);
    if (--number == 0)
      return rest.p == NULL ? SC3_LOOKUP_ONE : look_inside(found, rest, found);
    if (p < end && *p == ']')
      break;
  }
  return SC3_LOOKUP_NONE;
}

static sc3_lookup_result look_inside(const sc3_found *in, sc3_slice name, sc3_found *found) {
  const char *p = in->value.p, *end = p + in->value.n;
  if (in->kind != SC3_KIND_NESTED || name.n == 0)
    return SC3_LOOKUP_NONE;
  return *p == '{' ? look_in_object(in->value, name, found) : look_in_array(p, end, name, found);
}

sc3_lookup_result sc3_lookup_find(const sc3_field *fields, size_t count, sc3_slice name,
                                  sc3_found *found) {
  place in;
  in.fields = fields;
  in.count = count;
  in.object = sc3_slice_of(NULL, 0);
  return look_in(&in, name, found);
}

sc3_slice sc3_found_unescape(const sc3_found *found, char *to) {
  to[0] = '"';
  memcpy(to + 1, found->value.p, found->value.n);
  to[found->value.n + 1] = '"';
  return sc3_json_unescape(to, to + found->value.n + 2);
}

static int is_extended(sc3_slice key) {
  static const char *const keys[] = {"$oid",          "$numberLong",    "$numberInt",
                                     "$numberDouble", "$numberDecimal", "$date",
                                     "$uuid",         "$symbol",        NULL};
  const char *const *k = keys;
  while (*k != NULL && !sc3_slice_eq(key, sc3_slice_of(*k, strlen(*k))))
    k++;
  return *k != NULL;
}

void sc3_found_unwrap(sc3_found *found) {
  const sc3_found whole = *found;
  const char *p = whole.value.p, *end = p + whole.value.n, *start;
  sc3_slice key;
  if (whole.kind != SC3_KIND_NESTED || *p != '{')
    return;
  start = skip_space(p + 1, end);
  if (*start != '"')
    return;
  p = string_end(start, end);
  key = sc3_slice_of(start + 1, (size_t)(p - start) - 2);
  if (!is_extended(key))
    return;
  p = skip_space(p, end);
  p = skip_space(read_value(skip_space(p + 1, end), end, found), end);
  if (p + 1 != end)
    *found = whole; /* it has other keys */
  else if (found->kind == SC3_KIND_NESTED)
    sc3_found_unwrap(found);
  else if (found->kind == SC3_KIND_TEXT && key.n > 7 && memcmp(key.p, "$number", 7) == 0 &&
           !found->escaped &&
           sc3_json_number(found->value.p, found->value.p + found->value.n) ==
               found->value.p + found->value.n)
    found->kind = SC3_KIND_NUMBER;
}
