/* What is asked of the network, and what came of it. Knows neither libcurl nor Lua. */
#ifndef SC3_REQUEST_H
#define SC3_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "../core/bytes/buffer.h"

/* What holds for all requests of an engine. */
typedef struct sc3_engine_options {
  const char *ca_file;       /* a path, or certificates as PEM text; NULL = libcurl's own bundle */
  const char *user_agent;    /* NULL = none */
  size_t max_response;       /* bytes of a body, decoded */
  long max_host_connections; /* 0 = as many as there are requests */
  double connect_timeout;    /* seconds */
  /* Seconds for which a host is spoken to over HTTP/1.1 when HTTP/2 to it has failed. */
  double http1_after_failure;
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

/* How a transfer ended. */
typedef struct sc3_result {
  uint64_t id;
  /* NULL when a whole reply came; else a short stable name such as "COULDNT_CONNECT". */
  const char *code;
  char message[256];
  long status;        /* 0 where none came */
  sc3_buffer headers; /* lines of the last reply, each with its CRLF */
  sc3_buffer body;
  uint64_t uploaded; /* bytes of bodies handed to the network */
  int body_sent; /* the whole request left libcurl's hands, so the service may have acted on it */
  int early;     /* a reply came before the whole request had left */
  int begun;     /* there was a connection, and the request had begun to leave */
  long proxy_status; /* what a proxy answered to CONNECT, 0 for nothing */
  /* Why the certificate of the host, and that of a proxy, was not accepted: OpenSSL's
     X509_V_ERR_...; 0 for no known reason. */
  long verify, proxy_verify;
  /* Of a failure before a connection: "refused", "unreachable", "timeout", "descriptors"; NULL for
     none of these. */
  const char *cause;
  double seconds;
  int http_version; /* 10, 11, 20, 30; 0 unknown */
  long connections; /* made for it: 0 = a kept one was used */
  char *redirect;   /* where a 3xx points, or NULL */
} sc3_result;

#endif
