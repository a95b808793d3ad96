std = "min"
max_line_length = 120
files["spec"] = { std = "+busted" }
files["rockspec"] = { std = "rockspec" }
exclude_files = { "build" }
