#pragma once

/* Whole files. */

#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

/*
 * Appends the file `path` to `buf`. A file beyond the buf's maximum, a
 * directory or a file that cannot be read fails: "PATH: why".
 */
MUST_CHECK int file_read(struct buf *buf, const char *path, struct error *err);

/*
 * Replaces `path` by `content` with `mode`: write beside it, fsync, rename,
 * fsync of the folder. On failure the old file stands and nothing is left
 * beside it.
 */
MUST_CHECK int file_replace(const char *path, struct span content, mode_t mode,
                            struct error *err);
