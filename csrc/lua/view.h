/* Views: bytes of one library that another one reads where they lie, such as a blob of a database
 * or what was unpacked. The libraries are linked apart; a field of a metatable says that its
 * objects begin with this struct. */
#ifndef SC3L_VIEW_H
#define SC3L_VIEW_H

#include "../core/bytes/slice.h"
#include "compat.h"

/* Where p is NULL it shows nothing any more. */
typedef struct sc3l_view {
  sc3_slice bytes;
} sc3l_view;

/* Makes the metatable of a type of views, with :size() and :close(). */
void sc3l_new_view_type(lua_State *L, const char *name);

/* Pushes a view of such a type, which shows nothing yet. */
sc3l_view *sc3l_push_view(lua_State *L, const char *name);

int sc3l_is_view(lua_State *L, int index);

/* What the view at `index` shows. Raises where it is none, or shows nothing any more. */
sc3_slice sc3l_check_view(lua_State *L, int index);

#endif
