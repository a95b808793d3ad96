#include "connection.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "peer.h"

/* libcurl may have to be given the same bytes again, so pieces end at the same places each time. */
enum { PIECE = 256 << 10, PIECES_MOST = 4 };

/* Memory that is kept for the next bytes to send. */
enum { OUTPUT_KEPT = 1 << 20 };

static void link_connection(sc3_connections *set, sc3_connection *c) {
  c->set = set;
  c->next = set->first;
  c->at = &set->first;
  if (c->next != NULL)
    c->next->at = &c->next;
  set->first = c;
}

static void unlink_connection(sc3_connection *c) {
  *c->at = c->next;
  if (c->next != NULL)
    c->next->at = c->at;
  c->set = NULL;
}

/* Gives up the handle, and with it the socket. `leave`: both are the parent's. */
static void drop(sc3_connection *c, int leave) {
  if (c->state == SC3_CONNECTION_CONNECTING)
    c->set->connecting--;
  sc3_wait_remove(c->set->wait, &c->watch);
  if (!leave) {
    (void)curl_multi_remove_handle(c->set->wait->multi, c->easy); /* which closes the connection */
    curl_easy_cleanup(c->easy);
    sc3_wait_keep_armed(c->set->wait);
  }
  c->easy = NULL;
}

static void fail(sc3_connection *c, const char *code, const char *message, int leave) {
  drop(c, leave);
  c->state = SC3_CONNECTION_FAILED;
  c->code = code;
  (void)snprintf(c->message, sizeof c->message, "%s", message);
}

static void fail_by(sc3_connection *c, CURLcode code) {
  const char *text = c->error[0] != '\0' ? c->error : curl_easy_strerror(code);
  const int was_open = c->state == SC3_CONNECTION_OPEN;
  c->cause = sc3_failure_cause(c->easy, code, c->no_socket, was_open);
  (void)curl_easy_getinfo(c->easy, CURLINFO_SSL_VERIFYRESULT, &c->verify);
  fail(c, sc3_failure_name(code), text, 0);
}

static void note(CURLcode *bad, CURLcode code) {
  if (code != CURLE_OK)
    *bad = code;
}

static CURLcode prepare(sc3_connection *c, const char *url, const char *ca_file, double timeout) {
  CURLcode bad = CURLE_OK;
#define SET(option, value) note(&bad, curl_easy_setopt(c->easy, option, value))
  SET(CURLOPT_URL, url);
  SET(CURLOPT_CONNECT_ONLY, 1L);
  SET(CURLOPT_FRESH_CONNECT, 1L);
  SET(CURLOPT_ERRORBUFFER, c->error);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_PROXY, "");
  SET(CURLOPT_TCP_KEEPALIVE, 1L);
  SET(CURLOPT_CONNECTTIMEOUT_MS, sc3_peer_milliseconds(timeout));
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_SSL_ENABLE_ALPN, 0L);
#if LIBCURL_VERSION_NUM >= 0x075700
  SET(CURLOPT_QUICK_EXIT, 1L);
#endif
#undef SET
  note(&bad, sc3_peer_set_socket(c->easy, &c->no_socket));
  note(&bad, sc3_peer_set_certificates(c->easy, ca_file));
  return bad;
}

sc3_connection *sc3_connection_new(sc3_connections *set, const char *url, const char *ca_file,
                                   double timeout, const char **why) {
  sc3_connection *c = calloc(1, sizeof *c);
  CURLcode bad = CURLE_OUT_OF_MEMORY;
  CURLMcode refused = CURLM_OK;
  if (c != NULL && (c->easy = curl_easy_init()) != NULL) {
    bad = prepare(c, url, ca_file, timeout);
    if (bad == CURLE_OK)
      refused = curl_multi_add_handle(set->wait->multi, c->easy);
  }
  if (bad != CURLE_OK || refused != CURLM_OK) {
    *why = bad != CURLE_OK ? curl_easy_strerror(bad) : curl_multi_strerror(refused);
    if (c != NULL)
      curl_easy_cleanup(c->easy);
    free(c);
    return NULL;
  }
  sc3_buffer_init(&c->output, SIZE_MAX / 2);
  c->state = SC3_CONNECTION_CONNECTING;
  link_connection(set, c);
  set->connecting++;
  return c;
}

/* Before anything else: in a child of fork the handle is the parent's. */
static void notice_fork(sc3_connection *c) {
  if (c->set != NULL)
    c->set->notice_fork(c->set->engine);
}

void sc3_connection_close(sc3_connection *c) {
  notice_fork(c);
  if (c->easy != NULL)
    drop(c, 0);
  c->state = SC3_CONNECTION_CLOSED;
}

void sc3_connection_free(sc3_connection *c) {
  sc3_connection_close(c);
  if (c->set != NULL)
    unlink_connection(c);
  sc3_buffer_free(&c->output);
  free(c);
}

/* Takes what is there before an end: a host may say why it ends. Nothing is judged by it. */
static void take_rest(sc3_connection *c) {
  size_t came = 1;
  while (came > 0 && c->received < sizeof c->input) {
    came = 0;
    if (curl_easy_recv(c->easy, c->input + c->received, sizeof c->input - c->received, &came) !=
        CURLE_OK)
      return;
    c->received += came;
  }
}

char *sc3_connection_room(sc3_connection *c, size_t n) {
  char *room;
  if (n == 0 || sc3_buffer_reserve(&c->output, n) != SC3_OK)
    return NULL;
  room = c->output.p + c->output.n;
  c->output.n += n;
  return room;
}

size_t sc3_connection_left(const sc3_connection *c) {
  return c->output.n - c->sent;
}

static void all_has_left(sc3_connection *c) {
  c->output.n = c->sent = 0;
  if (c->output.capacity > OUTPUT_KEPT)
    sc3_buffer_free(&c->output);
}

int sc3_connection_send(sc3_connection *c) {
  int i;
  notice_fork(c);
  if (c->state != SC3_CONNECTION_OPEN)
    return -1;
  for (i = 0; i < PIECES_MOST && sc3_connection_left(c) > 0; i++) {
    const size_t left = sc3_connection_left(c);
    size_t gone = 0;
    const CURLcode code =
        curl_easy_send(c->easy, c->output.p + c->sent, left < PIECE ? left : PIECE, &gone);
    if (code == CURLE_AGAIN)
      break;
    if (code != CURLE_OK) {
      take_rest(c);
      fail_by(c, code == CURLE_UNSUPPORTED_PROTOCOL ? CURLE_SEND_ERROR : code);
      return -1;
    }
    c->sent += gone;
  }
  c->is_sending = sc3_connection_left(c) > 0;
  if (!c->is_sending)
    all_has_left(c);
  return 0;
}

int sc3_connection_receive(sc3_connection *c) {
  notice_fork(c);
  while (c->state == SC3_CONNECTION_OPEN && c->received < sizeof c->input) {
    size_t came = 0;
    const CURLcode code =
        curl_easy_recv(c->easy, c->input + c->received, sizeof c->input - c->received, &came);
    if (code == CURLE_AGAIN)
      return 0;
    if (code != CURLE_OK)
      fail_by(c, code == CURLE_UNSUPPORTED_PROTOCOL ? CURLE_RECV_ERROR : code);
    else if (came == 0)
      fail(c, "CLOSED", "the other side closed the connection", 0);
    c->received += came;
  }
  return c->state == SC3_CONNECTION_OPEN || c->received > 0 ? 0 : -1;
}

void sc3_connection_watch(sc3_connection *c, int writes) {
  notice_fork(c);
  if (c->state == SC3_CONNECTION_OPEN && sc3_wait_arm(c->set->wait, &c->watch, writes) != 0)
    fail(c, sc3_failure_name(CURLE_RECV_ERROR), "the system does not watch its socket", 0);
}

int sc3_connection_is_ready(sc3_connection *c) {
  notice_fork(c);
  return c->state != SC3_CONNECTION_CONNECTING && !c->watch.armed;
}

size_t sc3_connections_waiting(const sc3_connections *set) {
  return set->connecting + set->wait->armed_count;
}

/* Waits for its socket by ourselves from now on: libcurl looks after it no more. */
static void open_up(sc3_connection *c) {
  curl_socket_t fd = CURL_SOCKET_BAD;
  (void)curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd);
  if (fd == CURL_SOCKET_BAD || sc3_wait_add(c->set->wait, &c->watch, fd) != 0) {
    fail(c, "TOO_MANY_CONNECTIONS", "the engine waits for no more connections", 0);
    return;
  }
  c->set->connecting--;
  c->state = SC3_CONNECTION_OPEN;
}

int sc3_connections_conclude(sc3_connections *set, CURL *easy, CURLcode code) {
  sc3_connection *c = set->first;
  while (c != NULL && c->easy != easy)
    c = c->next;
  if (c == NULL)
    return 0;
  if (code == CURLE_OK)
    open_up(c);
  else
    fail_by(c, code);
  sc3_wait_tell(set->wait); /* a loop may wait that did not take this step */
  return 1;
}

void sc3_connections_fail(sc3_connections *set, const char *code, const char *message, int leave) {
  sc3_connection *c;
  for (c = set->first; c != NULL; c = c->next) {
    if (c->easy != NULL)
      fail(c, code, message, leave);
  }
}

void sc3_connections_end(sc3_connections *set, int leave) {
  while (set->first != NULL) {
    sc3_connection *c = set->first;
    if (c->easy != NULL)
      drop(c, leave);
    c->state = SC3_CONNECTION_CLOSED;
    unlink_connection(c);
  }
}
