/* A connection for which there is no memory is refused: counted, and logged with the reason. */
#include "worker/connection.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/complaint.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/worker/lone.h"
#include "tests/unit/worker/starved.h"
#include "worker/acceptor.h"

/* A descriptor: a table that reaches so far takes much more memory than so many bytes. */
#define LARGE 16000

static struct lone lone;
static struct acceptor acceptor;

static void
serve(int client, void *context)
{
	(void)context;
	trace_say("serves");
	hub_send(client, "served", 6, 0);
}

#ifdef STARVED_IS_POSSIBLE

static const char *sent = "";

static bool
allow_files(void)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	return files.rlim_max > LARGE + 100 && setrlimit(RLIMIT_NOFILE, &files) == 0;
}

/* A connection, of whose descriptor the hub knows. The peer says what is sent. */
static int
connect_large(int *peer)
{
	int accepted, client;
	char byte;

	*peer = client_connect(ntohs(lone.address.sin_port));
	send(*peer, sent, strlen(sent), 0);
	hub_wait_fd(lone.listener, POLLIN);
	accepted = accept4(lone.listener, NULL, NULL, SOCK_NONBLOCK);
	client = fcntl(accepted, F_DUPFD_CLOEXEC, LARGE);
	close(accepted);
	hub_recv(client, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return client;
}

/* What is left of memory, in large blocks. */
static struct block {
	struct block *next;
} * blocks;

/* From now on the process can have no large block: none is mapped, and none is left. */
static void
take_memory(struct rlimit *limit)
{
	struct rlimit none;
	struct block *block;

	getrlimit(RLIMIT_AS, limit);
	none = (struct rlimit){0, limit->rlim_max};
	setrlimit(RLIMIT_AS, &none);
	while ((block = malloc(LARGE * sizeof *block)) != NULL) {
		block->next = blocks;
		blocks = block;
	}
}

static void
give_memory(const struct rlimit *limit)
{
	setrlimit(RLIMIT_AS, limit);
	for (struct block *block; (block = blocks) != NULL; free(block))
		blocks = block->next;
}

static void *
body(void *unused)
{
	struct rlimit limit;
	char bytes[8];
	int peer, client = connect_large(&peer);

	take_memory(&limit);
	hub_shutdown(peer, SHUT_WR);
	connection_serve(client, &acceptor);
	give_memory(&limit);
	hub_close(client);
	trace_call("received", (long)recv(peer, bytes, sizeof bytes, 0));
	close(peer);
	return unused;
}

static void
expect_refusal(const char *why)
{
	if (!allow_files())
		cr_skip_test("needs a limit of more open files");
	hub_watchdog(0);
	complaint_listen();
	in_hub(body, NULL);
	why = strstr(complaint_heard(), why);
	cr_expect_not_null(why);
	EXPECT_TRACE("received 0");
	cr_expect_eq(lone.row->refused_memory, 1);
	cr_expect_eq(acceptor.uncounted.refused, 1);
	lone_end(&lone);
}

Test(connection, of_a_named_listener_is_refused_without_memory, .timeout = 60)
{
	static const struct hubbub_listener listener = {.name = "admin", .serve = serve};

	lone_begin(&lone, serve);
	acceptor = (struct acceptor){
		.thread = &lone.thread, .listened = &acceptor.uncounted, .listener = &listener};
	expect_refusal("refused a client at 127.0.0.1");
}

Test(connection, of_a_proxy_is_refused_without_memory, .timeout = 60)
{
	lone_begin(&lone, serve);
	lone.heritage.settings.has_proxy = true;
	sent = "PROXY TCP4 192.0.2.7 192.0.2.1 8080 80\r\n";
	acceptor = (struct acceptor){.thread = &lone.thread, .listened = &acceptor.uncounted};
	expect_refusal("no memory for its address from the PROXY header");
}

#endif

static void *
serve_all(void *unused)
{
	int peer = client_connect(ntohs(lone.address.sin_port)), client;

	hub_wait_fd(lone.listener, POLLIN);
	client = hub_accept(lone.listener, NULL, NULL);
	shutdown(peer, SHUT_WR);
	connection_serve(client, &acceptor);
	hub_close(client);
	close(peer);
	return unused;
}

Test(connection, is_served, .timeout = 60)
{
	lone_begin(&lone, serve);
	acceptor = (struct acceptor){.thread = &lone.thread, .listened = &acceptor.uncounted};
	in_hub(serve_all, NULL);
	EXPECT_TRACE("serves");
	cr_expect_eq(lone.row->refused_memory, 0);
	lone_end(&lone);
}
