std = "min"
max_line_length = 150
read_globals = { "jit", math = { fields = { "tointeger" } }, package = { fields = { "searchpath" } } }
files["spec"] = { std = "+busted" }
files["rockspec"] = { std = "rockspec" }
exclude_files = { "build" }
