/* Binds what Lua asks of libcurl besides transfers: the parts of a URL, and its version. */
#include <stdlib.h>
#include <string.h>

#include "../http/url.h"
#include "../http/version.h"
#include "../lua/type.h"
#include "libcurl.h"

static void set_text(lua_State *L, const char *key, const char *value) {
  if (value == NULL)
    return;
  lua_pushstring(L, value);
  lua_setfield(L, -2, key);
}

/* No Lua code sees it: it owns the parts while they are copied. */
#define TYPE_URL "scope3.url"

static int url_free(lua_State *L) {
  sc3_url_free(luaL_checkudata(L, 1, TYPE_URL));
  return 0;
}

/* parse_url(text) -> { scheme, host, port, path, query, fragment, user } | nil, message. `port` is
 * a number, `user` whether a name or a password is in it. */
static int parse_url(lua_State *L) {
  const char *why = NULL;
  size_t n;
  const char *text = luaL_checklstring(L, 1, &n);
  sc3_url *url;
  if (strlen(text) != n) {
    lua_pushnil(L);
    lua_pushliteral(L, "it holds a NUL byte");
    return 2;
  }
  lua_createtable(L, 0, 7);
  url = sc3l_new_object(L, sizeof *url, TYPE_URL);
  if (sc3_url_parse(text, url, &why) != 0) {
    if (why == NULL)
      return luaL_error(L, "not enough memory");
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
  }
  lua_pushvalue(L, -2);
  set_text(L, "scheme", url->scheme);
  set_text(L, "host", url->host);
  if (url->port != NULL) {
    lua_pushinteger(L, (lua_Integer)strtol(url->port, NULL, 10));
    lua_setfield(L, -2, "port");
  }
  set_text(L, "path", url->path);
  set_text(L, "query", url->query);
  set_text(L, "fragment", url->fragment);
  lua_pushboolean(L, url->has_user);
  lua_setfield(L, -2, "user");
  sc3_url_free(url);
  return 1;
}

/* curl_version() -> { version, ssl, host, http2, threadsafe, ca_bundle } */
static int curl_version_table(lua_State *L) {
  const sc3_curl_info info = sc3_curl_info_read();
  lua_createtable(L, 0, 6);
  set_text(L, "version", info.version);
  set_text(L, "ssl", info.ssl);
  set_text(L, "host", info.host);
  set_text(L, "ca_bundle", info.ca_bundle);
  lua_pushboolean(L, info.http2);
  lua_setfield(L, -2, "http2");
  lua_pushboolean(L, info.threadsafe);
  lua_setfield(L, -2, "threadsafe");
  return 1;
}

void sc3l_open_libcurl(lua_State *L) {
  static const sc3l_type type = {.name = TYPE_URL, .end = url_free};
  sc3l_new_type(L, &type);
  lua_pushcfunction(L, parse_url);
  lua_setfield(L, -2, "parse_url");
  lua_pushcfunction(L, curl_version_table);
  lua_setfield(L, -2, "curl_version");
}
