/* A connection of an engine, as an object of Lua. */
#ifndef SC3L_CONNECTION_H
#define SC3L_CONNECTION_H

#include "../http/connection.h"
#include "../lua/compat.h"

/* Registers its type. */
void sc3l_open_connection(lua_State *L);

/* Pushes a closed one that holds the engine at `engine`, and returns where its connection is to be
   put. */
sc3_connection **sc3l_new_connection(lua_State *L, int engine);

#endif
