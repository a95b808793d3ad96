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

/* Where to read on: behind `label`, the line of one, where it was given and stands at `at`.
   SIZE_MAX where it does not stand there. */
static size_t behind_label(lua_State *L, sc3_slice text, size_t at, int index) {
  sc3_slice label;
  if (lua_isnoneornil(L, index))
    return at;
  label = sc3l_check_string(L, index);
  return at <= text.n && sc3_slice_begins(sc3_slice_from(text, at), label) ? at + label.n
                                                                           : SIZE_MAX;
}

/* :take(text, at [, label]) -> where the first line begins that was not read, members, lines that
   are none, members that are too large, whether it is full. A line that begins with an @ ends the
   reading. With `label` nothing is read but what follows this very line; false where it is not the
   first. */
int sc3l_payload_take(lua_State *L) {
  sc3_payload *p = sc3l_check_payload(L, 1);
  const sc3_slice text = sc3l_check_string(L, 2);
  const size_t at = behind_label(L, text, sc3l_check_size(L, 3, "at") - 1, 4);
  sc3_lines_taken taken;
  if (at == SIZE_MAX) {
    lua_pushboolean(L, 0);
    return 1;
  }
  if (sc3_lines_take(text, at, p, &taken) != SC3_OK)
    return luaL_error(L, "not enough memory");
  sc3l_count_payload(L, 1);
  sc3l_push_count(L, taken.next + 1);
  sc3l_push_count(L, taken.members);
  sc3l_push_count(L, taken.bad);
  sc3l_push_count(L, taken.unfit);
  lua_pushboolean(L, taken.full);
  return 5;
}
