/* How scope3.core reads a blob of scope3.state where it lies. They are libraries of their own, and
 * meet in the registry: one of them owns what a view is. */
#ifndef SC3L_VIEW_ACCESS_H
#define SC3L_VIEW_ACCESS_H

#include "../core/bytes/slice.h"
#include "compat.h"

/* Where in the registry scope3.state puts it, as a light userdata. */
#define SC3L_VIEW_ACCESS "scope3.view.access"

/* Changes with this struct: files of two versions may lie beside each other. */
enum { SC3L_VIEW_ACCESS_VERSION = 1 };

typedef struct sc3l_view_access {
  int version; /* always first */

  /* The bytes that the view at `index` shows, until the function returns that it was given to.
   * Raises where it is none, or is over. */
  sc3_slice (*get)(lua_State *L, int index);
} sc3l_view_access;

#endif
