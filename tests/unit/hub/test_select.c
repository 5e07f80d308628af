/* A select: exactly one case happens, and nothing else; when it ends without any; whose turn it is.
 * What is gone before it looks is in test_select_gone.c. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static struct hub_channel channel;
static struct hub_event event;
static struct hub_semaphore semaphore;
static struct hub_queue *queue, *full;
static struct hub_result result;
static int pair[2];

enum what {
	CHANNEL_GET,
	CHANNEL_PUT,
	QUEUE_GET,
	QUEUE_PUT,
	EVENT,
	RESULT,
	SEMAPHORE,
	ENDED,
	READABLE,
	WHATS,
	NEVER = WHATS,
	CASES
};

static const char *const names[] = {"channel get", "channel put", "queue get", "queue put", "event",
	"result", "semaphore", "ended", "readable", "never"};

static void *
give_back(void *argument)
{
	return argument;
}

static void *
trigger(void *argument)
{
	void *item;

	hub_sleep(HUB_MILLISECOND);
	switch ((enum what)(intptr_t)argument) {
	case CHANNEL_GET:
		hub_channel_put(&channel, "from channel");
		break;
	case CHANNEL_PUT:
		hub_channel_get(&channel, &item);
		trace_say("got '%s'", (char *)item);
		break;
	case QUEUE_GET:
		hub_queue_put(queue, "from queue");
		break;
	case QUEUE_PUT:
		hub_queue_get(full, &item);
		break;
	case EVENT:
		hub_event_set(&event);
		break;
	case RESULT:
		hub_result_set(&result, NULL);
		break;
	case SEMAPHORE:
		hub_semaphore_release(&semaphore);
		break;
	case READABLE:
		hub_send(pair[0], "x", 1, 0);
		break;
	default:
		break; /* it ends */
	}
	return NULL;
}

/* Says which case happens of everything there is, of which what the trigger does can happen. */
static void
select_all(enum what what)
{
	struct hub_coroutine *ends = hub_spawn(trigger, (void *)(intptr_t)what),
			     *never = hub_spawn_later(HUB_FOREVER, give_back, NULL);
	struct hub_case cases[CASES] = {
		[CHANNEL_GET] = hub_case_channel_get(&channel),
		[CHANNEL_PUT] = hub_case_channel_put(&channel, "to channel"),
		[QUEUE_GET] = hub_case_get(queue),
		[QUEUE_PUT] = hub_case_put(full, "more"),
		[EVENT] = hub_case_event(&event),
		[RESULT] = hub_case_result(&result),
		[SEMAPHORE] = hub_case_semaphore(&semaphore),
		[ENDED] = hub_case_ended(what == ENDED ? ends : never),
		[READABLE] = hub_case_fd(pair[1], POLLIN),
	};
	int index;

	/* A channel's two cases would meet each other's partners; one at a time. */
	cases[what == CHANNEL_GET ? CHANNEL_PUT : CHANNEL_GET].kind = HUB_CASE_NEVER;
	index = hub_select(cases, CASES, 10 * HUB_SECOND);
	hub_join(ends, NULL);
	hub_kill(never);
	hub_join(never, NULL);
	if (index == -1 || cases[index].error != 0)
		trace_say("%s: %d, %d", names[what], index, cases[what].error);
	else if (index == CHANNEL_GET || index == QUEUE_GET)
		trace_say("%s '%s'", names[index], (char *)cases[index].item);
	else
		trace_say("%s", names[index]);
}

static void *
every_body(void *argument)
{
	char byte;
	void *item;

	hub_semaphore_init(&semaphore, 0);
	queue = hub_queue_new(HUB_QUEUE_FIFO, 0);
	full = hub_queue_new(HUB_QUEUE_FIFO, 1);
	hub_queue_put(full, "first");
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	for (enum what what = 0; what < WHATS; what++) {
		select_all(what);
		hub_event_clear(&event);
		hub_result_init(&result);
	}
	/* Nothing was taken or put but what happened. */
	trace_say("queues of %zu and %zu", hub_queue_size(queue), hub_queue_size(full));
	hub_queue_get(full, &item);
	trace_say("'%s'", (char *)item);
	trace_whether("released", hub_semaphore_try_acquire(&semaphore) == 0);
	trace_call("recv", hub_recv(pair[1], &byte, 1, MSG_DONTWAIT));
	hub_close(pair[0]);
	hub_close(pair[1]);
	hub_queue_free(queue);
	hub_queue_free(full);
	return argument;
}

Test(select, exactly_the_case_that_can_happens)
{
	in_hub(every_body, NULL);
	cr_assert_str_eq(trace_text(), "channel get 'from channel', got 'to channel', channel put, "
				       "queue get 'from queue', "
				       "queue put, event, result, semaphore, ended, readable, "
				       "queues of 0 and 1, 'more', not released, recv 1");
}

static void *
close_channel(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	hub_channel_close(&channel);
	return argument;
}

static void *
close_fd(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	hub_close(pair[1]);
	return argument;
}

/* Says that the first case ended it, and with which error. */
static void
say_first(const char *name, struct hub_case cases[2])
{
	if (trace_whether("first", hub_select(cases, 2, HUB_FOREVER) == 0))
		trace_error(name, cases[0].error);
}

static void *
end_body(void *argument)
{
	struct hub_case cases[2] = {hub_case_channel_get(&channel), hub_case_event(&event)};
	struct hub_timeout scope;

	trace_call("at once", hub_select(cases, 2, 0));
	trace_call("soon", hub_select(cases, 2, HUB_MILLISECOND));
	hub_timeout_start(&scope, HUB_MILLISECOND);
	trace_call("in a scope", hub_select(cases, 2, 10 * HUB_SECOND));
	trace_whether("expired", hub_timeout_stop(&scope));
	trace_call("for ever", hub_select(cases, 2, HUB_FOREVER));
	trace_call("nothing", hub_select(NULL, 0, HUB_MILLISECOND));
	trace_call("nothing for ever", hub_select(NULL, 0, HUB_FOREVER));
	hub_detach(hub_spawn(close_channel, NULL));
	say_first("closed channel", cases);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	cases[0] = hub_case_fd(pair[1], POLLIN);
	hub_detach(hub_spawn(close_fd, NULL));
	say_first("closed descriptor", cases);
	cases[0] = hub_case_fd(-1, POLLIN);
	say_first("no descriptor", cases);
	hub_close(pair[0]);
	return argument;
}

Test(select, ends_by_time_by_a_deadlock_and_by_what_is_closed)
{
	in_hub(end_body, NULL);
	cr_assert_str_eq(trace_text(),
		"at once EAGAIN, soon EAGAIN, in a scope ETIMEDOUT, expired, for ever EDEADLK, "
		"nothing EAGAIN, nothing for ever EINVAL, first, closed channel EPIPE, first, "
		"closed descriptor EBADF, first, no descriptor EBADF");
}

struct turns {
	int first, second;
};

static void *
turns_body(void *argument)
{
	struct turns *turns = argument;
	struct hub_event one = {.is_set = true}, other = {.is_set = true};

	for (int i = 0; i < 100; i++) {
		struct hub_case cases[2] = {hub_case_event(&one), hub_case_event(&other)};

		++*(hub_select(cases, 2, 0) == 0 ? &turns->first : &turns->second);
	}
	return NULL;
}

Test(select, cases_that_are_always_ready_take_turns)
{
	struct turns turns = {0};

	in_hub(turns_body, &turns);
	cr_assert_geq(turns.first, 10);
	cr_assert_geq(turns.second, 10);
}

static void *
many_body(void *argument)
{
	struct hub_event events[40] = {0};
	struct hub_case cases[40];

	for (int i = 0; i < 40; i++)
		cases[i] = hub_case_event(&events[i]);
	trace_call("none", hub_select(cases, 40, HUB_MILLISECOND));
	hub_event_set(&events[33]);
	trace_call("one", hub_select(cases, 40, HUB_MILLISECOND));
	return argument;
}

Test(select, many_cases)
{
	in_hub(many_body, NULL);
	cr_assert_str_eq(trace_text(), "none EAGAIN, one 33");
}

static void *
empty_and_set(void *argument)
{
	char byte;

	hub_wait_fd(pair[1], POLLIN);
	hub_recv(pair[1], &byte, 1, MSG_DONTWAIT);
	hub_event_set(&event);
	return argument;
}

static void *
write_byte(void *argument)
{
	hub_send(pair[0], "x", 1, 0);
	return argument;
}

static void *
emptied_body(void *argument)
{
	int *error = argument;
	struct hub_case cases[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	for (int i = 0; i < 200; i++) {
		struct hub_coroutine *other = NULL, *writer;

		hub_event_clear(&event);
		cases[0] = hub_case_fd(pair[1], POLLIN);
		cases[1] = hub_case_event(&event);
		/* Whichever of the two is woken first by the descriptor. */
		if (i % 2 == 0)
			other = hub_spawn(empty_and_set, NULL);
		writer = hub_spawn(write_byte, NULL);
		if (i % 2 != 0)
			other = hub_spawn_later(0, empty_and_set, NULL);
		if (hub_select(cases, 2, 5 * HUB_SECOND) < 0)
			*error = errno;
		hub_join(writer, NULL);
		hub_join(other, NULL);
	}
	hub_close(pair[0]);
	hub_close(pair[1]);
	return NULL;
}

Test(select, what_happens_between_a_readiness_that_is_gone_and_its_turn_is_not_lost)
{
	int error = 0;

	in_hub(emptied_body, &error);
	cr_assert_eq(error, 0, "%s", strerror(error));
}
