/* SPDX-License-Identifier: MIT */
/*
 * fwq.c: NFQUEUE over plain netlink, a batch at a time. Fetches and sends;
 * what becomes of a packet is decided in TypeScript. See fwq.h for the memory
 * that both share. No global state: a process may hold several queues.
 */
#define _GNU_SOURCE
#include "fwq.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

/* The kernel copies one sendmsg into one buffer. 512 KB took a tenth less time per byte than 128 KB, 3 MB no less. */
#define SEND_BYTES	(512 * 1024)
#define SEND_BUFFER	(4 * 1024 * 1024)
#define SEND_IOVECS	256
/* Packets wait here between two exchanges, super-packets among them. */
#define RECEIVE_BUFFER	(64 * 1024 * 1024)
/*
 * Packets of our own that wait for the answer to an ARP request, three seconds each if nobody is there: answers to
 * spoofed addresses must not use up the room of all others.
 */
#define OWN_BUFFER	(32 * 1024 * 1024)
/*
 * How long an exchange that gave verdicts waits for more packets, milliseconds. The kernel counts it in ticks, one more
 * than that: 8 ms at most with 250 ticks a second.
 */
#define LINGER_MS	1
#define VERDICT_TYPE	((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_VERDICT)
#define CONFIG_TYPE	((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_CONFIG)

/* A verdict as netlink wants it; a payload attribute may follow. */
struct verdict_msg {
	struct nlmsghdr nl;
	struct nfgenmsg nf;
	struct nlattr attr;
	struct nfqnl_msg_verdict_hdr hdr;
	struct nlattr mark_attr;
	uint32_t mark;
};
_Static_assert(sizeof(struct verdict_msg) == 40, "no padding: it goes out as it is");
_Static_assert(sizeof(struct verdict_msg) + sizeof(struct nlattr) <= FWQ_HEADROOM, "fits before a payload");

struct fwq {
	uint8_t *mem;		/* owned by the caller */
	struct fwq_head *head;
	struct fwq_slot *slots;
	struct fwq_letter *letters;
	int32_t nslots, in_hand;
	uint16_t queue;
	int netlink, raw, epoll, stop, wake[2];
	bool waiting;		/* the thread exists */
	pthread_t waiter;

	/* what the next sendmsg takes along */
	struct iovec out[SEND_IOVECS];
	int32_t nout, messages;
	size_t out_bytes;
	struct verdict_msg verdicts[FWQ_MAX_SLOTS];
	int32_t nverdicts;

	struct mmsghdr in[FWQ_MAX_SLOTS];
	struct iovec in_iov[FWQ_MAX_SLOTS];
	struct sockaddr_nl from[FWQ_MAX_SLOTS];
};

int fwq_layout(int32_t slots, int32_t *out)
{
	if (slots < 1 || slots > FWQ_MAX_SLOTS)
		return -EINVAL;
	out[0] = FWQ_VERSION;
	out[1] = FWQ_SIZE(slots);
	out[2] = FWQ_LETTERS_AT(slots);
	out[3] = FWQ_LETTER_BYTES_AT(slots);
	out[4] = FWQ_DATA_AT(slots);
	out[5] = FWQ_STRIDE;
	out[6] = FWQ_LETTERS;
	out[7] = FWQ_LETTER_BYTES;
	out[8] = FWQ_HEADROOM;
	return 9;
}

/* ---- sending ---------------------------------------------------------- */

/*
 * Sends what is gathered. A send that fails loses its verdicts: the kernel goes on
 * holding those packets, nothing slips through, and the counter shows it.
 */
static void send_gathered(struct fwq *q)
{
	struct msghdr msg = { .msg_iov = q->out, .msg_iovlen = (size_t)q->nout };
	struct fwq_counters *c = &q->head->counters;
	ssize_t n;

	if (q->nout == 0)
		return;
	do
		n = sendmsg(q->netlink, &msg, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		c->verdict_errors += (uint64_t)q->messages;
	else
		c->verdicts += (uint64_t)q->messages;
	q->nout = 0;
	q->messages = 0;
	q->out_bytes = 0;
	q->nverdicts = 0;
}

/* Makes room for one more message of `bytes`. */
static void reserve(struct fwq *q, size_t bytes)
{
	if (q->nout == SEND_IOVECS || q->nverdicts == FWQ_MAX_SLOTS || q->out_bytes + bytes > SEND_BYTES)
		send_gathered(q);
}

static void gather(struct fwq *q, void *message, size_t bytes)
{
	struct iovec *last = q->nout > 0 ? &q->out[q->nout - 1] : NULL;

	if (last && (uint8_t *)last->iov_base + last->iov_len == message)
		last->iov_len += bytes;
	else
		q->out[q->nout++] = (struct iovec){ message, bytes };
	q->messages++;
	q->out_bytes += bytes;
}

/* `mark`: of the packet from then on. Without one (0) the attribute has a type that the kernel passes over. */
static void fill_verdict(const struct fwq *q, struct verdict_msg *m, uint32_t id, uint32_t verdict, uint32_t mark,
			 uint32_t bytes)
{
	*m = (struct verdict_msg){
		.nl = { .nlmsg_len = bytes, .nlmsg_type = VERDICT_TYPE, .nlmsg_flags = NLM_F_REQUEST },
		.nf = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(q->queue) },
		.attr = { .nla_len = sizeof(m->attr) + sizeof(m->hdr), .nla_type = NFQA_VERDICT_HDR },
		.hdr = { .verdict = htonl(verdict), .id = htonl(id) },
		.mark_attr = { .nla_len = sizeof(m->mark_attr) + sizeof(m->mark),
			       .nla_type = mark ? NFQA_MARK : NFQA_UNSPEC },
		.mark = htonl(mark),
	};
}

static void plain_verdict(struct fwq *q, uint32_t id, uint32_t verdict, uint32_t mark)
{
	struct verdict_msg *m;

	reserve(q, sizeof(*m));
	m = &q->verdicts[q->nverdicts++];
	fill_verdict(q, m, id, verdict, mark, sizeof(*m));
	gather(q, m, sizeof(*m));
}

/*
 * Accepts with new bytes. The message is built in place: its header goes into the
 * FWQ_HEADROOM before `bytes`, up to 3 bytes of padding follow them.
 */
static void changed_verdict(struct fwq *q, uint32_t id, uint32_t mark, uint8_t *bytes, int32_t length)
{
	struct nlattr payload = { .nla_len = (uint16_t)(sizeof(payload) + (size_t)length), .nla_type = NFQA_PAYLOAD };
	uint32_t total = (uint32_t)(sizeof(struct verdict_msg) + payload.nla_len);
	uint8_t *message = bytes - sizeof(payload) - sizeof(struct verdict_msg);
	struct verdict_msg m;

	fill_verdict(q, &m, id, NF_ACCEPT, mark, total);
	memcpy(message, &m, sizeof(m));
	memcpy(bytes - sizeof(payload), &payload, sizeof(payload));
	reserve(q, NLMSG_ALIGN(total));
	gather(q, message, NLMSG_ALIGN(total));
}

/*
 * Completes a transport checksum as a NIC would: the field holds the sum of the
 * pseudo-header, the sum over everything from csum_start on replaces it (RFC 1071).
 */
static void complete_checksum(uint8_t *bytes, int32_t length, int32_t start, int32_t offset)
{
	uint64_t sum = 0;
	uint16_t word;
	int32_t at;

	for (at = start; at + 1 < length; at += 2) {
		memcpy(&word, bytes + at, sizeof(word));
		sum += word;
	}
	if (at < length) {
		word = 0;
		memcpy(&word, bytes + at, 1);
		sum += word;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	word = (uint16_t)~sum;
	if (word == 0)	/* means "none" in UDP (RFC 768); equal to zero everywhere else */
		word = 0xffff;
	memcpy(bytes + start + offset, &word, sizeof(word));
}

/* Whether [offset, offset + length) with its headroom lies in the data part, and the checksum inside it. */
static bool bytes_in_bounds(const struct fwq *q, int32_t offset, int32_t length, int32_t start, int32_t at)
{
	int64_t end = (int64_t)offset + length;

	if (length < 20 || length > FWQ_MAX_PAYLOAD || offset % 4 != 0)
		return false;
	if (offset < FWQ_LETTER_BYTES_AT(q->nslots) + FWQ_HEADROOM || end + FWQ_PADDING > FWQ_SIZE(q->nslots))
		return false;
	if (start == 0)
		return true;
	return start >= 20 && at >= 0 && (int64_t)start + at + 2 <= length;
}

static void give_verdict(struct fwq *q, uint32_t id, int32_t verdict, uint32_t mark, int32_t offset, int32_t length,
			 int32_t csum_start, int32_t csum_offset)
{
	uint8_t *bytes = q->mem + offset;

	if (verdict == FWQ_ACCEPT) {
		plain_verdict(q, id, NF_ACCEPT, mark);
	} else if (verdict == FWQ_ACCEPT_CHANGED) {
		if (!bytes_in_bounds(q, offset, length, csum_start, csum_offset)) {
			q->head->counters.bad_verdicts++;
			plain_verdict(q, id, NF_DROP, 0);
			return;
		}
		if (csum_start != 0)
			complete_checksum(bytes, length, csum_start, csum_offset);
		changed_verdict(q, id, mark, bytes, length);
	} else if (verdict != FWQ_HOLD) {
		plain_verdict(q, id, NF_DROP, 0);
	}
}

/* Sends one packet of the router's own by its destination address, past our own PREROUTING rules. */
static void inject(struct fwq *q, const struct fwq_letter *letter)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	ssize_t n = -1;

	if (bytes_in_bounds(q, letter->offset, letter->length, 0, 0)) {
		const uint8_t *bytes = q->mem + letter->offset;

		memcpy(&to.sin_addr, bytes + 16, sizeof(to.sin_addr));
		do
			n = sendto(q->raw, bytes, (size_t)letter->length, MSG_DONTWAIT, (struct sockaddr *)&to,
				   sizeof(to));
		while (n < 0 && errno == EINTR);
	}
	if (n < 0)
		q->head->counters.inject_errors++;
	else
		q->head->counters.injected++;
}

/*
 * Sends the letters, and all verdicts gathered before. The router's own packets go last: a RST that overtook the
 * segments it stands behind would not have the sequence number that its receiver expects (RFC 5961).
 */
static void send_letters(struct fwq *q)
{
	int32_t n = q->head->letters;
	int32_t i;

	q->head->letters = 0;
	if (n < 0 || n > FWQ_LETTERS)
		n = 0;
	for (i = 0; i < n; i++) {
		const struct fwq_letter *l = &q->letters[i];

		if (l->verdict != FWQ_INJECT)
			give_verdict(q, l->id, l->verdict, FWQ_MARK, l->offset, l->length, l->csum_start,
				     l->csum_offset);
	}
	send_gathered(q);
	for (i = 0; i < n; i++) {
		if (q->letters[i].verdict == FWQ_INJECT)
			inject(q, &q->letters[i]);
	}
}

/* Bytes that fit into the slot whose packet lies at `offset`: what goes back may be longer than what came. */
static int32_t slot_room(const struct fwq *q, int32_t offset)
{
	return FWQ_STRIDE - FWQ_PADDING - (offset - FWQ_DATA_AT(q->nslots)) % FWQ_STRIDE;
}

static void send_batch(struct fwq *q)
{
	int32_t i;

	for (i = 0; i < q->in_hand; i++) {
		const struct fwq_slot *s = &q->slots[i];
		int32_t verdict = s->verdict;

		/* never cut a packet to the part of it that we saw, never send bytes of the slot behind */
		if (verdict == FWQ_ACCEPT_CHANGED &&
		    ((s->info & FWQ_INFO_TRUNCATED) || s->new_length > slot_room(q, s->offset))) {
			q->head->counters.bad_verdicts++;
			verdict = FWQ_DROP;
		}
		/* A mark on what the kernel itself sends would have it routed anew. */
		give_verdict(q, s->id, verdict, s->hook == NF_INET_PRE_ROUTING ? FWQ_MARK : 0, s->offset,
			     s->new_length, s->csum_start, s->csum_offset);
	}
	q->in_hand = 0;
}

/* ---- receiving -------------------------------------------------------- */

static uint32_t be32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return ntohl(v);
}

static int32_t info_bits(uint32_t skb_info)
{
	int32_t info = 0;

	if (skb_info & NFQA_SKB_CSUMNOTREADY)
		info |= FWQ_INFO_CSUM_PARTIAL;
	if (skb_info & NFQA_SKB_GSO)
		info |= FWQ_INFO_GSO;
	if (skb_info & NFQA_SKB_CSUM_NOTVERIFIED)
		info |= FWQ_INFO_CSUM_UNVERIFIED;
	return info;
}

/* Fills *s from the attributes of one packet message. Returns false when it has no packet id. */
static bool parse_packet(const struct fwq *q, const uint8_t *msg, size_t bytes, struct fwq_slot *s)
{
	size_t at = NLMSG_ALIGN(sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg));
	uint32_t original = 0;
	bool has_id = false;

	memset(s, 0, sizeof(*s));
	while (at + sizeof(struct nlattr) <= bytes) {
		struct nlattr attr;
		const uint8_t *value = msg + at + sizeof(attr);
		size_t n;

		memcpy(&attr, msg + at, sizeof(attr));
		if (attr.nla_len < sizeof(attr) || attr.nla_len > bytes - at)
			break;
		n = attr.nla_len - sizeof(attr);
		switch (attr.nla_type & NLA_TYPE_MASK) {
		case NFQA_PACKET_HDR:
			if (n < sizeof(struct nfqnl_msg_packet_hdr))
				break;
			s->id = be32(value);
			s->protocol = value[4] << 8 | value[5];
			s->hook = value[6];
			has_id = true;
			break;
		case NFQA_MARK:
			s->mark = n >= 4 ? be32(value) : 0;
			break;
		case NFQA_IFINDEX_INDEV:
			s->ingress = n >= 4 ? (int32_t)be32(value) : 0;
			break;
		case NFQA_IFINDEX_OUTDEV:
			s->egress = n >= 4 ? (int32_t)be32(value) : 0;
			break;
		case NFQA_SKB_INFO:
			s->info = n >= 4 ? info_bits(be32(value)) : 0;
			break;
		case NFQA_CAP_LEN:
			original = n >= 4 ? be32(value) : 0;
			break;
		case NFQA_PAYLOAD:
			s->offset = (int32_t)(value - q->mem);
			s->length = (int32_t)n;
			break;
		}
		at += NLA_ALIGN(attr.nla_len);
	}
	s->original = original ? (int32_t)original : s->length;
	if (s->original > s->length || s->length == 0)
		s->info |= FWQ_INFO_TRUNCATED;
	return has_id;
}

/* One datagram of the socket: a packet, or the kernel's complaint about a verdict. Returns whether a slot was filled. */
static bool take_message(struct fwq *q, int32_t i, struct fwq_slot *s)
{
	const uint8_t *msg = q->in_iov[i].iov_base;
	size_t bytes = q->in[i].msg_len;
	struct fwq_counters *c = &q->head->counters;
	struct nlmsghdr nl;
	bool cut = q->in[i].msg_hdr.msg_flags & MSG_TRUNC;

	if (q->from[i].nl_pid != 0)	/* not from the kernel */
		return false;
	if (bytes < sizeof(nl)) {
		c->malformed++;
		return false;
	}
	memcpy(&nl, msg, sizeof(nl));
	if (nl.nlmsg_type == NLMSG_ERROR) {
		if (bytes >= sizeof(nl) + sizeof(int) && be32(msg + sizeof(nl)) != 0)
			c->verdict_errors++;
		return false;
	}
	if (nl.nlmsg_type != ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET) || nl.nlmsg_len > bytes || cut ||
	    !parse_packet(q, msg, nl.nlmsg_len, s)) {
		c->malformed++;
		return false;
	}
	return true;
}

/*
 * Fills slots from what waits in the socket. Returns how many, or -errno.
 *
 * Behind a batch the next packet is seldom far: an answer, an ACK. With `linger` we sleep for it, in this one call: by
 * waiter, pipe and event loop it would take three times as long. The time limit is the socket's (SO_RCVTIMEO), since
 * recvmmsg looks at its own only between two messages.
 */
static int receive_batch(struct fwq *q, bool linger)
{
	int32_t i, n;

	for (i = 0; i < q->nslots; i++)
		q->in[i].msg_hdr.msg_namelen = sizeof(q->from[i]);
	n = recvmmsg(q->netlink, q->in, (unsigned int)q->nslots, linger ? MSG_WAITFORONE : MSG_DONTWAIT, NULL);
	if (n < 0)
		/*
		 * EINTR: a signal; whoever sent it shall not wait. ENOBUFS: the socket was full and packets were
		 * dropped; /proc counts them.
		 */
		return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -errno;
	for (i = 0; i < n; i++)
		if (take_message(q, i, &q->slots[q->in_hand]))
			q->in_hand++;
	if (q->in_hand > 0) {
		q->head->counters.received += (uint64_t)q->in_hand;
		q->head->counters.batches++;
	}
	return q->in_hand;
}

/* ---- waiting ---------------------------------------------------------- */

/*
 * Lets the waiter report the next packet, once. epoll looks at the socket again when
 * it is armed, so a packet that came since the last receive is reported too.
 */
static int arm_waiter(struct fwq *q)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT, .data.fd = q->netlink };

	return epoll_ctl(q->epoll, EPOLL_CTL_MOD, q->netlink, &ev) < 0 ? -errno : 0;
}

static void *wait_for_packets(void *arg)
{
	const struct fwq *q = arg;

	for (;;) {
		struct epoll_event ev;
		int n = epoll_wait(q->epoll, &ev, 1, -1);

		if (n < 0 && errno != EINTR)
			return NULL;
		if (n < 1)
			continue;
		if (ev.data.fd == q->stop)
			return NULL;
		/* A full pipe already says what we have to say. */
		if (write(q->wake[1], "", 1) < 0 && errno != EAGAIN && errno != EINTR)
			return NULL;
	}
}

static int start_waiter(struct fwq *q)
{
	struct epoll_event netlink = { .events = EPOLLIN | EPOLLONESHOT, .data.fd = q->netlink };
	struct epoll_event stop = { .events = EPOLLIN, .data.fd = q->stop };
	sigset_t all, before;
	int err;

	if (epoll_ctl(q->epoll, EPOLL_CTL_ADD, q->stop, &stop) < 0 ||
	    epoll_ctl(q->epoll, EPOLL_CTL_ADD, q->netlink, &netlink) < 0)
		return -errno;
	sigfillset(&all);	/* signals are the main thread's business */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&q->waiter, NULL, wait_for_packets, q);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	q->waiting = err == 0;
	return -err;
}

int fwq_take_wake_fd(struct fwq *q)
{
	int fd = q->wake[0];

	if (fd < 0)
		return -EBADF;
	q->wake[0] = -1;
	return fd;
}

/* ---- opening and closing ---------------------------------------------- */

static void *put_attr(void *at, uint16_t type, const void *value, uint16_t bytes)
{
	struct nlattr attr = { .nla_len = (uint16_t)(sizeof(attr) + bytes), .nla_type = type };

	memcpy(at, &attr, sizeof(attr));
	memcpy((uint8_t *)at + sizeof(attr), value, bytes);
	return (uint8_t *)at + NLA_ALIGN(sizeof(attr) + bytes);
}

/* Sends a configuration message whose attributes end at `end`; with `ack`, returns the kernel's answer. */
static int send_config(struct fwq *q, uint8_t *msg, const uint8_t *end, bool ack)
{
	uint16_t flags = NLM_F_REQUEST | (ack ? NLM_F_ACK : 0);
	struct nlmsghdr nl = { .nlmsg_len = (uint32_t)(end - msg), .nlmsg_type = CONFIG_TYPE, .nlmsg_flags = flags };
	struct nfgenmsg nf = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(q->queue) };
	struct {
		struct nlmsghdr nl;
		struct nlmsgerr err;
	} answer;

	memcpy(msg, &nl, sizeof(nl));
	memcpy(msg + sizeof(nl), &nf, sizeof(nf));
	if (send(q->netlink, msg, nl.nlmsg_len, 0) < 0)
		return -errno;
	if (!ack)
		return 0;
	if (recv(q->netlink, &answer, sizeof(answer), 0) < (ssize_t)sizeof(answer))
		return errno ? -errno : -EPROTO;
	return answer.nl.nlmsg_type == NLMSG_ERROR ? answer.err.error : -EPROTO;
}

/* How long the socket waits for a message, unless a call says that it must not. */
static int limit_waiting(const struct fwq *q, struct timeval limit)
{
	return setsockopt(q->netlink, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ? -errno : 0;
}

static int bind_queue(struct fwq *q, int32_t max_length)
{
	_Alignas(8) uint8_t msg[256] = { 0 };
	uint8_t *first = msg + sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg);
	struct nfqnl_msg_config_cmd bind = { .command = NFQNL_CFG_CMD_BIND };
	struct nfqnl_msg_config_params params = { .copy_range = htonl(0xffff), .copy_mode = NFQNL_COPY_PACKET };
	/* Never NFQA_CFG_F_FAIL_OPEN: a full queue drops. */
	uint32_t mask = htonl(NFQA_CFG_F_GSO | NFQA_CFG_F_FAIL_OPEN);
	uint32_t set = htonl(NFQA_CFG_F_GSO);
	uint32_t length = htonl((uint32_t)max_length);
	uint8_t *end;
	int err;

	/* Only these answers are waited for, and the kernel gives them at once. */
	strcpy(q->head->call, "socket options");
	err = limit_waiting(q, (struct timeval){ .tv_sec = 2 });
	if (err)
		return err;
	strcpy(q->head->call, "bind");
	err = send_config(q, msg, put_attr(first, NFQA_CFG_CMD, &bind, sizeof(bind)), true);
	if (err)
		return err;
	strcpy(q->head->call, "queue flags");
	end = put_attr(first, NFQA_CFG_QUEUE_MAXLEN, &length, sizeof(length));
	end = put_attr(end, NFQA_CFG_MASK, &mask, sizeof(mask));
	end = put_attr(end, NFQA_CFG_FLAGS, &set, sizeof(set));
	err = send_config(q, msg, end, true);
	if (err)
		return err;
	err = limit_waiting(q, (struct timeval){ .tv_usec = LINGER_MS * 1000 });
	if (err)
		return err;
	/* From here on packets come, perhaps before the answer: it is read with them. */
	strcpy(q->head->call, "copy mode");
	return send_config(q, msg, put_attr(first, NFQA_CFG_PARAMS, &params, sizeof(params)), false);
}

static int open_sockets(struct fwq *q)
{
	const int one = 1, receive = RECEIVE_BUFFER, send = SEND_BUFFER, own = OWN_BUFFER;
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };

	strcpy(q->head->call, "socket");
	q->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (q->netlink < 0 || bind(q->netlink, (struct sockaddr *)&self, sizeof(self)) < 0)
		return -errno;
	strcpy(q->head->call, "socket buffers");
	if (setsockopt(q->netlink, SOL_SOCKET, SO_RCVBUFFORCE, &receive, sizeof(receive)) < 0 ||
	    setsockopt(q->netlink, SOL_SOCKET, SO_SNDBUFFORCE, &send, sizeof(send)) < 0)
		return -errno;
	strcpy(q->head->call, "socket options");
	if (setsockopt(q->netlink, SOL_NETLINK, NETLINK_NO_ENOBUFS, &one, sizeof(one)) < 0 ||
	    setsockopt(q->netlink, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)) < 0)
		return -errno;
	strcpy(q->head->call, "raw socket");
	q->raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (q->raw < 0)
		return -errno;
	if (setsockopt(q->raw, SOL_SOCKET, SO_SNDBUFFORCE, &own, sizeof(own)) < 0)
		return -errno;
	strcpy(q->head->call, "wake-up pipe");
	q->epoll = epoll_create1(EPOLL_CLOEXEC);
	q->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->epoll < 0 || q->stop < 0 || pipe2(q->wake, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

static void point_at_slots(struct fwq *q)
{
	int32_t i;

	for (i = 0; i < q->nslots; i++) {
		q->in_iov[i].iov_base = q->mem + FWQ_DATA_AT(q->nslots) + (size_t)i * FWQ_STRIDE;
		q->in_iov[i].iov_len = FWQ_STRIDE - FWQ_PADDING;
		q->in[i].msg_hdr.msg_iov = &q->in_iov[i];
		q->in[i].msg_hdr.msg_iovlen = 1;
		q->in[i].msg_hdr.msg_name = &q->from[i];
	}
}

int fwq_open(void *mem, uint64_t size, int32_t slots, int32_t queue, int32_t max_length, struct fwq **handle)
{
	struct fwq *q;
	int err;

	if (slots < 1 || slots > FWQ_MAX_SLOTS || size < (uint64_t)FWQ_SIZE(slots) || (uintptr_t)mem % 8 != 0 ||
	    queue < 0 || queue > 0xffff || max_length < 1)
		return -EINVAL;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->mem = mem;
	q->head = mem;
	q->slots = (struct fwq_slot *)(q->mem + FWQ_SLOTS_AT);
	q->letters = (struct fwq_letter *)(q->mem + FWQ_LETTERS_AT(slots));
	q->nslots = slots;
	q->queue = (uint16_t)queue;
	q->netlink = q->raw = q->epoll = q->stop = q->wake[0] = q->wake[1] = -1;
	memset(q->head, 0, sizeof(*q->head));
	q->head->slots = slots;
	point_at_slots(q);
	err = open_sockets(q);
	if (!err)
		err = bind_queue(q, max_length);
	if (!err) {
		strcpy(q->head->call, "waiter thread");
		err = start_waiter(q);
	}
	if (err) {
		fwq_close(q);
		return err;
	}
	*handle = q;
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

int fwq_close(struct fwq *q)
{
	if (q->waiting) {
		const uint64_t one = 1;

		/* An eventfd that nobody else writes takes this at once. */
		if (write(q->stop, &one, sizeof(one)) == (ssize_t)sizeof(one))
			pthread_join(q->waiter, NULL);
	}
	close_fd(q->netlink);
	close_fd(q->raw);
	close_fd(q->epoll);
	close_fd(q->stop);
	close_fd(q->wake[0]);
	close_fd(q->wake[1]);
	free(q);
	return 0;
}

/* ---- the batch -------------------------------------------------------- */

int fwq_exchange(struct fwq *q)
{
	bool busy = q->in_hand > 0;
	int n;

	send_batch(q);
	send_letters(q);
	n = receive_batch(q, busy && !q->head->hurry);
	return n == 0 ? arm_waiter(q) : n;
}

int fwq_flush(struct fwq *q)
{
	send_letters(q);
	return 0;
}
