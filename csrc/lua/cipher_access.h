/* How scope3.core gets at a cipher of scope3.crypto. They are libraries of their own, and meet in
 * the registry: one of them owns what a cipher is. */
#ifndef SC3L_CIPHER_ACCESS_H
#define SC3L_CIPHER_ACCESS_H

#include "../core/mirror/cipher.h"
#include "compat.h"

/* Where in the registry scope3.crypto puts it, as a light userdata. */
#define SC3L_CIPHER_ACCESS "scope3.cipher.access"

/* Changes with this struct and with sc3_cipher: files of two versions may lie beside each other. */
enum { SC3L_CIPHER_ACCESS_VERSION = 1 };

typedef struct sc3l_cipher_access {
  int version; /* always first */

  /* Takes the cipher out of the object at `index`, which is of no use after that: who asks for it
   * has to end it. Raises where it is none, or was taken. */
  sc3_cipher (*take)(lua_State *L, int index);
} sc3l_cipher_access;

#endif
