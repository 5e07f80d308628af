/* Misuse that would corrupt the program's memory, or run the wrong code: coroutines, and what they
 * wait for, used on a thread that is not theirs, or when they are gone. */
#include <errno.h>
#include <pthread.h>

#include "tests/support/in_hub.h"
#include "tests/unit/hub/misuse.h"

/* A coroutine that is gone; the slot is free. */
static struct hub_coroutine *
joined(void)
{
	struct hub_coroutine *coroutine = hub_spawn(misuse_end_at_once, NULL);

	hub_join(coroutine, NULL);
	return coroutine;
}

static struct hub_coroutine *
freed(void)
{
	struct hub_coroutine *coroutine = hub_new(misuse_switch_back);

	hub_switch(coroutine, NULL);
	hub_free(coroutine);
	return coroutine;
}

/* ---- the thread is not the coroutine's ---- */

static void *
do_switch(void *coroutine)
{
	return hub_switch(coroutine, NULL);
}

static void *
do_throw(void *coroutine)
{
	return hub_throw(coroutine, EIO);
}

static void *
do_free(void *coroutine)
{
	hub_free(coroutine);
	return NULL;
}

static void *
do_kill(void *coroutine)
{
	hub_kill(coroutine);
	return NULL;
}

static void *
do_join(void *coroutine)
{
	hub_join(coroutine, NULL);
	return NULL;
}

static void *
do_detach(void *coroutine)
{
	hub_detach(coroutine);
	return NULL;
}

static void *
do_interrupt(void *coroutine)
{
	hub_interrupt(coroutine);
	return NULL;
}

static void *
do_link(void *coroutine)
{
	static struct hub_link link;

	hub_link(coroutine, &link);
	return NULL;
}

static void *
do_result_link(void *coroutine)
{
	static struct hub_result result;

	hub_result_link(&result, coroutine);
	return NULL;
}

static void *
do_wait_ended(void *coroutine)
{
	struct hub_coroutine *coroutines[] = {coroutine};
	size_t ended;

	hub_wait_ended(coroutines, 1, 1, 0, &ended);
	return NULL;
}

static void *
do_set_name(void *coroutine)
{
	hub_set_name(coroutine, "somebody else's");
	return NULL;
}

static void *
do_set_critical(void *coroutine)
{
	hub_set_critical(coroutine);
	return NULL;
}

static void *
do_failure_of(void *coroutine)
{
	return (void *)(uintptr_t)hub_failure_of(coroutine);
}

static void *
do_set_parent(void *coroutine)
{
	hub_set_parent(coroutine, coroutine);
	return NULL;
}

static void *
do_get(void *coroutine)
{
	struct hub_failure failure;

	hub_get(coroutine, NULL, &failure);
	return NULL;
}

static void *
do_next(void *generator)
{
	void *value;

	hub_generator_next(generator, &value);
	return NULL;
}

static void *
do_generator_free(void *generator)
{
	hub_generator_free(generator);
	return NULL;
}

static void *
do_set_event(void *event)
{
	hub_event_set(event);
	return NULL;
}

/* Another thread, without a hub and with one. */
static void *
of_plain_thread(void *function)
{
	misuse_in_thread(function, hub_spawn(misuse_idle, NULL));
	return NULL;
}

static void *
of_other_hub(void *function)
{
	misuse_in_other_hub(function, hub_spawn(misuse_idle, NULL));
	return NULL;
}

static void *
raw_of_plain_thread(void *function)
{
	misuse_in_thread(function, hub_new(misuse_switch_back));
	return NULL;
}

static void *
raw_of_other_hub(void *function)
{
	misuse_in_other_hub(function, hub_new(misuse_switch_back));
	return NULL;
}

static void *
generator_of_other_hub(void *function)
{
	misuse_in_other_hub(function, hub_generator_new(misuse_yield_for_ever, NULL));
	return NULL;
}

static void *
event_of_plain_thread(void *function)
{
	static struct hub_event event;

	hub_detach(hub_spawn(misuse_wait_for_event, &event));
	hub_sleep(0);
	misuse_in_thread(function, &event);
	return NULL;
}

/* Its thread has ended, and another one, whose coroutines may lie where it lay, uses it. */
static void *
make_raw(void *where)
{
	*(struct hub_coroutine **)where = hub_new(misuse_switch_back);
	return NULL;
}

static void *
use_beside_own(void *function)
{
	struct visit *visit = function;

	for (int i = 0; i < 100; i++)
		hub_new(misuse_switch_back);
	return visit->function(visit->argument);
}

static void *
raw_of_ended_thread(void *function)
{
	struct hub_coroutine *coroutine;
	struct visit visit = {function, NULL};

	misuse_in_thread(make_raw, &coroutine);
	visit.argument = coroutine;
	misuse_in_thread(use_beside_own, &visit);
	return NULL;
}

/* ---- it is gone ---- */

static void *
of_joined(void *function)
{
	return ((hub_fn *)function)(joined());
}

static void *
of_freed(void *function)
{
	return ((hub_fn *)function)(freed());
}

/* ---- the table ---- */

#define NOT_OWN "used on a thread that is not its own"
#define SWITCH_NOT_OWN "of another thread, or of one that has ended"
#define GONE "a coroutine is used that is gone"

static const struct misuse misuses[] = {
	{"switch, plain thread", raw_of_plain_thread, do_switch, SWITCH_NOT_OWN, false},
	{"switch, other hub", raw_of_other_hub, do_switch, SWITCH_NOT_OWN, false},
	{"switch, thread ended", raw_of_ended_thread, do_switch, SWITCH_NOT_OWN, true},
	{"switch, freed", of_freed, do_switch, "that was freed", false},
	{"throw, plain thread", raw_of_plain_thread, do_throw, SWITCH_NOT_OWN, false},
	{"throw, other hub", raw_of_other_hub, do_throw, SWITCH_NOT_OWN, false},
	{"throw, thread ended", raw_of_ended_thread, do_throw, SWITCH_NOT_OWN, true},
	{"throw, freed", of_freed, do_throw, "that was freed", false},
	{"free, plain thread", raw_of_plain_thread, do_free, NOT_OWN, false},
	{"free, other hub", raw_of_other_hub, do_free, NOT_OWN, false},
	{"free, thread ended", raw_of_ended_thread, do_free, NOT_OWN, true},
	{"free, freed", of_freed, do_free, GONE, false},
	{"set_parent, other hub", raw_of_other_hub, do_set_parent, NOT_OWN, false},
	{"set_parent, freed", of_freed, do_set_parent, GONE, false},
	{"kill, plain thread", of_plain_thread, do_kill, NOT_OWN, false},
	{"kill, other hub", of_other_hub, do_kill, NOT_OWN, false},
	{"kill, joined", of_joined, do_kill, GONE, false},
	{"join, other hub", of_other_hub, do_join, NOT_OWN, false},
	{"join, joined", of_joined, do_join, GONE, false},
	{"get, other hub", of_other_hub, do_get, NOT_OWN, false},
	{"get, joined", of_joined, do_get, GONE, false},
	{"detach, plain thread", of_plain_thread, do_detach, NOT_OWN, false},
	{"detach, other hub", of_other_hub, do_detach, NOT_OWN, false},
	{"detach, joined", of_joined, do_detach, GONE, false},
	{"interrupt, plain thread", of_plain_thread, do_interrupt, NOT_OWN, false},
	{"interrupt, joined", of_joined, do_interrupt, GONE, false},
	{"link, plain thread", of_plain_thread, do_link, NOT_OWN, false},
	{"link, other hub", of_other_hub, do_link, NOT_OWN, false},
	{"link, joined", of_joined, do_link, GONE, false},
	{"result_link, other hub", of_other_hub, do_result_link, NOT_OWN, false},
	{"result_link, joined", of_joined, do_result_link, GONE, false},
	{"wait_ended, other hub", of_other_hub, do_wait_ended, NOT_OWN, false},
	{"wait_ended, joined", of_joined, do_wait_ended, GONE, false},
	{"set_name, other hub", of_other_hub, do_set_name, NOT_OWN, false},
	{"set_name, joined", of_joined, do_set_name, GONE, false},
	{"set_critical, joined", of_joined, do_set_critical, GONE, false},
	{"failure_of, joined", of_joined, do_failure_of, GONE, false},
	{"next, other hub", generator_of_other_hub, do_next, SWITCH_NOT_OWN, false},
	{"generator_free, other hub", generator_of_other_hub, do_generator_free, NOT_OWN, false},
	{"event_set, plain thread", event_of_plain_thread, do_set_event, "is not its own", false},
};

Test(misuse_of_coroutines, ends_the_process_with_a_sentence, .timeout = 120)
{
	misuse_expect_sentences(misuses, sizeof misuses / sizeof misuses[0]);
}
