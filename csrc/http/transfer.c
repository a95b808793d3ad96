#include "transfer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "codes.h"

#if LIBCURL_VERSION_NUM < 0x075500
#error "scope3 needs libcurl 7.85.0 or newer"
#endif

enum { HEADERS_CAP = 256 << 10, UPLOAD_MOST = 512 << 10, JOINED_MOST = 16 << 10 };

/* --- callbacks: C buffers only ----------------------------------------------------------------------------------- */

static size_t on_header(char *p, size_t size, size_t n, void *user) {
  transfer *t = user;
  size_t bytes = size * n;
  if (bytes > 5 && memcmp(p, "HTTP/", 5) == 0)
    t->pub.headers.n = 0; /* a further reply: the one before was an interim one */
  if (sc3_buffer_append(&t->pub.headers, p, bytes) == SC3_OK)
    return bytes;
  t->too_large = 1;
  return 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *user) {
  transfer *t = user;
  size_t bytes = size * n;
  if (t->pub.body.n == 0) {
    curl_off_t announced = -1;
    (void)curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    if (announced > 0 && (curl_off_t)t->pub.body.cap < announced) {
      t->too_large = 1;
      return 0;
    }
  }
  if (sc3_buffer_append(&t->pub.body, p, bytes) != SC3_OK) {
    t->too_large = 1;
    return 0;
  }
  return bytes;
}

static size_t on_read(char *to, size_t size, size_t n, void *user) {
  transfer *t = user;
  size_t room = size * n, done = 0;
  while (done < room && t->piece < t->body_count) {
    const sc3_slice *s = &t->body[t->piece];
    size_t left = s->n - t->offset, take = left < room - done ? left : room - done;
    if (take > 0)
      memcpy(to + done, s->p + t->offset, take);
    done += take;
    t->offset += take;
    if (t->offset == s->n) {
      t->piece++;
      t->offset = 0;
    }
  }
  return done;
}

/* libcurl sends a request again by itself when a kept connection dies. It must not: only the owner's policy repeats one. This is asked each time before
   a request is sent. */
static int on_begin(void *user, char *ip, char *local_ip, int port, int local_port) {
  transfer *t = user;
  (void)ip;
  (void)local_ip;
  (void)port;
  (void)local_port;
  if (t->begun && !t->reads) {
    t->again = 1;
    return CURL_PREREQFUNC_ABORT;
  }
  t->begun = 1;
  return CURL_PREREQFUNC_OK;
}

/* To send a body again it would have to be rewound, which fails. */
static int on_seek(void *user, curl_off_t offset, int origin) {
  (void)user;
  (void)offset;
  (void)origin;
  return CURL_SEEKFUNC_FAIL;
}

static curl_socket_t on_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *a) {
  (void)user;
  (void)purpose;
#ifdef SOCK_CLOEXEC
  return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
#else
  curl_socket_t fd = socket(a->family, a->socktype, a->protocol);
  if (fd >= 0)
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
#endif
}

/* --- life -------------------------------------------------------------------------------------------------------- */

transfer *transfer_new(size_t max_response) {
  transfer *t = calloc(1, sizeof *t);
  if (t == NULL)
    return NULL;
  sc3_buffer_init(&t->pub.headers, HEADERS_CAP);
  sc3_buffer_init(&t->pub.body, max_response);
  sc3_buffer_init(&t->joined, JOINED_MOST);
  t->easy = curl_easy_init();
  if (t->easy == NULL) {
    free(t);
    return NULL;
  }
  return t;
}

void transfer_recycle(transfer *t) {
  curl_easy_reset(t->easy);
  curl_slist_free_all(t->headers);
  t->headers = NULL;
  free(t->pub.redirect);
  t->pub.redirect = NULL;
  t->pub.headers.n = 0;
  if (t->pub.body.capacity > 64 << 10)
    sc3_buffer_free(&t->pub.body); /* one large reply must not be held for ever */
  t->pub.body.n = 0;
  t->pub.code = NULL;
  t->pub.status = t->pub.connections = 0;
  t->pub.uploaded = 0;
  t->pub.body_sent = t->pub.http_version = 0;
  t->pub.seconds = 0;
  t->body_count = t->piece = t->offset = 0;
  t->joined.n = 0;
  t->too_large = t->reads = t->begun = t->again = 0;
  t->error[0] = '\0';
}

void transfer_free(transfer *t) {
  curl_easy_cleanup(t->easy);
  curl_slist_free_all(t->headers);
  free(t->pub.redirect);
  sc3_buffer_free(&t->pub.headers);
  sc3_buffer_free(&t->pub.body);
  sc3_buffer_free(&t->joined);
  free(t->body);
  free(t);
}

static int add_header(transfer *t, const char *line) {
  struct curl_slist *longer = curl_slist_append(t->headers, line);
  if (longer == NULL)
    return -1;
  t->headers = longer;
  return 0;
}

static int copy_body(transfer *t, const sc3_request *r, curl_off_t *total) {
  size_t i;
  *total = 0;
  if (r->body_count > t->body_capacity) {
    sc3_slice *grown = realloc(t->body, r->body_count * sizeof *grown);
    if (grown == NULL)
      return -1;
    t->body = grown;
    t->body_capacity = r->body_count;
  }
  /* libcurl asks for no more once it has all bytes, so the reader would never get past an empty piece at the
     end, and the body would look as if it had not been sent. */
  t->body_count = 0;
  for (i = 0; i < r->body_count; i++) {
    if (r->body[i].n == 0)
      continue;
    t->body[t->body_count++] = r->body[i];
    *total += (curl_off_t)r->body[i].n;
  }
  return 0;
}

/* Joins a small body: sent apart from the head it would be a packet more, for the network and for the service. */
static int join_body(transfer *t, curl_off_t total) {
  size_t i;
  if (total == 0 || total > JOINED_MOST)
    return 0;
  for (i = 0; i < t->body_count; i++) {
    if (sc3_buffer_append(&t->joined, t->body[i].p, t->body[i].n) != SC3_OK)
      return -1;
  }
  return 0;
}

static long milliseconds(double seconds) {
  double ms = seconds * 1000;
  return ms < 1 ? 1 : ms > 2147483647.0 ? 2147483647L : (long)ms;
}

int transfer_prepare(transfer *t, const sc3_engine_options *o, const sc3_request *r, const char **why) {
  CURL *c = t->easy;
  CURLcode bad = CURLE_OK;
  curl_off_t total = 0;
  size_t i;
  *why = "not enough memory";
  for (i = 0; i < r->header_count; i++) {
    if (add_header(t, r->headers[i]) != 0)
      return -1;
  }
  /* Without it libcurl asks "may I?" before a large body and waits a second for servers that do not answer. */
  if (add_header(t, "Expect:") != 0 || copy_body(t, r, &total) != 0 || join_body(t, total) != 0)
    return -1;
  t->reads = strcmp(r->method, "GET") == 0;

#define SET(option, value)                        \
  do {                                            \
    CURLcode code = curl_easy_setopt(c, option, value); \
    if (code != CURLE_OK)                         \
      bad = code;                                 \
  } while (0)

  SET(CURLOPT_URL, r->url);
  SET(CURLOPT_PRIVATE, t);
  SET(CURLOPT_ERRORBUFFER, t->error);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  SET(CURLOPT_TCP_KEEPALIVE, 1L);
  SET(CURLOPT_TIMEOUT_MS, milliseconds(r->timeout));
  SET(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(o->connect_timeout < r->timeout ? o->connect_timeout : r->timeout));
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, t);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, t);
  SET(CURLOPT_PREREQFUNCTION, on_begin);
  SET(CURLOPT_PREREQDATA, t);
  SET(CURLOPT_SEEKFUNCTION, on_seek);
  SET(CURLOPT_SEEKDATA, t);
  SET(CURLOPT_HTTPHEADER, t->headers);
  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  /* Waiting for a connection that may carry several requests pays where the handshake tells; over plain http it would wait for the first reply. */
  SET(CURLOPT_PIPEWAIT, strncasecmp(r->url, "https:", 6) == 0 ? 1L : 0L);
  SET(CURLOPT_ACCEPT_ENCODING, "");
  SET(CURLOPT_PROXY, r->proxy != NULL ? r->proxy : "");
  SET(CURLOPT_NOPROXY, r->no_proxy != NULL ? r->no_proxy : "");
  if (o->user_agent != NULL)
    SET(CURLOPT_USERAGENT, o->user_agent);
  if (o->ca_file != NULL)
    SET(CURLOPT_CAINFO, o->ca_file);
#if LIBCURL_VERSION_NUM >= 0x075700
  SET(CURLOPT_QUICK_EXIT, 1L); /* a slow name lookup must not hold up the end of everything else */
#endif
  if (total == 0 && !t->reads)
    SET(CURLOPT_FRESH_CONNECT, 1L); /* for the few of these a kept connection that has died is not worth the doubt */
  if (r->has_body) {
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, total);
    if (t->joined.n > 0) {
      SET(CURLOPT_POSTFIELDS, t->joined.p);
    } else {
      SET(CURLOPT_READFUNCTION, on_read);
      SET(CURLOPT_READDATA, t);
      SET(CURLOPT_UPLOAD_BUFFERSIZE, total > UPLOAD_MOST ? (long)UPLOAD_MOST : (long)total);
    }
    if (strcmp(r->method, "POST") != 0)
      SET(CURLOPT_CUSTOMREQUEST, r->method);
  } else if (!t->reads) {
    SET(CURLOPT_CUSTOMREQUEST, r->method);
  }
#undef SET
  if (bad != CURLE_OK) {
    *why = curl_easy_strerror(bad);
    return -1;
  }
  /* A libcurl without HTTP/2 refuses to be asked for it. */
  (void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  /* A CA directory beside the bundle turns off libcurl's cache of parsed bundles: 30 ms a connection on Debian.
     TLS libraries that know no directory refuse the option, which is as good. */
  (void)curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
  return 0;
}

static const char *name_of(CURLcode code) {
  switch ((int)code) {
#define X(value, name) \
  case value:          \
    return name;
    SC3_CURL_CODES(X)
#undef X
    default:
      return "CURL_ERROR";
  }
}

static void collect_facts(transfer *t) {
  sc3_transfer *p = &t->pub;
  curl_off_t uploaded = 0, total_us = 0;
  long version = 0;
  char *redirect = NULL;
  (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &p->status);
  (void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
  (void)curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &total_us);
  (void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
  (void)curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &p->connections);
  (void)curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &redirect);
  p->uploaded = uploaded > 0 ? (uint64_t)uploaded : 0;
  p->seconds = (double)total_us / 1e6;
  p->http_version = version == CURL_HTTP_VERSION_1_0 ? 10
                    : version == CURL_HTTP_VERSION_1_1 ? 11
                    : version == CURL_HTTP_VERSION_2_0 ? 20
                    : version == CURL_HTTP_VERSION_3 ? 30 : 0;
  if (redirect != NULL)
    p->redirect = strdup(redirect);
}

void transfer_conclude(transfer *t, CURLcode code) {
  sc3_transfer *p = &t->pub;
  long request_bytes = 0;
  collect_facts(t);
  (void)curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
  /* A small body of which nothing is counted may have gone: libcurl counts anew when it takes another connection, although on_begin() lets it send
     nothing there. */
  p->body_sent = request_bytes > 0 && (t->joined.n > 0 ? p->uploaded == 0 || p->uploaded >= t->joined.n : t->piece == t->body_count);
  p->code = NULL;
  p->message[0] = '\0';
  if (t->again) {
    p->body_sent = 1; /* the first time, over a connection that died without an answer */
    transfer_fail(t, name_of(CURLE_SEND_FAIL_REWIND), "a kept connection had died");
  } else if (t->too_large) {
    transfer_fail(t, "TOO_LARGE", "the reply is larger than allowed");
  } else if (code != CURLE_OK) {
    transfer_fail(t, name_of(code), t->error[0] != '\0' ? t->error : curl_easy_strerror(code));
  }
}

void transfer_fail(transfer *t, const char *code, const char *message) {
  t->pub.code = code;
  (void)snprintf(t->pub.message, sizeof t->pub.message, "%s", message);
}
