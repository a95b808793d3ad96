/* libFuzzer's target for what a Redis, or what passes for one, may send. Beside the sanitizers it
 * checks what must hold for any input:
 *   - the same replies are read, and the same problem is found, however the bytes are cut;
 *   - the values of a reply lie in it one behind the other, to its end, and are no more than may
 * be;
 *   - written anew they are read as the same values;
 *   - after a problem nothing is read any more.
 *
 *   make fuzz FUZZ_SECONDS=60 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../csrc/core/bytes/resp.h"

enum { BYTES_MAX = 1000, VALUES_MAX = 40 };

static void must(int holds) {
  if (!holds)
    abort();
}

static void write_value(sc3_buffer *out, const sc3_resp_value *value) {
  static const char types[] = "$$-:*";
  char head[40];
  const long long n = value->kind == SC3_RESP_NULL   ? -1
                      : value->kind == SC3_RESP_TEXT ? (long long)value->text.n
                                                     : value->number;
  int length = value->kind == SC3_RESP_REFUSAL
                   ? snprintf(head, sizeof head, "-")
                   : snprintf(head, sizeof head, "%c%lld\r\n", types[value->kind], n);
  must(sc3_buffer_append(out, head, (size_t)length) == SC3_OK);
  if (value->kind == SC3_RESP_TEXT || value->kind == SC3_RESP_REFUSAL)
    must(sc3_buffer_append(out, value->text.p, value->text.n) == SC3_OK &&
         sc3_buffer_append(out, "\r\n", 2) == SC3_OK);
}

/* Writes the values of the reply that is whole. */
static void write_reply(const sc3_resp *r, sc3_buffer *out) {
  size_t at = r->begin, values = 0, to_come = 1;
  while (to_come > 0) {
    sc3_resp_value value;
    const size_t next = sc3_resp_value_at(r, at, &value);
    must(next > at && next <= r->at && ++values <= VALUES_MAX);
    must(value.kind != SC3_RESP_TEXT || value.text.n == 0 ||
         (value.text.p > r->input.p + at && value.text.p + value.text.n <= r->input.p + next));
    to_come += (value.kind == SC3_RESP_LIST ? (size_t)value.number : 0) - 1;
    write_value(out, &value);
    at = next;
  }
  must(at == r->at && r->at - r->begin <= BYTES_MAX + 2);
}

/* Reads the bytes in pieces of `size`, and writes what they say. Gives the problem. */
static const char *read_all(sc3_slice bytes, size_t size, sc3_buffer *out) {
  sc3_resp r;
  size_t at = 0;
  const char *problem;
  sc3_resp_init(&r, BYTES_MAX, VALUES_MAX);
  while (at < bytes.n) {
    const size_t n = bytes.n - at < size ? bytes.n - at : size;
    must(sc3_resp_feed(&r, bytes.p + at, n) == SC3_OK);
    at += n;
    while (sc3_resp_next(&r)) {
      must(r.problem == NULL);
      write_reply(&r, out);
      sc3_resp_pass(&r);
    }
    must(sc3_resp_held(&r) <= at);
  }
  problem = r.problem;
  must(problem == NULL || (!sc3_resp_next(&r) && r.problem == problem));
  sc3_resp_free(&r);
  return problem;
}

static int is_same(const sc3_buffer *a, const sc3_buffer *b) {
  return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const sc3_slice bytes = sc3_slice_of((const char *)data, size);
  const size_t sizes[] = {1, 3, 64};
  sc3_buffer whole, again;
  const char *problem;
  size_t i;
  if (size == 0)
    return 0;
  sc3_buffer_init(&whole, SIZE_MAX / 2);
  sc3_buffer_init(&again, SIZE_MAX / 2);
  problem = read_all(bytes, size, &whole);
  for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    again.n = 0;
    must(read_all(bytes, sizes[i], &again) == problem && is_same(&again, &whole));
  }
  again.n = 0;
  must(whole.n == 0 || whole.n > BYTES_MAX ||
       (read_all(sc3_slice_of(whole.p, whole.n), whole.n, &again) == NULL &&
        is_same(&again, &whole)));
  sc3_buffer_free(&whole);
  sc3_buffer_free(&again);
  return 0;
}
