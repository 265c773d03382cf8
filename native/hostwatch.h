/* SPDX-License-Identifier: MIT */
/*
 * hostwatch.h: what the control plane wants of Linux and no program gives well: to be told when links, addresses,
 * routes or netfilter rules change, to announce addresses by ARP, and a lock that dies with its process.
 *
 * All functions return 0 or a descriptor, or -errno. Addresses are in host byte order.
 */
#ifndef HOSTWATCH_H
#define HOSTWATCH_H

#include <stdint.h>

/* Bytes that come out of the pipe. Several changes at once may be one byte. */
#define HOSTWATCH_ROUTE		'r'	/* links, IPv4 addresses, routes, routing rules */
#define HOSTWATCH_NETFILTER	'n'	/* the rules of nftables, iptables-nft's among them; iptables-legacy tells nobody */

struct hostwatch;	/* handle, owned by C from hostwatch_open() to hostwatch_close() */

/*
 * Listens in the network namespace of this thread. Returns the read end of a pipe, which the caller owns and closes,
 * and stores the handle.
 */
int hostwatch_open(struct hostwatch **handle);
int hostwatch_close(struct hostwatch *w);

/*
 * Broadcasts an ARP announcement (RFC 5227 §3) for each address by an Ethernet interface: neighbours that know an
 * address under another hardware address learn ours. Returns how many went out, or -errno when the first one failed.
 */
int hostwatch_announce(int32_t ifindex, const uint32_t *addresses, int32_t count);

/*
 * Takes the lock `path`, a file that is made where it is missing. Returns the descriptor that keeps it for as long as
 * it is open, -EWOULDBLOCK when another process has it.
 */
int hostwatch_lock(const char *path);

/* Removes the lock's file and gives it up. Returns 0 or -errno. */
int hostwatch_unlock(const char *path, int32_t fd);

#endif
