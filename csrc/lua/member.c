#include "member.h"

#include "../core/bytes/text.h"

static const struct {
  const char *text;
  size_t n;
} ROLE_NAMES[] = {
#define X(name, text) {text, sizeof text - 1},
    SC3_ROLES(X)
#undef X
};

void sc3l_clear_member(sc3l_member *m, sc3_op op) {
  sc3_values_clear(&m->values);
  memset(m->not_text, 0, sizeof m->not_text);
  m->op = op;
  m->id_fault = SC3_R_NONE;
  m->uids_over = 0;
}

/* JSON's null is the light userdata NULL. */
static int is_absent(lua_State *L, int index) {
  return lua_isnil(L, index) ||
         (lua_type(L, index) == LUA_TLIGHTUSERDATA && lua_touserdata(L, index) == NULL);
}

/* Reads the value on top of the stack for `role`: text as it is, exact numbers as digits, nil and
 * null as absent. */
static void take_value(lua_State *L, sc3l_member *m, sc3_role role) {
  sc3_slice *s = &m->values.role[role];
  if (is_absent(L, -1))
    return;
  if (lua_type(L, -1) == LUA_TSTRING) {
    s->p = lua_tolstring(L, -1, &s->n);
    return;
  }
  if (lua_type(L, -1) == LUA_TNUMBER) {
    const sc3_number number = sc3l_to_number(L);
    if (number.is_integer) {
      s->n = sc3_number_write_integer(number.integer, m->numbers[role]);
      s->p = m->numbers[role];
      return;
    }
  }
  if (role == SC3_ROLE_EXTERNAL_ID)
    m->id_fault = SC3_R_EXTERNAL_ID_TYPE;
  else
    m->not_text[role]++;
}

static sc3_slice uid_part(lua_State *L, const char *key) {
  sc3_slice s = {NULL, 0};
  lua_getfield(L, -1, key);
  if (lua_type(L, -1) == LUA_TSTRING)
    s.p = lua_tolstring(L, -1, &s.n);
  lua_pop(L, 1); /* the table still holds it */
  return s;
}

/* Puts a universal id in the place `at`, before those that stand there; of one too many the last is
 * counted instead. */
static void put_uid(sc3l_member *m, size_t at, sc3_slice type, sc3_slice value) {
  sc3_uid *uids = m->values.uids;
  if (m->values.uid_count == SC3_UIDS_MAX)
    m->uids_over++;
  else
    m->values.uid_count++;
  if (at == SC3_UIDS_MAX)
    return;
  memmove(&uids[at + 1], &uids[at], (m->values.uid_count - 1 - at) * sizeof uids[0]);
  uids[at].type = type;
  uids[at].value = value;
  uids[at].meant = SC3_PII_NONE;
  uids[at].column = 0;
}

static int type_order(sc3_slice a, sc3_slice b) {
  int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
  return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* { uid2 = "…", maid = "…" } on top of the stack. They are put in the order of their types: a
   table's own order differs from run to run, and a job that is resumed must make the same bytes
   again. */
static const char *take_uid_map(lua_State *L, sc3l_member *m) {
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    sc3_slice type, value;
    size_t at;
    if (lua_type(L, -2) != LUA_TSTRING || !(lua_type(L, -1) == LUA_TSTRING || is_absent(L, -1)))
      return lua_pushfstring(L,
                             "uids must be an array of {type, value}, or a table from types to "
                             "strings, not from a %s to a %s",
                             luaL_typename(L, -2), luaL_typename(L, -1));
    if (lua_type(L, -1) == LUA_TSTRING) {
      type.p = lua_tolstring(L, -2, &type.n);
      value.p = lua_tolstring(L, -1, &value.n);
      value = sc3_text_trim(value);
      for (at = m->values.uid_count; at > 0 && type_order(type, m->values.uids[at - 1].type) < 0;
           at--)
        continue;
      if (value.n > 0)
        put_uid(m, at, type, value);
    }
    lua_pop(L, 1); /* the table still holds it */
  }
  return NULL;
}

int sc3l_has_other_keys(lua_State *L, int index, size_t n) {
  size_t count = 0;
  index = sc3l_absindex(L, index);
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    count++;
    lua_pop(L, 1);
  }
  return count != n;
}

/* The array of { type =, value = }, or the table from types to values, on top of the stack. */
static const char *take_uids(lua_State *L, sc3l_member *m) {
  size_t i, n;
  if (is_absent(L, -1))
    return NULL;
  if (lua_type(L, -1) != LUA_TTABLE)
    return lua_pushfstring(
        L, "uids must be an array of {type, value}, or a table from types to strings, not a %s",
        luaL_typename(L, -1));
  n = (size_t)lua_rawlen(L, -1);
  if (n == 0)
    return take_uid_map(L, m);
  if (sc3l_has_other_keys(L, -1, n))
    return lua_pushfstring(L, "uids must be a list without holes and without other keys");
  for (i = 1; i <= n; i++) {
    sc3_slice type, value;
    lua_rawgeti(L, -1, (int)i);
    if (lua_type(L, -1) != LUA_TTABLE)
      return lua_pushfstring(L, "uids[%d] must be a table with type and value, not a %s", (int)i,
                             luaL_typename(L, -1));
    type = uid_part(L, "type");
    value = uid_part(L, "value");
    put_uid(m, m->values.uid_count, type, value.p != NULL ? sc3_text_trim(value) : value);
    lua_pop(L, 1);
  }
  return NULL;
}

static int role_named(const char *key, size_t n) {
  int i;
  for (i = 0; i < SC3_ROLE_COUNT; i++) {
    if (ROLE_NAMES[i].n == n && ROLE_NAMES[i].text[0] == key[0] &&
        memcmp(ROLE_NAMES[i].text, key, n) == 0)
      return i;
  }
  return -1;
}

/* Whether a key has the form of a field's name. Any other may be a person's value, and is never
 * shown. */
static int is_name(const char *key) {
  return strlen(key) <= 64 &&
         strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
             strlen(key);
}

const char *sc3l_read_member(lua_State *L, int index, sc3l_member *m) {
  index = sc3l_absindex(L, index);
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    const char *key, *message = NULL;
    size_t n;
    int role;
    if (lua_type(L, -2) != LUA_TSTRING)
      return lua_pushfstring(L, "a member has a key that is a %s", luaL_typename(L, -2));
    key = lua_tolstring(L, -2, &n);
    role = role_named(key, n);
    if (role == SC3_ROLE_UID) {
      message = take_uids(L, m);
    } else if (role >= 0) {
      take_value(L, m, (sc3_role)role);
    } else if (strcmp(key, "remove") == 0) {
      if (lua_type(L, -1) != LUA_TBOOLEAN)
        return lua_pushfstring(L, "remove must be true or false, not a %s", luaL_typename(L, -1));
      if (lua_toboolean(L, -1))
        m->op = SC3_REMOVE;
    } else {
      return lua_pushfstring(
          L,
          "unknown key %s in a member (known: external_id, email, phone, region, hashed_email, "
          "hashed_phone, uids, remove)",
          is_name(key) ? lua_pushfstring(L, "'%s'", key) : "that is no name");
    }
    if (message != NULL)
      return message;
    lua_pop(L, 1);
  }
  return NULL;
}

sc3_status sc3l_stage_member(sc3_builder *b, const sc3l_member *m) {
  sc3_outcome outcome;
  sc3_status st = SC3_OK;
  unsigned i, role;
  if (m->id_fault != SC3_R_NONE)
    return sc3_builder_reject(b, m->id_fault, SC3_ROLE_EXTERNAL_ID, 0);
  for (role = 0; role < SC3_ROLE_COUNT; role++) {
    for (i = 0; i < m->not_text[role] && st == SC3_OK; i++)
      st = sc3_builder_drop(b, (sc3_role)role, SC3_R_NOT_TEXT, 0);
  }
  for (i = 0; i < m->uids_over && st == SC3_OK; i++)
    st = sc3_builder_drop(b, SC3_ROLE_UID, SC3_R_UID_TOO_MANY, 0);
  return st == SC3_OK ? sc3_builder_stage(b, m->op, &m->values, &outcome) : st;
}
