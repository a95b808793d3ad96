#include "lines.h"

#include <string.h>

#include "../bytes/utf8.h"
#include "fingerprint.h"

void sc3_lines_put(sc3_buffer *out, sc3_op op, sc3_slice json) {
  out->p[out->n++] = op == SC3_ADD ? '+' : '-';
  sc3_buffer_put(out, json.p, json.n);
  SC3_PUT_LITERAL(out, ",\n");
}

void sc3_lines_put_label(sc3_buffer *out, sc3_slice label) {
  SC3_PUT_LITERAL(out, "@");
  if (label.n > 0)
    sc3_buffer_put(out, label.p, label.n);
  SC3_PUT_LITERAL(out, "\n");
}

size_t sc3_lines_size(const sc3_payload *p) {
  size_t i, sum = 0;
  sc3_op op;
  for (i = 0; i < sc3_payload_count(p); i++) {
    const sc3_slice json = sc3_payload_member(p, i, &op);
    sum += json.p != NULL ? json.n + SC3_LINE_ROUND : 0;
  }
  return sum;
}

void sc3_lines_write(const sc3_payload *p, char *to) {
  sc3_buffer out = {to, 0, SIZE_MAX, SIZE_MAX}; /* there is room */
  size_t i;
  sc3_op op = SC3_ADD;
  for (i = 0; i < sc3_payload_count(p); i++) {
    const sc3_slice json = sc3_payload_member(p, i, &op);
    if (json.p != NULL)
      sc3_lines_put(&out, op, json);
  }
}

/* What is left of a line. */
typedef struct rest {
  const char *at, *end;
} rest;

static int take_text(rest *r, const char *text, size_t n) {
  if ((size_t)(r->end - r->at) < n || memcmp(r->at, text, n) != 0)
    return 0;
  r->at += n;
  return 1;
}

#define TAKE(r, literal) take_text((r), literal, sizeof(literal) - 1)

static int is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* What a backslash begins: as sc3_json_escape() writes it. Bytes that it takes; 0 where it is not.
 */
static size_t escape_length(const char *at, const char *end) {
  const size_t n = (size_t)(end - at);
  if (n >= 2 && strchr("\"\\bfnrt", at[1]) != NULL && at[1] != '\0')
    return 2;
  return n >= 6 && memcmp(at, "\\u00", 4) == 0 && is_hex(at[4]) && is_hex(at[5]) ? 6 : 0;
}

/* A text up to its quote, which is taken too. Bytes of the text; 0 where it is empty or malformed.
 */
static size_t take_string(rest *r) {
  const char *const from = r->at;
  const char *at = from;
  while (at < r->end && *at != '"') {
    const size_t n = *at == '\\' ? escape_length(at, r->end) : (unsigned char)*at < 0x20 ? 0 : 1;
    if (n == 0)
      return 0;
    at += n;
  }
  if (at >= r->end)
    return 0;
  r->at = at + 1;
  return (size_t)(at - from);
}

/* The 64 digits of a hash, and the quote behind. */
static int take_hash(rest *r) {
  size_t i;
  if ((size_t)(r->end - r->at) <= SC3_SHA256_HEX)
    return 0;
  for (i = 0; i < SC3_SHA256_HEX; i++) {
    if (!is_hex(r->at[i]))
      return 0;
  }
  r->at += SC3_SHA256_HEX;
  return TAKE(r, "\"");
}

static int take_uids(rest *r) {
  do {
    if (!TAKE(r, "{\"type\":\"") || take_string(r) == 0 || !TAKE(r, ",\"value\":\"") ||
        take_string(r) == 0 || !TAKE(r, "}"))
      return 0;
  } while (TAKE(r, ","));
  return TAKE(r, "]");
}

/* The identifiers of a member that is added: one at least. */
static int take_identifiers(rest *r) {
  int found = 0;
  if (TAKE(r, ",\"hashedEmail\":\"")) {
    found = 1;
    if (!take_hash(r))
      return 0;
  }
  if (TAKE(r, ",\"hashedPhone\":\"")) {
    found = 1;
    if (!take_hash(r))
      return 0;
  }
  return TAKE(r, ",\"uids\":[") ? take_uids(r) : found;
}

/* Reads a line without its end. 0 where it is no member. */
static int read_line(sc3_slice line, sc3_new_member *m) {
  rest r = {line.p, line.p + line.n};
  m->op = TAKE(&r, "+") ? SC3_ADD : SC3_REMOVE;
  if (m->op == SC3_REMOVE && !TAKE(&r, "-"))
    return 0;
  m->json = sc3_slice_of(r.at, (size_t)(r.end - r.at));
  if (!TAKE(&r, "{\"externalId\":\""))
    return 0;
  m->id_length = take_string(&r);
  if (m->id_length == 0 || (m->op == SC3_ADD && !take_identifiers(&r)) || !TAKE(&r, "},") ||
      r.at != r.end || !sc3_utf8_valid(line.p, line.n))
    return 0;
  m->row = 0;
  m->fingerprint = sc3_fingerprint(sc3_slice_of(m->json.p + SC3_MEMBER_ID_AT, m->id_length));
  m->had = sc3_member_identifiers(m->json, m->id_length);
  return 1;
}

sc3_status sc3_lines_take(sc3_slice text, size_t at, sc3_payload *p, sc3_lines_taken *taken) {
  memset(taken, 0, sizeof *taken);
  for (taken->next = at; taken->next < text.n && text.p[taken->next] != '@';) {
    const char *const from = text.p + taken->next;
    const char *const stop = memchr(from, '\n', text.n - taken->next);
    const size_t n = stop != NULL ? (size_t)(stop - from) : text.n - taken->next;
    sc3_new_member member;
    sc3_added added;
    if (!read_line(sc3_slice_of(from, n), &member)) {
      taken->bad++;
    } else {
      added = sc3_payload_add(p, &member);
      if (added == SC3_ADD_NOMEM)
        return SC3_ENOMEM;
      taken->full = added == SC3_FULL;
      if (taken->full)
        return SC3_OK;
      *(added == SC3_NEVER_FITS ? &taken->unfit : &taken->members) += 1;
    }
    taken->next += n + (stop != NULL);
  }
  return SC3_OK;
}
