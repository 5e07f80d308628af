#include "master/face/ask.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "master/fleet/generation.h"
#include "tests/unit/master/face/asking.h"
#include "worker/reply.h"

TestSuite(ask, .init = asking_begin, .fini = asking_end, .timeout = 60);

Test(ask, the_first_worker_is_asked_and_its_answer_told_once)
{
	cr_assert_null(ask(0));
	cr_assert_eq(answers, 0);
	answer(take(0, 0), "some output", NULL);
	cr_assert_eq(answers, 1);
	cr_assert_eq(last, ASK_DONE);
	cr_assert_str_eq(text, "some output|");
	cr_assert_eq(take(1, 0), -1);
}

Test(ask, a_command_that_has_failed_says_why)
{
	cr_assert_null(ask(0));
	answer(take(0, 0), "half", "no such key");
	cr_assert_eq(last, ASK_FAILED);
	cr_assert_str_eq(text, "half|no such key");
}

Test(ask, a_command_that_refuses_its_arguments_says_why)
{
	cr_assert_null(ask(0));
	answer_as(take(0, 0), "", "no KEY", true);
	cr_assert_eq(last, ASK_REFUSED);
	cr_assert_str_eq(text, "|no KEY");
}

Test(ask, an_answer_that_comes_in_pieces_is_put_together)
{
	struct reply_end record = {.length = 2};
	int socket;

	cr_assert_null(ask(0));
	socket = take(0, 0);
	send(socket, "a", 1, 0);
	turn();
	send(socket, "b", 1, 0);
	send(socket, &record, 10, 0);
	turn();
	cr_assert_eq(answers, 0);
	send(socket, (char *)&record + 10, sizeof record - 10, 0);
	close(socket);
	turn();
	cr_assert_eq(last, ASK_DONE);
	cr_assert_str_eq(text, "ab|");
}

/* Those that start, are being killed, or hang are passed over; so is one that does not read. */
Test(ask, a_worker_that_is_not_at_hand_is_passed_over)
{
	slots[0].state = SUPERVISION_STARTING;
	hubs[1].is_hung = true;
	cr_assert_null(ask(0));
	answer(take(2, 0), "", NULL);
	hubs[1].is_hung = false;
	slots[1].is_killed = true;
	cr_assert_null(ask(0));
	answer(take(2, 0), "", NULL);
	cr_assert_eq(answers, 2);
	slots[2].state = SUPERVISION_DRAINING;
	cr_assert_str_eq(ask(0), "no worker is ready to answer");
}

Test(ask, a_worker_whose_channel_is_full_is_passed_over)
{
	struct channel_message message = {.kind = CHANNEL_ACCEPT};

	while (channel_send(slots[0].channel, &message, -1) == 0)
		continue;
	cr_assert_null(ask(0));
	answer(take(1, 0), "", NULL);
	cr_assert_eq(answers, 1);
}

Test(ask, without_a_generation_that_serves_there_is_nobody)
{
	struct generation *serving = quiet.master.fleet.serving;

	quiet.master.fleet.serving = NULL;
	cr_assert_str_eq(ask(0), "no worker is ready to answer");
	quiet.master.phase = MASTER_HANDED_OVER;
	cr_assert_str_eq(ask(0), "another master has taken over; ask again");
	quiet.master.fleet.serving = serving;
}

Test(ask, without_a_file_descriptor_the_master_says_so)
{
	struct rlimit before, none;

	getrlimit(RLIMIT_NOFILE, &before);
	none = (struct rlimit){0, before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &none);
	cr_assert_str_eq(ask(0), "the master has no file descriptor left");
	setrlimit(RLIMIT_NOFILE, &before);
	cr_assert_null(ask(0));
	answer(take(0, 0), "", NULL);
}

Test(ask, an_end_without_the_whole_record_is_no_answer)
{
	static const struct {
		size_t output, record;
		uint32_t length;
	} cases[] = {{0, 0, 0}, {3, 0, 3}, {3, sizeof(struct reply_end) - 1, 3},
		{3, sizeof(struct reply_end), 2}, {3, sizeof(struct reply_end), UINT32_MAX}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct reply_end record = {.length = cases[i].length};
		int socket;

		cr_assert_null(ask(0));
		socket = take(0, 0);
		send(socket, "abc", cases[i].output, 0);
		send(socket, &record, cases[i].record, 0);
		close(socket);
		turn();
		cr_assert_eq(answers, i + 1);
		cr_assert_eq(last, ASK_LOST);
		cr_assert_str_eq(text,
			"|worker 0 (pid 100) gave no whole answer: it has ended, or has no memory "
			"or file left; the log says more");
	}
}

/* A stray write in the worker. */
Test(ask, a_reason_without_an_end_is_ended)
{
	struct reply_end record = {.has_failed = 77};
	int socket;

	memset(record.why, 'y', sizeof record.why);
	cr_assert_null(ask(0));
	socket = take(0, 0);
	send(socket, &record, sizeof record, 0);
	close(socket);
	turn();
	cr_assert_eq(last, ASK_FAILED);
	cr_assert_eq(strlen(text), 1 + sizeof record.why - 1);
}

Test(ask, a_worker_that_sends_without_end_is_cut_off)
{
	static char much[16384];
	int socket;

	cr_assert_null(ask(0));
	socket = take(0, 0);
	for (int i = 0; i < 1000 && answers == 0; i++) {
		send(socket, much, sizeof much, MSG_DONTWAIT | MSG_NOSIGNAL);
		turn();
	}
	cr_assert_eq(last, ASK_FAILED);
	cr_assert_str_eq(text, "|the output is longer than 1 MiB");
	close(socket);
}

static bool
is_answered(const struct quiet *unused)
{
	(void)unused;
	return answers > 0;
}

Test(ask, a_worker_that_does_not_answer_is_waited_for_as_long_as_is_said)
{
	int64_t begun = clock_now();
	int socket;

	cr_assert_null(ask(0));
	socket = take(0, 0);
	for (int tries = 0; tries < 10 && !quiet_run(&quiet, is_answered); tries++)
		cr_assert_lt(clock_now() - begun, REPLY_PATIENCE + 5 * CLOCK_SECOND);
	cr_assert_geq(clock_now() - begun, REPLY_PATIENCE);
	cr_assert_eq(last, ASK_LATE);
	cr_assert_str_eq(text, "|worker 0 (pid 100) has not answered in 5 seconds");
	/* Nobody is there any more. */
	cr_assert_eq(send(socket, "x", 1, MSG_NOSIGNAL), -1);
	close(socket);
}

Test(ask, there_is_room_for_so_many_and_then_for_more)
{
	static const char too_many[] = "too many commands of the service are under way; try again";
	int sockets[ASK_MAX];

	for (int i = 0; i < ASK_MAX; i++) {
		/* The last places are not for pages. */
		if (i < ASK_MAX_PAGES)
			cr_assert_null(ask_of(ASK_MAX_PAGES, 0));
		else
			cr_assert_str_eq(ask_of(ASK_MAX_PAGES, 0), too_many);
		if (i >= ASK_MAX_PAGES)
			cr_assert_null(ask(0));
		sockets[i] = take(0, 0);
	}
	cr_assert_str_eq(ask(0), too_many);
	answer(sockets[3], "", NULL);
	cr_assert_eq(answers, 1);
	cr_assert_null(ask(0));
	for (int i = 0; i < ASK_MAX; i++)
		if (i != 3)
			close(sockets[i]);
}

Test(ask, at_the_end_all_are_told)
{
	static const struct {
		enum master_phase phase;
		const char *text;
	} ends_with[] = {{MASTER_DRAINING, "|the server has ended"},
		{MASTER_HANDED_OVER, "|another master has taken over; the command may have run"}};

	for (size_t i = 0; i < sizeof ends_with / sizeof ends_with[0]; i++) {
		answers = 0;
		cr_assert_null(ask(0));
		cr_assert_null(ask(0));
		quiet.master.phase = ends_with[i].phase;
		ask_drop_all(&quiet.master);
		cr_assert_eq(answers, 2);
		cr_assert_eq(last, ASK_LOST);
		cr_assert_str_eq(text, ends_with[i].text);
	}
}
