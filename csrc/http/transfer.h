/* One easy handle and what belongs to it. Inside csrc/http only. */
#ifndef SC3_TRANSFER_H
#define SC3_TRANSFER_H

#include <curl/curl.h>

#include "engine.h"

typedef struct transfer {
  sc3_transfer pub; /* first, so that the owner's pointer is the transfer's */
  CURL *easy;
  struct curl_slist *headers;
  sc3_slice *body; /* the owner's bytes; the array is ours, and no piece of it is empty */
  size_t body_count, body_capacity;
  size_t piece, offset; /* where the reader stands */
  sc3_buffer joined;    /* a small body as a whole, which libcurl sends together with the request's head */
  int reads;            /* the request changes nothing: it may be sent twice */
  int begun, again;     /* libcurl has begun to send it, and would have begun once more */
  int too_large;
  char error[CURL_ERROR_SIZE];
  struct transfer *next;
} transfer;

/* A transfer with an easy handle of its own; NULL when memory is out. `max_response` caps its body. */
transfer *transfer_new(size_t max_response);

/* Frees it. The handle must not be in a multi. */
void transfer_free(transfer *t);

/* Sets everything for a request. 0, or -1 with `*why`. */
int transfer_prepare(transfer *t, const sc3_engine_options *o, const sc3_request *r, const char **why);

/* Writes down how it ended. */
void transfer_conclude(transfer *t, CURLcode code);

/* The same for an end that libcurl does not know of. */
void transfer_fail(transfer *t, const char *code, const char *message);

/* Empties it for the next request, which saves making a handle. */
void transfer_recycle(transfer *t);

#endif
