/* A folder for templates that the test removes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/strings.h"

struct folder {
	char path[32];
	struct strings files;
};

static inline int make_folder(void **state)
{
	struct folder *folder = mem_new(sizeof(*folder));

	snprintf(folder->path, sizeof(folder->path), "/tmp/arxmail-XXXXXX");
	*state = folder;
	return mkdtemp(folder->path) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
	struct folder *folder = *state;

	for (size_t i = 0; i < folder->files.n; i++)
		unlink(folder->files.items[i]);
	strings_fini(&folder->files);
	rmdir(folder->path);
	free(folder);
	return 0;
}

static inline void write_file(struct folder *folder, const char *name,
                              const char *content)
{
	owned(mem) char *path = mem_printf("%s/%s", folder->path, name);
	struct error err = {0};

	assert_int_equal(file_replace(path, span_of(content), 0644, &err), 0);
	if (!strings_has(&folder->files, path))
		strings_add(&folder->files, span_of(path));
}
