#include "worker/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

int
channel_receive(int channel, struct channel_message *message, int *descriptor)
{
	struct iovec part = {message, sizeof *message};
	union control control = {{0}};
	struct msghdr envelope = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control};
	const struct cmsghdr *header;
	ssize_t length = recvmsg(channel, &envelope, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*descriptor = -1;
	/* Of any other error the next call may know nothing. */
	if (length < 0)
		return errno == ECONNRESET || errno == EBADF ? -1 : 0;
	header = CMSG_FIRSTHDR(&envelope);
	if (header != NULL && header->cmsg_type == SCM_RIGHTS)
		memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
	if (length == sizeof *message)
		return 1;
	if (*descriptor != -1)
		close(*descriptor);
	*descriptor = -1;
	return -1;
}
