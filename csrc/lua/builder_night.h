/* Methods of "scope3.builder" that take rows into a night of a mirror, and build its candidates. */
#ifndef SC3L_BUILDER_NIGHT_H
#define SC3L_BUILDER_NIGHT_H

#include "compat.h"

extern const luaL_Reg sc3l_builder_night_methods[];

#endif
