/* Transformation scripts: where(row) and member(row), and what may be said of a row when they fail. */
#include "builder.h"

enum { REASONS_OF_SCRIPTS = 100 }; /* further ones are counted together */

void sc3_checkstatus(lua_State *L, sc3_status st) {
  if (st == SC3_ENOMEM)
    luaL_error(L, "not enough memory");
  if (st == SC3_ECAP)
    luaL_error(L, "refusals were never taken out of the builder");
}

static int is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* True when `text` holds the value `part`. One or two characters stand in any sentence, so of these only numbers count, and only
   as words of their own. */
static int contains(const char *text, size_t n, sc3_slice part) {
  size_t i;
  int is_short = part.n < 3;
  if (part.p == NULL || part.n == 0)
    return 0;
  for (i = 0; is_short && i < part.n; i++) {
    if (part.p[i] < '0' || part.p[i] > '9')
      return 0;
  }
  for (i = 0; i + part.n <= n; i++) {
    if (memcmp(text + i, part.p, part.n) == 0 &&
        (!is_short || ((i == 0 || !is_word(text[i - 1])) && (i + part.n == n || !is_word(text[i + part.n])))))
      return 1;
  }
  return 0;
}

/* True when a text of the script holds a value of the row that it was given: a record (row < 0) or the table at `row`. */
static int quotes_row(lua_State *L, const sc3_builder_ud *u, int row, const char *text, size_t n) {
  size_t i;
  int found = 0;
  if (row < 0) {
    for (i = 0; i < u->record.count && !found; i++)
      found = contains(text, n, u->record.fields[i].value);
    return found;
  }
  lua_pushnil(L);
  while (lua_next(L, row) != 0) {
    if (!found && lua_type(L, -1) == LUA_TSTRING) {
      sc3_slice s;
      s.p = lua_tolstring(L, -1, &s.n);
      found = contains(text, n, s);
    }
    lua_pop(L, 1);
  }
  return found;
}

/* Bytes of the position at the head of a message ("script.lua:12:"), 0 where there is none. */
static size_t position_length(const char *text, size_t n) {
  size_t i;
  for (i = 1; i + 1 < n && i < 200; i++) {
    if (text[i] == ':' && text[i + 1] == ' ' && text[i - 1] >= '0' && text[i - 1] <= '9')
      return i + 1;
  }
  return 0;
}

/* Replaces the message on top by one that holds no value of the row; its position stays. */
static void clean_message(lua_State *L, const sc3_builder_ud *u, int row) {
  size_t n, keep;
  const char *text;
  if (lua_type(L, -1) != LUA_TSTRING) {
    lua_pushfstring(L, "the error is a %s", luaL_typename(L, -1));
    lua_replace(L, -2);
    return;
  }
  text = lua_tolstring(L, -1, &n);
  keep = position_length(text, n);
  if (!quotes_row(L, u, row, text + keep, n - keep))
    return;
  lua_pushlstring(L, text, keep);
  lua_pushliteral(L, " the message quotes the row and is withheld");
  lua_concat(L, 2);
  lua_replace(L, -2);
}

/* Counts a reason of the script's own. The reasons table and the text on top stay as they are. */
static void count_reason(lua_State *L, int values) {
  int reasons, known = 0;
  lua_getfield(L, values, KEY_REASONS);
  reasons = lua_gettop(L);
  lua_pushvalue(L, -2);
  lua_rawget(L, reasons);
  if (lua_isnil(L, -1)) {
    lua_pushnil(L);
    while (lua_next(L, reasons) != 0) {
      known++;
      lua_pop(L, 1);
    }
    if (known >= REASONS_OF_SCRIPTS) {
      lua_pop(L, 2);
      return;
    }
  }
  sc3_pushcount(L, lua_tonumber(L, -1) + 1);
  lua_pushvalue(L, reasons - 1);
  lua_insert(L, -2);
  lua_rawset(L, reasons);
  lua_settop(L, reasons - 1);
}

/* Calls where or member with the row: the value at `row`, or the row view for the record. Pushes `results` values and
   returns NULL; on an error pushes a clean message and returns it. */
static const char *call_script(lua_State *L, sc3_builder_ud *u, int values, const char *key, int row, int results) {
  sc3_row *view = NULL;
  sc3_source *source = NULL;
  int failed;
  lua_getfield(L, values, key);
  if (row > 0) {
    lua_pushvalue(L, row);
  } else {
    lua_getfield(L, values, KEY_SOURCE);
    source = lua_touserdata(L, -1); /* alive: the user value holds it */
    lua_pop(L, 1);
    lua_getfield(L, values, KEY_ROW);
    view = lua_touserdata(L, -1);
    sc3_row_open(view, &u->record);
    sc3_source_lock(source, 1);
  }
  u->busy = 1;
  failed = lua_pcall(L, 1, results, 0);
  u->busy = 0;
  if (view != NULL) {
    sc3_row_close(view);
    sc3_source_lock(source, 0);
  }
  if (!failed)
    return NULL;
  clean_message(L, u, row);
  return lua_tostring(L, -1);
}

static const char *stage_table(lua_State *L, sc3_builder_ud *u, int index) {
  const char *message;
  sc3_clearmember(&u->member, u->b.op);
  message = sc3_readmember(L, index, &u->member);
  if (message == NULL)
    sc3_checkstatus(L, sc3_stagemember(&u->b, &u->member));
  return message;
}

/* What member(row) answered: a member, a list of members, nil, or nil and a reason; the two values are on top.
   NULL, or a message that is left on top. */
static const char *stage_answer(lua_State *L, sc3_builder_ud *u, int values, int row, int *skipped) {
  int answer = lua_gettop(L) - 1;
  if (lua_type(L, answer) == LUA_TTABLE) {
    size_t i, n = lua_rawlen(L, answer);
    if (n == 0)
      return stage_table(L, u, answer);
    for (i = 1; i <= n; i++) {
      const char *message;
      lua_rawgeti(L, answer, (int)i);
      if (lua_type(L, -1) != LUA_TTABLE)
        return lua_pushfstring(L, "member() must give a list of members, but entry %d is a %s", (int)i, luaL_typename(L, -1));
      message = stage_table(L, u, -1);
      if (message != NULL)
        return message;
      lua_pop(L, 1);
    }
    return NULL;
  }
  if (lua_toboolean(L, answer))
    return lua_pushfstring(L, "member() must give a table or nil, not a %s", luaL_typename(L, answer));
  if (lua_isnil(L, answer + 1)) {
    *skipped = 1;
    return NULL;
  }
  if (lua_type(L, answer + 1) != LUA_TSTRING)
    return lua_pushfstring(L, "the reason that member() gives must be a string, not a %s", luaL_typename(L, answer + 1));
  {
    size_t n;
    const char *reason = lua_tolstring(L, answer + 1, &n);
    if (n > 200 || quotes_row(L, u, row, reason, n)) {
      lua_pop(L, 1);
      lua_pushliteral(L, "a reason that quotes the row, or is over 200 bytes");
    }
  }
  count_reason(L, values);
  sc3_checkstatus(L, sc3_builder_reject(&u->b, SC3_R_REJECTED_BY_SCRIPT, SC3_ROLE_NONE, 0));
  return NULL;
}

/* The map over a table of the caller's own. */
static void stage_mapped_table(lua_State *L, sc3_builder_ud *u, int row) {
  size_t i;
  sc3_member_table *m = &u->member;
  sc3_clearmember(m, u->b.op);
  for (i = 0; i < u->b.target_count; i++) {
    const sc3_target *t = &u->b.targets[i];
    if (t->column > 0)
      lua_rawgeti(L, row, (int)t->column);
    else {
      lua_pushlstring(L, t->name.p, t->name.n);
      lua_gettable(L, row);
    }
    if (t->role != SC3_ROLE_UID) {
      sc3_takevalue(L, m, t->role);
    } else if (lua_type(L, -1) == LUA_TSTRING && lua_rawlen(L, -1) > 0) {
      sc3_uid *uid = &m->values.uids[m->values.uid_count++];
      uid->type = t->uid_type;
      uid->value.p = lua_tolstring(L, -1, &uid->value.n);
    }
    lua_pop(L, 1); /* the row still holds it */
  }
  sc3_checkstatus(L, sc3_stagemember(&u->b, m));
}

const char *sc3_stagerow(lua_State *L, sc3_builder_ud *u, int values, int row) {
  int top = lua_gettop(L), skipped = 0;
  const char *message;
  if (row < 0 && u->record.fault != SC3_FAULT_NONE) {
    sc3_checkstatus(L, sc3_builder_map(&u->b, &u->record));
    sc3_checkstatus(L, sc3_builder_end(&u->b, 0));
    return NULL;
  }
  if (u->has_where) {
    message = call_script(L, u, values, KEY_WHERE, row, 1);
    if (message != NULL)
      return message;
    skipped = !lua_toboolean(L, -1);
    lua_settop(L, top);
  }
  if (!skipped && u->has_member) {
    message = call_script(L, u, values, KEY_MEMBER, row, 2);
    if (message == NULL)
      message = stage_answer(L, u, values, row, &skipped);
    if (message != NULL)
      return message;
    lua_settop(L, top);
  } else if (!skipped && row < 0) {
    sc3_checkstatus(L, sc3_builder_map(&u->b, &u->record));
  } else if (!skipped) {
    stage_mapped_table(L, u, row);
  }
  sc3_checkstatus(L, sc3_builder_end(&u->b, skipped));
  return NULL;
}
