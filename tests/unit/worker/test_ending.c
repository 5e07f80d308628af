/* The end of connections, on a hub of the test's. */
#include "worker/ending.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hub/io/opening.h"
#include "tests/support/in_hub.h"
#include "tests/support/sandbox.h"
#include "worker/state.h"

static struct worker_thread thread;

struct record {
	int ends[2];
	bool is_streaming, is_done;
	size_t sent, most;
	int turns;
	ssize_t got;
	int64_t lasted;
};

TestSuite(ending, .timeout = 60);

/* Fills the connection at each of its turns: what goes in then is what was read since. */
static void *
stream(void *argument)
{
	static char bytes[16 * 1024];
	struct record *record = argument;

	while (!record->is_done) {
		size_t filled = 0;
		ssize_t sent;

		while ((sent = send(record->ends[1], bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
			filled += (size_t)sent;
		record->turns++;
		record->sent += filled;
		if (record->turns > 1 && filled > record->most)
			record->most = filled;
		if (hub_sleep(0) != 0)
			break;
	}
	return NULL;
}

static void *
ending_body(void *argument)
{
	struct record *record = argument;
	struct hub_coroutine *streamer;
	struct fd_opening opening;
	int64_t began;
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, record->ends);
	hub_adopt(record->ends[0]);
	opening = fd_opening(record->ends[0]);
	streamer = record->is_streaming ? hub_spawn(stream, record) : NULL;
	if (streamer != NULL)
		hub_sleep(0);
	else
		shutdown(record->ends[1], SHUT_WR);
	began = hub_now();
	ending_run(record->ends[0], &opening, &thread);
	record->lasted = hub_now() - began;
	record->is_done = true;
	if (streamer != NULL)
		hub_join(streamer, NULL);
	record->got = recv(record->ends[1], &byte, 1, MSG_DONTWAIT);
	hub_close(record->ends[0]);
	close(record->ends[1]);
	return NULL;
}

/* It held the hub until the peer ran dry. */
Test(ending, a_peer_that_streams_leaves_others_their_turns_and_has_its_time)
{
	struct record record = {.is_streaming = true};

	in_hub(ending_body, &record);
	cr_assert_gt(record.turns, 10, "%d turns", record.turns);
	cr_assert_leq(record.most, 100 * 1024, "%zu bytes were read in one turn", record.most);
	cr_assert_geq(record.lasted, 900 * HUB_MILLISECOND, "it was cut off");
	cr_assert_gt(record.sent, 1 << 20, "what it sent was not read");
	cr_assert_eq(record.got, 0, "its input has not ended");
}

Test(ending, of_a_thread_that_finishes_is_shorter)
{
	struct record record;
	int tries = 10;

	thread.commanded = 1U << THREAD_FINISH;
	/* A busy machine may make it longer, but not each time. */
	do {
		record = (struct record){.is_streaming = true};
		in_hub(ending_body, &record);
		cr_assert_gt(record.turns, 10);
		cr_assert_geq(record.lasted, 150 * HUB_MILLISECOND);
	} while (record.lasted >= 900 * HUB_MILLISECOND && --tries > 0);
	thread.commanded = 0;
	cr_assert_lt(record.lasted, 900 * HUB_MILLISECOND);
}

Test(ending, a_peer_that_has_ended_is_not_waited_for)
{
	struct record record = {0};

	in_hub(ending_body, &record);
	cr_assert_eq(record.got, -1, "what is closed next needs no shutdown");
}

static void *
reset_body(void *argument)
{
	int *ends = ((struct record *)argument)->ends;
	static volatile sig_atomic_t receives;
	struct fd_opening opening;
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
	hub_adopt(ends[0]);
	opening = fd_opening(ends[0]);
	hub_send(ends[0], "x", 1, 0);
	close(ends[1]);
	hub_recv(ends[0], &byte, 1, 0);
	sandbox_count(SYS_recvfrom, 0, (uint32_t)ends[0], &receives);
	ending_run(ends[0], &opening, &thread);
	((struct record *)argument)->turns = receives;
	hub_close(ends[0]);
	return NULL;
}

Test(ending, a_connection_that_was_reset_is_not_read_again)
{
	struct record record = {.turns = -1};

	in_hub(reset_body, &record);
	cr_assert_eq(record.turns, 0, "%d times", record.turns);
}
