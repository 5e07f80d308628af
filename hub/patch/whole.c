/* MSG_WAITALL is for us to do, since with MSG_DONTWAIT the kernel returns what there is. It ends
 * where the kernel would end it: when there is all, at the end, at an error; and on a Unix socket
 * behind what descriptors came with, and before what another writer has sent, if the socket passes
 * credentials (unix(7)). One that peeks looks at the same bytes again, and a Unix socket's returns
 * what there is. */
#include "hub/patch/whole_priv.h"

#include <hubbub/io/fd.h>

#include "hub/base/kernel.h"
#include "hub/patch/generation_priv.h"
#include "hub/patch/time_priv.h"
#include "hub/patch/transfer_priv.h"

#define PAUSE_MAX (16 * HUB_MILLISECOND)

struct whole {
	int fd;
	int flags;
	struct patience patience;
	struct msghdr *message; /* the caller's */
	size_t control_size;    /* what its buffer takes */
	bool is_local;
	bool has_writers; /* whose messages are kept apart */
};

bool
whole_is_asked(int fd, int flags)
{
	return (flags & MSG_WAITALL) && !(flags & (MSG_DONTWAIT | MSG_OOB | MSG_ERRQUEUE)) &&
	       descriptor_is_stream(fd) && !descriptor_is_nonblocking(fd);
}

/* ---- where a Unix socket's messages end ---- */

static const struct cmsghdr *
find_control(const struct msghdr *message, int type)
{
	struct cmsghdr *each = CMSG_FIRSTHDR(message);

	while (each != NULL && (each->cmsg_level != SOL_SOCKET || each->cmsg_type != type))
		each = CMSG_NXTHDR((struct msghdr *)(uintptr_t)message, each);
	return each;
}

/* Descriptors came with what was received last, or would have if there had been room. */
static bool
had_descriptors(const struct whole *whole)
{
	return whole->is_local && ((whole->message->msg_flags & MSG_CTRUNC) ||
					  find_control(whole->message, SCM_RIGHTS) != NULL);
}

/* Whether what comes next is for this call, too: it is of whoever sent what was received last. Also
 * if nothing is there; a receive that finds nothing must not be tried then, since the kernel writes
 * nobody's credentials for it. Returns 1 or 0; or -1 with errno EAGAIN. */
static int
goes_on(const struct whole *whole)
{
	const struct cmsghdr *last = find_control(whole->message, SCM_CREDENTIALS), *next;
	char byte, control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec part = {&byte, 1};
	struct msghdr peek = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	ssize_t result = kernel_recvmsg(whole->fd, &peek, MSG_PEEK | MSG_DONTWAIT);

	if (result <= 0)
		return (int)result;
	next = find_control(&peek, SCM_CREDENTIALS);
	return last != NULL && next != NULL &&
	       memcmp(CMSG_DATA(last), CMSG_DATA(next), sizeof(struct ucred)) == 0;
}

/* ---- the rest ---- */

/* What goes with a later part stands for all that came. Returns what recvmsg(2) does. */
static ssize_t
receive_more(struct whole *whole, struct iovec *parts, size_t count)
{
	struct msghdr *message = whole->message, more = {.msg_iov = parts,
							 .msg_iovlen = count,
							 .msg_control = message->msg_control,
							 .msg_controllen = whole->control_size};
	ssize_t result = whole->has_writers ? goes_on(whole) : 1;

	if (result > 0)
		result = kernel_recvmsg(whole->fd, &more, whole->flags | MSG_DONTWAIT);
	if (result > 0) {
		hub_note_received(whole->fd);
		message->msg_controllen = more.msg_controllen;
		message->msg_flags = more.msg_flags;
	}
	return result;
}

static ssize_t
receive_rest(struct whole *whole, size_t got)
{
	struct iovec small[SMALL],
		*copy = copy_parts(whole->message->msg_iov, whole->message->msg_iovlen, small),
		*rest = copy;
	size_t count = whole->message->msg_iovlen;
	bool is_left = copy != NULL && advance(&rest, &count, got);

	while (is_left && !had_descriptors(whole)) {
		ssize_t more = receive_more(whole, rest, count);

		if (more > 0) {
			got += (size_t)more;
			is_left = advance(&rest, &count, (size_t)more);
		} else if (more == 0 || errno != EAGAIN ||
			   !patience_wait(&whole->patience, whole->flags)) {
			break;
		}
	}
	if (copy != small)
		free(copy);
	return (ssize_t)got;
}

/* ---- peeking ---- */

/* No poll waits for more than there is, so this looks again after a while. Returns whether to do
 * so. */
static bool
pause_for_more(struct whole *whole, int64_t *pause)
{
	struct pollfd end = {.fd = whole->fd, .events = POLLRDHUP};
	int64_t left = patience_left(&whole->patience);

	if (left == 0 || kernel_poll_now(&end, 1) != 0)
		return false;
	if (left < *pause)
		*pause = left;
	if (patch_pause(*pause, &whole->patience.since) != 0)
		return false;
	if (*pause < PAUSE_MAX)
		*pause *= 2;
	return true;
}

static ssize_t
peek_all(struct whole *whole, size_t got, size_t wanted)
{
	uint32_t generation = generation_of(whole->fd);
	int64_t pause = HUB_MILLISECOND;

	while (got < wanted && pause_for_more(whole, &pause) &&
		generation_of(whole->fd) == generation) {
		ssize_t more =
			receive_more(whole, whole->message->msg_iov, whole->message->msg_iovlen);

		if (more <= 0)
			break;
		got = (size_t)more;
	}
	return (ssize_t)got;
}

static ssize_t
receive(struct whole *whole)
{
	struct msghdr *message = whole->message;
	size_t wanted;
	ssize_t result;

	while ((result = kernel_recvmsg(whole->fd, message, whole->flags | MSG_DONTWAIT)) == -1 &&
		errno == EAGAIN && patience_wait(&whole->patience, whole->flags))
		continue;
	if (result <= 0)
		return result;
	/* The kernel has looked at the parts: they can be read. */
	wanted = parts_length(message->msg_iov, message->msg_iovlen);
	if ((size_t)result >= wanted)
		return result;
	if (whole->flags & MSG_PEEK)
		return whole->is_local ? result : peek_all(whole, (size_t)result, wanted);
	return receive_rest(whole, (size_t)result);
}

ssize_t
whole_receive(int fd, struct msghdr *message, int flags)
{
	char credentials[CMSG_SPACE(sizeof(struct ucred))];
	struct msghdr own = *message;
	struct whole whole = {
		.fd = fd,
		.flags = flags,
		.patience = {.fd = fd, .events = POLLIN},
		.message = message,
		.control_size = message->msg_control != NULL ? message->msg_controllen : 0,
		.is_local = descriptor_is_local(fd),
	};
	ssize_t result;

	whole.has_writers = whole.is_local && descriptor_option(fd, SO_PASSCRED);
	if (!whole.has_writers || whole.control_size >= sizeof credentials)
		return receive(&whole);
	/* The caller has no room for what tells the writers. */
	own.msg_control = credentials;
	own.msg_controllen = whole.control_size = sizeof credentials;
	whole.message = &own;
	result = receive(&whole);
	if (result >= 0) {
		message->msg_namelen = own.msg_namelen;
		message->msg_controllen = 0;
		message->msg_flags = own.msg_flags | MSG_CTRUNC;
	}
	return result;
}
