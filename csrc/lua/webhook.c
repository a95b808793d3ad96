/* Binds what verifying a webhook needs of bytes: codes, comparisons, base64, and a check of the
 * body.
 */
#include "../core/bytes/ascii.h"
#include "../core/bytes/base64.h"
#include "../core/bytes/hmac.h"
#include "../core/bytes/json_check.h"
#include "arguments.h"
#include "open.h"

enum { PARTS = 4, DECODED = 3072, HEX_BYTES = 64 };

/* hmac_sha256(key, part, ...) -> 64 lowercase hex digits of up to four parts, joined in order */
static int webhook_hmac(lua_State *L) {
  sc3_slice key = sc3l_check_string(L, 1), parts[PARTS];
  char hex[SC3_SHA256_HEX];
  int i, count = lua_gettop(L) - 1;
  if (count > PARTS)
    return luaL_error(L, "hmac_sha256: at most %d parts", PARTS);
  for (i = 0; i < count; i++)
    parts[i] = sc3l_check_string(L, i + 2);
  if (sc3_hmac_sha256_hex(key, parts, (size_t)count, hex) != SC3_OK)
    return luaL_error(L, "not enough memory");
  lua_pushlstring(L, hex, sizeof hex);
  return 1;
}

/* equal_secret(a, b) -> boolean, in a time that depends only on the lengths */
static int webhook_equal(lua_State *L) {
  sc3_slice a = sc3l_check_string(L, 1), b = sc3l_check_string(L, 2);
  lua_pushboolean(L, sc3_equal_secret(a, b));
  return 1;
}

/* base64_decode(text) -> bytes; nil when it is no base64 of either alphabet, mixes them, or holds
 * over 3072 bytes */
static int webhook_base64(lua_State *L) {
  uint8_t bytes[DECODED];
  int n = sc3_base64_decode(sc3l_check_string(L, 1), bytes, DECODED);
  if (n < 0)
    return 0;
  lua_pushlstring(L, (const char *)bytes, (size_t)n);
  return 1;
}

/* hex(bytes) -> lowercase hex digits, of up to 64 bytes */
static int webhook_hex(lua_State *L) {
  char hex[2 * HEX_BYTES];
  sc3_slice bytes = sc3l_check_string(L, 1);
  if (bytes.n > HEX_BYTES)
    return luaL_error(L, "hex: at most %d bytes", HEX_BYTES);
  sc3_ascii_write_hex((const uint8_t *)bytes.p, bytes.n, hex);
  lua_pushlstring(L, hex, 2 * bytes.n);
  return 1;
}

/* check_json_object(text) -> true; nil when it is no JSON object; nil, array of names, count when
   an object in it has names twice: of the names at most four, each cut to 32 bytes of printable
   ASCII */
static int webhook_json(lua_State *L) {
  sc3_json_duplicates found;
  size_t i;
  switch (sc3_json_check_object(sc3l_check_string(L, 1), &found)) {
    case SC3_JSON_FINE: lua_pushboolean(L, 1); return 1;
    case SC3_JSON_MALFORMED: return 0;
    case SC3_JSON_NOMEM: return luaL_error(L, "not enough memory");
    case SC3_JSON_DUPLICATES: break;
  }
  lua_pushnil(L);
  lua_createtable(L, SC3_JSON_NAMES, 0);
  for (i = 0; i < found.count && i < SC3_JSON_NAMES; i++) {
    lua_pushlstring(L, found.names[i].text, found.names[i].n);
    lua_rawseti(L, -2, (int)i + 1);
  }
  sc3l_push_count(L, found.count);
  return 3;
}

void sc3l_open_webhook(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"hmac_sha256", webhook_hmac},       {"equal_secret", webhook_equal},
      {"base64_decode", webhook_base64},   {"hex", webhook_hex},
      {"check_json_object", webhook_json}, {NULL, NULL},
  };
  sc3l_setfuncs(L, functions);
}
