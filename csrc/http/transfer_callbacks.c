#include "transfer_callbacks.h"

#include <string.h>

enum {
  /* So much of a body goes a little at a time: libcurl looks for an answer between two pieces. An
     answer that a host gives before it closes is lost when sending is what fails. */
  FIRST_PART = 512 << 10,
  FIRST_PIECE = 16 << 10,
  /* Seconds without a byte either way, after which a reply that is complete ends a request that is
     not. */
  STALLED = 1
};

int sc3_read_status(const char *p, size_t n) {
  size_t i;
  int status = 0;
  for (i = 0; i < 3; i++) {
    if (i >= n || p[i] < '0' || p[i] > '9')
      return 0;
    status = status * 10 + (p[i] - '0');
  }
  return status;
}

/* The final reply's head is complete. */
static void note_answer(sc3_transfer *t) {
  curl_off_t gone = 0;
  t->answered = 1;
  (void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &gone);
  /* Whether the host reads the rest is not known, so no request may follow on this connection. */
  if (t->joined.n == 0 && gone < t->total)
    (void)curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
}

/* Appends what came. Gives its bytes, or 0, which ends the transfer. */
static size_t keep(sc3_transfer *t, sc3_buffer *to, const char *p, size_t bytes) {
  const sc3_status status = sc3_buffer_append(to, p, bytes);
  if (status == SC3_OK)
    return bytes;
  if (status == SC3_ENOMEM)
    t->no_memory = 1;
  else
    t->too_large = 1;
  return 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *user) {
  sc3_transfer *t = user;
  const size_t bytes = size * n;
  if (bytes > 5 && memcmp(p, "HTTP/", 5) == 0) {
    const char *space = memchr(p, ' ', bytes);
    t->result.headers.n = 0; /* a further reply: the one before was an interim one */
    t->answer = space != NULL ? sc3_read_status(space + 1, (size_t)(p + bytes - space) - 1) : 0;
  } else if (t->begun && t->answer >= 200 && (p[0] == '\r' || p[0] == '\n')) {
    note_answer(t); /* before the request has begun, a proxy answers */
  }
  t->heads += bytes;
  if (t->heads <= SC3_HEADERS_MAX)
    return keep(t, &t->result.headers, p, bytes);
  t->too_large = 1;
  return 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *user) {
  sc3_transfer *t = user;
  size_t bytes = size * n;
  if (t->result.body.n == 0) {
    curl_off_t announced = -1;
    (void)curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    if (announced > 0 && (curl_off_t)t->result.body.limit < announced) {
      t->too_large = 1;
      return 0;
    }
  }
  return keep(t, &t->result.body, p, bytes);
}

static size_t on_read(char *to, size_t size, size_t n, void *user) {
  sc3_transfer *t = user;
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
  sc3_transfer *t = user;
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

int sc3_transfer_is_complete(const sc3_transfer *t) {
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
  sc3_transfer *t = user;
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
  return seconds_now() - t->moved_at > STALLED && sc3_transfer_is_complete(t);
}

/* To send a body again it would have to be rewound, which fails. */
static int on_seek(void *user, curl_off_t offset, int origin) {
  sc3_transfer *t = user;
  (void)offset;
  (void)origin;
  t->silent = t->error[0] == '\0';
  return CURL_SEEKFUNC_FAIL;
}

/* Sets an option, and keeps the code of one that libcurl refuses in `bad`. */
#define SET(option, value)                                                                         \
  do {                                                                                             \
    const CURLcode code = curl_easy_setopt(t->easy, option, value);                                \
    if (code != CURLE_OK)                                                                          \
      bad = code;                                                                                  \
  } while (0)

CURLcode sc3_transfer_set_callbacks(sc3_transfer *t) {
  CURLcode bad = CURLE_OK;
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, t);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, t);
  SET(CURLOPT_PREREQFUNCTION, on_begin);
  SET(CURLOPT_PREREQDATA, t);
  SET(CURLOPT_SEEKFUNCTION, on_seek);
  SET(CURLOPT_SEEKDATA, t);
  return bad;
}

CURLcode sc3_transfer_set_body_callbacks(sc3_transfer *t) {
  CURLcode bad = CURLE_OK;
  SET(CURLOPT_READFUNCTION, on_read);
  SET(CURLOPT_READDATA, t);
  SET(CURLOPT_NOPROGRESS, 0L);
  SET(CURLOPT_XFERINFOFUNCTION, on_progress);
  SET(CURLOPT_XFERINFODATA, t);
  return bad;
}
