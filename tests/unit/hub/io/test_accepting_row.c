/* An acceptor's listener is non-blocking, whoever changes its flags; that is asked once for a row
 * of connections that are accepted without a wait. */
#include <fcntl.h>
#include <sys/syscall.h>

#include "tests/support/in_hub.h"
#include "tests/support/sandbox.h"
#include "tests/unit/hub/io/serving.h"

#define CLIENTS 20

static struct serving serving;

TestSuite(accepting_row, .timeout = 60);

static void
make_blocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

static struct hub_server *
serve(int listener, struct hub_pool *pool)
{
	struct hub_server_options options = {
		.pool = pool, .opened = serving_opened, .closed = serving_closed};
	struct hub_server *server =
		hub_stream_server_new(listener, serving_echo, &serving, &options);

	hub_server_start(server);
	return server;
}

static void
end(struct hub_server *server)
{
	hub_server_stop(server, 10 * HUB_SECOND);
	hub_server_free(server);
}

/* ---- what is asked ---- */

static volatile sig_atomic_t questions;

static void *
row_body(void *argument)
{
	int listener = hub_create_server("127.0.0.1", "0", 0), clients[CLIENTS];
	struct hub_server *server;

	for (int i = 0; i < CLIENTS; i++)
		clients[i] = serving_connect(listener);
	sandbox_count(SYS_fcntl, 1, F_GETFL, &questions);
	server = serve(listener, NULL);
	while (serving.opened < CLIENTS)
		hub_sleep(HUB_MILLISECOND);
	*(int *)argument = questions;
	for (int i = 0; i < CLIENTS; i++)
		hub_close(clients[i]);
	end(server);
	return NULL;
}

/* The loop may be due within the row, which ends it. */
Test(accepting_row, asks_for_the_flags_once)
{
	int asked = 0;

	in_hub(row_body, &asked);
	cr_assert_eq(serving.opened, CLIENTS);
	cr_assert_gt(asked, 0);
	cr_assert_lt(asked, CLIENTS, "%d questions for %d connections", asked, CLIENTS);
}

/* ---- flags that others change ---- */

static void *
waiting_body(void *argument)
{
	bool *is_served = argument;
	int listener = hub_create_server("127.0.0.1", "0", 0), clients[3];
	struct hub_server *server = serve(listener, NULL);

	for (int i = 0; i < 3; i++) {
		clients[i] = serving_connect(listener);
		is_served[i] = serving_echoes(clients[i], 10 * HUB_SECOND);
		make_blocking(listener);
	}
	for (int i = 0; i < 3; i++)
		hub_close(clients[i]);
	end(server);
	return NULL;
}

Test(accepting_row, a_listener_made_blocking_during_a_wait_holds_nobody)
{
	bool is_served[3] = {false};

	in_hub(waiting_body, is_served);
	for (int i = 0; i < 3; i++)
		cr_assert(is_served[i], "client %d", i);
}

static void *
full_body(void *argument)
{
	int listener = hub_create_server("127.0.0.1", "0", 0), first;
	struct hub_server *server;
	struct hub_pool pool;

	hub_pool_init(&pool, 1);
	server = serve(listener, &pool);
	first = serving_connect(listener);
	serving_echoes(first, 10 * HUB_SECOND);
	/* The acceptor waits for room in the pool, and would block once it has it. */
	make_blocking(listener);
	hub_close(first);
	while (serving.closed < 1)
		hub_sleep(HUB_MILLISECOND);
	hub_sleep(HUB_MILLISECOND);
	*(bool *)argument = true;
	end(server);
	return NULL;
}

Test(accepting_row, a_listener_made_blocking_while_the_pool_is_full_holds_nobody)
{
	bool has_ended = false;

	in_hub(full_body, &has_ended);
	cr_assert(has_ended);
}

static int asked_to_accept;

static bool
may_accept_first(void *context)
{
	(void)context;
	return asked_to_accept++ != 1;
}

static void *
forbidden_body(void *argument)
{
	struct hub_server_options options = {
		.may_accept = may_accept_first, .opened = serving_opened};
	int listener = hub_create_server("127.0.0.1", "0", 0), first;
	struct hub_server *server =
		hub_stream_server_new(listener, serving_echo, &serving, &options);

	hub_server_start(server);
	first = serving_connect(listener);
	while (asked_to_accept < 2)
		hub_sleep(HUB_MILLISECOND);
	/* Now it waits until it may. */
	make_blocking(listener);
	hub_server_retry(server);
	*(bool *)argument = serving_echoes(first, 10 * HUB_SECOND);
	hub_close(first);
	end(server);
	return NULL;
}

Test(accepting_row, a_listener_made_blocking_while_it_may_not_accept_holds_nobody)
{
	bool is_served = false;

	in_hub(forbidden_body, &is_served);
	cr_assert(is_served);
}
