/* SPDX-License-Identifier: MIT */
/* statemap.h: memory that outlives the process, mapped from a file (of a tmpfs, where it costs no disk). */
#ifndef FW3640_STATEMAP_H
#define FW3640_STATEMAP_H

#include <stdint.h>

/* Maps the file at path, which is made with mode 0600 where there is none, and locks it in no way. Its pages are there
 * only once statemap_promise has asked for them.
 * *at: where it is; *fd: for statemap_promise, stays open as long as the process.
 * Returns 1 where the file is new, 0 where it was there with just this length, or -errno: -EINVAL for another length. */
int statemap_open(const char *path, uint64_t bytes, void **at, int32_t *fd);

/* Makes sure that these bytes may be written: 0, or -errno (-ENOSPC), instead of SIGBUS when they are. */
int statemap_promise(int32_t fd, uint64_t offset, uint64_t bytes);

/* The kernel's own number of our network namespace, which is given out once (Linux 5.14); 0: it does not say. */
uint64_t statemap_namespace(void);

#endif
