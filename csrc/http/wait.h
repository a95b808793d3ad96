/* How the engine learns that libcurl has something to do. Two implementations, chosen when building. */
#ifndef SC3_WAIT_H
#define SC3_WAIT_H

#include <curl/curl.h>

typedef struct sc3_wait {
  CURLM *multi;
  int epoll, timer; /* -1 where they do not exist */
} sc3_wait;

/* Binds to a multi. 0, or -1 when the system refuses descriptors. */
int sc3_wait_open(sc3_wait *w, CURLM *multi);

/* Closes its descriptors; the multi's callbacks must not come any more. Idempotent. */
void sc3_wait_close(sc3_wait *w);

/* Lets libcurl act on what is ready, at most about `most` descriptors; `*moved` is set to how many were (where that is not known, to 1). CURLM_OK, or
   the multi is to be given up. */
CURLMcode sc3_wait_act(sc3_wait *w, int most, int *moved);

/* Waits until there is something to act on, at most `seconds`, and never longer than a minute at once. */
void sc3_wait_for(sc3_wait *w, double seconds);

/* Seconds until libcurl wants to act although no descriptor was ready; -1 when it does not, or when the
   timer is inside the descriptor. */
double sc3_wait_timeout(const sc3_wait *w);

#endif
