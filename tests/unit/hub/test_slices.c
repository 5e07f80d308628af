/* Calls that never have to wait, all of them, made fast for a while and then with long steps in
 * between: whatever the hub had counted on, who sleeps beside them wakes in time. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/certificate.h"
#include "tests/support/in_hub.h"

#define FAST (30 * HUB_MILLISECOND) /* long enough for every count to have grown */
#define STEP (30 * HUB_MILLISECOND)
#define STEPS_MOST                                                                                 \
	8 /* by when a sleeper of PERIOD has run; four and a look of the watchdog's are promised */
#define PERIOD (10 * HUB_MILLISECOND)
#define ROUNDS 3 /* where in its count the hub is when the steps become long is chance */

/* What the calls are made on. */
static struct {
	int pair[2];
	int pipe[2];
	int datagrams;
	int listener;
	int file;
	int tls[2];
	struct hub_tls *tls_server, *tls_client;
	struct sockaddr_in address;
	struct sockaddr_un path;
	socklen_t path_length;
	struct hub_queue *queue;
	struct hub_channel channel;
	struct hub_event event;
	struct hub_shared_queue *shared;
	struct certificate certificate;
} ground;

/* ---- the calls: each can go on at once, for ever; false where it failed ---- */

static bool
act_yield_due(void)
{
	return hub_yield_due() == 0;
}

static bool
act_sleep(void)
{
	return hub_sleep(0) == 0;
}

static void *
end_at_once(void *argument)
{
	return argument;
}

static bool
act_join(void)
{
	struct hub_coroutine *other = hub_spawn(end_at_once, NULL);

	return other != NULL && hub_join(other, NULL) == 0;
}

static bool
act_recv(void)
{
	char byte;

	return hub_recv(ground.pair[0], &byte, 1, MSG_PEEK) == 1;
}

static bool
act_recv_some(void)
{
	char bytes[2];

	return hub_send(ground.pair[0], "x", 1, MSG_DONTWAIT) == 1 &&
	       hub_recv(ground.pair[1], bytes, 2, 0) == 1;
}

static bool
act_send(void)
{
	char byte;

	return hub_send(ground.pair[0], "x", 1, 0) == 1 &&
	       hub_recv(ground.pair[1], &byte, 1, MSG_DONTWAIT) == 1;
}

static bool
act_datagram(void)
{
	char byte;

	return hub_sendto(ground.datagrams, "x", 1, MSG_DONTWAIT,
		       (struct sockaddr *)&ground.address, sizeof ground.address) == 1 &&
	       hub_recvfrom(ground.datagrams, &byte, 1, 0, NULL, NULL) == 1;
}

static bool
act_pipe(void)
{
	char byte;

	return write(ground.pipe[1], "x", 1) == 1 && hub_read(ground.pipe[0], &byte, 1) == 1;
}

static bool
act_connect(void)
{
	int client = hub_socket(AF_UNIX, SOCK_STREAM, 0), server;
	bool is_connected =
		hub_connect(client, (struct sockaddr *)&ground.path, ground.path_length) == 0;

	server = accept(ground.listener, NULL, NULL);
	hub_close(client);
	close(server);
	return is_connected && server >= 0;
}

static bool
act_accept(void)
{
	int client = socket(AF_UNIX, SOCK_STREAM, 0), server = -1;

	if (connect(client, (struct sockaddr *)&ground.path, ground.path_length) == 0)
		server = hub_accept(ground.listener, NULL, NULL);
	close(client);
	hub_close(server);
	return server >= 0;
}

static bool
act_wait_fd(void)
{
	return hub_wait_fd(ground.pair[0], POLLOUT) == POLLOUT;
}

static bool
act_poll(void)
{
	struct pollfd query = {ground.pair[0], POLLOUT, 0};

	return hub_poll(&query, 1, 0) == 1;
}

static bool
act_select(void)
{
	struct hub_case cases[] = {hub_case_event(&ground.event)};

	return hub_select(cases, 1, HUB_FOREVER) == 0;
}

static bool
act_sendfile(void)
{
	off_t offset = 0;
	char byte;

	return hub_sendfile(ground.pair[0], ground.file, &offset, 1) == 1 &&
	       hub_recv(ground.pair[1], &byte, 1, MSG_DONTWAIT) == 1;
}

static bool
act_read_file(void)
{
	char byte;

	return lseek(ground.file, 0, SEEK_SET) == 0 && hub_read(ground.file, &byte, 1) == 1;
}

static bool
act_pread_file(void)
{
	char byte;

	return hub_pread(ground.file, &byte, 1, 0) == 1;
}

static bool
act_tls(void)
{
	static const char bytes[4096];
	static size_t left;
	char byte;

	if (left == 0 && hub_send(ground.tls[0], bytes, sizeof bytes, 0) == sizeof bytes)
		left = sizeof bytes;
	left--;
	return hub_recv(ground.tls[1], &byte, 1, 0) == 1;
}

static bool
act_queue(void)
{
	return hub_queue_put(ground.queue, NULL) == 0;
}

static bool
act_channel(void)
{
	return hub_channel_put(&ground.channel, NULL) == 0;
}

/* Another thread could put for ever. */
static bool
act_shared_queue(void)
{
	void *item;

	return hub_shared_queue_try_put(ground.shared, NULL) == 0 &&
	       hub_shared_queue_get(ground.shared, &item) == 0;
}

static const struct {
	const char *name;
	bool (*act)(void);
} calls[] = {
	{"hub_yield_due", act_yield_due},
	{"hub_sleep", act_sleep},
	{"hub_join", act_join},
	{"hub_recv", act_recv},
	{"hub_recv, all there was", act_recv_some},
	{"hub_send", act_send},
	{"hub_recvfrom", act_datagram},
	{"hub_read of a pipe", act_pipe},
	{"hub_connect", act_connect},
	{"hub_accept", act_accept},
	{"hub_wait_fd", act_wait_fd},
	{"hub_poll", act_poll},
	{"hub_select", act_select},
	{"hub_sendfile", act_sendfile},
	{"hub_read of a file", act_read_file},
	{"hub_pread", act_pread_file},
	{"hub_recv over TLS", act_tls},
	{"hub_queue_put", act_queue},
	{"hub_channel_put", act_channel},
	{"hub_shared_queue_get", act_shared_queue},
};
#define CALLS (sizeof calls / sizeof calls[0])

/* ---- who sleeps beside them ---- */

static int ticks;

static void *
tick(void *argument)
{
	while (hub_sleep(PERIOD) == 0)
		ticks++;
	return argument;
}

static void *
get_for_ever(void *argument)
{
	void *item;

	while (hub_queue_get(ground.queue, &item) == 0)
		continue;
	return argument;
}

static void *
take_for_ever(void *argument)
{
	void *item;

	while (hub_channel_get(&ground.channel, &item) == 0)
		continue;
	return argument;
}

/* ---- the ground ---- */

static void *
accept_tls(void *argument)
{
	hub_tls_accept(ground.tls[0], ground.tls_server);
	return argument;
}

static void
make_sockets(void)
{
	socklen_t length = sizeof ground.address;

	ground.address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	ground.datagrams = hub_socket(AF_INET, SOCK_DGRAM, 0);
	bind(ground.datagrams, (struct sockaddr *)&ground.address, length);
	getsockname(ground.datagrams, (struct sockaddr *)&ground.address, &length);
	ground.path = (struct sockaddr_un){.sun_family = AF_UNIX};
	ground.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* A name of the kernel's choice, in its abstract space. */
	bind(ground.listener, (struct sockaddr *)&ground.path, sizeof(sa_family_t));
	ground.path_length = sizeof ground.path;
	getsockname(ground.listener, (struct sockaddr *)&ground.path, &ground.path_length);
	listen(ground.listener, 8);
}

static void
make_ground(void)
{
	struct hub_coroutine *server;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ground.pair);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ground.tls);
	/* For who only looks. */
	send(ground.pair[1], "x", 1, 0);
	pipe2(ground.pipe, O_CLOEXEC);
	make_sockets();
	ground.file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	server = hub_spawn(accept_tls, NULL);
	hub_tls_connect(ground.tls[1], ground.tls_client, "localhost");
	hub_join(server, NULL);
	ground.queue = hub_queue_new(HUB_QUEUE_FIFO, 1);
	ground.shared = hub_shared_queue_new(0);
	hub_event_set(&ground.event);
	hub_detach(hub_spawn(get_for_ever, NULL));
	hub_detach(hub_spawn(take_for_ever, NULL));
	hub_detach(hub_spawn(tick, NULL));
}

static void
clean_ground(void)
{
	int fds[] = {ground.pair[0], ground.pair[1], ground.pipe[0], ground.pipe[1], ground.tls[0],
		ground.tls[1], ground.datagrams, ground.listener, ground.file};

	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
		hub_close(fds[i]);
	hub_shared_queue_free(ground.shared);
}

/* ---- fast, then slow ---- */

struct record {
	int steps[CALLS]; /* the most that were made before the sleeper ran */
	bool has_failed[CALLS];
};

/* Returns how many steps were made before the sleeper ran. */
static int
go_fast_then_slow(bool (*act)(void), bool *has_failed)
{
	static const struct timespec step = {0, STEP};
	int64_t began = hub_now();
	int steps;

	while (hub_now() - began < FAST)
		*has_failed |= !act();
	ticks = 0;
	for (steps = 0; steps <= STEPS_MOST && ticks == 0; steps++) {
		nanosleep(&step, NULL);
		*has_failed |= !act();
	}
	return steps;
}

static void *
all_calls(void *argument)
{
	struct record *record = argument;

	make_ground();
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < CALLS; i++) {
			int steps = go_fast_then_slow(calls[i].act, &record->has_failed[i]);

			if (steps > record->steps[i])
				record->steps[i] = steps;
		}
	clean_ground();
	return NULL;
}

Test(slices, none_promises_more_than_a_slice, .timeout = 120)
{
	struct record record = {0};

	/* Not even where nothing is reported. */
	hub_watchdog(0);
	cr_assert(certificate_make(&ground.certificate));
	ground.tls_server = hub_tls_server_new(ground.certificate.file, ground.certificate.key);
	ground.tls_client = hub_tls_client_new(ground.certificate.file);
	cr_assert(ground.tls_server != NULL && ground.tls_client != NULL, "%s", hub_tls_why());
	in_hub(all_calls, &record);
	hub_queue_free(ground.queue);
	hub_tls_free(ground.tls_server);
	hub_tls_free(ground.tls_client);
	certificate_clean(&ground.certificate);
	for (size_t i = 0; i < CALLS; i++) {
		cr_expect(!record.has_failed[i], "%s", calls[i].name);
		cr_expect_leq(record.steps[i], STEPS_MOST, "%s: %d steps of %lld ms", calls[i].name,
			record.steps[i], (long long)(STEP / HUB_MILLISECOND));
	}
}
