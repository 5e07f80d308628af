/* The end of a server. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/io/serving.h"

static struct hub_server *own;

static void
stop_own(int client, void *context)
{
	(void)client, (void)context;
	trace_call("stop", hub_server_stop(own, HUB_SECOND));
}

static void *
stop_own_body(void *argument)
{
	int listener = hub_create_server("127.0.0.1", "0", 0), client;
	char byte;

	own = hub_stream_server_new(listener, stop_own, NULL, NULL);
	hub_server_start(own);
	client = serving_connect(listener);
	hub_recv(client, &byte, 1, 0);
	hub_close(client);
	hub_server_stop(own, 10 * HUB_SECOND);
	hub_server_free(own);
	return argument;
}

Test(stopping, a_handler_cannot_stop_its_own_server_and_is_told)
{
	in_hub(stop_own_body, NULL);
	cr_assert_str_eq(trace_text(), "stop EDEADLK");
}

/* ---- who is queued at the end ---- */

#define HOLDERS 2
#define QUEUED 5

/* How a server is stopped while clients are queued whom it must not accept, or cannot. */
struct last {
	bool leave;    /* those that are served leave meanwhile */
	bool is_short; /* of files, instead of permits */
	bool is_killed;
	int64_t time; /* for the stop */
	int permits;
	int opened, closed;
	struct hub_server *server;
	int listener, result, error, refusals;
	bool is_stopped;
	int served, ended, reset;
};

static bool
has_permit(void *context)
{
	struct last *last = context;

	if (last->permits == 0)
		return false;
	last->permits--;
	return true;
}

static void
give_back(void *context)
{
	((struct last *)context)->permits++;
}

static void
last_opened(void *context)
{
	((struct last *)context)->opened++;
}

static void
last_closed(void *context)
{
	((struct last *)context)->closed++;
	give_back(context);
}

static void
last_failed(void *context, int error, bool will_wait)
{
	(void)error;
	((struct last *)context)->refusals += will_wait;
}

static void *
stop_last(void *argument)
{
	struct last *last = argument;

	last->result = hub_server_stop(last->server, last->time);
	last->error = last->result == 0 ? 0 : errno;
	last->is_stopped = true;
	return NULL;
}

/* What a queued client sees in the end. */
static void
look_at_end(struct last *last, int client)
{
	struct hub_timeout scope;
	char byte;
	ssize_t got;

	hub_timeout_start(&scope, 20 * HUB_SECOND);
	got = hub_recv(client, &byte, 1, 0);
	last->served += got == 1;
	last->ended += got == 0;
	last->reset += got < 0 && errno == ECONNRESET;
	hub_timeout_stop(&scope);
	hub_close(client);
}

static void *
last_body(void *argument)
{
	struct last *last = argument;
	struct hub_server_options options = {.opened = last_opened,
		.closed = last_closed,
		.may_accept = has_permit,
		.not_accepted = give_back,
		.accept_failed = last_failed};
	int clients[HOLDERS + QUEUED];
	struct hub_coroutine *stopper;
	struct rlimit before, low;

	last->listener = hub_create_server("127.0.0.1", "0", 0);
	last->permits = last->is_short ? 100 : HOLDERS;
	last->server = hub_stream_server_new(last->listener, serving_echo, last, &options);
	hub_server_start(last->server);
	for (int i = 0; i < HOLDERS; i++) {
		clients[i] = serving_connect(last->listener);
		serving_echoes(clients[i], 10 * HUB_SECOND);
	}
	hub_server_pause(last->server);
	for (int i = HOLDERS; i < HOLDERS + QUEUED; i++) {
		clients[i] = serving_connect(last->listener);
		hub_send(clients[i], "q", 1, 0);
	}
	getrlimit(RLIMIT_NOFILE, &before);
	low = (struct rlimit){(rlim_t)clients[HOLDERS + QUEUED - 1] + 1, before.rlim_max};
	if (last->is_short)
		setrlimit(RLIMIT_NOFILE, &low);
	stopper = hub_spawn(stop_last, last);
	hub_sleep(30 * HUB_MILLISECOND);
	if (last->is_killed)
		hub_kill(stopper);
	for (int i = 0; i < HOLDERS && last->leave; i++)
		hub_close(clients[i]);
	for (int i = HOLDERS; i < HOLDERS + QUEUED; i++)
		look_at_end(last, clients[i]);
	hub_join(stopper, NULL);
	setrlimit(RLIMIT_NOFILE, &before);
	for (int i = 0; i < HOLDERS && !last->leave; i++)
		hub_close(clients[i]);
	hub_server_free(last->server);
	return NULL;
}

Test(stopping, a_stop_serves_those_who_wait_for_a_permit_as_others_leave)
{
	struct last last = {.leave = true, .time = 20 * HUB_SECOND};

	in_hub(last_body, &last);
	cr_assert_eq(last.served, QUEUED, "%d served, %d reset", last.served, last.reset);
	cr_assert_eq(last.result, 0, "%s", strerror(last.error));
	cr_assert_eq(last.opened, HOLDERS + QUEUED);
	cr_assert_eq(last.closed, HOLDERS + QUEUED);
	cr_assert_eq(last.permits, HOLDERS);
}

Test(stopping, at_the_end_of_its_time_a_stop_lets_those_go_who_wait_and_resets_none)
{
	struct last last = {.time = 100 * HUB_MILLISECOND};

	in_hub(last_body, &last);
	cr_assert_eq(last.ended, QUEUED, "%d ended, %d reset, %d served", last.ended, last.reset,
		last.served);
	cr_assert_eq(last.error, ETIMEDOUT, "%s", strerror(last.error));
	cr_assert_eq(last.opened, HOLDERS, "one was served past its permit");
	cr_assert_eq(last.permits, HOLDERS);
}

Test(stopping, without_files_a_stop_serves_those_who_wait_as_others_leave)
{
	struct last last = {.leave = true, .is_short = true, .time = 20 * HUB_SECOND};

	if (on_valgrind())
		cr_skip_test("it has descriptors of its own");
	in_hub(last_body, &last);
	cr_assert_eq(last.served, QUEUED, "%d served, %d reset", last.served, last.reset);
	cr_assert_gt(last.refusals, 0);
	cr_assert_eq(last.result, 0, "%s", strerror(last.error));
}

Test(stopping, without_files_a_stop_lets_those_go_who_wait_one_by_one)
{
	struct last last = {.is_short = true, .time = 100 * HUB_MILLISECOND};

	if (on_valgrind())
		cr_skip_test("it has descriptors of its own");
	in_hub(last_body, &last);
	cr_assert_eq(last.ended, QUEUED, "%d ended, %d reset, %d served", last.ended, last.reset,
		last.served);
	cr_assert_eq(last.error, ETIMEDOUT, "%s", strerror(last.error));
}

Test(stopping, a_stop_that_is_killed_resets_none_either)
{
	struct last last = {.is_killed = true, .time = 20 * HUB_SECOND};

	in_hub(last_body, &last);
	cr_assert_eq(last.ended, QUEUED, "%d ended, %d reset, %d served", last.ended, last.reset,
		last.served);
	cr_assert_eq(last.error, ECANCELED, "%s", strerror(last.error));
}

static void
keep_error(void *context, int error, bool will_wait)
{
	struct last *last = context;

	(void)will_wait;
	last->error = error;
}

static void *
queue_body(void *argument)
{
	struct last *last = argument;
	struct hub_server_options options = {.may_accept = has_permit, .not_accepted = give_back};
	int client, results[5], error;

	last->listener = hub_create_server("127.0.0.1", "0", 0);
	last->server = hub_stream_server_new(last->listener, serving_echo, last, &options);
	results[0] = hub_server_accept_queued(last->server);
	client = serving_connect(last->listener);
	results[1] = hub_server_accept_queued(last->server);
	error = errno;
	last->permits = 1;
	results[2] = hub_server_accept_queued(last->server);
	last->permits = 1;
	results[3] = hub_server_accept_queued(last->server);
	results[4] = (int)hub_server_dismiss(last->server, HUB_SECOND);
	last->result = results[0] == 0 && results[1] == -1 && results[2] == 1 && results[3] == 0 &&
		       results[4] == 0;
	last->error = error;
	hub_close(client);
	hub_server_stop(last->server, HUB_SECOND);
	hub_server_free(last->server);
	return NULL;
}

static void *
empty_body(void *argument)
{
	struct last *last = argument;
	struct hub_server_options options = {.accept_failed = keep_error};
	struct rlimit before, low;
	int client, next;

	last->listener = hub_create_server("127.0.0.1", "0", 0);
	last->server = hub_stream_server_new(last->listener, serving_echo, last, &options);
	client = serving_connect(last->listener);
	last->served = hub_server_accept_queued(last->server);
	next = dup(client);
	close(next);
	getrlimit(RLIMIT_NOFILE, &before);
	low = (struct rlimit){(rlim_t)next, before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &low);
	last->result = hub_server_accept_queued(last->server);
	setrlimit(RLIMIT_NOFILE, &before);
	hub_close(client);
	hub_server_stop(last->server, HUB_SECOND);
	hub_server_free(last->server);
	return NULL;
}

/* The kernel says EMFILE before it looks. */
Test(stopping, an_empty_queue_is_empty_without_files_too)
{
	struct last last = {.result = -1};

	in_hub(empty_body, &last);
	cr_assert_eq(last.served, 1);
	cr_assert_eq(last.result, 0);
	cr_assert_eq(last.error, 0, "nobody was refused: %s", strerror(last.error));
}

Test(stopping, an_empty_queue_is_not_one_that_must_wait)
{
	struct last last = {0};

	in_hub(queue_body, &last);
	cr_assert(last.result);
	cr_assert_eq(last.error, EAGAIN);
	cr_assert_eq(last.permits, 1);
}
