#include "worker/thread.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/complaint.h"
#include "tests/unit/worker/child.h"
#include "tests/unit/worker/lone.h"
#include "tests/unit/worker/starved.h"
#include "worker/channel.h"

/* Connections may last for hours. */
Test(thread, waiting_for_the_last_connection_costs_little)
{
	struct child child = {.drain_timeout = 60 * HUB_SECOND};
	int client;

	child_start(&child, child_hold, 0);
	child_accept(&child);
	client = child_connect(&child);
	child_tell(&child, CHANNEL_DRAIN, 0);
	cr_assert(child_hear(&child, CHANNEL_DRAINED, CHILD_THREADS));
	cr_assert_lt(child_polls(&child), 90 * CHILD_THREADS);
	close(client);
	cr_assert_eq(child_exit(&child), 0);
}

#ifdef STARVED_IS_POSSIBLE

#define LOOKS 5 /* the hub's, whether there is memory by now */

struct record {
	bool is_starved; /* no coroutine could be made */
	bool is_deaf;    /* and it did not accept */
	bool is_answered;
};

static struct lone lone;
static struct record record;

static void
serve(int client, void *context)
{
	char byte;

	(void)context;
	if (hub_recv(client, &byte, 1, 0) == 1)
		hub_send(client, &byte, 1, 0);
}

/* For so long no coroutine can be made. */
static void
starve(int64_t nanoseconds)
{
	record.is_starved = starved_begin();
	hub_sleep(nanoseconds);
	record.is_deaf = !lone.thread.is_welcoming;
	starved_end();
}

static void *
lead(void *unused)
{
	int client = hub_socket(AF_INET, SOCK_STREAM, 0);
	char byte = 'a';

	(void)unused;
	thread_command(&lone.thread, THREAD_BEGIN);
	thread_command(&lone.thread, THREAD_ACCEPT);
	starve(LOOKS * 100 * HUB_MILLISECOND);
	record.is_answered =
		hub_connect(client, (struct sockaddr *)&lone.address, sizeof lone.address) == 0 &&
		hub_send(client, &byte, 1, 0) == 1 && hub_recv(client, &byte, 1, 0) == 1;
	hub_close(client);
	thread_command(&lone.thread, THREAD_CLOSE);
	thread_command(&lone.thread, THREAD_STOP);
	return NULL;
}

Test(thread, without_memory_to_accept_it_says_so_once_and_tries_again, .timeout = 60)
{
	const char *heard, *said;

	/* The kernel may give the hub so little time that the watchdog tells of that; and jemalloc
	 * (5.3) crashes a thread whose first allocation finds no memory. */
	hub_watchdog(0);
	lone_begin(&lone, serve);
	lone.thread.companion = lead;
	counters_give_permits(lone.row, 1);
	complaint_listen();
	thread_run(&lone.thread);
	heard = complaint_heard();
	lone_end(&lone);
	cr_assert(record.is_starved && record.is_deaf);
	cr_assert(record.is_answered);
	said = strstr(heard, "no memory to accept");
	cr_assert_not_null(said, "%s", heard);
	cr_assert_null(strstr(said + 1, "no memory to accept"), "%s", heard);
}

#endif
