#include "transfer_setup.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "peer.h"
#include "transfer_callbacks.h"

enum { UPLOAD_MOST = 512 << 10 }; /* bytes that libcurl reads at once */

static int add_header(sc3_transfer *t, const char *line) {
  struct curl_slist *longer = curl_slist_append(t->headers, line);
  if (longer == NULL)
    return -1;
  t->headers = longer;
  return 0;
}

static int copy_body(sc3_transfer *t, const sc3_request *r) {
  size_t i;
  t->total = 0;
  if (r->body_count > t->body_capacity) {
    sc3_slice *grown = realloc(t->body, r->body_count * sizeof *grown);
    if (grown == NULL)
      return -1;
    t->body = grown;
    t->body_capacity = r->body_count;
  }
  /* libcurl asks for no more once it has all bytes. So the reader would never get past an empty
   * piece at the end, and the body would not count as sent. */
  t->body_count = 0;
  for (i = 0; i < r->body_count; i++) {
    if (r->body[i].n == 0)
      continue;
    t->body[t->body_count++] = r->body[i];
    t->total += (curl_off_t)r->body[i].n;
  }
  return 0;
}

/* Joins a small body: sent apart from the head it would be a packet more, for the network and for
 * the service. */
static int join_body(sc3_transfer *t) {
  size_t i;
  if (t->total == 0 || t->total > SC3_JOINED_MAX)
    return 0;
  for (i = 0; i < t->body_count; i++) {
    if (sc3_buffer_append(&t->joined, t->body[i].p, t->body[i].n) != SC3_OK)
      return -1;
  }
  return 0;
}

/* A request that is being set up. */
typedef struct setup {
  sc3_transfer *t;
  const sc3_engine_options *options;
  const sc3_request *request;
  int http1;
  CURLcode bad; /* the code of an option that libcurl refused */
} setup;

static void note(setup *s, CURLcode code) {
  if (code != CURLE_OK)
    s->bad = code;
}

#define SET(option, value) note(s, curl_easy_setopt(s->t->easy, option, value))

static int copy_request(sc3_transfer *t, const sc3_request *r) {
  size_t i;
  for (i = 0; i < r->header_count; i++) {
    if (add_header(t, r->headers[i]) != 0)
      return -1;
  }
  /* Without it libcurl asks "may I?" before a large body, and waits a second for servers that do
   * not answer. */
  if (add_header(t, "Expect:") != 0 || copy_body(t, r) != 0 || join_body(t) != 0)
    return -1;
  t->reads = strcmp(r->method, "GET") == 0;
  t->secure = strncasecmp(r->url, "https:", 6) == 0;
  return 0;
}

static void set_basics(setup *s) {
  const sc3_request *r = s->request;
  SET(CURLOPT_URL, r->url);
  SET(CURLOPT_PRIVATE, s->t);
  SET(CURLOPT_ERRORBUFFER, s->t->error);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_HTTPHEADER, s->t->headers);
  SET(CURLOPT_ACCEPT_ENCODING, "");
  SET(CURLOPT_PROXY, r->proxy != NULL ? r->proxy : "");
  SET(CURLOPT_NOPROXY, r->no_proxy != NULL ? r->no_proxy : "");
  if (s->options->user_agent != NULL)
    SET(CURLOPT_USERAGENT, s->options->user_agent);
}

static void set_connection(setup *s) {
  const double timeout = s->request->timeout, connect = s->options->connect_timeout;
  SET(CURLOPT_TCP_KEEPALIVE, 1L);
  SET(CURLOPT_TIMEOUT_MS, sc3_peer_milliseconds(timeout));
  SET(CURLOPT_CONNECTTIMEOUT_MS, sc3_peer_milliseconds(connect < timeout ? connect : timeout));
  /* Waiting for a connection that may carry several requests pays where the handshake decides. Over
   * plain http it would wait for the first reply. */
  SET(CURLOPT_PIPEWAIT, s->t->secure && !s->http1 ? 1L : 0L);
#if LIBCURL_VERSION_NUM >= 0x075700
  SET(CURLOPT_QUICK_EXIT, 1L); /* a slow name lookup must not hold up the end of everything else */
#endif
  /* For the few requests without a body a kept connection that has died is not worth the doubt. */
  if (s->request->fresh || (s->t->total == 0 && !s->t->reads))
    SET(CURLOPT_FRESH_CONNECT, 1L);
  /* A libcurl without HTTP/2 refuses to be asked for it. One that is asked for HTTP/1.1 uses no
   * kept connection of HTTP/2. */
  (void)curl_easy_setopt(s->t->easy, CURLOPT_HTTP_VERSION,
                         s->http1 ? (long)CURL_HTTP_VERSION_1_1 : (long)CURL_HTTP_VERSION_2TLS);
}

static void set_body(setup *s) {
  const curl_off_t total = s->t->total;
  SET(CURLOPT_POST, 1L);
  SET(CURLOPT_POSTFIELDSIZE_LARGE, total);
  if (s->t->joined.n > 0) {
    SET(CURLOPT_POSTFIELDS, s->t->joined.p);
    return;
  }
  note(s, sc3_transfer_set_body_callbacks(s->t));
  SET(CURLOPT_UPLOAD_BUFFERSIZE, total > UPLOAD_MOST ? (long)UPLOAD_MOST : (long)total);
  /* A limit makes libcurl ask for progress every second also while nothing moves. It never ends
   * anything: its time is over the whole's. */
  SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
  SET(CURLOPT_LOW_SPEED_TIME, sc3_peer_milliseconds(s->request->timeout) / 1000 + 3600);
}

static void set_method(setup *s) {
  const sc3_request *r = s->request;
  if (r->has_body) {
    set_body(s);
    if (strcmp(r->method, "POST") != 0)
      SET(CURLOPT_CUSTOMREQUEST, r->method);
  } else if (strcmp(r->method, "HEAD") == 0) {
    SET(CURLOPT_NOBODY, 1L); /* its reply names the length of a body that does not come */
  } else if (!s->t->reads) {
    SET(CURLOPT_CUSTOMREQUEST, r->method);
  }
}

#undef SET

int sc3_transfer_prepare(sc3_transfer *t, const sc3_engine_options *o, const sc3_request *r,
                         int http1, const char **why) {
  setup s = {t, o, r, http1, CURLE_OK};
  *why = "not enough memory";
  if (copy_request(t, r) != 0)
    return -1;
  note(&s, sc3_transfer_set_callbacks(t));
  note(&s, sc3_peer_set_socket(t->easy, &t->no_socket));
  set_basics(&s);
  set_connection(&s);
  note(&s, sc3_peer_set_certificates(t->easy, o->ca_file));
  set_method(&s);
  if (s.bad == CURLE_OK)
    return 0;
  *why = curl_easy_strerror(s.bad);
  return -1;
}
