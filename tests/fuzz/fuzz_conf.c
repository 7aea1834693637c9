/* Any bytes as arxmail.conf: a config, or every error with its place. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "fuzz.h"

static int make_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("arxmail.conf", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size ||
	    fchmod(fd, 0600) < 0)
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	owned(fd) int fd = make_file(data, size);
	owned(mem) char *path = mem_printf("/proc/self/fd/%d", fd);
	owned(conf) struct conf *conf = NULL;
	owned(conf_report) struct conf_report report = {0};
	struct error err = {0};
	int rc = conf_load(&conf, path, &report, &err);

	/* Never neither a config nor a reason, never both. */
	if (rc == CONF_VALID
	            ? !conf || report.errors.n > 0
	            : conf || (rc >= 0 ? report.errors.n == 0 : !*err.message))
		abort();
	return 0;
}
