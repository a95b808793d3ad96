/* "scope3.payload", the JSON of members that requests send: what other bindings need of it. */
#ifndef SC3L_PAYLOAD_H
#define SC3L_PAYLOAD_H

#include "../core/members/payload.h"
#include "compat.h"

/* The payload at `index`; raises when it is none, closed, or read by a request. */
sc3_payload *sc3l_check_payload(lua_State *L, int index);

/* The same for reading: a request may be reading it too. */
const sc3_payload *sc3l_read_payload(lua_State *L, int index);

/* The same for its bytes: raises also while a builder fills it, because hashes may be missing. */
const sc3_payload *sc3l_read_payload_bytes(lua_State *L, int index);

/* "add" or "remove" at `index`; raises for others. */
sc3_op sc3l_check_op(lua_State *L, int index);

/* While a builder fills the payload at `index`, which sc3l_check_payload() returned: it cannot be
 * changed, and closing it frees nothing. `in_script` while a script runs in there: a script that
 * closes it gets an error. Take both back with sc3l_leave_payload(). None of them raises. */
void *sc3l_fill_payload(lua_State *L, int index);
void sc3l_payload_in_script(void *payload, int in_script);
void sc3l_leave_payload(void *payload);

/* Counts what the payload at `index` grew by. Runs the collector where payloads without references
 * may have piled up. May run finalizers. */
void sc3l_count_payload(lua_State *L, int index);

#endif
