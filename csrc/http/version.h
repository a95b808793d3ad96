/* What the libcurl in this process is, and what it can do. */
#ifndef SC3_VERSION_H
#define SC3_VERSION_H

typedef struct sc3_curl_info {
  const char *version;
  const char *ssl;       /* the TLS library; NULL where there is none */
  const char *host;      /* what it was built for */
  const char *ca_bundle; /* the default file of certificates; NULL where it has none */
  int http2, threadsafe;
} sc3_curl_info;

/* The texts live as long as the process. */
sc3_curl_info sc3_curl_info_read(void);

#endif
