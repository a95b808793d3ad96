#!/bin/sh
# Runs the specs on every Lua found (or on those of $LUAS) and adds up the counts.
# RUN_UNDER=sanitize, valgrind, poll or coverage chooses another build or a tool round the interpreter; gc and
# gc-generational have the garbage collector run without a pause, or by generations (5.4).
set -u
cd "$(dirname "$0")/.." || exit 2
root=$(pwd)
make=${MAKE:-make}
under=${RUN_UNDER:-}
specs=${*:-spec}
passed=0 failed=0 skipped=0 broken=0

if [ -z "${LUAS:-}" ]; then
  LUAS=
  for v in 5.1 5.2 5.3 5.4; do
    for name in lua$v lua$(echo $v | tr -d .) lua-$v; do
      if command -v $name >/dev/null 2>&1; then LUAS="$LUAS $v"; break; fi
    done
  done
  if command -v luajit >/dev/null 2>&1; then LUAS="$LUAS jit"; fi
  # Lua 5.5 is there before the modules that the specs need are packaged for it.
  if command -v lua5.5 >/dev/null 2>&1; then
    if lua5.5 -e 'for _, name in ipairs { "cjson", "argparse", "cqueues", "busted.runner" } do require(name) end' >/dev/null 2>&1; then LUAS="$LUAS 5.5"
    else echo "Lua 5.5 is left out: it has not all of cjson, argparse, cqueues and busted"; fi
  fi
fi
[ -n "$LUAS" ] || { echo "no Lua was found: run 'make deps'" >&2; exit 1; }

# Engines of the specs' loops stay open until the end: some 700 descriptors.
[ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge 4096 ] || ulimit -S -n 4096 2>/dev/null || true

busted=$(command -v busted) || { echo "busted was not found: run 'make deps'" >&2; exit 1; }
# The launcher that LuaRocks writes is a shell script; the Lua program behind it is what an interpreter can run.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

for lua in $LUAS; do
  flags= variant=$lua
  case $under in
    sanitize) flags=SANITIZE=1 variant=$lua-sanitize ;;
    poll) flags=POLL=1 variant=$lua-poll ;;
    coverage) flags=COVERAGE=1 variant=$lua-coverage ;;
    coverage-poll) flags="COVERAGE=1 POLL=1" variant=$lua-coverage-poll ;;
    gc) export SCOPE3_GC=1000 ;; # the most of Lua 5.4; 5.1 and LuaJIT do hardly anything else with more
    gc-generational) export SCOPE3_GC=generational ;;
  esac
  $make --no-print-directory -s -j "$(nproc 2>/dev/null || echo 2)" LUA="$lua" $flags modules || { broken=1; continue; }
  bin=$($make --no-print-directory -s LUA="$lua" print-lua)
  echo "== Lua $lua${under:+ ($under)}: $bin"
  export LUA_PATH="$root/lua/?.lua;$root/lua/?/init.lua;$root/?.lua;;"
  export LUA_CPATH="$root/build/$variant/?.so;;"
  export SCOPE3_LUA="$lua" SCOPE3_LUA_BIN="$bin" SCOPE3_COUNTS="$work/counts"
  # Most of the long specs runs on one Lua; elsewhere, under tools that slow everything down, and with BRIEF=1, a part of each. `make test-long` runs all.
  thorough=; [ "$lua" = 5.4 ] && [ -z "$under" ] && [ -z "${BRIEF:-}" ] && thorough=1
  [ -z "${LONG:-}" ] || thorough=all
  export SCOPE3_THOROUGH="$thorough"
  unset SCOPE3_API_KEY SCOPE3_API_KEY_FILE SCOPE3_ACCOUNT_ID SCOPE3_BASE_URL SCOPE3_CA_FILE SCOPE3_PROFILE
  export XDG_CONFIG_HOME="$work/none" XDG_STATE_HOME="$work/state" # whoever runs the specs may have profiles and journals
  export SCOPE3_TRACES="$work/traces"
  rm -rf "$work/counts" "$work/traces"
  mkdir "$work/traces"
  case $under in
    sanitize)
      # LuaJIT keeps its objects in mappings that LeakSanitizer does not look through.
      leaks=1; [ "$lua" = jit ] && leaks=0
      # ASan guesses where glibc keeps the variables of a thread from what lies before them, and may read nowhere.
      LD_PRELOAD="$(${CC:-gcc} -print-file-name=libasan.so) $(${CC:-gcc} -print-file-name=libubsan.so)" \
      ASAN_OPTIONS="detect_leaks=$leaks:abort_on_error=0:intercept_tls_get_addr=0" UBSAN_OPTIONS=print_stacktrace=1 \
        "$bin" "$busted" --ignore-lua -o spec.support.summary --helper=spec/support/helper.lua $specs ;;
    valgrind)
      valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --child-silent-after-fork=yes \
        --suppressions=spec/support/valgrind.supp \
        "$bin" "$busted" --ignore-lua -o spec.support.summary --helper=spec/support/helper.lua $specs ;;
    *)
      "$bin" "$busted" --ignore-lua -o spec.support.summary --helper=spec/support/helper.lua $specs ;;
  esac
  code=$?
  if [ -f "$work/counts" ]; then
    read -r p f s < "$work/counts"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    if [ -n "$(ls "$work/traces")" ] && ! "$bin" spec/support/search.lua "$work/traces"; then
      failed=$((failed + 1))
    fi
    [ $code -ne 0 ] && [ "$f" -eq 0 ] && { echo "   ended with status $code although no spec failed"; failed=$((failed + 1)); }
  else
    echo "   the run on Lua $lua ended (status $code) before it counted anything"
    broken=1
  fi
done

[ $broken -ne 0 ] && failed=$((failed + 1))
echo
if [ $skipped -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"
else echo "$passed passed, $failed failed"; fi
[ $failed -eq 0 ] && [ $passed -gt 0 ]
