-- The seed of every random spec of a run: $SCOPE3_SEED, else the time. A spec prints it where it uses it.
return tonumber(os.getenv "SCOPE3_SEED") or os.time()
