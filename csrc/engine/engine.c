/* The module scope3.engine: HTTP for Lua. It is apart from scope3.core, so that what sends nothing
 * does not load libcurl. Values are made only after libcurl is done with a transfer. */
#include "../http/engine.h"

#include <string.h>

#include "../lua/arguments.h"
#include "../lua/type.h"
#include "connection.h"
#include "libcurl.h"
#include "request.h"
#include "request_body.h"
#include "result.h"

#define TYPE "scope3.engine"

typedef struct engine_ud {
  sc3_engine *e; /* NULL = closed */
  const sc3l_payload_access *payloads;
} engine_ud;

/* The user value is { [id] = pieces of the body }: what libcurl reads from. */

static sc3_engine *check_engine(lua_State *L) {
  engine_ud *u = luaL_checkudata(L, 1, TYPE);
  if (u->e == NULL)
    sc3l_raise_closed(L, "engine");
  return u->e;
}

/* A number of at least `least` in the field of the table at `index`; `def` when nil. */
static double opt_count(lua_State *L, int index, const char *field, double least, double def) {
  double n = def;
  lua_getfield(L, index, field);
  if (!lua_isnil(L, -1)) {
    if (lua_type(L, -1) != LUA_TNUMBER)
      luaL_error(L, "%s must be a number, not a %s", field, luaL_typename(L, -1));
    n = (double)lua_tonumber(L, -1);
    if (!(n >= least && n <= 2147483647.0))
      luaL_error(L, "%s must be between %d and 2147483647", field, (int)least);
  }
  lua_pop(L, 1);
  return n;
}

/* engine{ ca_file=, user_agent=, max_response = 8 MiB, max_host_connections = 0, connect_timeout =
   10, http1_after_failure = 600 }
   -> engine | nil, message */
static int engine_new(lua_State *L) {
  static const char *const known[] = {
      "ca_file",         "user_agent",          "max_response", "max_host_connections",
      "connect_timeout", "http1_after_failure", NULL,
  };
  sc3_engine_options o;
  const char *why = NULL;
  engine_ud *u;
  if (lua_isnoneornil(L, 1)) {
    lua_settop(L, 0);
    lua_newtable(L);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  sc3l_check_keys(L, 1, known, "engine");
  o.ca_file = sc3l_opt_string(L, 1, "ca_file").p;
  o.user_agent = sc3l_opt_clean(L, 1, "user_agent");
  o.max_response = (size_t)opt_count(L, 1, "max_response", 1, 8 << 20);
  o.max_host_connections = (long)opt_count(L, 1, "max_host_connections", 0, 0);
  o.connect_timeout = sc3l_opt_seconds(L, 1, "connect_timeout", 10);
  o.http1_after_failure = sc3l_opt_seconds(L, 1, "http1_after_failure", 600);
  u = sc3l_new_object(L, sizeof *u, TYPE);
  u->payloads = lua_touserdata(L, lua_upvalueindex(1));
  lua_newtable(L);
  sc3l_setuservalue(L, -2);
  u->e = sc3_engine_new(&o, &why);
  if (u->e != NULL)
    return 1;
  lua_pushnil(L);
  lua_pushstring(L, why);
  return 2;
}

/* :close(): ends all transfers, and releases their bodies. */
static int engine_close(lua_State *L) {
  engine_ud *u = luaL_checkudata(L, 1, TYPE);
  sc3_engine *e = u->e;
  u->e = NULL;
  if (e == NULL)
    return 0;
  sc3_engine_free(e);
  sc3l_getuservalue(L, 1);
  if (lua_istable(L, -1)) /* a closed engine that is still referenced must not keep bodies */
    sc3l_release_all_bodies(L, u->payloads, lua_gettop(L));
  return 0;
}

/* Copies the body of the request at index 2, where it has one. What is copied stays on the stack.
 */
static void read_body(lua_State *L, sc3_request *r, sc3l_body *body) {
  lua_getfield(L, 2, "body");
  if (lua_isnil(L, -1))
    return;
  if (strcmp(r->method, "HEAD") == 0)
    luaL_error(L, "a HEAD request has no body");
  body->pieces = lua_gettop(L);
  body->count = sc3l_copy_body(L, body->payloads);
  body->bytes = lua_newuserdata(L, (body->count + 1) * sizeof *body->bytes);
  r->has_body = 1;
  r->body = body->bytes;
  r->body_count = body->count;
}

/* :submit{ method=, url=, headers=, body=, timeout=, proxy=, no_proxy=, fresh= } -> id | nil,
 * message */
static int engine_submit(lua_State *L) {
  static const char *const known[] = {"method", "url",      "headers", "body", "timeout",
                                      "proxy",  "no_proxy", "fresh",   NULL};
  const char *why = NULL;
  sc3l_request r;
  sc3l_body body;
  sc3_engine *e;
  uint64_t id;
  (void)check_engine(L);
  body.payloads = ((const engine_ud *)lua_touserdata(L, 1))->payloads;
  luaL_checktype(L, 2, LUA_TTABLE);
  sc3l_checkstack(L, SC3L_HEADERS_MAX + 32);
  sc3l_check_keys(L, 2, known, "submit");
  lua_settop(L, 2);
  sc3l_read_request(L, 2, &r);
  sc3l_getuservalue(L, 1);
  body.anchors = lua_gettop(L);
  read_body(L, &r.request, &body);
  e = check_engine(L); /* once more: what ran since may have closed it */
  body.id = sc3_engine_next_id(e);
  if (r.request.has_body)
    sc3l_hold_body(L, &body);
  /* From here on nothing may raise. */
  id = sc3_engine_submit(e, &r.request, &why);
  if (id != 0) {
    sc3l_push_count(L, id);
    return 1;
  }
  sc3l_release_body(L, body.payloads, body.anchors, body.id);
  lua_pushnil(L);
  lua_pushstring(L, why);
  return 2;
}

/* :connect{ url=, timeout = 10 } -> connection | nil, message. The connection holds the engine. */
static int engine_connect(lua_State *L) {
  static const char *const known[] = {"url", "timeout", NULL};
  const char *why = NULL, *url;
  double timeout;
  sc3_connection **place;
  (void)check_engine(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  sc3l_check_keys(L, 2, known, "connect");
  url = sc3l_opt_clean(L, 2, "url");
  if (url == NULL)
    return luaL_error(L, "connect needs a url");
  timeout = sc3l_opt_seconds(L, 2, "timeout", 10);
  place = sc3l_new_connection(L, 1);
  *place =
      sc3_engine_connect(check_engine(L), url, timeout, &why); /* making it may have closed it */
  if (*place != NULL)
    return 1;
  lua_pushnil(L);
  lua_pushstring(L, why);
  return 2;
}

/* (result) -> its table */
static int make_result(lua_State *L) {
  sc3l_push_result(L, lua_touserdata(L, 1));
  return 1;
}

/* :step(gently) moves on what is ready without waiting; gently, one transfer of a few and some of
   many -> true when a result is there to be taken, true when anything moved */
static int engine_step(lua_State *L) {
  sc3_engine *e = check_engine(L);
  int moved = sc3_engine_step(e, lua_toboolean(L, 2));
  lua_pushboolean(L, sc3_engine_ended(e));
  lua_pushboolean(L, moved);
  return 2;
}

/* :result() -> the oldest transfer that has ended, nil when there is none. An error on the way
 * (memory) loses nothing. While its table is made a finalizer may take other results, or close the
 * engine. So the transfer is taken out before, and the engine is looked up again. */
static int engine_result(lua_State *L) {
  sc3_engine *e = check_engine(L);
  const engine_ud *u = lua_touserdata(L, 1);
  sc3_result *t;
  uint64_t id;
  int failed;
  if (!sc3_engine_ended(e))
    return 0;
  lua_settop(L, 1);
  sc3l_checkstack(L, 3);
  sc3l_getuservalue(L, 1);
  lua_pushcfunction(L, make_result); /* may allocate, in Lua 5.1 */
  t = u->e != NULL ? sc3_engine_take(u->e) : NULL;
  if (t == NULL)
    return 0;
  lua_pushlightuserdata(L, t);
  failed = lua_pcall(L, 1, 1, 0) != 0;
  if (failed && u->e != NULL) {
    sc3_engine_put_back(u->e, t);
    return lua_error(L);
  }
  id = t->id;
  sc3_engine_release(u->e, t);
  sc3l_release_body(L, u->payloads, 2, id);
  return failed ? lua_error(L) : 1;
}

/* :wait(seconds): waits until a step may bring news, at most so long. A signal ends it early. */
static int engine_wait(lua_State *L) {
  sc3_engine *e = check_engine(L);
  sc3_engine_wait(e, (double)luaL_checknumber(L, 2));
  return 0;
}

/* :cancel(id) -> whether there was such a transfer: it is dropped, ended or not, and its body
 * released */
static int engine_cancel(lua_State *L) {
  sc3_engine *e = check_engine(L);
  lua_Number n = luaL_checknumber(L, 2);
  uint64_t id = n >= 1 && n <= 9007199254740992.0 ? (uint64_t)n : 0; /* 0 is no transfer's */
  int found = sc3_engine_cancel(e, id);
  if (found) {
    const engine_ud *u = lua_touserdata(L, 1);
    sc3l_getuservalue(L, 1);
    sc3l_release_body(L, u->payloads, lua_gettop(L), id);
  }
  lua_pushboolean(L, found);
  return 1;
}

/* :count() -> transfers that were submitted, and neither taken nor cancelled; and connections that
 * are waited for */
static int engine_count(lua_State *L) {
  sc3l_push_count(L, sc3_engine_count(check_engine(L)));
  return 1;
}

/* :pollfd() -> the descriptor that is readable when a step is due; nil where there is none. This
 * and the next two have the meaning that cqueues gives them. */
static int engine_pollfd(lua_State *L) {
  int fd = sc3_engine_fd(check_engine(L));
  if (fd < 0)
    return 0;
  lua_pushinteger(L, fd);
  return 1;
}

/* :events() -> "r": what to wait for on the descriptor */
static int engine_events(lua_State *L) {
  (void)check_engine(L);
  lua_pushliteral(L, "r");
  return 1;
}

/* :timeout() -> seconds after which a step is due although nothing was readable; nil for none */
static int engine_timeout(lua_State *L) {
  double seconds = sc3_engine_timeout(check_engine(L));
  if (seconds < 0)
    return 0;
  lua_pushnumber(L, seconds);
  return 1;
}

/* Pushes what this module does with payloads; raises where scope3.core does not bring it. */
static void push_access(lua_State *L) {
  const sc3l_payload_access *payloads;
  lua_getglobal(L, "require");
  lua_pushliteral(L, "scope3.core");
  lua_call(L, 1, 0);
  lua_getfield(L, LUA_REGISTRYINDEX, SC3L_PAYLOAD_ACCESS);
  payloads = lua_touserdata(L, -1);
  if (payloads == NULL)
    luaL_error(L, "scope3.engine found no scope3.core of its own version: install them together");
  if (payloads->version != SC3L_PAYLOAD_ACCESS_VERSION)
    luaL_error(L, "scope3.engine and scope3.core are of two versions: install them together");
}

SC3L_EXPORT int luaopen_scope3_engine(lua_State *L);

SC3L_EXPORT int luaopen_scope3_engine(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"cancel", engine_cancel},
      {"connect", engine_connect},
      {"count", engine_count},
      {"events", engine_events},
      {"pollfd", engine_pollfd},
      {"result", engine_result},
      {"step", engine_step},
      {"submit", engine_submit},
      {"timeout", engine_timeout},
      {"wait", engine_wait},
      {NULL, NULL},
  };
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = engine_close};
  sc3l_check_version(L);
  sc3l_new_type(L, &type);
  sc3l_open_connection(L);
  lua_createtable(L, 0, 3);
  push_access(L);
  lua_pushcclosure(L, engine_new, 1);
  lua_setfield(L, -2, "engine");
  sc3l_open_libcurl(L);
  return 1;
}
