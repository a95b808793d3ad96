/* "scope3.engine": HTTP for Lua. Values are built only after libcurl is done with a transfer. */
#include "../core/bytes/ascii.h"
#include "../http/engine.h"

#include <stdlib.h>

#include "payload.h"

enum { PIECES_MAX = 4096, HEADERS_MAX = 64 };

typedef struct engine_ud {
  sc3_engine *e; /* NULL = closed */
} engine_ud;

/* The user value is { [id] = pieces of the body }: what libcurl reads from. The pieces are copies
   that Lua code cannot reach, so that nobody can take a payload out of one before it is unpinned.
 */

static sc3_engine *check_engine(lua_State *L) {
  engine_ud *u = luaL_checkudata(L, 1, SC3_TYPE_ENGINE);
  if (u->e == NULL)
    sc3_closed(L, "engine");
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

/* A string field that is written into a request, where a control character could start a line of
   its own. It may hold a secret, so it is never shown. It stays on the stack. */
static const char *opt_clean(lua_State *L, int index, const char *field) {
  sc3_slice s = sc3_fieldslice(L, index, field);
  size_t i;
  for (i = 0; i < s.n; i++) {
    if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127)
      luaL_error(L, "%s holds a control character", field);
  }
  return s.p;
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
  sc3_knownkeys(L, 1, known, "engine");
  o.ca_file = sc3_fieldslice(L, 1, "ca_file").p;
  o.user_agent = opt_clean(L, 1, "user_agent");
  o.max_response = (size_t)opt_count(L, 1, "max_response", 1, 8 << 20);
  o.max_host_connections = (long)opt_count(L, 1, "max_host_connections", 0, 0);
  o.connect_timeout = sc3_optseconds(L, 1, "connect_timeout", 10);
  o.http1_after_failure = sc3_optseconds(L, 1, "http1_after_failure", 600);
  u = sc3_newuserdata(L, sizeof *u);
  u->e = NULL;
  luaL_getmetatable(L, SC3_TYPE_ENGINE);
  lua_setmetatable(L, -2);
  lua_newtable(L);
  sc3_setuservalue(L, -2);
  u->e = sc3_engine_new(&o, &why);
  if (u->e != NULL)
    return 1;
  lua_pushnil(L);
  lua_pushstring(L, why);
  return 2;
}

/* Unpins the pieces of the table on top, and pops it. */
static void unpin_pieces(lua_State *L) {
  size_t i, n = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, -1, (int)i);
    sc3_unpinpiece(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* Lets go of a request's body: the user value is at `anchors`. An int is too small for ids. */
static void forget_body(lua_State *L, int anchors, uint64_t id) {
  sc3_pushcount(L, id);
  lua_rawget(L, anchors);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  unpin_pieces(L);
  sc3_pushcount(L, id);
  lua_pushnil(L);
  lua_rawset(L, anchors);
}

static int engine_close(lua_State *L) {
  engine_ud *u = luaL_checkudata(L, 1, SC3_TYPE_ENGINE);
  sc3_engine *e = u->e;
  u->e = NULL;
  if (e == NULL)
    return 0;
  sc3_engine_free(e);
  sc3_getuservalue(L, 1);
  if (lua_istable(L, -1)) {
    int anchors = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, anchors) != 0) {
      unpin_pieces(L);
      lua_pushvalue(L, -1);
      lua_pushnil(L);
      lua_rawset(L, anchors); /* a closed engine that somebody keeps must not keep bodies */
    }
  }
  return 0;
}

/* A header line must not be able to become two. The value may be a key, so it is never shown. */
static const char *check_header(lua_State *L, int index) {
  size_t n, i;
  const char *line;
  if (lua_type(L, index) != LUA_TSTRING)
    luaL_error(L, "headers must be strings, not a %s", luaL_typename(L, index));
  line = lua_tolstring(L, index, &n);
  for (i = 0; i < n; i++) {
    if (line[i] == '\r' || line[i] == '\n' || line[i] == '\0')
      luaL_error(L, "a header holds a line end or a NUL byte");
  }
  if (memchr(line, ':', n) == NULL)
    luaL_error(L, "a header has no colon");
  return line;
}

/* Replaces the body at the top of the stack, a string or an array of pieces, by a table of pieces
   of our own, and gives their number. Raises where a piece is none. */
static size_t copy_pieces(lua_State *L) {
  size_t i, n = 1;
  int from = lua_gettop(L), whole = lua_type(L, from) == LUA_TSTRING, to, part;
  if (!whole) {
    if (lua_type(L, from) != LUA_TTABLE)
      luaL_error(L, "body must be a string or an array of pieces, not a %s",
                 luaL_typename(L, from));
    n = lua_rawlen(L, from);
  }
  if (n > PIECES_MAX)
    luaL_error(L, "a body has at most %d pieces", (int)PIECES_MAX);
  lua_createtable(L, (int)n, 0);
  to = lua_gettop(L);
  for (i = 0; i < n; i++) {
    sc3_slice checked;
    if (whole)
      lua_pushvalue(L, from);
    else
      lua_rawgeti(L, from, (int)i + 1);
    sc3_checkpiece(L, -1, &checked);
    if (lua_istable(L, -1)) {
      lua_createtable(L, 4, 0);
      for (part = 1; part <= 4; part++) {
        lua_rawgeti(L, -2, part);
        lua_rawseti(L, -2, part);
      }
      lua_replace(L, -2);
    }
    lua_rawseti(L, to, (int)i + 1);
  }
  lua_replace(L, from);
  return n;
}

/* Says where the bytes of the `n` copied pieces at `body` are, pins them, and anchors them under
   `id` in the table at `anchors`. All or nothing when it raises. Making the copies may have run a
   finalizer, and so any Lua code; from the look at the bytes on nothing in here lets the collector
   take a step. */
static void hold_body(lua_State *L, int anchors, uint64_t id, int body, size_t n,
                      sc3_slice *bytes) {
  size_t i;
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, body, (int)i + 1);
    sc3_checkpiece(L, -1, &bytes[i]);
    lua_pop(L, 1);
  }
  sc3_pushcount(L, id);
  lua_pushvalue(L, body);
  lua_rawset(L, anchors);
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, body, (int)i + 1);
    sc3_pinpiece(L, -1);
    lua_pop(L, 1);
  }
}

/* A method is a token (RFC 9110 section 9.1), here of letters alone: anything else could write
   lines of its own into the request. */
static const char *check_method(lua_State *L) {
  sc3_slice s = sc3_fieldslice(L, 2, "method");
  size_t i;
  for (i = 0; i < s.n; i++) {
    if (!sc3_ascii_is_letter(s.p[i]))
      break;
  }
  if (s.n == 0 || i < s.n)
    luaL_error(L, "method must be a word of letters");
  return s.p;
}

/* :submit{ method=, url=, headers=, body=, timeout=, proxy=, no_proxy=, fresh= } -> id | nil,
 * message */
static int engine_submit(lua_State *L) {
  static const char *const known[] = {"method", "url",      "headers", "body", "timeout",
                                      "proxy",  "no_proxy", "fresh",   NULL};
  sc3_engine *e = check_engine(L);
  const char *headers[HEADERS_MAX], *why = NULL;
  sc3_request r;
  uint64_t id;
  size_t i;
  int anchors;
  luaL_checktype(L, 2, LUA_TTABLE);
  sc3_checkstack(L, HEADERS_MAX + 32);
  sc3_knownkeys(L, 2, known, "submit");
  lua_settop(L, 2);
  memset(&r, 0, sizeof r);
  r.method = check_method(L);
  r.url = opt_clean(L, 2, "url");
  r.proxy = sc3_fieldslice(L, 2, "proxy").p;
  r.no_proxy = sc3_fieldslice(L, 2, "no_proxy").p;
  r.timeout = sc3_optseconds(L, 2, "timeout", 60);
  if (r.url == NULL)
    return luaL_error(L, "submit needs a url");
  lua_getfield(L, 2, "fresh");
  r.fresh = lua_toboolean(L, -1);
  lua_pop(L, 1);
  lua_getfield(L, 2, "headers");
  if (!lua_isnil(L, -1)) {
    int list = lua_gettop(L);
    luaL_checktype(L, list, LUA_TTABLE);
    r.header_count = lua_rawlen(L, list);
    if (r.header_count > HEADERS_MAX)
      return luaL_error(L, "a request has at most %d headers", (int)HEADERS_MAX);
    for (i = 0; i < r.header_count; i++) {
      lua_rawgeti(L, list, (int)i + 1);
      headers[i] = check_header(L, -1); /* stays on the stack until libcurl has its copy */
    }
  }
  r.headers = headers;
  sc3_getuservalue(L, 1);
  anchors = lua_gettop(L);
  lua_getfield(L, 2, "body");
  if (!lua_isnil(L, -1)) {
    sc3_slice *bytes;
    int body = lua_gettop(L);
    if (strcmp(r.method, "HEAD") == 0)
      return luaL_error(L, "a HEAD request has no body");
    r.has_body = 1;
    r.body_count = copy_pieces(L);
    bytes = lua_newuserdata(L, (r.body_count + 1) * sizeof *bytes);
    r.body = bytes;
    e = check_engine(L); /* once more: whatever ran since may have closed it */
    hold_body(L, anchors, sc3_engine_next_id(e), body, r.body_count, bytes);
    /* From here on nothing may raise. */
  }
  e = check_engine(L);
  id = sc3_engine_submit(e, &r, &why);
  if (id == 0) {
    forget_body(L, anchors, sc3_engine_next_id(e));
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
  }
  sc3_pushcount(L, id);
  return 1;
}

/* Adds header lines to the table on top: lowercase names; a repeated one becomes an array. */
static void push_headers(lua_State *L, const sc3_buffer *b) {
  const char *p = b->p, *end = p != NULL ? p + b->n : NULL;
  lua_newtable(L);
  while (p < end) {
    const char *line_end = memchr(p, '\n', (size_t)(end - p)), *colon, *value, *last;
    char name[256];
    size_t i, n;
    if (line_end == NULL)
      line_end = end;
    colon = memchr(p, ':', (size_t)(line_end - p));
    last = line_end;
    while (last > p && (last[-1] == '\r' || last[-1] == ' ' || last[-1] == '\t'))
      last--;
    n = colon != NULL ? (size_t)(colon - p) : 0;
    if (line_end - p > 5 && memcmp(p, "HTTP/", 5) == 0)
      n = 0; /* the status line, whose phrase may hold a colon */
    if (n > 0 && n < sizeof name && colon < last + 1) {
      for (i = 0; i < n; i++)
        name[i] = sc3_ascii_to_lower(p[i]);
      for (value = colon + 1; value < last && (*value == ' ' || *value == '\t'); value++)
        continue;
      lua_pushlstring(L, name, n);
      lua_pushvalue(L, -1);
      lua_rawget(L, -3);
      if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushlstring(L, value, value < last ? (size_t)(last - value) : 0);
      } else {
        if (lua_type(L, -1) == LUA_TSTRING) {
          lua_createtable(L, 2, 0);
          lua_insert(L, -2);
          lua_rawseti(L, -2, 1);
        }
        lua_pushlstring(L, value, value < last ? (size_t)(last - value) : 0);
        lua_rawseti(L, -2, (int)lua_rawlen(L, -2) + 1);
      }
      lua_rawset(L, -3);
    }
    p = line_end + 1;
  }
}

/* (transfer) -> its table */
static int make_result(lua_State *L) {
  const sc3_transfer *t = lua_touserdata(L, 1);
  lua_createtable(L, 0, 12);
  sc3_pushcount(L, t->id);
  lua_setfield(L, -2, "id");
  if (t->status > 0) {
    lua_pushinteger(L, (lua_Integer)t->status);
    lua_setfield(L, -2, "status");
  }
  push_headers(L, &t->headers);
  lua_setfield(L, -2, "headers");
  lua_pushlstring(L, t->body.n > 0 ? t->body.p : "", t->body.n);
  lua_setfield(L, -2, "body");
  if (t->code != NULL) {
    lua_pushstring(L, t->code);
    lua_setfield(L, -2, "code");
    lua_pushstring(L, t->message);
    lua_setfield(L, -2, "message");
  }
  sc3_pushcount(L, t->uploaded);
  lua_setfield(L, -2, "uploaded");
  lua_pushboolean(L, t->body_sent);
  lua_setfield(L, -2, "body_sent");
  if (t->early) {
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "early");
  }
  lua_pushboolean(L, t->begun);
  lua_setfield(L, -2, "begun");
  if (t->proxy_status > 0) {
    lua_pushinteger(L, (lua_Integer)t->proxy_status);
    lua_setfield(L, -2, "proxy_status");
  }
  if (t->code != NULL && t->verify != 0) {
    lua_pushinteger(L, (lua_Integer)t->verify);
    lua_setfield(L, -2, "verify");
  }
  if (t->code != NULL && t->proxy_verify != 0) {
    lua_pushinteger(L, (lua_Integer)t->proxy_verify);
    lua_setfield(L, -2, "proxy_verify");
  }
  if (t->code != NULL && t->cause != NULL) {
    lua_pushstring(L, t->cause);
    lua_setfield(L, -2, "cause");
  }
  lua_pushnumber(L, t->seconds);
  lua_setfield(L, -2, "seconds");
  sc3_pushcount(L, t->connections);
  lua_setfield(L, -2, "connections");
  if (t->http_version > 0) {
    lua_pushstring(L, t->http_version >= 30   ? "3"
                      : t->http_version >= 20 ? "2"
                      : t->http_version == 11 ? "1.1"
                                              : "1.0");
    lua_setfield(L, -2, "http_version");
  }
  if (t->redirect != NULL) {
    lua_pushstring(L, t->redirect);
    lua_setfield(L, -2, "redirect_url");
  }
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
   (memory) loses nothing. While its table is made a finalizer may run, which takes other results,
   or closes the engine: so the transfer is nobody else's by then, and the engine is looked up
   again. */
static int engine_result(lua_State *L) {
  sc3_engine *e = check_engine(L);
  const engine_ud *u = lua_touserdata(L, 1);
  sc3_transfer *t;
  uint64_t id;
  int failed;
  if (!sc3_engine_ended(e))
    return 0;
  lua_settop(L, 1);
  sc3_checkstack(L, 3);
  sc3_getuservalue(L, 1);
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
  forget_body(L, 2, id);
  return failed ? lua_error(L) : 1;
}

static int engine_wait(lua_State *L) {
  sc3_engine *e = check_engine(L);
  sc3_engine_wait(e, (double)luaL_checknumber(L, 2));
  return 0;
}

static int engine_cancel(lua_State *L) {
  sc3_engine *e = check_engine(L);
  lua_Number n = luaL_checknumber(L, 2);
  uint64_t id = n >= 1 && n <= 9007199254740992.0 ? (uint64_t)n : 0; /* 0 is no transfer's */
  int found = sc3_engine_cancel(e, id);
  if (found) {
    sc3_getuservalue(L, 1);
    forget_body(L, lua_gettop(L), id);
  }
  lua_pushboolean(L, found);
  return 1;
}

static int engine_count(lua_State *L) {
  sc3_pushcount(L, sc3_engine_count(check_engine(L)));
  return 1;
}

static int engine_pollfd(lua_State *L) {
  int fd = sc3_engine_fd(check_engine(L));
  if (fd < 0)
    return 0;
  lua_pushinteger(L, fd);
  return 1;
}

static int engine_events(lua_State *L) {
  (void)check_engine(L);
  lua_pushliteral(L, "r");
  return 1;
}

static int engine_timeout(lua_State *L) {
  double seconds = sc3_engine_timeout(check_engine(L));
  if (seconds < 0)
    return 0;
  lua_pushnumber(L, seconds);
  return 1;
}

void sc3_open_engine(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"cancel", engine_cancel},
      {"close", engine_close},
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
  sc3_newtype(L, SC3_TYPE_ENGINE, methods, NULL, engine_close);
  lua_pushcfunction(L, engine_new);
  lua_setfield(L, -2, "engine");
}
