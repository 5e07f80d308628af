/* Terminals that are read by the character: VMIN says how many characters make a read return, VTIME
 * how long it waits for them. The kernel's read would block the thread for that; here the coroutine
 * waits until a read need not. */
#include "hub/patch/terminal_priv.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "hub/base/kernel.h"
#include "hub/patch/retry_priv.h"
#include "hub/patch/transfer_priv.h"

#define TENTH (HUB_SECOND / 10) /* the unit of VTIME */

static bool
get_settings(int fd, struct termios *settings)
{
	int error = errno;
	bool is_terminal = tcgetattr(fd, settings) == 0;

	errno = error;
	return is_terminal;
}

bool
terminal_is_timed(int fd)
{
	struct termios settings;

	return get_settings(fd, &settings) && !(settings.c_lflag & ICANON) &&
	       (settings.c_cc[VMIN] != 1 || settings.c_cc[VTIME] != 0);
}

/* How many characters can be read at once; -1 if the terminal is gone. */
static int
available(int fd)
{
	struct pollfd query = {.fd = fd, .events = POLLIN};
	int count;

	if (ioctl(fd, FIONREAD, &count) != 0)
		return -1;
	return count == 0 && kernel_poll_now(&query, 1) > 0 && (query.revents & (POLLHUP | POLLERR))
		       ? -1
		       : count;
}

/* Reads so many characters, which are there: it does not wait. */
static ssize_t
read_there(int fd, const struct iovec *parts, int count, size_t length)
{
	struct iovec small[SMALL], *copy = copy_parts(parts, (size_t)count, small);
	ssize_t result;
	int used = 0;

	if (copy == NULL)
		return -1;
	for (; used < count && length > 0; used++) {
		if (copy[used].iov_len > length)
			copy[used].iov_len = length;
		length -= copy[used].iov_len;
	}
	result = kernel_readv(fd, copy, used);
	if (copy != small)
		free(copy);
	return result;
}

/* Waits for the first character, for so many nanoseconds at most. Returns 1; 0 if the time is up;
 * or -1 with errno. */
static int
wait_for_first(int fd, int64_t nanoseconds)
{
	struct patience patience = {.fd = fd,
		.events = POLLIN,
		.is_begun = true,
		.restarts = true,
		.end = nanoseconds == HUB_FOREVER ? HUB_FOREVER : hub_now() + nanoseconds};

	while (available(fd) == 0)
		if (!patience_wait(&patience, 0))
			return errno == EAGAIN ? 0 : -1;
	return 1;
}

/* Waits until so many characters are there, or, if gap is not 0, until gap nanoseconds have passed
 * since the last one came. Returns false with errno. */
static bool
wait_for_more(int fd, int least, int64_t gap)
{
	struct retry retry = retry_of(fd);
	int64_t last_at = hub_now();
	int had = available(fd), now;

	while ((now = available(fd)) >= 0 && now < least) {
		if (now != had)
			last_at = hub_now();
		had = now;
		if (gap != 0 && hub_now() - last_at >= gap)
			break;
		if (!retry_wait_for(&retry, fd, WAIT_RESTARTED))
			return false;
	}
	return true;
}

ssize_t
terminal_read(int fd, const struct iovec *parts, int count)
{
	struct termios settings;
	size_t wanted;
	int64_t gap;
	int least, there;

	if (parts == NULL || !get_settings(fd, &settings))
		return kernel_readv(fd, parts, count);
	wanted = parts_length(parts, (size_t)count);
	gap = settings.c_cc[VTIME] * TENTH;
	least = settings.c_cc[VMIN];
	/* VMIN is 0: VTIME is the time for the first character, and without it read(2) does not
	 * wait. */
	if (least == 0) {
		if (gap != 0)
			there = wait_for_first(fd, gap);
		else
			there = 1;
		return there == 1 ? kernel_readv(fd, parts, count) : there;
	}
	if ((size_t)least > wanted)
		least = (int)wanted;
	/* poll(2) reports VMIN characters, or one if VTIME is set; this read may want fewer than
	 * VMIN. */
	if (((gap != 0 || least == settings.c_cc[VMIN]) && wait_for_first(fd, HUB_FOREVER) != 1) ||
		!wait_for_more(fd, least, gap))
		return -1;
	there = available(fd);
	return read_there(fd, parts, count, there > 0 ? (size_t)there : wanted);
}
