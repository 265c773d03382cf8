/* SPDX-License-Identifier: MIT */
/*
 * Load for scripts/bench: small UDP packets as fast as sendmmsg gives them, or one TCP stream, and what arrives of it.
 *
 *   load udp-send HOST PORT SECONDS [COUNT]
 *                                     64-byte payloads, to COUNT (1) addresses from HOST on by turns; prints packets
 *                                     per second sent
 *   load udp-count PORT SECONDS       from the first packet on; prints packets per second received
 *   load udp-super HOST PORT COUNT    COUNT datagrams in one super-packet, each "#n " repeated to 64 bytes
 *   load tcp-send HOST PORT SECONDS
 *   load tcp-count PORT SECONDS       prints bits per second received
 *
 * The counting ends skip the first tenth of their time: sockets and windows warm up.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BATCH	64
#define PAYLOAD	64
#define CHUNK	(256 * 1024)
#define UDP_MAX_SEGMENTS 64	/* the kernel's own limit since 4.18 */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		die(host);
	return a;
}

static int listening(int type, const char *port)
{
	struct sockaddr_in a = address("0.0.0.0", port);
	struct timeval patience = { .tv_sec = 1 };
	const int one = 1, buffer = 8 << 20;
	int fd = socket(AF_INET, type, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("bind");
	if (type == SOCK_DGRAM) {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	} else if (listen(fd, 1) < 0) {
		die("listen");
	}
	puts("ready");
	fflush(stdout);
	return fd;
}

static void udp_send(const char *host, const char *port, double seconds, int count)
{
	static char payload[PAYLOAD];
	struct sockaddr_in to[BATCH];
	struct iovec iov = { payload, sizeof(payload) };
	struct mmsghdr msgs[BATCH];
	double end = now() + seconds;
	long sent = 0;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (int i = 0; i < BATCH; i++) {
		to[i] = address(host, port);
		to[i].sin_addr.s_addr = htonl(ntohl(to[i].sin_addr.s_addr) + (uint32_t)(i % count));
	}
	if (fd < 0 || (count == 1 && connect(fd, (struct sockaddr *)to, sizeof(to[0])) < 0))
		die("connect");
	memset(msgs, 0, sizeof(msgs));
	for (int i = 0; i < BATCH; i++) {
		msgs[i].msg_hdr.msg_iov = &iov;
		msgs[i].msg_hdr.msg_iovlen = 1;
		if (count > 1) {
			msgs[i].msg_hdr.msg_name = &to[i];
			msgs[i].msg_hdr.msg_namelen = sizeof(to[i]);
		}
	}
	while (now() < end) {
		int n = sendmmsg(fd, msgs, BATCH, 0);

		sent += n > 0 ? n : 0;
	}
	printf("%.0f\n", (double)sent / seconds);
}

static void udp_super(const char *host, const char *port, int count)
{
	static char payload[UDP_MAX_SEGMENTS][PAYLOAD];
	struct sockaddr_in to = address(host, port);
	const int segment = PAYLOAD;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	size_t bytes = (size_t)count * PAYLOAD;

	if (count < 1 || count > UDP_MAX_SEGMENTS) {
		fprintf(stderr, "load: 1..%d datagrams fit\n", UDP_MAX_SEGMENTS);
		exit(2);
	}
	for (int n = 0; n < count; n++) {
		char text[16];
		size_t length = (size_t)snprintf(text, sizeof(text), "#%d ", n);

		for (size_t i = 0; i < PAYLOAD; i++)
			payload[n][i] = text[i % length];
	}
	if (fd < 0 || setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0 ||
	    sendto(fd, payload, bytes, 0, (struct sockaddr *)&to, sizeof(to)) != (ssize_t)bytes)
		die("udp-super");
}

static void udp_count(const char *port, double seconds)
{
	static char payload[BATCH][PAYLOAD];
	struct iovec iov[BATCH];
	struct mmsghdr msgs[BATCH];
	double from = 0, end = 0;
	long got = 0;
	int fd = listening(SOCK_DGRAM, port);

	memset(msgs, 0, sizeof(msgs));
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ payload[i], PAYLOAD };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	for (;;) {
		int n = recvmmsg(fd, msgs, BATCH, MSG_WAITFORONE, NULL);
		double t = now();

		if (n <= 0 && end > 0)	/* nothing for a second: the sender has ended */
			break;
		if (n <= 0)
			continue;
		if (end == 0) {
			from = t + seconds / 10;
			end = t + seconds;
		}
		if (t >= end)
			break;
		if (t >= from)
			got += n;
	}
	printf("%.0f\n", (double)got / (end - from));
}

static void tcp_send(const char *host, const char *port, double seconds)
{
	static char bytes[CHUNK];
	struct sockaddr_in to = address(host, port);
	double end = now() + seconds;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	while (now() < end && send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
		;
}

static void tcp_count(const char *port, double seconds)
{
	static char bytes[CHUNK];
	int fd = accept(listening(SOCK_STREAM, port), NULL, NULL);
	double from = now() + seconds / 10, end = now() + seconds, got = 0;
	ssize_t n;

	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		double t = now();

		if (t >= end)
			break;
		if (t >= from)
			got += (double)n;
	}
	printf("%.0f\n", got * 8 / (end - from));
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if ((argc == 5 || (argc == 6 && atoi(argv[5]) > 0)) && !strcmp(mode, "udp-send"))
		udp_send(argv[2], argv[3], atof(argv[4]), argc == 6 ? atoi(argv[5]) : 1);
	else if (argc == 5 && !strcmp(mode, "udp-super"))
		udp_super(argv[2], argv[3], atoi(argv[4]));
	else if (argc == 4 && !strcmp(mode, "udp-count"))
		udp_count(argv[2], atof(argv[3]));
	else if (argc == 5 && !strcmp(mode, "tcp-send"))
		tcp_send(argv[2], argv[3], atof(argv[4]));
	else if (argc == 4 && !strcmp(mode, "tcp-count"))
		tcp_count(argv[2], atof(argv[3]));
	else {
		fputs("usage: load udp-send HOST PORT SECONDS [COUNT], load tcp-send HOST PORT SECONDS, load udp-super HOST PORT COUNT, load udp-count|tcp-count PORT SECONDS\n", stderr);
		return 2;
	}
	return 0;
}
