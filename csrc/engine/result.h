/* How a transfer ended, as a table for Lua. */
#ifndef SC3L_RESULT_H
#define SC3L_RESULT_H

#include "../http/request.h"
#include "../lua/compat.h"

/* Pushes the table that engine:result() gives. */
void sc3l_push_result(lua_State *L, const sc3_result *result);

#endif
