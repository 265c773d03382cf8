/* SPDX-License-Identifier: MIT */
/*
 * Drives the shim under the sanitizers with real packets: a network namespace of its own, a rule that queues what
 * arrives on its loopback, UDP from a socket through the queue to another socket. Needs root. Ends at the first
 * expectation that does not hold. Run by `make -C native check`.
 */
#include "../../native/fwq.c" /* for the parser, which is static */

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>

#define SLOTS	16
#define PORT	4000

#define expect(what)                                                                  \
	do {                                                                          \
		if (!(what)) {                                                        \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
			exit(1);                                                      \
		}                                                                     \
	} while (0)

static uint8_t *mem;
static struct fwq_head *head;
static struct fwq_slot *slots;
static struct fwq_letter *letters;
static struct fwq *q;
static int sender, receiver, wake_fd;

static void shell(const char *command)
{
	expect(system(command) == 0);
}

static int udp_socket(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	expect(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	return fd;
}

static void send_datagram(const void *bytes, size_t n)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = { htonl(INADDR_LOOPBACK) } };

	expect(sendto(sender, bytes, n, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)n);
}

/* Receives one datagram within `ms`; returns its length or -1. */
static ssize_t receive_datagram(void *bytes, size_t n, int ms)
{
	struct pollfd p = { .fd = receiver, .events = POLLIN };

	return poll(&p, 1, ms) == 1 ? recv(receiver, bytes, n, 0) : -1;
}

static bool woken(int ms)
{
	struct pollfd p = { .fd = wake_fd, .events = POLLIN };
	char c;

	return poll(&p, 1, ms) == 1 && read(wake_fd, &c, 1) == 1;
}

/* Gives the verdicts of the batch in hand and waits for the next one, of exactly n packets. */
static void next_batch(int n)
{
	int got = fwq_exchange(q);

	for (int tries = 0; got == 0 && tries < 100; tries++) {
		expect(woken(1000));
		got = fwq_exchange(q);
	}
	expect(got == n);
}

static void finish_batch(void)
{
	expect(fwq_exchange(q) == 0);
}

static void open_queue(void)
{
	expect(fwq_open(mem, (uint64_t)FWQ_SIZE(SLOTS), SLOTS, 0, 64, &q) == 0);
	wake_fd = fwq_take_wake_fd(q);
	expect(wake_fd >= 0);
	expect(fwq_take_wake_fd(q) == -EBADF);
}

static void close_queue(void)
{
	expect(fwq_close(q) == 0);
	close(wake_fd);
}

static struct fwq_letter *new_letter(uint32_t id, int32_t verdict)
{
	struct fwq_letter *l = &letters[head->letters++];

	*l = (struct fwq_letter){ .id = id, .verdict = verdict };
	return l;
}

static void refuses_bad_arguments(void)
{
	int32_t out[9];
	struct fwq *none = NULL;
	uint64_t size = (uint64_t)FWQ_SIZE(SLOTS);

	expect(fwq_layout(0, out) == -EINVAL && fwq_layout(FWQ_MAX_SLOTS + 1, out) == -EINVAL);
	expect(fwq_layout(SLOTS, out) == 9 && out[0] == FWQ_VERSION && out[1] == FWQ_SIZE(SLOTS));
	expect(fwq_open(mem, size - 1, SLOTS, 0, 64, &none) == -EINVAL);
	expect(fwq_open(mem, size, 0, 0, 64, &none) == -EINVAL);
	expect(fwq_open(mem, size, SLOTS, 65536, 64, &none) == -EINVAL);
	expect(fwq_open(mem, size, SLOTS, 0, 0, &none) == -EINVAL);
	expect(fwq_open(mem + 4, size, SLOTS, 0, 64, &none) == -EINVAL);
	expect(none == NULL);
}

static void refuses_a_queue_in_use(void)
{
	uint8_t *other = calloc(1, (size_t)FWQ_SIZE(1));
	struct fwq *none = NULL;

	expect(fwq_open(other, (uint64_t)FWQ_SIZE(1), 1, 0, 64, &none) == -EPERM);
	expect(none == NULL && strcmp(((struct fwq_head *)other)->call, "bind") == 0);
	free(other);
}

static void wakes_once_for_each_time_the_queue_was_empty(void)
{
	expect(fwq_exchange(q) == 0);
	expect(!woken(50));
	send_datagram("a", 1);
	expect(woken(1000));
	send_datagram("b", 1);
	expect(!woken(50));	/* not armed again */
	next_batch(2);
	finish_batch();
}

static void drops_what_gets_no_verdict(void)
{
	char got[64];

	send_datagram("dropped", 7);
	next_batch(1);
	expect(slots[0].verdict == FWQ_DROP);
	finish_batch();
	expect(receive_datagram(got, sizeof(got), 50) == -1);
}

static void describes_and_accepts(void)
{
	char got[64];

	send_datagram("passes", 6);
	next_batch(1);
	expect(slots[0].length == 28 + 6 && slots[0].original == 28 + 6);
	expect(slots[0].ingress == 1 && slots[0].egress == 0);	/* lo, not routed yet */
	expect(slots[0].protocol == 0x0800 && slots[0].hook == NF_INET_PRE_ROUTING);
	expect(slots[0].info == FWQ_INFO_CSUM_PARTIAL);	/* as loopback leaves it */
	expect(memcmp(mem + slots[0].offset + 28, "passes", 6) == 0);
	slots[0].verdict = FWQ_ACCEPT;
	finish_batch();
	expect(receive_datagram(got, sizeof(got), 1000) == 6);
}

/* How often this thread has slept. */
static long sleeps(void)
{
	struct rusage u;

	expect(getrusage(RUSAGE_THREAD, &u) == 0);
	return u.ru_nvcsw;
}

/* A packet in hand, and no byte in the pipe. */
static void one_in_hand(void)
{
	while (woken(20))
		;
	send_datagram("1", 1);
	expect(woken(1000));
	next_batch(1);
	slots[0].verdict = FWQ_ACCEPT;
}

static void waits_behind_a_batch_unless_in_a_hurry(void)
{
	char got[8];
	long before;

	for (int hurry = 0; hurry < 2; hurry++) {
		head->hurry = hurry;
		one_in_hand();
		before = sleeps();
		finish_batch();
		expect((sleeps() > before) == !hurry);
		expect(receive_datagram(got, sizeof(got), 1000) == 1);
		before = sleeps();
		finish_batch();	/* behind nothing it never waits */
		expect(sleeps() == before);
	}
	head->hurry = 0;
}

static void *sends_another_once_the_first_is_here(void *unused)
{
	char got[8];

	expect(receive_datagram(got, sizeof(got), 5000) == 1 && got[0] == '1');
	send_datagram("2", 1);
	return unused;
}

/* The wait is made so long that only a packet can end it. */
static void verdicts_go_out_before_it_waits_and_a_packet_ends_the_wait(void)
{
	pthread_t other;
	char got[8];

	one_in_hand();
	expect(limit_waiting(q, (struct timeval){ .tv_sec = 60 }) == 0);
	expect(pthread_create(&other, NULL, sends_another_once_the_first_is_here, NULL) == 0);
	expect(fwq_exchange(q) == 1);
	expect(pthread_join(other, NULL) == 0);
	expect(limit_waiting(q, (struct timeval){ .tv_usec = LINGER_MS * 1000 }) == 0);
	slots[0].verdict = FWQ_ACCEPT;
	finish_batch();
	expect(receive_datagram(got, sizeof(got), 1000) == 1 && got[0] == '2');
}

static volatile bool waits;

static void *signals_until_it_waits_no_more(void *main_thread)
{
	while (waits) {
		pthread_kill(*(pthread_t *)main_thread, SIGUSR1);
		usleep(1000);
	}
	return NULL;
}

static void nothing_to_do(int signal)
{
	(void)signal;
}

static void a_signal_ends_the_wait_and_loses_nothing(void)
{
	struct sigaction handler = { .sa_handler = nothing_to_do, .sa_flags = SA_RESTART };
	pthread_t self = pthread_self(), other;
	char got[8];

	expect(sigaction(SIGUSR1, &handler, NULL) == 0);
	one_in_hand();
	expect(limit_waiting(q, (struct timeval){ .tv_sec = 60 }) == 0);
	waits = true;
	expect(pthread_create(&other, NULL, signals_until_it_waits_no_more, &self) == 0);
	finish_batch();
	waits = false;
	expect(pthread_join(other, NULL) == 0);
	expect(limit_waiting(q, (struct timeval){ .tv_usec = LINGER_MS * 1000 }) == 0);
	expect(receive_datagram(got, sizeof(got), 1000) == 1);
	send_datagram("2", 1);
	expect(woken(1000));	/* the waiter was armed */
	next_batch(1);
	slots[0].verdict = FWQ_ACCEPT;
	finish_batch();
	expect(receive_datagram(got, sizeof(got), 1000) == 1 && got[0] == '2');
}

/* The receiver checks the checksum, since returned packets have CHECKSUM_NONE. Every length, odd ones too. */
static void completes_the_checksum_of_changed_packets(void)
{
	uint8_t sent[64], got[64];

	for (int n = 1; n <= 64; n++) {
		memset(sent, 'A' + n % 26, sizeof(sent));
		send_datagram(sent, (size_t)n);
		next_batch(1);
		memset(mem + slots[0].offset + 28, 'x', (size_t)n);
		slots[0].verdict = FWQ_ACCEPT_CHANGED;
		slots[0].new_length = slots[0].length;
		slots[0].csum_start = 20;
		slots[0].csum_offset = 6;
		finish_batch();
		expect(receive_datagram(got, sizeof(got), 1000) == n);
		memset(sent, 'x', sizeof(sent));
		expect(memcmp(got, sent, (size_t)n) == 0);
	}
}

static void an_incomplete_checksum_is_noticed_by_the_receiver(void)
{
	char got[8];

	send_datagram("lost", 4);
	next_batch(1);
	slots[0].verdict = FWQ_ACCEPT_CHANGED;
	slots[0].new_length = slots[0].length;
	finish_batch();
	expect(receive_datagram(got, sizeof(got), 50) == -1);
}

static void a_udp_checksum_of_zero_is_sent_as_ones(void)
{
	uint8_t bytes[32] = { 0x45 };

	bytes[20] = 0xff;
	bytes[21] = 0xff;
	complete_checksum(bytes, 32, 20, 6);
	expect(bytes[26] == 0xff && bytes[27] == 0xff);
}

static void releases_held_packets_in_any_order(bool changed)
{
	uint8_t got[8];
	int32_t at = FWQ_LETTER_BYTES_AT(SLOTS);
	char text[2] = "0";

	for (int i = 0; i < 8; i++) {
		text[0] = (char)('0' + i);
		send_datagram(text, 1);
	}
	next_batch(8);
	for (int i = 7; i >= 0; i--) {
		struct fwq_letter *l = new_letter(slots[i].id, changed ? FWQ_ACCEPT_CHANGED : FWQ_ACCEPT);

		if (changed) {
			l->offset = at + FWQ_HEADROOM;
			l->length = slots[i].length;
			l->csum_start = 20;
			l->csum_offset = 6;
			memcpy(mem + l->offset, mem + slots[i].offset, (size_t)l->length);
			at += FWQ_HEADROOM + ((l->length + 7) & ~3);
		}
	}
	for (int i = 0; i < 8; i++)
		slots[i].verdict = FWQ_HOLD;
	finish_batch();
	expect(head->letters == 0);
	for (int i = 7; i >= 0; i--)
		expect(receive_datagram(got, sizeof(got), 1000) == 1 && got[0] == '0' + i);
}

static void flush_leaves_the_batch_in_hand(void)
{
	char got[8];
	uint32_t first;

	send_datagram("1", 1);
	next_batch(1);
	first = slots[0].id;
	slots[0].verdict = FWQ_HOLD;
	send_datagram("2", 1);
	next_batch(1);
	new_letter(first, FWQ_ACCEPT);
	expect(fwq_flush(q) == 0);
	expect(receive_datagram(got, sizeof(got), 1000) == 1 && got[0] == '1');
	expect(receive_datagram(got, sizeof(got), 50) == -1);
	slots[0].verdict = FWQ_ACCEPT;
	finish_batch();
	expect(receive_datagram(got, sizeof(got), 1000) == 1 && got[0] == '2');
}

static void drops_verdicts_that_do_not_fit(void)
{
	static const struct {
		int32_t length, start, offset;
	} bad[] = {
		{ 0, 0, 0 },	   { 19, 0, 0 },    { -1, 0, 0 },		  { INT32_MAX, 0, 0 }, { 65532, 0, 0 },
		{ 29, 1, 6 },	   { 29, -20, 6 },  { 29, 20, -1 },		  { 29, 20, 8 },       { 29, 28, 0 },
		{ 29, 20, INT32_MAX }, { 29, INT32_MAX, INT32_MAX },
	};
	uint64_t before = head->counters.bad_verdicts;
	char got[8];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		send_datagram("y", 1);
		next_batch(1);
		slots[0].verdict = FWQ_ACCEPT_CHANGED;
		slots[0].new_length = bad[i].length;
		slots[0].csum_start = bad[i].start;
		slots[0].csum_offset = bad[i].offset;
		finish_batch();
		expect(head->counters.bad_verdicts == before + i + 1);
	}
	for (int32_t offset = -4; offset <= FWQ_SIZE(SLOTS); offset += FWQ_SIZE(SLOTS) + 4) {
		struct fwq_letter *l = new_letter(1, FWQ_ACCEPT_CHANGED);

		l->offset = offset;
		l->length = 40;
		expect(fwq_flush(q) == 0);
	}
	expect(head->counters.bad_verdicts == before + sizeof(bad) / sizeof(bad[0]) + 2);
	finish_batch();	/* fetches the kernel's complaints about packet id 1 */
	expect(receive_datagram(got, sizeof(got), 50) == -1);
}

/*
 * 65,535 bytes do not fit into a netlink attribute. The part that we saw is made a valid
 * datagram of its own, so that only the shim keeps it from arriving.
 */
static void never_sends_a_truncated_packet_back_changed(void)
{
	static uint8_t big[65507], got[65507];
	uint64_t before = head->counters.bad_verdicts;

	for (int changed = 0; changed < 2; changed++) {
		uint16_t total = htons(FWQ_MAX_PAYLOAD), udp = htons(FWQ_MAX_PAYLOAD - 20);

		send_datagram(big, sizeof(big));
		next_batch(1);
		expect(slots[0].original == 65535 && slots[0].length == FWQ_MAX_PAYLOAD);
		expect(slots[0].info & FWQ_INFO_TRUNCATED);
		memcpy(mem + slots[0].offset + 2, &total, 2);
		memcpy(mem + slots[0].offset + 24, &udp, 2);
		memset(mem + slots[0].offset + 26, 0, 2);	/* no UDP checksum */
		slots[0].verdict = changed ? FWQ_ACCEPT_CHANGED : FWQ_ACCEPT;
		slots[0].new_length = slots[0].length;
		finish_batch();
		expect(receive_datagram(got, sizeof(got), changed ? 50 : 1000) == (changed ? -1 : (ssize_t)sizeof(big)));
	}
	expect(head->counters.bad_verdicts == before + 1);
}

/* A datagram takes the place of its last fragment, which may be the shortest packet. */
static void a_packet_grows_up_to_the_end_of_its_slot(void)
{
	static uint8_t got[65536];
	uint16_t total = htons(FWQ_MAX_PAYLOAD), udp = htons(FWQ_MAX_PAYLOAD - 20);
	uint64_t before = head->counters.bad_verdicts;

	for (int beyond = 0; beyond < 2; beyond++) {
		uint8_t *ip;

		send_datagram("s", 1);
		next_batch(1);
		ip = mem + slots[0].offset;
		memcpy(ip + 2, &total, 2);
		memset(ip + 10, 0, 2);
		complete_checksum(ip, 20, 0, 10);
		memcpy(ip + 24, &udp, 2);
		memset(ip + 26, 0, 2);	/* no UDP checksum */
		memset(ip + 28, 'g', FWQ_MAX_PAYLOAD - 28);
		slots[0].verdict = FWQ_ACCEPT_CHANGED;
		slots[0].new_length = FWQ_MAX_PAYLOAD;
		if (beyond)	/* as if more came before the packet than ever does */
			slots[0].offset += 1024;
		finish_batch();
		expect(head->counters.bad_verdicts == before + (uint64_t)beyond);
		expect(receive_datagram(got, sizeof(got), beyond ? 50 : 1000) == (beyond ? -1 : FWQ_MAX_PAYLOAD - 28));
	}
	expect(got[0] == 'g' && got[FWQ_MAX_PAYLOAD - 29] == 'g');
}

static void sends_back_the_longest_packet_changed(void)
{
	static uint8_t big[FWQ_MAX_PAYLOAD - 28], got[65536];

	send_datagram(big, sizeof(big));
	next_batch(1);
	expect(slots[0].length == FWQ_MAX_PAYLOAD && !(slots[0].info & FWQ_INFO_TRUNCATED));
	memset(mem + slots[0].offset + 28, 'x', sizeof(big));
	slots[0].verdict = FWQ_ACCEPT_CHANGED;
	slots[0].new_length = slots[0].length;
	slots[0].csum_start = 20;
	slots[0].csum_offset = 6;
	finish_batch();
	expect(receive_datagram(got, sizeof(got), 1000) == (ssize_t)sizeof(big) && got[0] == 'x' &&
	       got[sizeof(big) - 1] == 'x');
}

static void injects(void)
{
	static const uint8_t packet[29] = { 0x45, 0, 0, 29, 0, 1, 0, 0, 64, 17, 0, 0, 127, 0, 0, 2, 127, 0, 0, 1,
					    0, 9, PORT >> 8, PORT & 0xff, 0, 9, 0, 0, 'i' };
	struct fwq_letter *l = new_letter(0, FWQ_INJECT);
	uint64_t errors = head->counters.inject_errors;
	char got[8];

	l->offset = FWQ_LETTER_BYTES_AT(SLOTS) + FWQ_HEADROOM;
	l->length = sizeof(packet);
	memcpy(mem + l->offset, packet, sizeof(packet));
	l = new_letter(0, FWQ_INJECT);	/* too short for an IPv4 header */
	l->offset = FWQ_LETTER_BYTES_AT(SLOTS) + FWQ_HEADROOM;
	l->length = 8;
	expect(fwq_flush(q) == 0);
	expect(head->counters.injected == 1 && head->counters.inject_errors == errors + 1);
	next_batch(1);	/* loopback brings it back through our own rule */
	slots[0].verdict = FWQ_ACCEPT;
	finish_batch();
	expect(receive_datagram(got, sizeof(got), 1000) == 1 && got[0] == 'i');
}

static void counts_what_the_kernel_refuses(void)
{
	uint64_t before = head->counters.verdict_errors;

	new_letter(0x7fffffff, FWQ_ACCEPT);
	expect(fwq_flush(q) == 0);
	finish_batch();
	expect(head->counters.verdict_errors == before + 1);
}

static void more_than_a_batch_comes_in_order(void)
{
	uint32_t last = 0;
	int seen = 0;
	char got[8];

	for (int i = 0; i < 2 * SLOTS + 3; i++)
		send_datagram("m", 1);
	while (seen < 2 * SLOTS + 3) {
		int n = seen < 2 * SLOTS ? SLOTS : 3;

		next_batch(n);
		for (int i = 0; i < n; i++) {
			expect(slots[i].id > last);
			last = slots[i].id;
			slots[i].verdict = FWQ_ACCEPT;
		}
		seen += n;
	}
	finish_batch();
	for (int i = 0; i < seen; i++)
		expect(receive_datagram(got, sizeof(got), 1000) == 1);
}

static void closing_drops_what_is_held(void)
{
	char got[8];

	send_datagram("h", 1);
	next_batch(1);
	slots[0].verdict = FWQ_HOLD;
	finish_batch();
	close_queue();
	expect(receive_datagram(got, sizeof(got), 50) == -1);
	send_datagram("nobody listens", 14);
	expect(receive_datagram(got, sizeof(got), 50) == -1);
	open_queue();
}

/* Any bytes at all: the message is malloc'ed at its exact length, so that a read past it is seen. */
static void the_parser_stays_in_its_message(void)
{
	unsigned int seed = 3640;

	for (int round = 0; round < 100000; round++) {
		size_t n = (size_t)rand_r(&seed) % 120 + sizeof(struct nlmsghdr);
		uint8_t *msg = malloc(n);
		struct fwq fake = { .mem = msg };
		struct fwq_slot s;

		for (size_t i = 0; i < n; i++)
			msg[i] = (uint8_t)rand_r(&seed);
		/* mostly plausible attributes, else few get past the first */
		for (size_t at = 20; at + 4 <= n && rand_r(&seed) % 8 != 0;) {
			struct nlattr a = { .nla_len = (uint16_t)(4 + rand_r(&seed) % 14),
					    .nla_type = (uint16_t)(rand_r(&seed) % (NFQA_MAX + 1)) };

			memcpy(msg + at, &a, sizeof(a));
			at += NLA_ALIGN(a.nla_len);
		}
		if (parse_packet(&fake, msg, n, &s))
			expect(s.length == 0 || (s.offset >= 24 && (size_t)(s.offset + s.length) <= n));
		free(msg);
	}
}

int main(void)
{
	if (unshare(CLONE_NEWNET) < 0) {
		perror("unshare: run as root");
		return 1;
	}
	shell("ip link set lo up");
	shell("iptables -t raw -A PREROUTING -i lo -j NFQUEUE --queue-num 0");
	mem = aligned_alloc(64, (size_t)FWQ_SIZE(SLOTS));
	head = (struct fwq_head *)mem;
	slots = (struct fwq_slot *)(mem + FWQ_SLOTS_AT);
	letters = (struct fwq_letter *)(mem + FWQ_LETTERS_AT(SLOTS));
	sender = udp_socket(0);
	receiver = udp_socket(PORT);

	the_parser_stays_in_its_message();
	a_udp_checksum_of_zero_is_sent_as_ones();
	refuses_bad_arguments();
	open_queue();
	refuses_a_queue_in_use();
	wakes_once_for_each_time_the_queue_was_empty();
	drops_what_gets_no_verdict();
	describes_and_accepts();
	waits_behind_a_batch_unless_in_a_hurry();
	verdicts_go_out_before_it_waits_and_a_packet_ends_the_wait();
	a_signal_ends_the_wait_and_loses_nothing();
	completes_the_checksum_of_changed_packets();
	an_incomplete_checksum_is_noticed_by_the_receiver();
	releases_held_packets_in_any_order(false);
	releases_held_packets_in_any_order(true);
	flush_leaves_the_batch_in_hand();
	drops_verdicts_that_do_not_fit();
	never_sends_a_truncated_packet_back_changed();
	sends_back_the_longest_packet_changed();
	a_packet_grows_up_to_the_end_of_its_slot();
	injects();
	counts_what_the_kernel_refuses();
	more_than_a_batch_comes_in_order();
	closing_drops_what_is_held();
	close_queue();
	close(sender);
	close(receiver);
	free(mem);
	puts("drive: all expectations hold");
	return 0;
}
