#include "engine.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../core/files/fork_mark.h"
#include "../core/files/stay_loaded.h"
#include "origins.h"
#include "transfer.h"
#include "transfer_conclude.h"
#include "transfer_index.h"
#include "transfer_setup.h"
#include "wait.h"

enum {
  SPARE_TRANSFERS = 64,
  /* libcurl would keep as many as there are requests: when many end, it would close what the next
     ones need. */
  KEPT_CONNECTIONS = 256
};

struct sc3_engine {
  CURLM *multi;
  sc3_wait wait;
  sc3_fork_mark mark; /* of the process that made the multi */
  sc3_engine_options options;
  char *ca_file, *user_agent; /* what the options point to */
  sc3_transfer *active;       /* submitted, not ended */
  sc3_transfer *ended, **ended_tail;
  sc3_transfer *spare;
  sc3_connections connections;
  sc3_transfer_index index; /* of the active and the ended */
  sc3_origins http1; /* hosts to which HTTP/2 has failed; no request uses their kept connections of
                        HTTP/2 */
  uint64_t last_http2; /* the host that answered over HTTP/2 last */
  size_t spares;
  size_t kept; /* connections that libcurl keeps */
  uint64_t last_id;
};

static pthread_once_t libcurl_once = PTHREAD_ONCE_INIT;
static CURLcode libcurl_status = CURLE_FAILED_INIT;

static void start_libcurl(void) {
  sc3_stay_loaded(); /* libcurl's resolver threads may outlive the Lua state that loaded us */
  libcurl_status = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Keeps as many connections as there were ever requests at once. Where more come back than are
 * kept, libcurl looks at all of them to close the oldest, each time. */
static void keep_connections(sc3_engine *e, size_t n) {
  while (e->kept < n)
    e->kept *= 2;
  (void)curl_multi_setopt(e->multi, CURLMOPT_MAXCONNECTS, (long)e->kept);
}

static int open_multi(sc3_engine *e) {
  sc3_fork_mark_clear(&e->mark);
  sc3_fork_mark_set(&e->mark);
  e->multi = curl_multi_init();
  if (e->multi == NULL)
    return -1;
  if (sc3_wait_open(&e->wait, e->multi) != 0) {
    (void)curl_multi_cleanup(e->multi);
    e->multi = NULL;
    return -1;
  }
  (void)curl_multi_setopt(e->multi, CURLMOPT_MAX_HOST_CONNECTIONS, e->options.max_host_connections);
  keep_connections(e, 0);
  return 0;
}

static void notice_fork(void *engine);

sc3_engine *sc3_engine_new(const sc3_engine_options *options, const char **why) {
  sc3_engine *e;
  (void)pthread_once(&libcurl_once, start_libcurl);
  if (libcurl_status != CURLE_OK) {
    *why = curl_easy_strerror(libcurl_status);
    return NULL;
  }
  *why = "not enough memory or descriptors";
  e = calloc(1, sizeof *e);
  if (e == NULL)
    return NULL;
  e->ended_tail = &e->ended;
  e->kept = KEPT_CONNECTIONS;
  e->wait.epoll = e->wait.timer = -1;
  e->connections.wait = &e->wait;
  e->connections.notice_fork = notice_fork;
  e->connections.engine = e;
  e->options = *options;
  e->ca_file = options->ca_file != NULL ? strdup(options->ca_file) : NULL;
  e->user_agent = options->user_agent != NULL ? strdup(options->user_agent) : NULL;
  e->options.ca_file = e->ca_file;
  e->options.user_agent = e->user_agent;
  if ((options->ca_file != NULL && e->ca_file == NULL) ||
      (options->user_agent != NULL && e->user_agent == NULL) ||
      sc3_transfer_index_open(&e->index) != 0 || open_multi(e) != 0) {
    sc3_engine_free(e);
    return NULL;
  }
  return e;
}

static void free_list(sc3_transfer *t) {
  while (t != NULL) {
    sc3_transfer *next = t->next;
    sc3_transfer_free(t);
    t = next;
  }
}

void sc3_engine_free(sc3_engine *e) {
  sc3_transfer *t;
  const int ours = sc3_fork_mark_mine(&e->mark);
  for (t = e->active; t != NULL && ours && e->multi != NULL; t = t->next)
    (void)curl_multi_remove_handle(e->multi, t->easy);
  if (!ours)
    sc3_wait_close(&e->wait);
  sc3_connections_end(&e->connections, !ours);
  if (ours) {
    free_list(e->active);
    free_list(e->ended);
    free_list(e->spare);
    if (e->multi != NULL)
      (void)curl_multi_cleanup(
          e->multi); /* it may still call back: the descriptors are closed after it */
  }
  /* After a fork the handles belong to the parent, connections and all: they are abandoned. */
  sc3_wait_close(&e->wait);
  sc3_fork_mark_clear(&e->mark);
  sc3_transfer_index_close(&e->index);
  free(e->ca_file);
  free(e->user_agent);
  free(e);
}

/* Takes a transfer out of its list. Both ends of its place are known, because thousands may be in
 * it. */
static void unlink_transfer(sc3_engine *e, sc3_transfer *t) {
  *t->at = t->next;
  if (t->next != NULL)
    t->next->at = t->at;
  else if (t->ended)
    e->ended_tail = t->at;
  t->next = NULL;
}

/* Puts it first into a list. */
static void link_transfer(sc3_transfer **list, sc3_transfer *t) {
  t->next = *list;
  t->at = list;
  if (t->next != NULL)
    t->next->at = &t->next;
  *list = t;
}

static void end_transfer(sc3_engine *e, sc3_transfer *t) {
  unlink_transfer(e, t);
  t->ended = 1;
  t->at = e->ended_tail;
  *t->at = t;
  e->ended_tail = &t->next;
}

static void fail_all(sc3_engine *e, const char *code, const char *message) {
  while (e->active != NULL) {
    sc3_transfer *t = e->active;
    t->result.body_sent = 1; /* for all that is known */
    sc3_transfer_fail(t, code, message);
    end_transfer(e, t);
  }
}

/* In a child of fork() the multi, its sockets and its epoll belong to the parent too: leave them,
 * and start afresh. */
static void notice_fork(void *engine) {
  sc3_engine *e = engine;
  sc3_transfer *t;
  if (sc3_fork_mark_mine(&e->mark))
    return;
  sc3_wait_close(&e->wait);
  e->spare = NULL; /* abandoned: cleaning a handle could speak on the parent's connections */
  e->spares = 0;
  for (t = e->active; t != NULL; t = t->next)
    t->easy = NULL;
  fail_all(e, "FORKED", "the process forked while the request was under way");
  sc3_connections_fail(&e->connections, "FORKED", "the connection belongs to the parent", 1);
  if (open_multi(e) != 0)
    e->multi = NULL;
}

/* After a failure of socket_action nothing about the multi is certain. */
static void rebuild(sc3_engine *e, CURLMcode code) {
  sc3_transfer *t;
  for (t = e->active; t != NULL; t = t->next)
    (void)curl_multi_remove_handle(e->multi, t->easy);
  fail_all(e, "MULTI_ERROR", curl_multi_strerror(code));
  sc3_connections_fail(&e->connections, "MULTI_ERROR", curl_multi_strerror(code), 0);
  (void)curl_multi_cleanup(e->multi); /* the descriptor stays: a loop may wait on it */
  if (open_multi(e) != 0)
    e->multi = NULL;
}

static sc3_transfer *take_spare(sc3_engine *e) {
  sc3_transfer *t = e->spare;
  if (t == NULL)
    return sc3_transfer_new(e->options.max_response);
  e->spare = t->next;
  e->spares--;
  t->next = NULL;
  return t;
}

static void give_back(sc3_engine *e, sc3_transfer *t) {
  /* It has no handle any more after a fork. A handle that has failed keeps what libcurl still
   * wanted to do with it: from 8.7 to 8.15 also over a reset. */
  if (t->easy == NULL || t->spoiled || e->spares >= SPARE_TRANSFERS) {
    sc3_transfer_free(t);
    return;
  }
  sc3_transfer_recycle(t);
  t->next = e->spare;
  e->spare = t;
  e->spares++;
}

uint64_t sc3_engine_next_id(const sc3_engine *e) {
  return e->last_id + 1;
}

/* Whether a transfer's connection is known to speak HTTP/2. Others were on it at the same time, or
 * the last one to that host did. */
static int is_multiplexed(const sc3_engine *e, const sc3_transfer *t) {
  const sc3_transfer *other;
  if (!t->secure || t->local_port == 0)
    return 0;
  for (other = e->active; other != NULL; other = other->next) {
    if (other != t && other->local_port == t->local_port && other->origin == t->origin)
      return 1;
  }
  return e->last_http2 == t->origin;
}

/* Takes out what has ended, after libcurl acted with `code`. */
static void collect(sc3_engine *e, CURLMcode code) {
  CURLMsg *m;
  int left;
  while ((m = curl_multi_info_read(e->multi, &left)) != NULL) {
    CURL *easy = m->easy_handle;
    CURLcode result = m->data.result;
    char *private_data = NULL;
    sc3_transfer *t;
    if (m->msg != CURLMSG_DONE || sc3_connections_conclude(&e->connections, easy, result))
      continue;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private_data);
    t = (sc3_transfer *)(void *)private_data;
    /* Before removal, which forgets some facts. Few need to know it, and thousands may end. */
    sc3_transfer_conclude(t, result, (result != CURLE_OK || t->again) && is_multiplexed(e, t));
    if (t->result.http_version >= 20)
      e->last_http2 = t->origin;
    else if (t->result.http_version != 0 && e->last_http2 == t->origin)
      e->last_http2 = 0;
    if (t->http2_failed)
      sc3_origins_note(&e->http1, t->origin, e->options.http1_after_failure);
    (void)curl_multi_remove_handle(e->multi, easy);
    end_transfer(e, t);
  }
  if (code != CURLM_OK)
    rebuild(e, code);
}

uint64_t sc3_engine_submit(sc3_engine *e, const sc3_request *request, const char **why) {
  sc3_transfer *t;
  CURLMcode code;
  uint64_t id;
  notice_fork(e);
  *why = "not enough memory or descriptors";
  if (e->multi == NULL && open_multi(e) != 0) /* there may be descriptors again */
    return 0;
  t = take_spare(e);
  if (t == NULL)
    return 0;
  t->spoiled = 1; /* until it has gone its way */
  t->origin = sc3_origin_of(request->url);
  if (sc3_transfer_prepare(t, &e->options, request, sc3_origins_has(&e->http1, t->origin), why) !=
      0) {
    give_back(e, t);
    return 0;
  }
  t->result.id = e->last_id + 1;
  code = curl_multi_add_handle(e->multi, t->easy);
  if (code != CURLM_OK) {
    *why = curl_multi_strerror(code);
    give_back(e, t);
    return 0;
  }
  link_transfer(&e->active, t);
  sc3_transfer_index_add(&e->index, t);
  if (e->index.n > e->kept)
    keep_connections(e, e->index.n);
  id = ++e->last_id;
  collect(e, sc3_wait_begin(&e->wait));
  if (e->ended != NULL)
    sc3_wait_tell(&e->wait);
  sc3_wait_keep_armed(&e->wait);
  return id;
}

sc3_connection *sc3_engine_connect(sc3_engine *e, const char *url, double timeout,
                                   const char **why) {
  sc3_connection *c;
  notice_fork(e);
  *why = "not enough memory or descriptors";
  if (e->multi == NULL && open_multi(e) != 0)
    return NULL;
  c = sc3_connection_new(&e->connections, url, e->options.ca_file, timeout, why);
  if (c != NULL) {
    collect(e, sc3_wait_begin(&e->wait));
    sc3_wait_keep_armed(&e->wait);
  }
  return c;
}

int sc3_engine_step(sc3_engine *e, int gently) {
  int moved;
  notice_fork(e);
  if (e->multi == NULL)
    return 0;
  collect(e, sc3_wait_act(&e->wait, gently, &moved));
  sc3_wait_keep_armed(&e->wait); /* taking handles out may have made others due */
  return moved;
}

int sc3_engine_ended(const sc3_engine *e) {
  return e->ended != NULL;
}

static void take_out(sc3_engine *e, sc3_transfer *t) {
  unlink_transfer(e, t);
  sc3_transfer_index_remove(&e->index, t);
}

sc3_result *sc3_engine_take(sc3_engine *e) {
  sc3_transfer *t = e->ended;
  if (t == NULL)
    return NULL;
  take_out(e, t);
  return &t->result;
}

void sc3_engine_put_back(sc3_engine *e, sc3_result *result) {
  sc3_transfer *t = (sc3_transfer *)(void *)result;
  link_transfer(&e->ended, t);
  if (t->next == NULL)
    e->ended_tail = &t->next;
  sc3_transfer_index_add(&e->index, t);
}

void sc3_engine_release(sc3_engine *e, sc3_result *result) {
  sc3_transfer *t = (sc3_transfer *)(void *)result;
  if (e != NULL)
    give_back(e, t);
  else
    sc3_transfer_free(t);
}

int sc3_engine_cancel(sc3_engine *e, uint64_t id) {
  sc3_transfer *t;
  notice_fork(e);
  t = sc3_transfer_index_find(&e->index, id);
  if (t == NULL)
    return 0;
  take_out(e, t);
  if (!t->ended) {
    (void)curl_multi_remove_handle(e->multi, t->easy);
    sc3_wait_keep_armed(&e->wait);
  }
  give_back(e, t);
  return 1;
}

size_t sc3_engine_count(const sc3_engine *e) {
  return e->index.n + sc3_connections_waiting(&e->connections);
}

void sc3_engine_wait(sc3_engine *e, double seconds) {
  notice_fork(e);
  if (e->ended == NULL && e->multi != NULL)
    sc3_wait_for(&e->wait, seconds);
}

int sc3_engine_fd(sc3_engine *e) {
  notice_fork(e);
  if (e->ended != NULL)
    sc3_wait_tell(&e->wait);
  return sc3_wait_fd(&e->wait);
}

double sc3_engine_timeout(sc3_engine *e) {
  notice_fork(e);
  return e->multi != NULL ? sc3_wait_timeout(&e->wait) : -1;
}
