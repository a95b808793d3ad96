#include "script.h"

#include "field.h"
#include "member.h"
#include "row.h"
#include "row_table.h"
#include "script_error.h"
#include "table_lookup.h"

enum {
  REASONS_OF_SCRIPTS = 100, /* further ones are counted together */
  REASON_LONGEST = 200      /* bytes */
};

static sc3l_script_row row_of(const sc3l_staging *s) {
  sc3l_script_row row;
  row.table = s->row;
  row.record = &s->u->record;
  return row;
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
  sc3l_push_count(L, lua_tonumber(L, -1) + 1);
  lua_pushvalue(L, reasons - 1);
  lua_insert(L, -2);
  lua_rawset(L, reasons);
  lua_settop(L, reasons - 1);
}

/* Calls `key`, which is where or member, with the row: a table of the caller's, or the row view of
   the record. Pushes `results` values and returns NULL; on an error pushes a clean message and
   returns it. */
static const char *call_script(lua_State *L, const sc3l_staging *s, const char *key, int results) {
  const sc3l_script_row row = row_of(s);
  sc3l_row *view = NULL;
  int failed, handler;
  lua_pushcfunction(L, sc3l_locate_error);
  handler = lua_gettop(L);
  lua_getfield(L, s->values, key);
  if (s->audience > 0) {
    lua_rawgeti(L, -1, s->audience);
    lua_remove(L, -2);
  }
  if (s->row > 0) {
    lua_pushvalue(L, s->row);
  } else {
    lua_getfield(L, s->values, KEY_ROW);
    view = lua_touserdata(L, -1);
    sc3l_row_open(view, &s->u->record);
  }
  sc3l_script_begins(s->u);
  failed = lua_pcall(L, 1, results, handler);
  sc3l_script_ended(s->u);
  lua_remove(L, handler);
  if (view != NULL)
    sc3l_row_close(view);
  if (!failed)
    return NULL;
  sc3l_clean_error(L, &row);
  return lua_tostring(L, -1);
}

/* What where(row) answered, on top. NULL, or a message that is left on top. Lua holds any text for
   true, also "false" and "no": so that no text of a file decides by itself, only a boolean counts.
 */
static const char *read_answer(lua_State *L, int *skipped) {
  const int type = lua_type(L, -1);
  *skipped = !lua_toboolean(L, -1);
  if (type == LUA_TBOOLEAN || type == LUA_TNIL ||
      (type == LUA_TLIGHTUSERDATA && lua_touserdata(L, -1) == NULL)) {
    *skipped |= type == LUA_TLIGHTUSERDATA;
    return NULL;
  }
  return lua_pushfstring(L,
                         "where() must give true, false or nil, not a %s: compare the value, or "
                         "read it with scope3.yes",
                         lua_typename(L, type));
}

/* Stages the member that is the table at `index`. NULL, or a message that is left on top. */
static const char *stage_table(lua_State *L, const sc3l_staging *s, int index) {
  sc3l_member member;
  const char *message;
  sc3l_clear_member(&member, s->u->b.op);
  message = sc3l_read_member(L, index, &member);
  if (message != NULL)
    return message;
  if (sc3_slice_some(member.values.role[SC3_ROLE_EXTERNAL_ID]))
    sc3_builder_prefetch(&s->u->b, s->payload, member.values.role[SC3_ROLE_EXTERNAL_ID]);
  sc3l_check_status(L, sc3l_stage_member(&s->u->b, &member));
  return NULL;
}

/* Stages the list of `n` members at `list`. NULL, or a message that is left on top. */
static const char *stage_list(lua_State *L, const sc3l_staging *s, int list, size_t n) {
  size_t i;
  if (sc3l_has_other_keys(L, list, n))
    return lua_pushfstring(L, "member() must give a list without holes and without other keys");
  for (i = 1; i <= n; i++) {
    const char *message;
    lua_rawgeti(L, list, (int)i);
    if (lua_type(L, -1) != LUA_TTABLE)
      return lua_pushfstring(L, "member() must give a list of members, but entry %d is a %s",
                             (int)i, luaL_typename(L, -1));
    message = stage_table(L, s, -1);
    if (message != NULL)
      return message;
    lua_pop(L, 1);
  }
  return NULL;
}

static int is_empty(lua_State *L, int table) {
  lua_pushnil(L);
  if (lua_next(L, table) == 0)
    return 1;
  lua_pop(L, 2);
  return 0;
}

/* Rejects the row for the reason on top of the stack, a string. */
static void reject_row(lua_State *L, const sc3l_staging *s) {
  const sc3l_script_row row = row_of(s);
  sc3_slice reason;
  reason.p = lua_tolstring(L, -1, &reason.n);
  if (reason.n > REASON_LONGEST || sc3l_quotes_row(L, reason, &row)) {
    lua_pop(L, 1);
    lua_pushliteral(L, "a reason that quotes the row, or is over 200 bytes");
  }
  count_reason(L, s->values);
  sc3l_check_status(L, sc3_builder_reject(&s->u->b, SC3_R_REJECTED_BY_SCRIPT, SC3_ROLE_NONE, 0));
}

/* What member(row) answered: a member, a list of members, nil, or nil and a reason; the two values
   are on top. NULL, or a message that is left on top. */
static const char *stage_answer(lua_State *L, const sc3l_staging *s, int *skipped) {
  const int answer = lua_gettop(L) - 1;
  if (lua_type(L, answer) == LUA_TTABLE) {
    const size_t n = (size_t)lua_rawlen(L, answer);
    if (n > 0)
      return stage_list(L, s, answer, n);
    *skipped = is_empty(L, answer);
    return *skipped ? NULL : stage_table(L, s, answer);
  }
  if (lua_toboolean(L, answer))
    return lua_pushfstring(L, "member() must give a table or nil, not a %s",
                           luaL_typename(L, answer));
  if (lua_isnil(L, answer + 1)) {
    *skipped = 1;
    return NULL;
  }
  if (lua_type(L, answer + 1) != LUA_TSTRING)
    return lua_pushfstring(L, "the reason that member() gives must be a string, not a %s",
                           luaL_typename(L, answer + 1));
  reject_row(L, s);
  return NULL;
}

/* Pushes what the row that is a table has under the key on top, which it replaces: the very key,
   which a table may make up as it is asked, else what the name means otherwise. */
static sc3_lookup_result push_column(lua_State *L, int row) {
  sc3_slice name = {NULL, 0};
  sc3_lookup_result looked = SC3_LOOKUP_NONE;
  int key = lua_gettop(L);
  if (lua_type(L, key) == LUA_TSTRING)
    name.p = lua_tolstring(L, key, &name.n);
  lua_pushvalue(L, key);
  if (name.p != NULL && sc3l_is_row(L, row))
    lua_rawget(L, row); /* it would raise for a column that it has not */
  else
    lua_gettable(L, row);
  if (lua_isnil(L, -1) && name.p != NULL) {
    lua_pop(L, 1);
    looked = sc3l_table_lookup(L, row, name);
  }
  lua_remove(L, key);
  return looked;
}

/* Reads the columns of a row that is a table into the builder's record. They stay on the stack,
 * because a table may make them up as it is asked. */
static void read_table(lua_State *L, const sc3l_staging *s) {
  sc3l_lookup *lookup = s->u->lookup;
  sc3_record *record = &s->u->record;
  size_t i;
  int columns;
  sc3l_checkstack(L, (int)lookup->keys + 20);
  memset(record, 0, sizeof *record);
  lua_getfield(L, s->values, KEY_COLUMNS);
  columns = lua_gettop(L);
  for (i = 0; i < lookup->keys; i++) {
    lua_rawgeti(L, columns, (int)i + 1);
    if (push_column(L, s->row) == SC3_LOOKUP_AMBIGUOUS && record->fault == SC3_R_NONE) {
      record->fault = SC3_R_AMBIGUOUS_KEY;
      record->fault_key = i;
      lookup->columns.seen[i] |= SC3_SEEN_TWICE;
    }
    if (!lua_isnil(L, -1))
      lookup->columns.seen[i] |= SC3_SEEN;
    sc3l_read_field(L, &lookup->fields[i], lookup->numbers[i]);
  }
  lookup->columns.looked += record->fault == SC3_R_NONE;
  record->row = s->u->b.row;
  record->fields = lookup->fields;
  record->count = lookup->keys;
}

const char *sc3l_ask_where(lua_State *L, const sc3l_staging *s, int *skipped) {
  const int top = lua_gettop(L);
  const char *message = call_script(L, s, s->audience > 0 ? KEY_WHERES : KEY_WHERE, 1);
  if (message == NULL)
    message = read_answer(L, skipped);
  if (message == NULL)
    lua_settop(L, top);
  else if (s->audience > 0)
    message = lua_pushfstring(L, "%s (where of audience %d)", message, s->audience);
  return message;
}

/* Takes the row through member(). NULL, or a message that is left on top. */
static const char *ask_member(lua_State *L, const sc3l_staging *s, int *skipped) {
  const int top = lua_gettop(L);
  const char *message = call_script(L, s, KEY_MEMBER, 2);
  if (message == NULL)
    message = stage_answer(L, s, skipped);
  if (message == NULL)
    lua_settop(L, top);
  return message;
}

const char *sc3l_stage_row(lua_State *L, const sc3l_staging *s) {
  sc3l_builder *u = s->u;
  const char *message = NULL;
  int skipped;
  if (s->row > 0) {
    sc3l_script_begins(u); /* a table may make its columns up */
    read_table(L, s);
    sc3l_script_ended(u);
  }
  if (u->record.fault != SC3_R_NONE) {
    sc3l_check_status(L, sc3_builder_map(&u->b, &u->record, s->payload));
    sc3l_check_status(L, sc3_builder_end(&u->b, 0));
    return NULL;
  }
  skipped = !sc3_mapping_wants(u->b.mapping, &u->record);
  if (!skipped && u->has_where)
    message = sc3l_ask_where(L, s, &skipped);
  if (message != NULL)
    return message;
  if (!skipped && u->has_member)
    message = ask_member(L, s, &skipped);
  else if (!skipped)
    sc3l_check_status(L, sc3_builder_map(&u->b, &u->record, s->payload));
  if (message != NULL)
    return message;
  sc3l_check_status(L, sc3_builder_end(&u->b, skipped));
  return NULL;
}
