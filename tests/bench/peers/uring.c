/* A peer: io_uring with multishot accept and receive, provided buffers, one thread. */
#include <arpa/inet.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/peers/upper.h"

#define ENTRIES 4096
#define BUFFERS 4096
#define BUFFER_SIZE 16384
#define GROUP 1

enum what { ACCEPT, RECEIVE, SEND };

static struct io_uring ring;
static struct io_uring_buf_ring *provided;
static char *memory;

static uint64_t
tag(enum what what, int fd, unsigned buffer)
{
	return (uint64_t)what << 56 | (uint64_t)buffer << 32 | (uint32_t)fd;
}

static struct io_uring_sqe *
entry(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	while (sqe == NULL) {
		io_uring_submit(&ring);
		sqe = io_uring_get_sqe(&ring);
	}
	return sqe;
}

static void
provide(unsigned buffer)
{
	io_uring_buf_ring_add(provided, memory + (size_t)buffer * BUFFER_SIZE, BUFFER_SIZE,
		(unsigned short)buffer, io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(provided, 1);
}

static void
receive(int fd)
{
	struct io_uring_sqe *sqe = entry();

	io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	io_uring_sqe_set_data64(sqe, tag(RECEIVE, fd, 0));
}

static void
accept_more(int listener)
{
	struct io_uring_sqe *sqe = entry();

	io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, SOCK_CLOEXEC);
	io_uring_sqe_set_data64(sqe, tag(ACCEPT, listener, 0));
}

static void
echo(int fd, unsigned buffer, int length)
{
	char *text = memory + (size_t)buffer * BUFFER_SIZE;
	struct io_uring_sqe *sqe;

	upper(text, (size_t)length);
	sqe = entry();
	/* The kernel sends all of it before it completes. */
	io_uring_prep_send(sqe, fd, text, (size_t)length, MSG_WAITALL | MSG_NOSIGNAL);
	io_uring_sqe_set_data64(sqe, tag(SEND, fd, buffer));
}

static void
complete(const struct io_uring_cqe *cqe)
{
	int fd = (int)(cqe->user_data & 0xffffffff);
	unsigned buffer = (unsigned)(cqe->user_data >> 32 & 0xffffff);

	switch ((enum what)(cqe->user_data >> 56)) {
	case ACCEPT:
		if (cqe->res >= 0)
			receive(cqe->res);
		if (!(cqe->flags & IORING_CQE_F_MORE))
			accept_more(fd);
		break;
	case RECEIVE:
		if (cqe->res > 0)
			echo(fd, cqe->flags >> IORING_CQE_BUFFER_SHIFT, cqe->res);
		else if (cqe->flags & IORING_CQE_F_BUFFER)
			provide(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
		if (cqe->res == 0 || (cqe->res < 0 && cqe->res != -ENOBUFS))
			close(fd);
		else if (!(cqe->flags & IORING_CQE_F_MORE))
			receive(fd);
		break;
	case SEND:
		provide(buffer);
		break;
	}
}

int
main(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct io_uring_params parameters = {
		.flags = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SINGLE_ISSUER};
	struct io_uring_buf_reg registration = {.ring_entries = BUFFERS, .bgid = GROUP};

	setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	memory = malloc((size_t)BUFFERS * BUFFER_SIZE);
	if (posix_memalign((void **)&provided, 4096, BUFFERS * sizeof(struct io_uring_buf)) != 0 ||
		memory == NULL ||
		bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
		listen(listener, 4096) != 0 ||
		getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
		io_uring_queue_init_params(ENTRIES, &ring, &parameters) != 0) {
		perror("peer-uring");
		return 1;
	}
	registration.ring_addr = (unsigned long)provided;
	if (io_uring_register_buf_ring(&ring, &registration, 0) != 0) {
		perror("peer-uring");
		return 1;
	}
	io_uring_buf_ring_init(provided);
	for (unsigned i = 0; i < BUFFERS; i++)
		provide(i);
	accept_more(listener);
	fprintf(stderr, "ready: 127.0.0.1:%u\n", ntohs(address.sin_port));
	for (;;) {
		struct io_uring_cqe *cqe;
		unsigned head, count = 0;

		io_uring_submit_and_wait(&ring, 1);
		io_uring_for_each_cqe(&ring, head, cqe)
		{
			complete(cqe);
			count++;
		}
		io_uring_cq_advance(&ring, count);
	}
}
