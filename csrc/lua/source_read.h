/* Methods of "scope3.source" that take bytes in and give rows, columns or bytes. */
#ifndef SC3L_SOURCE_READ_H
#define SC3L_SOURCE_READ_H

#include "compat.h"

extern const luaL_Reg sc3l_source_read_methods[];

#endif
