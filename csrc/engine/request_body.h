/* The body of a request: pieces of payloads and strings, held while libcurl reads them. */
#ifndef SC3L_REQUEST_BODY_H
#define SC3L_REQUEST_BODY_H

#include <stdint.h>

#include "../core/bytes/slice.h"
#include "../lua/compat.h"
#include "../lua/payload_access.h"

/* A body that is to be held. */
typedef struct sc3l_body {
  const sc3l_payload_access *payloads;
  int anchors; /* stack index of the table { [id] = pieces } that holds bodies */
  uint64_t id; /* of the request */
  int pieces;  /* stack index of the copied pieces, */
  size_t count;
  sc3_slice *bytes; /* and where the bytes of each are, to be filled */
} sc3l_body;

/* Replaces the body on top of the stack, a string or an array of pieces, by an array of copies.
 * Returns their number. Lua code cannot reach the copies, so it cannot take a payload out before it
 * is unpinned. A piece is a string, or { payload, "add" or "remove", first, last }: members counted
 * from 1, both ends included. Raises for others. */
size_t sc3l_copy_body(lua_State *L, const sc3l_payload_access *payloads);

/* Finds the bytes, pins the payloads, and anchors the pieces under the id. All or nothing when it
   raises. Making the copies may have run a finalizer, and so any Lua code; from the look at the
   bytes on nothing in here lets the collector take a step. */
void sc3l_hold_body(lua_State *L, const sc3l_body *body);

/* Releases the body of a request, or of all. Neither raises. */
void sc3l_release_body(lua_State *L, const sc3l_payload_access *payloads, int anchors, uint64_t id);
void sc3l_release_all_bodies(lua_State *L, const sc3l_payload_access *payloads, int anchors);

#endif
