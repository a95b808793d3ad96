#include "request.h"

#include <string.h>

#include "../core/bytes/ascii.h"
#include "../lua/arguments.h"

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

/* A method is a token (RFC 9110 section 9.1), here only of letters: anything else could write lines
 * of its own into the request. */
static const char *check_method(lua_State *L, int index) {
  sc3_slice s = sc3l_opt_string(L, index, "method");
  size_t i;
  for (i = 0; i < s.n; i++) {
    if (!sc3_ascii_is_letter(s.p[i]))
      break;
  }
  if (s.n == 0 || i < s.n)
    luaL_error(L, "method must be a word of letters");
  return s.p;
}

/* The array of header lines in the field `headers` of the table at `index`. */
static void read_headers(lua_State *L, int index, sc3l_request *r) {
  size_t i, n;
  int list;
  lua_getfield(L, index, "headers");
  if (lua_isnil(L, -1))
    return;
  list = lua_gettop(L);
  luaL_checktype(L, list, LUA_TTABLE);
  n = (size_t)lua_rawlen(L, list);
  if (n > SC3L_HEADERS_MAX)
    luaL_error(L, "a request has at most %d headers", (int)SC3L_HEADERS_MAX);
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, list, (int)i + 1);
    r->headers[i] = check_header(L, -1);
  }
  r->request.header_count = n;
}

void sc3l_read_request(lua_State *L, int index, sc3l_request *r) {
  sc3_request *q = &r->request;
  memset(q, 0, sizeof *q);
  q->method = check_method(L, index);
  q->url = sc3l_opt_clean(L, index, "url");
  q->proxy = sc3l_opt_string(L, index, "proxy").p;
  q->no_proxy = sc3l_opt_string(L, index, "no_proxy").p;
  q->timeout = sc3l_opt_seconds(L, index, "timeout", 60);
  if (q->url == NULL)
    luaL_error(L, "submit needs a url");
  lua_getfield(L, index, "fresh");
  q->fresh = lua_toboolean(L, -1);
  lua_pop(L, 1);
  read_headers(L, index, r);
  q->headers = r->headers;
}
