/* A member as a Lua table, read into the core's values. */
#ifndef SC3L_MEMBER_H
#define SC3L_MEMBER_H

#include "../core/members/builder.h"
#include "field.h"

/* What sc3l_read_member() fills. Text of ids that came as numbers lies in here, so it must live as
 * long as the values. */
typedef struct sc3l_member {
  sc3_values values;
  sc3_op op;           /* `remove = true` makes it SC3_REMOVE; else what the caller set before */
  sc3_reason id_fault; /* the external id cannot be used: neither text nor an exact number */
  unsigned not_text[SC3_ROLE_COUNT]; /* values a role that are not text */
  unsigned uids_over;                /* uids beyond SC3_UIDS_MAX */
  char numbers[SC3_ROLE_UID][SC3_NUMBER_TEXT];
} sc3l_member;

/* Reads the table at `index`. NULL, or a message about a misuse, such as an unknown key, which is
 * pushed on the stack. It names keys and types but never a value. Slices point into the table's
 * strings. Needs 8 stack slots. */
const char *sc3l_read_member(lua_State *L, int index, sc3l_member *m);

/* Whether the table at `index` has other entries than those from 1 to n: it is a list with a hole,
 * or with other keys. What follows a hole would be lost without a word. Needs 2 stack slots. */
int sc3l_has_other_keys(lua_State *L, int index, size_t n);

/* Stages what sc3l_read_member() read, with its drops and faults. */
sc3_status sc3l_stage_member(sc3_builder *b, const sc3l_member *m);

/* Empties it for another member. */
void sc3l_clear_member(sc3l_member *m, sc3_op op);

#endif
