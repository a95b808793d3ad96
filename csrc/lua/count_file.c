/* Binds "scope3.count_file": numbers in a file that processes share (csrc/core/files/count_file.h),
   with the calls of nginx's lua_shared_dict between :lock() and :unlock(). */
#include "../core/files/count_file.h"

#include <errno.h>
#include <string.h>

#include "open.h"
#include "type.h"

#define TYPE "scope3.count_file"

typedef struct count_ud {
  sc3_count_file *f; /* NULL = closed */
  int damaged;       /* found when it was opened, and not reported yet */
} count_ud;

static sc3_count_file *check_file(lua_State *L, int locked) {
  count_ud *u = luaL_checkudata(L, 1, TYPE);
  if (u->f == NULL)
    sc3l_raise_closed(L, "count file");
  if (locked && !sc3_count_locked(u->f))
    luaL_error(L, "the count file is not locked");
  return u->f;
}

static int push_problem(lua_State *L, sc3_count_status status, int error) {
  lua_pushnil(L);
  if (status == SC3_COUNT_FOREIGN)
    lua_pushliteral(L, "it is a file of another kind, and was left as it is");
  else
    lua_pushstring(L, strerror(error));
  return 2;
}

/* count_file(path) -> file | nil, message. Made with mode 0600 where there is none; one that is
   something else is left as it is. */
static int count_file_new(lua_State *L) {
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  sc3_count_status status;
  count_ud *u;
  luaL_argcheck(L, strlen(path) == length, 1, "a path holds no zero byte");
  u = sc3l_new_object(L, sizeof *u, TYPE);
  status = sc3_count_open(&u->f, path);
  if (u->f == NULL)
    return push_problem(L, status, errno);
  u->damaged = status == SC3_COUNT_DAMAGED;
  return 1;
}

/* :lock() -> true [, "damaged" | "removed"] | false, while another process has it | nil, message.
   With one of these words, numbers that it held are gone. */
static int count_file_lock(lua_State *L) {
  sc3_count_file *f;
  count_ud *u;
  sc3_count_status status;
  int error;
  lua_pushliteral(L, "removed"); /* before it is locked: nothing may raise then */
  lua_pushliteral(L, "damaged");
  f = check_file(L, 0);
  u = lua_touserdata(L, 1);
  status = sc3_count_lock(f);
  error = errno;
  if (status == SC3_COUNT_FOREIGN || status == SC3_COUNT_SYSTEM)
    return push_problem(L, status, error);
  lua_pushboolean(L, status != SC3_COUNT_LOCKED);
  if (status == SC3_COUNT_REMOVED)
    lua_pushvalue(L, -3);
  else if (status == SC3_COUNT_DAMAGED || (u->damaged && status == SC3_COUNT_OK))
    lua_pushvalue(L, -2);
  else
    return 1;
  u->damaged = 0;
  return 2;
}

/* :unlock() -> true | nil, message */
static int count_file_unlock(lua_State *L) {
  sc3_count_file *f = check_file(L, 0);
  if (sc3_count_unlock(f) != SC3_COUNT_OK)
    return push_problem(L, SC3_COUNT_SYSTEM, errno);
  lua_pushboolean(L, 1);
  return 1;
}

/* The name at index 2. It is asked for before the file: a number becomes a text, which may run
 * finalizers. */
static const char *check_name(lua_State *L, size_t *n) {
  return luaL_checklstring(L, 2, n);
}

/* :get(name) -> number | nil */
static int count_file_get(lua_State *L) {
  size_t n;
  const char *name = check_name(L, &n);
  const sc3_count_file *f = check_file(L, 1);
  double value;
  if (!sc3_count_get(f, name, n, &value))
    return 0;
  lua_pushnumber(L, (lua_Number)value);
  return 1;
}

static int set(lua_State *L, sc3_count_file *f, const char *name, size_t n, double value) {
  luaL_argcheck(L, value == value, 3, "must be a number");
  if (!sc3_count_set(f, name, n, value))
    return luaL_error(L, "it is full: too many hosts and keys share it");
  return 1;
}

/* :set(name, number) -> true. Raises where there is no room. */
static int count_file_set(lua_State *L) {
  size_t n;
  const char *name = check_name(L, &n);
  sc3_count_file *f = check_file(L, 1);
  (void)set(L, f, name, n, (double)luaL_checknumber(L, 3));
  lua_pushboolean(L, 1);
  return 1;
}

/* :incr(name, by, init) -> the sum. Raises where there is no room. */
static int count_file_incr(lua_State *L) {
  size_t n;
  const char *name = check_name(L, &n);
  sc3_count_file *f = check_file(L, 1);
  double by = (double)luaL_checknumber(L, 3), value;
  if (!sc3_count_get(f, name, n, &value))
    value = (double)luaL_optnumber(L, 4, 0);
  (void)set(L, f, name, n, value + by);
  lua_pushnumber(L, (lua_Number)(value + by));
  return 1;
}

/* :delete(name) */
static int count_file_delete(lua_State *L) {
  size_t n;
  const char *name = check_name(L, &n);
  sc3_count_file *f = check_file(L, 1);
  sc3_count_delete(f, name, n);
  return 0;
}

static int count_file_close(lua_State *L) {
  count_ud *u = luaL_checkudata(L, 1, TYPE);
  if (u->f != NULL)
    sc3_count_close(u->f);
  u->f = NULL;
  return 0;
}

void sc3l_open_count_file(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"delete", count_file_delete},
      {"get", count_file_get},
      {"incr", count_file_incr},
      {"lock", count_file_lock},
      {"set", count_file_set},
      {"unlock", count_file_unlock},
      {NULL, NULL},
  };
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = count_file_close};
  sc3l_new_type(L, &type);
  lua_pushcfunction(L, count_file_new);
  lua_setfield(L, -2, "count_file");
}
