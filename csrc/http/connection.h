/* A connection that carries the bytes of a protocol of its owner's. libcurl finds the name,
 * connects and shakes hands, within the multi and the descriptor of an engine. Then the owner sends
 * and receives what there is, and waits between. Inside csrc/http, and for the owner of an engine.
 */
#ifndef SC3_CONNECTION_H
#define SC3_CONNECTION_H

#include <curl/curl.h>

#include "../core/bytes/buffer.h"
#include "wait.h"

enum { SC3_CONNECTION_INPUT = 32 << 10 };

typedef enum sc3_connection_state {
  SC3_CONNECTION_CLOSED, /* by its owner, or with its engine */
  SC3_CONNECTION_CONNECTING,
  SC3_CONNECTION_OPEN,
  SC3_CONNECTION_FAILED
} sc3_connection_state;

struct sc3_connection;

/* Those of an engine. */
typedef struct sc3_connections {
  sc3_wait *wait;
  void (*notice_fork)(void *engine); /* called before libcurl is */
  void *engine;
  struct sc3_connection *first;
  size_t connecting;
} sc3_connections;

typedef struct sc3_connection {
  sc3_connection_state state;
  /* Of one that failed: as those of a result (request.h); or "CLOSED" where the other side ended.
   */
  const char *code, *cause;
  char message[256];
  long verify;
  char input[SC3_CONNECTION_INPUT]; /* what was received, and the owner has not taken */
  size_t received;
  sc3_buffer output; /* what is to be sent; the first `sent` bytes of it have left */
  size_t sent;
  int is_sending; /* libcurl was given some of it, and not all has left */

  sc3_connections *set; /* NULL = its engine was freed */
  struct sc3_connection *next, **at;
  CURL *easy;
  sc3_watch watch;
  int no_socket;
  char error[CURL_ERROR_SIZE];
} sc3_connection;

/* Begins to connect to `url`, http://host:port or https://host:port, of which nothing but that is
   used. `timeout`: seconds until it is open. The caller frees it. NULL with `*why` where it cannot
   begin. */
sc3_connection *sc3_connection_new(sc3_connections *set, const char *url, const char *ca_file,
                                   double timeout, const char **why);

/* Closes it, and keeps why it failed. Idempotent. */
void sc3_connection_close(sc3_connection *c);
void sc3_connection_free(sc3_connection *c);

/* Room for `n` bytes to send, which the caller writes; they follow what has room already. NULL
 * where memory is out, or for none. Not while it is sending: TLS may have to be given the same
 * bytes once more at the same address. */
char *sc3_connection_room(sc3_connection *c, size_t n);

/* Bytes that have not left. */
size_t sc3_connection_left(const sc3_connection *c);

/* Sends what can leave without waiting. 0, or -1 where the connection is not open. */
int sc3_connection_send(sc3_connection *c);

/* Receives what is there into `input`, up to its size. 0, or -1 where the connection is not open.
 */
int sc3_connection_receive(sc3_connection *c);

/* Has the engine wait once for bytes that come or for an end, and where `writes` is set for room.
   Only after receiving gave nothing: TLS may hold bytes that no socket shows. */
void sc3_connection_watch(sc3_connection *c, int writes);

/* Whether nothing is waited for: it is not connecting, and something happened since it was watched.
 */
int sc3_connection_is_ready(sc3_connection *c);

/* For the engine. How many are connecting or watched. */
size_t sc3_connections_waiting(const sc3_connections *set);

/* Takes that connecting has ended; 0 where the handle is not one of a connection. */
int sc3_connections_conclude(sc3_connections *set, CURL *easy, CURLcode code);

/* Fails all. `leave`: without a call of libcurl, in a child of fork. */
void sc3_connections_fail(sc3_connections *set, const char *code, const char *message, int leave);

/* The engine ends: closes all, which need it no more. */
void sc3_connections_end(sc3_connections *set, int leave);

#endif
