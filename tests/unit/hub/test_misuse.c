/* Misuse that would corrupt the program's memory, or run the wrong code: scopes, objects in use,
 * callbacks; and misuse that fails. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/misuse.h"

/* ---- scopes and nurseries ---- */

static __attribute__((noinline)) void *
leave_nursery_open(void *argument)
{
	struct hub_nursery nursery;

	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, misuse_idle, NULL);
	return argument;
}

#ifndef __SANITIZE_ADDRESS__ /* which tells of these itself */
static __attribute__((noinline)) void
leave_scope_started(void)
{
	struct hub_timeout scope;

	hub_timeout_start(&scope, HUB_SECOND);
	/* The frame is left; the compiler is not to see that. */
	__asm__ volatile("" : : "r"(&scope) : "memory");
}

static void *
leave_nursery_to_caller(void *argument)
{
	struct hub_timeout scope;

	leave_nursery_open(NULL);
	hub_timeout_start(&scope, HUB_SECOND);
	return argument;
}

static void *
leave_scope_to_caller(void *argument)
{
	struct hub_timeout shield;

	leave_scope_started();
	hub_shield_start(&shield);
	return argument;
}
#endif

static void *
start_twice(void *argument)
{
	struct hub_timeout outer, inner;

	hub_timeout_start(&outer, HUB_SECOND);
	hub_timeout_start(&inner, HUB_SECOND);
	hub_timeout_start(&outer, HUB_SECOND);
	return argument;
}

static void *
free_with_nursery(void *argument)
{
	struct hub_nursery nursery;

	hub_nursery_open(&nursery);
	hub_switch(hub_parent(hub_current()), NULL);
	return argument;
}

static void *
free_one_with_nursery(void *argument)
{
	struct hub_coroutine *coroutine = hub_new(free_with_nursery);

	hub_switch(coroutine, NULL);
	hub_free(coroutine);
	return argument;
}

static void *
close_twice(void *argument)
{
	struct hub_nursery nursery;

	hub_nursery_open(&nursery);
	hub_nursery_close(&nursery);
	hub_nursery_close(&nursery);
	return argument;
}

/* ---- objects that somebody uses ---- */

static bool
never_next(void *input, void **argument)
{
	(void)input, (void)argument;
	return hub_sleep(HUB_FOREVER) == 0;
}

static void *
wait_for_next(void *imap)
{
	struct hub_failure failure;
	void *result;

	hub_imap_next(imap, &result, &failure);
	return NULL;
}

static void *
free_imap_waited_for(void *argument)
{
	static struct hub_pool pool;
	struct hub_imap *imap;

	hub_pool_init(&pool, 1);
	imap = hub_imap_new(&pool, misuse_end_at_once, never_next, NULL, 1, HUB_IMAP_ORDERED);
	hub_go(wait_for_next, imap);
	hub_sleep(0);
	hub_imap_free(imap);
	return argument;
}

static void *
get_one(void *queue)
{
	void *item;

	hub_queue_get(queue, &item);
	return NULL;
}

static void *
free_queue_waited_for(void *argument)
{
	struct hub_queue *queue = hub_queue_new(HUB_QUEUE_FIFO, 0);

	hub_go(get_one, queue);
	hub_sleep(0);
	hub_queue_free(queue);
	return argument;
}

static void *
wait_for_process(void *process)
{
	hub_process_wait(process, NULL);
	return NULL;
}

static void *
communicate(void *process)
{
	hub_process_communicate(process, NULL, 0, NULL);
	return NULL;
}

static void *
free_process_in(void *function)
{
	char *const arguments[] = {"sleep", "5", NULL};
	static const struct hub_process_options options = {
		.streams = {HUB_PROCESS_NULL, HUB_PROCESS_PIPE, HUB_PROCESS_NULL}};
	struct hub_process *process = hub_process_start(arguments, &options);

	hub_go((hub_fn *)function, process);
	hub_sleep(0);
	hub_process_free(process);
	return NULL;
}

static void *
stop_signal(void *signal)
{
	hub_signal_stop(signal);
	return NULL;
}

static void
ignore(int number, void *context)
{
	(void)number, (void)context;
}

static void *
signal_of_other_hub(void *function)
{
	misuse_in_other_hub(function, hub_signal_start(SIGUSR1, ignore, NULL));
	return NULL;
}

/* ---- callbacks ---- */

static void
switch_in_link(struct hub_link *link, struct hub_coroutine *coroutine)
{
	(void)link, (void)coroutine;
	hub_switch(hub_new(misuse_switch_back), NULL);
}

static void *
switch_in_a_link(void *argument)
{
	static struct hub_link link = {.ended = switch_in_link};
	struct hub_coroutine *coroutine = hub_spawn(misuse_end_at_once, NULL);

	hub_link(coroutine, &link);
	hub_join(coroutine, NULL);
	return argument;
}

static struct hub_mailbox *mailbox;

static void *
ask_mailbox(void *argument)
{
	mailbox = hub_mailbox();
	return argument;
}

static void *
post_afterwards(void *argument)
{
	static struct hub_message message;

	hub_run(ask_mailbox, NULL, NULL);
	hub_mailbox_post(mailbox, &message);
	return argument;
}

/* ---- the table ---- */

static const struct misuse misuses[] = {
	{"nursery, open at the end", leave_nursery_open, NULL, "without closing its nursery",
		false},
	{"nursery, freed with it", free_one_with_nursery, NULL, "has a nursery open", false},
	{"nursery, closed twice", close_twice, NULL, "reverse order", false},
	{"scope, started twice", start_twice, NULL, "that was not stopped", false},
#ifndef __SANITIZE_ADDRESS__
	{"nursery, opener returned", leave_nursery_to_caller, NULL, "a function has returned",
		false},
	{"scope, starter returned", leave_scope_to_caller, NULL, "a function has returned", false},
#endif
	{"imap, freed in use", free_imap_waited_for, NULL, "waits for its next result", false},
	{"queue, freed in use", free_queue_waited_for, NULL, "for which somebody waits", false},
	{"signal, other hub", signal_of_other_hub, stop_signal, "is not its own", false},
	{"switch, in a link", switch_in_a_link, NULL, "in the callback of a link", false},
	{"post, hub ended", post_afterwards, NULL, "to a hub that has ended", true},
};

Test(misuse, ends_the_process_with_a_sentence, .timeout = 120)
{
	misuse_expect_sentences(misuses, sizeof misuses / sizeof misuses[0]);
}

Test(misuse, of_processes_ends_the_process_with_a_sentence, .timeout = 120)
{
	static const struct misuse of_processes[] = {
		{"process, freed in wait", free_process_in, wait_for_process, "waits for it",
			false},
		{"process, freed in use", free_process_in, communicate, "waits for it", false},
	};

	if (on_valgrind())
		cr_skip_test("it does not know pidfd_open(2)");
	misuse_expect_sentences(of_processes, 2);
}

/* ---- what fails ---- */

static void *
spawn_afterwards(void *argument)
{
	struct hub_nursery nursery;

	hub_nursery_open(&nursery);
	trace_call("close", hub_nursery_close(&nursery));
	errno = 0;
	trace_pointer("spawn", hub_nursery_spawn(&nursery, misuse_idle, NULL));
	return argument;
}

Test(misuse, spawning_into_a_closed_nursery_fails)
{
	in_hub(spawn_afterwards, NULL);
	cr_assert_str_eq(trace_text(), "close 0, spawn ECANCELED");
}

/* In a forked child, which nobody's coroutines run in, what a parent has made may be put away. */
static void *
clean_up_in_child(void *argument)
{
	struct hub_generator *generator = hub_generator_new(misuse_yield_for_ever, NULL);
	struct hub_coroutine *sleeper = hub_spawn(misuse_idle, NULL);
	struct hub_event event = {0};
	void *value;
	pid_t child;

	hub_generator_next(generator, &value);
	hub_go(misuse_wait_for_event, &event);
	hub_sleep(0);
	child = fork();
	if (child == 0) {
		hub_event_set(&event);
		hub_kill(sleeper);
		hub_generator_free(generator);
		_exit(0);
	}
	waitpid(child, argument, 0);
	hub_event_set(&event);
	hub_generator_free(generator);
	return NULL;
}

Test(misuse, is_not_what_a_forked_child_puts_away)
{
	int status = -1;

	in_hub(clean_up_in_child, &status);
	cr_assert_eq(status, 0);
}

/* One that blocks for a callback of the loop would continue the loop inside of it. */
static void *
block_and_yield(void *argument)
{
	trace_call("sleep", hub_sleep(HUB_MILLISECOND));
	trace_call("yield", hub_sleep(0));
	hub_yield("a value");
	return argument;
}

static void
generate(struct hub_message *message)
{
	struct hub_generator *generator = hub_generator_new(block_and_yield, NULL);
	void *value;

	(void)message;
	trace_whether("a value", hub_generator_next(generator, &value));
	trace_whether("another", hub_generator_next(generator, &value));
	hub_generator_free(generator);
}

static void *
deliver_body(void *argument)
{
	static struct hub_message message = {.deliver = generate};

	hub_mailbox_post(hub_mailbox(), &message);
	hub_sleep(10 * HUB_MILLISECOND);
	return argument;
}

Test(misuse, blocking_on_behalf_of_a_callback_fails)
{
	in_hub(deliver_body, NULL);
	cr_assert_str_eq(trace_text(), "sleep EPERM, yield EPERM, a value, not another");
}
