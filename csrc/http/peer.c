#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

static curl_socket_t on_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *a) {
#ifdef SOCK_CLOEXEC
  curl_socket_t fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
#else
  curl_socket_t fd = socket(a->family, a->socktype, a->protocol);
  if (fd >= 0)
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
  (void)purpose;
  if (fd < 0)
    *(int *)user = errno;
  return fd;
}

CURLcode sc3_peer_set_socket(CURL *easy, int *no_socket) {
  const CURLcode bad = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  return bad != CURLE_OK ? bad : curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, no_socket);
}

static CURLcode set_ca(CURL *easy, const char *ca_file) {
  if (ca_file == NULL)
    return CURLE_OK;
  if (strstr(ca_file, "-----BEGIN CERTIFICATE-----") != NULL) {
    struct curl_blob certificates;
    certificates.data = (char *)ca_file; /* libcurl copies it */
    certificates.len = strlen(ca_file);
    certificates.flags = CURL_BLOB_COPY;
    return curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &certificates);
  }
  return curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
}

CURLcode sc3_peer_set_certificates(CURL *easy, const char *ca_file) {
  const CURLcode peer = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  const CURLcode host = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  const CURLcode ca = set_ca(easy, ca_file);
  /* A CA directory besides the bundle turns off libcurl's cache of parsed bundles: 30 ms a
     connection on Debian. TLS libraries that know no directory refuse the option, which is as good.
   */
  (void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
  return peer != CURLE_OK ? peer : host != CURLE_OK ? host : ca;
}

long sc3_peer_milliseconds(double seconds) {
  double ms = seconds * 1000;
  return ms < 1 ? 1 : ms > 2147483647.0 ? 2147483647L : (long)ms;
}
