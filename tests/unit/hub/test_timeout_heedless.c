/* A loop around a blocking call that does not heed the call's error, in a scope that has expired:
 * the others of its hub run. */
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

static bool has_run;

static void *
runner(void *unused)
{
	has_run = true;
	return unused;
}

static int
nap(void)
{
	return hub_sleep(HUB_MILLISECOND);
}

static int
compute(void)
{
	return hub_yield_due();
}

static int
wait_for_event(void)
{
	struct hub_event event = {0};

	return hub_event_wait(&event);
}

static int
acquire_lock(void)
{
	struct hub_lock lock = {0};

	return hub_lock_acquire(&lock);
}

static int
wait_for_condition(void)
{
	struct hub_condition condition = {0};
	struct hub_lock lock = {0};

	return hub_condition_wait(&condition, &lock);
}

static int
acquire_semaphore(void)
{
	struct hub_semaphore semaphore;

	hub_semaphore_init(&semaphore, 1);
	return hub_semaphore_acquire(&semaphore);
}

static int
wait_for_result(void)
{
	struct hub_result result = {0};

	return hub_result_get(&result, NULL, NULL);
}

static int
put_into_channel(void)
{
	struct hub_channel channel = {0};

	return hub_channel_put(&channel, NULL);
}

static int
get_from_channel(void)
{
	struct hub_channel channel = {0};
	void *item;

	return hub_channel_get(&channel, &item);
}

static struct hub_queue *queue;

static int
put_into_queue(void)
{
	return hub_queue_put(queue, NULL);
}

static int
get_from_queue(void)
{
	void *item;

	return hub_queue_get(queue, &item);
}

static void *
sleeper(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static struct hub_coroutine *joined;

static int
join_one(void)
{
	return hub_join(joined, NULL);
}

static int
wait_for_end(void)
{
	size_t ended;

	return hub_wait_ended(&joined, 1, 1, 0, &ended);
}

static int
join_pool(void)
{
	struct hub_pool pool;

	hub_pool_init(&pool, 1);
	return hub_pool_join(&pool);
}

static int
select_event(void)
{
	struct hub_event never = {0};
	struct hub_case one = hub_case_event(&never);

	return hub_select(&one, 1, HUB_FOREVER);
}

static int silent; /* a descriptor without input */

static int
wait_for_fd(void)
{
	return hub_wait_fd(silent, POLLIN);
}

static int
await_fd(void)
{
	return hub_await_fd(silent, POLLIN, HUB_FOREVER);
}

static int
poll_fd(void)
{
	struct pollfd one = {silent, POLLIN, 0};

	return hub_poll(&one, 1, -1);
}

static int
receive(void)
{
	char byte;

	return (int)hub_recv(silent, &byte, 1, 0);
}

static int
send_byte(void)
{
	return (int)hub_send(silent, "", 1, 0);
}

static int
connect_again(void)
{
	struct sockaddr_un nobody = {.sun_family = AF_UNIX};

	return hub_connect(silent, (struct sockaddr *)&nobody, sizeof nobody);
}

static int
shut_down(void)
{
	return hub_shutdown(silent, SHUT_WR);
}

static int
send_file(void)
{
	off_t offset = 0;

	return (int)hub_sendfile(silent, STDIN_FILENO, &offset, 1);
}

static struct hub_tls *tls;

static int
begin_tls(void)
{
	return hub_tls_connect(silent, tls, NULL);
}

static int
wait_for_child(void)
{
	return hub_waitpid(getppid(), NULL);
}

static int
look_up(void)
{
	struct addrinfo *found;

	return hub_getaddrinfo("nowhere.invalid", NULL, NULL, &found);
}

static void *
return_at_once(void *argument)
{
	return argument;
}

static int
offload(void)
{
	return hub_offload(return_at_once, NULL, NULL);
}

static int
map_over_pool(void)
{
	void *argument = NULL, *result;
	struct hub_pool pool;

	hub_pool_init(&pool, 1);
	return hub_pool_map(&pool, return_at_once, &argument, 1, &result, NULL);
}

static struct hub_stream *stream;

static int
read_stream(void)
{
	char byte;

	return (int)hub_stream_read(stream, &byte, 1);
}

static int
write_stream(void)
{
	return (int)hub_stream_write(stream, "", 1);
}

static int
flush_stream(void)
{
	return hub_stream_flush(stream);
}

static const struct {
	const char *name;
	int (*call)(void);
} heedless[] = {
	{"hub_sleep", nap},
	{"hub_yield_due", compute},
	{"hub_idle", hub_idle},
	{"hub_event_wait", wait_for_event},
	{"hub_lock_acquire", acquire_lock},
	{"hub_condition_wait", wait_for_condition},
	{"hub_semaphore_acquire", acquire_semaphore},
	{"hub_result_get", wait_for_result},
	{"hub_channel_put", put_into_channel},
	{"hub_channel_get", get_from_channel},
	{"hub_queue_put", put_into_queue},
	{"hub_queue_get", get_from_queue},
	{"hub_join", join_one},
	{"hub_wait_ended", wait_for_end},
	{"hub_pool_join", join_pool},
	{"hub_select", select_event},
	{"hub_wait_fd", wait_for_fd},
	{"hub_await_fd", await_fd},
	{"hub_poll", poll_fd},
	{"hub_recv", receive},
	{"hub_send", send_byte},
	{"hub_connect", connect_again},
	{"hub_shutdown", shut_down},
	{"hub_sendfile", send_file},
	{"hub_tls_connect", begin_tls},
	{"hub_waitpid", wait_for_child},
	{"hub_getaddrinfo", look_up},
	{"hub_offload", offload},
	{"hub_pool_map", map_over_pool},
	{"hub_stream_read", read_stream},
	{"hub_stream_write", write_stream},
	{"hub_stream_flush", flush_stream},
};

enum { HEEDLESS = sizeof heedless / sizeof heedless[0] };

static void *
heedless_body(void *argument)
{
	bool *let_run = argument;
	struct hub_timeout scope;
	int64_t began;
	int ends[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	silent = ends[0];
	queue = hub_queue_new(HUB_QUEUE_FIFO, 1);
	stream = hub_stream_new(silent, NULL);
	tls = hub_tls_client_new(NULL);
	joined = hub_spawn(sleeper, NULL);
	hub_timeout_start(&scope, 0);
	hub_sleep(HUB_MILLISECOND);
	for (int i = 0; i < HEEDLESS; i++) {
		has_run = false;
		hub_detach(hub_spawn(runner, NULL));
		began = hub_now();
		while (!has_run && hub_now() - began < 5 * HUB_SECOND)
			heedless[i].call();
		let_run[i] = has_run;
		/* The runner of a call that keeps the hub is not the next call's. */
		while (!has_run)
			hub_sleep(0);
	}
	hub_timeout_stop(&scope);
	hub_kill(joined);
	hub_join(joined, NULL);
	hub_queue_free(queue);
	hub_stream_free(stream);
	hub_tls_free(tls);
	hub_close(ends[0]);
	close(ends[1]);
	return NULL;
}

Test(timeout_heedless, others_run, .timeout = 200)
{
	bool let_run[HEEDLESS] = {false};

	in_hub(heedless_body, let_run);
	for (int i = 0; i < HEEDLESS; i++)
		cr_expect(let_run[i], "%s", heedless[i].name);
}
