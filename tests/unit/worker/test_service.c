#include "worker/service.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/io/activity.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "worker/busy.h"
#include "worker/catalog.h"
#include "worker/self.h"
#include "worker/thread.h"

static void
note_busy(int fd)
{
	trace_say(fd_activity(fd).is_busy ? "busy" : "idle");
}

static void *
busy_body(void *argument)
{
	int ends[2];

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
	hub_adopt(ends[0]);
	note_busy(ends[0]);
	hubbub_busy(ends[0]);
	hubbub_busy(ends[0]);
	hub_send(ends[0], "answer", 6, 0);
	note_busy(ends[0]);
	hubbub_idle(ends[0]);
	note_busy(ends[0]);
	/* The number's next owner has said nothing. */
	hubbub_busy(ends[0]);
	hub_close(ends[0]);
	ends[0] = dup(ends[1]);
	hub_adopt(ends[0]);
	note_busy(ends[0]);
	hubbub_busy(-1);
	hubbub_idle(100000);
	hub_close(ends[0]);
	hub_close(ends[1]);
	return argument;
}

Test(service, is_busy_until_it_says_that_it_is_not)
{
	in_hub(busy_body, NULL);
	EXPECT_TRACE("idle, busy, idle, idle");
}

/* ---- requests ---- */

static struct worker_row row;
static struct worker_thread hub = {.row = &row};

/* The requests that were counted since the last call; their durations are those that were waited
 * for, in milliseconds, at least. */
static void
note_requests(int64_t least)
{
	char text[64];

	snprintf(text, sizeof text, "%lu%s", (unsigned long)buckets_total(&row.requests),
		(int64_t)row.requests.sum >= least * HUB_MILLISECOND ? "" : " too short");
	trace_say(text);
	row = (struct worker_row){0};
}

static void *
request_body(void *argument)
{
	int ends[2];

	service_use(&hub);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
	hub_adopt(ends[0]);
	hubbub_busy(ends[0]);
	note_requests(0);
	hub_sleep(2 * HUB_MILLISECOND);
	/* The first call counts. */
	hubbub_busy(ends[0]);
	hubbub_idle(ends[0]);
	note_requests(2);
	hubbub_idle(ends[0]);
	service_served(ends[0]);
	note_requests(0);
	/* The service's function returns. */
	hubbub_busy(ends[0]);
	hub_sleep(HUB_MILLISECOND);
	service_served(ends[0]);
	note_requests(1);
	/* A request is the open file's, not the descriptor's. */
	hub_close(ends[0]);
	ends[0] = dup(ends[1]);
	hub_adopt(ends[0]);
	hubbub_idle(ends[0]);
	service_served(ends[0]);
	hubbub_idle(ends[0]);
	hubbub_busy(-1);
	hubbub_idle(-1);
	note_requests(0);
	hubbub_busy(ends[0]);
	hubbub_idle(ends[0]);
	trace_whether("0", row.requests.counts[0] == 1);
	note_requests(0);
	hub_close(ends[0]);
	hub_close(ends[1]);
	service_use(NULL);
	return argument;
}

/* A request that is shorter than a turn of the loop takes some time, too. */
Test(service, requests_are_counted_from_busy_to_idle)
{
	in_hub(request_body, NULL);
	EXPECT_TRACE("0, 1, 0, 1, 0, not 0, 1");
}

/* ---- metrics of its own ---- */

enum { KEYS, LOOKUPS, SIZES };

static const struct hubbub_metric metrics[] = {
	[KEYS] = {"store_keys", "Keys.", HUBBUB_GAUGE, HUBBUB_ONES, {NULL}},
	[LOOKUPS] = {"store_lookups_total", "Lookups.", HUBBUB_COUNTER, HUBBUB_ONES, {NULL}},
	[SIZES] = {"store_bytes", "Sizes.", HUBBUB_HISTOGRAM, HUBBUB_ONES, {NULL}},
	{.name = NULL},
};

static void
count_some(void)
{
	hubbub_count(LOOKUPS, 2);
	hubbub_count(LOOKUPS, 1);
	hubbub_gauge_add(KEYS, 5);
	hubbub_gauge_add(KEYS, -7);
	hubbub_record(SIZES, 64);
}

Test(service, counts_in_the_row_of_its_hub)
{
	count_some();
	catalog_add_service(metrics);
	count_some();
	service_use(&hub);
	count_some();
	cr_assert_eq(catalog_value(&row, COUNTED_MAX + LOOKUPS), 3);
	cr_assert_eq(catalog_value(&row, COUNTED_MAX + KEYS), -2);
	cr_assert_eq(buckets_total(catalog_buckets(&row, COUNTED_MAX + SIZES)), 1);
	hubbub_gauge_set(KEYS, 11);
	cr_assert_eq(catalog_value(&row, COUNTED_MAX + KEYS), 11);
	service_use(NULL);
}

/* A row has one writer. */
Test(service, counts_nothing_in_a_child_process_that_it_forks)
{
	int status;
	pid_t child;

	catalog_add_service(metrics);
	service_use(&hub);
	child = fork();
	if (child == 0) {
		/* Else what is counted shows in the exit code: memory is not shared here. */
		count_some();
		_exit((int)catalog_value(&row, COUNTED_MAX + LOOKUPS) + (hubbub_self() != NULL));
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	service_use(NULL);
}

Test(service, that_counts_what_it_has_not_ends, .signal = SIGABRT)
{
	catalog_add_service(metrics);
	service_use(&hub);
	hubbub_count(SIZES + 1, 1);
}

Test(service, that_counts_what_is_no_counter_ends, .signal = SIGABRT)
{
	catalog_add_service(metrics);
	service_use(&hub);
	hubbub_count(KEYS, 1);
}

Test(service, is_told_when_its_hub_is_to_end)
{
	static struct worker_thread thread;

	cr_assert_not(hubbub_is_draining(), "no hub of a server runs here");
	service_use(&thread);
	cr_assert_not(hubbub_is_draining());
	thread.commanded = 1U << THREAD_ACCEPT;
	cr_assert_not(hubbub_is_draining());
	for (int command = THREAD_ACCEPT + 1; command < THREAD_COMMAND_MAX; command++) {
		thread.commanded = 1U << THREAD_ACCEPT | 1U << command;
		cr_assert(hubbub_is_draining(), "%d", command);
	}
	service_use(NULL);
	cr_assert_not(hubbub_is_draining());
}

Test(service, knows_where_it_runs)
{
	struct worker_row rows[2] = {{.generation = 5}, {.generation = 5}};
	struct worker_memo memo = {.workers = 4};
	struct worker_heritage heritage = {.index = 3, .threads = 2, .rows = rows, .memo = &memo};
	struct worker_thread thread;
	const struct hubbub_self *self;

	cr_assert_null(hubbub_self(), "no hub of a server runs here");
	cr_assert_eq(thread_init(&thread, &heritage, 1, NULL), 0);
	service_use(&thread);
	self = hubbub_self();
	cr_assert_eq(self->worker, 3);
	cr_assert_eq(self->hub, 1);
	cr_assert_eq(self->generation, 5);
	cr_assert_eq(self->workers, 4);
	cr_assert_eq(self->hubs, 2);
	/* The master has made the server smaller. */
	memo.workers = 2;
	cr_assert_eq(hubbub_self()->workers, 2);
	service_use(NULL);
	cr_assert_null(hubbub_self());
	thread_fini(&thread);
}
