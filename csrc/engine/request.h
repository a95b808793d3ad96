/* A request as Lua describes it, read into what the engine takes. */
#ifndef SC3L_REQUEST_H
#define SC3L_REQUEST_H

#include "../http/request.h"
#include "../lua/compat.h"

enum { SC3L_HEADERS_MAX = 64 };

typedef struct sc3l_request {
  sc3_request request;
  const char *headers[SC3L_HEADERS_MAX]; /* what the request points to */
} sc3l_request;

/* Reads { method=, url=, headers=, timeout=, proxy=, no_proxy=, fresh= } at `index`, all but the
   body, and raises for what is wrong. The texts lie on the stack, up to SC3L_HEADERS_MAX + 8
   values. */
void sc3l_read_request(lua_State *L, int index, sc3l_request *r);

#endif
