/* "scope3.lines", a text of members as lines: what other bindings need of it. */
#ifndef SC3L_LINES_H
#define SC3L_LINES_H

#include "../core/bytes/buffer.h"
#include "compat.h"

/* The bytes of the lines at `index`; raises when they are none, or closed. */
sc3_buffer *sc3l_check_lines(lua_State *L, int index);

/* For payload_access.h. */
size_t sc3l_write_lines(lua_State *L, int index, char *out);

#endif
