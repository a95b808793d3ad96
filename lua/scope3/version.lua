--- The version, in one place. A spec checks that the rockspec has the same one.
return "0.2.0"
