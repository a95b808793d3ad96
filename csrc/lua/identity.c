/* Emails, phones, uids and hashes, one value at a time. Blank values are refused here as "not a value"; a member simply lacks them. */
#include "../core/email.h"
#include "../core/hashed.h"
#include "../core/lowercase.h"
#include "../core/phone.h"
#include "../core/region.h"
#include "../core/sha256.h"
#include "../core/text.h"
#include "../core/uid.h"
#include "../core/utf8.h"
#include "binding.h"

static int push_reason(lua_State *L, sc3_reason r) {
  lua_pushnil(L);
  lua_pushstring(L, sc3_reason_key(r));
  lua_pushstring(L, sc3_reason_text(r));
  return 3;
}

static sc3_slice check_text(lua_State *L) {
  sc3_slice s;
  luaL_checktype(L, 1, LUA_TSTRING);
  s.p = lua_tolstring(L, 1, &s.n);
  return s;
}

/* sha256(bytes) -> 64 lowercase hex digits */
static int identity_sha256(lua_State *L) {
  char hex[SC3_SHA256_HEX];
  sc3_slice s = check_text(L);
  sc3_sha256_hex(s.p, s.n, hex);
  lua_pushlstring(L, hex, sizeof hex);
  return 1;
}

/* utf8_valid(bytes) -> boolean */
static int identity_utf8_valid(lua_State *L) {
  sc3_slice s = check_text(L);
  lua_pushboolean(L, sc3_utf8_valid(s.p, s.n));
  return 1;
}

/* lowercase(text) -> text in lowercase by Unicode's full mapping; nil when it is not valid UTF-8, or over 4 kB */
static int identity_lowercase(lua_State *L) {
  char out[6144];
  size_t n;
  sc3_slice s = check_text(L);
  if (s.n > 4096 || !sc3_utf8_valid(s.p, s.n) || sc3_lowercase(s, out, sizeof out, &n) != 0)
    return 0;
  lua_pushlstring(L, out, n);
  return 1;
}

/* Pushes an array of the keys of repairs, or nil when there are none. */
static int push_repairs(lua_State *L, sc3_repairs repairs) {
  int i, n = 0;
  if (repairs == 0) {
    lua_pushnil(L);
    return 1;
  }
  lua_createtable(L, 1, 0);
  for (i = 0; i < SC3_FIX_COUNT; i++) {
    if (repairs >> i & 1) {
      lua_pushstring(L, sc3_repair_key((sc3_repair)i));
      lua_rawseti(L, -2, ++n);
    }
  }
  return 1;
}

/* email_normalize(raw, mend) -> text, array of repairs or nil | nil, key, text */
static int email_normalize(lua_State *L) {
  char out[SC3_EMAIL_MAX];
  size_t n = 0;
  sc3_repairs repairs = 0;
  sc3_slice raw = check_text(L);
  sc3_reason why = SC3_R_EMAIL_PLACEHOLDER;
  if (sc3_text_trim(raw).n > 0)
    why = sc3_email_normalize(raw, lua_toboolean(L, 2), out, &n, &repairs);
  if (why != SC3_R_NONE)
    return push_reason(L, why);
  lua_pushlstring(L, out, n);
  return 1 + push_repairs(L, repairs);
}

/* region_known(name) -> boolean */
static int region_known(lua_State *L) {
  lua_pushboolean(L, sc3_region_find(sc3_text_trim(check_text(L))) != SC3_NO_REGION);
  return 1;
}

/* phone_normalize(raw, region) -> text | nil, key, text */
static int phone_normalize(lua_State *L) {
  char out[SC3_PHONE_MAX];
  size_t n = 0;
  sc3_slice raw = check_text(L), name;
  int region = SC3_NO_REGION;
  sc3_reason why;
  if (!lua_isnoneornil(L, 2)) {
    name.p = luaL_checklstring(L, 2, &name.n);
    region = sc3_region_find(sc3_text_trim(name));
    if (region == SC3_NO_REGION)
      return push_reason(L, SC3_R_PHONE_REGION);
  }
  why = sc3_text_trim(raw).n == 0 ? SC3_R_PHONE_PLACEHOLDER : sc3_phone_normalize(raw, region, out, &n);
  if (why != SC3_R_NONE)
    return push_reason(L, why);
  lua_pushlstring(L, out, n);
  return 1;
}

/* hashed(value) -> 64 lowercase hex digits when it is a SHA-256 already, array of repairs or nil; nil when it is no hash;
   nil, key, text when refused */
static int identity_hashed(lua_State *L) {
  char hex[SC3_SHA256_HEX];
  sc3_repairs repairs = 0;
  sc3_reason why;
  switch (sc3_hashed_recognize(sc3_text_trim(check_text(L)), hex, &why, &repairs)) {
    case SC3_HASHED_SHA256:
      lua_pushlstring(L, hex, sizeof hex);
      return 1 + push_repairs(L, repairs);
    case SC3_HASHED_REFUSED:
      return push_reason(L, why);
    case SC3_HASHED_NOT:
      break;
  }
  lua_pushnil(L);
  return 1;
}

/* uid_check(type, value) -> true | nil, key, text */
static int uid_check(lua_State *L) {
  sc3_uid uid;
  sc3_reason why;
  luaL_checktype(L, 1, LUA_TSTRING);
  luaL_checktype(L, 2, LUA_TSTRING);
  uid.type.p = lua_tolstring(L, 1, &uid.type.n);
  uid.value.p = lua_tolstring(L, 2, &uid.value.n);
  why = sc3_uid_check(&uid);
  if (why != SC3_R_NONE)
    return push_reason(L, why);
  lua_pushboolean(L, 1);
  return 1;
}

void sc3_open_identity(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"sha256", identity_sha256}, {"email_normalize", email_normalize}, {"phone_normalize", phone_normalize},
    {"hashed", identity_hashed}, {"uid_check", uid_check}, {"utf8_valid", identity_utf8_valid},
    {"lowercase", identity_lowercase}, {"region_known", region_known}, {NULL, NULL},
  };
  int i;
  sc3_setfuncs(L, functions);
  lua_createtable(L, 0, SC3_R_COUNT); /* key -> text */
  for (i = SC3_R_NONE + 1; i < SC3_R_COUNT; i++) {
    lua_pushstring(L, sc3_reason_text((sc3_reason)i));
    lua_setfield(L, -2, sc3_reason_key((sc3_reason)i));
  }
  lua_setfield(L, -2, "reasons");
  lua_createtable(L, 0, SC3_FIX_COUNT); /* key -> text */
  for (i = 0; i < SC3_FIX_COUNT; i++) {
    lua_pushstring(L, sc3_repair_text((sc3_repair)i));
    lua_setfield(L, -2, sc3_repair_key((sc3_repair)i));
  }
  lua_setfield(L, -2, "repairs");
  lua_pushstring(L, sc3_unicode_version());
  lua_setfield(L, -2, "unicode_version");
  lua_pushstring(L, sc3_plan_version());
  lua_setfield(L, -2, "phone_metadata_version");
}
