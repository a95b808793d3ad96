#include "wait.h"

/* Rounded up, so that waiting for a fraction of a millisecond does not spin. */
static int wait_milliseconds(double seconds) {
  if (!(seconds > 0))
    return 0;
  return seconds >= 60 ? 60000 : (int)(seconds * 1000) + 1;
}

#if defined(__linux__) && !defined(SC3_NO_EPOLL)

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* libcurl says which sockets matter. Errors are left to its timeouts: a callback has nobody to tell. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known) {
  sc3_wait *w = user;
  struct epoll_event event;
  (void)easy;
  if (w->epoll < 0)
    return 0;
  memset(&event, 0, sizeof event);
  event.data.fd = fd;
  if (what == CURL_POLL_REMOVE) {
    (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, fd, &event);
    (void)curl_multi_assign(w->multi, fd, NULL);
    return 0;
  }
  event.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0u) | (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0u);
  if (known == NULL) {
    if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event) != 0 && errno == EEXIST)
      (void)epoll_ctl(w->epoll, EPOLL_CTL_MOD, fd, &event);
    (void)curl_multi_assign(w->multi, fd, w); /* any pointer: it marks the socket as known */
  } else if (epoll_ctl(w->epoll, EPOLL_CTL_MOD, fd, &event) != 0 && errno == ENOENT) {
    (void)epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event);
  }
  return 0;
}

static int on_timer(CURLM *multi, long milliseconds, void *user) {
  sc3_wait *w = user;
  struct itimerspec when;
  (void)multi;
  if (w->timer < 0)
    return 0;
  memset(&when, 0, sizeof when); /* all zero disarms */
  if (milliseconds >= 0) {
    when.it_value.tv_sec = milliseconds / 1000;
    when.it_value.tv_nsec = milliseconds % 1000 * 1000000;
    if (milliseconds == 0)
      when.it_value.tv_nsec = 1; /* at once; acting from inside the callback would recurse */
  }
  (void)timerfd_settime(w->timer, 0, &when, NULL);
  return 0;
}

int sc3_wait_open(sc3_wait *w, CURLM *multi) {
  struct epoll_event event;
  w->multi = multi;
  w->epoll = epoll_create1(EPOLL_CLOEXEC);
  w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  memset(&event, 0, sizeof event);
  event.events = EPOLLIN;
  event.data.fd = w->timer;
  if (w->epoll < 0 || w->timer < 0 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->timer, &event) != 0) {
    sc3_wait_close(w);
    return -1;
  }
  (void)curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  (void)curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, w);
  (void)curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  (void)curl_multi_setopt(multi, CURLMOPT_TIMERDATA, w);
  return 0;
}

void sc3_wait_close(sc3_wait *w) {
  if (w->epoll >= 0)
    (void)close(w->epoll);
  if (w->timer >= 0)
    (void)close(w->timer);
  w->epoll = w->timer = -1;
}

CURLMcode sc3_wait_act(sc3_wait *w, int most, int *moved) {
  struct epoll_event events[64];
  CURLMcode code = CURLM_OK;
  int i, n, running;
  n = epoll_wait(w->epoll, events, most < 64 ? most : 64, 0);
  *moved = n > 0 ? n : 0;
  for (i = 0; i < n && code == CURLM_OK; i++) {
    int fd = events[i].data.fd, what = 0;
    if (fd == w->timer) {
      uint64_t expirations;
      if (read(w->timer, &expirations, sizeof expirations) > 0)
        code = curl_multi_socket_action(w->multi, CURL_SOCKET_TIMEOUT, 0, &running);
      continue;
    }
    if (events[i].events & EPOLLIN)
      what |= CURL_CSELECT_IN;
    if (events[i].events & EPOLLOUT)
      what |= CURL_CSELECT_OUT;
    if (events[i].events & (EPOLLERR | EPOLLHUP))
      what |= CURL_CSELECT_ERR;
    code = curl_multi_socket_action(w->multi, fd, what, &running);
  }
  return code;
}

void sc3_wait_for(sc3_wait *w, double seconds) {
  struct epoll_event event;
  (void)epoll_wait(w->epoll, &event, 1, wait_milliseconds(seconds));
}

double sc3_wait_timeout(const sc3_wait *w) {
  (void)w;
  return -1; /* the timer is inside the descriptor */
}

#else

int sc3_wait_open(sc3_wait *w, CURLM *multi) {
  w->multi = multi;
  w->epoll = w->timer = -1;
  return 0;
}

void sc3_wait_close(sc3_wait *w) {
  (void)w;
}

CURLMcode sc3_wait_act(sc3_wait *w, int most, int *moved) {
  int running;
  (void)most;
  *moved = 1;
  return curl_multi_perform(w->multi, &running);
}

void sc3_wait_for(sc3_wait *w, double seconds) {
  (void)curl_multi_poll(w->multi, NULL, 0, wait_milliseconds(seconds), NULL);
}

double sc3_wait_timeout(const sc3_wait *w) {
  long ms = -1;
  (void)curl_multi_timeout(w->multi, &ms);
  return ms < 0 ? -1 : (double)ms / 1000;
}

#endif
