#include "url.h"

#include <curl/curl.h>
#include <string.h>

/* A part that is not there is NULL. `*missed` where memory was out. */
static char *part(CURLU *u, CURLUPart what, unsigned flags, int *missed) {
  char *value = NULL;
  CURLUcode code = curl_url_get(u, what, &value, flags);
  *missed |= code == CURLUE_OUT_OF_MEMORY;
  return code == CURLUE_OK ? value : NULL;
}

int sc3_url_parse(const char *text, sc3_url *url, const char **why) {
  CURLU *u = curl_url();
  CURLUcode code;
  char *user, *password;
  int missed = 0;
  memset(url, 0, sizeof *url);
  if (u == NULL) {
    *why = NULL;
    return -1;
  }
  code = curl_url_set(u, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK) {
    *why = code == CURLUE_OUT_OF_MEMORY ? NULL : curl_url_strerror(code);
    curl_url_cleanup(u);
    return -1;
  }
  url->scheme = part(u, CURLUPART_SCHEME, 0, &missed);
  url->host = part(u, CURLUPART_HOST, 0, &missed);
  url->port = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, &missed);
  url->path = part(u, CURLUPART_PATH, 0, &missed);
  url->query = part(u, CURLUPART_QUERY, 0, &missed);
  url->fragment = part(u, CURLUPART_FRAGMENT, 0, &missed);
  user = part(u, CURLUPART_USER, 0, &missed);
  password = part(u, CURLUPART_PASSWORD, 0, &missed);
  url->has_user = user != NULL || password != NULL;
  curl_free(user);
  curl_free(password);
  curl_url_cleanup(u);
  if (missed) {
    *why = NULL;
    sc3_url_free(url);
    return -1;
  }
  if (url->host != NULL && url->host[0] == '[') { /* without the brackets of an IPv6 host */
    size_t n = strlen(url->host);
    memmove(url->host, url->host + 1, n - 1);
    url->host[n - 2] = '\0';
  }
  return 0;
}

void sc3_url_free(sc3_url *url) {
  curl_free(url->scheme);
  curl_free(url->host);
  curl_free(url->port);
  curl_free(url->path);
  curl_free(url->query);
  curl_free(url->fragment);
  memset(url, 0, sizeof *url);
}
