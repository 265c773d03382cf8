/* SPDX-License-Identifier: MIT */
/* Drives native/hostwatch.c in a network namespace of its own, under the sanitizers. */
#include "../../native/hostwatch.c"

unsigned int if_nametoindex(const char *name); /* of net/if.h, which linux/if_arp.h does not bear beside it */
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>

#define expect(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "hostwatch.c:%d: %s: %s\n", __LINE__, #what, strerror(errno)); \
			exit(1); \
		} \
	} while (0)

static void run(const char *command)
{
	expect(system(command) == 0);
}

/* Waits for a byte of this kind, a second at most. */
static bool told(int fd, char what)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;

	while (poll(&p, 1, 1000) > 0)
		while (read(fd, &byte, 1) == 1)
			if (byte == what)
				return true;
	return false;
}

static void changes_are_told(void)
{
	struct hostwatch *w = NULL;
	int fd = hostwatch_open(&w);

	expect(fd >= 0);
	run("ip link add va type veth peer name vb");
	expect(told(fd, HOSTWATCH_ROUTE));
	run("ip address add 192.0.2.1/24 dev va && ip link set va up && ip link set vb up");
	expect(told(fd, HOSTWATCH_ROUTE));
	while (told(fd, HOSTWATCH_ROUTE)) /* the last of these */
		;
	run("ip rule add pref 77 iif va blackhole");
	expect(told(fd, HOSTWATCH_ROUTE));
	if (system("iptables -V | grep -q nf_tables") == 0) {
		run("iptables -t raw -N X");
		expect(told(fd, HOSTWATCH_NETFILTER));
	}
	expect(hostwatch_close(w) == 0);
	close(fd);
}

static void addresses_are_announced(void)
{
	const uint32_t addresses[] = { 0xc0000201, 0xc0000207 };
	int32_t index = (int32_t)if_nametoindex("va");
	int tap = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, htons(ETH_P_ARP));
	struct sockaddr_ll b = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP),
				 .sll_ifindex = (int)if_nametoindex("vb") };
	struct pollfd p = { .fd = tap, .events = POLLIN };
	struct announcement got;
	int i;

	expect(bind(tap, (struct sockaddr *)&b, sizeof(b)) == 0);
	expect(hostwatch_announce(index, addresses, 2) == 2);
	for (i = 0; i < 2; i++) {
		expect(poll(&p, 1, 1000) == 1);
		expect(recv(tap, &got, sizeof(got), 0) >= (ssize_t)sizeof(got));
		expect(got.head.ar_op == htons(ARPOP_REQUEST));
		expect(got.sender_address == htonl(addresses[i]) && got.target_address == htonl(addresses[i]));
	}
	expect(hostwatch_announce(index, addresses, 0) == 0);
	expect(hostwatch_announce(9999, addresses, 1) < 0);
	expect(hostwatch_announce((int32_t)if_nametoindex("lo"), addresses, 1) == -ENOTSUP);
	close(tap);
}

static void one_process_has_the_lock(void)
{
	char path[] = "/tmp/hostwatch-lock.XXXXXX";
	int status, fd, made = mkstemp(path);

	close(made);
	fd = hostwatch_lock(path);
	expect(fd >= 0);
	if (fork() == 0)
		_exit(hostwatch_lock(path) == -EWOULDBLOCK ? 0 : 1);
	expect(wait(&status) > 0 && status == 0);
	expect(hostwatch_unlock(path, fd) == 0);
	expect(access(path, F_OK) < 0);
	fd = hostwatch_lock(path);
	expect(fd >= 0);
	expect(hostwatch_unlock(path, fd) == 0);
	expect(hostwatch_lock("/nowhere/lock") == -ENOENT);
}

int main(void)
{
	expect(unshare(CLONE_NEWNET) == 0);
	changes_are_told();
	addresses_are_announced();
	one_process_has_the_lock();
	puts("hostwatch: ok");
	return 0;
}
