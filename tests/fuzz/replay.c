/*
 * Gives a fuzz target each file of its corpus, tests/fuzz/corpus/NAME for
 * fuzz_NAME, so that what was found once is tested by every compiler.
 */

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "fuzz.h"

static int replay(const char *path)
{
	owned(buf) struct buf input = BUF_INIT(SIZE_MAX);
	struct error err = {0};

	if (file_read(&input, path, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	/* A copy of its exact size, so that a sanitizer sees its end. */
	if (input.len > 0) {
		owned(mem) uint8_t *bytes = mem_array(input.len, 1);

		memcpy(bytes, input.data, input.len);
		LLVMFuzzerTestOneInput(bytes, input.len);
	}
	return 0;
}

static int replay_folder(const char *folder, size_t *ret_n)
{
	DIR *dir = opendir(folder);
	int status = 0;

	*ret_n = 0;
	if (!dir)
		return 1;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		owned(mem) char *path =
			mem_printf("%s/%s", folder, entry->d_name);

		if (entry->d_name[0] == '.')
			continue;
		status |= replay(path);
		(*ret_n)++;
	}
	closedir(dir);
	return status;
}

int main(int argc, char **argv)
{
	const char *name = argc > 0 ? strstr(argv[0], "fuzz_") : NULL;
	owned(mem) char *folder =
		mem_printf("tests/fuzz/corpus/%s", name ? name + 5 : "");
	owned(mem) char *found =
		mem_printf("build/fuzz/found/%s", name ? name + 5 : "");
	size_t n_found = 0;
	size_t n = 0;
	int status = replay_folder(folder, &n);

	/* What libFuzzer has found here, if it ran. */
	if (access(found, F_OK) == 0)
		status |= replay_folder(found, &n_found);

	if (status || n == 0)
		printf("not ok 1 - replays %s\n1..1\n", folder);
	else
		printf("ok 1 - replays the %zu files of %s\n1..1\n", n, folder);
	return status || n == 0;
}
