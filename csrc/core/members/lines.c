#include "lines.h"

#include <string.h>

#include "../bytes/little.h"
#include "../bytes/rest.h"
#include "../bytes/utf8.h"
#include "fingerprint.h"
#include "packed.h"

static void put_line(sc3_buffer *out, char kind, sc3_slice bytes) {
  out->p[out->n] = kind;
  sc3_store32((unsigned char *)out->p + out->n + 1, (uint32_t)bytes.n);
  out->n += SC3_LINE_HEAD;
  if (bytes.n > 0)
    sc3_buffer_put(out, bytes.p, bytes.n);
}

static char kind_of(sc3_op op) {
  return op == SC3_ADD ? '+' : '-';
}

void sc3_lines_put(sc3_buffer *out, sc3_op op, sc3_slice packed) {
  put_line(out, kind_of(op), packed);
}

void sc3_lines_put_label(sc3_buffer *out, sc3_slice label) {
  put_line(out, '@', label);
}

size_t sc3_lines_size(const sc3_payload *p) {
  size_t i, sum = 0;
  sc3_op op;
  for (i = 0; i < sc3_payload_count(p); i++) {
    const sc3_slice json = sc3_payload_member(p, i, &op);
    sc3_packed parts;
    sum += json.p != NULL ? SC3_LINE_HEAD + sc3_packed_of(json, &parts) : 0;
  }
  return sum;
}

void sc3_lines_write(const sc3_payload *p, char *to) {
  size_t i;
  sc3_op op = SC3_ADD;
  for (i = 0; i < sc3_payload_count(p); i++) {
    const sc3_slice json = sc3_payload_member(p, i, &op);
    sc3_packed parts;
    size_t n;
    if (json.p == NULL)
      continue;
    n = sc3_packed_of(json, &parts);
    *to = kind_of(op);
    sc3_store32((unsigned char *)to + 1, (uint32_t)n);
    if (n > 0)
      sc3_packed_write(&parts, to + SC3_LINE_HEAD);
    to += SC3_LINE_HEAD + n;
  }
}

/* --- reading --- */

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

/* Where a text ends, at its quote or at the end; NULL where it is malformed. */
static const char *end_of_text(const char *at, const char *end) {
  while (at < end && *at != '"') {
    const size_t n = *at == '\\' ? escape_length(at, end) : (unsigned char)*at < 0x20 ? 0 : 1;
    if (n == 0)
      return NULL;
    at += n;
  }
  return at;
}

/* Whether it is one text, and not an empty one. */
static int is_text(sc3_slice text) {
  return text.n > 0 && end_of_text(text.p, text.p + text.n) == text.p + text.n;
}

/* A text up to its quote, which is taken too. */
static int take_text(sc3_rest *r) {
  const char *const end = end_of_text(r->at, r->end);
  if (end == NULL || end == r->at || end == r->end)
    return 0;
  r->at = end + 1;
  return 1;
}

static int are_uids(sc3_slice list) {
  sc3_rest r = sc3_rest_of(list);
  do {
    if (!SC3_REST_TAKE(&r, "{\"type\":\"") || !take_text(&r) ||
        !SC3_REST_TAKE(&r, ",\"value\":\"") || !take_text(&r) || !SC3_REST_TAKE(&r, "}"))
      return 0;
  } while (SC3_REST_TAKE(&r, ","));
  return r.at == r.end;
}

/* Whether a packed member would have the form of one. A member that is added has an identifier. */
static int is_member(const sc3_packed *parts, sc3_op op) {
  const int found = parts->email != NULL || parts->phone != NULL || parts->uids.p != NULL;
  return is_text(parts->id) && sc3_utf8_valid(parts->id.p, parts->id.n) &&
         (op == SC3_ADD ? found : !found) &&
         (parts->uids.p == NULL ||
          (are_uids(parts->uids) && sc3_utf8_valid(parts->uids.p, parts->uids.n)));
}

/* Reads a line into `json`, which the member borrows. `*found` is 0 where it is no member. What is
   reserved follows what is there, not what a stranger says: a member's JSON has its id and its
   list, which stand in the line, four bytes for each of a hash, and names. */
static sc3_status read_line(sc3_op op, sc3_slice packed, sc3_buffer *json, sc3_new_member *m,
                            int *found) {
  sc3_packed parts;
  size_t n;
  sc3_status status;
  *found = sc3_packed_read(packed, &parts) && is_member(&parts, op);
  if (!*found)
    return SC3_OK;
  n = sc3_packed_json_size(&parts);
  json->n = 0;
  status = sc3_buffer_reserve(json, n + 1);
  if (status != SC3_OK)
    return status;
  sc3_packed_unpack(&parts, json->p);
  json->p[n] = ',';
  m->op = op;
  m->json = sc3_slice_of(json->p, n + 1);
  m->id_length = parts.id.n;
  m->row = 0;
  m->fingerprint = sc3_fingerprint(parts.id);
  m->had = sc3_member_identifiers(m->json, m->id_length);
  return SC3_OK;
}

/* The line at the beginning of what is left. Its bytes with its head; 0 where it is cut short. */
static size_t split_line(sc3_slice left, sc3_slice *bytes) {
  size_t n;
  if (left.n < SC3_LINE_HEAD)
    return 0;
  n = sc3_load32((const unsigned char *)left.p + 1);
  *bytes = sc3_slice_of(left.p + SC3_LINE_HEAD, n);
  return n <= left.n - SC3_LINE_HEAD ? SC3_LINE_HEAD + n : 0;
}

sc3_status sc3_lines_take(sc3_slice text, size_t at, sc3_payload *p, sc3_lines_taken *taken) {
  sc3_status status = SC3_OK;
  sc3_buffer json;
  sc3_buffer_init(&json, SIZE_MAX / 2);
  memset(taken, 0, sizeof *taken);
  for (taken->next = at; taken->next < text.n && text.p[taken->next] != '@';) {
    const char kind = text.p[taken->next];
    sc3_slice packed = {NULL, 0};
    const size_t n = split_line(sc3_slice_of(text.p + taken->next, text.n - taken->next), &packed);
    sc3_new_member member;
    int found = 0;
    if (n > 0 && (kind == '+' || kind == '-'))
      status = read_line(kind == '+' ? SC3_ADD : SC3_REMOVE, packed, &json, &member, &found);
    if (status != SC3_OK)
      break;
    if (!found) {
      taken->bad++;
    } else {
      const sc3_added added = sc3_payload_add(p, &member);
      status = added == SC3_ADD_NOMEM ? SC3_ENOMEM : SC3_OK;
      taken->full = added == SC3_FULL;
      if (status != SC3_OK || taken->full)
        break;
      *(added == SC3_NEVER_FITS ? &taken->unfit : &taken->members) += 1;
    }
    taken->next = n > 0 ? taken->next + n : text.n;
  }
  sc3_buffer_free(&json);
  return status;
}
