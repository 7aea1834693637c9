#pragma once

/*
 * A folder of config files, written from one text:
 *
 *         state_dir = "state";
 *         ...
 *         %% subscribers.d/maths.conf
 *         subscribers = ( ... );
 *         %% password 0644
 *         secret
 *
 * What stands before the first %% line is arxmail.conf. Modes are 0600 unless
 * said. Tests work inside the folder, so that paths in messages are short.
 */

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/conf.h"

#define FIXTURE_MAIN "arxmail.conf"

struct fixture {
	char *home;   /* where the test came from */
	char *folder; /* where it is now */
};

static void fixture_make_folders(const char *path)
{
	owned(mem) char *copy = mem_dup(path);

	for (char *slash = strchr(copy, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0700);
		*slash = '/';
	}
}

/* `name` is the rest of a %% line: PATH or PATH MODE. */
static void fixture_write(struct span name, struct span content)
{
	size_t blank = span_find(name, " ");
	owned(mem) char *path = mem_dup_span(span_first(name, blank));
	struct error err = {0};
	mode_t mode = 0600;

	if (blank < name.len) {
		const char *digits = name.ptr + blank + 1;

		mode = 0;
		for (; *digits >= '0' && *digits <= '7'; digits++)
			mode = mode * 8 + (mode_t)(*digits - '0');
	}
	fixture_make_folders(path);
	if (file_replace(path, content, mode, &err) < 0)
		fail_msg("%s", err.message);
}

/* The part of `*text` up to the next %% line; its name, if there is one. */
static struct span fixture_part(struct span *text, struct span *ret_next)
{
	size_t at = span_starts(*text, "%% ") ? 0 : span_find(*text, "\n%% ");
	struct span part = *text;
	struct span line;

	*ret_next = SPAN_NONE;
	if (at == text->len) {
		*text = SPAN_NONE;
		return part;
	}
	part = span_first(*text, at > 0 ? at + 1 : 0);
	*text = span_skip(*text, part.len + strlen("%% "));
	span_split(text, '\n', &line);
	*ret_next = line;
	return part;
}

static struct fixture fixture_enter(struct span text)
{
	char folder[] = "/tmp/arxmail-conf-XXXXXX";
	struct fixture fixture = {.home = getcwd(NULL, 0)};
	struct span name = span_of(FIXTURE_MAIN);

	assert_non_null(fixture.home);
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	fixture.folder = mem_dup(folder);
	while (name.ptr) {
		struct span next;
		struct span part = fixture_part(&text, &next);

		fixture_write(name, part);
		name = next;
	}
	return fixture;
}

static int fixture_remove_one(const char *path, const struct stat *st, int type,
                              struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void fixture_leave(struct fixture *fixture)
{
	assert_int_equal(chdir(fixture->home), 0);
	assert_int_equal(nftw(fixture->folder, fixture_remove_one, 8,
	                      FTW_DEPTH | FTW_PHYS),
	                 0);
	free(fixture->home);
	free(fixture->folder);
}

/* Loads the text, which is right, in a folder that is gone afterwards. */
static inline struct conf *fixture_load(const char *text)
{
	owned(conf_report) struct conf_report report = {0};
	struct fixture fixture = fixture_enter(span_of(text));
	struct conf *conf = NULL;
	struct error err = {0};
	int rc = conf_load(&conf, FIXTURE_MAIN, &report, &err);

	for (size_t i = 0; i < report.errors.n; i++)
		print_error("%s\n", report.errors.items[i]);
	fixture_leave(&fixture);
	assert_int_equal(rc, CONF_VALID);
	assert_non_null(conf);
	return conf;
}
