/* What other bindings need of "scope3.payload". */
#ifndef SC3_LUA_PAYLOAD_H
#define SC3_LUA_PAYLOAD_H

#include "../core/members/payload.h"
#include "binding.h"

/* The payload at `index`; raises when it is none, closed, or read by a request. */
sc3_payload *sc3_checkpayload(lua_State *L, int index);

/* The same for reading: a request may be reading it too. */
const sc3_payload *sc3_readpayload(lua_State *L, int index);

/* A piece of a request's body at `index`: a string, or { payload, "add" or "remove", first, last }
   (members counted from 1, both ends included). Its bytes live as long as the value is anchored and
   the payload pinned. Raises on another type. */
void sc3_checkpiece(lua_State *L, int index, sc3_slice *out);

/* A pinned payload cannot be changed. For a string both do nothing. Unpinning never raises. */
void sc3_pinpiece(lua_State *L, int index);
void sc3_unpinpiece(lua_State *L, int index);

/* While a builder fills the payload at `index`, which sc3_checkpayload() took: nobody changes it,
   and closing frees nothing. `in_script` while a script runs in there: then a script that closes it
   is told so. Take both back with sc3_leavepayload(). None of them raises. */
void *sc3_fillpayload(lua_State *L, int index);
void sc3_scriptpayload(void *payload, int in_script);
void sc3_leavepayload(void *payload);

/* Counts what the payload at `index` grew by, and runs the collector where payloads that nobody
 * holds may have piled up. May run finalizers. */
void sc3_countpayload(lua_State *L, int index);

#endif
