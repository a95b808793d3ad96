#include "json_layout.h"

#include <string.h>

#include "../bytes/json_read.h"
#include "../bytes/json_scan.h"

/* After the string whose opening quote is at `p`. */
static sc3_json_whole string_span(const char *p, const char *end, const char **behind) {
  p = sc3_json_skip_plain(p + 1, end);
  while (p < end && *p == '\\') {
    if (end - p < 2)
      return SC3_JSON_PART;
    p = sc3_json_skip_plain(p + 2, end);
  }
  if (p == end)
    return SC3_JSON_PART;
  *behind = p + 1;
  return *p == '"' ? SC3_JSON_WHOLE : SC3_JSON_BROKEN;
}

static sc3_json_whole nested_span(const char *p, const char *end, const char **behind) {
  size_t depth = 0;
  while (p < end) {
    sc3_json_whole inside;
    switch (*p) {
      case '"':
        inside = string_span(p, end, &p);
        if (inside != SC3_JSON_WHOLE)
          return inside;
        continue;
      case '{':
      case '[': depth++; break;
      case '}':
      case ']':
        if (--depth == 0) {
          *behind = p + 1;
          return SC3_JSON_WHOLE;
        }
        break;
      default: break;
    }
    p++;
  }
  return SC3_JSON_PART;
}

sc3_json_whole sc3_json_span(const char *p, const char *end, const char **behind) {
  const char *start = p;
  if (*p == '"')
    return string_span(p, end, behind);
  if (*p == '{' || *p == '[')
    return nested_span(p, end, behind);
  while (p < end && !sc3_json_between(*p) && *p != '\0' && strchr("{}[]\":", *p) == NULL)
    p++;
  *behind = p;
  if (p == end)
    return SC3_JSON_PART;
  return p > start ? SC3_JSON_WHOLE : SC3_JSON_BROKEN;
}

/* Puts a name, which comes with its quotes, at the end of the path. */
static size_t put_name(char path[SC3_JSON_PATH_MAX], size_t at, sc3_slice name) {
  const size_t n = name.n - 2, dot = at > 0;
  if (memchr(name.p, '\\', name.n) != NULL || at + dot + n > SC3_JSON_PATH_MAX)
    return 0;
  if (dot)
    path[at] = '.';
  memcpy(path + at + dot, name.p + 1, n);
  return at + dot + n;
}

size_t sc3_json_rows_inside(sc3_slice text, char path[SC3_JSON_PATH_MAX], int *valid) {
  sc3_json_reader r;
  sc3_json_event event, before = SC3_JSON_EVENT_END;
  sc3_slice token;
  size_t depth = 0, first = 0, n = 0,
         found = 0; /* bytes of the path: up to the first name, and of all */
  sc3_json_read_begin(&r, text);
  while ((event = sc3_json_read(&r, &token)) != SC3_JSON_EVENT_END && event != SC3_JSON_EVENT_BAD) {
    if (found == 0 && event == SC3_JSON_EVENT_NAME && (depth == 1 || (depth == 2 && first > 0)))
      n = put_name(path, depth == 1 ? 0 : first, token);
    if (found == 0 && event == SC3_JSON_EVENT_OBJECT && before == SC3_JSON_EVENT_ARRAY && n > 0)
      found = depth == 2 || depth == 3 ? n : 0;
    if (event == SC3_JSON_EVENT_OBJECT || event == SC3_JSON_EVENT_ARRAY) {
      if (depth == 1)
        first = event == SC3_JSON_EVENT_OBJECT ? n : 0;
      if (depth == 0 || before != SC3_JSON_EVENT_NAME)
        n = found > 0 ? n : 0;
      depth++;
    } else if (event == SC3_JSON_EVENT_CLOSE) {
      depth--;
    }
    before = event;
  }
  *valid = event == SC3_JSON_EVENT_END;
  return found;
}

enum { LOOKED_AT = 1024 };

int sc3_json_ends_in_cr(sc3_slice text) {
  size_t n = text.n < LOOKED_AT ? text.n : LOOKED_AT;
  const char *p = text.p, *newline = memchr(p, '\n', n),
             *cr = memchr(p, '\r', newline != NULL ? (size_t)(newline - p) : n);
  return cr != NULL && cr + 1 != newline && (newline != NULL || cr + 1 < p + n || n < LOOKED_AT);
}

SC3_COLD
int sc3_json_is_columns(sc3_slice text, int finished) {
  const size_t n = text.n;
  const char *p = text.p, *end = p + (n < LOOKED_AT ? n : LOOKED_AT), *newline;
  p = sc3_json_skip_between(p, end); /* record separators, and commas after the line before */
  if (p < end && (*p == '{' || *p == '['))
    return 0;
  newline = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
  if (newline == NULL && n < LOOKED_AT && !finished)
    return -1;
  end = newline != NULL ? newline : end;
  if (p == end)
    return 0;
  if (*p == '"') { /* nothing of these follows a text of JSON */
    p = memchr(p + 1, '"', (size_t)(end - p) - 1);
    return p != NULL && p + 1 < end && strchr(",;\t|", p[1]) != NULL && p[1] != '\0';
  }
  return memchr(p, ',', (size_t)(end - p)) != NULL || memchr(p, ';', (size_t)(end - p)) != NULL ||
         memchr(p, '\t', (size_t)(end - p)) != NULL || memchr(p, '|', (size_t)(end - p)) != NULL;
}
