#include "wait.h"

/* Rounded up, so that waiting for a fraction of a millisecond does not spin. */
static int wait_milliseconds(double seconds) {
  if (!(seconds > 0))
    return 0;
  return seconds >= 60 ? 60000 : (int)(seconds * 1000) + 1;
}

static void link_watch(sc3_wait *w, sc3_watch *watch, int fd) {
  watch->fd = fd;
  watch->armed = watch->writes = 0;
  watch->next = w->watches;
  watch->at = &w->watches;
  if (watch->next != NULL)
    watch->next->at = &watch->next;
  w->watches = watch;
  w->watch_count++;
}

static void disarm(sc3_wait *w, sc3_watch *watch) {
  w->armed_count -= (size_t)watch->armed;
  watch->armed = 0;
}

static void unlink_watch(sc3_wait *w, sc3_watch *watch) {
  disarm(w, watch);
  *watch->at = watch->next;
  if (watch->next != NULL)
    watch->next->at = watch->at;
  watch->at = NULL;
  w->watch_count--;
}

static void note_armed(sc3_wait *w, sc3_watch *watch, int writes) {
  w->armed_count += (size_t)!watch->armed;
  watch->armed = 1;
  watch->writes = writes;
}

#if defined(__linux__) && !defined(SC3_NO_EPOLL)

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SLICE_NS 300000
/* In the data of an event: the socket is one of sc3_wait_add(). */
#define WATCHED ((uint64_t)1 << 63)
enum { EVENTS_MOST = 256, FEW = 16 };

static int64_t now_ns(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* libcurl says which sockets matter. A callback can report no error, so errors are left to its
 * timeouts. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known) {
  sc3_wait *w = user;
  struct epoll_event event;
  (void)easy;
  if (w->epoll < 0)
    return 0;
  memset(&event, 0, sizeof event);
  event.data.u64 = (uint64_t)fd;
  if (what == CURL_POLL_REMOVE) {
    (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, fd, &event);
    (void)curl_multi_assign(w->multi, fd, NULL);
    return 0;
  }
  event.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0u) |
                 (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0u);
  if (known == NULL) {
    if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event) != 0 && errno == EEXIST)
      (void)epoll_ctl(w->epoll, EPOLL_CTL_MOD, fd, &event);
    (void)curl_multi_assign(w->multi, fd, w); /* any pointer: it marks the socket as known */
  } else if (epoll_ctl(w->epoll, EPOLL_CTL_MOD, fd, &event) != 0 && errno == ENOENT) {
    (void)epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event);
  }
  return 0;
}

/* Only notes the time. A request moves its times often, and setting the system's timer each time
 * costs more than the rest of a step. */
static int on_timer(CURLM *multi, long milliseconds, void *user) {
  sc3_wait *w = user;
  (void)multi;
  w->due = milliseconds < 0    ? INT64_MAX
           : milliseconds == 0 ? 0
                               : now_ns() + (int64_t)milliseconds * 1000000;
  return 0;
}

/* Sees to it that the descriptor becomes readable in time. A timer that is armed for earlier stays:
 * it is early once. */
static void arm(sc3_wait *w) {
  struct itimerspec when;
  if (w->due >= w->armed || w->timer < 0)
    return;
  w->armed = w->due;
  memset(&when, 0, sizeof when);
  when.it_value.tv_sec = (time_t)(w->due / 1000000000);
  when.it_value.tv_nsec = (long)(w->due % 1000000000);
  if (w->due == 0)
    when.it_value.tv_nsec = 1; /* at once; all zero would disarm */
  (void)timerfd_settime(w->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

int sc3_wait_open(sc3_wait *w, CURLM *multi) {
  struct epoll_event event;
  w->multi = multi;
  w->due = INT64_MAX;
  if (w->epoll < 0) {
    w->armed = INT64_MAX;
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    memset(&event, 0, sizeof event);
    event.events = EPOLLIN;
    event.data.u64 = (uint64_t)w->timer;
    if (w->epoll < 0 || w->timer < 0 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->timer, &event) != 0) {
      sc3_wait_close(w);
      return -1;
    }
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

/* What is known of a socket may be out of date: libcurl has it in the set while it connects. */
static int set_watch(const sc3_wait *w, int fd, uint32_t events) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = events | (uint32_t)EPOLLONESHOT;
  event.data.u64 = WATCHED | (uint64_t)fd;
  if (epoll_ctl(w->epoll, EPOLL_CTL_MOD, fd, &event) == 0)
    return 0;
  return errno == ENOENT ? epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event) : -1;
}

int sc3_wait_add(sc3_wait *w, sc3_watch *watch, int fd) {
  if (w->watch_count >= SC3_WATCHES_MOST || set_watch(w, fd, 0) != 0)
    return -1;
  link_watch(w, watch, fd);
  return 0;
}

int sc3_wait_arm(sc3_wait *w, sc3_watch *watch, int writes) {
  if (set_watch(w, watch->fd, writes ? EPOLLIN | EPOLLOUT : EPOLLIN) != 0)
    return -1;
  note_armed(w, watch, writes);
  return 0;
}

void sc3_wait_remove(sc3_wait *w, sc3_watch *watch) {
  struct epoll_event event;
  if (watch->at == NULL)
    return;
  memset(&event, 0, sizeof event);
  if (w->epoll >= 0)
    (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, watch->fd, &event);
  unlink_watch(w, watch);
}

/* One shot: whoever sees the event has to take it. Whether it was one of a watch. */
static int take_watched(sc3_wait *w, const struct epoll_event *event) {
  const int fd = (int)(event->data.u64 & ~WATCHED);
  sc3_watch *watch = w->watches;
  if (!(event->data.u64 & WATCHED))
    return 0;
  while (watch != NULL && watch->fd != fd)
    watch = watch->next;
  if (watch != NULL)
    disarm(w, watch);
  return 1;
}

/* Takes those of watches, all of them, and closes the gaps. Gives how many are left. */
static int take_all_watched(sc3_wait *w, struct epoll_event *events, int n) {
  int i, left = 0;
  for (i = 0; i < n; i++) {
    if (!take_watched(w, &events[i]))
      events[left++] = events[i];
  }
  return left;
}

static CURLMcode act_on(sc3_wait *w, const struct epoll_event *event) {
  const int fd = (int)event->data.u64;
  int what = 0, running;
  if (fd == w->timer) {
    uint64_t expirations;
    if (read(w->timer, &expirations, sizeof expirations) > 0)
      w->armed = INT64_MAX;
    return CURLM_OK; /* what is due is seen to apart */
  }
  if (event->events & EPOLLIN)
    what |= CURL_CSELECT_IN;
  if (event->events & EPOLLOUT)
    what |= CURL_CSELECT_OUT;
  if (event->events & (EPOLLERR | EPOLLHUP))
    what |= CURL_CSELECT_ERR;
  return curl_multi_socket_action(w->multi, fd, what, &running);
}

CURLMcode sc3_wait_begin(sc3_wait *w) {
  int running;
  if (w->due > now_ns())
    return CURLM_OK;
  w->due = INT64_MAX;
  return curl_multi_socket_action(w->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

void sc3_wait_tell(sc3_wait *w) {
  w->due = 0;
}

/* One of a few, and more of many: else the last of them would wait long. */
static int gentle_part(int n) {
  return n <= FEW ? n > 0 : 1 + (n - FEW) / 4;
}

CURLMcode sc3_wait_act(sc3_wait *w, int gently, int *moved) {
  struct epoll_event events[EVENTS_MOST];
  int64_t now = now_ns();
  const int64_t end = now + SLICE_NS;
  int actions = w->due <= now, i, n, most;
  CURLMcode code = sc3_wait_begin(w);
  n = code == CURLM_OK ? epoll_wait(w->epoll, events, EVENTS_MOST, 0) : 0;
  if (w->watch_count > 0) {
    const int all = n;
    n = take_all_watched(w, events, n);
    actions += all - n;
  }
  most = gently ? gentle_part(n) : n;
  for (i = 0; i < most && code == CURLM_OK && (i == 0 || now < end); i++) {
    code = act_on(w, &events[(w->turn + (unsigned)i) % (unsigned)n]);
    now = now_ns();
  }
  w->turn += (unsigned)i;
  *moved = actions + i;
  return code;
}

int sc3_wait_fd(sc3_wait *w) {
  w->watched = 1;
  arm(w);
  return w->epoll;
}

void sc3_wait_keep_armed(sc3_wait *w) {
  if (w->watched)
    arm(w);
}

void sc3_wait_for(sc3_wait *w, double seconds) {
  struct epoll_event event;
  const double due = w->due == INT64_MAX ? seconds : (double)(w->due - now_ns()) / 1e9;
  if (epoll_wait(w->epoll, &event, 1, wait_milliseconds(due < seconds ? due : seconds)) > 0)
    (void)take_watched(w, &event);
}

double sc3_wait_timeout(const sc3_wait *w) {
  (void)w;
  return -1; /* the timer is inside the descriptor */
}

#else

#include <poll.h>

int sc3_wait_add(sc3_wait *w, sc3_watch *watch, int fd) {
  if (w->watch_count >= SC3_WATCHES_MOST)
    return -1;
  link_watch(w, watch, fd);
  return 0;
}

int sc3_wait_arm(sc3_wait *w, sc3_watch *watch, int writes) {
  note_armed(w, watch, writes);
  return 0;
}

void sc3_wait_remove(sc3_wait *w, sc3_watch *watch) {
  if (watch->at != NULL)
    unlink_watch(w, watch);
}

/* Disarms those to which something has happened. */
static void look_at_watches(sc3_wait *w) {
  sc3_watch *watch;
  for (watch = w->watches; watch != NULL; watch = watch->next) {
    struct pollfd p = {watch->fd, (short)(watch->writes ? POLLIN | POLLOUT : POLLIN), 0};
    if (watch->armed && poll(&p, 1, 0) > 0)
      disarm(w, watch);
  }
}

int sc3_wait_open(sc3_wait *w, CURLM *multi) {
  w->multi = multi;
  w->epoll = w->timer = -1;
  w->due = w->armed = INT64_MAX;
  return 0;
}

void sc3_wait_close(sc3_wait *w) {
  (void)w;
}

CURLMcode sc3_wait_begin(sc3_wait *w) {
  int running;
  return curl_multi_perform(w->multi, &running);
}

void sc3_wait_tell(sc3_wait *w) {
  (void)w; /* there is no descriptor */
}

CURLMcode sc3_wait_act(sc3_wait *w, int gently, int *moved) {
  (void)gently;
  *moved = 1;
  look_at_watches(w);
  return sc3_wait_begin(w);
}

int sc3_wait_fd(sc3_wait *w) {
  return w->epoll;
}

void sc3_wait_keep_armed(sc3_wait *w) {
  (void)w;
}

void sc3_wait_for(sc3_wait *w, double seconds) {
  struct curl_waitfd also[SC3_WATCHES_MOST];
  const sc3_watch *watch;
  unsigned n = 0;
  for (watch = w->watches; watch != NULL; watch = watch->next) {
    if (!watch->armed)
      continue;
    also[n].fd = watch->fd;
    also[n].events = watch->writes ? CURL_WAIT_POLLIN | CURL_WAIT_POLLOUT : CURL_WAIT_POLLIN;
    also[n++].revents = 0;
  }
  (void)curl_multi_poll(w->multi, also, n, wait_milliseconds(seconds), NULL);
}

double sc3_wait_timeout(const sc3_wait *w) {
  long ms = -1;
  (void)curl_multi_timeout(w->multi, &ms);
  return ms < 0 ? -1 : (double)ms / 1000;
}

#endif
