# Builds, tests and installs arxmail. PREFIX DESTDIR CC CFLAGS LDFLAGS are the
# user's.

PREFIX     ?= /usr/local
SBINDIR    ?= $(PREFIX)/sbin
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/arxmail
PKG_CONFIG ?= pkg-config
INSTALL    ?= install
CFLAGS     ?= -O2 -g

# One object tree per variant: sanitized and plain objects never mix.
VARIANT ?= release
B       := build/$(VARIANT)

FLAGS.release := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
FLAGS.analyze := -fanalyzer
FLAGS.asan    := -fno-omit-frame-pointer -fsanitize=address,undefined \
                 -fno-sanitize-recover=all

PKGS     := sqlite3 libcurl libxml-2.0 libconfig libcmark gmime-3.0 libsystemd
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
            -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wundef \
            -Wwrite-strings -Wvla -Wformat=2 -Wnull-dereference

VERSION := $(shell sed -n 's/^\#\# \([0-9.]*\).*/\1/p' CHANGES.md | head -n 1)

# The libraries' headers are not ours to warn about: -isystem.
PKG_CFLAGS  := $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(PKGS)))
ALL_CFLAGS  := -std=gnu17 -D_GNU_SOURCE -DARXMAIL_VERSION='"$(VERSION)"' \
               -Iinclude -MMD -MP $(WARNINGS) $(FLAGS.$(VARIANT)) \
               $(PKG_CFLAGS) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS := $(FLAGS.$(VARIANT)) $(LDFLAGS)
LDLIBS      += $(shell $(PKG_CONFIG) --libs $(PKGS))

# Everything but main() is one archive, which programs, tests and fuzzers link.
LIB      := $(B)/libarxmail.a
LIB_SRCS := $(filter-out %/main.c,$(sort $(wildcard src/*/*.c)))
PROGRAMS := $(B)/arxmail
TESTS    := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/unit/*/test_*.c)))

all: $(PROGRAMS)

$(B)/arxmail: $(B)/src/cli/main.o $(LIB)
$(TESTS): $(B)/%: $(B)/%.o $(LIB)
$(TESTS): LDLIBS += -lcmocka

$(PROGRAMS) $(TESTS):
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIB): $(LIB_SRCS:%.c=$(B)/%.o)
	$(RM) $@
	$(AR) rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# Files that are built into the program by .incbin.
$(B)/src/model/category.o: etc/categories
$(B)/src/digest/builtin.o: $(shell find templates -type f)

unit: $(TESTS)
	@rc=0; for t in $^; do $(TEST_WRAPPER) $$t || rc=1; done; exit $$rc

check: unit

lint-layers:
	awk -f tests/lint/layers.awk include/*/*.h src/*/*.c

lint-headers:
	for h in $(wildcard include/*/*.h); do printf '#include "%s"\n' \
	    "$${h#include/}" | $(CC) -std=gnu17 -D_GNU_SOURCE -Iinclude \
	    -fsyntax-only -x c - || exit 1; done

format:
	clang-format -i $(wildcard include/*/*.h src/*/*.[ch] tests/unit/*/*.[ch])

clean:
	$(RM) -r build

.PHONY: all check unit lint-layers lint-headers format clean
.DELETE_ON_ERROR:
-include $(shell find build -name '*.d' 2>/dev/null)
