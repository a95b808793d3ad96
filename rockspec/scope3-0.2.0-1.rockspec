rockspec_format = "3.0"
package = "scope3"
version = "0.2.0-1"
source = {
  url = "git+https://github.com/scope3-lua/scope3.git",
  tag = "v0.2.0",
}
description = {
  summary = "Carries first-party audiences into Scope3's advertising platform",
  detailed = [[
    Normalises and hashes emails and phones in C, writes them into requests without a copy, sends these over libcurl,
    follows the service's tasks to their end, and reports what became of every row. With a command, and a local sandbox.
  ]],
  license = "MIT",
  labels = { "advertising", "audience", "libcurl", "csv" },
}
dependencies = {
  "lua >= 5.1",
  "argparse >= 0.6.0",
}
external_dependencies = {
  -- No header: it lies in a directory of the architecture on Debian, where the compiler finds it and LuaRocks does not look.
  -- zlib, OpenSSL and SQLite are not named: LuaRocks would insist on them, and the Makefile leaves out what needs them where they are missing.
  CURL = { library = "curl" },
}
-- The project's own Makefile, so that there is one way to build.
build = {
  type = "make",
  build_target = "rock",
  install_target = "install-rock",
  build_variables = {
    LUA_BIN = "$(LUA)",
    LUA_CFLAGS = "-I$(LUA_INCDIR)",
    CFLAGS = "$(CFLAGS)",
    CURL_INCDIR = "$(CURL_INCDIR)",
    CURL_LIBDIR = "$(CURL_LIBDIR)",
    LUA = "of-bin",
  },
  install_variables = {
    LUA_BIN = "$(LUA)",
    LUA = "of-bin",
    INST_LIBDIR = "$(LIBDIR)",
    INST_LUADIR = "$(LUADIR)",
    INST_BINDIR = "$(BINDIR)",
  },
  copy_directories = { "docs", "examples" },
}
-- The wrapper that LuaRocks writes looks for modules in the current folder before the command can forbid it.
deploy = {
  wrap_bin_scripts = false,
}
test = {
  type = "command",
  command = "make test",
}
