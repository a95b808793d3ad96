#!/bin/sh
# Fuzzes each target for so many seconds, from the committed inputs and those that earlier runs found.
# Prints a line a target, and of a finding the input in base64. The seed is $SCOPE3_SEED, else another each time.
#
#   fuzz/run.sh SECONDS TARGET...
set -u
cd "$(dirname "$0")/.." || exit 2
seconds=$1
shift
seed=${SCOPE3_SEED:-$(date +%s)}
here=build/fuzz
passed=0 failed=0
unset LUA_PATH LUA_CPATH
export SCOPE3_API_KEY= SCOPE3_ACCOUNT_ID= SCOPE3_BASE_URL=

# A number of libFuzzer's log: of the last line that has it, or with "first" of the first line after the corpus was read.
number() { # LOG NAME [first]
  if [ $# = 3 ]; then sed -n "s/.*INITED.* $2: \([0-9]*\).*/\1/p" "$1" | head -n 1
  else sed -n "s/^#[0-9].* $2: \([0-9]*\).*/\1/p" "$1" | tail -n 1; fi
}

fuzz() { # TARGET [OPTION...]
  target=$1
  shift
  dictionary=
  [ ! -f "fuzz/dict/$target.dict" ] || dictionary="-dict=fuzz/dict/$target.dict"
  mkdir -p "$here/corpus/$target" "$here/found"
  for kept in corpus found; do
    lua5.4 fuzz/corpus.lua unpack "fuzz/$kept/$target.txt" "$here/corpus/$target" || exit 2
  done
  # Lua frees when its collector runs, so after each input something is left that is no leak.
  "$here/fresh/$target" -seed="$seed" -max_len=4096 -timeout=20 -rss_limit_mb=1024 -detect_leaks=0 \
    -artifact_prefix="$here/found/$target-" $dictionary "$@" "$here/corpus/$target" >"$here/$target.log" 2>&1
}

tell_finding() { # TARGET
  echo "== $1: seed $seed; the end of $here/$1.log, and the input in base64"
  grep -v '^    #\|^NOTE\|" # Uses: ' "$here/$1.log" | tail -n 25 | cut -c 1-300
  input=$(ls -t "$here/found/$1-"* 2>/dev/null | head -n 1)
  [ -z "$input" ] || { base64 -w 0 "$input" && echo && echo "   again: $here/fresh/$1 $input"; }
}

echo "seed $seed, $seconds s a target"
rm -rf "$here/corpus/plant" "$here/found"
if fuzz plant -max_total_time=300 -max_len=64 || ! grep -q 'plant.lua:[0-9]*: found' "$here/plant.log"; then
  echo "   plant: libFuzzer was not guided by lines of Lua"
  failed=$((failed + 1))
else
  passed=$((passed + 1))
  rm -f "$here/found/plant-"*
fi
for target in "$@"; do
  if fuzz "$target" -max_total_time="$seconds"; then
    passed=$((passed + 1))
    log=$here/$target.log
    printf '   %-11s %9d inputs, features %6d -> %6d, corpus %4d -> %4d\n' "$target" \
      "$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log")" "$(number "$log" ft first)" "$(number "$log" ft)" \
      "$(number "$log" corp first)" "$(number "$log" corp)"
  else
    failed=$((failed + 1))
    tell_finding "$target"
  fi
done
echo
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
