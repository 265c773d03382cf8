/* SPDX-License-Identifier: MIT */
/*
 * fwq.h: the memory that C fills and TypeScript judges, one batch at a time.
 *
 * Owner   TypeScript allocates the block and keeps it until fwq_close() has
 *         returned. Nothing runs at the same time: C touches it only inside
 *         fwq_exchange() and fwq_flush(); the waiter thread never does.
 * Units   integers in host byte order, sizes and offsets in bytes, offsets
 *         from the start of the block, packets as they came off the wire.
 * Layout  mirrored by src/io/queue/layout.ts; change both and FWQ_VERSION.
 *
 * The block: head | slots | letters | letter bytes | slot bytes.
 * A *slot* holds one packet of the batch in hand. A *letter* is anything sent
 * outside that order: the late verdict of a held packet, or a packet of our own.
 */
#ifndef FWQ_H
#define FWQ_H

#include <stddef.h>
#include <stdint.h>

#define FWQ_VERSION	4
#define FWQ_MAX_SLOTS	512
#define FWQ_LETTERS	8192
#define FWQ_LETTER_BYTES (8 * 1024 * 1024)
/*
 * Room for the largest netlink message (64 KB of payload and some 300 bytes of
 * attributes). An odd multiple of the cache line, so that the headers of all
 * slots do not fall into the same cache sets.
 */
#define FWQ_STRIDE	(1033 * 64)
/* What stays free at the end of a slot: the padding after a payload that is sent back. */
#define FWQ_PADDING	4
/* What must lie free before a letter's bytes: the netlink header of its verdict. */
#define FWQ_HEADROOM	64
/* A netlink attribute has 16 bits of length: larger packets arrive truncated. */
#define FWQ_MAX_PAYLOAD	(0xffff - 4)

/* fwq_slot.info */
#define FWQ_INFO_CSUM_PARTIAL	1	/* transport checksum not complete yet */
#define FWQ_INFO_GSO		2	/* more than one segment */
#define FWQ_INFO_CSUM_UNVERIFIED 4	/* nobody has checked the checksum */
#define FWQ_INFO_TRUNCATED	8	/* not all bytes are here */

/* fwq_slot.verdict, fwq_letter.verdict: NF_DROP and NF_ACCEPT have the kernel's values */
#define FWQ_DROP		0
#define FWQ_ACCEPT		1
#define FWQ_HOLD		2	/* no verdict now, a letter brings it */
#define FWQ_ACCEPT_CHANGED	3	/* accept, and send the bytes back */
#define FWQ_INJECT		4	/* letters only: send as the router's own packet */

/*
 * What is accepted in PREROUTING carries this mark. Rules behind drop what came in by the router's interfaces without
 * it: if the rule that queues is taken away, nothing passes unseen. The lower 20 bits are free for others.
 */
#define FWQ_MARK		0x36400000u

struct fwq_slot {
	/* written by C */
	uint32_t id;		/* NFQUEUE packet id */
	int32_t	 offset;	/* of the IPv4 header */
	int32_t	 length;	/* bytes that are here */
	int32_t	 original;	/* bytes that the packet has */
	int32_t	 ingress;	/* ifindex, 0 = unknown */
	int32_t	 egress;	/* ifindex, 0 = not routed yet */
	int32_t	 info;		/* FWQ_INFO_ bits */
	int32_t	 protocol;	/* EtherType */
	int32_t	 hook;		/* NF_INET_ number */
	uint32_t mark;
	/* written by TypeScript; C presets FWQ_DROP and zeros */
	int32_t	 verdict;
	int32_t	 new_length;	/* FWQ_ACCEPT_CHANGED: bytes from offset, may be more than came, up to the slot's end */
	int32_t	 csum_start;	/* 0, or complete the checksum over [csum_start, new_length) */
	int32_t	 csum_offset;	/* where it lies, from csum_start */
	int32_t	 pad[2];
};

struct fwq_letter {
	uint32_t id;		/* NFQUEUE packet id, unless FWQ_INJECT */
	int32_t	 verdict;
	int32_t	 offset;	/* of the bytes, a multiple of 4; FWQ_HEADROOM lies free before */
	int32_t	 length;
	int32_t	 csum_start;
	int32_t	 csum_offset;
	int32_t	 pad[2];
};

/* Counters since fwq_open(); only ever grow. */
struct fwq_counters {
	uint64_t received;	/* packets put into slots */
	uint64_t batches;	/* exchanges that brought at least one */
	uint64_t verdicts;	/* verdicts handed to the kernel */
	uint64_t verdict_errors; /* refused by the kernel, or lost on the way */
	uint64_t bad_verdicts;	/* turned into drops here: truncated, or length or checksum out of bounds */
	uint64_t malformed;	/* messages without a packet id, or cut short */
	uint64_t injected;
	uint64_t inject_errors;
};

struct fwq_head {
	int32_t	 slots;		/* as given to fwq_open() */
	int32_t	 letters;	/* in use; TypeScript counts up, C sets to 0 when sent */
	char	 call[24];	/* what fwq_open() was at when it failed */
	struct fwq_counters counters;
	int32_t	 hurry;		/* TypeScript has other work: an exchange does not wait for packets */
	char	 pad[28];
};

#define FWQ_SLOTS_AT	((int32_t)sizeof(struct fwq_head))
#define FWQ_LETTERS_AT(slots) (FWQ_SLOTS_AT + (slots) * (int32_t)sizeof(struct fwq_slot))
#define FWQ_LETTER_BYTES_AT(slots) (FWQ_LETTERS_AT(slots) + FWQ_LETTERS * (int32_t)sizeof(struct fwq_letter))
#define FWQ_DATA_AT(slots) (FWQ_LETTER_BYTES_AT(slots) + FWQ_LETTER_BYTES)
#define FWQ_SIZE(slots)	(FWQ_DATA_AT(slots) + (slots) * FWQ_STRIDE)

_Static_assert(sizeof(struct fwq_head) == 128, "layout.ts puts the slots at +128");
_Static_assert(offsetof(struct fwq_head, letters) == 4, "layout.ts counts letters at +4");
_Static_assert(offsetof(struct fwq_head, call) == 8, "layout.ts reads the failed call at +8");
_Static_assert(offsetof(struct fwq_head, counters) == 32, "layout.ts reads counters at +32");
_Static_assert(offsetof(struct fwq_head, hurry) == 96, "layout.ts writes hurry at +96");
_Static_assert(sizeof(struct fwq_slot) == 64, "layout.ts steps over slots by 64");
_Static_assert(offsetof(struct fwq_slot, ingress) == 16, "layout.ts reads ingress at +16");
_Static_assert(offsetof(struct fwq_slot, verdict) == 40, "layout.ts writes the verdict at +40");
_Static_assert(offsetof(struct fwq_slot, csum_offset) == 52, "layout.ts writes csum_offset at +52");
_Static_assert(sizeof(struct fwq_letter) == 32, "layout.ts steps over letters by 32");
_Static_assert(FWQ_STRIDE % 128 == 64, "odd multiple of a cache line");
_Static_assert(FWQ_STRIDE >= 0xffff + 512, "a slot holds the largest message");

struct fwq;	/* handle, owned by C from fwq_open() to fwq_close() */

/*
 * Writes FWQ_VERSION, FWQ_SIZE(slots), FWQ_LETTERS_AT(slots),
 * FWQ_LETTER_BYTES_AT(slots), FWQ_DATA_AT(slots), FWQ_STRIDE, FWQ_LETTERS,
 * FWQ_LETTER_BYTES and FWQ_HEADROOM to out[0..8], for the caller to compare with its own.
 * Returns 9, or -EINVAL when slots is not in 1..FWQ_MAX_SLOTS.
 */
int fwq_layout(int32_t slots, int32_t *out);

/*
 * Binds NFQUEUE number `queue` of this thread's network namespace and starts
 * the waiter thread. `mem`: at least FWQ_SIZE(slots) bytes, aligned to 8.
 * `max_length`: packets that the kernel may have waiting, held ones included.
 * Returns 0 and stores the handle, or -errno with the step in fwq_head.call.
 */
int fwq_open(void *mem, uint64_t size, int32_t slots, int32_t queue, int32_t max_length, struct fwq **handle);

/*
 * Read end of the pipe on which one byte says "packets wait". The caller owns
 * it from this call on and must close it. Returns the descriptor, or -EBADF
 * when it was taken before.
 */
int fwq_take_wake_fd(struct fwq *q);

/*
 * Sends all letters and the verdicts of the batch in hand, then receives the
 * next batch; behind a batch it waits some milliseconds for one, unless
 * fwq_head.hurry is set. When there is none, arms the waiter: it writes one
 * byte once a packet has come. Returns the number of packets now in slots, or -errno.
 */
int fwq_exchange(struct fwq *q);

/* Sends all letters now; the batch in hand stays in hand. Returns 0 or -errno. */
int fwq_flush(struct fwq *q);

/*
 * Unbinds (the kernel drops what has no verdict yet), ends the thread, frees
 * the handle. Returns 0.
 */
int fwq_close(struct fwq *q);

#endif
