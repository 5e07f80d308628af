/* Every blocking call of the library, generically: the outer scope is never lost, a kill always
 * ends it, and in a scope that has expired nothing blocks or happens. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/full.h"
#include "tests/support/in_hub.h"

/* Things that never happen. */
static struct {
	struct hub_event event;
	struct hub_semaphore semaphore;
	struct hub_lock lock;
	struct hub_condition condition;
	struct hub_channel channel;
	struct hub_queue *empty, *full;
	struct hub_result result;
	struct hub_pool pool;
	struct hub_coroutine *sleeper;
	struct hub_shared_semaphore *shared_semaphore;
	struct hub_shared_event *shared_event;
	struct hub_shared_queue *shared_queue;
	struct hub_server *server;
	int idle[2]; /* nothing to read */
	int full_pair[2];
	int full_stream[2];
	int listener;
	int file;
	pid_t child;
} never;

static void *
sleep_for_ever(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static void *
lock_for_ever(void *argument)
{
	hub_lock_acquire(&never.lock);
	hub_sleep(HUB_FOREVER);
	hub_lock_release(&never.lock);
	return argument;
}

static int
call_sleep(void)
{
	return hub_sleep(HUB_FOREVER);
}

static int
call_idle(void)
{
	/* Somebody is always runnable beside it. */
	return hub_idle();
}

static int
call_event(void)
{
	return hub_event_wait(&never.event);
}

static int
call_semaphore(void)
{
	return hub_semaphore_acquire(&never.semaphore);
}

static int
call_lock(void)
{
	return hub_lock_acquire(&never.lock);
}

static int
call_condition(void)
{
	static struct hub_lock own;
	int result;

	if (hub_lock_acquire(&own) != 0)
		return -1;
	result = hub_condition_wait(&never.condition, &own);
	{
		int error = errno;

		hub_lock_release(&own);
		errno = error;
	}
	return result;
}

static int
call_channel_put(void)
{
	return hub_channel_put(&never.channel, NULL);
}

static int
call_channel_get(void)
{
	void *item;

	return hub_channel_get(&never.channel, &item);
}

static int
call_queue_put(void)
{
	return hub_queue_put(never.full, NULL);
}

static int
call_queue_get(void)
{
	void *item;

	return hub_queue_get(never.empty, &item);
}

static int
call_queue_join(void)
{
	return hub_queue_join(never.full);
}

static int
call_result(void)
{
	return hub_result_get(&never.result, NULL, NULL);
}

static int
call_join(void)
{
	return hub_join(never.sleeper, NULL);
}

static int
call_get(void)
{
	struct hub_failure failure;

	return hub_get(never.sleeper, NULL, &failure);
}

static int
call_wait_ended(void)
{
	size_t ended;

	return hub_wait_ended(&never.sleeper, 1, 1, 0, &ended);
}

static int
call_pool_spawn(void)
{
	return hub_pool_spawn(&never.pool, sleep_for_ever, NULL) != NULL ? 0 : -1;
}

static int
call_pool_wait(void)
{
	return hub_pool_wait(&never.pool);
}

static int
call_pool_join(void)
{
	return hub_pool_join(&never.pool);
}

static int
call_pool_apply(void)
{
	struct hub_pool own;
	struct hub_failure failure;

	hub_pool_init(&own, 1);
	return hub_pool_apply(&own, sleep_for_ever, NULL, NULL, &failure);
}

static bool
give_one(void *input, void **argument)
{
	*argument = input;
	return true;
}

static int
call_imap(void)
{
	struct hub_pool own;
	struct hub_failure failure;
	struct hub_imap *imap;
	void *result;
	int outcome, error;

	hub_pool_init(&own, 2);
	imap = hub_imap_new(&own, sleep_for_ever, give_one, NULL, 2, HUB_IMAP_ORDERED);
	outcome = hub_imap_next(imap, &result, &failure);
	error = errno;
	hub_imap_free(imap);
	errno = error;
	return outcome;
}

static int
call_nursery(void)
{
	struct hub_nursery nursery;

	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, sleep_for_ever, NULL);
	return hub_nursery_close(&nursery);
}

static int
call_select(void)
{
	struct hub_case cases[] = {hub_case_event(&never.event), hub_case_get(never.empty),
		hub_case_fd(never.idle[0], POLLIN)};

	return hub_select(cases, 3, HUB_FOREVER);
}

static int
call_recv(void)
{
	char byte;

	return (int)hub_recv(never.idle[0], &byte, 1, 0);
}

static int
call_recvfrom(void)
{
	char byte;

	return (int)hub_recvfrom(never.idle[0], &byte, 1, 0, NULL, NULL);
}

static int
call_recvmsg(void)
{
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	return (int)hub_recvmsg(never.idle[0], &message, 0);
}

static int
call_read(void)
{
	char byte;

	return (int)hub_read(never.idle[0], &byte, 1);
}

static int
call_readv(void)
{
	char byte;
	struct iovec part = {&byte, 1};

	return (int)hub_readv(never.idle[0], &part, 1);
}

static int
call_send(void)
{
	return (int)hub_send(never.full_pair[0], "x", 1, 0);
}

static int
call_sendto(void)
{
	return (int)hub_sendto(never.full_pair[0], "x", 1, 0, NULL, 0);
}

static int
call_sendmsg(void)
{
	struct iovec part = {"x", 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	return (int)hub_sendmsg(never.full_pair[0], &message, 0);
}

static int
call_write(void)
{
	return (int)hub_write(never.full_pair[0], "x", 1);
}

static int
call_writev(void)
{
	struct iovec part = {"x", 1};

	return (int)hub_writev(never.full_pair[0], &part, 1);
}

static int
call_sendfile(void)
{
	off_t offset = 0;

	return (int)hub_sendfile(never.full_stream[0], never.file, &offset, 1);
}

static int
call_accept(void)
{
	return hub_accept(never.listener, NULL, NULL);
}

static int
call_wait_fd(void)
{
	return hub_wait_fd(never.idle[0], POLLIN);
}

static int
call_poll(void)
{
	struct pollfd one = {never.idle[0], POLLIN, 0};

	return hub_poll(&one, 1, -1);
}

static int
call_server_wait(void)
{
	return hub_server_wait(never.server);
}

static int
call_waitpid(void)
{
	return on_valgrind() ? hub_sleep(HUB_FOREVER) : (int)hub_waitpid(never.child, NULL);
}

static int
call_communicate(void)
{
	char *arguments[] = {"sleep", "60", NULL};
	struct hub_process_options options = {.streams = {0, HUB_STREAM_PIPE, 0}};
	struct hub_process *process;
	int result, error;

	if (on_valgrind())
		return hub_sleep(HUB_FOREVER);
	process = hub_process_start(arguments, &options);
	result = hub_process_communicate(process, NULL, 0, NULL);
	error = errno;
	hub_process_free(process);
	errno = error;
	return result;
}

static int
call_shared_semaphore(void)
{
	return hub_shared_semaphore_acquire(never.shared_semaphore);
}

static int
call_shared_event(void)
{
	return hub_shared_event_wait(never.shared_event);
}

static int
call_shared_queue(void)
{
	void *item;

	return hub_shared_queue_get(never.shared_queue, &item);
}

static const struct {
	const char *name;
	int (*call)(void);
} calls[] = {
	{"sleep", call_sleep},
	{"idle", call_idle},
	{"event", call_event},
	{"semaphore", call_semaphore},
	{"lock", call_lock},
	{"condition", call_condition},
	{"channel put", call_channel_put},
	{"channel get", call_channel_get},
	{"queue put", call_queue_put},
	{"queue get", call_queue_get},
	{"queue join", call_queue_join},
	{"result", call_result},
	{"join", call_join},
	{"get", call_get},
	{"wait ended", call_wait_ended},
	{"pool spawn", call_pool_spawn},
	{"pool wait", call_pool_wait},
	{"pool join", call_pool_join},
	{"pool apply", call_pool_apply},
	{"imap", call_imap},
	{"nursery", call_nursery},
	{"select", call_select},
	{"recv", call_recv},
	{"recvfrom", call_recvfrom},
	{"recvmsg", call_recvmsg},
	{"read", call_read},
	{"readv", call_readv},
	{"send", call_send},
	{"sendto", call_sendto},
	{"sendmsg", call_sendmsg},
	{"write", call_write},
	{"writev", call_writev},
	{"sendfile", call_sendfile},
	{"accept", call_accept},
	{"wait fd", call_wait_fd},
	{"poll", call_poll},
	{"server wait", call_server_wait},
	{"waitpid", call_waitpid},
	{"communicate", call_communicate},
	{"shared semaphore", call_shared_semaphore},
	{"shared event", call_shared_event},
	{"shared queue", call_shared_queue},
};

enum { CALLS = sizeof calls / sizeof calls[0] };

struct record {
	int results[CALLS], errors[CALLS], inner[CALLS], outer[CALLS];
	int killed_results[CALLS], killed_errors[CALLS];
	int expired_results[CALLS], expired_errors[CALLS];
	int elapsed_too_long;
	int current;
};

static void *
be_busy(void *argument)
{
	while (hub_sleep(0) == 0)
		continue;
	return argument;
}

static void
serve_for_ever(int client, void *context)
{
	char byte;

	(void)context;
	while (hub_recv(client, &byte, 1, 0) > 0)
		continue;
}

static void
make_never(void)
{
	char byte = 0;
	int client;

	memset(&never, 0, sizeof never);
	hub_semaphore_init(&never.semaphore, 0);
	never.empty = hub_queue_new(HUB_QUEUE_FIFO, 0);
	never.full = hub_queue_new(HUB_QUEUE_FIFO, 1);
	hub_queue_put(never.full, NULL);
	hub_detach(hub_spawn(lock_for_ever, NULL));
	hub_sleep(0);
	hub_pool_init(&never.pool, 1);
	hub_pool_spawn(&never.pool, sleep_for_ever, NULL);
	never.sleeper = hub_spawn(sleep_for_ever, NULL);
	never.shared_semaphore = hub_shared_semaphore_new(0);
	never.shared_event = hub_shared_event_new();
	never.shared_queue = hub_shared_queue_new(0);
	socketpair(AF_UNIX, SOCK_STREAM, 0, never.idle);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, never.full_pair);
	while (write(never.full_pair[0], &byte, 1) == 1)
		continue;
	never.listener = hub_create_server("127.0.0.1", "0", 0);
	never.file = open("/proc/self/exe", O_RDONLY);
	full_stream(never.full_stream);
	/* A server with one connection that stays. */
	{
		struct sockaddr_in address;
		socklen_t length = sizeof address;
		int listener = hub_create_server("127.0.0.1", "0", 0);

		getsockname(listener, (struct sockaddr *)&address, &length);
		never.server = hub_stream_server_new(listener, serve_for_ever, NULL, NULL);
		client = hub_socket(AF_INET, SOCK_STREAM, 0);
		hub_connect(client, (struct sockaddr *)&address, length);
		hub_server_accept_queued(never.server);
	}
	never.child = fork();
	if (never.child == 0) {
		pause();
		_exit(0);
	}
}

static void *
killed_call(void *argument)
{
	struct record *record = argument;
	int index = record->current;

	record->killed_results[index] = calls[index].call();
	record->killed_errors[index] = errno;
	return NULL;
}

static void
try_call(struct record *record, int index)
{
	struct hub_timeout outer, inner;
	struct hub_coroutine *victim;
	int64_t began = hub_now();

	hub_timeout_start(&outer, 2 * HUB_MILLISECOND);
	hub_timeout_start(&inner, 60 * HUB_SECOND);
	record->results[index] = calls[index].call();
	record->errors[index] = errno;
	record->inner[index] = hub_timeout_stop(&inner);
	record->outer[index] = hub_timeout_stop(&outer);
	record->current = index;
	victim = hub_spawn(killed_call, record);
	until_it_waits(victim);
	hub_kill(victim);
	hub_join(victim, NULL);
	hub_timeout_start(&outer, 0);
	record->expired_results[index] = calls[index].call();
	record->expired_errors[index] = errno;
	hub_timeout_stop(&outer);
	if (hub_now() - began > 30 * HUB_SECOND)
		record->elapsed_too_long = index + 1;
}

static void *
every_body(void *argument)
{
	hub_detach(hub_spawn(be_busy, NULL));
	make_never();
	for (int i = 0; i < CALLS; i++)
		try_call(argument, i);
	kill(never.child, SIGKILL);
	waitpid(never.child, NULL, 0);
	hub_queue_free(never.empty);
	hub_queue_free(never.full);
	hub_shared_semaphore_free(never.shared_semaphore);
	hub_shared_event_free(never.shared_event);
	hub_shared_queue_free(never.shared_queue);
	hub_server_stop(never.server, 0);
	hub_server_free(never.server);
	return NULL;
}

Test(interruption, reaches_every_blocking_call)
{
	static struct record record;

	cr_assert_eq(hub_run(every_body, &record, NULL), 0);
	for (int i = 0; i < CALLS; i++) {
		cr_assert_eq(record.results[i], -1, "%s: %d", calls[i].name, record.results[i]);
		cr_assert_eq(record.errors[i], ETIMEDOUT, "%s: %s", calls[i].name,
			strerror(record.errors[i]));
		cr_assert_not(
			record.inner[i], "%s: the inner scope says it expired", calls[i].name);
		cr_assert(record.outer[i], "%s: the outer scope is lost", calls[i].name);
		cr_assert_eq(record.killed_results[i], -1, "%s", calls[i].name);
		cr_assert_eq(record.killed_errors[i], ECANCELED, "%s: %s", calls[i].name,
			strerror(record.killed_errors[i]));
		cr_assert_eq(record.expired_results[i], -1, "%s", calls[i].name);
		cr_assert_eq(record.expired_errors[i], ETIMEDOUT, "%s: %s", calls[i].name,
			strerror(record.expired_errors[i]));
	}
	cr_assert_eq(record.elapsed_too_long, 0);
}
