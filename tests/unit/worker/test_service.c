#include "worker/service.h"

#include <sys/socket.h>
#include <unistd.h>

#include "hub/io/activity.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "worker/busy.h"
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
