#include "json_read.h"

#include "json_scan.h"

enum { A_VALUE, A_VALUE_OR_CLOSE, A_NAME, A_NAME_OR_CLOSE, A_COMMA_OR_CLOSE, THE_END };

void sc3_json_read_begin(sc3_json_reader *r, sc3_slice text) {
  memset(r, 0, sizeof *r);
  r->start = r->p = text.p;
  r->end = text.p + text.n;
  if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
    r->p += 3;
  r->expects = A_VALUE;
}

static void skip_space(sc3_json_reader *r) {
  while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\r' || *r->p == '\n'))
    r->p++;
}

static sc3_json_event fail(sc3_json_reader *r) {
  r->failed = 1;
  return SC3_JSON_EVENT_BAD;
}

/* After a string whose opening quote is at `p`; NULL where it has no end. */
static const char *string_end(const char *p, const char *end, int *half) {
  for (p++; p != NULL;) {
    p = sc3_json_skip_plain(p, end);
    if (p == end || *p == '\0')
      return NULL;
    if (*p == '"')
      return p + 1;
    p = *p == '\\' ? sc3_json_escape_end(p, end, half) : p + 1;
  }
  return NULL;
}

static int is_in_object(const sc3_json_reader *r) {
  return r->depth > 0 && (r->objects & 1) != 0;
}

static int take_string(sc3_json_reader *r, sc3_slice *text) {
  int half = 0;
  const char *behind = string_end(r->p, r->end, &half);
  if (behind == NULL || half)
    return 0;
  *text = sc3_slice_of(r->p, (size_t)(behind - r->p));
  r->p = behind;
  return 1;
}

static void value_done(sc3_json_reader *r) {
  r->expects = r->depth > 0 ? A_COMMA_OR_CLOSE : THE_END;
}

static sc3_json_event open_level(sc3_json_reader *r) {
  const int object = *r->p == '{';
  if (r->depth == SC3_JSON_READ_DEPTH)
    return fail(r);
  r->p++;
  r->depth++;
  r->objects = r->objects << 1 | (uint64_t)object;
  r->expects = object ? A_NAME_OR_CLOSE : A_VALUE_OR_CLOSE;
  return object ? SC3_JSON_EVENT_OBJECT : SC3_JSON_EVENT_ARRAY;
}

static sc3_json_event close_level(sc3_json_reader *r) {
  r->p++;
  r->depth--;
  r->objects >>= 1;
  value_done(r);
  return SC3_JSON_EVENT_CLOSE;
}

static sc3_json_event take_word(sc3_json_reader *r, const char *word, sc3_json_event event) {
  const char *behind = sc3_json_word(r->p, r->end, word);
  if (behind == NULL)
    return fail(r);
  r->p = behind;
  value_done(r);
  return event;
}

static sc3_json_event take_value(sc3_json_reader *r, sc3_slice *text) {
  const char *behind;
  switch (*r->p) {
    case '"':
      if (!take_string(r, text))
        return fail(r);
      value_done(r);
      return SC3_JSON_EVENT_STRING;
    case '{':
    case '[': return open_level(r);
    case 't': return take_word(r, "true", SC3_JSON_EVENT_TRUE);
    case 'f': return take_word(r, "false", SC3_JSON_EVENT_FALSE);
    case 'n': return take_word(r, "null", SC3_JSON_EVENT_NULL);
    default:
      behind = sc3_json_number(r->p, r->end);
      if (behind == NULL)
        return fail(r);
      *text = sc3_slice_of(r->p, (size_t)(behind - r->p));
      r->p = behind;
      value_done(r);
      return SC3_JSON_EVENT_NUMBER;
  }
}

sc3_json_event sc3_json_read(sc3_json_reader *r, sc3_slice *text) {
  const char closing = is_in_object(r) ? '}' : ']';
  *text = sc3_slice_of(NULL, 0);
  if (r->failed)
    return SC3_JSON_EVENT_BAD;
  skip_space(r);
  if (r->expects == THE_END)
    return r->p == r->end ? SC3_JSON_EVENT_END : fail(r);
  if (r->p == r->end)
    return fail(r);
  if (r->expects == A_COMMA_OR_CLOSE && *r->p == ',') {
    r->p++;
    skip_space(r);
    if (r->p == r->end)
      return fail(r);
    r->expects = is_in_object(r) ? A_NAME : A_VALUE;
  } else if (*r->p == closing && (r->expects == A_COMMA_OR_CLOSE || r->expects == A_NAME_OR_CLOSE ||
                                  r->expects == A_VALUE_OR_CLOSE)) {
    return close_level(r);
  } else if (r->expects == A_COMMA_OR_CLOSE) {
    return fail(r);
  }
  if (r->expects == A_NAME || r->expects == A_NAME_OR_CLOSE) {
    if (*r->p != '"' || !take_string(r, text))
      return fail(r);
    skip_space(r);
    if (r->p == r->end || *r->p != ':')
      return fail(r);
    r->p++;
    r->expects = A_VALUE;
    return SC3_JSON_EVENT_NAME;
  }
  return take_value(r, text);
}
