#include "worker/stacks.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "worker/channel.h"
#include "worker/thread.h"

#define HUBS 3
#define NUMBER 4711

/* Several threads of a worker, all on one hub. */
static struct worker_heritage heritage = {.index = 5, .threads = HUBS};
static struct worker_thread threads[HUBS];
static int channel, file;
static char text[16384];

struct record {
	bool is_asked;
	bool is_starved; /* of memory */
};

static void
begin(void)
{
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	channel = pair[0];
	heritage.channel = pair[1];
	for (unsigned i = 0; i < HUBS; i++)
		threads[i] = (struct worker_thread){.heritage = &heritage, .index = i};
	file = memfd_create("test", MFD_CLOEXEC);
	cr_assert_neq(file, -1);
	cr_assert_eq(fcntl(file, F_SETFL, O_APPEND), 0);
}

TestSuite(stacks, .init = begin, .timeout = 60);

static void *
body(void *argument)
{
	struct record *record = argument;
	struct rlimit limit, none;

	for (unsigned i = 0; i < HUBS; i++)
		threads[i].mailbox = hub_mailbox();
	/* By another number, as it came. */
	record->is_asked = stacks_write(threads, HUBS, dup(file), NUMBER);
	getrlimit(RLIMIT_AS, &limit);
	none = (struct rlimit){0, limit.rlim_max};
	if (record->is_starved)
		setrlimit(RLIMIT_AS, &none);
	hub_sleep(50 * HUB_MILLISECOND);
	setrlimit(RLIMIT_AS, &limit);
	return NULL;
}

/* Each hub has written once, and said so; and the file is closed, as in_hub has seen. */
static void
assert_written(void)
{
	struct channel_message message;
	int descriptor;

	cr_assert_gt(pread(file, text, sizeof text - 1, 0), 0);
	for (unsigned i = 0; i < HUBS; i++) {
		char title[64];
		const char *at;

		snprintf(title, sizeof title, "hub %u of worker 5 (pid %d)\n", i, (int)getpid());
		at = strstr(text, title);
		cr_assert_not_null(at, "%s", text);
		cr_assert_null(strstr(at + 1, title), "%s", text);
		cr_assert_not_null(strstr(at, "coroutine"), "%s", text);
		cr_assert_eq(channel_receive(channel, &message, &descriptor), 1);
		cr_assert_eq(message.kind, CHANNEL_DUMPED);
		cr_assert_eq(message.hub, i);
		cr_assert_eq(message.value, NUMBER);
	}
	cr_assert_eq(channel_receive(channel, &message, &descriptor), 0, "that is all");
}

Test(stacks, every_hub_writes_its_coroutines_and_the_last_one_closes_the_file)
{
	struct record record = {0};

	in_hub(body, &record);
	cr_assert(record.is_asked);
	assert_written();
}

/* A sanitizer cannot be without. */
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
Test(stacks, without_memory_they_are_written_line_by_line)
{
	struct record record = {.is_starved = true};

	/* As in test_thread.c: it would allocate when it tells of a hub that had no CPU. */
	hub_watchdog(0);
	in_hub(body, &record);
	cr_assert(record.is_asked);
	assert_written();
}
#endif
