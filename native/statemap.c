/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "statemap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not in the C library's headers of Debian 12. */
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static int failed(int fd, int error)
{
	if (fd >= 0)
		close(fd);
	return -error;
}

int statemap_open(const char *path, uint64_t bytes, void **at, int32_t *fd)
{
	int file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (file < 0 || fstat(file, &st) < 0)
		return failed(file, errno);
	if (!S_ISREG(st.st_mode) || (st.st_size != 0 && (uint64_t)st.st_size != bytes))
		return failed(file, EINVAL);
	if (st.st_size == 0 && ftruncate(file, (off_t)bytes) < 0)
		return failed(file, errno);
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (memory == MAP_FAILED)
		return failed(file, errno);
	*at = memory;
	*fd = file;
	return st.st_size == 0;
}

int statemap_promise(int32_t fd, uint64_t offset, uint64_t bytes)
{
	int result;

	do
		result = fallocate(fd, 0, (off_t)offset, (off_t)bytes);
	while (result < 0 && errno == EINTR);
	return result < 0 ? -errno : 0;
}

uint64_t statemap_namespace(void)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) < 0)
		cookie = 0;
	close(fd);
	return cookie;
}
