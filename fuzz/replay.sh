#!/bin/sh
# Feeds the committed inputs to the targets, without libFuzzer. fuzz/corpus has those that reach most, fuzz/found those
# that once broke something. Prints a line a target; ends with 1 where one crashed.
#
#   fuzz/replay.sh TARGET...
#
# FUZZ_BUILD is where the programs lie.
set -u
build=${FUZZ_BUILD:-build/fuzz/replay}
cd "$(dirname "$0")/.." || exit 2
unset LUA_PATH LUA_CPATH
export SCOPE3_API_KEY= SCOPE3_ACCOUNT_ID= SCOPE3_BASE_URL=
export ASAN_OPTIONS=abort_on_error=1 UBSAN_OPTIONS=abort_on_error=1:print_stacktrace=1
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
code=0
for target in "$@"; do
  mkdir "$work/$target"
  for kept in corpus found; do
    lua5.4 fuzz/corpus.lua unpack "fuzz/$kept/$target.txt" "$work/$target" || exit 2
  done
  if "$build/$target" "$work/$target" >"$work/log" 2>&1; then
    echo "$target: $(tail -n 1 "$work/log")"
  else
    code=1
    echo "$target: CRASHED"
    tail -n 40 "$work/log"
    input=$(sed -n 's/^\(.*\): crashed$/\1/p' "$work/log" | tail -n 1)
    [ ! -f "$input" ] || base64 -w 0 "$input"
    echo
  fi
done
exit $code
