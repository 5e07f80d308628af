/* Forks: what a child has of its parent's hubs, and who is told. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/fork_priv.h"
#include "hub/record_priv.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

struct record {
	int fork_error; /* of hub_fork in a hub */
	int status;     /* of the child */
	int slept;      /* what the parent's sleep has returned afterwards */
	bool goes_on;   /* the parent's other coroutine */
	int others;
};

static struct record *current;
static int forks;

static void
count_fork(void)
{
	forks++;
}

static void *
count_others(void *argument)
{
	for (;;) {
		current->others++;
		if (hub_sleep(HUB_MILLISECOND) != 0)
			return argument;
	}
}

static void *
fresh_body(void *argument)
{
	/* The parent's coroutine does not run here, and everything works. */
	int before = current->others;
	struct hub_coroutine *own = hub_spawn(count_others, NULL);

	hub_sleep(5 * HUB_MILLISECOND);
	hub_kill(own);
	hub_join(own, NULL);
	return current->others > before ? argument : NULL;
}

/* As _exit, but not declared to be the end: AddressSanitizer would look for the rest of a stack
 * that it does not know, since the child is on a coroutine's. */
static void
leave(long code)
{
	syscall(SYS_exit_group, code);
}

static void
child_main(void)
{
	void *result = NULL;

	if (hub_sleep(0) != -1 || errno != EPERM || hub_current() != NULL)
		leave(2);
	if (forks != 1)
		leave(3);
	if (hub_run(fresh_body, "", &result) != 0 || result == NULL)
		leave(4);
	leave(0);
}

static void *
fork_body(void *argument)
{
	struct hub_coroutine *other = hub_spawn(count_others, NULL);
	struct hub_signal *signal = NULL;
	pid_t child;
	int before;

	current = argument;
	hub_sleep(2 * HUB_MILLISECOND);
	current->fork_error = hub_fork() == -1 ? errno : 0;
	signal = hub_signal_start(SIGUSR1, NULL, NULL);
	child = fork();
	if (child == 0)
		child_main();
	hub_waitpid(child, &current->status);
	hub_signal_stop(signal);
	/* And the parent's hub lives on. */
	before = current->others;
	current->slept = hub_sleep(10 * HUB_MILLISECOND);
	current->goes_on = current->others > before;
	hub_kill(other);
	hub_join(other, NULL);
	return NULL;
}

Test(fork, a_child_has_a_fresh_hub_and_the_parent_keeps_its_own)
{
	struct record record = {0};
	pid_t child;
	int status = -1;

	if (on_valgrind())
		cr_skip_test("it has no pidfd_open");
	cr_assert_eq(hub_at_fork(NULL, NULL, count_fork), 0);
	in_hub(fork_body, &record);
	cr_assert_eq(record.fork_error, EBUSY);
	cr_assert(WIFEXITED(record.status), "status %x", record.status);
	cr_assert_eq(WEXITSTATUS(record.status), 0, "%d", WEXITSTATUS(record.status));
	cr_assert_eq(record.slept, 0);
	cr_assert(record.goes_on);
	child = hub_fork();
	if (child == 0)
		_exit(0);
	cr_assert_gt(child, 0);
	waitpid(child, &status, 0);
	cr_assert_eq(status, 0);
}

static void
reset_first(void)
{
	trace_say("first reset");
}

static void
reset_second(void)
{
	trace_say("second reset");
}

static void
call_last(void)
{
	trace_say("the program");
}

Test(fork, children_are_reset_in_order_before_the_program_is_called)
{
	pid_t child;
	int status = -1;

	cr_assert_eq(hub_at_fork(NULL, NULL, call_last), 0);
	fork_on_child(reset_first);
	fork_on_child(reset_second);
	child = hub_fork();
	if (child == 0)
		_exit(strcmp(trace_text(), "first reset, second reset, the program") != 0);
	cr_assert_gt(child, 0);
	waitpid(child, &status, 0);
	cr_assert_eq(status, 0);
	cr_assert_str_empty(trace_text(), "the parent was reset");
}

/* ---- hubs of the parent's, of this thread and another one ---- */

struct posting {
	struct hub_mailbox *mailboxes[2];
	struct hub_shared_event *event;
	struct hub_shared_semaphore *is_there, *may_end;
	int status;
};

static void *
be_there(void *argument)
{
	struct posting *record = argument;

	record->mailboxes[1] = hub_mailbox();
	hub_shared_semaphore_release(record->is_there);
	hub_shared_semaphore_acquire(record->may_end);
	return NULL;
}

static void *
be_another(void *argument)
{
	hub_run(be_there, argument, NULL);
	return NULL;
}

static void *
await_event(void *argument)
{
	hub_shared_event_wait(((struct posting *)argument)->event);
	return NULL;
}

static void
do_nothing(struct hub_message *message)
{
	(void)message;
}

/* What the child posts would be seen, had it been taken. */
static void
post_as_child(struct posting *record)
{
	static struct hub_message messages[2] = {{.deliver = do_nothing}, {.deliver = do_nothing}};

	hub_shared_event_set(record->event);
	for (int i = 0; i < 2; i++) {
		hub_mailbox_post(record->mailboxes[i], &messages[i]);
		if (record->mailboxes[i]->newest != NULL)
			leave(1);
	}
	leave(0);
}

static void *
posting_body(void *argument)
{
	struct posting *record = argument;
	struct hub_coroutine *waiter = hub_spawn(await_event, record);
	pthread_t thread;
	pid_t pid;

	pthread_create(&thread, NULL, be_another, record);
	hub_shared_semaphore_acquire(record->is_there);
	hub_sleep(0);
	record->mailboxes[0] = hub_mailbox();
	pid = fork();
	if (pid == 0)
		post_as_child(record);
	hub_waitpid(pid, &record->status);
	hub_shared_semaphore_release(record->may_end);
	pthread_join(thread, NULL);
	hub_shared_event_set(record->event);
	hub_join(waiter, NULL);
	return NULL;
}

Test(fork, a_child_posts_nothing_to_hubs_of_the_parents, .timeout = 60)
{
	struct posting record = {.event = hub_shared_event_new(),
		.is_there = hub_shared_semaphore_new(0),
		.may_end = hub_shared_semaphore_new(0),
		.status = -1};

	in_hub(posting_body, &record);
	cr_assert_eq(record.status, 0);
	hub_shared_event_free(record.event);
	hub_shared_semaphore_free(record.is_there);
	hub_shared_semaphore_free(record.may_end);
}
