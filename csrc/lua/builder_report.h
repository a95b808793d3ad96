/* Methods of "scope3.builder" that report what it counted, refused and missed. */
#ifndef SC3L_BUILDER_REPORT_H
#define SC3L_BUILDER_REPORT_H

#include "compat.h"

extern const luaL_Reg sc3l_builder_report_methods[];

#endif
