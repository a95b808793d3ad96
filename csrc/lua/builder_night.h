/* Methods of "scope3.builder" that take rows into a night of a mirror, build its candidates, and
   remove its leavers. */
#ifndef SC3L_BUILDER_NIGHT_H
#define SC3L_BUILDER_NIGHT_H

#include "builder.h"
#include "mirror.h"

extern const luaL_Reg sc3l_builder_night_methods[];

int sc3l_builder_leave(lua_State *L);
int sc3l_builder_leave_again(lua_State *L);

/* Makes the builder's building, where it has none yet. */
void sc3l_need_building(lua_State *L, sc3l_builder *u);

/* Where the objects of a night's audiences lie on the stack: one of each for every audience. */
typedef struct sc3l_night_parts {
  int payloads, others; /* the first of each; `others` are chunks or lists */
} sc3l_night_parts;

/* Pushes the objects of the arguments at `payloads` and `others`: each is one of a night with one
   audience, or a list with one for every audience. Raises for other lists. */
void sc3l_push_night_parts(lua_State *L, int payloads, int others, unsigned audiences,
                           sc3l_night_parts *parts);

/* Looks at them: raises for one that is closed or in use, for one that is there twice, and where
   member i of a payload is not entry i of its chunk, or of its list. `held` takes the mirrors, one
   for each audience. */
void sc3l_check_night_parts(lua_State *L, const sc3l_night_parts *parts, sc3_building_to *to,
                            sc3l_mirror **held);

#endif
