/* Threads that sleep in system calls while the watchdog looks: each call lasts for as long as it
 * would have without. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "hub/debug/asleep_priv.h"
#include "tests/support/full.h"
#include "tests/support/in_hub.h"

struct report {
	_Atomic int count;
	char text[8192]; /* of the first */
};

static void
on_blocked(int64_t nanoseconds, const char *backtrace, void *context)
{
	struct report *report = context;

	(void)nanoseconds;
	if (report->count == 0)
		snprintf(report->text, sizeof report->text, "%s", backtrace);
	report->count++;
}

/* Each blocks for a quarter of a second, and returns what says so. */
#define QUARTER                                                                                    \
	{                                                                                          \
		0, 250000000                                                                       \
	}

static bool
in_nanosleep(void)
{
	struct timespec quarter = QUARTER;

	return nanosleep(&quarter, NULL) == 0;
}

static bool
in_poll(void)
{
	return poll(NULL, 0, 250) == 0;
}

static bool
in_select(void)
{
	struct timeval quarter = {0, 250000};

	return select(0, NULL, NULL, NULL, &quarter) == 0;
}

static bool
in_epoll_wait(void)
{
	struct epoll_event event;
	int fd = epoll_create1(0), count = epoll_wait(fd, &event, 1, 250);

	close(fd);
	return count == 0;
}

static bool
in_recv(void)
{
	struct timeval quarter = {0, 250000};
	bool is_timed;
	char byte;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return false;
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &quarter, sizeof quarter);
	is_timed = recv(pair[0], &byte, 1, 0) == -1 && errno == EAGAIN;
	close(pair[0]);
	close(pair[1]);
	return is_timed;
}

static bool
in_sigtimedwait(void)
{
	struct timespec quarter = QUARTER;
	sigset_t none;

	sigemptyset(&none);
	return sigtimedwait(&none, NULL, &quarter) == -1 && errno == EAGAIN;
}

static bool
in_sem_timedwait(void)
{
	struct timespec end;
	sem_t semaphore;

	sem_init(&semaphore, 0, 0);
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec++;
	return sem_timedwait(&semaphore, &end) == -1 && errno == ETIMEDOUT;
}

/* A close that lingers over a byte which the peer, who does not read, cannot acknowledge. */
static bool
in_close(void)
{
	struct linger linger = {1, 1};
	int ends[2];
	int64_t began, took;

	full_stream(ends);
	setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	began = hub_now();
	close(ends[0]);
	took = hub_now() - began;
	close(ends[1]);
	return took >= 900 * HUB_MILLISECOND;
}

static const struct {
	const char *name;
	bool (*act)(void);
} calls[] = {
	{"nanosleep", in_nanosleep},
	{"poll", in_poll},
	{"select", in_select},
	{"epoll_wait", in_epoll_wait},
	{"recv", in_recv},
	{"sigtimedwait", in_sigtimedwait},
	{"sem_timedwait", in_sem_timedwait},
	{"close", in_close},
};

#define CALLS (sizeof calls / sizeof calls[0])

struct call_record {
	struct report reports[CALLS];
	bool has_lasted[CALLS];
};

static __attribute__((noinline)) bool
block_in(size_t call)
{
	bool has_lasted = calls[call].act();

	/* Not its last act, so that it is on the stack meanwhile. */
	__asm__ volatile("" : "+r"(has_lasted));
	return has_lasted;
}

static void *
blocking_body(void *argument)
{
	struct call_record *record = argument;

	hub_set_name(hub_current(), "the sleeper");
	for (size_t i = 0; i < CALLS; i++) {
		struct hub_hooks hooks = {.blocked = on_blocked, .context = &record->reports[i]};

		hub_set_hooks(&hooks);
		hub_sleep(HUB_MILLISECOND);
		record->has_lasted[i] = block_in(i);
		hub_set_hooks(NULL);
	}
	return NULL;
}

Test(asleep, is_told_where_and_its_call_goes_on, .timeout = 60)
{
	static struct call_record record;

	if (on_valgrind())
		cr_skip_test("it runs one thread at a time");
	hub_watchdog(50 * HUB_MILLISECOND);
	in_hub(blocking_body, &record);
	for (size_t i = 0; i < CALLS; i++) {
		cr_expect(record.has_lasted[i], "%s was ended", calls[i].name);
		cr_expect_geq(record.reports[i].count, 1, "%s", calls[i].name);
		cr_expect_not_null(strstr(record.reports[i].text, "\"the sleeper\""), "%s: %s",
			calls[i].name, record.reports[i].text);
		cr_expect_not_null(strstr(record.reports[i].text, "block_in"), "%s: %s",
			calls[i].name, record.reports[i].text);
	}
}

static void *
hidden_body(void *argument)
{
	struct report *report = argument;
	struct hub_hooks hooks = {.blocked = on_blocked, .context = report};

	hub_set_hooks(&hooks);
	while (report->count == 0) {
		in_nanosleep();
		hub_sleep(HUB_MILLISECOND);
	}
	hub_set_hooks(NULL);
	return NULL;
}

/* As of a process that has changed its user; root is shown all the same. */
Test(asleep, says_so_if_the_kernel_does_not_tell_where, .timeout = 60)
{
	static struct report report;

	if (on_valgrind())
		cr_skip_test("it runs one thread at a time");
	if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		cr_skip_test("root cannot become anybody else here");
	prctl(PR_SET_DUMPABLE, 0);
	hub_watchdog(50 * HUB_MILLISECOND);
	in_hub(hidden_body, &report);
	cr_assert_not_null(strstr(report.text, "does not say where"), "%s", report.text);
}

/* A thread that has gone on runs on another stack, and a guard may lie between the two. */
Test(asleep, is_not_searched_for_beyond_its_own_stack)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *stacks =
		mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct asleep asleep = {.address = stacks,
		.stack_pointer = (const void *const *)(const void *)(stacks + page - 64)};
	void *frames[8], *expected[] = {stacks};

	cr_assert_neq(stacks, MAP_FAILED);
	cr_assert_eq(mprotect(stacks + page, page, PROT_NONE), 0);
	cr_assert_eq(asleep_callers(&asleep, stacks + 3 * page, frames, 8), 1);
	cr_assert_arr_eq(frames, expected, sizeof expected);
	munmap(stacks, 3 * page);
}

/* ---- descriptors, of which the watchdog's thread has others by the same numbers ---- */

struct own_record {
	int file; /* the standard input and output */
	struct report asleep, running;
};

static void *
sleep_and_run(void *argument)
{
	struct own_record *record = argument;
	struct hub_hooks asleep = {.blocked = on_blocked, .context = &record->asleep};
	struct hub_hooks running = {.blocked = on_blocked, .context = &record->running};
	int64_t end;

	hub_set_hooks(&asleep);
	while (record->asleep.count == 0) {
		in_nanosleep();
		hub_sleep(HUB_MILLISECOND);
	}
	hub_set_hooks(&running);
	end = hub_now() + 20 * HUB_SECOND;
	while (record->running.count == 0 && hub_now() < end)
		continue;
	hub_set_hooks(NULL);
	return NULL;
}

static bool
is_file(int fd, int file)
{
	struct stat one = {0}, other = {0};

	return fstat(fd, &one) == 0 && fstat(file, &other) == 0 && one.st_ino == other.st_ino;
}

Test(asleep, leaves_the_processs_descriptors_alone, .timeout = 60)
{
	static struct own_record record;

	if (on_valgrind())
		cr_skip_test("it runs one thread at a time");
	record.file = memfd_create("standard", MFD_CLOEXEC);
	cr_assert_eq(write(record.file, "in", 2), 2);
	lseek(record.file, 0, SEEK_SET);
	dup2(record.file, STDIN_FILENO);
	dup2(record.file, STDOUT_FILENO);
	hub_watchdog(50 * HUB_MILLISECOND);
	/* Not in_hub, whose backtrace would be the first. */
	cr_assert_eq(hub_run(sleep_and_run, &record, NULL), 0);
	cr_assert_geq(record.running.count, 1);
	cr_assert(is_file(STDIN_FILENO, record.file));
	cr_assert(is_file(STDOUT_FILENO, record.file));
	cr_assert_eq(lseek(record.file, 0, SEEK_CUR), 0, "something was read or written");
}
