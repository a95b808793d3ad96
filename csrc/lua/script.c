/* Transformation scripts: where(row) and member(row), and what may be said of a row when they fail.
 */
#include "../core/bytes/ascii.h"
#include "builder.h"
#include "table_look.h"

enum { REASONS_OF_SCRIPTS = 100 }; /* further ones are counted together */

void sc3_checkstatus(lua_State *L, sc3_status st) {
  if (st != SC3_OK) /* of caps the builder takes care itself */
    luaL_error(L, "not enough memory");
}

static int is_word(char c) {
  return sc3_ascii_is_alphanumeric(c) || c == '_';
}

/* True when `text` holds the value `part`. One or two characters stand in any sentence, so of these
   only numbers count, and only as words of their own. */
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
        (!is_short ||
         ((i == 0 || !is_word(text[i - 1])) && (i + part.n == n || !is_word(text[i + part.n])))))
      return 1;
  }
  return 0;
}

/* True when the text holds the string or number on top of the stack. */
static int contains_value(lua_State *L, const char *text, size_t n) {
  sc3_slice part;
  int found;
  if (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER)
    return 0;
  lua_pushvalue(L, -1); /* a number is turned into its text in place */
  part.p = lua_tolstring(L, -1, &part.n);
  found = contains(text, n, part);
  lua_pop(L, 1);
  return found;
}

/* Puts the table on top of the stack into the list at `list`, which has `n`, where it is not in
 * there. Gives how many there are. */
static int list_once(lua_State *L, int list, int n) {
  lua_pushvalue(L, -1);
  lua_rawget(L, list);
  if (lua_isnil(L, -1)) {
    lua_pushvalue(L, -2);
    lua_pushboolean(L, 1);
    lua_rawset(L, list);
    lua_pushvalue(L, -2);
    lua_rawseti(L, list, ++n);
  }
  lua_pop(L, 1);
  return n;
}

enum { VALUES_SEARCHED = 100000 };

/* True when the text holds a value that lies in the table at `row`, however deep. Rows may hold
   themselves, so each table is looked into once. One that is too large to be searched counts as
   quoted. */
static int contains_in_table(lua_State *L, const char *text, size_t n, int row) {
  int left = VALUES_SEARCHED, list, i, count, found = 0;
  sc3_checkstack(L, 8);
  lua_createtable(L, 0, 0);
  list = lua_gettop(L);
  lua_pushvalue(L, row);
  count = list_once(L, list, 0);
  for (i = 1; i <= count && !found; i++) {
    lua_rawgeti(L, list, i);
    lua_pushnil(L);
    while (!found && lua_next(L, list + 2) != 0) {
      if (lua_type(L, -1) == LUA_TTABLE)
        count = list_once(L, list, count);
      found = left-- == 0 || contains_value(L, text, n);
      lua_pop(L, 1);
    }
    lua_settop(L, list + 1);
  }
  lua_settop(L, list - 1);
  return found;
}

/* The same for the strings and numbers in raw JSON: its text between the marks. */
static int contains_json(const char *text, size_t n, sc3_slice json) {
  size_t i, start = 0;
  for (i = 0; i <= json.n; i++) {
    if (i < json.n && (json.p[i] == '\0' || strchr("\"\\{}[]:,", json.p[i]) == NULL))
      continue;
    if (contains(text, n, sc3_slice_of(json.p + start, i - start)))
      return 1;
    start = i + 1;
  }
  return 0;
}

/* True when a text of the script holds a value of the row that it was given: a record (row < 0) or
 * the table at `row`. */
static int quotes_row(lua_State *L, const sc3_builder_ud *u, int row, const char *text, size_t n) {
  size_t i;
  int found = 0;
  if (row > 0)
    return contains_in_table(L, text, n, row);
  for (i = 0; i < u->record.count && !found; i++) {
    const sc3_field *f = &u->record.fields[i];
    found =
        f->kind == SC3_KIND_NESTED ? contains_json(text, n, f->value) : contains(text, n, f->value);
    if (!found && f->kind == SC3_KIND_NUMBER) { /* as Lua would write it */
      (void)sc3_pushfield(L, f, 0);
      found = contains_value(L, text, n);
      lua_pop(L, 1);
    }
  }
  return found;
}

/* The message handler: { message, its prefix, position }. The position comes from the debugger's
   knowledge and not from the text, which may be anything; folders are left out of it. */
static int locate(lua_State *L) {
  lua_Debug where;
  int level, located = 0, named = 0;
  size_t n = 0;
  const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &n) : NULL;
  lua_createtable(L, 3, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, 2, 1);
  /* What was called may blame the line that called it, as error(text, 2) does: that one, else the
   * innermost. */
  for (level = 1; level < 20 && !named && lua_getstack(L, level, &where); level++) {
    const char *file, *prefix;
    size_t length;
    if (!lua_getinfo(L, "Sl", &where) || where.currentline <= 0)
      continue;
    prefix = lua_pushfstring(L, "%s:%d: ", where.short_src, where.currentline);
    length = strlen(prefix);
    named = text != NULL && n >= length && memcmp(text, prefix, length) == 0;
    if (located && !named) {
      lua_pop(L, 1);
      continue;
    }
    located = 1;
    file = strrchr(where.short_src, '/');
    lua_rawseti(L, 2, 2);
    lua_pushfstring(L, "%s:%d: ", file != NULL ? file + 1 : where.short_src, where.currentline);
    lua_rawseti(L, 2, 3);
  }
  return 1;
}

/* Turns what locate() made, on top, into a message that holds no value of the row; its position
 * stays. */
static void clean_message(lua_State *L, const sc3_builder_ud *u, int row) {
  int caught = lua_gettop(L);
  size_t n, prefix_length = 0;
  const char *text, *prefix, *at;
  if (lua_type(L, caught) != LUA_TTABLE) { /* the handler itself failed: out of memory */
    lua_pushliteral(L, "not enough memory");
    lua_replace(L, caught);
    return;
  }
  lua_rawgeti(L, caught, 1);
  lua_rawgeti(L, caught, 2);
  lua_rawgeti(L, caught, 3);
  prefix = lua_tolstring(L, -2, &prefix_length);
  at = prefix != NULL ? lua_tostring(L, -1) : "";
  if (lua_type(L, caught + 1) != LUA_TSTRING) {
    lua_pushfstring(L, "%sthe error is a %s", at, luaL_typename(L, caught + 1));
  } else {
    text = lua_tolstring(L, caught + 1, &n);
    if (prefix != NULL && n >= prefix_length && memcmp(text, prefix, prefix_length) == 0) {
      text += prefix_length;
      n -= prefix_length;
    }
    lua_pushstring(L, at);
    if (quotes_row(L, u, row, text, n))
      lua_pushliteral(L, "the message quotes the row and is withheld");
    else
      lua_pushlstring(L, text, n);
    lua_concat(L, 2);
  }
  lua_replace(L, caught);
  lua_settop(L, caught);
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

/* Calls where or member with the row: the value at `row`, or the row view for the record. Pushes
   `results` values and returns NULL; on an error pushes a clean message and returns it. */
static const char *call_script(lua_State *L, sc3_builder_ud *u, int values, const char *key,
                               int row, int results) {
  sc3_row *view = NULL;
  int failed, handler;
  lua_pushcfunction(L, locate);
  handler = lua_gettop(L);
  lua_getfield(L, values, key);
  if (row > 0) {
    lua_pushvalue(L, row);
  } else {
    lua_getfield(L, values, KEY_ROW);
    view = lua_touserdata(L, -1);
    sc3_row_open(view, &u->record);
  }
  sc3_script_begins(u);
  failed = lua_pcall(L, 1, results, handler);
  sc3_script_ended(u);
  lua_remove(L, handler);
  if (view != NULL)
    sc3_row_close(view);
  if (!failed)
    return NULL;
  clean_message(L, u, row);
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

static const char *stage_table(lua_State *L, sc3_builder_ud *u, int index, const sc3_payload *p) {
  const char *message;
  sc3_clearmember(&u->member, u->b.op);
  message = sc3_readmember(L, index, &u->member);
  if (message == NULL && sc3_slice_some(u->member.values.role[SC3_ROLE_EXTERNAL_ID]))
    sc3_payload_prefetch(p, u->member.values.role[SC3_ROLE_EXTERNAL_ID]);
  if (message == NULL)
    sc3_checkstatus(L, sc3_stagemember(&u->b, &u->member));
  return message;
}

/* What member(row) answered: a member, a list of members, nil, or nil and a reason; the two values
   are on top. NULL, or a message that is left on top. */
static const char *stage_answer(lua_State *L, sc3_builder_ud *u, int values, int row,
                                const sc3_payload *p, int *skipped) {
  int answer = lua_gettop(L) - 1;
  if (lua_type(L, answer) == LUA_TTABLE) {
    size_t i, n = lua_rawlen(L, answer);
    if (n == 0) {
      lua_pushnil(L);
      if (lua_next(L, answer) != 0) {
        lua_pop(L, 2);
        return stage_table(L, u, answer, p);
      }
      *skipped = 1; /* a list of none */
    }
    if (sc3_isbroken(L, answer, n))
      return lua_pushfstring(L, "member() must give a list without holes and without other keys");
    for (i = 1; i <= n; i++) {
      const char *message;
      lua_rawgeti(L, answer, (int)i);
      if (lua_type(L, -1) != LUA_TTABLE)
        return lua_pushfstring(L, "member() must give a list of members, but entry %d is a %s",
                               (int)i, luaL_typename(L, -1));
      message = stage_table(L, u, -1, p);
      if (message != NULL)
        return message;
      lua_pop(L, 1);
    }
    return NULL;
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

/* Pushes what the row that is a table has under the key on top, which it replaces: the very key,
   which a table may make up as it is asked, else what the name means otherwise. */
static sc3_lookup_result push_column(lua_State *L, int row) {
  sc3_slice name = {NULL, 0};
  sc3_lookup_result looked = SC3_LOOKUP_NONE;
  int key = lua_gettop(L);
  if (lua_type(L, key) == LUA_TSTRING)
    name.p = lua_tolstring(L, key, &name.n);
  lua_pushvalue(L, key);
  if (name.p != NULL && sc3_isrow(L, row))
    lua_rawget(L, row); /* it would raise for a column that it has not */
  else
    lua_gettable(L, row);
  if (lua_isnil(L, -1) && name.p != NULL) {
    lua_pop(L, 1);
    looked = sc3_tablelook(L, row, name);
  }
  lua_remove(L, key);
  return looked;
}

/* The number on top of the stack as text. A whole double from 2^53 on may have lost digits: several
   ids of people became one. It gets an exponent, which ids and phones do not take. */
static sc3_slice write_number(lua_State *L, char out[SC3_NUMBER_TEXT]) {
  size_t n = sc3_writenumber(L, out);
  if (!sc3_tonumber(L).is_integer && memchr(out, '.', n) == NULL && memchr(out, 'e', n) == NULL &&
      n + 2 <= SC3_NUMBER_TEXT) {
    memcpy(out + n, "e0", 2);
    n += 2;
  }
  return sc3_slice_of(out, n);
}

/* Reads the columns of a row that is a table into the record under way. They stay on the stack,
 * because a table may make them up as it is asked. */
static void read_table(lua_State *L, sc3_builder_ud *u, int values, int row) {
  sc3_lookup *lookup = u->lookup;
  size_t i;
  int columns;
  sc3_checkstack(L, (int)lookup->keys + 20);
  memset(&u->record, 0, sizeof u->record);
  lua_getfield(L, values, KEY_COLUMNS);
  columns = lua_gettop(L);
  for (i = 0; i < lookup->keys; i++) {
    sc3_field *f = &lookup->fields[i];
    lua_rawgeti(L, columns, (int)i + 1);
    if (push_column(L, row) == SC3_LOOKUP_AMBIGUOUS && u->record.fault == SC3_R_NONE) {
      u->record.fault = SC3_R_AMBIGUOUS_KEY;
      u->record.fault_key = i;
      lookup->columns.seen[i] |= SC3_SEEN_TWICE;
    }
    if (!lua_isnil(L, -1))
      lookup->columns.seen[i] |= SC3_SEEN;
    f->name = f->value = sc3_slice_of(NULL, 0);
    switch (lua_type(L, -1)) {
      case LUA_TSTRING:
        f->kind = SC3_KIND_TEXT;
        f->value.p = lua_tolstring(L, -1, &f->value.n);
        break;
      case LUA_TNUMBER:
        f->kind = SC3_KIND_NUMBER;
        f->value = write_number(L, lookup->numbers[i]);
        break;
      case LUA_TBOOLEAN: f->kind = lua_toboolean(L, -1) ? SC3_KIND_TRUE : SC3_KIND_FALSE; break;
      case LUA_TLIGHTUSERDATA: /* JSON's null */
      case LUA_TNIL: f->kind = SC3_KIND_NULL; break;
      default: f->kind = SC3_KIND_NESTED; break;
    }
  }
  lookup->columns.looked += u->record.fault == SC3_R_NONE;
  u->record.row = u->b.row;
  u->record.fields = lookup->fields;
  u->record.count = lookup->keys;
  u->record.missing = 0;
}

const char *sc3_stagerow(lua_State *L, sc3_builder_ud *u, int values, int row,
                         const sc3_payload *p) {
  int top, skipped;
  const char *message;
  if (row > 0) {
    sc3_script_begins(u); /* a table may make its columns up */
    read_table(L, u, values, row);
    sc3_script_ended(u);
  }
  top = lua_gettop(L);
  if (u->record.fault != SC3_R_NONE) {
    sc3_checkstatus(L, sc3_builder_map(&u->b, &u->record, p));
    sc3_checkstatus(L, sc3_builder_end(&u->b, 0));
    return NULL;
  }
  skipped = !sc3_mapping_wants(u->b.mapping, &u->record);
  if (!skipped && u->has_where) {
    message = call_script(L, u, values, KEY_WHERE, row, 1);
    if (message != NULL)
      return message;
    message = read_answer(L, &skipped);
    if (message != NULL)
      return message;
    lua_settop(L, top);
  }
  if (!skipped && u->has_member) {
    message = call_script(L, u, values, KEY_MEMBER, row, 2);
    if (message == NULL)
      message = stage_answer(L, u, values, row, p, &skipped);
    if (message != NULL)
      return message;
    lua_settop(L, top);
  } else if (!skipped) {
    sc3_checkstatus(L, sc3_builder_map(&u->b, &u->record, p));
  }
  sc3_checkstatus(L, sc3_builder_end(&u->b, skipped));
  return NULL;
}
