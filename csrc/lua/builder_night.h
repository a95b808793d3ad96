/* Methods of "scope3.builder" that take rows into a night of a mirror, build its candidates, and
   remove its leavers. */
#ifndef SC3L_BUILDER_NIGHT_H
#define SC3L_BUILDER_NIGHT_H

#include "builder.h"

extern const luaL_Reg sc3l_builder_night_methods[];

int sc3l_builder_leave(lua_State *L);
int sc3l_builder_leave_again(lua_State *L);

/* Makes the builder's building, where it has none yet. */
void sc3l_need_building(lua_State *L, sc3l_builder *u);

/* Each raises for what a payload of a night cannot be. */
void sc3l_need_one_audience(lua_State *L, unsigned audiences);
void sc3l_need_pairs(lua_State *L, const sc3_building_to *to);

#endif
