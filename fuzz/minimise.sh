#!/bin/sh
# Makes the committed inputs of each target: of those in build/fuzz/corpus the fewest and shortest that together reach
# everything that all reach.
#
#   fuzz/minimise.sh TARGET...
set -u
cd "$(dirname "$0")/.." || exit 2
unset LUA_PATH LUA_CPATH
export SCOPE3_API_KEY= SCOPE3_ACCOUNT_ID= SCOPE3_BASE_URL=
most=${FUZZ_MOST:-1000} bytes=${FUZZ_BYTES:-100000}
for target in "$@"; do
  all=build/fuzz/corpus/$target few=build/fuzz/few/$target
  mkdir -p "$all" && rm -rf "$few" && mkdir -p "$few"
  lua5.4 fuzz/corpus.lua unpack "fuzz/corpus/$target.txt" "$all" || exit 1
  # Without the counters of how often: what is reached at all keeps the corpus small.
  "build/fuzz/fresh/$target" -merge=1 -use_counters=0 -detect_leaks=0 -max_len=4096 "$few" "$all" \
    >"build/fuzz/$target-merge.log" 2>&1 || { echo "$target: see build/fuzz/$target-merge.log"; exit 1; }
  lua5.4 fuzz/corpus.lua pack "$few" "fuzz/corpus/$target.txt" "$most" "$bytes"
  echo "$target: $(wc -l <"fuzz/corpus/$target.txt") inputs, $(wc -c <"fuzz/corpus/$target.txt") bytes"
done
