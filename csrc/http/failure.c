#include "failure.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "codes.h"

const char *sc3_failure_name(CURLcode code) {
  switch ((int)code) {
#define X(value, name)                                                                             \
  case value: return name;
    SC3_CURL_CODES(X)
#undef X
    default: return "CURL_ERROR";
  }
}

static int is_out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE;
}

/* Of a name that was not found, and of a file of CA certificates, libcurl does not keep the error:
 * whether descriptors were missing is found by asking for one. */
const char *sc3_failure_cause(CURL *easy, CURLcode code, int no_socket, int begun) {
  long error = 0;
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
      code == CURLE_SSL_CACERT_BADFILE || code == CURLE_OUT_OF_MEMORY) {
    int fd = open("/", O_RDONLY | O_CLOEXEC), missing = fd < 0 && is_out_of_descriptors(errno);
    if (fd >= 0)
      (void)close(fd);
    return missing ? "descriptors" : NULL;
  }
  if (code == CURLE_OPERATION_TIMEDOUT)
    return begun ? NULL : "timeout";
  if (code != CURLE_COULDNT_CONNECT)
    return NULL;
  (void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
  if (is_out_of_descriptors(no_socket) || is_out_of_descriptors((int)error))
    return "descriptors";
  return error == ECONNREFUSED                                                     ? "refused"
         : error == ETIMEDOUT                                                      ? "timeout"
         : error == ENETUNREACH || error == EHOSTUNREACH || error == EADDRNOTAVAIL ? "unreachable"
                                                                                   : NULL;
}
