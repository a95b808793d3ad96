#include "version.h"

#include <curl/curl.h>

sc3_curl_info sc3_curl_info_read(void) {
  const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
  sc3_curl_info info;
  info.version = v->version;
  info.ssl = v->ssl_version;
  info.host = v->host;
  info.ca_bundle = v->cainfo;
  info.http2 = (v->features & CURL_VERSION_HTTP2) != 0;
  info.threadsafe = (v->features & CURL_VERSION_THREADSAFE) != 0;
  return info;
}
