/* With --max-connections, at every moment of a server's life, connections are spread over the hubs
 * as evenly as without, the limit holds, and no client waits where a permit is free. One walk takes
 * a server with one limit through {start, reload, scale up, scale down, crash, upgrade}, and judges
 * the serving hubs after each. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/server.h"

#define MOST 200        /* connections at a time */
#define PACE 5          /* milliseconds between two connects, so that steering sees them come */
#define CLIENTS_MAX 800 /* including those that wait for a permit */
#define SEVERAL 12      /* starts of a server, or looks at the limit */
#define PATIENCE 60     /* seconds */

struct walk {
	struct server server;
	unsigned processes, threads;
	long limit, most; /* limit: 0 for none; most: open at a time */
	int clients[CLIENTS_MAX];
	int count;
	char failures[4096];
};

static struct walk walk;
/* Where no limit decides, the kernel draws hubs by chance: 95 of 100 cells must be even. */
static int cells, drawn, missed;

static void
fail(const char *format, ...)
{
	size_t length = strlen(walk.failures);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(walk.failures + length, sizeof walk.failures - length, format, arguments);
	va_end(arguments);
}

static void
end(void)
{
	for (int i = 0; i < walk.count; i++)
		close(walk.clients[i]);
	walk.count = 0;
	server_clean(&walk.server);
}

TestSuite(spread, .fini = end, .timeout = 900);

static void
begin(unsigned processes, unsigned threads, long limit)
{
	char p[16], t[16], option[40] = "--max-connections=";

	walk = (struct walk){.processes = processes, .threads = threads, .limit = limit};
	walk.most = limit != 0 && limit < MOST ? limit : MOST;
	snprintf(p, sizeof p, "%u", processes);
	snprintf(t, sizeof t, "%u", threads);
	snprintf(option, sizeof option, "--max-connections=%ld", limit);
	cr_assert(server_start(&walk.server, "hubbub-echo", p, t, "--drain-timeout=300",
		limit != 0 ? option : NULL, NULL));
}

/* ---- clients ---- */

/* Opens connections: in one burst where the limit alone decides, else at a pace. */
static void
come(long count)
{
	for (long i = 0; i < count; i++) {
		cr_assert_lt(walk.count, CLIENTS_MAX);
		walk.clients[walk.count] = client_connect(walk.server.program.port);
		cr_assert_neq(walk.clients[walk.count], -1);
		walk.count++;
		if (walk.most == MOST)
			poll(NULL, 0, PACE);
	}
}

/* Closes the first so many connections. */
static void
leave(int count)
{
	for (int i = 0; i < count; i++)
		close(walk.clients[i]);
	walk.count -= count;
	memmove(walk.clients, walk.clients + count, (size_t)walk.count * sizeof(int));
}

/* Closes all but one of each so many connections. */
static void
thin_out(int many)
{
	int left = 0;

	for (int i = 0; i < walk.count; i++) {
		if (i % many != 0)
			close(walk.clients[i]);
		else
			walk.clients[left++] = walk.clients[i];
	}
	walk.count = left;
}

/* Forgets the clients whose connections a crash has ended. Returns whether the server counts the
 * same number. */
static bool
bury(void *unused)
{
	int left = 0;
	char byte;

	(void)unused;
	for (int i = 0; i < walk.count; i++) {
		if (recv(walk.clients[i], &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN)
			walk.clients[left++] = walk.clients[i];
		else
			close(walk.clients[i]);
	}
	walk.count = left;
	return server_number(&walk.server, "connections") == left;
}

/* ---- judging ---- */

static bool
is_open(void *wanted)
{
	long open = server_number(&walk.server, "connections");

	if (walk.limit != 0 && open > walk.limit)
		fail("%ld of at most %ld are open\n", open, walk.limit);
	return open == *(long *)wanted;
}

/* As many clients are served as the limit allows, and the serving hubs have the same number each,
 * as nearly as asked. */
static void
judge(const char *what)
{
	long wanted = walk.count, sum = 0, highest = 0, mean, allowed;
	unsigned hubs = walk.processes * walk.threads;
	char list[256] = "";

	if (walk.limit != 0 && wanted > walk.limit)
		wanted = walk.limit;
	cells++;
	if (!wait_until(is_open, &wanted, PATIENCE))
		fail("%s: %ld open, not %ld\n", what, server_number(&walk.server, "connections"),
			wanted);
	for (unsigned i = 0; i < hubs; i++) {
		long open =
			server_hub(&walk.server, i / walk.threads, i % walk.threads, "connections");
		size_t length = strlen(list);

		snprintf(list + length, sizeof list - length, " %ld", open);
		sum += open;
		highest = open > highest ? open : highest;
	}
	mean = (sum + hubs - 1) / hubs;
	allowed = sum * 11 / (10 * (long)hubs);
	drawn += walk.most == MOST;
	if (highest > (allowed > mean + 1 ? allowed : mean + 1)) {
		missed += walk.most == MOST;
		if (walk.most != MOST || highest > allowed + sum / (5 * (long)hubs))
			fail("%s: unequal:%s\n", what, list);
	}
	fprintf(stderr, "%ux%u, limit %ld, %s:%s\n", walk.processes, walk.threads, walk.limit, what,
		list);
}

/* More clients come than the limit allows beside those of a former generation. */
static void
meet(const char *what)
{
	int former = walk.count;

	come(walk.most);
	judge(what);
	/* The former generation's clients make room for all that wait. */
	leave(former);
	judge(what);
}

/* ---- what happens to a server ---- */

static void
change(const char *command, const char *argument)
{
	char said[1024];

	cr_assert_eq(server_ctl(&walk.server, command, argument, said, sizeof said), 0, "%s", said);
}

static void
scale(unsigned processes, const char *what)
{
	char shape[32];

	/* So few that no hub has more than its share once others have come. */
	thin_out(4);
	snprintf(shape, sizeof shape, "%ux%u", processes, walk.threads);
	change("scale", shape);
	walk.processes = processes;
	come(walk.most - walk.count);
	judge(what);
}

static bool
is_replaced(void *dead)
{
	pid_t pid = server_worker(&walk.server, 1);

	return pid > 0 && pid != *(pid_t *)dead;
}

static void
crash(void)
{
	pid_t dead = server_worker(&walk.server, 1);

	cr_assert_gt(dead, 0);
	cr_assert_eq(kill(dead, SIGKILL), 0);
	cr_assert(wait_until(is_replaced, &dead, PATIENCE));
	cr_assert(wait_until(bury, NULL, PATIENCE));
	/* The clients that lost a connection come again. */
	come(walk.most - walk.count);
	judge("crash");
}

static void
renew(const char *command)
{
	thin_out(2);
	change(command, NULL);
	walk.server.pid = (pid_t)server_number(&walk.server, "pid");
	meet(command);
}

static void
walk_through(unsigned processes, unsigned threads, long limit)
{
	begin(processes, threads, limit);
	come(walk.most);
	judge("start");
	renew("reload");
	scale(processes + 2, "scale up");
	scale(processes, "scale down");
	/* The workers that are gone by now had some of the connections. */
	leave(walk.count);
	come(walk.most);
	judge("scaled down");
	crash();
	renew("upgrade");
	end();
	cr_assert_str_empty(
		walk.failures, "%ux%u, limit %ld:\n%s", processes, threads, limit, walk.failures);
}

Test(spread, at_every_moment_and_limit_the_hubs_have_as_many_as_each_other)
{
	static const long limits[] = {0, 4, 7, 250, 1000};

	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
		walk_through(4, 1, limits[i]);
	walk_through(2, 2, 7);
	walk_through(2, 2, 250);
	fprintf(stderr, "%d cells, %d of %d draws unequal\n", cells, missed, drawn);
	cr_assert_leq(missed, drawn / 20);
}

Test(spread, from_the_start_whichever_worker_is_ready_first)
{
	for (int i = 0; i < SEVERAL; i++) {
		begin(4, 1, i % 2 == 0 ? 1000 : 200);
		come(MOST);
		judge("start");
		end();
		cr_assert_str_empty(walk.failures, "%s", walk.failures);
	}
	cr_assert_leq(missed, 1);
}
