#!/bin/sh
# Runs rooms of the specs over a build that notes what ran, then says what did not: sh spec/coverage/run.sh [ROOM...]
# No room: all of them. What ran is kept by room, in build/coverage.
set -u
cd "$(dirname "$0")/../.." || exit 2
root=$(pwd)
lua=${LUA_BIN:-lua5.4}
mkdir -p build/coverage
export LUA_PATH="$root/?.lua;;"

# What a random spec does is the same each time, so that what runs is.
export SCOPE3_SEED="${SCOPE3_SEED:-1}"

# `poll` is what systems without epoll run, with plain C in place of SIMD; `old` is how a coroutine yields inside pcall on
# Lua 5.1; `fuzz` is no spec, but the inputs that fuzzing kept, and random rows.
specs() {
  case $1 in
    poll) echo spec/http/engine_spec.lua spec/http/engine_bodies_spec.lua spec/http/when_an_engine_is_due_spec.lua spec/loop spec/core/sha256_spec.lua spec/core/spool*_spec.lua spec/input spec/identity ;;
    old) echo spec/loop ;;
    *) echo "spec/$1" ;;
  esac
}

code=0
for room in ${*:-core identity util input http loop client api job webhook metrics mirror redis fleet cli sandbox nginx torture simulation poll old fuzz}; do
  case $room in # the workers of nginx are LuaJIT
    nginx) luas=jit under=coverage ;;
    poll) luas=5.4 under=coverage-poll ;;
    old) luas=5.1 under=coverage ;;
    *) luas=5.4 under=coverage ;;
  esac
  echo "-- $room"
  $lua spec/coverage/room.lua begin "$room" || exit 2
  if [ "$room" = fuzz ]; then
    env -u LUA_PATH "${MAKE:-make}" --no-print-directory -s fuzz-coverage || code=1
  else
    env -u LUA_PATH LUAS=$luas RUN_UNDER=$under sh spec/run.sh $(specs "$room") || code=1
  fi
  $lua spec/coverage/room.lua end "$room" || exit 2
done
$lua spec/coverage/report.lua || code=1
exit $code
