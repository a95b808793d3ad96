#include "payload.h"

#include <stdint.h>

#include "../core/members/redactor.h"

/* What all payloads of a Lua state hold. Lua's collector sees a few words of each, and would let
   hundreds of megabytes of dropped ones stand: so it is run when they hold more than twice what was
   left by the last time, and more than the rest of Lua does. */
typedef struct holdings {
  size_t bytes, limit;
} holdings;

enum { LOOK_EVERY = 1 << 20, FIRST_LIMIT = 64 << 20 };

typedef struct payload_ud {
  sc3_payload *p;
  int closed;     /* while pinned the bytes stay until the last request has ended */
  int pins;       /* requests under way that read it */
  int fills;      /* builders that fill it now */
  int in_script;  /* one of them calls a script */
  size_t counted; /* of its bytes, those that are in the holdings */
  holdings *all;
} payload_ud;

static const char HOLDINGS = 0; /* its address is the key in the registry */

static holdings *find_holdings(lua_State *L) {
  holdings *h;
  lua_pushlightuserdata(L, (void *)(uintptr_t)&HOLDINGS);
  lua_rawget(L, LUA_REGISTRYINDEX);
  h = lua_touserdata(L, -1);
  lua_pop(L, 1); /* the registry holds it, longer than any payload */
  return h;
}

static void make_holdings(lua_State *L) {
  holdings *h = find_holdings(L);
  if (h != NULL)
    return; /* the module was loaded before, and payloads of then look at these */
  lua_pushlightuserdata(L, (void *)(uintptr_t)&HOLDINGS);
  h = sc3_newuserdata(L, sizeof *h);
  h->bytes = 0;
  h->limit = FIRST_LIMIT;
  lua_rawset(L, LUA_REGISTRYINDEX);
}

void sc3_countpayload(lua_State *L, int index) {
  payload_ud *u = lua_touserdata(L, index);
  holdings *h = u->all;
  size_t bytes = sc3_payload_memory(u->p);
  if (bytes - u->counted < LOOK_EVERY)
    return;
  h->bytes += bytes - u->counted;
  u->counted = bytes;
  if (h->bytes <= h->limit || h->bytes >> 10 <= (size_t)lua_gc(L, LUA_GCCOUNT, 0))
    return;
#ifdef LUA_GCISRUNNING
  if (!lua_gc(L, LUA_GCISRUNNING, 0))
    return; /* somebody stopped it, and a full turn would start it again */
#endif
  (void)lua_gc(L, LUA_GCCOLLECT, 0);
  h->limit = h->bytes < FIRST_LIMIT / 2 ? FIRST_LIMIT : 2 * h->bytes;
}

static payload_ud *check_open(lua_State *L, int index) {
  payload_ud *u = luaL_checkudata(L, index, SC3_TYPE_PAYLOAD);
  if (u->closed)
    sc3_closed(L, "payload");
  return u;
}

sc3_payload *sc3_checkpayload(lua_State *L, int index) {
  payload_ud *u = check_open(L, index);
  if (u->pins > 0)
    luaL_error(L, "attempt to change a payload while a request reads it");
  if (u->fills > 0)
    luaL_error(L, "attempt to change a payload while a builder fills it");
  return u->p;
}

const sc3_payload *sc3_readpayload(lua_State *L, int index) {
  return check_open(L, index)->p;
}

static size_t check_size(lua_State *L, int index, const char *what) {
  lua_Number n = luaL_checknumber(L, index);
  if (!(n >= 1 && n <= 4294967295.0))
    luaL_error(L, "%s must be between 1 and 4294967295", what);
  return (size_t)n;
}

/* payload{max_members=, max_bytes=} */
static int payload_new(lua_State *L) {
  static const char *const known[] = {"max_members", "max_bytes", NULL};
  size_t max_members, max_bytes;
  payload_ud *u;
  luaL_checktype(L, 1, LUA_TTABLE);
  sc3_knownkeys(L, 1, known, "payload");
  lua_getfield(L, 1, "max_members");
  max_members = check_size(L, -1, "max_members");
  lua_getfield(L, 1, "max_bytes");
  max_bytes = check_size(L, -1, "max_bytes");
  u = sc3_newuserdata(L, sizeof *u);
  u->p = NULL;
  u->closed = 1; /* until it has its bytes */
  u->pins = u->fills = u->in_script = 0;
  u->counted = 0;
  u->all = find_holdings(L);
  luaL_getmetatable(L, SC3_TYPE_PAYLOAD);
  lua_setmetatable(L, -2);
  u->p = sc3_payload_new(max_members, max_bytes);
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
  u->all->bytes -= u->counted;
  u->counted = 0;
}

/* Of the collector, and of a variable that is left: never raises. */
static int payload_end(lua_State *L) {
  payload_ud *u = luaL_checkudata(L, 1, SC3_TYPE_PAYLOAD);
  u->closed = 1;
  free_when_unused(u);
  return 0;
}

static int payload_close(lua_State *L) {
  const payload_ud *u = luaL_checkudata(L, 1, SC3_TYPE_PAYLOAD);
  if (u->in_script)
    return luaL_error(L, "attempt to close a payload while a builder fills it");
  return payload_end(L);
}

void *sc3_fillpayload(lua_State *L, int index) {
  payload_ud *u = lua_touserdata(L, index);
  u->fills++;
  return u;
}

void sc3_scriptpayload(void *payload, int in_script) {
  payload_ud *u = payload;
  if (u != NULL)
    u->in_script = in_script;
}

void sc3_leavepayload(void *payload) {
  payload_ud *u = payload;
  if (u != NULL) {
    u->fills--;
    free_when_unused(u);
  }
}

static int payload_reset(lua_State *L) {
  sc3_payload_reset(sc3_checkpayload(L, 1));
  return 0;
}

/* :living() -> adds, removes */
static int payload_living(lua_State *L) {
  payload_ud *u = check_open(L, 1);
  sc3_pushcount(L, sc3_payload_living(u->p, SC3_ADD));
  sc3_pushcount(L, sc3_payload_living(u->p, SC3_REMOVE));
  return 2;
}

static int payload_count(lua_State *L) {
  sc3_pushcount(L, sc3_payload_count(check_open(L, 1)->p));
  return 1;
}

static int payload_bytes(lua_State *L) {
  sc3_pushcount(L, sc3_payload_bytes(check_open(L, 1)->p));
  return 1;
}

/* :cut(first, max_members, max_bytes [, last]) -> last, adds, removes, bytes */
static int payload_cut(lua_State *L) {
  payload_ud *u = check_open(L, 1);
  size_t first = check_size(L, 2, "first");
  size_t last = lua_isnoneornil(L, 5) ? SIZE_MAX : check_size(L, 5, "last");
  sc3_extent x = sc3_payload_cut(u->p, first - 1, last, check_size(L, 3, "max_members"),
                                 check_size(L, 4, "max_bytes"));
  sc3_pushcount(L, x.last);
  sc3_pushcount(L, x.members[SC3_ADD]);
  sc3_pushcount(L, x.members[SC3_REMOVE]);
  sc3_pushcount(L, x.bytes[SC3_ADD].n + x.bytes[SC3_REMOVE].n);
  return 4;
}

/* :row(i) -> source row of member i, nil where it has none */
static int payload_row(lua_State *L) {
  payload_ud *u = check_open(L, 1);
  uint64_t row = sc3_payload_row(u->p, check_size(L, 2, "index") - 1);
  if (row == 0)
    return 0;
  sc3_pushcount(L, row);
  return 1;
}

static int push_identifiers(lua_State *L, const sc3_identifiers *i) {
  sc3_pushcount(L, i->emails);
  sc3_pushcount(L, i->phones);
  sc3_pushcount(L, i->uids);
  sc3_pushcount(L, i->prehashed);
  return 4;
}

/* :drop(i) -> whether member i was there and is now taken out, and what it had: emails, phones,
   uids, those that came hashed. Requests may be reading other members: no byte moves. */
static int payload_drop(lua_State *L) {
  payload_ud *u = check_open(L, 1);
  size_t i = check_size(L, 2, "index") - 1;
  const sc3_identifiers had = sc3_payload_identifiers(u->p, i);
  lua_pushboolean(L, sc3_payload_drop(u->p, i));
  return 1 + push_identifiers(L, &had);
}

/* :identifiers() -> emails, phones, uids of its living members, and how many of them came hashed */
static int payload_identifiers(lua_State *L) {
  const payload_ud *u = check_open(L, 1);
  sc3_identifiers sum = {0, 0, 0, 0};
  size_t i;
  for (i = 0; i < sc3_payload_count(u->p); i++) {
    const sc3_identifiers one = sc3_payload_identifiers(u->p, i);
    sum.emails += one.emails;
    sum.phones += one.phones;
    sum.uids += one.uids;
    sum.prehashed += one.prehashed;
  }
  return push_identifiers(L, &sum);
}

typedef struct taken_list {
  lua_State *L;
  int n;
} taken_list;

/* Runs inside sc3_payload_replace(), where nothing may raise: the list has room for all. */
static void note_taken(void *with, size_t i) {
  taken_list *list = with;
  sc3_pushcount(list->L, i + 1);
  lua_rawseti(list->L, -2, ++list->n);
}

/* :replace(later, first, last) -> the numbers of its members that members first to last of the
 * later payload replaced, which are now taken out */
static int payload_replace(lua_State *L) {
  sc3_payload *p = sc3_checkpayload(L, 1);
  const sc3_payload *later = sc3_readpayload(L, 2);
  size_t first = check_size(L, 3, "first"), last = check_size(L, 4, "last"),
         most = sc3_payload_count(p);
  taken_list list = {L, 0};
  sc3_removal_listener listener;
  luaL_argcheck(L, p != later, 2, "another payload is expected");
  if (last < first)
    most = 0;
  else if (last - first < most)
    most = last - first + 1;
  lua_settop(L, 4);
  lua_createtable(L, (int)most, 0); /* a member that is taken out must be told of */
  p = sc3_checkpayload(L, 1);       /* finalizers may have run */
  later = sc3_readpayload(L, 2);
  listener.removed = note_taken;
  listener.with = &list;
  (void)sc3_payload_replace(p, later, first - 1, last, &listener);
  return 1;
}

static const char *const OPS[] = {"add", "remove", NULL};

/* :find(first, last, operation, nth) -> the number of its nth member (counted from 0) in that
 * range; nil where there is none */
static int payload_find(lua_State *L) {
  payload_ud *u = check_open(L, 1);
  size_t first = check_size(L, 2, "first"), last = check_size(L, 3, "last");
  sc3_op op = (sc3_op)luaL_checkoption(L, 4, NULL, OPS);
  lua_Number nth = luaL_checknumber(L, 5);
  size_t i = nth >= 0 && nth < 4294967295.0
                 ? sc3_payload_find(u->p, first - 1, last, op, (size_t)nth)
                 : SIZE_MAX;
  if (i == SIZE_MAX)
    return 0;
  sc3_pushcount(L, i + 1);
  return 1;
}

/* :digest() -> 64 hex digits that stand for all its bytes */
static int payload_digest(lua_State *L) {
  char hex[SC3_SHA256_HEX];
  sc3_payload_digest(check_open(L, 1)->p, hex);
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
  size_t n, i, first = check_size(L, 3, "first"), last = check_size(L, 4, "last");
  const char *text = luaL_checklstring(L, 2, &n);
  unsigned char *hidden;
  void *memory;
  luaL_Buffer b;
  if (n > SC3_REDACTOR_TEXT_MAX)
    return luaL_error(L, "a text to hide members in must have at most %d bytes",
                      (int)SC3_REDACTOR_TEXT_MAX);
  hidden = sc3_newuserdata(L, n + 1); /* Lua frees both */
  memory = sc3_newuserdata(L, sc3_redactor_size(n));
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

void sc3_checkpiece(lua_State *L, int index, sc3_slice *out) {
  size_t first, last;
  payload_ud *u;
  int op;
  if (lua_type(L, index) == LUA_TSTRING) {
    out->p = lua_tolstring(L, index, &out->n);
    return;
  }
  if (lua_type(L, index) != LUA_TTABLE)
    luaL_error(L,
               "a piece of a body must be a string or {payload, operation, first, last}, not a %s",
               luaL_typename(L, index));
  index = sc3_absindex(L, index);
  lua_rawgeti(L, index, 1);
  u = check_open(L, -1);
  lua_rawgeti(L, index, 2);
  op = luaL_checkoption(L, -1, NULL, OPS);
  lua_rawgeti(L, index, 3);
  first = check_size(L, -1, "first");
  lua_rawgeti(L, index, 4);
  last = check_size(L, -1, "last");
  *out = sc3_payload_range(u->p, first - 1, last).bytes[op];
  lua_pop(L, 4);
}

static payload_ud *payload_of(lua_State *L, int index) {
  payload_ud *u = NULL;
  if (lua_type(L, index) == LUA_TTABLE) {
    lua_rawgeti(L, index, 1);
    u = lua_touserdata(L, -1); /* sc3_checkpiece() looked at its type */
    lua_pop(L, 1);
  }
  return u;
}

void sc3_pinpiece(lua_State *L, int index) {
  payload_ud *u = payload_of(L, index);
  if (u != NULL)
    u->pins++;
}

void sc3_unpinpiece(lua_State *L, int index) {
  payload_ud *u = payload_of(L, index);
  if (u != NULL && u->pins > 0) {
    u->pins--;
    free_when_unused(u);
  }
}

void sc3_open_payload(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"bytes", payload_bytes},
      {"close", payload_close},
      {"count", payload_count},
      {"cut", payload_cut},
      {"digest", payload_digest},
      {"drop", payload_drop},
      {"find", payload_find},
      {"hide", payload_hide},
      {"identifiers", payload_identifiers},
      {"living", payload_living},
      {"outline", payload_outline},
      {"replace", payload_replace},
      {"reset", payload_reset},
      {"row", payload_row},
      {NULL, NULL},
  };
  make_holdings(L);
  sc3_newtype(L, SC3_TYPE_PAYLOAD, methods, NULL, payload_end);
  lua_pushcfunction(L, payload_new);
  lua_setfield(L, -2, "payload");
}
