#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codes.h"

#if LIBCURL_VERSION_NUM < 0x075500
#error "scope3 needs libcurl 7.85.0 or newer"
#endif

enum {
  HEADERS_CAP = 256 << 10, /* of all replies to a request: a host may send interim ones for ever */
  UPLOAD_MOST = 512 << 10,
  JOINED_MOST = 16 << 10,
  FIRST_PART = 512 << 10, /* so much of a body goes a little at a time: between two pieces libcurl
                             looks for an answer, */
  FIRST_PIECE =
      16 << 10, /* and one that a host gives before it closes is lost when sending is what fails */
  STALLED = 1   /* seconds without a byte either way, after which a reply that is complete ends a
                   request that is not */
};

/* --- callbacks: C buffers only --- */

/* The status at the beginning of a text: three digits, else 0. */
static int status_of(const char *p, size_t n) {
  size_t i;
  int status = 0;
  for (i = 0; i < 3; i++) {
    if (i >= n || p[i] < '0' || p[i] > '9')
      return 0;
    status = status * 10 + (p[i] - '0');
  }
  return status;
}

static size_t on_header(char *p, size_t size, size_t n, void *user) {
  transfer *t = user;
  size_t bytes = size * n;
  if (bytes > 5 && memcmp(p, "HTTP/", 5) == 0) {
    const char *space = memchr(p, ' ', bytes);
    t->pub.headers.n = 0; /* a further reply: the one before was an interim one */
    t->answer = space != NULL ? status_of(space + 1, (size_t)(p + bytes - space) - 1) : 0;
  } else if (t->begun && t->answer >= 200 &&
             (p[0] == '\r' || p[0] == '\n')) { /* before it began, a proxy answered */
    curl_off_t gone = 0;
    t->answered = 1;
    (void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &gone);
    if (t->joined.n == 0 &&
        gone < t->total) /* whether it reads the rest nobody knows, so nothing may follow it */
      (void)curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
  }
  t->heads += bytes;
  if (t->heads <= HEADERS_CAP && sc3_buffer_append(&t->pub.headers, p, bytes) == SC3_OK)
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
  if (t->taken < FIRST_PART && room > FIRST_PIECE)
    room = FIRST_PIECE;
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
  t->taken += done;
  return done;
}

/* libcurl sends a request again by itself when a kept connection dies. It must not: only the
   owner's policy repeats one. This is asked each time before a request is sent. */
static int on_begin(void *user, char *ip, char *local_ip, int port, int local_port) {
  transfer *t = user;
  (void)ip;
  (void)local_ip;
  (void)port;
  if (t->begun && !t->reads) {
    t->again = 1;
    t->silent = t->error[0] == '\0';
    return CURL_PREREQFUNC_ABORT;
  }
  t->local_port = local_port;
  if (!t->begun) {
    long made = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &made);
    t->fresh = made > 0;
  }
  t->begun = 1;
  t->answer = t->answered = 0;
  return CURL_PREREQFUNC_OK;
}

/* Whether all of a final reply is there, as far as it says how long it is. */
static int is_complete(const transfer *t) {
  curl_off_t announced = -1, came = 0;
  if (!t->answered)
    return 0;
  (void)curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
  (void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &came);
  return t->answer == 204 || t->answer == 304 || (announced >= 0 && came >= announced);
}

static time_t seconds_now(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

/* A server may answer without reading the request, and never read it: libcurl would wait until it
 * has sent all of it. While it still reads, it is let. */
static int on_progress(void *user, curl_off_t to_come, curl_off_t came, curl_off_t to_go,
                       curl_off_t gone) {
  transfer *t = user;
  (void)to_come;
  (void)to_go;
  if (t->gone < gone)
    t->gone = gone;
  if (!t->answered)
    return 0;
  if (t->moved != came + gone || t->moved_at == 0) {
    t->moved = came + gone;
    t->moved_at = seconds_now();
    return 0;
  }
  return seconds_now() - t->moved_at > STALLED && is_complete(t);
}

/* To send a body again it would have to be rewound, which fails. */
static int on_seek(void *user, curl_off_t offset, int origin) {
  transfer *t = user;
  (void)offset;
  (void)origin;
  t->silent = t->error[0] == '\0';
  return CURL_SEEKFUNC_FAIL;
}

static curl_socket_t on_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *a) {
  transfer *t = user;
#ifdef SOCK_CLOEXEC
  curl_socket_t fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
#else
  curl_socket_t fd = socket(a->family, a->socktype, a->protocol);
  if (fd >= 0)
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
  (void)purpose;
  if (fd < 0)
    t->no_socket = errno;
  return fd;
}

/* --- life --- */

transfer *sc3_transfer_new(size_t max_response) {
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

void sc3_transfer_recycle(transfer *t) {
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
  t->pub.body_sent = t->pub.early = t->pub.http_version = t->pub.begun = 0;
  t->pub.proxy_status = t->pub.verify = t->pub.proxy_verify = 0;
  t->pub.cause = NULL;
  t->pub.seconds = 0;
  t->body_count = t->piece = t->offset = t->taken = 0;
  t->joined.n = 0;
  t->too_large = t->reads = t->begun = t->again = t->fresh = t->silent = t->local_port = t->secure =
      t->answer = t->answered = 0;
  t->heads = 0;
  t->no_socket = 0;
  t->moved = t->gone = 0;
  t->moved_at = 0;
  t->error[0] = '\0';
}

void sc3_transfer_free(transfer *t) {
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

static int copy_body(transfer *t, const sc3_request *r) {
  size_t i;
  t->total = 0;
  if (r->body_count > t->body_capacity) {
    sc3_slice *grown = realloc(t->body, r->body_count * sizeof *grown);
    if (grown == NULL)
      return -1;
    t->body = grown;
    t->body_capacity = r->body_count;
  }
  /* libcurl asks for no more once it has all bytes, so the reader would never get past an empty
     piece at the end, and the body would look as if it had not been sent. */
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
static int join_body(transfer *t) {
  size_t i;
  if (t->total == 0 || t->total > JOINED_MOST)
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

int sc3_transfer_prepare(transfer *t, const sc3_engine_options *o, const sc3_request *r, int http1,
                         const char **why) {
  CURL *c = t->easy;
  CURLcode bad = CURLE_OK;
  curl_off_t total;
  size_t i;
  *why = "not enough memory";
  for (i = 0; i < r->header_count; i++) {
    if (add_header(t, r->headers[i]) != 0)
      return -1;
  }
  /* Without it libcurl asks "may I?" before a large body and waits a second for servers that do not
   * answer. */
  if (add_header(t, "Expect:") != 0 || copy_body(t, r) != 0 || join_body(t) != 0)
    return -1;
  total = t->total;
  t->reads = strcmp(r->method, "GET") == 0;
  t->secure = strncasecmp(r->url, "https:", 6) == 0;

#define SET(option, value)                                                                         \
  do {                                                                                             \
    CURLcode code = curl_easy_setopt(c, option, value);                                            \
    if (code != CURLE_OK)                                                                          \
      bad = code;                                                                                  \
  } while (0)

  SET(CURLOPT_URL, r->url);
  SET(CURLOPT_PRIVATE, t);
  SET(CURLOPT_ERRORBUFFER, t->error);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  SET(CURLOPT_OPENSOCKETDATA, t);
  SET(CURLOPT_TCP_KEEPALIVE, 1L);
  SET(CURLOPT_TIMEOUT_MS, milliseconds(r->timeout));
  SET(CURLOPT_CONNECTTIMEOUT_MS,
      milliseconds(o->connect_timeout < r->timeout ? o->connect_timeout : r->timeout));
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
  /* Waiting for a connection that may carry several requests pays where the handshake tells; over
   * plain http it would wait for the first reply. */
  SET(CURLOPT_PIPEWAIT, t->secure && !http1 ? 1L : 0L);
  SET(CURLOPT_ACCEPT_ENCODING, "");
  SET(CURLOPT_PROXY, r->proxy != NULL ? r->proxy : "");
  SET(CURLOPT_NOPROXY, r->no_proxy != NULL ? r->no_proxy : "");
  if (o->user_agent != NULL)
    SET(CURLOPT_USERAGENT, o->user_agent);
  if (o->ca_file != NULL && strstr(o->ca_file, "-----BEGIN CERTIFICATE-----") != NULL) {
    struct curl_blob certificates;
    certificates.data = (char *)o->ca_file; /* libcurl copies it */
    certificates.len = strlen(o->ca_file);
    certificates.flags = CURL_BLOB_COPY;
    SET(CURLOPT_CAINFO_BLOB, &certificates);
  } else if (o->ca_file != NULL) {
    SET(CURLOPT_CAINFO, o->ca_file);
  }
#if LIBCURL_VERSION_NUM >= 0x075700
  SET(CURLOPT_QUICK_EXIT, 1L); /* a slow name lookup must not hold up the end of everything else */
#endif
  if (r->fresh || (total == 0 && !t->reads))
    SET(CURLOPT_FRESH_CONNECT,
        1L); /* for the few without a body a kept connection that has died is not worth the doubt */
  if (r->has_body) {
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, total);
    if (t->joined.n > 0) {
      SET(CURLOPT_POSTFIELDS, t->joined.p);
    } else {
      SET(CURLOPT_READFUNCTION, on_read);
      SET(CURLOPT_READDATA, t);
      SET(CURLOPT_UPLOAD_BUFFERSIZE, total > UPLOAD_MOST ? (long)UPLOAD_MOST : (long)total);
      SET(CURLOPT_NOPROGRESS, 0L);
      SET(CURLOPT_XFERINFOFUNCTION, on_progress);
      SET(CURLOPT_XFERINFODATA, t);
      /* A limit makes libcurl look, and ask on_progress(), every second also while nothing moves.
       * It never ends anything: its time is over the whole's. */
      SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
      SET(CURLOPT_LOW_SPEED_TIME, milliseconds(r->timeout) / 1000 + 3600);
    }
    if (strcmp(r->method, "POST") != 0)
      SET(CURLOPT_CUSTOMREQUEST, r->method);
  } else if (strcmp(r->method, "HEAD") == 0) {
    SET(CURLOPT_NOBODY, 1L); /* its reply names the length of a body that does not come */
  } else if (!t->reads) {
    SET(CURLOPT_CUSTOMREQUEST, r->method);
  }
#undef SET
  if (bad != CURLE_OK) {
    *why = curl_easy_strerror(bad);
    return -1;
  }
  /* A libcurl without HTTP/2 refuses to be asked for it. One that is asked for HTTP/1.1 uses no
   * kept connection of HTTP/2. */
  (void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION,
                         http1 ? (long)CURL_HTTP_VERSION_1_1 : (long)CURL_HTTP_VERSION_2TLS);
  /* A CA directory beside the bundle turns off libcurl's cache of parsed bundles: 30 ms a
     connection on Debian. TLS libraries that know no directory refuse the option, which is as good.
   */
  (void)curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
  return 0;
}

static const char *name_of(CURLcode code) {
  switch ((int)code) {
#define X(value, name)                                                                             \
  case value: return name;
    SC3_CURL_CODES(X)
#undef X
    default: return "CURL_ERROR";
  }
}

static int is_out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE;
}

/* Why no connection came about, as far as the system says. Of a name that was not found, and of a
   file of CA certificates, libcurl does not keep the error: whether descriptors were missing is
   found by asking for one. */
static const char *cause_of(const transfer *t, CURLcode code) {
  long error = 0;
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
      code == CURLE_SSL_CACERT_BADFILE || code == CURLE_OUT_OF_MEMORY) {
    int fd = open("/", O_RDONLY | O_CLOEXEC), missing = fd < 0 && is_out_of_descriptors(errno);
    if (fd >= 0)
      (void)close(fd);
    return missing ? "descriptors" : NULL;
  }
  if (code == CURLE_OPERATION_TIMEDOUT)
    return t->begun ? NULL : "timeout";
  if (code != CURLE_COULDNT_CONNECT)
    return NULL;
  (void)curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &error);
  if (is_out_of_descriptors(t->no_socket) || is_out_of_descriptors((int)error))
    return "descriptors";
  return error == ECONNREFUSED                                                     ? "refused"
         : error == ETIMEDOUT                                                      ? "timeout"
         : error == ENETUNREACH || error == EHOSTUNREACH || error == EADDRNOTAVAIL ? "unreachable"
                                                                                   : NULL;
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
  (void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &p->proxy_status);
  (void)curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &p->verify);
  (void)curl_easy_getinfo(t->easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &p->proxy_verify);
  p->begun = t->begun;
  p->uploaded = uploaded > 0 ? (uint64_t)uploaded : 0;
  p->seconds = (double)total_us / 1e6;
  p->http_version = version == CURL_HTTP_VERSION_1_0   ? 10
                    : version == CURL_HTTP_VERSION_1_1 ? 11
                    : version == CURL_HTTP_VERSION_2_0 ? 20
                    : version == CURL_HTTP_VERSION_3   ? 30
                                                       : 0;
  if (redirect != NULL)
    p->redirect = strdup(redirect);
}

/* Whether a reply counts although libcurl reports a failure: a whole one, or what there is of one
 * when it was the request that broke or stood still. */
static int is_answer(const transfer *t, int unsent) {
  return t->answered && (is_complete(t) || (unsent && (t->answer >= 300 || t->pub.body.n > 0)));
}

/* The status of a rejection over HTTP/2 that libcurl has dropped, because the stream was reset
 * behind it: it keeps this one field. 0 for none. */
static int lost_status(const transfer *t) {
  struct curl_header *field = NULL;
  if (curl_easy_header(t->easy, ":status", 0, CURLH_PSEUDO, -1, &field) != CURLHE_OK)
    return 0;
  return status_of(field->value, strlen(field->value));
}

void sc3_transfer_conclude(transfer *t, CURLcode code, int multiplexed) {
  sc3_transfer *p = &t->pub;
  long request_bytes = 0;
  int unread, unsent, dead = t->again || code == CURLE_SEND_FAIL_REWIND;
  uint64_t gone;
  collect_facts(t);
  (void)curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
  gone = p->uploaded > (uint64_t)t->gone
             ? p->uploaded
             : (uint64_t)t->gone; /* libcurl counts anew when it takes another connection */
  unread = t->joined.n == 0 && t->piece < t->body_count;
  unsent = unread || gone < (uint64_t)t->total;
  /* A small body is not watched while it goes. One of which nothing is counted may have gone,
   * although on_begin() lets none go over another connection. */
  p->body_sent = t->begun && request_bytes > 0 &&
                 (t->joined.n > 0 ? p->uploaded == 0 || p->uploaded >= t->joined.n : !unsent);
  p->early = 0;
  p->code = NULL;
  p->message[0] = '\0';
  t->spoiled = code != CURLE_OK || unread;
  t->http2_failed = (code != CURLE_OK || (t->joined.n == 0 && unsent)) && !t->too_large &&
                    t->begun && t->secure && (p->http_version == 0 || p->http_version >= 20);
  if (dead && (t->fresh || (multiplexed && t->silent))) {
    /* Over a connection of its own libcurl begins again only what an HTTP/2 server refused before
       it did anything. Over a kept one also what died with it, but then over HTTP/2 it has written
       down what happened to the connection. */
    p->body_sent = 0;
    sc3_transfer_fail(t, "REFUSED_STREAM", "the stream was refused");
  } else if (t->again) {
    p->body_sent = t->joined.n > 0 ||
                   !unsent; /* the first time, over a connection that died without an answer */
    sc3_transfer_fail(t, name_of(CURLE_SEND_FAIL_REWIND), "a kept connection had died");
  } else if (t->too_large) {
    sc3_transfer_fail(t, "TOO_LARGE", "the reply is larger than allowed");
  } else if (code == CURLE_OK) {
    p->early = unread;
  } else if (is_answer(t, unsent)) {
    p->early = unsent;
  } else {
    p->cause = cause_of(t, code);
    if (!t->answered && p->status == 0 && lost_status(t) >= 300)
      p->status = lost_status(t);
    sc3_transfer_fail(t, name_of(code), t->error[0] != '\0' ? t->error : curl_easy_strerror(code));
  }
}

void sc3_transfer_fail(transfer *t, const char *code, const char *message) {
  t->pub.code = code;
  (void)snprintf(t->pub.message, sizeof t->pub.message, "%s", message);
}
