# Builds, tests and installs arxmail. PREFIX DESTDIR CC CFLAGS LDFLAGS are the
# user's.

PREFIX     ?= /usr/local
SBINDIR    ?= $(PREFIX)/sbin
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/arxmail
UNITDIR    ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
PKG_CONFIG ?= pkg-config
INSTALL    ?= install
CFLAGS     ?= -O2 -g

# One object tree per variant: sanitized and plain objects never mix.
# VARIANT=clang is CC=clang; WERROR=1 makes warnings errors (CI).
VARIANT ?= release
WERROR  ?= 0
# V=1 shows the commands.
Q       := $(if $(V),,@)
B       := build/$(VARIANT)

ifeq ($(VARIANT),clang)
CC := clang
endif

# Control-flow enforcement where the processor's ABI has it.
CET     := $(if $(filter x86_64 i686,$(shell uname -m)),-fcf-protection)
# What no variant does without: the linker's part of hardening.
HARDEN  := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack

FLAGS.release := -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
                 -fstack-clash-protection $(CET)
FLAGS.clang   := $(FLAGS.release)
# gcc 12 does not see the NULL that an inlined cleanup reads.
FLAGS.analyze := -fanalyzer -Wno-analyzer-use-of-uninitialized-value
FLAGS.asan    := -fno-omit-frame-pointer -fsanitize=address,undefined \
                 -fno-sanitize-recover=all
FLAGS.fuzz    := -fno-omit-frame-pointer -fno-sanitize-recover=all \
                 -fsanitize=fuzzer-no-link,address,undefined

FLAGS.coverage := -fprofile-instr-generate -fcoverage-mapping

PKGS     := sqlite3 libcurl libxml-2.0 libconfig libcmark gmime-3.0 json-c \
            libsystemd
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
            -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wundef \
            -Wwrite-strings -Wvla -Wformat=2 -Wnull-dereference \
            $(if $(filter 1,$(WERROR)),-Werror)

VERSION := $(shell sed -n 's/^\#\# \([0-9.]*\).*/\1/p' CHANGES.md | head -n 1)

# Asked once, when the first recipe needs it: `make check` on a fresh machine
# is parsed before it has installed pkg-config. The libraries' headers are not
# ours to warn about: -isystem.
once = $(eval $1 := $(shell $2))$($1)
PKG_CFLAGS = $(call once,PKG_CFLAGS,$(PKG_CONFIG) --cflags $(PKGS) | \
             sed 's/-I/-isystem /g')
PKG_LIBS   = $(call once,PKG_LIBS,$(PKG_CONFIG) --libs $(PKGS))

LANG_CFLAGS := -std=gnu17 -D_GNU_SOURCE -DARXMAIL_VERSION='"$(VERSION)"' \
               -Iinclude
ALL_CFLAGS   = $(LANG_CFLAGS) -MMD -MP $(WARNINGS) $(FLAGS.$(VARIANT)) \
               $(PKG_CFLAGS) -fPIE $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS := $(FLAGS.$(VARIANT)) $(HARDEN) $(LDFLAGS)
LDLIBS      += $(PKG_LIBS) -lm

# Everything but main() is one archive, which programs, tests and fuzzers link.
LIB      := $(B)/libarxmail.a
LIB_SRCS := $(filter-out %/main.c,$(sort $(wildcard src/*/*.c)))
PROGRAMS := $(B)/arxmail
TESTS    := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/unit/*/test_*.c)))
E2E      := $(sort $(wildcard tests/e2e/*.t))
FUZZERS  := $(sort $(wildcard tests/fuzz/fuzz_*.c))
REPLAYS  := $(FUZZERS:%.c=$(B)/%)
BENCHES  := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/bench/*.c)))

all: $(PROGRAMS)

$(B)/arxmail: $(B)/src/cli/main.o $(LIB)
$(TESTS) $(BENCHES): $(B)/%: $(B)/%.o $(LIB)
$(TESTS): LDLIBS += -lcmocka
# What the matcher is compared with; no other program links them.
$(B)/tests/bench/bench_query: LDLIBS += -lhs -lpcre2-8

# A fuzz target replays its corpus; in VARIANT=fuzz libFuzzer is its main().
ifeq ($(VARIANT),fuzz)
$(REPLAYS): ALL_LDFLAGS += -fsanitize=fuzzer
$(REPLAYS): $(B)/%: $(B)/%.o $(LIB)
else
$(REPLAYS): $(B)/%: $(B)/%.o $(B)/tests/fuzz/replay.o $(LIB)
endif

$(PROGRAMS) $(TESTS) $(BENCHES) $(REPLAYS):
	@echo "  LINK $@"
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIB): $(LIB_SRCS:%.c=$(B)/%.o)
	@echo "  AR   $@"
	$(Q)$(RM) $@
	$(Q)$(AR) rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# Files that are built into the program by .incbin.
$(B)/src/model/category.o: etc/categories
$(B)/src/model/calendar.o: etc/holidays
$(B)/src/llm/request.o: templates/prompt.txt
$(B)/src/digest/builtin.o: $(shell find templates -type f 2>/dev/null)

# ---- what a person types: installs what is missing, then does its job ----

JOBS ?= $(shell nproc)
PARALLEL = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))

lint: PARALLEL += -k
check torture demo screenshots interop bench lint:
	@tests/setup.sh $@
	@+$(MAKE) --no-print-directory $(PARALLEL) run-$@

# TEST_WRAPPER="valgrind ..." runs every test's program under it.
export TEST_WRAPPER
export ARXMAIL = $(CURDIR)/$(B)/arxmail
RUN_TESTS = tests/run.pl -j $(JOBS)

run-check: $(TESTS) $(REPLAYS) $(PROGRAMS)
	@$(RUN_TESTS) $(TESTS) $(REPLAYS) $(E2E)

unit: $(TESTS) $(REPLAYS)
	@$(RUN_TESTS) $(TESTS) $(REPLAYS)

e2e: $(PROGRAMS)
	@$(RUN_TESTS) $(E2E)

# The tests of early ends at length, and other years than `make check` has. What
# they draw, SEED=N draws again.
run-torture: $(PROGRAMS) $(B)/tests/unit/service/test_years
	@$(RM) $(B)/torture
	@export TORTURE=1 SEED=$${SEED:-$$(date +%s)}; rc=0; \
	    COUNTS=$(CURDIR)/$(B)/torture \
	    $(RUN_TESTS) $(sort $(wildcard tests/e2e/05*.t)) \
        tests/e2e/200-no-memory.t tests/e2e/205-system-calls.t \
        $(B)/tests/unit/service/test_years || rc=1; \
	    cat $(B)/torture; echo "SEED=$$SEED"; exit $$rc

run-interop: $(PROGRAMS)
	@$(RUN_TESTS) $(sort $(wildcard tests/interop/*.t))

run-demo: $(PROGRAMS)
	@tests/demo/run.sh

# Pictures of the demo's digests. The README's are kept in tests/demo.
run-screenshots: $(PROGRAMS)
	@tests/demo/screenshots.sh build/screenshots

run-bench: $(PROGRAMS) $(BENCHES)
	@tests/bench/run.sh $(B)

# Unit tests write their golden files anew where GOLDEN_ACCEPT=1.
golden-accept: $(TESTS)
	@$(RM) -r $(B)/golden && cp -r tests/golden $(B)/golden
	@GOLDEN_ACCEPT=1 $(RUN_TESTS) $(TESTS) >/dev/null; \
	    diff -ru $(B)/golden tests/golden || true

# ---- fuzzing: make fuzz SECONDS=60, each target that long ----

SECONDS ?= 60
FUZZ_FLAGS = -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=2048 \
             -print_final_stats=1

# What is found new stays under build/; a crash belongs in tests/fuzz/corpus.
fuzz:
	@tests/setup.sh fuzz
	@+$(MAKE) --no-print-directory CC=clang VARIANT=fuzz run-fuzz

run-fuzz: $(REPLAYS)
	@for f in $^; do name=$${f##*/fuzz_}; corpus=tests/fuzz/corpus/$$name; \
	    mkdir -p build/fuzz/found/$$name; echo "$$name:"; \
	    $$f $(FUZZ_FLAGS) -artifact_prefix=build/fuzz/found/$$name- \
	        $$([ ! -f $$corpus.dict ] || echo "-dict=$$corpus.dict") \
	        build/fuzz/found/$$name $$corpus || exit 1; done

# How much of each parser the corpora, and what was found, come to.
fuzz-coverage:
	@tests/setup.sh fuzz
	@+$(MAKE) --no-print-directory CC=clang VARIANT=coverage run-coverage

run-coverage: $(REPLAYS)
	@tests/fuzz/coverage.sh $(B)

# ---- lint ----

include tests/lint/lint.mk

format:
	clang-format -i $(C_FILES)

# ---- installing ----

MANUALS := $(wildcard src/cli/*.[1-8] etc/*.[1-8])

install: all
	$(INSTALL) -D -m 0755 $(B)/arxmail $(DESTDIR)$(SBINDIR)/arxmail
	for m in $(MANUALS); do $(INSTALL) -D -m 0644 $$m \
	    $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/} || exit 1; done
	$(INSTALL) -D -m 0644 -t $(DESTDIR)$(DOCDIR)/examples \
	    $(wildcard etc/*.example) etc/categories etc/holidays
	$(INSTALL) -D -m 0644 systemd/arxmail.service \
	    $(DESTDIR)$(UNITDIR)/arxmail.service
	sed -i 's|/usr/sbin/arxmail|$(SBINDIR)/arxmail|' \
	    $(DESTDIR)$(UNITDIR)/arxmail.service
	$(INSTALL) -D -m 0644 systemd/arxmail.sysusers \
	    $(DESTDIR)$(SYSUSERSDIR)/arxmail.conf
	$(INSTALL) -D -m 0644 src/cli/arxmail.bash $(DESTDIR)$(BASHDIR)/arxmail
	$(INSTALL) -D -m 0644 src/cli/_arxmail $(DESTDIR)$(ZSHDIR)/_arxmail

uninstall:
	$(RM) $(DESTDIR)$(SBINDIR)/arxmail $(DESTDIR)$(UNITDIR)/arxmail.service \
	    $(DESTDIR)$(SYSUSERSDIR)/arxmail.conf \
	    $(DESTDIR)$(BASHDIR)/arxmail $(DESTDIR)$(ZSHDIR)/_arxmail
	for m in $(MANUALS); do \
	    $(RM) $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; done
	$(RM) -r $(DESTDIR)$(DOCDIR)

# ---- the package: build/deb/arxmail_VERSION_ARCH.deb ----

# In a copy, because Debian's tools write beside and into what they build. Its
# tests are `make check`'s.
DEB_SOURCE := build/deb/arxmail-$(VERSION)

deb:
	@tests/setup.sh deb
	@$(RM) -r build/deb && mkdir -p $(DEB_SOURCE)
	@tar -c --exclude=./build --exclude=./.git . | tar -x -C $(DEB_SOURCE)
	@echo "  DEB  build/deb/arxmail_$(VERSION)_*.deb"
	@cd $(DEB_SOURCE) && env -u MAKEFLAGS -u CC -u VARIANT -u ARXMAIL \
	    DEB_BUILD_OPTIONS='nocheck parallel=$(JOBS)' \
	    DEB_BUILD_PROFILES=nocheck dpkg-buildpackage -us -uc -b \
	    >../log 2>&1 || { cat ../log; exit 1; }

# Boots real systemd from a Debian with that package in it. Where that cannot
# be, it says so and is skipped.
boot-test:
	@tests/setup.sh boot-test || true
	@+! command -v dh >/dev/null || $(MAKE) --no-print-directory deb
	@$(RUN_TESTS) $(sort $(wildcard tests/boot/*.t))

# The same in a virtual machine of its own, whose clock may be set.
vm-test:
	@tests/setup.sh vm-test || true
	@+! command -v dh >/dev/null || $(MAKE) --no-print-directory deb
	@$(RUN_TESTS) $(sort $(wildcard tests/vm/*.t))

clean:
	$(RM) -r build

.PHONY: all check torture demo screenshots interop bench lint run-check \
        run-torture run-interop run-demo run-screenshots run-bench fuzz \
        run-fuzz fuzz-coverage run-coverage unit e2e golden-accept format install uninstall deb \
        boot-test vm-test clean
.DELETE_ON_ERROR:
-include $(shell find build -path build/deb -prune -o -name '*.d' -print \
    2>/dev/null)
