#include "result.h"

#include <string.h>

#include "../core/bytes/ascii.h"

typedef struct header_line {
  char name[256]; /* in lowercase */
  sc3_slice name_slice, value;
} header_line;

static int is_blank(char c) {
  return c == '\r' || c == ' ' || c == '\t';
}

/* Takes a line without its end apart. 0 when it is no header: the status line, whose phrase may
 * hold a colon, or a name that is empty or too long. */
static int read_line(sc3_slice line, header_line *h) {
  const char *colon = memchr(line.p, ':', line.n), *end = line.p + line.n;
  size_t i, n = colon != NULL ? (size_t)(colon - line.p) : 0;
  if (n == 0 || n >= sizeof h->name || (line.n > 5 && memcmp(line.p, "HTTP/", 5) == 0))
    return 0;
  for (i = 0; i < n; i++)
    h->name[i] = sc3_ascii_to_lower(line.p[i]);
  h->name_slice = sc3_slice_of(h->name, n);
  for (colon++; colon < end && is_blank(*colon); colon++)
    continue;
  while (end > colon && is_blank(end[-1]))
    end--;
  h->value = sc3_slice_of(colon, (size_t)(end - colon));
  return 1;
}

/* Adds a header to the table on top of the stack. A repeated one becomes an array. */
static void add_header(lua_State *L, const header_line *h) {
  lua_pushlstring(L, h->name_slice.p, h->name_slice.n);
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushlstring(L, h->value.p, h->value.n);
    lua_rawset(L, -3);
    return;
  }
  if (lua_type(L, -1) == LUA_TSTRING) {
    lua_createtable(L, 2, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
  }
  lua_pushlstring(L, h->value.p, h->value.n);
  lua_rawseti(L, -2, (int)lua_rawlen(L, -2) + 1);
  lua_rawset(L, -3);
}

static void push_headers(lua_State *L, const sc3_buffer *lines) {
  const char *p = lines->p, *end = p != NULL ? p + lines->n : NULL;
  lua_createtable(L, 0, 8); /* a reply has some six of them */
  while (p < end) {
    header_line h;
    const char *line_end = memchr(p, '\n', (size_t)(end - p));
    if (line_end == NULL)
      line_end = end;
    if (read_line(sc3_slice_of(p, (size_t)(line_end - p)), &h))
      add_header(L, &h);
    p = line_end + 1;
  }
}

static void set_text(lua_State *L, const char *key, const char *text) {
  if (text == NULL)
    return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, key);
}

static void set_boolean(lua_State *L, const char *key, int value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, key);
}

/* A number that is set where it is known. */
static void set_known(lua_State *L, const char *key, long n) {
  if (n == 0)
    return;
  lua_pushinteger(L, (lua_Integer)n);
  lua_setfield(L, -2, key);
}

static void set_count(lua_State *L, const char *key, uint64_t n) {
  sc3l_push_count(L, n);
  lua_setfield(L, -2, key);
}

static const char *version_text(int version) {
  if (version == 0)
    return NULL;
  if (version >= 30)
    return "3";
  if (version >= 20)
    return "2";
  return version == 11 ? "1.1" : "1.0";
}

/* What is known of a failure. */
static void set_failure(lua_State *L, const sc3_result *r) {
  set_text(L, "code", r->code);
  set_text(L, "message", r->message);
  set_known(L, "verify", r->verify);
  set_known(L, "proxy_verify", r->proxy_verify);
  set_text(L, "cause", r->cause);
}

void sc3l_push_result(lua_State *L, const sc3_result *r) {
  lua_createtable(L, 0, 12);
  set_count(L, "id", r->id);
  set_known(L, "status", r->status);
  push_headers(L, &r->headers);
  lua_setfield(L, -2, "headers");
  lua_pushlstring(L, r->body.n > 0 ? r->body.p : "", r->body.n);
  lua_setfield(L, -2, "body");
  if (r->code != NULL)
    set_failure(L, r);
  set_count(L, "uploaded", r->uploaded);
  set_boolean(L, "body_sent", r->body_sent);
  if (r->early)
    set_boolean(L, "early", 1);
  set_boolean(L, "begun", r->begun);
  set_known(L, "proxy_status", r->proxy_status);
  lua_pushnumber(L, r->seconds);
  lua_setfield(L, -2, "seconds");
  set_count(L, "connections", (uint64_t)r->connections);
  set_text(L, "http_version", version_text(r->http_version));
  set_text(L, "redirect_url", r->redirect);
}
