/* HTTP over one curl multi, behind one descriptor that any event loop can wait for.
 *
 * On Linux a private epoll holds libcurl's sockets and a timerfd for its timer, so the engine is a
 * single readable descriptor. Elsewhere (or with SC3_NO_EPOLL) there is none, and sc3_engine_wait()
 * is curl_multi_poll(). Nothing in here knows Lua: callbacks of libcurl append to C buffers, and
 * the owner collects what has ended after a step.
 */
#ifndef SC3_ENGINE_H
#define SC3_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "../core/bytes/buffer.h"

typedef struct sc3_engine sc3_engine;

typedef struct sc3_engine_options {
  const char *ca_file;        /* a path, or certificates as PEM text; NULL = libcurl's own bundle */
  const char *user_agent;     /* NULL = none */
  size_t max_response;        /* bytes of a body, decoded */
  long max_host_connections;  /* 0 = as many as there are requests */
  double connect_timeout;     /* seconds */
  double http1_after_failure; /* seconds for which a host is spoken to over HTTP/1.1 when HTTP/2 to
                                 it has failed */
} sc3_engine_options;

typedef struct sc3_request {
  const char *method; /* GET, POST or another */
  const char *url;
  const char *const *headers; /* "Name: value" */
  size_t header_count;
  const sc3_slice *body; /* sent one after the other; borrowed until the transfer has ended */
  size_t body_count;
  int has_body;
  double timeout;       /* seconds for all of it, from name to last byte */
  const char *proxy;    /* "" = none; the environment is never read */
  const char *no_proxy; /* hosts that go without, or NULL */
  int fresh;            /* over a connection of its own: what a failed request is sent again over */
} sc3_request;

/* A transfer that has ended. */
typedef struct sc3_transfer {
  uint64_t id;
  const char
      *code; /* NULL when a whole reply came; else a short stable name such as "COULDNT_CONNECT" */
  char message[256];
  long status;        /* 0 where none came */
  sc3_buffer headers; /* lines of the last reply, each with its CRLF */
  sc3_buffer body;
  uint64_t uploaded; /* bytes of bodies handed to the network */
  int body_sent; /* the whole request left libcurl's hands, so the service may have acted on it */
  int early;     /* a reply came before the whole request had left */
  int begun;     /* there was a connection, and the request had begun to leave */
  long proxy_status; /* what a proxy answered to CONNECT, 0 for nothing */
  long verify;       /* why the certificate of the host was not taken
    (OpenSSL's X509_V_ERR_...), 0 for no known reason, */
  long proxy_verify; /* and why that of a proxy was not */
  const char *cause; /* of a failure before a connection: "refused", "unreachable", "timeout",
    "descriptors"; NULL for none of these */
  double seconds;
  int http_version; /* 10, 11, 20, 30; 0 unknown */
  long connections; /* made for it: 0 = a kept one was used */
  char *redirect;   /* where a 3xx points, or NULL */
} sc3_transfer;

/* Makes an engine; libcurl itself is started by the first one of the process and never stopped.
   NULL with `*why` set when libcurl cannot, or memory is out. `options` are copied. */
sc3_engine *sc3_engine_new(const sc3_engine_options *options, const char **why);

/* Ends everything under way without a result. */
void sc3_engine_free(sc3_engine *e);

/* Starts a transfer and gives its id, counted from 1; 0 with `*why` set when it cannot. Its first
   bytes are on their way where there is a connection; nothing blocks. */
uint64_t sc3_engine_submit(sc3_engine *e, const sc3_request *request, const char **why);

/* The id that the next submit will give, so that what it needs can be put in place before. */
uint64_t sc3_engine_next_id(const sc3_engine *e);

/* Moves on what is ready without waiting, and begins nothing more after 0.3 ms; `gently` only one
   transfer of a few and some of many, for a host to which the answers that come at once are too
   much in one go. What is left keeps the descriptor readable. Gives 0 when there was nothing to do.
 */
int sc3_engine_step(sc3_engine *e, int gently);

/* Whether a transfer has ended and is not taken. */
int sc3_engine_ended(const sc3_engine *e);

/* Takes the oldest of them, or NULL. The caller owns it until it gives it back: to be the first
   again, or for good with sc3_engine_release(), where `e` is NULL when the engine was freed
   meanwhile. */
sc3_transfer *sc3_engine_take(sc3_engine *e);
void sc3_engine_put_back(sc3_engine *e, sc3_transfer *t);
void sc3_engine_release(sc3_engine *e, sc3_transfer *t);

/* Drops a transfer that is not taken, ended or not; 0 when there is none of that id. */
int sc3_engine_cancel(sc3_engine *e, uint64_t id);

/* Transfers submitted and not yet taken or cancelled. */
size_t sc3_engine_count(const sc3_engine *e);

/* Waits until a step may bring news, at most `seconds`; a signal ends it early. */
void sc3_engine_wait(sc3_engine *e, double seconds);

/* The descriptor to wait on for reading, -1 where there is none. Asked for while transfers that
   have ended are not taken, it is readable at once. And the seconds after which a step is due
   although nothing was readable, -1 for none. */
int sc3_engine_fd(sc3_engine *e);
double sc3_engine_timeout(sc3_engine *e);

#endif
