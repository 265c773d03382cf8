/* SPDX-License-Identifier: MIT */
/* See hostwatch.h. */
#define _GNU_SOURCE
#include "hostwatch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- changes ---------------------------------------------------------- */

enum { ROUTE, NETFILTER, SOURCES };
static const char SAYS[SOURCES] = { HOSTWATCH_ROUTE, HOSTWATCH_NETFILTER };

struct hostwatch {
	int source[SOURCES], stop, out;
	bool running;
	pthread_t thread;
};

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static int listen_to(int protocol, uint32_t groups, const int *memberships, int count)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_groups = groups };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	int i;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0)
		goto fail;
	for (i = 0; i < count; i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &memberships[i], sizeof(memberships[i])) < 0)
			goto fail;
	return fd;
fail:
	i = -errno;
	close(fd);
	return i;
}

/* Takes all that waits. What it says is looked up by whoever is told: an overflow (ENOBUFS) is a change like any other. */
static bool drain(int fd)
{
	char scratch[8192];
	bool any = false;

	for (;;) {
		ssize_t n = recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != ENOBUFS)
			return any;
		any = true;
		if (n == 0)
			return any;
	}
}

static void *watch(void *arg)
{
	struct hostwatch *w = arg;
	struct pollfd p[SOURCES + 1] = {
		{ .fd = w->source[ROUTE], .events = POLLIN },
		{ .fd = w->source[NETFILTER], .events = POLLIN },
		{ .fd = w->stop, .events = POLLIN },
	};

	for (;;) {
		int i;

		if (poll(p, SOURCES + 1, -1) < 0) {
			if (errno == EINTR)
				continue;
			return NULL;
		}
		if (p[SOURCES].revents)
			return NULL;
		for (i = 0; i < SOURCES; i++) {
			if (!p[i].revents || !drain(p[i].fd))
				continue;
			/* A full pipe already says what we have to say. */
			if (write(w->out, &SAYS[i], 1) < 0 && errno != EAGAIN && errno != EINTR)
				return NULL;
		}
	}
}

int hostwatch_open(struct hostwatch **handle)
{
	const int tables = NFNLGRP_NFTABLES;
	const uint32_t groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV4_RULE;
	struct hostwatch *w = calloc(1, sizeof(*w));
	int ends[2] = { -1, -1 };
	sigset_t all, before;
	int err;

	if (!w)
		return -ENOMEM;
	w->source[NETFILTER] = w->stop = w->out = -1;
	err = w->source[ROUTE] = listen_to(NETLINK_ROUTE, groups, NULL, 0);
	if (err < 0)
		goto fail;
	/* A kernel without nftables has no such group: there iptables-legacy rules, which tells nobody. */
	w->source[NETFILTER] = listen_to(NETLINK_NETFILTER, 0, &tables, 1);
	w->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->stop < 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		err = -errno;
		goto fail;
	}
	w->out = ends[1];
	sigfillset(&all);	/* signals are the main thread's business */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = -pthread_create(&w->thread, NULL, watch, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		goto fail;
	w->running = true;
	*handle = w;
	return ends[0];
fail:
	close_fd(ends[0]);
	hostwatch_close(w);
	return err;
}

int hostwatch_close(struct hostwatch *w)
{
	const uint64_t one = 1;

	/* An eventfd that nobody else writes takes this at once. */
	if (w->running && write(w->stop, &one, sizeof(one)) == (ssize_t)sizeof(one))
		pthread_join(w->thread, NULL);
	close_fd(w->source[ROUTE]);
	close_fd(w->source[NETFILTER]);
	close_fd(w->stop);
	close_fd(w->out);
	free(w);
	return 0;
}

/* ---- ARP -------------------------------------------------------------- */

struct announcement {
	struct arphdr head;
	uint8_t sender[ETH_ALEN];
	uint32_t sender_address;
	uint8_t target[ETH_ALEN];
	uint32_t target_address;
} __attribute__((packed));

int hostwatch_announce(int32_t ifindex, const uint32_t *addresses, int32_t count)
{
	struct sockaddr_ll self = { .sll_family = AF_PACKET };
	struct sockaddr_ll everybody = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP),
					 .sll_ifindex = ifindex, .sll_halen = ETH_ALEN };
	struct announcement a = {
		.head = { .ar_hrd = htons(ARPHRD_ETHER), .ar_pro = htons(ETH_P_IP), .ar_hln = ETH_ALEN, .ar_pln = 4,
			  .ar_op = htons(ARPOP_REQUEST) },
	};
	socklen_t size = sizeof(self);
	int32_t sent = 0;
	int err = 0;
	/* protocol 0: it receives nothing */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	self.sll_ifindex = ifindex;
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&self, &size) < 0) {
		err = -errno;
	} else if (self.sll_hatype != ARPHRD_ETHER || self.sll_halen != ETH_ALEN) {
		err = -ENOTSUP;
	} else {
		memset(everybody.sll_addr, 0xff, ETH_ALEN);
		memcpy(a.sender, self.sll_addr, ETH_ALEN);
	}
	while (!err && sent < count) {
		a.sender_address = a.target_address = htonl(addresses[sent]);
		if (sendto(fd, &a, sizeof(a), 0, (struct sockaddr *)&everybody, sizeof(everybody)) < 0) {
			if (errno == EINTR)
				continue;
			err = -errno;
		} else {
			sent++;
		}
	}
	close(fd);
	return sent > 0 ? sent : err;
}

/* ---- the lock --------------------------------------------------------- */

int hostwatch_lock(const char *path)
{
	for (;;) {
		struct stat locked, there;
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		int err;

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			err = -errno;
			close(fd);
			return err;
		}
		/* Whoever had it may have removed the file after we opened it: then a third one could lock another. */
		if (fstat(fd, &locked) == 0 && stat(path, &there) == 0 && locked.st_ino == there.st_ino &&
		    locked.st_dev == there.st_dev)
			return fd;
		close(fd);
	}
}

int hostwatch_unlock(const char *path, int32_t fd)
{
	int err = unlink(path) < 0 ? -errno : 0;

	close(fd);
	return err;
}
