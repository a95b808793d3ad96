/* What the two halves of "scope3.builder" share: builder.c fills payloads, script.c lets a script
 * decide about a row. */
#ifndef SC3_LUA_BUILDER_H
#define SC3_LUA_BUILDER_H

#include "../core/members/builder.h"
#include "members.h"
#include "row.h"
#include "source.h"

/* What a builder that looks into records has besides, in a userdata of its own. */
typedef struct sc3_lookup {
  sc3_columns columns;
  sc3_operand operands[SC3_OPERANDS_MAX]; /* of all conditions */
  size_t operand_count;
  size_t keys; /* of a row that is a table: what targets and conditions look at, by their number */
  sc3_field fields[SC3_TARGETS_MAX + SC3_CONDITIONS_MAX]; /* of such a row */
  char numbers[SC3_TARGETS_MAX + SC3_CONDITIONS_MAX][SC3_NUMBER_TEXT];
} sc3_lookup;

typedef struct sc3_builder_ud {
  sc3_builder b;
  int closed;
  int busy;           /* inside a call: a script or a finalizer must not come back in */
  int in_script;      /* inside a callback */
  int mapped;         /* has targets */
  sc3_lookup *lookup; /* NULL where no row is a record */
  int has_where, has_member;
  int in_epoch;          /* the user value holds an id set and the payload of the next epoch */
  struct sc3_uses *uses; /* what a call under way uses besides; NULL outside */
  sc3_record record;     /* kept here, so that no pointer to a C frame outlives an error */
  sc3_member_table member;
} sc3_builder_ud;

/* The user value is a table with these. */
#define KEY_WHERE "where"
#define KEY_MEMBER "member"
#define KEY_LOOKUP "lookup"
#define KEY_MAP "map"
#define KEY_CONDITIONS "conditions"
#define KEY_TEXTS                                                                                  \
  "texts" /* an array that anchors the texts of targets and conditions: their tables are the       \
             caller's */
#define KEY_COLUMNS "columns" /* the keys that tables are asked for */
#define KEY_SEALED "sealed"
#define KEY_NEXT "next"
#define KEY_ROW "row"         /* the row view of the source last filled from */
#define KEY_SOURCE "source"   /* that source */
#define KEY_REASONS "reasons" /* a script's own reasons -> rows */

/* The builder that is the first argument; raises when it is closed, or used from inside its own
 * callback. */
sc3_builder_ud *sc3_checkbuilder(lua_State *L);

/* Calls the method's body with its arguments, where nobody else uses the builder or closes it. The
   body may make values, which may run finalizers, or fail: no error leaves the builder in use. */
int sc3_callbusy(lua_State *L, lua_CFunction body);

/* Around each call of a script. */
void sc3_script_begins(sc3_builder_ud *u);
void sc3_script_ended(sc3_builder_ud *u);

/* Its methods :counts(), :sums() and :rejections(). */
int sc3_builder_counts(lua_State *L);
int sc3_builder_sums(lua_State *L);
int sc3_builder_rejections(lua_State *L);

/* Raises for a status that is not SC3_OK. */
void sc3_checkstatus(lua_State *L, sc3_status st);

/* Takes the row under way, which was begun, through where, then member or map, and ends it. The row
   is the table at the stack index `row`, or the builder's record where `row` is negative. NULL, or
   a message without any value of the row, left on top of the stack: the script failed, and the row
   was not ended. */
const char *sc3_stagerow(lua_State *L, sc3_builder_ud *u, int values, int row,
                         const sc3_payload *p);

#endif
