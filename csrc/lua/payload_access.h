/* What the module scope3.engine does with a payload, and with lines, which are objects of
 * scope3.core. They are libraries of their own, and meet in the registry: one of them owns what
 * these are. */
#ifndef SC3L_PAYLOAD_ACCESS_H
#define SC3L_PAYLOAD_ACCESS_H

#include "../core/bytes/slice.h"
#include "../core/members/member.h" /* sc3_op */
#include "compat.h"

/* Where in the registry scope3.core puts it, as a light userdata. */
#define SC3L_PAYLOAD_ACCESS "scope3.payload.access"

/* Changes with this struct: files of two versions may lie beside each other. */
enum { SC3L_PAYLOAD_ACCESS_VERSION = 3 };

typedef struct sc3l_payload_access {
  int version; /* always first */

  /* "add" or "remove" at `index`; raises for others. */
  sc3_op (*op)(lua_State *L, int index);

  /* The JSON of some members of the payload at `index`, counted from 1, both ends included; raises
   * when it is none, closed, or filled just now. */
  sc3_slice (*range)(lua_State *L, int index, sc3_op op, size_t first, size_t last);

  /* Bytes of the lines at `index`, which are written to `out` unless that is NULL; raises when they
   * are none, or closed. */
  size_t (*lines)(lua_State *L, int index, char *out);

  /* A payload that a request reads cannot be changed, and keeps its bytes when it is closed. Pins
   * the one at `index`, whose type was checked. Neither raises. */
  void *(*pin)(lua_State *L, int index);
  void (*unpin)(void *payload);
} sc3l_payload_access;

#endif
