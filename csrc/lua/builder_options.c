#include "builder_options.h"

#include "../core/bytes/text.h"
#include "../core/identity/region.h"
#include "../core/rows/header.h"
#include "arguments.h"
#include "exclusions.h"
#include "field.h"
#include "identity.h"
#include "mirror.h"

static sc3_role check_role(lua_State *L, int index) {
  static const char *const roles[] = {
#define X(name, text) text,
      SC3_ROLES(X)
#undef X
          NULL,
  };
  return (sc3_role)luaL_checkoption(L, index, NULL, roles);
}

/* A text on top of the stack, which the array at `texts` holds from now on. */
static sc3_slice keep_text(lua_State *L, int texts) {
  sc3_slice s;
  s.p = luaL_checklstring(L, -1, &s.n);
  lua_pushvalue(L, -1);
  lua_rawseti(L, texts, (int)lua_rawlen(L, texts) + 1);
  return s;
}

/* A column on top of the stack: its number, or its name. */
static void read_column(lua_State *L, int texts, size_t *column, sc3_slice *name) {
  if (lua_type(L, -1) == LUA_TNUMBER)
    *column = (size_t)lua_tonumber(L, -1);
  else
    *name = keep_text(L, texts);
}

/* What a column's name, on top of the stack, says about its values; nil is no name. */
static sc3_pii read_meaning(lua_State *L) {
  sc3_slice name;
  if (lua_type(L, -1) != LUA_TSTRING)
    return SC3_PII_NONE;
  name.p = lua_tolstring(L, -1, &name.n);
  return sc3_header_detect_pii(name);
}

/* A target, on top of the stack: { role, column (number or name), uid type, the column's name where
   one is known, the number of its member where that is not the first }. */
static void read_target(lua_State *L, sc3_target *t, int texts) {
  luaL_checktype(L, -1, LUA_TTABLE);
  lua_rawgeti(L, -1, 1);
  t->role = check_role(L, -1);
  lua_rawgeti(L, -2, 3);
  if (t->role == SC3_ROLE_UID)
    t->uid_type = keep_text(L, texts);
  lua_rawgeti(L, -3, 2);
  read_column(L, texts, &t->column, &t->name);
  lua_rawgeti(L, -4, 4);
  t->meant = read_meaning(L);
  lua_pop(L, 4);
}

/* The number of the member that a target, on top of the stack, is of: no smaller than the one
   before, and at most one more. */
static size_t read_member(lua_State *L, size_t before) {
  size_t member = 1;
  lua_rawgeti(L, -1, 5);
  if (!lua_isnil(L, -1))
    member = (size_t)sc3l_check_whole(L, -1, (double)before, (double)before + 1);
  if (member < before || member > SC3_EACH_MAX)
    luaL_error(L, "the members of a map stand in their order, and are at most %d",
               (int)SC3_EACH_MAX);
  lua_pop(L, 1);
  return member;
}

/* Several targets of one role (and type) are fallbacks, in order. So is what a further member takes
   from a column of its own: that column is told of. */
static int is_fallback(const sc3_target *targets, size_t i, size_t member) {
  size_t j;
  for (j = 0; j < i && member == 1; j++) {
    if (targets[j].role == targets[i].role &&
        sc3_slice_eq(targets[j].uid_type, targets[i].uid_type))
      return 1;
  }
  return member > 1;
}

/* The array of targets at `index`. */
static void read_map(lua_State *L, sc3_mapping *columns, int texts, int index) {
  sc3_target *targets = columns->targets;
  size_t i, member = 1, n = (size_t)lua_rawlen(L, index);
  if (n > SC3_TARGETS_MAX)
    luaL_error(L, "a map has at most %d entries", (int)SC3_TARGETS_MAX);
  for (i = 0; i < n; i++) {
    sc3_target *t = &targets[i];
    lua_rawgeti(L, index, (int)i + 1);
    read_target(L, t, texts);
    member = read_member(L, member);
    lua_pop(L, 1);
    t->fallback = is_fallback(targets, i, member);
    columns->ends[member - 1] = i + 1;
  }
  columns->target_count = n;
  columns->member_count = member;
}

/* What a condition compares with, on top of the stack. */
static void read_operand(lua_State *L, sc3l_lookup *lookup, int texts) {
  sc3_operand *o = &lookup->operands[lookup->operand_count];
  if (lookup->operand_count == SC3_OPERANDS_MAX)
    luaL_error(L, "conditions have at most %d values", (int)SC3_OPERANDS_MAX);
  switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN: o->kind = lua_toboolean(L, -1) ? SC3_KIND_TRUE : SC3_KIND_FALSE; break;
    case LUA_TNUMBER:
      o->kind = SC3_KIND_NUMBER;
      o->number = sc3l_to_number(L);
      break;
    default:
      o->kind = SC3_KIND_TEXT;
      o->text = sc3_text_trim(keep_text(L, texts)); /* as values are */
      break;
  }
  lookup->operand_count++;
}

/* How a condition, on top of the stack, has texts read. */
static void read_notation(lua_State *L, sc3_condition *c) {
  static const char *const words[] = {"no", "yes", NULL};
  lua_getfield(L, -1, "decimal");
  c->decimal = lua_isnil(L, -1) ? '\0' : *luaL_checkstring(L, -1);
  lua_getfield(L, -2, "ignore_case");
  c->ignore_case = lua_toboolean(L, -1);
  lua_getfield(L, -3, "blank");
  c->blank = lua_isnil(L, -1) ? -1 : luaL_checkoption(L, -1, NULL, words);
  lua_pop(L, 3);
}

/* The array of a condition's values, on top of the stack. */
static void read_operands(lua_State *L, sc3l_lookup *lookup, sc3_condition *c, int texts) {
  size_t i;
  luaL_checktype(L, -1, LUA_TTABLE);
  c->operands = lookup->operands + lookup->operand_count;
  c->operand_count = (size_t)lua_rawlen(L, -1);
  for (i = 0; i < c->operand_count; i++) {
    lua_rawgeti(L, -1, (int)i + 1);
    read_operand(L, lookup, texts);
    lua_pop(L, 1);
  }
}

/* The audience that a condition, on top of the stack, is for, from 1; 0 where all have it. Those of
 * all come first. */
static void read_audience(lua_State *L, sc3_mapping *columns, size_t i) {
  lua_getfield(L, -1, "audience");
  if (lua_isnil(L, -1) && columns->own_count == i)
    columns->own_count++;
  else
    columns->audiences[i] = (unsigned char)(sc3l_check_whole(L, -1, 1, SC3_MIRROR_AUDIENCES) - 1);
  lua_pop(L, 1);
}

/* A condition, on top of the stack: { operator, column (number or name), array of values, decimal
   =, ignore_case =, blank =, audience = }. With ignore_case the values are in lowercase. */
static void read_condition(lua_State *L, sc3l_lookup *lookup, sc3_condition *c, int texts) {
  /* as sc3_operator */
  static const char *const operators[] = {"eq",      "ne",     "lt",  "le", "gt", "ge",
                                          "present", "absent", "yes", "no", NULL};
  luaL_checktype(L, -1, LUA_TTABLE);
  lua_rawgeti(L, -1, 1);
  c->op = (sc3_operator)luaL_checkoption(L, -1, NULL, operators);
  lua_pop(L, 1);
  read_notation(L, c);
  lua_rawgeti(L, -1, 2);
  read_column(L, texts, &c->column, &c->name);
  lua_rawgeti(L, -2, 3);
  read_operands(L, lookup, c, texts);
  lua_pop(L, 2);
}

/* The array of conditions at `index`. */
static void read_conditions(lua_State *L, sc3l_lookup *lookup, int texts, int index) {
  size_t i, n = (size_t)lua_rawlen(L, index);
  if (n > SC3_CONDITIONS_MAX)
    luaL_error(L, "there are at most %d conditions", (int)SC3_CONDITIONS_MAX);
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, index, (int)i + 1);
    read_condition(L, lookup, &lookup->columns.conditions[i], texts);
    read_audience(L, &lookup->columns, i);
    lua_pop(L, 1);
  }
  lookup->columns.condition_count = n;
}

void sc3l_builder_need_lookup(lua_State *L, sc3l_builder *u, int values) {
  sc3l_lookup *lookup;
  if (u->lookup != NULL)
    return;
  lookup = lua_newuserdata(L, sizeof *lookup);
  memset(lookup, 0, sizeof *lookup);
  lua_setfield(L, values, KEY_LOOKUP);
  u->lookup = lookup;
  u->b.mapping = &lookup->columns;
}

void sc3l_read_columns(lua_State *L, sc3l_builder *u, const sc3l_column_arguments *at) {
  sc3_mapping *columns = &u->lookup->columns;
  int texts;
  memset(columns->targets, 0, sizeof columns->targets); /* the tallies go on */
  memset(columns->conditions, 0, sizeof columns->conditions);
  memset(columns->ends, 0, sizeof columns->ends);
  columns->target_count = columns->condition_count = columns->own_count = columns->name_count = 0;
  columns->member_count = 0;
  u->lookup->operand_count = 0;
  lua_createtable(L, 0, 0);
  texts = lua_gettop(L);
  lua_pushvalue(L, texts);
  lua_setfield(L, at->values, KEY_TEXTS);
  u->mapped = !lua_isnil(L, at->map);
  if (u->mapped) {
    luaL_checktype(L, at->map, LUA_TTABLE);
    read_map(L, columns, texts, at->map);
  }
  if (!lua_isnil(L, at->conditions)) {
    luaL_checktype(L, at->conditions, LUA_TTABLE);
    read_conditions(L, u->lookup, texts, at->conditions);
  }
  lua_pop(L, 1);
}

/* The indices of builder(): its options, the object, and its user value. */
enum { OPTIONS = 1, OBJECT = 2, VALUES = 3 };

static int keep_function(lua_State *L, const char *key) {
  lua_getfield(L, OPTIONS, key);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return 0;
  }
  luaL_checktype(L, -1, LUA_TFUNCTION);
  lua_setfield(L, VALUES, key);
  return 1;
}

/* where() of single audiences, by number: a set of those that have one. */
static uint32_t keep_wheres(lua_State *L) {
  uint32_t set = 0;
  int i;
  lua_getfield(L, OPTIONS, KEY_WHERES);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return 0;
  }
  luaL_checktype(L, -1, LUA_TTABLE);
  for (i = 1; i <= SC3_MIRROR_AUDIENCES; i++) {
    lua_rawgeti(L, -1, i);
    if (!lua_isnil(L, -1)) {
      luaL_checktype(L, -1, LUA_TFUNCTION);
      set |= UINT32_C(1) << (i - 1);
    }
    lua_pop(L, 1);
  }
  lua_setfield(L, VALUES, KEY_WHERES);
  return set;
}

void sc3l_read_reading(lua_State *L, sc3_reading *reading) {
  sc3_slice region;
  lua_getfield(L, OPTIONS, "repair");
  reading->repair = lua_isnil(L, -1) || lua_toboolean(L, -1);
  lua_pop(L, 1);
  lua_getfield(L, OPTIONS, "ids");
  reading->ids = sc3l_check_ids(L, -1);
  lua_pop(L, 1);
  lua_getfield(L, OPTIONS, "region");
  if (!lua_isnil(L, -1)) {
    region.p = luaL_checklstring(L, -1, &region.n);
    reading->region = sc3_region_find(region);
  }
  lua_pop(L, 1);
  lua_getfield(L, OPTIONS, "phone_repairs");
  reading->phone_repairs = sc3l_check_phone_repairs(L, -1);
  lua_pop(L, 1);
}

/* The map, the conditions, and the keys of rows that are tables. */
static void read_plan(lua_State *L, sc3l_builder *u) {
  sc3l_column_arguments at = {VALUES, 0, 0};
  int keys;
  lua_getfield(L, OPTIONS, KEY_MAP);
  at.map = lua_gettop(L);
  lua_getfield(L, OPTIONS, KEY_CONDITIONS);
  at.conditions = lua_gettop(L);
  lua_getfield(L, OPTIONS, KEY_COLUMNS);
  keys = lua_gettop(L);
  if (lua_isnil(L, at.map) && lua_isnil(L, at.conditions) && lua_isnil(L, keys))
    return;
  sc3l_builder_need_lookup(L, u, VALUES);
  sc3l_read_columns(L, u, &at);
  if (lua_isnil(L, keys))
    return;
  luaL_checktype(L, keys, LUA_TTABLE);
  u->lookup->keys = (size_t)lua_rawlen(L, keys);
  if (u->lookup->keys > sizeof u->lookup->fields / sizeof u->lookup->fields[0])
    luaL_error(L, "there are too many columns");
  lua_setfield(L, VALUES, KEY_COLUMNS);
}

void sc3l_read_builder_options(lua_State *L, sc3l_builder *u) {
  lua_createtable(L, 0, 8);
  lua_createtable(L, 0, 0);
  lua_setfield(L, VALUES, KEY_REASONS);
  u->has_where = keep_function(L, KEY_WHERE);
  u->has_member = keep_function(L, KEY_MEMBER);
  u->wheres = keep_wheres(L);
  lua_getfield(L, OPTIONS, "remove");
  lua_getfield(L, OPTIONS, "max_member");
  lua_getfield(L, OPTIONS, "rejections");
  sc3_builder_init(&u->b, lua_toboolean(L, 4) ? SC3_REMOVE : SC3_ADD,
                   (size_t)luaL_checknumber(L, 5), lua_toboolean(L, 6));
  u->closed = 0;
  sc3l_read_reading(L, &u->b.reading);
  lua_getfield(L, OPTIONS, "exclusions");
  if (!lua_isnil(L, -1))
    sc3_builder_exclude(&u->b, sc3l_check_exclusions(L, lua_gettop(L)));
  lua_pop(L, 1);
  lua_getfield(L, OPTIONS, "prepared");
  u->b.prepared = lua_toboolean(L, -1);
  lua_pop(L, 1);
  read_plan(L, u);
  lua_pushvalue(L, VALUES);
  sc3l_setuservalue(L, OBJECT);
  lua_settop(L, OBJECT);
}
