/* Binds emails, phones, uids and hashes, one value at a time. Blank values are refused here as "not
 * a value"; a member simply lacks them. */
#include "../core/identity/email.h"
#include "../core/identity/hashed.h"
#include "../core/identity/external_id.h"
#include "../core/identity/lowercase.h"
#include "../core/identity/phone.h"
#include "../core/identity/phone_text.h"
#include "../core/identity/region.h"
#include "../core/bytes/sha256.h"
#include "../core/bytes/text.h"
#include "../core/identity/uid.h"
#include "../core/bytes/utf8.h"
#include "arguments.h"
#include "open.h"
#include "identity.h"

enum { PHONE_PREFIX = sizeof "phone_" - 1 }; /* of the keys of repairs of phones */

static int push_reason(lua_State *L, sc3_reason r) {
  lua_pushnil(L);
  lua_pushstring(L, sc3_reason_key(r));
  lua_pushstring(L, sc3_reason_text(r));
  return 3;
}

/* sha256(bytes) -> 64 lowercase hex digits */
static int identity_sha256(lua_State *L) {
  char hex[SC3_SHA256_HEX];
  sc3_slice s = sc3l_check_string(L, 1);
  sc3_sha256_hex(s.p, s.n, hex);
  lua_pushlstring(L, hex, sizeof hex);
  return 1;
}

/* sha256_with(implementation, bytes, ...) -> 64 lowercase hex digits of each of up to nine texts,
   computed together; nil when this machine lacks the implementation */
static int identity_sha256_with(lua_State *L) {
  enum { MOST = SC3_SHA256_LANES_MAX + 1 };
  char hex[MOST][SC3_SHA256_HEX];
  sc3_sha256_message messages[MOST];
  const sc3_sha256_impl *impl = sc3_sha256_find(luaL_checkstring(L, 1));
  const int count = lua_gettop(L) - 1;
  int i;
  luaL_argcheck(L, count >= 1 && count <= MOST, 2, "one to nine texts are expected");
  for (i = 0; i < count; i++) {
    sc3_sha256_message *m = &messages[i];
    m->p = luaL_checklstring(L, i + 2, &m->n);
    m->hex = hex[i];
    luaL_argcheck(L, count <= 2 || m->n <= SC3_SHA256_ONE_BLOCK, i + 2,
                  "of several texts each has 55 bytes at most");
  }
  if (impl == NULL)
    return 0;
  sc3_sha256_hex_many(impl, messages, (size_t)count);
  for (i = 0; i < count; i++)
    lua_pushlstring(L, hex[i], SC3_SHA256_HEX);
  return count;
}

/* sha256_use([implementation]) -> the name of the one that the process uses from now on; nil when
 * this machine lacks it */
static int identity_sha256_use(lua_State *L) {
  if (!lua_isnoneornil(L, 1)) {
    const sc3_sha256_impl *impl = sc3_sha256_find(luaL_checkstring(L, 1));
    if (impl == NULL)
      return 0;
    sc3_sha256_use(impl);
  }
  lua_pushstring(L, sc3_sha256_used()->name);
  return 1;
}

/* utf8_valid(bytes) -> boolean */
static int identity_utf8_valid(lua_State *L) {
  sc3_slice s = sc3l_check_string(L, 1);
  lua_pushboolean(L, sc3_utf8_valid(s.p, s.n));
  return 1;
}

/* lowercase(text) -> text in lowercase by Unicode's full mapping; nil when it is not valid UTF-8,
 * or over 4 kB */
static int identity_lowercase(lua_State *L) {
  char out[6144];
  size_t n;
  sc3_slice s = sc3l_check_string(L, 1);
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
  for (i = 0; i < SC3_REPAIR_COUNT; i++) {
    if (repairs >> i & 1) {
      lua_pushstring(L, sc3_repair_key((sc3_repair)i));
      lua_rawseti(L, -2, ++n);
    }
  }
  return 1;
}

/* email_normalize(raw, repair) -> text, array of repairs or nil | nil, key, text */
static int email_normalize(lua_State *L) {
  sc3_email email;
  sc3_slice raw = sc3l_check_string(L, 1);
  sc3_reason why = SC3_R_EMAIL_PLACEHOLDER;
  if (sc3_text_trim(raw).n > 0)
    why = sc3_email_normalize(raw, lua_toboolean(L, 2), &email);
  if (why != SC3_R_NONE)
    return push_reason(L, why);
  lua_pushlstring(L, email.text, email.n);
  return 1 + push_repairs(L, email.repairs);
}

/* region(name) -> alpha-2 code; false for a country without a numbering plan of its own; nil for
 * what is no country */
static int region_find(lua_State *L) {
  int region = sc3_region_find(sc3_text_trim(sc3l_check_string(L, 1)));
  if (region >= 0)
    lua_pushstring(L, sc3_plan_region_code(region));
  else if (region == SC3_REGION_NO_PLAN)
    lua_pushboolean(L, 0);
  else
    lua_pushnil(L);
  return 1;
}

sc3_repairs sc3l_check_phone_repairs(lua_State *L, int index) {
  sc3_repairs set = 0;
  int i, n, repair;
  if (lua_isnoneornil(L, index))
    return 0;
  index = sc3l_absindex(L, index);
  luaL_checktype(L, index, LUA_TTABLE);
  n = (int)lua_rawlen(L, index);
  for (i = 1; i <= n; i++) {
    const char *name;
    lua_rawgeti(L, index, i);
    name = lua_tostring(L, -1);
    for (repair = 0; repair < SC3_REPAIR_COUNT; repair++) {
      if ((SC3_PHONE_REPAIRS >> repair & 1) != 0 && name != NULL &&
          strcmp(sc3_repair_key((sc3_repair)repair) + PHONE_PREFIX, name) == 0)
        break;
    }
    if (repair == SC3_REPAIR_COUNT)
      luaL_error(L, "there is no such repair of phones");
    set |= 1u << repair;
    lua_pop(L, 1);
  }
  return set;
}

/* phone_normalize(raw, region, names of repairs) -> text, array of repairs or nil, array of texts
 * of steps or nil | nil, key, text */
static int phone_normalize(lua_State *L) {
  static const char *const steps[] = {
#define X(id, text) text,
      SC3_PHONE_STEPS(X)
#undef X
  };
  sc3_phone phone;
  int i, n = 0;
  sc3_slice raw = sc3l_check_string(L, 1), name;
  int region = SC3_NO_REGION;
  sc3_reason why;
  if (!lua_isnoneornil(L, 2)) {
    name.p = luaL_checklstring(L, 2, &name.n);
    region = sc3_region_find(sc3_text_trim(name));
  }
  why = sc3_text_trim(raw).n == 0
            ? SC3_R_PHONE_PLACEHOLDER
            : sc3_phone_normalize(raw, region, sc3l_check_phone_repairs(L, 3), &phone);
  if (why == SC3_R_PHONE_NATIONAL && !lua_isnoneornil(L, 2))
    why = SC3_R_PHONE_REGION;
  if (why != SC3_R_NONE)
    return push_reason(L, why);
  lua_pushlstring(L, phone.text, phone.n);
  (void)push_repairs(L, phone.repairs);
  if (phone.steps == 0)
    return 2;
  lua_createtable(L, 2, 0);
  for (i = 0; i < SC3_PHONE_STEP_COUNT; i++) {
    if (phone.steps >> i & 1) {
      lua_pushstring(L, steps[i]);
      lua_rawseti(L, -2, ++n);
    }
  }
  return 3;
}

/* hashed(value) -> 64 lowercase hex digits when it is a SHA-256 already, array of repairs or nil;
   nil when it is no hash; nil, key, text when refused */
static int identity_hashed(lua_State *L) {
  char hex[SC3_SHA256_HEX];
  sc3_repairs repairs = 0;
  sc3_reason why;
  switch (sc3_hashed_recognize(sc3_text_trim(sc3l_check_string(L, 1)), hex, &why, &repairs)) {
    case SC3_HASHED_SHA256:
      lua_pushlstring(L, hex, sizeof hex);
      return 1 + push_repairs(L, repairs);
    case SC3_HASHED_REFUSED: return push_reason(L, why);
    case SC3_HASHED_NOT: break;
  }
  lua_pushnil(L);
  return 1;
}

/* uid_check(type, value) -> true, array of repairs where there are any | nil, key, text */
static int uid_check(lua_State *L) {
  sc3_uid uid;
  sc3_uid_form form;
  sc3_reason why;
  uid.column = 0;
  uid.meant = SC3_PII_NONE;
  uid.type = sc3l_check_string(L, 1);
  uid.value = sc3_text_trim(sc3l_check_string(L, 2));
  why = sc3_uid_read(&uid, 1, &form);
  if (why != SC3_R_NONE)
    return push_reason(L, why);
  lua_pushboolean(L, 1);
  return form.repairs == 0 ? 1 : 1 + push_repairs(L, form.repairs);
}

/* uid_type(name) -> the type's name as it is sent | nil, key, text */
static int uid_type(lua_State *L) {
  sc3_slice name;
  sc3_reason why = sc3_uid_type(sc3l_check_string(L, 1), &name);
  if (why != SC3_R_NONE)
    return push_reason(L, why);
  lua_pushlstring(L, name.p, name.n);
  return 1;
}

sc3_ids sc3l_check_ids(lua_State *L, int index) {
  static const char *const names[] = {"refuse", "hash", "as_is", NULL}; /* as sc3_ids */
  return (sc3_ids)luaL_checkoption(L, index, "refuse", names);
}

/* id_read(raw, repair, ids, region, names of repairs of phones) -> id, array of repairs or nil |
 * nil, key, text */
static int id_read(lua_State *L) {
  sc3_reading reading;
  sc3_external_id id = {sc3l_check_string(L, 1), SC3_PII_NONE, {NULL, 0}};
  sc3_external_id_form form;
  sc3_slice region = {NULL, 0};
  sc3_reason why = SC3_R_NO_EXTERNAL_ID;
  memset(&reading, 0, sizeof reading);
  reading.repair = lua_isnoneornil(L, 2) || lua_toboolean(L, 2);
  reading.ids = sc3l_check_ids(L, 3);
  if (!lua_isnoneornil(L, 4)) {
    region.p = luaL_checklstring(L, 4, &region.n);
    region = sc3_text_trim(region);
  }
  reading.region = region.n > 0 ? sc3_region_find(region) : SC3_NO_REGION;
  reading.phone_repairs = sc3l_check_phone_repairs(L, 5);
  if (id.raw.n > 0)
    why = sc3_external_id_read(&id, &reading, &form);
  if (why != SC3_R_NONE)
    return push_reason(L, why);
  lua_pushlstring(L, form.value.p, form.value.n);
  return 1 + push_repairs(L, form.repairs);
}

void sc3l_open_identity(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"sha256", identity_sha256},
      {"sha256_with", identity_sha256_with},
      {"sha256_use", identity_sha256_use},
      {"email_normalize", email_normalize},
      {"phone_normalize", phone_normalize},
      {"hashed", identity_hashed},
      {"uid_check", uid_check},
      {"uid_type", uid_type},
      {"id_read", id_read},
      {"utf8_valid", identity_utf8_valid},
      {"lowercase", identity_lowercase},
      {"region", region_find},
      {NULL, NULL},
  };
  int i;
  sc3l_setfuncs(L, functions);
  lua_createtable(L, 0, SC3_R_COUNT); /* key -> text */
  for (i = SC3_R_NONE + 1; i < SC3_R_COUNT; i++) {
    lua_pushstring(L, sc3_reason_text((sc3_reason)i));
    lua_setfield(L, -2, sc3_reason_key((sc3_reason)i));
  }
  lua_setfield(L, -2, "reasons");
  lua_createtable(L, 0, SC3_REPAIR_COUNT); /* key -> text */
  for (i = 0; i < SC3_REPAIR_COUNT; i++) {
    lua_pushstring(L, sc3_repair_text((sc3_repair)i));
    lua_setfield(L, -2, sc3_repair_key((sc3_repair)i));
  }
  lua_setfield(L, -2, "repairs");
  lua_createtable(L, 6, 0); /* names */
  for (i = 0; i < SC3_REPAIR_COUNT; i++) {
    if (SC3_PHONE_REPAIRS >> i & 1) {
      lua_pushstring(L, sc3_repair_key((sc3_repair)i) + PHONE_PREFIX);
      lua_rawseti(L, -2, (int)lua_rawlen(L, -2) + 1);
    }
  }
  lua_setfield(L, -2, "phone_repairs");
  lua_pushstring(L, sc3_unicode_version());
  lua_setfield(L, -2, "unicode_version");
  lua_pushstring(L, sc3_plan_version());
  lua_setfield(L, -2, "phone_metadata_version");
}
