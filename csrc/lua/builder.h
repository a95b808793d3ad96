/* "scope3.builder": the object, and what a call that is under way uses besides it. Its methods are
 * in builder_methods.c, builder_fill.c and builder_report.c. */
#ifndef SC3L_BUILDER_H
#define SC3L_BUILDER_H

#include "../core/members/builder.h"
#include "../core/mirror/building.h"
#include "member.h"
#include "source.h"

#define SC3L_BUILDER "scope3.builder"

/* What a builder that looks into records has besides, in a userdata of its own. */
typedef struct sc3l_lookup {
  sc3_mapping columns;
  sc3_operand operands[SC3_OPERANDS_MAX]; /* of all conditions */
  size_t operand_count;
  size_t keys; /* of a row that is a table: what targets and conditions look at, by their number */
  sc3_field fields[SC3_TARGETS_MAX + SC3_CONDITIONS_MAX]; /* of such a row */
  char numbers[SC3_TARGETS_MAX + SC3_CONDITIONS_MAX][SC3_NUMBER_TEXT];
} sc3l_lookup;

/* What a call that may run a script uses besides its builder. Meanwhile nothing else may free or
 * change it. */
typedef struct sc3l_uses {
  void *payload, *next, *sealed; /* userdata */
  sc3l_source *source;
} sc3l_uses;

typedef struct sc3l_builder {
  sc3_builder b;
  int closed;
  int busy;            /* inside a call: a script or a finalizer must not come back in */
  int in_script;       /* inside a callback */
  int mapped;          /* has targets */
  sc3l_lookup *lookup; /* NULL where no row is a record */
  int has_where, has_member;
  uint32_t wheres;                       /* audiences that have a where() of their own */
  uint64_t wanted[SC3_MIRROR_AUDIENCES]; /* rows that came into a night of several, for each */
  int in_epoch;           /* the user value holds an id set and the payload of the next epoch */
  sc3l_uses *uses;        /* of the call under way; NULL outside */
  sc3_building *building; /* NULL before its first candidate of a night */
  sc3_record record;      /* kept here, so that no pointer to a C frame outlives an error */
} sc3l_builder;

/* The user value is a table with these. */
#define KEY_WHERE "where"
#define KEY_MEMBER "member"
#define KEY_WHERES "wheres" /* those of single audiences, by number from 1 */
#define KEY_LOOKUP "lookup"
#define KEY_MAP "map"
#define KEY_CONDITIONS "conditions"
#define KEY_TEXTS "texts"     /* an array that anchors the texts of targets and conditions */
#define KEY_COLUMNS "columns" /* the keys that tables are asked for */
#define KEY_SEALED "sealed"   /* the id set of the epoch */
#define KEY_NEXT "next"       /* the payload of the next epoch */
#define KEY_ROW "row"         /* the row view of the source last filled from */
#define KEY_SOURCE "source"   /* that source */
#define KEY_REASONS "reasons" /* a script's own reasons -> rows */

/* The builder that is the first argument; raises when it is closed, or used from inside its own
 * callback. */
sc3l_builder *sc3l_check_builder(lua_State *L);

/* Marks it as closed, and frees what it owns unless a call is under way. Idempotent, never raises.
 */
void sc3l_builder_end(sc3l_builder *u);

/* Calls the method's body with its arguments, while no script or finalizer can use the builder or
 * close it. An error of the body does not leave the builder in use. */
int sc3l_call_busy(lua_State *L, lua_CFunction body);

/* Takes the id set and the payload of the epoch out of the user value. It is done in each call,
 * because a payload may have been closed since; then it raises. */
void sc3l_builder_look_at_epoch(lua_State *L, sc3l_builder *u);

/* Holds what a call uses: the payload at index 2, what the epoch has, and a source or NULL; of a
 * survey only the source. Release it with sc3l_builder_end_use(), which never raises. */
void sc3l_builder_begin_use(lua_State *L, sc3l_builder *u, sc3l_uses *uses, sc3l_source *source);
void sc3l_builder_begin_survey(sc3l_builder *u, sc3l_uses *uses, sc3l_source *source);
void sc3l_builder_end_use(sc3l_builder *u, sc3l_uses *uses);

/* Around each call of a script. */
void sc3l_script_begins(sc3l_builder *u);
void sc3l_script_ended(sc3l_builder *u);

/* Moves what is staged to the payload. NULL when all is in; else what is full: "full" the payload,
 * "turn" that of the next epoch. A misuse blames the function so many levels up. */
const char *sc3l_builder_flush(lua_State *L, sc3l_builder *u, sc3_payload *p, int level);

/* Raises for a misuse; `what`, or NULL, begins the message. The function to blame is so many levels
   up, as error() counts: who calls add() of an audience is not who calls a builder. */
int sc3l_raise_misuse(lua_State *L, int level, const char *what, const char *message);

/* Raises for a status that is not SC3_OK. */
void sc3l_check_status(lua_State *L, sc3_status st);

#endif
