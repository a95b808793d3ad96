/* Methods of "scope3.builder" that take rows: from a source, or tables of the caller's own. */
#ifndef SC3L_BUILDER_FILL_H
#define SC3L_BUILDER_FILL_H

#include "compat.h"

extern const luaL_Reg sc3l_builder_fill_methods[];

#endif
