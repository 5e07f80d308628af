/* Commands that each worker has to run. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "master/face/requests.h"
#include "master/fleet/generation.h"
#include "tests/unit/master/face/asking.h"
#include "worker/reply.h"

TestSuite(ask_each, .init = asking_begin, .fini = asking_end, .timeout = 60);

Test(ask_each, each_worker_is_asked_after_the_other)
{
	cr_assert_null(ask(EACH));
	cr_assert_eq(take(1, EACH), -1);
	answer(take(0, EACH), "zero ", NULL);
	/* It was asked before. */
	slots[1].state = SUPERVISION_BACKING_OFF;
	answer(take(1, EACH), "one ", NULL);
	answer(take(2, EACH), "two", NULL);
	cr_assert_eq(answers, 1);
	cr_assert_eq(last, ASK_DONE);
	cr_assert_str_eq(text, "zero one two|");
}

/* "done" would say that it has run the command. */
Test(ask_each, a_worker_of_each_that_hangs_is_not_passed_over)
{
	slots[1].state = SUPERVISION_HUNG;
	hubs[1].is_hung = true;
	cr_assert_null(ask(EACH));
	answer(take(0, EACH), "zero ", NULL);
	answer(take(1, EACH), "one ", NULL);
	answer(take(2, EACH), "two", NULL);
	cr_assert_eq(last, ASK_DONE);
	cr_assert_str_eq(text, "zero one two|");
}

Test(ask_each, a_worker_of_each_that_cannot_be_reached_is_not_passed_over)
{
	struct channel_message message = {.kind = CHANNEL_ACCEPT};
	int socket;

	while (channel_send(slots[1].channel, &message, -1) == 0)
		continue;
	cr_assert_null(ask(EACH));
	socket = take(0, EACH);
	answer(socket, "zero", NULL);
	cr_assert_eq(last, ASK_LOST);
	cr_assert_str_eq(text,
		"zero|worker 1 (pid 101) cannot be reached: those before it have run the command, "
		"the others have not");
	cr_assert_eq(take(2, EACH), -1);
	slots[0].state = SUPERVISION_STARTING;
	cr_assert_str_eq(ask(EACH), "no worker is ready to answer");
}

Test(ask_each, workers_of_each_that_are_not_up_are_named_once_the_others_have_run_it)
{
	slots[1].state = SUPERVISION_BACKING_OFF;
	cr_assert_null(ask(EACH));
	answer(take(0, EACH), "zero ", NULL);
	answer(take(2, EACH), "two", NULL);
	cr_assert_eq(last, ASK_LOST);
	cr_assert_str_eq(text, "zero two|worker 1 is not up, and has not run it; the others have");
	slots[0].state = SUPERVISION_STARTING;
	cr_assert_null(ask(EACH));
	answer(take(2, EACH), "two", NULL);
	cr_assert_str_eq(text, "two|workers 0, 1 are not up, and have not run it; the others have");
	slots[2].state = SUPERVISION_STARTING;
	cr_assert_str_eq(ask(EACH), "no worker is ready to answer");
	cr_assert_eq(answers, 2);
}

/* Each takes most of its time, so that one time for all would be over. */
Test(ask_each, each_worker_has_a_time_of_its_own)
{
	static const char *const outputs[] = {"zero ", "one ", "two"};

	cr_assert_null(ask(EACH));
	for (unsigned i = 0; i < WORKERS; i++) {
		int64_t begun = clock_now();
		int socket = take(i, EACH);

		while (clock_now() - begun < REPLY_PATIENCE / 2)
			turn();
		cr_assert_eq(answers, 0);
		answer(socket, outputs[i], NULL);
	}
	cr_assert_eq(last, ASK_DONE);
	cr_assert_str_eq(text, "zero one two|");
}

Test(ask_each, the_first_failure_of_each_worker_is_the_end)
{
	cr_assert_null(ask(EACH));
	answer(take(0, EACH), "zero ", NULL);
	answer(take(1, EACH), "half", "no key");
	cr_assert_eq(last, ASK_FAILED);
	cr_assert_str_eq(text, "zero half|worker 1: no key");
	cr_assert_eq(take(2, EACH), -1);
}

Test(ask_each, workers_that_are_replaced_meanwhile_are_no_whole)
{
	cr_assert_null(ask(EACH));
	quiet.master.fleet.serving->number++;
	answer(take(0, EACH), "zero", NULL);
	cr_assert_eq(last, ASK_LOST);
	cr_assert_str_eq(text,
		"zero|the workers were replaced meanwhile: those that were asked have run it, the "
		"others have not");
}

/* ---- clients ---- */

static struct requests requests;

/* A client that has sent its line. */
static int
ask_by_line(void)
{
	static const char line[] = "each a b\n";
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	requests_take(&requests, pair[1], RIGHTS_ALL);
	cr_assert_eq(send(pair[0], line, strlen(line), 0), (ssize_t)strlen(line));
	turn();
	return pair[0];
}

static const char *
hear(int client)
{
	static char heard[256];
	ssize_t length = recv(client, heard, sizeof heard - 1, MSG_DONTWAIT);

	heard[length > 0 ? length : 0] = '\0';
	return heard;
}

/* Each worker has its time, and hubbub-ctl gives a server up that is silent for ten seconds. */
Test(ask_each, a_client_that_waits_for_all_workers_hears_that_they_are_asked)
{
	int client, other;
	ev_tstamp left;

	requests_init(&requests, &quiet.master);
	client = ask_by_line();
	cr_assert_str_eq(hear(client), "-a worker is asked\n");
	ev_invoke(quiet.master.loop, &requests.progress, EV_TIMER);
	cr_assert_str_eq(hear(client), "-a worker is asked\n");
	/* Another client does not put that off. */
	usleep(10000);
	turn();
	left = ev_timer_remaining(quiet.master.loop, &requests.progress);
	other = ask_by_line();
	cr_assert_leq(ev_timer_remaining(quiet.master.loop, &requests.progress), left);
	for (unsigned i = 0; i < WORKERS; i++)
		answer(take(i, EACH), "", NULL);
	cr_assert_str_eq(hear(client), "+done\n");
	requests_fini(&requests);
	close(client);
	close(other);
}
