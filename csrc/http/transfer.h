/* One easy handle and what belongs to it. Inside csrc/http only. */
#ifndef SC3_TRANSFER_H
#define SC3_TRANSFER_H

#include <curl/curl.h>
#include <time.h>

#include "request.h"

enum {
  SC3_HEADERS_MAX =
      256 << 10,            /* of all replies to a request: a host may send interim ones for ever */
  SC3_JOINED_MAX = 16 << 10 /* a body of so many bytes is sent as a whole */
};

typedef struct sc3_transfer {
  sc3_result result; /* first, so that the owner's pointer is the transfer's */
  CURL *easy;
  struct curl_slist *headers;
  char error[CURL_ERROR_SIZE];
  struct sc3_transfer *next, **at; /* `at`: what points here, in a list of the engine */
  struct sc3_transfer *peer;       /* in the index of the engine */
  int ended;                       /* its list is that of transfers that have ended */

  /* The body. */
  sc3_slice *body; /* the owner's bytes; the array is ours, and no piece of it is empty */
  size_t body_count, body_capacity;
  curl_off_t total;     /* bytes of it */
  sc3_buffer joined;    /* a small one as a whole: libcurl sends it together with the head */
  size_t piece, offset; /* where the reader stands, */
  size_t taken;         /* and how much it has given */
  curl_off_t gone;      /* the most of it that was ever sent */

  /* The request. */
  int reads;       /* it changes nothing: it may be sent twice */
  int secure;      /* https, where the handshake may choose HTTP/2 */
  uint64_t origin; /* of sc3_origin_of() */
  int begun;       /* libcurl has begun to send it, */
  int again;       /* and would have begun once more, */
  int silent;      /* and had written down no failure by then */
  int fresh;       /* its connection was made for it */
  int local_port;  /* of its connection, which distinguishes it from others */

  /* The reply. */
  int answer;       /* the status of the one that is coming */
  int answered;     /* the head of a final one is complete */
  size_t heads;     /* bytes of all replies' heads, the interim ones too */
  int too_large;    /* more came than is allowed, */
  int no_memory;    /* or than there was memory for */
  curl_off_t moved; /* bytes up and down when something last moved, */
  time_t moved_at;  /* and when that was, by the monotonic clock */

  int no_socket;    /* the errno with which a socket was refused */
  int spoiled;      /* it did not go its whole way undisturbed: the handle must not serve again */
  int http2_failed; /* so did its connection, which no further request may use */
} sc3_transfer;

/* A transfer with an easy handle of its own; NULL when memory is out. `max_response` caps its body.
 */
sc3_transfer *sc3_transfer_new(size_t max_response);

/* Frees it. The handle must not be in a multi. */
void sc3_transfer_free(sc3_transfer *t);

/* Empties it for the next request, which saves making a handle. Not for one that is spoiled. */
void sc3_transfer_recycle(sc3_transfer *t);

#endif
