/* The clients, the oldest first, and the one dump that may be under way. A client's `awaits` says
 * which event answers it; may_wait keeps places free for commands that are answered at once, so
 * that status works beside any number of clients that wait. */
#include "master/face/requests.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/base/timer.h"
#include "master/change/change.h"
#include "master/change/ready.h"
#include "master/face/client.h"
#include "master/face/commands.h"
#include "master/face/status.h"
#include "worker/nofile.h"

#define CLIENTS_MAX 32 /* connected at a time */
#define WAITING_MAX 24 /* that wait; the other places are for commands that are answered at once */
#define PROGRESS_EVERY 1. /* seconds */
#define DUMP_TIME 3.      /* seconds for hubs to write their coroutines */

/* What a client waits for; 0 for nothing. */
enum awaits { AWAITS_CHANGE = 1, AWAITS_END, AWAITS_DUMP };

/* ---- stacks ---- */

/* Answers the clients that wait for the dump; lost is what is missing of it, or NULL. */
static void
answer_dumps(struct requests *requests, const char *text, size_t size, const char *lost)
{
	LIST_EACH (link, &requests->clients) {
		struct client *client = CONTAINER_OF(link, struct client, link);

		if (client->awaits != AWAITS_DUMP)
			continue;
		client_say_lines(client, '|', text, size);
		client_finish(client, lost, "all hubs answered");
	}
}

/* Writes how many hubs have not written, and why. Returns text, or NULL if all have. */
static const char *
explain_lost(const struct requests *requests, char *text, size_t size)
{
	unsigned expected = requests->dump_expected, missed = requests->dump_missed;
	unsigned silent = expected - requests->dump_done - missed;
	int length = 0;

	if (silent > 0)
		length = snprintf(text, size,
			"%u of %u hubs did not answer: they hang, and the log has their backtrace",
			silent, expected);
	if (missed > 0)
		snprintf(text + length, size - (size_t)length,
			"%s%u of %u hubs had no file descriptor left (raise the limit: %s)",
			length > 0 ? "; " : "", missed, expected, nofile_advice_here());
	return silent > 0 || missed > 0 ? text : NULL;
}

/* Ends the dump: answers the clients that wait for it, with what the hubs have written by now. */
static void
finish_dump(struct requests *requests)
{
	struct stat status;
	char *text = MAP_FAILED, lost[384];
	size_t size = 0;

	ev_timer_stop(requests->master->loop, &requests->dump_over);
	if (fstat(requests->dump, &status) == 0 && status.st_size > 0) {
		size = (size_t)status.st_size;
		text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, requests->dump, 0);
	}
	answer_dumps(requests, text, text != MAP_FAILED ? size : 0,
		explain_lost(requests, lost, sizeof lost));
	if (text != MAP_FAILED)
		munmap(text, size);
	close(requests->dump);
	requests->dump = -1;
}

static void
on_dump_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	finish_dump(timer->data);
}

/* Adds hubs to a count of the dump under way, if it is the dump of that number. */
static void
count_dump(struct requests *requests, int64_t number, unsigned *count, unsigned hubs)
{
	/* A late answer is for an earlier dump. */
	if (requests->dump == -1 || number != requests->dump_number)
		return;
	*count += hubs;
	if (requests->dump_done + requests->dump_missed == requests->dump_expected)
		finish_dump(requests);
}

void
requests_dumped(struct requests *requests, int64_t number)
{
	count_dump(requests, number, &requests->dump_done, 1);
}

void
requests_dump_missed(struct requests *requests, int64_t number, unsigned hubs)
{
	count_dump(requests, number, &requests->dump_missed, hubs);
}

/* Asks all hubs to write their coroutines; a client that comes during a dump shares that one. */
static void
run_stacks(struct requests *requests, struct client *client, const char *unused)
{
	struct master *master = requests->master;

	(void)unused;
	client->awaits = AWAITS_DUMP;
	if (requests->dump != -1)
		return;
	requests->dump = memfd_create("hubbub-stacks", MFD_CLOEXEC);
	if (requests->dump == -1) {
		client_finish(client, strerror(errno), NULL);
		return;
	}
	/* All hubs write to it at the same time: appending keeps their texts whole. */
	fcntl(requests->dump, F_SETFL, O_APPEND);
	requests->dump_done = requests->dump_missed = 0;
	requests->dump_expected =
		fleet_dump(&master->fleet, requests->dump, ++requests->dump_number);
	timer_after(
		master->loop, &requests->dump_over, requests->dump_expected > 0 ? DUMP_TIME : 0.);
}

/* ---- commands ---- */

static void
run_status(struct requests *requests, struct client *client, const char *unused)
{
	char *json = status_json(requests->master);

	(void)unused;
	if (json != NULL)
		client_say(client, '|', json, strlen(json));
	client_finish(client, json == NULL ? "no memory" : NULL,
		ready_is(requests->master) ? "ready" : "not ready");
	free(json);
}

/* Whether another client may wait, so that places stay free for commands that are answered at
 * once. */
static bool
may_wait(const struct requests *requests)
{
	unsigned count = 0;

	LIST_EACH (link, &requests->clients)
		count += CONTAINER_OF(link, struct client, link)->awaits != 0;
	return count < WAITING_MAX;
}

static void
await(struct requests *requests, struct client *client, enum awaits awaits)
{
	client->awaits = awaits;
	ev_timer_again(requests->master->loop, &requests->progress);
}

/* Answers a client whose change could not begin or has ended already; else the client waits for
 * it. */
static void
await_change(struct requests *requests, struct client *client, int result, const char *why)
{
	if (result != 0)
		client_finish(client, why, NULL);
	else if (requests->master->change == CHANGE_NONE)
		client_finish(client, NULL, "done");
	else
		await(requests, client, AWAITS_CHANGE);
}

static void
run_scale(struct requests *requests, struct client *client, const char *shape)
{
	unsigned processes = 0, threads = 0;
	const char *why = NULL;
	int result;

	commands_read_shape(shape, &processes, &threads);
	result = master_scale(requests->master, processes, threads, &why);
	await_change(requests, client, result, why);
}

static void
run_reload(struct requests *requests, struct client *client, const char *unused)
{
	const char *why = NULL;
	int result = master_reload(requests->master, &why);

	(void)unused;
	await_change(requests, client, result, why);
}

static void
run_upgrade(struct requests *requests, struct client *client, const char *unused)
{
	const char *why = NULL;
	int result = master_upgrade(requests->master, &why);

	(void)unused;
	await_change(requests, client, result, why);
}

/* The server is told to end however many clients wait already; then this one does not wait. */
static void
await_end(struct requests *requests, struct client *client)
{
	if (may_wait(requests))
		await(requests, client, AWAITS_END);
	else
		client_finish(
			client, NULL, "the server ends; too many clients wait for that already");
}

static void
run_drain(struct requests *requests, struct client *client, const char *unused)
{
	(void)unused;
	await_end(requests, client);
	master_drain(requests->master);
}

static void
run_stop(struct requests *requests, struct client *client, const char *unused)
{
	(void)unused;
	await_end(requests, client);
	master_stop(requests->master, 0);
}

#define RUNS(name) [COMMAND_##name] = run_##name,
#define RUN_ANSWERS RUNS
#define RUN_CHANGES RUNS
#define RUN_ENDS RUNS
#define RUN_DUMPS RUNS
#define RUN_WATCHES(name)
#define RUN_WAITS(name)
#define RUN(name, argument, kind, help) RUN_##kind(name)

static void (*const runs[COMMAND_MAX])(
	struct requests *requests, struct client *client, const char *argument) = {COMMANDS(RUN)};

/* Returns why a command, which is NULL if unknown, is not run; NULL if it is. */
static const char *
find_fault(const struct requests *requests, const struct client *client,
	const struct command *command, const char *argument)
{
	const struct master *master = requests->master;
	static char error[32 + COMMANDS_LIST_SIZE + COMMANDS_ERROR_SIZE];
	char list[COMMANDS_LIST_SIZE];

	if (command == NULL || commands_is_own(command)) {
		commands_list(list, false);
		snprintf(error, sizeof error, "unknown command; there are %s", list);
		return error;
	}
	if (command->kind == COMMAND_ENDS && client->rights != RIGHTS_ALL)
		return "only root and the server's user may end it; members of its group may do "
		       "all else";
	if (command->kind != COMMAND_ANSWERS && master->phase == MASTER_HANDED_OVER)
		return "another master has just taken over; ask again";
	if ((command->kind == COMMAND_CHANGES || command->kind == COMMAND_DUMPS) &&
		!may_wait(requests))
		return "too many clients wait for an answer already; try again";
	return commands_check(command, argument, error) != 0 ? error : NULL;
}

static void
on_line(struct client *client, char *line, void *context)
{
	struct requests *requests = context;
	char *argument = line + strcspn(line, " ");
	const struct command *command;
	const char *fault;

	if (*argument != '\0')
		*argument++ = '\0';
	command = commands_find(line);
	fault = find_fault(requests, client, command, argument);
	if (fault != NULL)
		client_finish(client, fault, NULL);
	else
		runs[command - commands_table](requests, client, argument);
}

/* ---- what clients that wait are told ---- */

/* Tells the clients that wait, each second, how far it is; so they know that the master lives. */
static void
on_progress(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct requests *requests = timer->data;
	const struct fleet *fleet = &requests->master->fleet;
	uint64_t open = fleet_open(fleet);
	unsigned hubs = fleet_living(fleet);
	char end[128], change[128];
	bool is_awaited = false;

	(void)events;
	snprintf(end, sizeof end, "%lu connection%s open", (unsigned long)open,
		open == 1 ? " is" : "s are");
	snprintf(change, sizeof change, "not yet; %u hub%s on accepting", hubs,
		hubs == 1 ? " goes" : "s go");
	LIST_EACH (link, &requests->clients) {
		struct client *client = CONTAINER_OF(link, struct client, link);

		if (client->awaits == AWAITS_END || client->awaits == AWAITS_CHANGE) {
			const char *text = client->awaits == AWAITS_END ? end : change;

			is_awaited = true;
			client_say(client, '-', text, strlen(text));
			client_flush(client);
		}
	}
	if (!is_awaited)
		ev_timer_stop(loop, timer);
}

void
requests_changed(struct requests *requests, const char *why)
{
	LIST_EACH (link, &requests->clients) {
		struct client *client = CONTAINER_OF(link, struct client, link);

		if (client->awaits == AWAITS_CHANGE)
			client_finish(client, why, "done");
	}
}

/* ---- clients ---- */

/* Returns the client in that phase that connected first, or NULL; *count gets the number of all
 * clients. */
static struct client *
find_oldest(const struct requests *requests, enum client_phase phase, unsigned *count)
{
	struct client *oldest = NULL;

	*count = 0;
	LIST_EACH (link, &requests->clients) {
		struct client *client = CONTAINER_OF(link, struct client, link);

		++*count;
		if (oldest == NULL && client->phase == phase)
			oldest = client;
	}
	return oldest;
}

/* Makes room for a client: if all places are taken, a client that has not sent its line gives way,
 * or else one that has not read its answer. Returns false if all clients wait. */
static bool
make_room(struct requests *requests)
{
	static const enum client_phase phases[] = {CLIENT_ASKS, CLIENT_ENDS};
	unsigned count;

	for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
		struct client *oldest = find_oldest(requests, phases[i], &count);

		if (count < CLIENTS_MAX)
			return true;
		if (oldest == NULL)
			continue;
		client_free(oldest);
		return true;
	}
	return false;
}

void
requests_take(struct requests *requests, int fd, enum rights rights)
{
	struct client *client;

	if (!make_room(requests)) {
		close(fd);
		return;
	}
	client = client_new(requests->master->loop, fd, on_line, requests);
	if (client == NULL)
		return;
	client->rights = rights;
	list_append(&requests->clients, &client->link);
}

void
requests_init(struct requests *requests, struct master *master)
{
	*requests = (struct requests){.master = master, .dump = -1};
	list_init(&requests->clients);
	ev_init(&requests->progress, on_progress);
	requests->progress.repeat = PROGRESS_EVERY;
	ev_init(&requests->dump_over, on_dump_over);
	ev_set_priority(&requests->dump_over, -1);
	requests->progress.data = requests->dump_over.data = requests;
}

static void
dismiss(const struct requests *requests, struct client *client)
{
	const char *why = NULL;

	if (requests->master->phase == MASTER_HANDED_OVER)
		why = "another master has taken over; ask again";
	else if (client->awaits != AWAITS_END)
		why = "the server has ended";
	client_finish(client, why, "the server has ended");
}

void
requests_fini(struct requests *requests)
{
	LIST_EACH (link, &requests->clients) {
		struct client *client = CONTAINER_OF(link, struct client, link);

		if (client->phase == CLIENT_WAITS)
			dismiss(requests, client);
	}
	/* Unsent lines are lost: this process ends. */
	LIST_EACH (link, &requests->clients)
		client_free(CONTAINER_OF(link, struct client, link));
	ev_timer_stop(requests->master->loop, &requests->progress);
	ev_timer_stop(requests->master->loop, &requests->dump_over);
	if (requests->dump != -1)
		close(requests->dump);
}
