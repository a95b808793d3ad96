/* What a failure of libcurl is called, and why no connection came about. Inside csrc/http only. */
#ifndef SC3_FAILURE_H
#define SC3_FAILURE_H

#include <curl/curl.h>

/* A short stable name such as "COULDNT_CONNECT". */
const char *sc3_failure_name(CURLcode code);

/* Why there was no connection, as far as the system says: "refused", "unreachable", "timeout",
   "descriptors"; NULL for none of these. `no_socket` is the errno with which a socket was refused,
   `begun` whether there was a connection. */
const char *sc3_failure_cause(CURL *easy, CURLcode code, int no_socket, int begun);

#endif
