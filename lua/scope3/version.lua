--- The one place that says which version this is; the rockspec's name is tested against it.
return "0.1.0"
