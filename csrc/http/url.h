/* URLs, by libcurl's own parser. */
#ifndef SC3_URL_H
#define SC3_URL_H

typedef struct sc3_url {
  char *scheme, *host, *port, *path, *query,
      *fragment; /* NULL where there is none; an IPv6 host stands without brackets */
  int has_user;  /* a user name or password is in it */
} sc3_url;

/* Takes `text` apart; 0 on success, else `*why` says what is wrong (a static string). Free the
 * parts in either case. */
int sc3_url_parse(const char *text, sc3_url *url, const char **why);
void sc3_url_free(sc3_url *url);

#endif
