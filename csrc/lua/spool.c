/* Binds "scope3.spool": members in a mapped file that survive the process
 * (csrc/core/files/spool.h). One a process: open it where it is used, after fork. */
#include "../core/files/spool.h"

#include <errno.h>

#include "../core/files/spool_entry.h"
#include "arguments.h"
#include "lines.h"
#include "open.h"
#include "payload.h"
#include "type.h"

#define TYPE "scope3.spool"

enum { DEFAULT_CAPACITY = 64 << 20 };

static const lua_Number STAMP_MAX =
    9007199254740992.0; /* whole numbers up to it are exact in a double */

typedef struct spool_ud {
  sc3_spool *s; /* NULL = closed */
  int reads;    /* calls that look at its bytes: it is closed after them */
  int ended;
} spool_ud;

static spool_ud *check_spool(lua_State *L) {
  spool_ud *u = luaL_checkudata(L, 1, TYPE);
  if (u->s == NULL || u->ended)
    sc3l_raise_closed(L, "spool");
  return u;
}

static void close_when_unread(spool_ud *u) {
  if (!u->ended || u->reads > 0)
    return;
  sc3_spool_close(u->s);
  u->s = NULL;
}

/* true, or nil and what went wrong */
static int push_status(lua_State *L, sc3_spool_status status) {
  if (status == SC3_SPOOL_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, sc3_spool_describe(status, errno));
  return 2;
}

static size_t opt_capacity(lua_State *L, int index) {
  static const char *const known[] = {"capacity", NULL};
  lua_Number n = DEFAULT_CAPACITY;
  if (lua_isnoneornil(L, index))
    return DEFAULT_CAPACITY;
  luaL_checktype(L, index, LUA_TTABLE);
  sc3l_check_keys(L, index, known, "spool");
  lua_getfield(L, index, "capacity");
  if (!lua_isnil(L, -1)) {
    if (lua_type(L, -1) != LUA_TNUMBER)
      luaL_error(L, "capacity must be a number of bytes, not a %s", luaL_typename(L, -1));
    n = lua_tonumber(L, -1);
    if (!(n >= (lua_Number)SC3_SPOOL_LEAST_CAPACITY && n <= 4294967295.0))
      luaL_error(L, "capacity must be between %d and 4294967295", (int)SC3_SPOOL_LEAST_CAPACITY);
  }
  lua_pop(L, 1);
  return (size_t)n;
}

/* A word for what the file is, where its state decides; NULL where the system refused something. */
static const char *word_of(sc3_spool_status status) {
  switch (status) {
    case SC3_SPOOL_LOCKED: return "locked";
    case SC3_SPOOL_FOREIGN:
    case SC3_SPOOL_VERSION:
    case SC3_SPOOL_BYTE_ORDER:
    case SC3_SPOOL_HEADER: return "unreadable";
    default: return NULL;
  }
}

/* spool(path [, {capacity = 64 MiB}]) -> spool | nil, message [, "locked" where it is in use,
   "unreadable" where it is no spool that can be read here; else the system refused something].
   Makes a file of mode 0600 where there is none; one that is no spool is left as it is. A relative
   path is looked up again by :remove(). */
static int spool_new(lua_State *L) {
  size_t length, capacity;
  const char *path = luaL_checklstring(L, 1, &length);
  sc3_spool_status status;
  spool_ud *u;
  luaL_argcheck(L, strlen(path) == length, 1, "a path holds no zero byte");
  capacity = opt_capacity(L, 2);
  u = sc3l_new_object(L, sizeof *u, TYPE);
  status = sc3_spool_open(&u->s, path, capacity);
  if (status == SC3_SPOOL_OK)
    return 1;
  (void)push_status(L, status);
  lua_pushstring(L, word_of(status));
  return 3;
}

static uint64_t opt_stamp(lua_State *L, int index, lua_Number absent) {
  lua_Number n = luaL_optnumber(L, index, absent);
  luaL_argcheck(L, n >= 0 && n <= STAMP_MAX, index, "must be between 0 and 2^53");
  return (uint64_t)n;
}

static sc3_slice opt_label(lua_State *L, int index) {
  size_t n;
  const char *p = luaL_optlstring(L, index, "", &n);
  luaL_argcheck(L, n <= SC3_SPOOL_LABEL_MAX, index, "a label has at most 65535 bytes");
  return sc3_slice_of(p, n);
}

/* :keep(payload, first, last [, stamp [, label]]) -> true | nil, "full" | nil, message. Appends the
   living members of that range (counted from 1, both ends included), all or none; what it has
   answered `true` for survives kill -9. The stamp, a whole number of at most 2^53, orders members
   of several files; the label says whose they are. */
static int spool_keep(lua_State *L) {
  const sc3_slice label =
      opt_label(L, 6); /* first: a number becomes a text, which may run finalizers */
  spool_ud *u = check_spool(L);
  sc3_spool_batch batch = {sc3l_read_payload_bytes(L, 2), 0, 0, 0, label};
  lua_Number first = luaL_checknumber(L, 3), last = luaL_checknumber(L, 4);
  luaL_argcheck(L, first >= 1 && first <= 4294967295.0, 3, "must be between 1 and 4294967295");
  luaL_argcheck(L, last >= 1 && last <= 4294967295.0, 4, "must be between 1 and 4294967295");
  batch.first = (size_t)first - 1;
  batch.last = (size_t)last;
  batch.stamp = opt_stamp(L, 5, 0);
  return push_status(L, sc3_spool_keep(u->s, &batch));
}

/* :release(number) -> true | nil, message. The records up to that number have left. A spool that is
 * opened later begins after them. */
static int spool_release(lua_State *L) {
  spool_ud *u = check_spool(L);
  lua_Number n = luaL_checknumber(L, 2);
  luaL_argcheck(L, n >= 0 && n <= 4294967295.0, 2, "must be between 0 and 4294967295");
  return push_status(L, sc3_spool_release(u->s, (uint32_t)n));
}

/* (slice) -> its text */
static int copy_slice(lua_State *L) {
  const sc3_slice *s = lua_touserdata(L, 1);
  lua_pushlstring(L, s->n > 0 ? s->p : "", s->n);
  return 1;
}

/* Pushes the label of a member, by the function copy_slice() on top of the stack. Making a text may
   run finalizers, and the label lies in the mapped file: a spool that is closed meanwhile is freed
   afterwards. 0, or not 0 with the error pushed instead. */
static int push_label(lua_State *L, spool_ud *u, sc3_slice *label) {
  int failed;
  lua_pushlightuserdata(L, label);
  u->reads++;
  failed = lua_pcall(L, 1, 1, 0);
  u->reads--;
  close_when_unread(u);
  return failed;
}

/* The function that :reader() gives; its upvalues are the spool and a cursor. */
static int take_members(lua_State *L) {
  spool_ud *u = lua_touserdata(L, lua_upvalueindex(1));
  sc3_spool_cursor *cursor = lua_touserdata(L, lua_upvalueindex(2));
  sc3_spool_taken taken;
  sc3_spool_wanted wanted;
  sc3_spool_status status;
  int looks = lua_isnoneornil(L, 1);
  uint64_t last = opt_stamp(L, 2, STAMP_MAX);
  lua_Number most = luaL_optnumber(L, 3, 4294967295.0);
  luaL_argcheck(L, most >= 1 && most <= 4294967295.0, 3, "must be between 1 and 4294967295");
  wanted.last_stamp = last;
  wanted.most = (size_t)most;
  wanted.label = opt_label(L, 4); /* before the spool is looked at, as in keep() */
  lua_settop(L, 4);
  lua_pushcfunction(L, copy_slice);
  if (u->s == NULL || u->ended)
    return sc3l_raise_closed(L, "spool");
  status = sc3_spool_take(u->s, cursor, looks ? NULL : sc3l_check_payload(L, 1), &wanted, &taken);
  if (status != SC3_SPOOL_OK)
    return luaL_error(L, "%s", sc3_spool_describe(status, errno));
  if (push_label(L, u, &taken.label) != 0)
    return lua_error(L);
  if (!looks)
    sc3l_count_payload(L, 1); /* when all is done: finalizers may run */
  sc3l_push_count(L, taken.members);
  sc3l_push_count(L, cursor->number);
  if (taken.more)
    lua_pushnumber(L, (lua_Number)taken.stamp);
  else
    lua_pushnil(L);
  lua_pushboolean(L, taken.full);
  sc3l_push_count(L, taken.unfit);
  lua_pushvalue(L, 5); /* the label */
  return 6;
}

/* :reader() -> a function (payload, last, most, label) -> taken, number, stamp, full, unfit, label.
 * Each call reads at most `most` further members into the payload. It stops before a member with
 * another label ("" for none), with a stamp over `last`, or without room. `taken` counts them,
 * `number` is the last record that was read. `stamp` and `label` are those of the next one; after
 * the last `stamp` is nil. `full` says that the payload is full. `unfit` counts those that fit into
 * no payload like this. Without a payload it only looks. */
static int spool_reader(lua_State *L) {
  sc3_spool_cursor *cursor;
  (void)check_spool(L);
  lua_settop(L, 1);
  cursor = lua_newuserdata(L, sizeof *cursor);
  memset(cursor, 0, sizeof *cursor);
  lua_pushcclosure(L, take_members, 2);
  return 1;
}

/* How a spool is divided, and how far it was read. The label is an upvalue, too. */
typedef struct entries_reading {
  sc3_spool_cursor cursor;
  sc3_spool_entry_bounds bounds;
} entries_reading;

/* The function that :entries() gives; its upvalues are the spool, how it is read, and the label. */
static int next_entry(lua_State *L) {
  const spool_ud *u = lua_touserdata(L, lua_upvalueindex(1));
  entries_reading *reading = lua_touserdata(L, lua_upvalueindex(2));
  sc3_buffer *out = sc3l_check_lines(L, 1);
  sc3_spool_entry entry;
  sc3_spool_status status;
  if (u->s == NULL || u->ended)
    return sc3l_raise_closed(L, "spool");
  out->n = 0;
  status = sc3_spool_next_entry(u->s, &reading->cursor, &reading->bounds, out, &entry);
  if (status != SC3_SPOOL_OK)
    return luaL_error(L, "%s", sc3_spool_describe(status, errno));
  if (entry.members + entry.unfit == 0)
    return 0;
  sc3l_push_count(L, entry.after);
  sc3l_push_count(L, entry.members);
  sc3l_push_count(L, entry.unfit);
  return 3;
}

/* :entries(label, records, bytes, member_bytes) -> a function (lines) -> after, members, unfit,
   which gives nothing after the last. Each call writes an entry into the lines, with that label
   before members that have none: of records whose numbers span at most so many, and of at most so
   many bytes. `after` is one less than the number of its first record. `unfit` counts members of
   more than `member_bytes`, which it passes over; they change nothing of where an entry ends. */
static int spool_entries(lua_State *L) {
  entries_reading *reading;
  const sc3_slice label = sc3l_check_string(L, 2);
  const size_t records = sc3l_check_size(L, 3, "records"), bytes = sc3l_check_size(L, 4, "bytes");
  const size_t member_bytes = sc3l_check_size(L, 5, "member_bytes");
  (void)check_spool(L);
  lua_settop(L, 2);
  reading = lua_newuserdata(L, sizeof *reading);
  memset(reading, 0, sizeof *reading);
  reading->bounds.records = records;
  reading->bounds.bytes = bytes;
  reading->bounds.member_bytes = member_bytes;
  reading->bounds.label = label;
  lua_insert(L, 2);
  lua_pushcclosure(L, next_entry, 3);
  return 1;
}

/* :count() -> members that can be read and were not released */
static int spool_count(lua_State *L) {
  sc3l_push_count(L, sc3_spool_count(check_spool(L)->s));
  return 1;
}

/* :lost() -> members that were kept, not released, and cannot be read */
static int spool_lost(lua_State *L) {
  sc3l_push_count(L, sc3_spool_lost(check_spool(L)->s));
  return 1;
}

/* :last() -> the number and the stamp of the last record; 0 and 0 where there is none */
static int spool_last(lua_State *L) {
  const sc3_spool *s = check_spool(L)->s;
  sc3l_push_count(L, sc3_spool_number(s));
  lua_pushnumber(L, (lua_Number)sc3_spool_stamp(s));
  return 2;
}

/* :bytes() -> bytes in use, of which the capacity is the limit */
static int spool_bytes(lua_State *L) {
  sc3l_push_count(L, sc3_spool_bytes(check_spool(L)->s));
  return 1;
}

/* :damaged() -> bytes that could not be read when the file was opened (or read through); 0 when all
 * is well */
static int spool_damaged(lua_State *L) {
  sc3l_push_count(L, sc3_spool_damaged(check_spool(L)->s));
  return 1;
}

/* :unload(). Gives back the memory of its pages; they come back from the file when they are read.
 */
static int spool_unload(lua_State *L) {
  sc3_spool_unload(check_spool(L)->s);
  return 0;
}

/* :trim(). Gives back the end of the file that has no records. */
static int spool_trim(lua_State *L) {
  sc3_spool_trim(check_spool(L)->s);
  return 0;
}

/* :reset() -> true | nil, message. Empties it, for good and at once. */
static int spool_reset(lua_State *L) {
  return push_status(L, sc3_spool_reset(check_spool(L)->s));
}

/* :rename(path) -> true | nil, message. Its file has another name then. */
static int spool_rename(lua_State *L) {
  spool_ud *u = check_spool(L);
  const char *path;
  size_t length;
  luaL_checktype(L, 2, LUA_TSTRING);
  path = lua_tolstring(L, 2, &length);
  luaL_argcheck(L, strlen(path) == length, 2, "a path holds no zero byte");
  return push_status(L, sc3_spool_rename(u->s, path));
}

/* :remove() -> true | nil, message. Empties it, removes the file and closes; after a failure it is
 * empty (but in a child of fork) and open. */
static int spool_remove(lua_State *L) {
  spool_ud *u = check_spool(L);
  sc3_spool_status status = sc3_spool_remove(u->s);
  if (status == SC3_SPOOL_OK)
    u->s = NULL;
  return push_status(L, status);
}

static int spool_close(lua_State *L) {
  spool_ud *u = luaL_checkudata(L, 1, TYPE);
  u->ended = 1;
  close_when_unread(u);
  return 0;
}

void sc3l_open_spool(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"bytes", spool_bytes},     {"count", spool_count},   {"damaged", spool_damaged},
      {"entries", spool_entries}, {"keep", spool_keep},     {"last", spool_last},
      {"lost", spool_lost},       {"reader", spool_reader}, {"release", spool_release},
      {"remove", spool_remove},   {"rename", spool_rename}, {"reset", spool_reset},
      {"trim", spool_trim},       {"unload", spool_unload}, {NULL, NULL},
  };
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = spool_close};
  sc3l_new_type(L, &type);
  lua_pushcfunction(L, spool_new);
  lua_setfield(L, -2, "spool");
}
