/* The dump visits the stack slots that are in use, so it finds coroutines in every state. It runs
 * on the thread's own stack, while no coroutine runs: unwinding needs more stack than a small
 * coroutine has. */
#include "hub/debug/dump.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/kernel.h"
#include "hub/base/log.h"
#include "hub/debug/awaited_priv.h"
#include "hub/debug/backtrace_priv.h"
#include "hub/debug/called_priv.h"
#include "hub/scheduler_priv.h"

static const struct hub_coroutine *
hold_nothing(const struct hub_coroutine *coroutine)
{
	(void)coroutine;
	return NULL;
}

const struct hub_coroutine *(*awaited_holder)(const struct hub_coroutine *coroutine) = hold_nothing;

static const char *const state_names[COROUTINE_STATE_MAX] = {
	[COROUTINE_READY] = "runnable",
	[COROUTINE_RUNNING] = "running",
	[COROUTINE_WAITING] = "waits",
	[COROUTINE_SWITCHED] = "suspended in hub_switch",
	[COROUTINE_DONE] = "ended, not joined",
};

/* So many coroutines are written, the others only counted. */
#define DUMPED_MOST 1000
#define FRAMES_MOST 24
#define TEXT_SIZE 4096
#define PLACE_MOST 500 /* bytes of a place in the code */
#define LINE_SIZE 640  /* a name, a state and a wait, or a place */

struct dump {
	int fd;
	const char *prefix; /* of each line */
	int64_t now;
	size_t count;
	char text[TEXT_SIZE];
};

static bool
is_suspended(const struct hub_coroutine *coroutine)
{
	return coroutine->has_run && coroutine->state != COROUTINE_RUNNING &&
	       coroutine->state != COROUTINE_DONE;
}

/* Writes whole lines: each with the journal's prefix, or as an object, where the log wants that of
 * the file. */
static void
write_lines(const struct dump *dump, char *text)
{
	if (dump->fd == STDERR_FILENO && log_is_json()) {
		log_bare(LOG_ERROR, text, strlen(text));
		return;
	}
	if (*dump->prefix == '\0') {
		kernel_dprintf(dump->fd, "%s", text);
		return;
	}
	for (char *line; (line = strsep(&text, "\n")) != NULL;)
		if (*line != '\0')
			kernel_dprintf(dump->fd, "%s%s\n", dump->prefix, line);
}

static __attribute__((format(printf, 2, 3))) void
write_line(const struct dump *dump, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	write_lines(dump, line);
}

static void
dump_where(struct dump *dump, const struct hub_coroutine *coroutine)
{
	void *frames[FRAMES_MOST];
	size_t count;

	if (coroutine->spawned_at != NULL) {
		backtrace_write_address(dump->text, sizeof dump->text, coroutine->spawned_at);
		write_line(dump, "    spawned at %.*s\n", PLACE_MOST, dump->text);
	}
	if (!is_suspended(coroutine))
		return;
	count = backtrace_of_context(&coroutine->context, frames, FRAMES_MOST);
	backtrace_write(dump->text, sizeof dump->text, frames, count);
	write_lines(dump, dump->text);
}

static void
visit_dump(struct stack *stack, void *context)
{
	const struct hub_coroutine *coroutine = (const struct hub_coroutine *)(void *)stack;
	struct dump *dump = context;
	char name[CALLED_SIZE], awaited[CALLED_SIZE], wait[2 * CALLED_SIZE] = "";

	if (dump->count++ >= DUMPED_MOST)
		return;
	if (coroutine->state == COROUTINE_WAITING)
		snprintf(wait, sizeof wait, " for %s since %.3f s%s",
			called_awaited(coroutine, awaited),
			clock_seconds(dump->now - coroutine->waits_since),
			coroutine->deadline == HUB_FOREVER ? "" : ", with a deadline");
	write_line(dump, "  coroutine %s: %s%s%s\n", called(coroutine, name),
		state_names[coroutine->state], wait, coroutine->is_killed ? ", killed" : "");
	dump_where(dump, coroutine);
}

static void *
dump_all(void *argument)
{
	int fd = *(int *)argument;
	struct dump dump = {.fd = fd, .prefix = log_prefix(fd, LOG_ERROR), .now = clock_now()};

	called_begin();
	stack_arena_each(&hub_this->arena, visit_dump, &dump);
	if (dump.count > DUMPED_MOST)
		write_line(&dump, "  and %zu more\n", dump.count - DUMPED_MOST);
	return NULL;
}

/* Goes to the thread's own stack, unless it is there already, or that stack runs no loop, or is
 * suspended in hub_switch in a callback of the loop. */
void
hub_dump(int fd)
{
	const struct hub *hub = hub_this;

	if (hub == NULL)
		return;
	if (hub->loop == NULL || hub->current == &hub->root ||
		hub->root.state == COROUTINE_SWITCHED)
		dump_all(&fd);
	else
		hub_call_on_root(dump_all, &fd);
}

void
hub_switch_scope_start(struct hub_switch_scope *scope, enum hub_switch_kind kind)
{
	CHECK_WHY(hub_current() != NULL, "hub_switch_scope_start outside of a coroutine");
	*scope = (struct hub_switch_scope){kind, hub_this->taken, hub_current()};
}

void
hub_switch_scope_stop(const struct hub_switch_scope *scope)
{
	bool has_switched = hub_this->taken != scope->taken;

	CHECK_WHY(hub_current() == scope->coroutine,
		"a switch scope is stopped by the coroutine that started it");
	CHECK_WHY(scope->kind != HUB_MUST_SWITCH || has_switched,
		"the code in this scope must switch, and did not");
	CHECK_WHY(scope->kind != HUB_MUST_NOT_SWITCH || !has_switched,
		"the code in this scope must not switch, and did");
}
