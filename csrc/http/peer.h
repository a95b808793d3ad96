/* How a peer is reached: options that requests and connections of bytes have alike. Inside
 * csrc/http only. */
#ifndef SC3_PEER_H
#define SC3_PEER_H

#include <curl/curl.h>

/* Sockets that children do not inherit. The errno with which one is refused goes to `no_socket`,
   which lives as long as the handle uses it. */
CURLcode sc3_peer_set_socket(CURL *easy, int *no_socket);

/* The certificate is checked, against `ca_file`: a path, certificates as PEM text, or NULL for
   libcurl's own bundle. */
CURLcode sc3_peer_set_certificates(CURL *easy, const char *ca_file);

/* Seconds as libcurl takes them: one millisecond at least. */
long sc3_peer_milliseconds(double seconds);

#endif
