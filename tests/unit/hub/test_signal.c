/* Signals are handled by coroutines, and given back. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "hub/scheduler_priv.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

struct record {
	int number, runs;
	int slept; /* what the handler's sleep has returned */
	struct hub_event event;
};

static void
on_usr1(int number, void *context)
{
	struct record *record = context;

	/* It may block. */
	record->slept |= hub_sleep(HUB_MILLISECOND);
	record->number = number;
	record->runs++;
	hub_event_set(&record->event);
}

static void
say_start(const char *name, int number, struct record *record)
{
	trace_pointer(name, hub_signal_start(number, on_usr1, record));
}

static void *
other_hub(void *argument)
{
	say_start("another hub's", SIGUSR1, argument);
	return NULL;
}

static void *
other_thread(void *argument)
{
	hub_run(other_hub, argument, NULL);
	return NULL;
}

static void *
body(void *argument)
{
	struct record *record = argument;
	struct hub_signal *signal = hub_signal_start(SIGUSR1, on_usr1, record);
	struct hub_signal *second;
	pthread_t thread;

	kill(getpid(), SIGUSR1);
	/* Nothing but the signal can end this wait, and that is no deadlock. */
	trace_call("wait", hub_event_wait(&record->event));
	pthread_create(&thread, NULL, other_thread, record);
	pthread_join(thread, NULL);
	second = hub_signal_start(SIGUSR1, on_usr1, record);
	hub_event_clear(&record->event);
	kill(getpid(), SIGUSR1);
	while (record->runs < 3)
		hub_sleep(HUB_MILLISECOND);
	hub_signal_stop(second);
	hub_signal_stop(signal);
	say_start("a kill", SIGKILL, record);
	say_start("none", 0, record);
	say_start("the C library's", 33, record);
	say_start("the watchdog's", SIGURG, record);
	/* Left to the end of the hub. */
	hub_signal_start(SIGUSR2, on_usr1, record);
	return NULL;
}

Test(signal, handlers_are_coroutines_and_the_old_action_comes_back)
{
	struct record record = {0};
	struct sigaction action;

	signal(SIGUSR1, SIG_IGN);
	in_hub(body, &record);
	cr_assert_str_eq(trace_text(), "wait 0, another hub's EBUSY, a kill EINVAL, none EINVAL, "
				       "the C library's EINVAL, the watchdog's EINVAL");
	cr_assert_eq(record.number, SIGUSR1);
	cr_assert_eq(record.runs, 3);
	cr_assert_eq(record.slept, 0);
	sigaction(SIGUSR1, NULL, &action);
	cr_assert_eq(action.sa_handler, SIG_IGN);
	sigaction(SIGUSR2, NULL, &action);
	cr_assert_eq(action.sa_handler, SIG_DFL);
}

/* ---- stopped between a signal and its handler ---- */

static void *
stop_body(void *argument)
{
	struct record *record = argument;
	struct hub_signal *signal = hub_signal_start(SIGUSR1, on_usr1, record);

	kill(getpid(), SIGUSR1);
	/* The handler's coroutine is there, behind this one in the queue. */
	while (hub_this->scheduled == 1)
		hub_sleep(0);
	hub_signal_stop(signal);
	while (hub_this->scheduled > 1)
		hub_sleep(0);
	return NULL;
}

Test(signal, once_stopped_its_handler_does_not_begin)
{
	struct record record = {0};

	in_hub(stop_body, &record);
	cr_assert_eq(record.runs, 0);
}
