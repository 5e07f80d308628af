/* Every byte that is sent into an end is that end's tag (connections.h), so that a received byte
 * tells where it was sent. Calls are drawn at random from all that send, or receive. */
#include "tests/fuzz/traffic.h"

#include <errno.h>
#include <hubbub/hub.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/fuzz/programs.h"

enum { FILE_SIZE = 300000 };

void
traffic_expect_error(const char *what)
{
	static const int known[] = {ECANCELED, ETIMEDOUT, EAGAIN, EPIPE, ECONNRESET, EBADF,
		ENOTCONN, EPROTO, EALREADY, EINVAL, ENOTSOCK, EINTR, ESHUTDOWN};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (errno == known[i])
			return;
	programs_complain(what, errno);
}

static ssize_t
send_somehow(int fd, unsigned char *bytes, size_t size)
{
	struct iovec parts[2] = {{bytes, size / 3}, {bytes + size / 3, size - size / 3}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	switch (below(5)) {
	case 0:
		return hub_send(fd, bytes, size, 0);
	case 1:
		return hub_send(fd, bytes, size, MSG_DONTWAIT);
	case 2:
		return hub_write(fd, bytes, size);
	case 3:
		return hub_sendmsg(fd, &message, 0);
	default:
		return hub_writev(fd, parts, 2);
	}
}

void
traffic_send(struct connection *place)
{
	struct connection own = *place;
	int end = (int)below(2);
	size_t size = 1 + below(below(3) == 0 ? 400000 : 2000);
	unsigned char *bytes;
	ssize_t sent;

	if (!own.is_ready || own.ends[0] == -1)
		return;
	bytes = malloc(size);
	programs_expect(bytes != NULL, "malloc", errno);
	memset(bytes, connection_tag(&own, end), size);
	sent = send_somehow(own.ends[end], bytes, size);
	if (sent < 0)
		traffic_expect_error("send fails");
	programs_expect(sent <= (ssize_t)size, "more is sent than there was", sent);
	free(bytes);
}

void
traffic_send_file(struct connection *place)
{
	struct connection own = *place;
	int end = (int)below(2), file;
	off_t offset = 0;
	unsigned char *bytes;

	if (!own.is_ready || own.ends[0] == -1)
		return;
	file = memfd_create("content", MFD_CLOEXEC);
	programs_expect(file != -1 && ftruncate(file, FILE_SIZE) == 0, "memfd_create", errno);
	bytes = mmap(NULL, FILE_SIZE, PROT_WRITE, MAP_SHARED, file, 0);
	memset(bytes, connection_tag(&own, end), FILE_SIZE);
	munmap(bytes, FILE_SIZE);
	if (hub_sendfile(own.ends[end], file, below(2) ? &offset : NULL, 1 + below(FILE_SIZE)) < 0)
		traffic_expect_error("sendfile fails");
	hub_close(file);
}

static ssize_t
receive_somehow(int fd, unsigned char *bytes, size_t size)
{
	struct iovec parts[2] = {{bytes, size / 2}, {bytes + size / 2, size - size / 2}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	switch (below(6)) {
	case 0:
		return hub_recv(fd, bytes, size, MSG_PEEK);
	case 1:
		return hub_recv(fd, bytes, size, MSG_WAITALL);
	case 2:
		return hub_recv(fd, bytes, size, MSG_DONTWAIT);
	case 3:
		return hub_readv(fd, parts, 2);
	case 4:
		return hub_recvmsg(fd, &message, 0);
	default:
		return hub_read(fd, bytes, size);
	}
}

bool
traffic_judge(const struct connection *own, int end, const unsigned char *bytes, ssize_t count)
{
	for (ssize_t i = 0; i < count; i++) {
		if (bytes[i] == CONNECTION_LAST)
			return true;
		programs_expect(bytes[i] == connection_tag(own, 1 - end),
			"a byte comes from another connection", bytes[i]);
	}
	return false;
}

void
traffic_receive(struct connection *place)
{
	struct connection own = *place;
	int end = (int)below(2);
	size_t size = 2 + below(below(2) ? 100000 : 100);
	unsigned char *bytes;
	ssize_t received;

	if (!own.is_ready || own.ends[0] == -1)
		return;
	bytes = malloc(size);
	programs_expect(bytes != NULL, "malloc", errno);
	received = receive_somehow(own.ends[end], bytes, size);
	if (received < 0)
		traffic_expect_error("receive fails");
	programs_expect(received <= (ssize_t)size, "more comes than there is room for", received);
	traffic_judge(&own, end, bytes, received);
	free(bytes);
}
