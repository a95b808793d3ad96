/* What Lua asks of libcurl besides transfers. */
#ifndef SC3L_LIBCURL_H
#define SC3L_LIBCURL_H

#include "../lua/compat.h"

/* Registers its type, and adds its functions to the table on top of the stack. */
void sc3l_open_libcurl(lua_State *L);

#endif
