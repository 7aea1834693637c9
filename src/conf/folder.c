#include <dirent.h>
#include <errno.h>

#include "base/limits.h"
#include "conf_private.h"

static int is_config(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       span_ends(span_of(entry->d_name), ".conf");
}

/* Not alphasort(), whose order is the locale's. */
static int compare(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int conf_list_folder(struct strings *ret_names, const char *path,
                     struct error *err)
{
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, is_config, compare);

	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (n < 0)
		return error_set(err, ERROR_SYSTEM, "%s: %s", path,
		                 strerror(errno));
	for (int i = 0; i < n; i++) {
		strings_add(ret_names, span_of(entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	if (ret_names->n > LIMIT_CONF_FILES)
		return error_set(err, ERROR_LIMIT, "%s: more than %u files",
		                 path, LIMIT_CONF_FILES);
	return 0;
}
