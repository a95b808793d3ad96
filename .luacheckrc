std = "min"
max_line_length = 120
max_cyclomatic_complexity = 15
read_globals = { "jit", math = { fields = { "tointeger", "type" } }, package = { fields = { "searchpath" } } }
files["lua/scope3/loop/nginx.lua"] = { read_globals = { "ngx" } }
files["lua/scope3/util/nginx_log.lua"] = { read_globals = { "ngx" } }
files["lua/scope3/nginx"] = { globals = { "ngx" } }
files["examples/gateways"] = { read_globals = { "ngx" } }
files["bench/nginx"] = { globals = { "ngx" } }
files["spec/support/in_nginx.lua"] = { globals = { "ngx" } }
files["spec"] = { std = "+busted", max_string_line_length = false, max_cyclomatic_complexity = false }
files["bench"] = { max_cyclomatic_complexity = false }
files["bin/scope3.in"] = { globals = { "_" } } -- what the shell reads, in the eyes of Lua
files["rockspec"] = { std = "rockspec" }
exclude_files = { "build" }

-- These run only inside fuzz/lua_host.c, on Lua 5.4, and may replace a module by a double.
files["fuzz"] = { std = "lua54" }
