/* "scope3.state": a database of SQLite that one process has. A module of its own, so that the core
 * needs no SQLite. What is in it, and when it is written, says Lua. */
#include <stdint.h>
#include <string.h>

#include "../core/bytes/buffer.h"
#include "../lua/type.h"
#include "../lua/view.h"
#include "database.h"

#define TYPE "scope3.database"
#define VIEW "scope3.view"

/* Whole numbers up to here are exact in a double. */
#define EXACT 9007199254740992.0

/* SQLite's own limit of a blob; and how many bytes of the last one that was shown stay for the
 * next.
 */
enum { LARGEST = 1000000000, KEPT = 2 << 20 };

typedef enum how { RUN, FIRST, EACH } how;

/* A statement that is carried out. An error of Lua in the middle of it is caught, and goes on once
   the statement is free. */
typedef struct call {
  sqlite3_stmt *statement;
  how as;
  sc3_state_fault fault;
} call;

typedef struct database_ud {
  sc3_database d;
  call *now;        /* the innermost: a function that takes a row may carry out another */
  unsigned depth;   /* of those */
  int closing;      /* closed by a finalizer or such a function: once the last call has ended */
  sc3_buffer shown; /* for the next blob that is shown */
} database_ud;

static int push_fault(lua_State *L, sc3_state_fault fault) {
  lua_pushnil(L);
  lua_pushstring(L, fault.message);
  lua_pushstring(L, fault.code != NULL ? fault.code : "unusable");
  return 3;
}

static database_ud *check(lua_State *L) {
  database_ud *u = luaL_checkudata(L, 1, TYPE);
  if (u->d.handle == NULL || u->closing)
    sc3l_raise_closed(L, "database");
  return u;
}

static const sc3_state_fault FORKED = {
    "it was opened by the process that this one is a child of: open it after fork", "forked"};

/* Whether a field of the options at 2 is true. */
static int is_set(lua_State *L, const char *name) {
  int set;
  lua_getfield(L, 2, name);
  set = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return set;
}

/* open(path [, {create = true, read_only = true}]) -> database | nil, message, code: "locked" where
   another process has it, "missing", "unsafe" where it is not this user's alone, or those of its
   methods. It is made with mode 0600 when there is none, where `create` says so. Where it is only
   read, another process may have it. */
static int state_open(lua_State *L) {
  size_t n;
  const char *path = luaL_checklstring(L, 1, &n);
  database_ud *u;
  sc3_state_fault fault;
  sc3_database_use use = SC3_DATABASE_WRITE;
  luaL_argcheck(L, n > 0 && strlen(path) == n, 1, "no name of a file");
  if (!lua_isnoneornil(L, 2)) {
    luaL_checktype(L, 2, LUA_TTABLE);
    use = is_set(L, "read_only") ? SC3_DATABASE_READ
          : is_set(L, "create")  ? SC3_DATABASE_CREATE
                                 : SC3_DATABASE_WRITE;
  }
  u = sc3l_new_object(L, sizeof *u, TYPE);
  sc3_database_init(&u->d);
  sc3_buffer_init(&u->shown, LARGEST);
  fault = sc3_database_open(&u->d, path, use);
  if (fault.message == NULL)
    return 1;
  push_fault(L, fault);
  sc3_database_close(&u->d); /* the texts were SQLite's and the system's */
  return 3;
}

/* --- values to SQLite --- */

static void bind_number(lua_State *L, int index, call *c, int at, int *status) {
  double number;
#if LUA_VERSION_NUM >= 503
  if (lua_isinteger(L, index)) {
    *status = sqlite3_bind_int64(c->statement, at, (sqlite3_int64)lua_tointeger(L, index));
    return;
  }
#endif
  number = (double)lua_tonumber(L, index);
  if (number != number)
    luaL_error(L, "a value of a statement is no number"); /* SQLite would keep NULL */
  /* So every Lua writes the same. */
  if (number >= -EXACT && number <= EXACT && number == (double)(sqlite3_int64)number)
    *status = sqlite3_bind_int64(c->statement, at, (sqlite3_int64)number);
  else
    *status = sqlite3_bind_double(c->statement, at, number);
}

/* A text stays where it is on the stack of Lua until the statement is released. */
static void bind_text(lua_State *L, int index, call *c, int at, int *status) {
  size_t n;
  const char *p = lua_tolstring(L, index, &n);
  *status = sqlite3_bind_text64(c->statement, at, p, n, SQLITE_STATIC, SQLITE_UTF8);
}

/* So does a view, and who gives it sees to it that its bytes do. */
static void bind_view(lua_State *L, int index, call *c, int at, int *status) {
  const sc3_slice bytes = sc3l_check_view(L, index);
  *status = sqlite3_bind_blob64(c->statement, at, bytes.p, bytes.n, SQLITE_STATIC);
}

static int bind(lua_State *L, int first, call *c) {
  const int count = lua_gettop(L) - first + 1;
  int i, status = SQLITE_OK;
  if (count != sqlite3_bind_parameter_count(c->statement))
    return luaL_error(L, "the statement takes %d values, and is given %d",
                      sqlite3_bind_parameter_count(c->statement), count);
  for (i = 1; i <= count && status == SQLITE_OK; i++) {
    const int index = first + i - 1;
    switch (lua_type(L, index)) {
      case LUA_TNIL: break;
      case LUA_TNUMBER: bind_number(L, index, c, i, &status); break;
      case LUA_TSTRING: bind_text(L, index, c, i, &status); break;
      default:
        if (!sc3l_is_view(L, index))
          return luaL_error(L, "a value of a statement is a %s", luaL_typename(L, index));
        bind_view(L, index, c, i, &status);
    }
  }
  return status;
}

/* --- values from SQLite --- */

/* A number that this Lua cannot hold loses its last digits: the policy writes none. */
static void push_integer(lua_State *L, sqlite3_int64 number) {
#if LUA_VERSION_NUM >= 503
  lua_pushinteger(L, (lua_Integer)number);
#else
  lua_pushnumber(L, (lua_Number)number);
#endif
}

/* Pushes a text or a blob: 0 where SQLite has no memory for it. */
static int push_bytes(lua_State *L, call *c, int column) {
  const int is_text = sqlite3_column_type(c->statement, column) == SQLITE_TEXT;
  const void *p = is_text ? (const void *)sqlite3_column_text(c->statement, column)
                          : sqlite3_column_blob(c->statement, column);
  const size_t n = (size_t)sqlite3_column_bytes(c->statement, column);
  if (p == NULL && sqlite3_errcode(sqlite3_db_handle(c->statement)) == SQLITE_NOMEM)
    return 0;
  lua_pushlstring(L, p != NULL ? p : "", n);
  return 1;
}

/* Pushes the row as a list, in which nil stands for NULL: 0 where SQLite has no memory for it. */
static int push_row(lua_State *L, call *c) {
  const int count = sqlite3_column_count(c->statement);
  int i;
  lua_createtable(L, count, 0);
  for (i = 0; i < count; i++) {
    switch (sqlite3_column_type(c->statement, i)) {
      case SQLITE_NULL: continue;
      case SQLITE_INTEGER: push_integer(L, sqlite3_column_int64(c->statement, i)); break;
      case SQLITE_FLOAT: lua_pushnumber(L, sqlite3_column_double(c->statement, i)); break;
      default:
        if (!push_bytes(L, c, i))
          return 0;
    }
    lua_rawseti(L, -2, i + 1);
  }
  return 1;
}

/* --- statements --- */

/* Gives a row to the function at index 2. */
static void give_row(lua_State *L, const database_ud *u) {
  lua_pushvalue(L, 2);
  lua_insert(L, -2);
  lua_call(L, 1, 0);
  if (u->closing)
    sc3l_raise_closed(L, "database");
}

/* Carries out the innermost statement. On the stack: the database, of EACH the function, the
   values. Gives what the caller gets, or sets the fault. */
static int carry_out(lua_State *L) {
  database_ud *u = lua_touserdata(L, 1);
  call *c = u->now;
  int status = bind(L, c->as == EACH ? 3 : 2, c);
  while (status == SQLITE_OK || status == SQLITE_ROW) {
    status = sqlite3_step(c->statement);
    if (status != SQLITE_ROW || c->as == RUN)
      continue;
    if (!push_row(L, c))
      status = SQLITE_NOMEM;
    else if (c->as == FIRST)
      return 1;
    else
      give_row(L, u);
  }
  c->fault = sc3_database_fault(&u->d, status);
  if (c->as == RUN)
    sc3l_push_count(L, sqlite3_changes(u->d.handle));
  else
    lua_pushboolean(L, c->as != FIRST);
  return 1;
}

static void end_call(database_ud *u) {
  if (u->depth == 0 && u->closing) {
    u->closing = 0;
    sc3_database_close(&u->d);
    sc3_buffer_free(&u->shown);
  }
}

/* On the stack: the database, the text of a statement, and what carry_out() takes. */
static int statement(lua_State *L, how as) {
  database_ud *u = check(L);
  size_t n;
  const char *sql = luaL_checklstring(L, 2, &n);
  call c, *const outer = u->now;
  int status;
  if (as == EACH)
    luaL_checktype(L, 3, LUA_TFUNCTION);
  if (!sc3_database_mine(&u->d))
    return push_fault(L, FORKED);
  sc3l_checkstack(L, 8);
  memset(&c, 0, sizeof c);
  c.as = as;
  lua_pushcfunction(L, carry_out); /* the last that may raise before the statement is free */
  lua_pushvalue(L, 1);
  lua_insert(L, 3);
  lua_insert(L, 3); /* database, text, function, database, values; the text keeps `sql` alive */
  /* What was just made may have run a finalizer that closed it. */
  if (u->d.handle == NULL || u->closing)
    sc3l_raise_closed(L, "database");
  c.statement = sc3_database_prepare(&u->d, sql, n, &status);
  if (c.statement == NULL)
    return push_fault(L, sc3_database_fault(&u->d, status));
  u->now = &c;
  u->depth++;
  status = lua_pcall(L, lua_gettop(L) - 3, 1, 0);
  u->now = outer;
  u->depth--;
  sc3_database_release(&u->d, c.statement);
  end_call(u);
  if (status != 0)
    return lua_error(L);
  return c.fault.message != NULL ? push_fault(L, c.fault) : 1;
}

/* :run(sql, ...) -> number of rows that it changed | nil, message, code. Values are texts, numbers,
   nil, and views, which are blobs; CAST(? AS BLOB) makes a blob of a text without a copy. Codes:
   "memory", "full", "io", "damaged", "foreign", "busy", "forked"; "unusable" for the rest. No
   message holds a value. */
static int database_run(lua_State *L) {
  return statement(L, RUN);
}

/* :first(sql, ...) -> the first row as a list, false where there is none | nil, message, code */
static int database_first(lua_State *L) {
  return statement(L, FIRST);
}

/* :each(sql, function, ...) -> true | nil, message, code: the function is given each row. It may
   use the database. */
static int database_each(lua_State *L) {
  return statement(L, EACH);
}

/* Frees what was shown, or keeps it for the next. A larger one would stay while nothing is shown.
 */
static void leave_shown(database_ud *u, sc3_buffer *shown) {
  if (u->d.handle != NULL && u->shown.p == NULL && shown->n <= KEPT) {
    shown->n = 0;
    u->shown = *shown;
  } else {
    sc3_buffer_free(shown);
  }
}

/* :look(table, column, row, function) -> true | nil, message, code: the function is given a view of
   the blob in that row, by its number. The core reads it while the function runs. Where there is no
   such row, or no blob in it, the file is damaged. The blob lies in memory of its own: what SQLite
   allocates and frees for one of megabytes has glibc keep as much of its heap from then on. */
static int database_look(lua_State *L) {
  database_ud *u = check(L);
  const char *table = luaL_checkstring(L, 2), *column = luaL_checkstring(L, 3);
  const sqlite3_int64 row = (sqlite3_int64)luaL_checknumber(L, 4);
  sc3l_view *view;
  sc3_buffer shown;
  int status;
  luaL_checktype(L, 5, LUA_TFUNCTION);
  if (!sc3_database_mine(&u->d))
    return push_fault(L, FORKED);
  lua_settop(L, 5);
  sc3l_checkstack(L, 8);
  view = sc3l_push_view(L, VIEW);
  u = check(L); /* a finalizer may have closed it */
  shown = u->shown;
  sc3_buffer_init(&u->shown, LARGEST); /* the function may look at another */
  status = sc3_database_read_blob(&u->d, table, column, row, &shown);
  if (status == SQLITE_OK) {
    view->bytes = sc3_slice_of(shown.p != NULL ? shown.p : "", shown.n);
    lua_pushvalue(L, 5);
    lua_pushvalue(L, 6); /* the view stays where it is: the function may drop its own */
    status = lua_pcall(L, 1, 0, 0);
    view->bytes.p = NULL;
    leave_shown(u, &shown);
    if (status != 0)
      return lua_error(L);
    lua_pushboolean(L, 1);
    return 1;
  }
  leave_shown(u, &shown);
  return push_fault(L, sc3_database_fault(&u->d, status));
}

/* :in_transaction() -> boolean. SQLite itself may have ended one that failed. */
static int database_in_transaction(lua_State *L) {
  database_ud *u = check(L);
  lua_pushboolean(L, !sqlite3_get_autocommit(u->d.handle));
  return 1;
}

/* :check() -> true | nil, message, code: "moved" where its name means another file by now, "forked"
 */
static int database_check(lua_State *L) {
  database_ud *u = check(L);
  sc3_state_fault fault = FORKED;
  if (sc3_database_mine(&u->d))
    fault.message = sc3_state_files_check(&u->d.files, &fault.code);
  if (fault.message != NULL)
    return push_fault(L, fault);
  lua_pushboolean(L, 1);
  return 1;
}

static int database_close(lua_State *L) {
  database_ud *u = luaL_checkudata(L, 1, TYPE);
  u->closing = u->depth > 0;
  if (!u->closing) {
    sc3_database_close(&u->d);
    sc3_buffer_free(&u->shown);
  }
  return 0;
}

SC3L_EXPORT int luaopen_scope3_state(lua_State *L);

SC3L_EXPORT int luaopen_scope3_state(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"check", database_check},
      {"each", database_each},
      {"first", database_first},
      {"in_transaction", database_in_transaction},
      {"look", database_look},
      {"run", database_run},
      {NULL, NULL},
  };
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = database_close};
  sc3l_check_version(L);
  sc3l_new_type(L, &type);
  sc3l_new_view_type(L, VIEW);
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, state_open);
  lua_setfield(L, -2, "open");
  lua_pushstring(L, sqlite3_libversion());
  lua_setfield(L, -2, "sqlite_version");
  return 1;
}
