/* A worker that goes mad overwrites the whole segment of counters, which all processes of the
 * server share: what was counted is lost, but nobody dies of it, hangs, or stops serving. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/server.h"

#define CLIENTS 8

static struct server server;
static int clients[CLIENTS];

static void
begin(void)
{
	memset(clients, -1, sizeof clients);
}

static void
end(void)
{
	for (int i = 0; i < CLIENTS; i++)
		if (clients[i] != -1)
			close(clients[i]);
	server_clean(&server);
}

TestSuite(scribbles, .init = begin, .fini = end, .timeout = 600);

static bool
serves(void *unused)
{
	(void)unused;
	return client_is_answered(client_connect(server.program.port), "a\n", "A\n");
}

static bool
is_told(void *unused)
{
	json_t *stats = server_stats(&server);
	int code = 0;
	char *page = server_get(&server, "/metrics", &code);
	bool is_well = stats != NULL && page != NULL && code == 200;

	(void)unused;
	json_decref(stats);
	free(page);
	return is_well;
}

static bool
reloads(void *unused)
{
	(void)unused;
	return server_ctl(&server, "reload", NULL, NULL, 0) == 0;
}

/* The scribbler's connection lives, and so may the scribbler; the other clients, and new ones, are
 * served, operators are told what there is, and changes work. */
static void
scribble(const char *how, const char *option)
{
	char line[64];

	cr_assert(server_start(&server, "naughty", "2", "2", option, "--drain-timeout=5",
			  "--max-per-peer=1000", NULL),
		"%s", server.program.text);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = client_connect(server.program.port);
		cr_assert(client_exchange(clients[i], "b\n", "B\n"));
	}
	snprintf(line, sizeof line, "scribble %s\n", how);
	for (int round = 0; round < 3; round++) {
		cr_assert(client_exchange(*clients, line, "done\n"));
		cr_assert(wait_until(is_told, NULL, 60), "%s", server.program.text);
		cr_assert(wait_until(serves, NULL, 60), "%s", server.program.text);
	}
	cr_assert(wait_until(reloads, NULL, 60), "%s", server.program.text);
	cr_assert(wait_until(serves, NULL, 60), "%s", server.program.text);
	cr_assert(wait_until(is_told, NULL, 60), "%s", server.program.text);
	cr_assert_eq(server_end(&server, 60), 0, "%s", server.program.text);
}

Test(scribbles, of_zeros)
{
	scribble("zeros", "--max-connections=100");
}

Test(scribbles, of_ones)
{
	scribble("ones", "--max-connections=100");
}

Test(scribbles, of_random_bytes)
{
	scribble("1", "--max-connections=100");
	server_clean(&server);
	scribble("2", "--max-connections=100");
}

Test(scribbles, without_a_limit)
{
	scribble("ones", "--balance=hash");
}
