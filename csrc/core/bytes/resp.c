#include "resp.h"

#include <stdint.h>
#include <string.h>

enum { LINE_MAX_BYTES = 64 << 10, NUMBER_MAX_BYTES = 32, INPUT_KEPT = 4 << 20 };

static const long long EXACT = 9007199254740992; /* below it every Lua holds each whole number */

void sc3_resp_init(sc3_resp *r, size_t bytes_max, size_t values_max) {
  memset(r, 0, sizeof *r);
  sc3_buffer_init(&r->input, SIZE_MAX / 2);
  r->bytes_max = bytes_max;
  r->values_max = values_max;
}

void sc3_resp_free(sc3_resp *r) {
  sc3_buffer_free(&r->input);
}

/* Moves what was not passed to the front, where that is not more than what was. */
static void move_up(sc3_resp *r) {
  const size_t gone = r->begin, held = r->input.n - gone;
  if (gone == 0 || held > gone)
    return;
  memmove(r->input.p, r->input.p + gone, held);
  r->input.n = held;
  r->begin = 0;
  r->at -= gone;
  r->searched -= gone;
}

sc3_status sc3_resp_feed(sc3_resp *r, const char *p, size_t n) {
  move_up(r);
  return sc3_buffer_append(&r->input, p, n);
}

size_t sc3_resp_held(const sc3_resp *r) {
  return r->input.n - r->at;
}

/* A line without its end. */
typedef struct line {
  char type;
  sc3_slice rest;
} line;

/* What is wrong with the line from `at` up to the line end at `stop`, or NULL. */
static const char *line_problem(const sc3_resp *r, size_t stop) {
  const size_t n = stop - r->at;
  if (n > LINE_MAX_BYTES)
    return "a line is longer than 64 kB";
  if (stop + 1 - r->begin > r->bytes_max)
    return "the reply is larger than allowed";
  if (n < 2 || r->input.p[stop - 1] != '\r')
    return "a line has no type, or does not end as lines do";
  return NULL;
}

static line line_at(const sc3_resp *r, size_t at, size_t stop) {
  const line found = {r->input.p[at], sc3_slice_of(r->input.p + at + 1, stop - at - 2)};
  return found;
}

/* 0 where no line has come, or none that is one. */
static int take_line(sc3_resp *r, line *found) {
  const char *const end = r->input.n > r->searched
                              ? memchr(r->input.p + r->searched, '\n', r->input.n - r->searched)
                              : NULL;
  const size_t stop = end != NULL ? (size_t)(end - r->input.p) : 0;
  if (end == NULL) {
    r->searched = r->input.n;
    if (sc3_resp_held(r) > LINE_MAX_BYTES)
      r->problem = "a line is longer than 64 kB";
    return 0;
  }
  r->problem = line_problem(r, stop);
  if (r->problem != NULL)
    return 0;
  *found = line_at(r, r->at, stop);
  r->at = r->searched = stop + 1;
  return 1;
}

/* Reads a whole number; one of 2^53 and more is EXACT. 0 where it is none. */
static int read_number(sc3_slice text, long long *number) {
  const size_t from = text.n > 0 && text.p[0] == '-';
  long long n = 0;
  size_t i;
  if (text.n == from || text.n > NUMBER_MAX_BYTES)
    return 0;
  for (i = from; i < text.n; i++) {
    if (text.p[i] < '0' || text.p[i] > '9')
      return 0;
    n = n < EXACT ? n * 10 + (text.p[i] - '0') : EXACT;
  }
  n = n < EXACT ? n : EXACT;
  *number = from != 0 ? -n : n;
  return 1;
}

/* Reads a length, -1 for a null. 0 where it is none, or more than `most`. */
static int read_length(sc3_slice text, size_t most, long long *length) {
  return read_number(text, length) && *length >= -1 &&
         (*length == -1 || (unsigned long long)*length <= most);
}

/* Whether a value is whole with this line. */
static int take_length(sc3_resp *r, const line *found) {
  const int is_list = found->type == '*';
  long long n;
  if (!read_length(found->rest,
                   is_list ? r->values_max - r->values : r->bytes_max - (r->at - r->begin), &n))
    r->problem = is_list ? "the length of a list is none, or it is longer than allowed"
                         : "the length of a text is none, or the reply is larger than allowed";
  else if (n == -1 || (is_list && n == 0))
    return 1;
  else if (is_list && r->depth >= SC3_RESP_DEPTH)
    r->problem = "lists lie in lists, deeper than allowed";
  else if (is_list) {
    r->left[r->depth++] = (size_t)n;
    r->values += (size_t)n;
  } else {
    r->text = (size_t)n;
    r->has_text = 1;
  }
  return 0;
}

static int take_head(sc3_resp *r, const line *found) {
  long long n;
  if (memchr("+-:$*", found->type, 5) == NULL) {
    r->problem = "a value is of a type that there is not";
    return 0;
  }
  if (r->depth == 0)
    r->values = 1;
  if (found->type == '$' || found->type == '*')
    return take_length(r, found);
  if (found->type == ':' && !read_number(found->rest, &n))
    r->problem = "a number is none";
  return r->problem == NULL;
}

static int take_text(sc3_resp *r) {
  if (sc3_resp_held(r) < r->text + 2)
    return 0;
  if (memcmp(r->input.p + r->at + r->text, "\r\n", 2) != 0) {
    r->problem = "a text is longer than was said";
    return 0;
  }
  r->at += r->text + 2;
  r->searched = r->at;
  r->has_text = 0;
  return 1;
}

/* A value is whole. Whether the reply is. */
static int complete(sc3_resp *r) {
  while (r->depth > 0 && --r->left[r->depth - 1] == 0)
    r->depth--;
  return r->depth == 0;
}

int sc3_resp_next(sc3_resp *r) {
  while (!r->is_whole && r->problem == NULL) {
    line found;
    int has_value;
    if (r->has_text) {
      has_value = take_text(r);
      if (!has_value)
        break;
    } else if (take_line(r, &found)) {
      has_value = take_head(r, &found);
    } else {
      break;
    }
    r->is_whole = has_value && complete(r);
  }
  return r->is_whole;
}

size_t sc3_resp_value_at(const sc3_resp *r, size_t at, sc3_resp_value *value) {
  const char *const end = memchr(r->input.p + at, '\n', r->at - at); /* it is whole */
  const size_t stop = (size_t)(end - r->input.p);
  const line found = line_at(r, at, stop);
  value->kind = found.type == '-' ? SC3_RESP_REFUSAL : SC3_RESP_TEXT;
  value->text = found.rest;
  value->number = 0;
  if (found.type == '+' || found.type == '-')
    return stop + 1;
  (void)read_number(found.rest, &value->number);
  if (found.type == ':') {
    if (value->number > -EXACT && value->number < EXACT)
      value->kind = SC3_RESP_NUMBER;
    return stop + 1;
  }
  if (value->number == -1 || found.type == '*') {
    value->kind = value->number == -1 ? SC3_RESP_NULL : SC3_RESP_LIST;
    return stop + 1;
  }
  value->text = sc3_slice_of(r->input.p + stop + 1, (size_t)value->number);
  return stop + 1 + value->text.n + 2;
}

void sc3_resp_pass(sc3_resp *r) {
  r->begin = r->at;
  r->values = 0;
  r->is_whole = 0;
  if (r->begin == r->input.n) {
    r->input.n = r->begin = r->at = r->searched = 0;
    if (r->input.capacity > INPUT_KEPT)
      sc3_buffer_free(&r->input);
  }
}
