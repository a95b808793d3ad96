/* Methods of "scope3.source" that report what it is, and what was found in it. */
#ifndef SC3L_SOURCE_REPORT_H
#define SC3L_SOURCE_REPORT_H

#include "compat.h"

extern const luaL_Reg sc3l_source_report_methods[];

#endif
