/* The members of a payload as lines: :as_lines() and :take(). */
#ifndef SC3L_PAYLOAD_LINES_H
#define SC3L_PAYLOAD_LINES_H

#include "compat.h"

int sc3l_payload_as_lines(lua_State *L);
int sc3l_payload_take(lua_State *L);

#endif
