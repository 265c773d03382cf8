/* SPDX-License-Identifier: MIT */
/*
 * The yardstick of scripts/bench: a C program that accepts every packet of an NFQUEUE (0), as fast as the shim's own
 * functions allow. It waits in poll() on the socket itself, without the waiter thread and pipe that Node needs.
 *
 *   accept                  verdicts without payload
 *   accept payload [QUEUE]  every payload goes back, with its checksum completed where it was partial
 */
#include "../../native/fwq.c"

#include <stdio.h>

#define SLOTS	128

static void accept_changed(const struct fwq *q, struct fwq_slot *s)
{
	const uint8_t *b = q->mem + s->offset;

	s->verdict = FWQ_ACCEPT_CHANGED;
	s->new_length = s->length;
	if ((s->info & FWQ_INFO_CSUM_PARTIAL) && !(s->info & FWQ_INFO_GSO)) {
		s->csum_start = (b[0] & 15) * 4;
		s->csum_offset = b[9] == IPPROTO_TCP ? 16 : 6;
	}
}

int main(int argc, char **argv)
{
	bool payload = argc > 1 && strcmp(argv[1], "payload") == 0;
	size_t size = (size_t)FWQ_SIZE(SLOTS);
	uint16_t queue = argc > 2 ? (uint16_t)atoi(argv[2]) : 0;
	uint8_t *mem = aligned_alloc(64, size);
	struct fwq *q;
	int err = mem ? fwq_open(mem, size, SLOTS, queue, 4096, &q) : -ENOMEM;

	if (err) {
		fprintf(stderr, "accept: %s: %s\n", mem ? ((struct fwq_head *)mem)->call : "memory", strerror(-err));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd p = { .fd = q->netlink, .events = POLLIN };
		int n;

		send_batch(q);
		send_gathered(q);
		n = receive_batch(q, false);
		if (n == 0)
			poll(&p, 1, -1);
		for (int i = 0; i < n; i++) {
			if (payload)
				accept_changed(q, &q->slots[i]);
			else
				q->slots[i].verdict = FWQ_ACCEPT;
		}
	}
}
