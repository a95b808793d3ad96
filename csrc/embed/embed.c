/* "scope3" for a host that has no Lua files. Only the archive has it: the modules that are loaded
 * find their files by package.path. */
#include "embed.h"

#include <string.h>

#include "../lua/type.h"

SC3L_EXPORT int luaopen_scope3(lua_State *L);

/* Runs the text of a module with the arguments that `require` gives it. */
static int load_text(lua_State *L) {
  const sc3l_embedded *module = lua_touserdata(L, lua_upvalueindex(1));
  int arguments = lua_gettop(L);
  if (luaL_loadbuffer(L, (const char *)module->text, module->size, module->chunk) != 0)
    return lua_error(L);
  lua_insert(L, 1);
  lua_call(L, arguments, 1);
  return 1;
}

/* Pushes the function that loads a module. */
static void push_loader(lua_State *L, const sc3l_embedded *module) {
  if (module->open != NULL) {
    lua_pushcfunction(L, module->open);
    return;
  }
  /* Lua has no constant pointers; nothing writes through this one. */
  lua_pushlightuserdata(L, (void *)module);
  lua_pushcclosure(L, load_text, 1);
}

/* Makes every module known to `require`, but those that the host has put there, and loads "scope3".
 */
SC3L_EXPORT int luaopen_scope3(lua_State *L) {
  const sc3l_embedded *module, *itself = NULL;
  luaL_checkstack(L, 4, "not enough memory");
  lua_settop(L, 0);
  lua_getglobal(L, "package");
  lua_getfield(L, 1, "preload");
  for (module = sc3l_embedded_modules; module->name != NULL; module++) {
    if (strcmp(module->name, "scope3") == 0) {
      itself = module;
      continue;
    }
    lua_getfield(L, 2, module->name);
    if (lua_isnil(L, -1)) {
      push_loader(L, module);
      lua_setfield(L, 2, module->name);
    }
    lua_settop(L, 2);
  }
  push_loader(L, itself);
  lua_pushliteral(L, "scope3");
  lua_call(L, 1, 1);
  return 1;
}
