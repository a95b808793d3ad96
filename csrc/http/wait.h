/* How the engine learns that libcurl has something to do. Two implementations, chosen when
 * building. */
#ifndef SC3_WAIT_H
#define SC3_WAIT_H

#include <curl/curl.h>
#include <stdint.h>

enum { SC3_WATCHES_MOST = 64 };

/* A socket that libcurl does not look after, although it made it. */
typedef struct sc3_watch {
  int fd;
  int armed;  /* the next thing that happens to it is waited for */
  int writes; /* with room to write */
  struct sc3_watch *next, **at;
} sc3_watch;

typedef struct sc3_wait {
  CURLM *multi;
  sc3_watch *watches;
  size_t watch_count, armed_count;
  int epoll, timer; /* -1 where they do not exist */
  int64_t due;      /* when libcurl wants to act although no socket is ready: nanoseconds of the
                       monotonic clock */
  int64_t armed;    /* when the timer makes the descriptor readable */
  int watched;      /* a loop waits on the descriptor; else no timer need be armed */
  unsigned turn;    /* which socket the next step begins with, so that none is always the first */
} sc3_wait;

/* Binds to a multi, or with the same descriptors to another one when the first is gone. 0, or -1
 * when the system refuses descriptors. */
int sc3_wait_open(sc3_wait *w, CURLM *multi);

/* Closes its descriptors; the multi's callbacks must not come any more. Idempotent. */
void sc3_wait_close(sc3_wait *w);

/* Lets libcurl act on what is ready: on all of it, or `gently` on one socket of a few and some of
   many. It ends after some 0.3 ms (a single action may take a millisecond: a handshake of TLS, a
   buffer of an upload); what is left keeps the descriptor readable. `*moved` is set to how often
   libcurl acted (where that is not known, to 1). CURLM_OK, or the multi is to be given up. */
CURLMcode sc3_wait_act(sc3_wait *w, int gently, int *moved);

/* Lets libcurl act on what is due, without a look at sockets: what a new request begins with. As
 * sc3_wait_act(). */
CURLMcode sc3_wait_begin(sc3_wait *w);

/* Takes up a socket, for which nothing is waited yet. 0, or -1 where there are too many, or the
 * system refuses. */
int sc3_wait_add(sc3_wait *w, sc3_watch *watch, int fd);

/* Waits once for what happens to it: bytes to read or an end, and where `writes` is set room to
   write. A step that finds it disarms it. 0, or -1 where the system refuses. */
int sc3_wait_arm(sc3_wait *w, sc3_watch *watch, int writes);

/* Lets go of a socket, before it is closed. Idempotent. */
void sc3_wait_remove(sc3_wait *w, sc3_watch *watch);

/* Makes the descriptor readable at once, for news that no socket brings. */
void sc3_wait_tell(sc3_wait *w);

/* The descriptor that is readable when there is something to act on, or -1. From now on a loop
 * waits on it. */
int sc3_wait_fd(sc3_wait *w);

/* Arms the descriptor's timer, where a loop waits on it. To be called after whatever moved the
 * multi. */
void sc3_wait_keep_armed(sc3_wait *w);

/* Waits until there is something to act on, at most `seconds`, and never longer than a minute at
 * once. */
void sc3_wait_for(sc3_wait *w, double seconds);

/* Seconds until libcurl wants to act although no descriptor was ready; -1 when it does not, or when
   the timer is inside the descriptor. */
double sc3_wait_timeout(const sc3_wait *w);

#endif
