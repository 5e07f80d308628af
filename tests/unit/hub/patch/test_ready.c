/* poll and select on a coroutine against the kernel's, by chance: descriptors of all kinds, all
 * events, and what happens to them while somebody waits. HUBBUB_SEED repeats a run, HUBBUB_CASES
 * makes so many rounds. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/unit/hub/patch/thing.h"

#define MOST 5
#define ROUNDS 500
#define ACTS 3
#define PATIENCE (20 * HUB_SECOND)

struct wait {
	struct thing ones[MOST + 1]; /* the last one ends the round */
	int count;
	bool is_select, has_returned;
	atomic_bool plain_has_returned; /* the kernel's own call, in another thread */
	atomic_int plain;               /* that thread */
	int result, error;
	short revents[MOST + 1];
};

/* ---- the two who tell of it ---- */

static void
to_sets(const struct wait *wait, fd_set sets[3], int *most)
{
	static const short asked[] = {POLLIN, POLLOUT, POLLPRI};

	*most = 0;
	for (int set = 0; set < 3; set++) {
		FD_ZERO(&sets[set]);
		for (int i = 0; i < wait->count; i++)
			if (wait->ones[i].events & asked[set]) {
				FD_SET(wait->ones[i].fd, &sets[set]);
				*most = wait->ones[i].fd >= *most ? wait->ones[i].fd + 1 : *most;
			}
	}
}

static void
from_sets(const struct wait *wait, fd_set sets[3], short revents[])
{
	static const short asked[] = {POLLIN, POLLOUT, POLLPRI};

	for (int i = 0; i < wait->count; i++) {
		revents[i] = 0;
		for (int set = 0; set < 3; set++)
			if (FD_ISSET(wait->ones[i].fd, &sets[set]))
				revents[i] |= asked[set];
	}
}

/* What the kernel says, now or in the end (timeout NULL). Returns as poll and select. */
static int
ask_kernel(const struct wait *wait, short revents[], struct timespec *timeout)
{
	struct pollfd fds[MOST + 1];
	fd_set sets[3];
	int most, result;

	if (wait->is_select) {
		to_sets(wait, sets, &most);
		result = (int)syscall(
			SYS_pselect6, most, &sets[0], &sets[1], &sets[2], timeout, NULL);
		if (result >= 0)
			from_sets(wait, sets, revents);
		return result;
	}
	for (int i = 0; i < wait->count; i++)
		fds[i] = (struct pollfd){wait->ones[i].fd, wait->ones[i].events, 0};
	result = (int)syscall(SYS_ppoll, fds, wait->count, timeout, NULL, 8);
	for (int i = 0; i < wait->count; i++)
		revents[i] = fds[i].revents;
	return result;
}

static int
ask_now(const struct wait *wait, short revents[])
{
	return ask_kernel(wait, revents, &(struct timespec){0});
}

static void *
wait_plainly(void *argument)
{
	struct wait *wait = argument;
	short revents[MOST + 1];

	wait->plain = gettid();
	ask_kernel(wait, revents, NULL);
	wait->plain_has_returned = true;
	return NULL;
}

static void *
wait_patched(void *argument)
{
	struct wait *wait = argument;
	struct pollfd fds[MOST + 1];
	fd_set sets[3];
	int most;

	if (wait->is_select) {
		to_sets(wait, sets, &most);
		wait->result = thing_any(2)
				       ? select(most, &sets[0], &sets[1], &sets[2], NULL)
				       : pselect(most, &sets[0], &sets[1], &sets[2], NULL, NULL);
		wait->error = errno;
		if (wait->result >= 0)
			from_sets(wait, sets, wait->revents);
	} else {
		for (int i = 0; i < wait->count; i++)
			fds[i] = (struct pollfd){wait->ones[i].fd, wait->ones[i].events, 0};
		wait->result = thing_any(2) ? poll(fds, (nfds_t)wait->count, -1)
					    : ppoll(fds, (nfds_t)wait->count, NULL, NULL);
		for (int i = 0; i < wait->count; i++)
			wait->revents[i] = fds[i].revents;
	}
	wait->has_returned = true;
	return NULL;
}

/* ---- a round ---- */

static void
prepare(struct wait *wait)
{
	static const short all[] = {POLLIN, POLLPRI, POLLOUT, POLLRDNORM, POLLRDBAND, POLLWRNORM,
		POLLWRBAND, POLLRDHUP};
	int count = 1 + (int)thing_any(MOST);

	*wait = (struct wait){.is_select = thing_any(2), .count = count + 1};
	for (int i = 0; i < count; i++) {
		struct thing *one = &wait->ones[i];

		*one = thing_make((enum thing_kind)thing_any(THING_KINDS - (thing_any(4) != 0)));
		for (size_t e = 0; e < sizeof all / sizeof all[0]; e++)
			if (thing_any(wait->is_select ? 3 : 4) == 0)
				one->events |= all[e];
		if (thing_any(4) != 0)
			thing_fill(one);
	}
	wait->ones[count] = (struct thing){EVENT, eventfd(0, EFD_NONBLOCK), -1, POLLIN};
}

static void
describe(const struct wait *wait, const short revents[], char *text, size_t size)
{
	size_t used =
		(size_t)snprintf(text, size, "%s returned %d:", wait->is_select ? "select" : "poll",
			wait->has_returned ? wait->result : -2);

	for (int i = 0; i < wait->count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used,
			"  %s: events 0x%x, the kernel has 0x%x, we 0x%x",
			thing_names[wait->ones[i].kind], (unsigned short)wait->ones[i].events,
			(unsigned short)revents[i], (unsigned short)wait->revents[i]);
}

/* Whether the state of what it tells of goes on by itself. */
static bool
is_late(enum thing_kind kind)
{
	return kind == TCP || kind == MASTER || kind == SLAVE;
}

/* Whether what was told is what there is. */
static bool
is_right(const struct wait *wait, int result, const short revents[])
{
	if (result < 0)
		return wait->result == result && (!wait->is_select || wait->error == EBADF);
	for (int i = 0; i < wait->count; i++)
		if (wait->revents[i] != revents[i] &&
			(!is_late(wait->ones[i].kind) || (wait->revents[i] & ~revents[i])))
			return false;
	return wait->result > 0;
}

/* Whether the other thread waits, or has returned: what happens before is no test of being
 * woken. */
static bool
plain_is_there(struct wait *wait)
{
	char path[64], text[256] = "";
	int fd;

	if (wait->plain_has_returned || wait->plain == 0)
		return wait->plain_has_returned;
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", wait->plain);
	fd = open(path, O_RDONLY);
	if (fd == -1)
		return false;
	if (read(fd, text, sizeof text - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strstr(text, ") S ") != NULL;
}

/* Whether both have returned, or neither; but for what the kernel wakes nobody for, though it is
 * there. */
static bool
agree(struct wait *wait, short revents[])
{
	int64_t now = hub_now(), end = now + PATIENCE, quirk = now + PATIENCE / 20;

	for (int turns = 0; turns < 8; turns++)
		hub_sleep(turns == 4 ? HUB_MILLISECOND : 0);
	while (!wait->has_returned && (wait->plain_has_returned || ask_now(wait, revents) != 0) &&
		hub_now() < (wait->plain_has_returned ? end : quirk))
		hub_sleep(HUB_MILLISECOND);
	if (!wait->has_returned)
		return !wait->plain_has_returned;
	return ask_now(wait, revents) != 0;
}

/* Returns false, with what was wrong, if it is. */
static bool
play(char *text, size_t size)
{
	short revents[MOST + 1] = {0};
	struct hub_coroutine *waiter;
	struct wait wait;
	pthread_t plain;
	int result = 0;
	bool is_good = true;

	prepare(&wait);
	pthread_create(&plain, NULL, wait_plainly, &wait);
	while (!plain_is_there(&wait))
		hub_sleep(HUB_MILLISECOND / 8);
	waiter = hub_spawn(wait_patched, &wait);
	for (int acts = 0; acts <= ACTS && is_good && !wait.has_returned; acts++) {
		is_good = agree(&wait, revents);
		if (is_good && !wait.has_returned && acts < ACTS)
			thing_act(&wait.ones[thing_any((unsigned)wait.count - 1)]);
	}
	if (is_good && wait.has_returned) {
		result = ask_now(&wait, revents);
		is_good = is_right(&wait, result, revents);
	}
	if (!is_good)
		describe(&wait, revents, text, size);
	eventfd_write(wait.ones[wait.count - 1].fd, 1);
	hub_join(waiter, NULL);
	pthread_join(plain, NULL);
	for (int i = 0; i < wait.count; i++) {
		if (wait.ones[i].kind != CLOSED)
			close(wait.ones[i].fd);
		if (wait.ones[i].peer != -1)
			close(wait.ones[i].peer);
	}
	return is_good;
}

static char wrong[2000];

static void *
rounds(void *argument)
{
	const char *again = getenv("HUBBUB_SEED"), *cases = getenv("HUBBUB_CASES");
	unsigned first = again != NULL && *again != '\0' ? (unsigned)strtoul(again, NULL, 10)
							 : (unsigned)hub_now();
	int count = cases != NULL && atoi(cases) > 0 ? atoi(cases) : on_valgrind() ? 40 : ROUNDS;

	fprintf(stderr, "ready: HUBBUB_SEED=%u\n", first);
	for (int round = 0; round < count && wrong[0] == '\0'; round++) {
		size_t used;

		thing_seed = first + (unsigned)round;
		used = (size_t)snprintf(wrong, sizeof wrong, "HUBBUB_SEED=%u: ", thing_seed);
		if (play(wrong + used, sizeof wrong - used))
			wrong[0] = '\0';
	}
	return argument;
}

TestSuite(ready, .timeout = 120);

Test(ready, is_told_as_the_kernel_tells_it)
{
	signal(SIGPIPE, SIG_IGN);
	hub_patch_all();
	in_hub(rounds, NULL);
	cr_assert_str_empty(wrong, "%s", wrong);
}
