/* Binds "scope3.payload": the JSON of members, from which requests are sent. */
#include "payload.h"

#include <stdint.h>

#include "../core/members/redactor.h"
#include "arguments.h"
#include "holdings.h"
#include "lines.h"
#include "open.h"
#include "payload_access.h"
#include "payload_lines.h"
#include "type.h"

#define TYPE "scope3.payload"

enum { COUNT_EVERY = 1 << 20 }; /* bytes by which one grows before they are counted */

typedef struct payload_ud {
  sc3_payload *p;
  int closed;     /* while pinned the bytes stay until the last request has ended */
  int pins;       /* requests under way that read it */
  int fills;      /* builders that fill it now */
  int in_script;  /* one of them calls a script */
  size_t counted; /* of its bytes, those that are in the holdings */
  sc3l_holdings *all;
} payload_ud;

static payload_ud *check_open(lua_State *L, int index) {
  payload_ud *u = luaL_checkudata(L, index, TYPE);
  if (u->closed)
    sc3l_raise_closed(L, "payload");
  return u;
}

sc3_payload *sc3l_check_payload(lua_State *L, int index) {
  payload_ud *u = check_open(L, index);
  if (u->pins > 0)
    luaL_error(L, "attempt to change a payload while a request reads it");
  if (u->fills > 0)
    luaL_error(L, "attempt to change a payload while a builder fills it");
  return u->p;
}

const sc3_payload *sc3l_read_payload(lua_State *L, int index) {
  return check_open(L, index)->p;
}

const sc3_payload *sc3l_read_payload_bytes(lua_State *L, int index) {
  const payload_ud *u = check_open(L, index);
  if (u->fills > 0)
    luaL_error(L, "attempt to read a payload while a builder fills it");
  return u->p;
}

/* payload{max_members=, max_bytes=, lines=}; of lines all members have room that the bytes have */
static int payload_new(lua_State *L) {
  static const char *const known[] = {"max_members", "max_bytes", "lines", NULL};
  size_t max_members = 0, max_bytes;
  sc3l_holdings *all;
  payload_ud *u;
  int lines;
  luaL_checktype(L, 1, LUA_TTABLE);
  sc3l_check_keys(L, 1, known, "payload");
  lua_getfield(L, 1, "lines");
  lines = lua_toboolean(L, -1);
  lua_getfield(L, 1, "max_members");
  if (!lines)
    max_members = sc3l_check_size(L, -1, "max_members");
  lua_getfield(L, 1, "max_bytes");
  max_bytes = sc3l_check_size(L, -1, "max_bytes");
  all = sc3l_find_holdings(L);
  u = sc3l_new_object(L, sizeof *u, TYPE);
  u->closed = 1; /* until it has its bytes */
  u->all = all;
  u->p = lines ? sc3_payload_new_lines(max_bytes) : sc3_payload_new(max_members, max_bytes);
  if (u->p == NULL)
    return luaL_error(L, "not enough memory");
  u->closed = 0;
  return 1;
}

static void free_when_unused(payload_ud *u) {
  if (!u->closed || u->pins > 0 || u->fills > 0)
    return;
  sc3_payload_free(u->p);
  u->p = NULL;
  sc3l_shrink_holdings(u->all, u->counted);
  u->counted = 0;
}

/* Of the collector, and of a variable that is left: never raises. */
static int payload_end(lua_State *L) {
  payload_ud *u = luaL_checkudata(L, 1, TYPE);
  u->closed = 1;
  free_when_unused(u);
  return 0;
}

static int payload_close(lua_State *L) {
  const payload_ud *u = luaL_checkudata(L, 1, TYPE);
  if (u->in_script)
    return luaL_error(L, "attempt to close a payload while a builder fills it");
  return payload_end(L);
}

void *sc3l_fill_payload(lua_State *L, int index) {
  payload_ud *u = lua_touserdata(L, index);
  u->fills++;
  return u;
}

void sc3l_payload_in_script(void *payload, int in_script) {
  payload_ud *u = payload;
  if (u != NULL)
    u->in_script = in_script;
}

void sc3l_leave_payload(void *payload) {
  payload_ud *u = payload;
  if (u != NULL) {
    u->fills--;
    free_when_unused(u);
  }
}

static void *pin_payload(lua_State *L, int index) {
  payload_ud *u = lua_touserdata(L, index);
  u->pins++;
  return u;
}

static void unpin_payload(void *payload) {
  payload_ud *u = payload;
  if (u->pins > 0) {
    u->pins--;
    free_when_unused(u);
  }
}

void sc3l_count_payload(lua_State *L, int index) {
  payload_ud *u = lua_touserdata(L, index);
  const size_t bytes = sc3_payload_memory(u->p), grown = bytes - u->counted;
  if (grown < COUNT_EVERY)
    return;
  u->counted = bytes;
  sc3l_grow_holdings(L, u->all, grown);
}

/* :reset(): empties it. */
static int payload_reset(lua_State *L) {
  sc3_payload_reset(sc3l_check_payload(L, 1));
  return 0;
}

/* :living() -> adds, removes */
static int payload_living(lua_State *L) {
  payload_ud *u = check_open(L, 1);
  sc3l_push_count(L, sc3_payload_living(u->p, SC3_ADD));
  sc3l_push_count(L, sc3_payload_living(u->p, SC3_REMOVE));
  return 2;
}

/* :count() -> its members, also those that were dropped or replaced */
static int payload_count(lua_State *L) {
  sc3l_push_count(L, sc3_payload_count(check_open(L, 1)->p));
  return 1;
}

/* :bytes() -> the bytes that its members take */
static int payload_bytes(lua_State *L) {
  sc3l_push_count(L, sc3_payload_bytes(check_open(L, 1)->p));
  return 1;
}

/* :measure() -> its living members, and the bytes that all its members take */
static int payload_measure(lua_State *L) {
  const sc3_payload *p = check_open(L, 1)->p;
  sc3l_push_count(L, sc3_payload_living(p, SC3_ADD) + sc3_payload_living(p, SC3_REMOVE));
  sc3l_push_count(L, sc3_payload_bytes(p));
  return 2;
}

/* :cut(first, max_members, max_bytes [, last]) -> last, adds, removes, bytes */
static int payload_cut(lua_State *L) {
  payload_ud *u = check_open(L, 1);
  size_t first = sc3l_check_size(L, 2, "first");
  size_t last = lua_isnoneornil(L, 5) ? SIZE_MAX : sc3l_check_size(L, 5, "last");
  sc3_extent x = sc3_payload_cut(u->p, first - 1, last, sc3l_check_size(L, 3, "max_members"),
                                 sc3l_check_size(L, 4, "max_bytes"));
  sc3l_push_count(L, x.last);
  sc3l_push_count(L, x.members[SC3_ADD]);
  sc3l_push_count(L, x.members[SC3_REMOVE]);
  sc3l_push_count(L, x.bytes[SC3_ADD].n + x.bytes[SC3_REMOVE].n);
  return 4;
}

/* :row(i) -> source row of member i, nil where it has none */
static int payload_row(lua_State *L) {
  payload_ud *u = check_open(L, 1);
  uint64_t row = sc3_payload_row(u->p, sc3l_check_size(L, 2, "index") - 1);
  if (row == 0)
    return 0;
  sc3l_push_count(L, row);
  return 1;
}

/* :rows(first, last) -> source rows of the first and the last member that has one, of those from
   `first` to `last`; nil where none has */
static int payload_rows(lua_State *L) {
  const payload_ud *u = check_open(L, 1);
  const size_t first = sc3l_check_size(L, 2, "first");
  uint64_t rows[2];
  if (!sc3_payload_rows(u->p, first - 1, sc3l_check_size(L, 3, "last"), rows))
    return 0;
  sc3l_push_count(L, rows[0]);
  sc3l_push_count(L, rows[1]);
  return 2;
}

static int push_identifiers(lua_State *L, const sc3_identifiers *i) {
  sc3l_push_count(L, i->emails);
  sc3l_push_count(L, i->phones);
  sc3l_push_count(L, i->uids);
  sc3l_push_count(L, i->prehashed);
  return 4;
}

/* :drop(i) -> whether member i was there and is now taken out, and what it had: emails, phones,
   uids, those that came hashed. Requests may be reading other members: no byte moves. */
static int payload_drop(lua_State *L) {
  payload_ud *u = check_open(L, 1);
  size_t i = sc3l_check_size(L, 2, "index") - 1;
  const sc3_identifiers had = sc3_payload_identifiers(u->p, i);
  lua_pushboolean(L, sc3_payload_drop(u->p, i));
  return 1 + push_identifiers(L, &had);
}

/* :identifiers() -> emails, phones, uids of its living members, and how many of them came hashed */
static int payload_identifiers(lua_State *L) {
  return push_identifiers(L, sc3_payload_living_identifiers(check_open(L, 1)->p));
}

typedef struct taken_list {
  lua_State *L;
  int n;
} taken_list;

/* Runs inside sc3_payload_replace(), where nothing may raise: the list has room for all. */
static void note_taken(void *with, size_t i) {
  taken_list *list = with;
  sc3l_push_count(list->L, i + 1);
  lua_rawseti(list->L, -2, ++list->n);
}

/* :replace(later, first, last) -> the numbers of its members that members first to last of the
 * later payload replaced, which are now taken out */
static int payload_replace(lua_State *L) {
  sc3_payload *p = sc3l_check_payload(L, 1);
  const sc3_payload *later = sc3l_read_payload(L, 2);
  size_t first = sc3l_check_size(L, 3, "first"), last = sc3l_check_size(L, 4, "last"),
         most = sc3_payload_count(p);
  taken_list list = {L, 0};
  sc3_removal_listener listener;
  luaL_argcheck(L, p != later, 2, "another payload is expected");
  if (last < first)
    most = 0;
  else if (last - first < most)
    most = last - first + 1;
  lua_settop(L, 4);
  lua_createtable(L, (int)most, 0); /* made first: each member that is taken out must be reported */
  p = sc3l_check_payload(L, 1);     /* finalizers may have run */
  later = sc3l_read_payload(L, 2);
  listener.removed = note_taken;
  listener.with = &list;
  (void)sc3_payload_replace(p, later, first - 1, last, &listener);
  return 1;
}

sc3_op sc3l_check_op(lua_State *L, int index) {
  static const char *const ops[] = {"add", "remove", NULL};
  return (sc3_op)luaL_checkoption(L, index, NULL, ops);
}

/* :find(first, last, operation, nth) -> the number of its nth member (counted from 0) in that
 * range; nil where there is none */
static int payload_find(lua_State *L) {
  payload_ud *u = check_open(L, 1);
  size_t first = sc3l_check_size(L, 2, "first"), last = sc3l_check_size(L, 3, "last");
  sc3_op op = sc3l_check_op(L, 4);
  lua_Number nth = luaL_checknumber(L, 5);
  size_t i = nth >= 0 && nth < 4294967295.0
                 ? sc3_payload_find(u->p, first - 1, last, op, (size_t)nth)
                 : SIZE_MAX;
  if (i == SIZE_MAX)
    return 0;
  sc3l_push_count(L, i + 1);
  return 1;
}

/* :text(operation, first, last) -> the bytes that a request sends of that range */
static int payload_text(lua_State *L) {
  const sc3_payload *p = sc3l_read_payload_bytes(L, 1);
  sc3_op op = sc3l_check_op(L, 2);
  size_t first = sc3l_check_size(L, 3, "first"), last = sc3l_check_size(L, 4, "last");
  sc3_slice bytes = sc3_payload_range(p, first - 1, last).bytes[op];
  lua_pushlstring(L, bytes.n > 0 ? bytes.p : "", bytes.n);
  return 1;
}

/* :lines(operation) -> of a payload of lines all of that operation, each with its end */
static int payload_lines(lua_State *L) {
  const sc3_payload *p = sc3l_read_payload_bytes(L, 1);
  const sc3_slice lines = sc3_payload_lines(p, sc3l_check_op(L, 2));
  lua_pushlstring(L, lines.n > 0 ? lines.p : "", lines.n);
  return 1;
}

/* :digest() -> 64 hex digits that stand for all its bytes */
static int payload_digest(lua_State *L) {
  char hex[SC3_SHA256_HEX];
  sc3_payload_digest(sc3l_read_payload_bytes(L, 1), hex);
  lua_pushlstring(L, hex, sizeof hex);
  return 1;
}

/* :outline() -> a number that stands for the rows, operations and lengths of its members */
static int payload_outline(lua_State *L) {
  lua_pushnumber(L, (lua_Number)sc3_payload_outline(check_open(L, 1)->p));
  return 1;
}

/* :hide(text, first, last) -> the text with "[redacted]" for each external id and each value of a
   uid of these members */
static int payload_hide(lua_State *L) {
  static const char mark[] = "[redacted]";
  payload_ud *u = check_open(L, 1);
  size_t n, i, first = sc3l_check_size(L, 3, "first"), last = sc3l_check_size(L, 4, "last");
  const char *text = luaL_checklstring(L, 2, &n);
  unsigned char *hidden;
  void *memory;
  luaL_Buffer b;
  if (n > SC3_REDACTOR_TEXT_MAX)
    return luaL_error(L, "a text to hide members in must have at most %d bytes",
                      (int)SC3_REDACTOR_TEXT_MAX);
  hidden = sc3l_newuserdata(L, n + 1); /* Lua frees both */
  memory = sc3l_newuserdata(L, sc3_redactor_size(n));
  memset(hidden, 0, n + 1);
  u = check_open(L, 1); /* finalizers may have run */
  if (!sc3_redactor_mark(sc3_redactor_init(memory, text, n), u->p, first - 1, last, hidden)) {
    lua_pushvalue(L, 2);
    return 1;
  }
  luaL_buffinit(L, &b);
  for (i = 0; i < n; i++) {
    if (!hidden[i])
      luaL_addlstring(&b, text + i, 1);
    else if (i == 0 || !hidden[i - 1])
      luaL_addlstring(&b, mark, sizeof mark - 1);
  }
  luaL_pushresult(&b);
  return 1;
}

static sc3_slice payload_range(lua_State *L, int index, sc3_op op, size_t first, size_t last) {
  return sc3_payload_range(sc3l_read_payload_bytes(L, index), first - 1, last).bytes[op];
}

static void give_access(lua_State *L) {
  static const sc3l_payload_access access = {.version = SC3L_PAYLOAD_ACCESS_VERSION,
                                             .op = sc3l_check_op,
                                             .range = payload_range,
                                             .lines = sc3l_write_lines,
                                             .pin = pin_payload,
                                             .unpin = unpin_payload};
  lua_pushlightuserdata(L, (void *)(uintptr_t)&access);
  lua_setfield(L, LUA_REGISTRYINDEX, SC3L_PAYLOAD_ACCESS);
}

void sc3l_open_payload(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"as_lines", sc3l_payload_as_lines},
      {"bytes", payload_bytes},
      {"count", payload_count},
      {"cut", payload_cut},
      {"digest", payload_digest},
      {"drop", payload_drop},
      {"find", payload_find},
      {"hide", payload_hide},
      {"identifiers", payload_identifiers},
      {"lines", payload_lines},
      {"living", payload_living},
      {"measure", payload_measure},
      {"outline", payload_outline},
      {"replace", payload_replace},
      {"reset", payload_reset},
      {"row", payload_row},
      {"rows", payload_rows},
      {"take", sc3l_payload_take},
      {"text", payload_text},
      {NULL, NULL},
  };
  static const sc3l_type type = {
      .name = TYPE, .methods = {methods}, .end = payload_end, .close = payload_close};
  sc3l_make_holdings(L);
  sc3l_new_type(L, &type);
  give_access(L);
  lua_pushcfunction(L, payload_new);
  lua_setfield(L, -2, "payload");
}
