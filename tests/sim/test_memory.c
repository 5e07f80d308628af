/* Without memory each call of the hub ends with the error that its header names, and gives back
 * what it has taken: each case runs with many seeds, in which one of a few allocations fails. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/sim/seeds.h"
#include "tests/support/allocated.h"

#define SEEDS 300

TestSuite(memory, .timeout = 120);

static struct {
	int done, refused; /* calls */
	char wrong[128];   /* the first call with another error; empty: none */
} calls;

/* Notes how a call ended. Returns whether it has done its work. */
static bool
done(const char *name, bool is_done)
{
	if (is_done)
		calls.done++;
	else
		calls.refused++;
	if (!is_done && errno != ENOMEM && calls.wrong[0] == '\0')
		snprintf(calls.wrong, sizeof calls.wrong, "%s: %s", name, strerror(errno));
	return is_done;
}

static void
in_worlds_without_memory(hub_fn *body)
{
	struct hub_sim_options options = {0};
	long before = 0;
	int ran = 0;

	EACH_SEED (seed, SEEDS) {
		options.allocation = 2 + seed % 8;
		cr_assert_eq(hub_sim_run(seed, &options, body, NULL), 0, "%s", hub_sim_report());
		cr_assert_str_empty(calls.wrong, "seed %d: %s", (int)seed, calls.wrong);
		if (++ran == SEEDS / 2)
			before = allocated_bytes();
	}
	cr_assert_eq(allocated_bytes() - before, 0, "memory is left");
	cr_assert_gt(calls.done, 0);
	cr_assert_gt(calls.refused, 0);
}

static void *
nothing(void *argument)
{
	return argument;
}

/* ---- coroutines ---- */

static void
ignore(void *unused)
{
	(void)unused;
}

static void *
own_things(void *argument)
{
	int key = hub_local_new(NULL);

	for (int i = 0; i < 40; i++) {
		done("defer", hub_defer(ignore, NULL) == 0);
		done("alloc", hub_alloc(1000) != NULL);
	}
	if (key != -1)
		done("local", hub_local_set(key, &calls) == 0);
	return hub_fail(EBADMSG, "%s", (const char *)argument);
}

static void *
coroutines_body(void *unused)
{
	struct hub_coroutine *children[20];
	struct hub_failure failure;
	size_t count = 0, ended;

	for (int i = 0; i < 20; i++) {
		children[count] = hub_spawn(own_things, (void *)(uintptr_t) "a reason");
		count += done("spawn", children[count] != NULL);
	}
	done("wait_ended", hub_wait_ended(children, count, count, 0, &ended) == 0);
	for (size_t i = 0; i < count; i++) {
		hub_get(children[i], NULL, &failure);
		if (failure.code != EBADMSG && failure.code != ENOMEM)
			snprintf(calls.wrong, sizeof calls.wrong, "failure %d", failure.code);
	}
	return unused;
}

Test(memory, coroutines)
{
	in_worlds_without_memory(coroutines_body);
}

static void *
yield_two(void *unused)
{
	hub_yield(unused);
	hub_yield(unused);
	return unused;
}

static void *
generators_body(void *unused)
{
	struct hub_generator *generator = hub_generator_new(yield_two, NULL);
	struct hub_coroutine *raw = hub_new(nothing);
	void *value;
	int count = 0;

	if (done("generator_new", generator != NULL)) {
		while (hub_generator_next(generator, &value))
			count++;
		if (count != 2) {
			errno = hub_generator_failure(generator)->code;
			done("generator_next", false);
		}
		hub_generator_free(generator);
	}
	if (done("new", raw != NULL)) {
		hub_switch(raw, NULL);
		hub_free(raw);
	}
	return unused;
}

Test(memory, generators)
{
	in_worlds_without_memory(generators_body);
}

/* ---- what synchronizes ---- */

static void *
queues_body(void *unused)
{
	enum hub_queue_order orders[] = {HUB_QUEUE_FIFO, HUB_QUEUE_LIFO, HUB_QUEUE_PRIORITY};
	struct hub_shared_queue *shared = hub_shared_queue_new(0);
	void *item;

	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		struct hub_queue *queue = hub_queue_new(orders[i], 0);
		size_t put = 0;

		if (!done("queue_new", queue != NULL))
			continue;
		for (int times = 0; times < 100; times++)
			put += done("queue_put", hub_queue_put(queue, &item) == 0);
		while (put > 0 && hub_queue_try_get(queue, &item) == 0)
			put--;
		if (put != 0 || hub_queue_size(queue) != 0)
			snprintf(calls.wrong, sizeof calls.wrong, "%zu items are lost", put);
		hub_queue_free(queue);
	}
	if (!done("shared_queue_new", shared != NULL))
		return unused;
	for (int times = 0; times < 100; times++)
		done("shared_queue_put", hub_shared_queue_put(shared, &item) == 0);
	while (hub_shared_queue_try_get(shared, &item) == 0)
		;
	hub_shared_queue_free(shared);
	return unused;
}

Test(memory, queues)
{
	in_worlds_without_memory(queues_body);
}

#define CASES 40

static void *
select_body(void *unused)
{
	struct hub_case cases[CASES];
	struct hub_channel channels[CASES];
	struct hub_event event;
	int chosen;

	hub_event_init(&event);
	for (int i = 0; i < CASES - 1; i++) {
		hub_channel_init(&channels[i]);
		cases[i] = hub_case_channel_get(&channels[i]);
	}
	cases[CASES - 1] = hub_case_event(&event);
	chosen = hub_select(cases, CASES, HUB_MILLISECOND);
	done("select", chosen == -1 && errno == EAGAIN);
	hub_event_set(&event);
	done("select", hub_select(cases, CASES, HUB_MILLISECOND) == CASES - 1);
	return unused;
}

Test(memory, select)
{
	in_worlds_without_memory(select_body);
}

static bool
give_five(void *input, void **argument)
{
	int *left = input;

	*argument = NULL;
	return (*left)-- > 0;
}

static void *
pools_body(void *unused)
{
	void *arguments[10] = {NULL}, *results[10];
	struct hub_failure failure = {0};
	struct hub_pool pool;
	struct hub_nursery nursery;
	struct hub_imap *imap;
	int left = 5, result;

	hub_pool_init(&pool, 3);
	done("pool_spawn", hub_pool_spawn(&pool, nothing, NULL) != NULL);
	result = hub_pool_apply(&pool, nothing, NULL, results, &failure);
	done("pool_apply", result == 0);
	result = hub_pool_map(&pool, nothing, arguments, 10, results, &failure);
	done("pool_map", result == 0);
	imap = hub_imap_new(&pool, nothing, give_five, &left, 2, HUB_IMAP_AS_THEY_END);
	if (done("imap_new", imap != NULL)) {
		while ((result = hub_imap_next(imap, results, &failure)) == 1)
			done("imap_next", failure.code == 0 || failure.code == ENOMEM);
		done("imap_next", result == 0);
		hub_imap_free(imap);
	}
	hub_pool_join(&pool);
	hub_nursery_open(&nursery);
	for (int i = 0; i < 10; i++)
		done("nursery_spawn", hub_nursery_spawn(&nursery, nothing, NULL) != NULL);
	hub_nursery_close(&nursery);
	return unused;
}

Test(memory, pools)
{
	in_worlds_without_memory(pools_body);
}

static void *
threads_body(void *unused)
{
	struct hub_shared_semaphore *semaphore = hub_shared_semaphore_new(1);
	struct hub_shared_event *event = hub_shared_event_new();

	if (done("shared_semaphore_new", semaphore != NULL)) {
		hub_shared_semaphore_acquire(semaphore);
		hub_shared_semaphore_free(semaphore);
	}
	if (done("shared_event_new", event != NULL))
		hub_shared_event_free(event);
	for (int i = 0; i < 5; i++)
		done("spawn_into", hub_spawn_into(hub_mailbox(), nothing, NULL) == 0);
	done("offload", hub_offload(nothing, NULL, NULL) == 0);
	hub_sleep(HUB_SECOND);
	return unused;
}

Test(memory, threads)
{
	in_worlds_without_memory(threads_body);
}

/* ---- descriptors ---- */

static void *
files_body(void *unused)
{
	struct pollfd fds[40];
	char bytes[100];
	off_t offset = 0;
	int file = hub_open("/proc/self/maps", O_RDONLY, 0), pair[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	if (done("open", file != -1)) {
		done("pread", hub_pread(file, bytes, sizeof bytes, 0) > 0);
		done("read", hub_read(file, bytes, sizeof bytes) > 0);
		done("sendfile", hub_sendfile(pair[0], file, &offset, 50) == 50);
		hub_close(file);
	}
	for (int i = 0; i < 40; i++)
		fds[i] = (struct pollfd){pair[0], i % 2 == 0 ? POLLIN : POLLOUT, 0};
	done("poll", hub_poll(fds, 40, 100) != -1);
	done("wait_fd", hub_wait_fd(pair[0], POLLOUT) != -1);
	if (done("send", hub_send(pair[0], "x", 1, 0) == 1))
		done("recv", hub_recv(pair[1], bytes, 1, 0) == 1);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return unused;
}

Test(memory, files)
{
	in_worlds_without_memory(files_body);
}

static void
serve(int client, void *context)
{
	char bytes[10];
	ssize_t length;

	(void)context;
	while ((length = hub_recv(client, bytes, sizeof bytes, 0)) > 0)
		done("send", hub_send(client, bytes, (size_t)length, 0) == length);
	done("recv", length == 0);
}

static void *
ask(void *service)
{
	int fd = hub_create_connection("localhost", service);
	char byte;

	if (!done("create_connection", fd != -1 || errno == ECONNRESET))
		return NULL;
	if (fd == -1)
		return NULL;
	/* A server without memory for the client closes its connection. */
	if (done("send", hub_send(fd, "x", 1, 0) == 1 || errno == ECONNRESET || errno == EPIPE))
		done("recv", hub_recv(fd, &byte, 1, 0) != -1 || errno == ECONNRESET);
	hub_close(fd);
	return NULL;
}

static void *
server_body(void *unused)
{
	struct sockaddr_in address;
	socklen_t length = sizeof address;
	struct hub_server *server;
	struct hub_coroutine *clients[5];
	char service[8];
	int listener = hub_create_server("127.0.0.1", "0", 0);

	if (!done("create_server", listener != -1))
		return unused;
	getsockname(listener, (struct sockaddr *)&address, &length);
	snprintf(service, sizeof service, "%d", ntohs(address.sin_port));
	server = hub_stream_server_new(listener, serve, NULL, NULL);
	if (!done("server_new", server != NULL)) {
		hub_close(listener);
		return unused;
	}
	while (!done("server_start", hub_server_start(server) == 0))
		;
	for (int i = 0; i < 5; i++) {
		clients[i] = hub_spawn(ask, service);
		done("spawn", clients[i] != NULL);
	}
	for (int i = 0; i < 5; i++)
		if (clients[i] != NULL)
			hub_join(clients[i], NULL);
	hub_server_pause(server);
	hub_server_dismiss(server, HUB_SECOND);
	hub_server_stop(server, HUB_SECOND);
	hub_server_free(server);
	return unused;
}

Test(memory, server)
{
	in_worlds_without_memory(server_body);
}

/* ---- a program's own ---- */

static void *
program_body(void *unused)
{
	void *memory = hub_sim_malloc(10), *more;

	if (done("malloc", memory != NULL)) {
		more = hub_sim_realloc(memory, 20);
		free(done("realloc", more != NULL) ? more : memory);
	}
	memory = hub_sim_calloc(10, 10);
	done("calloc", memory != NULL);
	free(memory);
	return unused;
}

Test(memory, of_the_program)
{
	void *memory;

	in_worlds_without_memory(program_body);
	/* Outside of a world there is always some. */
	memory = hub_sim_malloc(10);
	cr_assert_not_null(memory);
	free(memory);
}
