/* One easy handle and what belongs to it. Inside csrc/http only. */
#ifndef SC3_TRANSFER_H
#define SC3_TRANSFER_H

#include <curl/curl.h>
#include <time.h>

#include "engine.h"

typedef struct transfer {
  sc3_transfer pub; /* first, so that the owner's pointer is the transfer's */
  CURL *easy;
  struct curl_slist *headers;
  sc3_slice *body; /* the owner's bytes; the array is ours, and no piece of it is empty */
  size_t body_count, body_capacity;
  curl_off_t total;     /* bytes of it */
  size_t piece, offset; /* where the reader stands, */
  size_t taken;         /* and how much it has given */
  sc3_buffer
      joined; /* a small body as a whole, which libcurl sends together with the request's head */
  int reads;  /* the request changes nothing: it may be sent twice */
  int begun, again;      /* libcurl has begun to send it, and would have begun once more */
  int fresh, local_port; /* its connection was made for it, and what tells it from others */
  int silent;            /* libcurl would have begun once more, and had written down no failure */
  uint64_t origin;       /* of sc3_origin_of() */
  int secure;            /* https, where the handshake may choose HTTP/2 */
  int answer, answered;  /* the status of the reply that is coming, and whether the head of a final
                            one is complete */
  curl_off_t gone;       /* the most that was ever sent of the body */
  curl_off_t moved;      /* bytes up and down when something last moved, */
  time_t moved_at;       /* and when that was, by the monotonic clock */
  size_t heads;          /* bytes of all replies' heads, the interim ones too */
  int no_socket;         /* the errno with which a socket was refused */
  int too_large;
  int spoiled;      /* it did not go its whole way undisturbed: the handle must not serve again */
  int http2_failed; /* so did its connection, which may carry others: no further request may use it
                     */
  char error[CURL_ERROR_SIZE];
  struct transfer *next;
} transfer;

/* A transfer with an easy handle of its own; NULL when memory is out. `max_response` caps its body.
 */
transfer *sc3_transfer_new(size_t max_response);

/* Frees it. The handle must not be in a multi. */
void sc3_transfer_free(transfer *t);

/* Sets everything for a request, over HTTP/1.1 where `http1` says so. 0, or -1 with `*why`. */
int sc3_transfer_prepare(transfer *t, const sc3_engine_options *o, const sc3_request *r, int http1,
                         const char **why);

/* Writes down how it ended. `multiplexed`: its connection was one of HTTP/2 for certain. */
void sc3_transfer_conclude(transfer *t, CURLcode code, int multiplexed);

/* The same for an end that libcurl does not know of. */
void sc3_transfer_fail(transfer *t, const char *code, const char *message);

/* Empties it for the next request, which saves making a handle. Not for one that is spoiled. */
void sc3_transfer_recycle(transfer *t);

#endif
