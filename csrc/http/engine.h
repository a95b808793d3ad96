/* HTTP over one curl multi, with one descriptor that any event loop can wait for.
 *
 * On Linux a private epoll holds libcurl's sockets and a timerfd for its timer, so the engine is a
 * single readable descriptor. Elsewhere (or with SC3_NO_EPOLL) there is none, and sc3_engine_wait()
 * is curl_multi_poll(). Nothing in here knows Lua: callbacks of libcurl append to C buffers, and
 * the owner collects what has ended after a step.
 */
#ifndef SC3_ENGINE_H
#define SC3_ENGINE_H

#include "connection.h"
#include "request.h"

typedef struct sc3_engine sc3_engine;

/* Makes an engine; libcurl itself is started by the first one of the process and never stopped.
   NULL with `*why` set when libcurl cannot, or memory is out. `options` are copied. */
sc3_engine *sc3_engine_new(const sc3_engine_options *options, const char **why);

/* Ends everything under way without a result. */
void sc3_engine_free(sc3_engine *e);

/* Starts a transfer and gives its id, counted from 1; 0 with `*why` set when it cannot. Its first
   bytes are on their way where there is a connection; nothing blocks. */
uint64_t sc3_engine_submit(sc3_engine *e, const sc3_request *request, const char **why);

/* The id that the next submit will give, so that what it needs can be put in place before. */
uint64_t sc3_engine_next_id(const sc3_engine *e);

/* Moves on what is ready without waiting, and begins nothing more after 0.3 ms. `gently` moves only
 * one transfer of a few, and some of many: for a host that must not handle too many answers at
 * once. What is left keeps the descriptor readable. Gives 0 when there was nothing to do. */
int sc3_engine_step(sc3_engine *e, int gently);

/* Whether a transfer has ended and is not taken. */
int sc3_engine_ended(const sc3_engine *e);

/* Takes the oldest of them, or NULL. The caller owns it until it gives it back: to be the first
   again, or for good with sc3_engine_release(), where `e` is NULL when the engine was freed
   meanwhile. */
sc3_result *sc3_engine_take(sc3_engine *e);
void sc3_engine_put_back(sc3_engine *e, sc3_result *t);
void sc3_engine_release(sc3_engine *e, sc3_result *t);

/* Drops a transfer that is not taken, ended or not; 0 when there is none of that id. */
int sc3_engine_cancel(sc3_engine *e, uint64_t id);

/* Begins a connection, as sc3_connection_new(). It lives until its owner frees it; when the engine
   is freed before, it is closed. */
sc3_connection *sc3_engine_connect(sc3_engine *e, const char *url, double timeout,
                                   const char **why);

/* Transfers submitted and not yet taken or cancelled, and connections that are waited for. */
size_t sc3_engine_count(const sc3_engine *e);

/* Waits until a step may bring news, at most `seconds`; a signal ends it early. */
void sc3_engine_wait(sc3_engine *e, double seconds);

/* The descriptor to wait on for reading, -1 where there is none. Asked for while transfers that
   have ended are not taken, it is readable at once. And the seconds after which a step is due
   although nothing was readable, -1 for none. */
int sc3_engine_fd(sc3_engine *e);
double sc3_engine_timeout(sc3_engine *e);

#endif
