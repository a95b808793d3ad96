/* Keeps a Lua module's file loaded beyond the end of its Lua state, so that leak checkers find what
 * its static variables point to. */
#include <dlfcn.h>

#ifndef PIN
#define PIN "" /* its path, given when this is compiled */
#endif

__attribute__((constructor)) static void pin(void) {
  (void)dlopen(PIN, RTLD_NOW | RTLD_NODELETE);
}
