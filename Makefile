# migtools.  make deps demo | make deps check | make install | make help
# DEV=1 adds -Werror, SAN=1 ASan and UBSan, FUZZ=1 libFuzzer (clang); each has its own build folder.

VERSION = 0.1.0
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/migtools

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wundef -Wwrite-strings -Wstrict-prototypes \
       -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wformat=2 -Wcast-qual
MODE = release
OPT = -O2 -g
ifdef DEV
MODE := dev
WARN += -Werror
endif
ifdef SAN
MODE := san
OPT = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
OPTCPP = -DMIG_SAN
endif
ifdef FUZZ
MODE := fuzz
OPT = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
OPTCPP = -DMIG_SAN
endif
# V=1 shows the commands.
ifndef V
Q = @
endif
DEFAULT_O := build/$(MODE)-$(CC)
O ?= $(DEFAULT_O)

ALL_CFLAGS = -std=c11 $(WARN) $(OPT) $(CFLAGS)
# Where libpq-fe.h is; its library is opened by those that need it, see docs/adr/0070.
PQ_INCLUDE ?= /usr/include/postgresql
ALL_CPPFLAGS = -D_GNU_SOURCE $(addprefix -I,$(wildcard lib/*/)) -isystem $(PQ_INCLUDE) $(OPTCPP) $(CPPFLAGS)
# SQLite is in every filter, which may keep its audit there; other libraries of databases are opened when needed.
LIBS = -ljq -lcrypto -Wl,--push-state,-Bstatic -lsqlite3 -Wl,--pop-state -lm

TOOLS = $(patsubst bin/%.c,%,$(wildcard bin/mig-*.c))
LIBOBJ = $(patsubst lib/%.c,$(O)/lib/%.o,$(wildcard lib/*/*.c))
PLANTED = $(TOOLS:%=$(O)/plant/%)
UNIT = $(patsubst tests/unit/%.c,$(O)/unit/%,$(wildcard tests/unit/*_test.c))
REPLAY = $(patsubst tests/fuzz/%.c,$(O)/replay/%,$(wildcard tests/fuzz/fuzz_*.c))
PACKAGES = gcc libc6-dev make libjq-dev libssl-dev libjansson-dev jq parallel bats bats-assert bats-support \
           bats-file strace mandoc shellcheck python3 openssl xxd curl sqlite3 postgresql \
           libsqlite3-dev libpq-dev libcurl4-openssl-dev
# The executables stand in $(O)/bin; a release build also links them beside their sources.
X = $(abspath $(O))/bin

.DELETE_ON_ERROR:
.PHONY: all help deps demo check tests plant lint requirements bench fuzz crash install uninstall clean
all: $(TOOLS:%=$(O)/bin/%) $(O)/bin/mig ## build the filters
ifeq ($(MODE)$(O),release$(DEFAULT_O))
	@for t in $(TOOLS); do ln -sf ../$(O)/bin/$$t bin/$$t; done
endif

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

deps: ## install what is missing (Debian packages; needs root for that)
	@missing=; for p in $(PACKAGES); do \
		dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null | grep -qx installed || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing:$$missing"; \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing \
		>/dev/null; fi

demo: all ## the main job on the bundled samples
	@MIG_X=$(X) demo/demo.sh

check: all tests ## every test
	@MIG_X=$(X) O=$(O) tests/run $(UNIT) -- $(REPLAY)

tests: $(UNIT) $(REPLAY) plant

lint: ## layers, banned functions, widths, names, shell and man pages
	@tests/lint/all

requirements: ## every requirement id with the tests that prove it
	@tests/requirements

bench: all $(O)/scan_bench ## speed and memory, against cp -r and peers (tests/bench/run --full for 100k)
	@MIG_X=$(X) SCAN_BENCH=$(abspath $(O))/scan_bench tests/bench/run
	@MIG_X=$(X) tests/bench/sql
	@MIG_X=$(X) tests/bench/rows
	@MIG_X=$(X) tests/bench/rows-way

fuzz: ## each parser for 60 seconds (clang)
	@$(MAKE) --no-print-directory FUZZ=1 CC=clang fuzzers
	@for f in $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c)); do \
		build/fuzz-clang/$$f -max_total_time=$(or $(SECONDS),60) -print_final_stats=1 build/corpus/$$f tests/fuzz/corpus/$${f#fuzz_}; done

crash: all ## kill, fail, starve and cut off apply in every way, edit under it (many minutes)
	@MIG_X=$(X) CC=$(CC) tests/crash/run

install: all ## programs, manual pages, make fragment and policies under PREFIX
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7 \
		$(DESTDIR)$(DATADIR)/pipelines $(DESTDIR)$(DATADIR)/policies
	install -m 755 $(TOOLS:%=$(O)/bin/%) $(O)/bin/mig $(DESTDIR)$(BINDIR)
	for n in 1 5 7; do install -m 644 docs/man/*.$$n $(DESTDIR)$(MANDIR)/man$$n; done
	install -m 644 pipelines/*.mk $(DESTDIR)$(DATADIR)/pipelines
	install -m 644 policies/*.jq $(DESTDIR)$(DATADIR)/policies

uninstall: ## take them away again
	rm -f $(TOOLS:%=$(DESTDIR)$(BINDIR)/%) $(DESTDIR)$(BINDIR)/mig $(DESTDIR)$(DATADIR)/pipelines/*.mk \
		$(DESTDIR)$(DATADIR)/policies/*.jq
	for n in 1 5 7; do for f in docs/man/*.$$n; do rm -f $(DESTDIR)$(MANDIR)/man$$n/$${f##*/}; done; done

clean: ## remove what was built
	rm -rf build $(TOOLS:%=bin/%)

# With "make deps check", nothing is compiled before its headers are there.
ifneq ($(filter deps,$(MAKECMDGOALS)),)
$(LIBOBJ): | deps
endif

$(O)/bin/mig-%: $(O)/bin/mig-%.o $(O)/libmig.a
	@echo "  $(@F)"
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^ $(LIBS)

WRAPS = $(addprefix -Wl$(comma)--wrap=sandbox_,pure reading client tree trees root)
comma = ,
# The filters once more, each with a betrayal behind its sandbox: for tests/sandbox.bats.
plant: $(PLANTED)
$(O)/plant/mig-%: $(O)/bin/mig-%.o $(O)/tests/plant.o $(O)/libmig.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(OPT) $(LDFLAGS) $(WRAPS) -o $@ $^ $(LIBS)
.SECONDARY: $(TOOLS:%=$(O)/bin/%.o) $(O)/tests/plant.o $(UNIT:$(O)/unit/%=$(O)/tests/unit/%.o)

$(O)/bin/mig: bin/mig
	@mkdir -p $(@D)
	@install -m 755 bin/mig $@

$(O)/unit/%: $(O)/tests/unit/%.o $(O)/libmig.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^ $(LIBS)

# The fuzz targets replay the files they are given; jansson and sqlite3 are their oracles.
$(O)/replay/%: tests/fuzz/%.c $(O)/libmig.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -DREPLAY $(LDFLAGS) -o $@ $< $(O)/libmig.a -ljansson -lsqlite3 $(LIBS)

.PHONY: fuzzers
fuzzers: $(patsubst tests/fuzz/%.c,$(O)/%,$(wildcard tests/fuzz/fuzz_*.c))
$(O)/fuzz_%: tests/fuzz/fuzz_%.c $(O)/libmig.a
	@mkdir -p build/corpus/fuzz_$*
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $< $(O)/libmig.a -ljansson -lsqlite3 $(LIBS)

$(O)/scan_bench: tests/bench/scan_bench.c $(O)/libmig.a
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $< $(O)/libmig.a -ljansson $(LIBS)

$(O)/libmig.a: $(LIBOBJ)
	@echo "  libmig.a ($(words $(LIBOBJ)) files, $(CC), $(MODE))"
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
	@! nm -g --defined-only $@ | awk 'NF == 3 { print $$3 ": two files define it" }' | sort | uniq -d | grep .

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(LIBOBJ:.o=.d) $(wildcard $(O)/bin/*.d $(O)/tests/*.d $(O)/tests/unit/*.d)
