# What a script can check of HOUSE_STYLE; `make lint` runs all of it. The slow
# ones work file by file and only on what has changed.

C_FILES  := $(sort $(wildcard include/*/*.h src/*/*.[ch] tests/unit/*.[ch] \
            tests/unit/*/*.[ch] tests/bench/*.[ch] tests/fuzz/*.[ch]))
C_UNITS  := $(filter %.c,$(C_FILES))
SHELL_FILES := $(sort $(wildcard tests/*.sh tests/*/*.sh tests/*/*.t .ci/run \
               debian/*.postinst debian/*.postrm src/cli/*.bash))
PY_FILES := $(sort $(wildcard tests/*/*.py tests/*/*/*.py))
LINTED   := build/lint
ANALYZER := -include tests/lint/analyzer.h

run-lint: lint-format lint-layers lint-headers lint-banned lint-tidy \
          lint-cppcheck lint-analyze lint-shell lint-python lint-manuals \
          lint-unit lint-package lint-completions lint-tables lint-limits \
        lint-hardening lint-scan \
          lint-limits

lint-format:
	@clang-format --dry-run -Werror $(C_FILES)

lint-layers:
	@awk -f tests/lint/layers.awk $(wildcard include/*/*.h src/*/*.[ch])

lint-headers:
	@for h in $(wildcard include/*/*.h); do printf '#include "%s"\n' \
	    "$${h#include/}" | $(CC) $(LANG_CFLAGS) \
	    -fsyntax-only -x c - || exit 1; done

lint-banned:
	@awk -f tests/lint/banned.awk $(C_FILES)

# What is searched by halves is in order.
lint-tables:
	@for f in src/text/symbol.c src/text/command.c; do \
	    sed -n 's/^\t{"\([^"]*\)", .*},$$/\1/p' $$f | LC_ALL=C sort -cu || \
	    exit 1; done

# Each limit has a test that names it, but for those of our own memory: what
# comes from outside meets another limit before them.
UNTESTED := LIMIT_KIB|LIMIT_MIB|LIMIT_FRAGMENT_BYTES|LIMIT_LLM_REQUEST_BYTES

lint-limits:
	@for l in $$(grep -o '^#define LIMIT_[A-Z_]*' include/base/limits.h | \
	    cut -d' ' -f2 | grep -Evx '$(UNTESTED)'); do \
	    grep -rqw "$$l" tests/unit tests/e2e || \
	        { echo "$$l has no test"; exit 1; }; done

# Of the released program, with the flags of whoever builds it.
lint-hardening: $(B)/arxmail
	@tests/lint/hardening.sh $<

# clang's analyzer, as scan-build runs it: every report is an error.
lint-scan: $(patsubst %,$(LINTED)/%.scan,$(filter src/%,$(C_UNITS)))

$(LINTED)/%.scan: % $(wildcard include/*/*.h)
	@mkdir -p $(@D)
	@echo clang --analyze $<
	@clang --analyze --analyzer-output text -Xclang -analyzer-werror \
	    $(LANG_CFLAGS) $(PKG_CFLAGS) \
	    $(if $(filter %/base/error.c,$<),,$(ANALYZER)) $<
	@touch $@

# One process a file: version 14 reports false va_list errors otherwise.
lint-tidy: $(C_UNITS:%=$(LINTED)/%.tidy)

$(LINTED)/%.tidy: % .clang-tidy tests/unit/.clang-tidy $(wildcard include/*/*.h)
	@mkdir -p $(@D)
	@echo clang-tidy $<
	@clang-tidy --quiet $< -- $(LANG_CFLAGS) $(PKG_CFLAGS) \
	    $(if $(filter %/base/error.c,$<),,$(ANALYZER)) 2>/dev/null
	@touch $@

# comparePointers: embedded files have two symbols, begin and end.
# resourceLeak, memleak: it does not know what owned() does.
# getpwuidCalled: there is one thread.
lint-cppcheck:
	@mkdir -p $(LINTED)/cppcheck
	@cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr \
	    --enable=warning,performance,portability \
	    --cppcheck-build-dir=$(LINTED)/cppcheck --library=posix \
	    --suppress=comparePointers --suppress=resourceLeak \
	    --suppress=memleak --suppress=getpwuidCalled \
	    -D__GNUC__ -D_GNU_SOURCE -Iinclude src

lint-analyze:
	+$(MAKE) --no-print-directory VARIANT=analyze WERROR=1 all

lint-shell:
	@shellcheck -x -P SCRIPTDIR $(SHELL_FILES)

# Compiles in memory: no __pycache__.
lint-python:
	@/usr/bin/python3 -c 'import sys; [compile(open(f).read(), f, "exec") \
	    for f in sys.argv[1:]]' $(PY_FILES)

lint-manuals:
	@mandoc -T lint -W warning $(MANUALS)

# As installed, but with a program that is there. The exposure is in tenths.
lint-unit:
	@mkdir -p $(LINTED)
	@sed 's|/usr/sbin/arxmail|/bin/true|' systemd/arxmail.service \
	    >$(LINTED)/arxmail.service
	@if systemd-analyze --help | grep -q -e --threshold; then \
	    systemd-analyze verify --man=no $(LINTED)/arxmail.service && \
	    systemd-analyze security --offline=true --threshold=12 \
	        --no-pager systemd/arxmail.service >$(LINTED)/security || \
	    { cat $(LINTED)/security; exit 1; }; \
	else echo 'lint-unit: skipped: this systemd-analyze is too old'; fi

lint-package:
	@debian=$$(dpkg-parsechangelog -S Version); [ "$$debian" = $(VERSION) ] || \
	    { echo "debian/changelog has $$debian, CHANGES.md has $(VERSION)"; \
	    exit 1; }

lint-completions: $(B)/arxmail
	@tests/lint/completions.sh $<

.PHONY: run-lint lint-format lint-layers lint-headers lint-banned lint-tidy \
        lint-cppcheck lint-analyze lint-shell lint-python lint-manuals \
        lint-unit lint-package lint-completions lint-tables lint-limits \
        lint-hardening lint-scan
