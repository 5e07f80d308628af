/* The peer that hubbub-echo's datagrams are measured against: recvmmsg and sendmmsg, many datagrams
 * in a call, one thread, the same upper-casing.
 *
 * Usage: peer-udp   Prints "ready: udp:127.0.0.1:PORT" on stderr and serves until it is killed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/peers/upper.h"

#define TOGETHER 64
#define SIZE_MOST 2048

static struct sockaddr_in senders[TOGETHER];
static char bytes[TOGETHER][SIZE_MOST];
static struct iovec pieces[TOGETHER];
static struct mmsghdr messages[TOGETHER];

static int
listen_anywhere(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
		perror("peer-udp");
		_exit(1);
	}
	fprintf(stderr, "ready: udp:127.0.0.1:%u\n", ntohs(address.sin_port));
	return fd;
}

int
main(void)
{
	int fd = listen_anywhere();

	for (int i = 0; i < TOGETHER; i++) {
		pieces[i].iov_base = bytes[i];
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &senders[i], .msg_iov = &pieces[i], .msg_iovlen = 1};
	}
	for (;;) {
		int count;

		for (int i = 0; i < TOGETHER; i++) {
			pieces[i].iov_len = SIZE_MOST;
			messages[i].msg_hdr.msg_namelen = sizeof senders[i];
		}
		count = recvmmsg(fd, messages, TOGETHER, MSG_WAITFORONE, NULL);
		for (int i = 0; i < count; i++) {
			pieces[i].iov_len = messages[i].msg_len;
			upper(bytes[i], messages[i].msg_len);
		}
		for (int sent = 0, some; sent < count; sent += some) {
			some = sendmmsg(
				fd, messages + sent, (unsigned)(count - sent), MSG_NOSIGNAL);
			if (some <= 0)
				some = 1; /* it is lost, as datagrams are */
		}
	}
}
