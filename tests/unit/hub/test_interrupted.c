/* Waits that are not over before others have ended, whom kills do not hasten: hub_interrupt, which
 * a shield does not keep off, is no deadlock of theirs. */
#include <sys/socket.h>

#include "hub/statics_priv.h"
#include "tests/support/in_hub.h"

#define INTERRUPTS 8 /* more than a deadlock is told of */

struct interrupted {
	void (*wait)(struct interrupted *record);
	struct hub_event let_go;
	struct hub_pool pool;
	struct hub_server *server;
	int variable;
	bool has_ended, was_early;
};

static struct interrupted *current;

/* Stays until it is let go. */
static void *
stay(void *argument)
{
	struct hub_timeout shield;

	hub_shield_start(&shield);
	hub_event_wait(&current->let_go);
	hub_shield_stop(&shield);
	return argument;
}

static void
apply(struct interrupted *record)
{
	struct hub_failure failure;

	hub_pool_apply(&record->pool, stay, NULL, NULL, &failure);
}

static bool
next(void *input, void **argument)
{
	*argument = stay(input);
	return false;
}

static void
free_imap(struct interrupted *record)
{
	struct hub_imap *imap = hub_imap_new(&record->pool, stay, next, NULL, 1, HUB_IMAP_ORDERED);

	hub_sleep(HUB_MILLISECOND);
	hub_imap_free(imap);
}

static void
serve(int client, void *context)
{
	(void)client;
	stay(context);
}

static void
stop_server(struct interrupted *record)
{
	hub_server_stop(record->server, 0);
}

static void
need_variable(struct interrupted *record)
{
	if (statics_acquire(&record->variable))
		statics_release(&record->variable);
}

static void *
wait_and_end(void *argument)
{
	struct interrupted *record = argument;

	record->wait(record);
	record->has_ended = true;
	return NULL;
}

/* A kill has those wait whom it would not hasten. */
static void
interrupt_it(struct interrupted *record)
{
	struct hub_coroutine *waiter = hub_spawn(wait_and_end, record);

	hub_sleep(5 * HUB_MILLISECOND);
	if (record->wait == apply)
		hub_kill(waiter);
	for (int i = 0; i < INTERRUPTS; i++) {
		hub_sleep(HUB_MILLISECOND);
		hub_interrupt(waiter);
	}
	hub_sleep(HUB_MILLISECOND);
	record->was_early = record->has_ended;
	hub_event_set(&record->let_go);
	if (record->wait == need_variable)
		statics_release(&record->variable);
	hub_join(waiter, NULL);
}

static void *
body(void *argument)
{
	struct interrupted *record = argument;

	current = record;
	hub_pool_init(&record->pool, 0);
	if (record->wait == need_variable)
		statics_acquire(&record->variable);
	interrupt_it(record);
	return NULL;
}

static void *
server_body(void *argument)
{
	struct interrupted *record = argument;
	int listener = hub_create_server("127.0.0.1", "0", 0);
	int client = hub_socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_storage address;
	socklen_t length = sizeof address;

	current = record;
	record->server = hub_stream_server_new(listener, serve, NULL, NULL);
	getsockname(listener, (struct sockaddr *)&address, &length);
	hub_server_start(record->server);
	hub_connect(client, (struct sockaddr *)&address, length);
	while (hub_server_connections(record->server) == 0)
		hub_sleep(HUB_MILLISECOND);
	interrupt_it(record);
	hub_server_free(record->server);
	hub_close(client);
	return NULL;
}

static void
expect_it_waits(hub_fn *in, void (*wait)(struct interrupted *record))
{
	struct interrupted record = {.wait = wait};

	in_hub(in, &record);
	cr_assert(!record.was_early);
	cr_assert(record.has_ended);
}

TestSuite(interrupted, .timeout = 60);

Test(interrupted, a_killed_map_waits_for_its_tasks)
{
	expect_it_waits(body, apply);
}

Test(interrupted, the_end_of_an_imap_waits_for_its_input)
{
	expect_it_waits(body, free_imap);
}

Test(interrupted, the_stop_of_a_server_waits_for_its_connections)
{
	expect_it_waits(server_body, stop_server);
}

Test(interrupted, a_static_variable_is_waited_for)
{
	expect_it_waits(body, need_variable);
}
