/* Sends and receives records without ever waiting. The receiver peeks first: a record whose file
 * descriptor did not fit into a full descriptor table is received once more after spare_release,
 * since the kernel drops the descriptor together with the record. The sender may be broken:
 * whatever it writes, the receiver takes one record, and at most one file descriptor. */
#include "worker/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "worker/spare.h"

union control {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int
channel_send(int channel, const struct channel_message *message, int descriptor)
{
	struct iovec part = {(void *)(uintptr_t)message, sizeof *message};
	struct msghdr envelope = {.msg_iov = &part, .msg_iovlen = 1};
	union control control = {{0}};
	ssize_t sent;

	CHECK(descriptor >= -1);
	if (descriptor != -1) {
		struct cmsghdr *header = &control.align;

		envelope.msg_control = &control;
		envelope.msg_controllen = sizeof control.room;
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof descriptor);
		memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
	}
	do
		sent = sendmsg(channel, &envelope, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent == -1 && errno == EINTR);
	return sent == -1 ? -1 : 0;
}

/* Peeks at the next message, which stays queued; *descriptor is a new file descriptor, or -1.
 * Returns 1 if there is a message, or the end of file; 0 if the message brings a file descriptor
 * for which the table has no room; -1 with errno. */
static int
peek(int channel, int *descriptor)
{
	char byte;
	struct iovec part = {&byte, sizeof byte};
	union control control = {{0}};
	struct msghdr envelope = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		/* Not the room, which two descriptors fit into: nobody would close the second. */
		.msg_controllen = CMSG_LEN(sizeof *descriptor)};
	const struct cmsghdr *header;

	*descriptor = -1;
	if (recvmsg(channel, &envelope, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -1;
	header = CMSG_FIRSTHDR(&envelope);
	if (header != NULL && header->cmsg_type == SCM_RIGHTS)
		memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
	return *descriptor != -1 || !(envelope.msg_flags & MSG_CTRUNC);
}

/* Any other error, such as ENOMEM, may be gone at the next call. */
static int
failed(int error)
{
	return error == ECONNRESET || error == EBADF ? CHANNEL_GONE : CHANNEL_NOTHING;
}

/* Whether nothing can come any more. An empty record and the end of file read alike. */
static bool
has_ended(int channel)
{
	struct pollfd end = {.fd = channel, .events = POLLRDHUP};

	return poll(&end, 1, 0) != 0;
}

/* What a record of that length is; an error has length -1. */
static int
judge(int channel, ssize_t length)
{
	if (length == sizeof(struct channel_message))
		return CHANNEL_MESSAGE;
	if (length < 0)
		return failed(errno);
	return length == 0 && has_ended(channel) ? CHANNEL_GONE : CHANNEL_STRAY;
}

int
channel_receive(int channel, struct channel_message *message, int *descriptor)
{
	int found = peek(channel, descriptor), result;

	/* A file descriptor for which there is no room is lost as soon as the message is taken. */
	if (found == 0 && spare_release()) {
		found = peek(channel, descriptor);
		spare_keep();
	}
	if (found < 0)
		return failed(errno);
	/* MSG_TRUNC: the record's own length, also if it is longer than a message. */
	result = judge(channel, recv(channel, message, sizeof *message, MSG_DONTWAIT | MSG_TRUNC));
	/* After an error the message may still be queued, with its descriptor. */
	if (result != CHANNEL_MESSAGE && *descriptor != -1)
		close(*descriptor);
	if (result != CHANNEL_MESSAGE)
		*descriptor = -1;
	return result;
}
