#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/journal.h"
#include "hub/base/log.h"
#include "tests/support/in_hub.h"

static void *
sleeper(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static void *
dump_body(void *argument)
{
	int *pipes = argument;
	struct hub_coroutine *coroutine = hub_spawn(sleeper, NULL);

	hub_set_name(coroutine, "the sleeper");
	hub_sleep(0);
	hub_dump(pipes[1]);
	return NULL;
}

Test(dump, names_every_coroutine_and_what_it_waits_for)
{
	char text[8192];
	ssize_t length;
	int pipes[2];

	cr_assert_eq(pipe(pipes), 0);
	in_hub(dump_body, pipes);
	length = read(pipes[0], text, sizeof text - 1);
	cr_assert_gt(length, 0);
	text[length] = '\0';
	cr_assert_not_null(strstr(text, "\"main\": running"));
	cr_assert_not_null(strstr(text, "\"the sleeper\": waits for sleep since "), "%s", text);
	cr_assert_not_null(strstr(text, "spawned at dump_body+"), "%s", text);
	cr_assert_not_null(strstr(text, "spawned at in_hub+"), "%s", text);
	cr_assert_not_null(strstr(text, "hub_sleep+"), "no backtrace: %s", text);
	cr_assert_not_null(strstr(text, " sleeper+"), "no backtrace: %s", text);
}

/* ---- what it says of a wait ---- */

/* Fds' numbers are among this page's addresses: a program that is loaded low has objects there. */
#define LOW_PAGE ((void *)0x100000)
#define FAR_FD 77

static struct {
	int pair[2];
	struct hub_lock *held;
	struct hub_lock left; /* by a coroutine that has ended */
	char holder[96];      /* what the dump should say of the wait for held */
} waits;

/* Waits on the fd, and closes it. */
static void *
reader(void *fd)
{
	char byte;

	hub_recv((int)(intptr_t)fd, &byte, 1, 0);
	hub_close((int)(intptr_t)fd);
	return NULL;
}

static void *
leaver(void *argument)
{
	hub_lock_acquire(&waits.left);
	return argument;
}

static void *
locker(void *lock)
{
	hub_lock_acquire(lock);
	return NULL;
}

static void *
waits_body(void *argument)
{
	int *pipes = argument;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, waits.pair);
	dup2(waits.pair[0], STDIN_FILENO);
	dup2(waits.pair[0], FAR_FD);
	close(waits.pair[0]);
	hub_set_name(hub_current(), "the holder");
	snprintf(waits.holder, sizeof waits.holder,
		": waits for lock (%p) of %p \"the holder\" since ", (void *)waits.held,
		(void *)hub_current());
	hub_lock_acquire(waits.held);
	hub_join(hub_spawn(leaver, NULL), NULL);
	hub_detach(hub_spawn(reader, (void *)(intptr_t)STDIN_FILENO));
	hub_detach(hub_spawn(reader, (void *)(intptr_t)FAR_FD));
	hub_detach(hub_spawn(locker, waits.held));
	hub_detach(hub_spawn(locker, &waits.left));
	hub_idle();
	hub_dump(pipes[1]);
	return NULL;
}

Test(dump, tells_the_fd_and_the_holder_of_a_lock)
{
	char text[8192], left[64];
	ssize_t length;
	int pipes[2];

	cr_assert_eq(pipe(pipes), 0);
	waits.held = mmap(LOW_PAGE, sizeof *waits.held, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	cr_assert_neq(waits.held, MAP_FAILED, "%m");
	in_hub(waits_body, pipes);
	length = read(pipes[0], text, sizeof text - 1);
	cr_assert_gt(length, 0);
	text[length] = '\0';
	cr_assert_not_null(strstr(text, ": waits for recv on fd 0 since "), "%s", text);
	cr_assert_not_null(strstr(text, ": waits for recv on fd 77 since "), "%s", text);
	cr_assert_not_null(strstr(text, waits.holder), "no %s: %s", waits.holder, text);
	snprintf(left, sizeof left, ": waits for lock (%p) since ", (void *)&waits.left);
	cr_assert_not_null(strstr(text, left), "no %s: %s", left, text);
	hub_close(waits.pair[1]);
}

Test(dump, in_the_journal_each_line_has_its_level)
{
	char stream[64], text[8192];
	struct stat status;
	ssize_t length;
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	cr_assert_eq(fstat(pair[1], &status), 0);
	snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)status.st_dev,
		(unsigned long long)status.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	journal_read_environment();
	in_hub(dump_body, pair);
	length = read(pair[0], text, sizeof text - 1);
	cr_assert_gt(length, 0);
	text[length] = '\0';
	cr_assert_not_null(strstr(text, "\n<3>    spawned at dump_body+"), "%s", text);
	cr_assert_not_null(strstr(text, "\n<3>    #1  "), "%s", text);
	for (char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
		cr_assert_eq(strncmp(line, "<3>  ", 5), 0, "%s", line);
	close(pair[0]);
	close(pair[1]);
}

/* Stands for JSON, which the library itself cannot make. */
static size_t
bracketed(char *line, size_t size, size_t most, const char *when, const char *program,
	const struct log_entry *entry)
{
	(void)most, (void)when, (void)program;
	return (size_t)snprintf(line, size, "[%.*s]\n", (int)entry->length, entry->message);
}

Test(dump, where_the_log_has_objects_each_line_is_one)
{
	char text[8192];
	ssize_t length;
	int pipes[2];

	cr_assert_eq(pipe(pipes), 0);
	log_json_by(bracketed);
	log_setup("test", LOG_INFO, LOG_JSON);
	dup2(pipes[1], STDERR_FILENO);
	close(pipes[1]);
	pipes[1] = STDERR_FILENO;
	in_hub(dump_body, pipes);
	length = read(pipes[0], text, sizeof text - 1);
	cr_assert_gt(length, 0);
	text[length] = '\0';
	cr_assert_not_null(strstr(text, "\n[    spawned at dump_body+"), "%s", text);
	cr_assert_not_null(strstr(text, "\n[    #1  "), "%s", text);
	for (char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
		cr_assert_eq(strncmp(line, "[  ", 3), 0, "%s", line);
}

/* ---- switch scopes ---- */

static void *
kept_body(void *argument)
{
	struct hub_switch_scope outer, inner;

	hub_detach(hub_spawn(sleeper, NULL));
	hub_switch_scope_start(&outer, HUB_MUST_SWITCH);
	hub_switch_scope_start(&inner, HUB_MUST_NOT_SWITCH);
	hub_switch_scope_stop(&inner);
	hub_sleep(0);
	hub_switch_scope_stop(&outer);
	return argument;
}

Test(switch_scope, that_is_kept_does_nothing)
{
	in_hub(kept_body, NULL);
}

/* Nobody else is there, and the turn was given all the same. */
static void *
alone_body(void *argument)
{
	struct hub_switch_scope scope;

	for (int i = 0; i < 100; i++) {
		hub_switch_scope_start(&scope, HUB_MUST_SWITCH);
		hub_sleep(0);
		hub_switch_scope_stop(&scope);
	}
	return argument;
}

Test(switch_scope, counts_a_yield_to_nobody)
{
	in_hub(alone_body, NULL);
}

static void *
broken_body(void *argument)
{
	struct hub_switch_scope scope;

	hub_switch_scope_start(&scope, argument != NULL ? HUB_MUST_NOT_SWITCH : HUB_MUST_SWITCH);
	if (argument != NULL)
		hub_sleep(HUB_MILLISECOND);
	hub_switch_scope_stop(&scope);
	return NULL;
}

Test(switch_scope, without_the_switch_ends_the_process, .signal = SIGABRT)
{
	hub_run(broken_body, NULL, NULL);
}

Test(switch_scope, with_a_forbidden_switch_ends_the_process, .signal = SIGABRT)
{
	hub_run(broken_body, "", NULL);
}
