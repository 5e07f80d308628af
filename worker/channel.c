#include "worker/channel.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* Looks at the next message, which stays; *descriptor is a new one, or -1. Returns 1 if there is
 * one, or the end; 0 if it brings a descriptor that found no number; -1 with errno. */
static int
peek(int channel, int *descriptor)
{
	char byte;
	struct iovec part = {&byte, sizeof byte};
	union control control = {{0}};
	struct msghdr envelope = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control};
	const struct cmsghdr *header;

	*descriptor = -1;
	if (recvmsg(channel, &envelope, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -1;
	header = CMSG_FIRSTHDR(&envelope);
	if (header != NULL && header->cmsg_type == SCM_RIGHTS)
		memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
	return *descriptor != -1 || !(envelope.msg_flags & MSG_CTRUNC);
}

int
channel_receive(int channel, struct channel_message *message, int *descriptor)
{
	ssize_t length;
	int found = peek(channel, descriptor);

	/* Once the message is taken, a descriptor that found no number is lost. */
	if (found == 0 && spare_release()) {
		found = peek(channel, descriptor);
		spare_keep();
	}
	/* Of any other error the next call may know nothing. */
	if (found < 0)
		return errno == ECONNRESET || errno == EBADF ? -1 : 0;
	length = recv(channel, message, sizeof *message, MSG_DONTWAIT);
	if (length == sizeof *message)
		return 1;
	if (*descriptor != -1)
		close(*descriptor);
	*descriptor = -1;
	return -1;
}
