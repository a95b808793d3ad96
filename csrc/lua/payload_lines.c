#include "payload_lines.h"

#include "../core/members/lines.h"
#include "arguments.h"
#include "payload.h"

/* :as_lines() -> its living members, a line each (core/members/lines.h) */
int sc3l_payload_as_lines(lua_State *L) {
  const size_t n = sc3_lines_size(sc3l_read_payload_bytes(L, 1));
  char *out = sc3l_newuserdata(L, n + 1); /* Lua frees it */
  const sc3_payload *p = sc3l_read_payload_bytes(L, 1);
  if (sc3_lines_size(p) != n)
    return luaL_error(L, "attempt to change a payload while it is read"); /* by a finalizer */
  sc3_lines_write(p, out);
  lua_pushlstring(L, out, n);
  return 1;
}

/* :take(text, at) -> where the first line begins that was not read, members, lines that are none,
   members that are too large, whether it is full. A line that begins with an @ ends the reading. */
int sc3l_payload_take(lua_State *L) {
  sc3_payload *p = sc3l_check_payload(L, 1);
  const sc3_slice text = sc3l_check_string(L, 2);
  const size_t at = sc3l_check_size(L, 3, "at");
  sc3_lines_taken taken;
  const sc3_status status = sc3_lines_take(text, at - 1, p, &taken);
  if (status != SC3_OK)
    return luaL_error(L, "not enough memory");
  sc3l_count_payload(L, 1);
  sc3l_push_count(L, taken.next + 1);
  sc3l_push_count(L, taken.members);
  sc3l_push_count(L, taken.bad);
  sc3l_push_count(L, taken.unfit);
  lua_pushboolean(L, taken.full);
  return 5;
}
