#include "transfer.h"

#include <stdlib.h>
#include <string.h>

#if LIBCURL_VERSION_NUM < 0x075500
#error "scope3 needs libcurl 7.85.0 or newer"
#endif

enum { KEPT_BODY = 64 << 10 }; /* one large reply must not be held for ever */

sc3_transfer *sc3_transfer_new(size_t max_response) {
  sc3_transfer *t = calloc(1, sizeof *t);
  if (t == NULL)
    return NULL;
  sc3_buffer_init(&t->result.headers, SC3_HEADERS_MAX);
  sc3_buffer_init(&t->result.body, max_response);
  sc3_buffer_init(&t->joined, SC3_JOINED_MAX);
  t->easy = curl_easy_init();
  if (t->easy == NULL) {
    free(t);
    return NULL;
  }
  return t;
}

void sc3_transfer_recycle(sc3_transfer *t) {
  sc3_transfer next;
  curl_easy_reset(t->easy);
  curl_slist_free_all(t->headers);
  free(t->result.redirect);
  if (t->result.body.capacity > KEPT_BODY)
    sc3_buffer_free(&t->result.body);
  memset(&next, 0, sizeof next);
  next.easy = t->easy;
  next.body = t->body;
  next.body_capacity = t->body_capacity;
  next.joined = t->joined;
  next.result.headers = t->result.headers;
  next.result.body = t->result.body;
  next.joined.n = next.result.headers.n = next.result.body.n = 0;
  *t = next;
}

void sc3_transfer_free(sc3_transfer *t) {
  curl_easy_cleanup(t->easy);
  curl_slist_free_all(t->headers);
  free(t->result.redirect);
  sc3_buffer_free(&t->result.headers);
  sc3_buffer_free(&t->result.body);
  sc3_buffer_free(&t->joined);
  free(t->body);
  free(t);
}
