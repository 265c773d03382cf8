/* SPDX-License-Identifier: MIT */
/* notify.h: a word to the service manager (sd_notify(3)); Node has no datagram sockets of the UNIX family. */
#ifndef FW3640_NOTIFY_H
#define FW3640_NOTIFY_H

/* Sends text as one datagram to the socket at path; a path that begins with '@' is an abstract one.
 * Returns 0, or -errno. It never waits: where the socket is full, that is -EAGAIN. */
int notify_send(const char *path, const char *text);

#endif
