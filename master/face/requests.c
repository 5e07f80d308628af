/* The clients, the oldest first. A client's `awaits` says which event answers it; may_wait keeps
 * places free for commands that are answered at once, so that status works beside any number of
 * clients that wait. */
#include "master/face/requests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/change/change.h"
#include "master/change/ready.h"
#include "master/change/successor.h"
#include "master/face/ask.h"
#include "master/face/client.h"
#include "master/face/commands.h"
#include "master/face/offered.h"
#include "master/face/status.h"
#include "worker/recorders.h"

#define CLIENTS_MAX 32 /* connected at a time */
#define WAITING_MAX 24 /* that wait; the other places are for commands that are answered at once */
#define PROGRESS_EVERY 1. /* seconds */

/* What a client waits for; 0 for nothing. */
enum awaits { AWAITS_CHANGE = 1, AWAITS_END, AWAITS_DUMP, AWAITS_ANSWER };

/* ---- commands ---- */

/* Answers the clients that wait for the dump. */
static void
on_dump_over(struct dump *dump, const char *text, size_t size, const char *lost)
{
	struct requests *requests = CONTAINER_OF(dump, struct requests, dump);

	LIST_EACH (link, &requests->clients) {
		struct client *client = CONTAINER_OF(link, struct client, link);

		if (client->awaits != AWAITS_DUMP)
			continue;
		client_say_lines(client, '|', text, size);
		client_finish(client, lost, "all hubs answered");
	}
}

static void
run_stacks(struct requests *requests, struct client *client, const char *unused)
{
	(void)unused;
	client->awaits = AWAITS_DUMP;
	if (dump_begin(&requests->dump) != 0)
		client_finish(client, strerror(errno), NULL);
}

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

/* The reader has the time of its own steps, too, to ask again. */
static void
run_trace(struct requests *requests, struct client *client, const char *seconds)
{
	struct recorders *recorders = requests->master->fleet.recorders;
	int fd = recorders_reader(recorders);
	const char *why = fd == -1 ? strerror(errno) : NULL;
	int64_t wanted;

	if (commands_read_seconds(seconds, &wanted) == 0)
		recorders_extend(recorders, clock_after(clock_now(), wanted));
	if (fd != -1)
		client_pass(client, fd);
	client_finish(client, why,
		requests->master->options.flight_recorder != 0 ? "always" : "when asked");
}

static void
run_help(struct requests *requests, struct client *client, const char *unused)
{
	char *list = offered_list(requests->master->service);

	(void)unused;
	if (list != NULL)
		client_say_lines(client, '|', list, strlen(list));
	client_finish(client, list == NULL ? "no memory" : NULL, "these are all commands");
	free(list);
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
	/* Not again: clients that come each second would keep it from those who wait. */
	if (!ev_is_active(&requests->progress))
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
#define RUN_RECORDS RUNS
#define RUN_WATCHES(name)
#define RUN_WAITS(name)
#define RUN(name, argument, kind, help) RUN_##kind(name)

static void (*const runs[COMMAND_MAX])(
	struct requests *requests, struct client *client, const char *argument) = {COMMANDS(RUN)};

/* Returns why a command is not run, or NULL if it is. */
static const char *
find_fault(const struct requests *requests, const struct client *client,
	const struct command *command, const char *argument)
{
	static char error[COMMANDS_ERROR_SIZE];

	if (command->kind == COMMAND_ENDS && client->rights != RIGHTS_ALL)
		return "only root and the server's user may end it; members of its group may do "
		       "all else";
	if (command->kind != COMMAND_ANSWERS && requests->master->phase == MASTER_HANDED_OVER)
		return "another master has just taken over; ask again";
	if ((command->kind == COMMAND_CHANGES || command->kind == COMMAND_DUMPS) &&
		!may_wait(requests))
		return "too many clients wait for an answer already; try again";
	return commands_check(command, argument, error) != 0 ? error : NULL;
}

static void
on_answer(const struct ask_answer *answer, void *context)
{
	struct requests *requests = context;

	LIST_EACH (link, &requests->clients) {
		struct client *client = CONTAINER_OF(link, struct client, link);

		if (client->awaits != AWAITS_ANSWER || client->ask != answer->ask)
			continue;
		client_say_lines(client, '|', answer->output, answer->length);
		if (answer->end == ASK_REFUSED)
			client_refuse(client, answer->why);
		else
			client_finish(client, answer->why, "done");
	}
}

static const char asked[] = "a worker is asked";

/* Asks workers for a command of the service's own; words are its arguments, or NULL. */
static void
run_offered(struct requests *requests, struct client *client, const struct hubbub_command *command,
	char *words)
{
	struct offered_arguments arguments = {0};
	const char *why = NULL;

	if (requests->master->phase == MASTER_HANDED_OVER)
		why = "another master has just taken over; ask again";
	else if (!may_wait(requests))
		why = "too many clients wait for an answer already; try again";
	else
		why = offered_read(&arguments, words);
	if (why == NULL)
		client->ask = ask_begin(requests->master, ASK_MAX, command, arguments.text,
			arguments.size, on_answer, requests, &why);
	if (client->ask == NULL) {
		client_finish(client, why, NULL);
		return;
	}
	await(requests, client, AWAITS_ANSWER);
	/* If this process is stopped from here on, hubbub-ctl must not say that nothing has
	 * begun. */
	client_say(client, '-', asked, strlen(asked));
	client_flush(client);
}

static void
on_line(struct client *client, char *line, void *context)
{
	struct requests *requests = context;
	const struct hubbub_service *service = requests->master->service;
	char *words = line, *name = strsep(&words, " "), *argument = words != NULL ? words : "";
	const struct command *command = commands_find(name);
	const struct hubbub_command *offered = offered_find(service, name);
	char error[OFFERED_ERROR_SIZE];
	const char *fault;

	if (command != NULL && !commands_is_own(command)) {
		fault = find_fault(requests, client, command, argument);
		if (fault != NULL)
			client_finish(client, fault, NULL);
		else
			runs[command - commands_table](requests, client, argument);
	} else if (offered != NULL) {
		run_offered(requests, client, offered, words);
	} else {
		offered_explain(service, name, error);
		client_refuse(client, error);
	}
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

		if (client->awaits == AWAITS_END || client->awaits == AWAITS_CHANGE ||
			client->awaits == AWAITS_ANSWER) {
			const char *text = client->awaits == AWAITS_END      ? end
					   : client->awaits == AWAITS_CHANGE ? change
									     : asked;

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
	*requests = (struct requests){.master = master};
	list_init(&requests->clients);
	ev_init(&requests->progress, on_progress);
	requests->progress.repeat = PROGRESS_EVERY;
	requests->progress.data = requests;
	dump_init(&requests->dump, master, on_dump_over);
}

/* Of another master only a drain is asked in the client's place. */
static void
dismiss(const struct requests *requests, struct client *client)
{
	const struct master *master = requests->master;
	const char *why = NULL;

	if (master->phase == MASTER_HANDED_OVER)
		why = client->awaits == AWAITS_END && master->successor->is_to_drain
			      ? "another master has taken over, and was told to drain"
			      : "another master has taken over; ask again";
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
	dump_fini(&requests->dump);
}
