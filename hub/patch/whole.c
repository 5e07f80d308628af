/* MSG_WAITALL is carried out here, since with MSG_DONTWAIT the kernel returns what there is. A
 * receive ends where the kernel would end it: when all is there, at the end of input, at an error;
 * on a Unix socket also after bytes that came with file descriptors and, if the socket passes
 * credentials (unix(7)), before bytes of another writer. MSG_PEEK looks at the same bytes again and
 * again; on a Unix socket it returns what there is. */
#include "hub/patch/whole_priv.h"

#include <hubbub/io/fd.h>

#include "hub/base/kernel.h"
#include "hub/io/loss.h"
#include "hub/patch/generation_priv.h"
#include "hub/patch/time_priv.h"
#include "hub/patch/transfer_priv.h"

#define PAUSE_MAX (16 * HUB_MILLISECOND)

struct whole {
	int fd;
	int flags;
	struct patience patience;
	struct msghdr *message; /* the caller's, or a copy with a buffer for credentials */
	size_t control_size;    /* bytes of message's control buffer */
	bool is_local;          /* a Unix socket */
	bool has_writers;       /* it passes credentials: bytes of different writers stay apart */
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

/* Whether file descriptors came with what was received last, or would have if there had been room
 * for them. */
static bool
had_descriptors(const struct whole *whole)
{
	return whole->is_local && ((whole->message->msg_flags & MSG_CTRUNC) ||
					  find_control(whole->message, SCM_RIGHTS) != NULL);
}

/* Whether the next bytes are for this call, too: their writer is the writer of what was received
 * last. It peeks, because a receive that finds nothing would have the kernel write nobody's
 * credentials. Returns 1 or 0; -1 with errno EAGAIN if nothing is there. */
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

/* Receives into these parts. The control data and flags of this part replace those of earlier ones.
 * Returns as recvmsg(2). */
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

static void
leave_loss(int fd)
{
	loss_note(fd);
	loss_leave(fd);
}

static ssize_t
receive_rest(struct whole *whole, size_t got)
{
	struct iovec small[SMALL],
		*copy = copy_parts(whole->message->msg_iov, whole->message->msg_iovlen, small),
		*rest = copy;
	size_t count = whole->message->msg_iovlen;
	bool is_left = copy != NULL && advance(&rest, &count, got);

	/* Without memory for the copy, what has come is the result. */
	while (is_left && !had_descriptors(whole)) {
		ssize_t more = receive_more(whole, rest, count);

		if (more > 0) {
			got += (size_t)more;
			is_left = advance(&rest, &count, (size_t)more);
		} else if (more == 0 || errno != EAGAIN) {
			if (more < 0)
				leave_loss(whole->fd);
			break;
		} else if (!patience_wait(&whole->patience, whole->flags)) {
			break;
		}
	}
	if (copy != small)
		free(copy);
	return (ssize_t)got;
}

/* ---- peeking ---- */

/* poll(2) cannot wait for more bytes than there are: so this pauses, for the caller to look again.
 * Returns whether to do so. */
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
	/* The array of parts can be read: the kernel has just done so. */
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
	/* The caller's buffer has no room for credentials, which tell the writers apart. */
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
