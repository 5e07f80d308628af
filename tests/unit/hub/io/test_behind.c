/* Numbers that are closed, or opened anew, behind the hub's back: every way to close one, every
 * thing that it may be then, everything that it may have been, and whoever may have waited for it.
 * Nobody may be left waiting, who waited for the old one must get an error and none of the new
 * one's bytes, and whoever has the number then must be served. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/list.h"
#include "hub/io/own.h"
#include "hub/scheduler_priv.h"
#include "tests/support/certificate.h"
#include "tests/support/in_hub.h"

/* The first scene's number: the others' follow. Above what else the scenes that play at once
 * open. */
#define FIRST_NUMBER 400
#define AT_ONCE 64
/* Nothing takes that long but a hang. */
#define PATIENCE (30 * HUB_SECOND)
#define MOMENT (20 * HUB_MILLISECOND)

/* ---- what the number was, and who waits ---- */

/* clang-format off */
#define WAS(EACH) \
	EACH(idle_stream) EACH(drained_stream) EACH(stream_read) EACH(stream_written) EACH(stream_polled) \
	EACH(stream_selected) EACH(pipe_read) EACH(eventfd_read) EACH(listener) EACH(file) EACH(tls_idle) \
	EACH(tls_read) EACH(ended)
/* clang-format on */

#define NUMBER(name) WAS_##name,
enum was { WAS(NUMBER) WAS_MAX };
#undef NUMBER
#define NAME(name) #name,
static const char *const was_names[] = {WAS(NAME)};

/* ---- what it is then ---- */

/* clang-format off */
#define IS(EACH) \
	EACH(nothing) EACH(stream) EACH(datagram) EACH(pipe) EACH(event) EACH(timer) EACH(epoll) EACH(file_now) \
	EACH(listening) EACH(tls_now)
/* clang-format on */

#define NUMBER(name) IS_##name,
enum is { IS(NUMBER) IS_MAX };
#undef NUMBER
static const char *const is_names[] = {IS(NAME)};

struct scene {
	enum was was;
	enum is is;
	bool is_patient; /* who has the number next does nothing before who waited is told */
	int number;
	void (*close)(struct scene *scene, int replacement);
	int old_peer;
	int copy; /* keeps the old one open; -1 for none */
	int peer; /* what makes the new one readable */
	struct hub_tls *server, *client;
	struct hub_coroutine *waiter;
	bool waiter_is_right;
	char fault[128];
};

static void
fault(struct scene *scene, const char *what, long result)
{
	if (scene->fault[0] == '\0')
		snprintf(scene->fault, sizeof scene->fault, "%s: %ld, %s", what, result,
			result < 0 ? strerror(errno) : "-");
}

/* Moves fd to the scene's number, unseen. */
static void
put(const struct scene *scene, int fd)
{
	syscall(SYS_dup3, fd, scene->number, O_CLOEXEC);
	syscall(SYS_close, fd);
}

static int
temporary_file(void)
{
	char path[] = "/tmp/hubbub-behind-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	unlink(path);
	if (write(fd, "file", 4) == 4)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

static int
listening_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	/* The kernel finds a name. */
	bind(fd, (struct sockaddr *)&name, sizeof name.sun_family);
	listen(fd, 8);
	return fd;
}

/* ---- the old one ---- */

static bool
is_refused(long result)
{
	return result == -1 && (errno == EBADF || errno == ECANCELED);
}

static void *
wait_for_old(void *argument)
{
	struct scene *scene = argument;
	struct pollfd query = {scene->number, POLLIN, 0};
	static char many[1 << 16];
	uint64_t count;
	char byte;

	switch (scene->was) {
	case WAS_stream_written:
		while (hub_send(scene->number, many, sizeof many, 0) == sizeof many)
			continue;
		/* A part may have gone out: then that is what it is told. */
		scene->waiter_is_right = true;
		break;
	case WAS_stream_polled:
		scene->waiter_is_right = hub_poll(&query, 1, -1) == 1 && query.revents == POLLNVAL;
		break;
	case WAS_stream_selected: {
		struct hub_case one = hub_case_fd(scene->number, POLLIN);

		scene->waiter_is_right = hub_select(&one, 1, HUB_FOREVER) == 0 &&
					 (one.error == EBADF || one.error == ECANCELED);
		break;
	}
	case WAS_pipe_read:
	case WAS_eventfd_read:
		scene->waiter_is_right = is_refused(hub_read(scene->number, &count, sizeof count));
		break;
	case WAS_listener:
		scene->waiter_is_right = is_refused(hub_accept(scene->number, NULL, NULL));
		break;
	default:
		scene->waiter_is_right = is_refused(hub_recv(scene->number, &byte, 1, 0));
	}
	return NULL;
}

static void *
accept_tls(void *argument)
{
	struct scene *scene = argument;

	if (hub_tls_accept(scene->number, scene->server) != 0)
		fault(scene, "hub_tls_accept", -1);
	return NULL;
}

/* A TLS connection of the number with its peer; whose side the number is does not matter. */
static void
shake_hands(struct scene *scene, int peer)
{
	struct hub_coroutine *server = hub_spawn(accept_tls, scene);

	if (hub_tls_connect(peer, scene->client, "localhost") != 0)
		fault(scene, "hub_tls_connect", -1);
	hub_join(server, NULL);
}

static void
make_old(struct scene *scene)
{
	int pair[2] = {-1, -1};
	char bytes[8];

	switch (scene->was) {
	case WAS_pipe_read:
		pipe2(pair, O_CLOEXEC);
		break;
	case WAS_eventfd_read:
		pair[0] = eventfd(0, EFD_CLOEXEC);
		break;
	case WAS_listener:
		pair[0] = listening_socket();
		break;
	case WAS_file:
		pair[0] = temporary_file();
		break;
	default:
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	}
	put(scene, pair[0]);
	scene->old_peer = pair[1];
	hub_adopt(scene->number);
	if (scene->was == WAS_drained_stream) {
		hub_send(scene->old_peer, "x", 1, 0);
		hub_recv(scene->number, bytes, sizeof bytes, 0);
	}
	if (scene->was == WAS_tls_idle || scene->was == WAS_tls_read)
		shake_hands(scene, scene->old_peer);
	if (scene->was == WAS_ended)
		hub_end_input(scene->number);
}

/* Somebody waits, or has waited: then a watcher is left on. */
static void
wait_for_it(struct scene *scene)
{
	scene->waiter = hub_spawn(wait_for_old, scene);
	hub_sleep(MOMENT);
	switch (scene->was) {
	case WAS_idle_stream:
	case WAS_drained_stream:
	case WAS_file:
	case WAS_tls_idle:
	case WAS_ended:
		hub_kill(scene->waiter);
		hub_join(scene->waiter, NULL);
		scene->waiter = NULL;
		break;
	default:
		break;
	}
}

/* ---- the new one ---- */

static int
make_new(struct scene *scene)
{
	struct epoll_event event = {.events = EPOLLIN};
	int pair[2] = {-1, -1};

	switch (scene->is) {
	case IS_nothing:
		break;
	case IS_datagram:
		socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair);
		break;
	case IS_pipe:
		pipe2(pair, O_CLOEXEC);
		break;
	case IS_event:
		pair[0] = eventfd(0, EFD_CLOEXEC);
		pair[1] = dup(pair[0]);
		break;
	case IS_timer:
		pair[0] = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
		break;
	case IS_epoll:
		pair[0] = epoll_create1(EPOLL_CLOEXEC);
		pair[1] = eventfd(0, EFD_CLOEXEC);
		epoll_ctl(pair[0], EPOLL_CTL_ADD, pair[1], &event);
		break;
	case IS_file_now:
		pair[0] = temporary_file();
		break;
	case IS_listening:
		pair[0] = listening_socket();
		pair[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		break;
	default:
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	}
	scene->peer = pair[1];
	return pair[0];
}

/* What whoever has the new one does first. */
static long
use(struct scene *scene, char bytes[8])
{
	int client;

	switch (scene->is) {
	case IS_epoll:
		return hub_wait_fd(scene->number, POLLIN);
	case IS_listening:
		client = hub_accept(scene->number, NULL, NULL);
		if (client >= 0)
			hub_close(client);
		return client;
	case IS_datagram:
		return hub_recv(scene->number, bytes, 8, 0);
	default:
		return hub_read(scene->number, bytes, 8);
	}
}

static void
feed(struct scene *scene)
{
	struct itimerspec soon = {.it_value.tv_nsec = HUB_MILLISECOND};
	uint64_t one = 1;
	struct sockaddr_storage address;
	socklen_t length = sizeof address;

	switch (scene->is) {
	case IS_event:
	case IS_epoll:
		if (write(scene->peer, &one, sizeof one) != sizeof one)
			fault(scene, "write", -1);
		break;
	case IS_listening:
		getsockname(scene->number, (struct sockaddr *)&address, &length);
		if (connect(scene->peer, (struct sockaddr *)&address, length) != 0)
			fault(scene, "connect", -1);
		break;
	case IS_timer:
		timerfd_settime(scene->number, 0, &soon, NULL);
		break;
	case IS_file_now:
		break;
	default:
		if (hub_write(scene->peer, "fresh", 5) != 5)
			fault(scene, "hub_write", -1);
	}
}

/* Whoever has the number is served: its time runs out, what comes is received, what it sends
 * arrives. */
static void *
own(void *argument)
{
	struct scene *scene = argument;
	struct hub_timeout scope;
	char bytes[8] = "";
	bool has_expired;
	long result;

	if (scene->is == IS_tls_now)
		shake_hands(scene, scene->peer);
	if (scene->is != IS_file_now) {
		hub_timeout_start(&scope, MOMENT / 4);
		result = use(scene, bytes);
		has_expired = hub_timeout_stop(&scope);
		if (result != -1 || !has_expired)
			fault(scene, "nothing has come", result);
	}
	feed(scene);
	hub_timeout_start(&scope, PATIENCE);
	result = use(scene, bytes);
	if (hub_timeout_stop(&scope) || result < 0 || (scene->is != IS_listening && result == 0))
		fault(scene, "something has come", result);
	if (scene->is == IS_stream || scene->is == IS_tls_now || scene->is == IS_datagram) {
		if (memcmp(bytes, "fresh", 5) != 0)
			fault(scene, "other bytes", result);
		result = hub_write(scene->number, "back", 4);
		if (result != 4 || hub_recv(scene->peer, bytes, 4, 0) != 4 ||
			memcmp(bytes, "back", 4) != 0)
			fault(scene, "sending", result);
	}
	return NULL;
}

static void *
play(void *argument)
{
	struct scene *scene = argument;
	struct hub_coroutine *owner = NULL;
	struct hub_timeout scope;

	make_old(scene);
	wait_for_it(scene);
	scene->close(scene, make_new(scene));
	if (scene->is != IS_nothing && !scene->is_patient)
		owner = hub_spawn(own, scene);
	if (scene->waiter != NULL) {
		hub_timeout_start(&scope, PATIENCE);
		if (hub_join(scene->waiter, NULL) != 0 || !scene->waiter_is_right)
			fault(scene, "who waited", scene->waiter_is_right);
		hub_timeout_stop(&scope);
	}
	if (scene->is != IS_nothing && scene->is_patient)
		owner = hub_spawn(own, scene);
	if (owner != NULL)
		hub_join(owner, NULL);
	hub_close(scene->number);
	if (scene->copy != -1)
		close(scene->copy);
	if (scene->peer != -1)
		hub_close(scene->peer);
	if (scene->old_peer != -1)
		hub_close(scene->old_peer);
	return NULL;
}

/* ---- closing ---- */

static void
then_put(struct scene *scene, int replacement)
{
	if (replacement != -1)
		put(scene, replacement);
}

static void
by_close(struct scene *scene, int replacement)
{
	close(scene->number);
	then_put(scene, replacement);
}

/* As libuv does it. */
static void
by_system_call(struct scene *scene, int replacement)
{
	syscall(SYS_close, scene->number);
	then_put(scene, replacement);
}

static void
by_dup2(struct scene *scene, int replacement)
{
	int other = replacement != -1 ? replacement : open("/dev/null", O_RDONLY | O_CLOEXEC);

	dup2(other, scene->number);
	close(other);
	if (replacement == -1)
		close(scene->number);
}

static void
by_close_range(struct scene *scene, int replacement)
{
	close_range((unsigned)scene->number, (unsigned)scene->number, 0);
	then_put(scene, replacement);
}

static void
by_stream(struct scene *scene, int replacement)
{
	FILE *stream = fdopen(scene->number, "r");

	if (stream == NULL || freopen("/dev/null", "r", stream) == NULL || fclose(stream) != 0)
		fault(scene, "freopen", -1);
	then_put(scene, replacement);
}

static void *
close_in_thread(void *argument)
{
	syscall(SYS_close, *(int *)argument);
	return NULL;
}

static void
by_thread(struct scene *scene, int replacement)
{
	pthread_t thread;

	pthread_create(&thread, NULL, close_in_thread, &scene->number);
	pthread_join(thread, NULL);
	then_put(scene, replacement);
}

/* The old one stays open elsewhere, so that the kernel goes on telling of it. */
static void
by_close_of_a_copy(struct scene *scene, int replacement)
{
	scene->copy = fcntl(scene->number, F_DUPFD_CLOEXEC, 0);
	by_close(scene, replacement);
	if (scene->old_peer != -1)
		send(scene->old_peer, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* It arrives in a message. */
static void
by_message(struct scene *scene, int replacement)
{
	int pair[2];
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	char byte = 0;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes};

	if (replacement == -1) {
		by_close(scene, -1);
		return;
	}
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	memcpy(CMSG_DATA(&control.header), &replacement, sizeof replacement);
	sendmsg(pair[0], &message, 0);
	close(replacement);
	recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC);
	memcpy(&replacement, CMSG_DATA(&control.header), sizeof replacement);
	put(scene, replacement);
	close(pair[0]);
	close(pair[1]);
}

/* ---- the tests ---- */

struct play {
	void (*close)(struct scene *scene, int replacement);
	struct scene scenes[WAS_MAX * IS_MAX * 2];
	size_t count;
};

static void *
play_all(void *argument)
{
	struct play *all = argument;
	struct hub_pool pool;

	hub_pool_init(&pool, AT_ONCE);
	for (size_t i = 0; i < all->count; i++)
		hub_pool_spawn(&pool, play, &all->scenes[i]);
	hub_pool_join(&pool);
	return NULL;
}

static void
try_all(void (*closer)(struct scene *scene, int replacement))
{
	static struct play all;
	static struct certificate certificate;
	struct hub_tls *server, *client;

	cr_assert(certificate_make(&certificate));
	server = hub_tls_server_new(certificate.file, certificate.key);
	client = hub_tls_client_new(certificate.file);
	all.count = 0;
	for (unsigned i = 0; i < WAS_MAX * IS_MAX * 2; i++)
		all.scenes[all.count++] = (struct scene){.was = i / 2 % WAS_MAX,
			.is = i / 2 / WAS_MAX,
			.is_patient = i % 2,
			.number = FIRST_NUMBER + (int)i,
			.close = closer,
			.copy = -1,
			.server = server,
			.client = client};
	in_hub(play_all, &all);
	for (size_t i = 0; i < all.count; i++)
		cr_expect(all.scenes[i].fault[0] == '\0', "%s, then %s%s: %s",
			was_names[all.scenes[i].was], is_names[all.scenes[i].is],
			all.scenes[i].is_patient ? ", patient" : "", all.scenes[i].fault);
	hub_tls_free(server);
	hub_tls_free(client);
	certificate_clean(&certificate);
}

#define CLOSED(how)                                                                                \
	Test(behind, closed_##how, .timeout = 120)                                                 \
	{                                                                                          \
		try_all(how);                                                                      \
	}

CLOSED(by_close)
CLOSED(by_system_call)
CLOSED(by_dup2)
CLOSED(by_close_range)
CLOSED(by_stream)
CLOSED(by_thread)
CLOSED(by_close_of_a_copy)
CLOSED(by_message)

/* ---- beside the table ---- */

#define EXCHANGES 20000

struct exchange {
	int numbers[4];
	atomic_bool is_over;
	long ends;
};

/* The number is closed and comes back at any moment, also while libev tells the kernel of it. */
static void *
exchange_in_thread(void *argument)
{
	struct exchange *exchange = argument;

	for (unsigned i = 0; i < EXCHANGES; i++) {
		int number = exchange->numbers[i % 4], pair[2];

		syscall(SYS_close, number);
		if (i % 3 == 0)
			sched_yield();
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
		syscall(SYS_dup3, pair[0], number, O_CLOEXEC);
		syscall(SYS_close, pair[0]);
		syscall(SYS_close, pair[1]);
	}
	atomic_store(&exchange->is_over, true);
	return NULL;
}

static void *
wait_for_exchanged(void *argument)
{
	struct exchange *exchange = argument;
	unsigned i = 0;
	char byte;

	while (!atomic_load(&exchange->is_over)) {
		struct hub_timeout scope;
		int number = exchange->numbers[i++ % 4];

		hub_timeout_start(&scope, i % 5 * 100 * HUB_MICROSECOND);
		if (i % 2 == 0)
			hub_recv(number, &byte, 1, 0);
		else
			hub_wait_fd(number, POLLIN);
		hub_timeout_stop(&scope);
		exchange->ends++;
	}
	return NULL;
}

static void *
exchange_body(void *argument)
{
	struct exchange *exchange = argument;
	pthread_t thread;
	struct hub_pool pool;

	for (int i = 0; i < 4; i++)
		exchange->numbers[i] = FIRST_NUMBER + i;
	pthread_create(&thread, NULL, exchange_in_thread, exchange);
	hub_pool_init(&pool, 0);
	for (int i = 0; i < 8; i++)
		hub_pool_spawn(&pool, wait_for_exchanged, exchange);
	hub_pool_join(&pool);
	pthread_join(thread, NULL);
	for (int i = 0; i < 4; i++)
		hub_close(exchange->numbers[i]);
	return NULL;
}

Test(behind, a_thread_closes_and_opens_at_any_moment, .timeout = 120)
{
	static struct exchange exchange;

	in_hub(exchange_body, &exchange);
	cr_assert_gt(exchange.ends, 0);
}

/* What the kernel will not watch: the loop's own set of descriptors, which would have to watch
 * itself. */
static void *
wait_for_sets(void *argument)
{
	int *refused = argument;

	for (int fd = hub_own_next(0); fd != -1; fd = hub_own_next(fd + 1)) {
		char path[32], target[32] = "";

		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof target - 1) < 0 ||
			strstr(target, "eventpoll") == NULL)
			continue;
		*refused += hub_await_fd(fd, POLLIN, HUB_SECOND) == -1 && errno == EINVAL;
		hub_release(fd);
	}
	return NULL;
}

Test(behind, what_cannot_be_watched_is_an_error, .timeout = 60)
{
	struct hub_options options = {.backend = HUB_BACKEND_EPOLL};
	int refused = 0;

	cr_assert_eq(hub_run_with(&options, wait_for_sets, &refused, NULL), 0);
	cr_assert_eq(refused, 1);
}

/* A wait that has lasted longer than the sweep's first looks. */
static void *
old_wait_body(void *argument)
{
	struct scene *scene = argument;

	make_old(scene);
	scene->waiter = hub_spawn(wait_for_old, scene);
	hub_sleep(300 * HUB_MILLISECOND);
	syscall(SYS_close, scene->number);
	hub_join(scene->waiter, NULL);
	hub_close(scene->old_peer);
	return NULL;
}

Test(behind, a_wait_that_has_lasted_ends, .timeout = 60)
{
	struct scene scene = {.was = WAS_stream_read, .number = FIRST_NUMBER, .copy = -1};

	in_hub(old_wait_body, &scene);
	cr_assert(scene.waiter_is_right);
}

/* A file is read by another thread, and sent by TLS; meanwhile the connection's number becomes a
 * plain socket's, or the file's another file's. */
struct sent_file {
	struct hub_tls *server, *client;
	bool is_file_lost;
	int fds[2];
	int file;
	struct hub_coroutine *coroutine;
	ssize_t result, leaked;
};

static void *
accept_one(void *argument)
{
	struct sent_file *sent = argument;

	hub_tls_accept(sent->fds[1], sent->server);
	return NULL;
}

static void *
send_file(void *argument)
{
	struct sent_file *sent = argument;

	off_t offset = 0;

	sent->result = hub_sendfile(sent->fds[0], sent->file, &offset, 1000);
	return NULL;
}

static void *
sent_file_body(void *argument)
{
	struct sent_file *sent = argument;
	struct hub_coroutine *acceptor;
	int heir[2], file = temporary_file();
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, sent->fds);
	socketpair(AF_UNIX, SOCK_STREAM, 0, heir);
	pwrite(file, "another file", 12, 0);
	sent->file = temporary_file();
	acceptor = hub_spawn(accept_one, sent);
	hub_tls_connect(sent->fds[0], sent->client, "localhost");
	hub_join(acceptor, NULL);
	sent->coroutine = hub_spawn(send_file, sent);
	until_it_waits(sent->coroutine);
	syscall(SYS_dup3, sent->is_file_lost ? file : heir[0],
		sent->is_file_lost ? sent->file : sent->fds[0], O_CLOEXEC);
	hub_join(sent->coroutine, NULL);
	sent->leaked = recv(heir[1], &byte, 1, MSG_DONTWAIT);
	for (int i = 0; i < 2; i++) {
		hub_close(sent->fds[i]);
		hub_close(heir[i]);
	}
	hub_close(file);
	hub_close(sent->file);
	return NULL;
}

Test(behind, a_file_goes_on_to_nobody_else, .timeout = 60)
{
	static struct certificate certificate;
	struct sent_file sent = {0};

	cr_assert(certificate_make(&certificate));
	sent.server = hub_tls_server_new(certificate.file, certificate.key);
	sent.client = hub_tls_client_new(certificate.file);
	in_hub(sent_file_body, &sent);
	/* It waited for the file's bytes, or, if the kernel had them at hand, for its end. */
	cr_assert(sent.result == -1 || sent.result == 4, "%zd", sent.result);
	cr_assert_lt(sent.leaked, 0);
	sent.is_file_lost = true;
	in_hub(sent_file_body, &sent);
	cr_assert_eq(sent.result, 4);
	hub_tls_free(sent.server);
	hub_tls_free(sent.client);
	certificate_clean(&certificate);
}

/* One whose number becomes another's while no coroutine but it lives, as a thread would do it; a
 * duplicate of what it was stays open, and wakes it. */
struct usurped {
	struct hub_message message;
	int number, peer;              /* of what it was */
	int successor, successor_peer; /* of what it becomes */
	int duplicate;
	bool is_written;
	ssize_t result, leaked;
};

static char plenty[400000];

static void
usurp(struct hub_message *message)
{
	struct usurped *usurped = CONTAINER_OF(message, struct usurped, message);
	static char taken[65536];

	usurped->duplicate = dup(usurped->number);
	dup2(usurped->successor, usurped->number);
	if (usurped->is_written)
		while (recv(usurped->peer, taken, sizeof taken, MSG_DONTWAIT) > 0)
			continue;
	else
		send(usurped->peer, "x", 1, 0);
}

static void *
usurped_body(void *argument)
{
	struct usurped *usurped = argument;
	struct hub_timeout scope;
	int old[2], new[2];
	char byte;

	socketpair(AF_UNIX, usurped->is_written ? SOCK_STREAM : SOCK_DGRAM, 0, old);
	socketpair(AF_UNIX, usurped->is_written ? SOCK_STREAM : SOCK_DGRAM, 0, new);
	usurped->number = old[0], usurped->peer = old[1];
	usurped->successor = new[0], usurped->successor_peer = new[1];
	send(new[1], "y", 1, 0);
	usurped->message.deliver = usurp;
	hub_mailbox_post(hub_mailbox(), &usurped->message);
	hub_timeout_start(&scope, PATIENCE);
	if (usurped->is_written)
		usurped->result = hub_send(old[0], plenty, sizeof plenty, 0);
	else
		usurped->result = hub_recv(old[0], &byte, 1, 0);
	hub_timeout_stop(&scope);
	usurped->leaked = recv(new[1], plenty, sizeof plenty, MSG_DONTWAIT);
	hub_close(old[0]);
	hub_close(old[1]);
	hub_close(new[0]);
	hub_close(new[1]);
	close(usurped->duplicate);
	return NULL;
}

Test(behind, who_is_alone_is_not_taken_for_the_next_owner, .timeout = 60)
{
	struct usurped writer = {.is_written = true}, reader = {0};

	in_hub(usurped_body, &writer);
	cr_assert_lt(writer.result, (ssize_t)sizeof plenty);
	cr_assert_lt(writer.leaked, 0, "%zd bytes", writer.leaked);
	in_hub(usurped_body, &reader);
	cr_assert_lt(reader.result, 0);
}

/* ---- who waits for what comes next ---- */

struct next {
	bool is_message; /* that what comes next is a part of */
	int64_t moment;  /* from the wait's begin to the close */
	char bytes[8];
	ssize_t received; /* after the first byte */
	int error;
};

static void *
receive_next(void *argument)
{
	struct next *next = argument;

	if (!next->is_message)
		hub_recv(FIRST_NUMBER, next->bytes, sizeof next->bytes, 0);
	next->received = hub_recv(
		FIRST_NUMBER, next->bytes, sizeof next->bytes, next->is_message ? MSG_WAITALL : 0);
	next->error = errno;
	return NULL;
}

static void *
next_body(void *argument)
{
	struct next *next = argument;
	struct scene scene = {.was = WAS_stream_read, .number = FIRST_NUMBER};
	struct hub_coroutine *coroutine;
	int pair[2];

	make_old(&scene);
	hub_send(scene.old_peer, "1", 1, 0);
	coroutine = hub_spawn(receive_next, next);
	hub_sleep(next->moment);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	put(&scene, pair[0]);
	hub_send(pair[1], "another's", 9, 0);
	hub_join(coroutine, NULL);
	hub_close(FIRST_NUMBER);
	hub_close(pair[1]);
	hub_close(scene.old_peer);
	return NULL;
}

/* Whoever has received all that there was waits without asking first what the number means. */
Test(behind, a_drained_wait_that_has_lasted_takes_nothing_of_the_next_one, .timeout = 60)
{
	struct next next = {.moment = 300 * HUB_MILLISECOND};

	in_hub(next_body, &next);
	cr_assert_eq(next.received, -1);
	cr_assert_eq(next.error, EBADF);
}

Test(behind, a_message_does_not_go_on_with_the_next_one, .timeout = 60)
{
	struct next next = {.is_message = true, .moment = MOMENT};

	in_hub(next_body, &next);
	cr_assert_eq(next.received, 1);
	cr_assert_eq(next.bytes[0], '1');
}

struct visit {
	int number;
	ssize_t received;
};

static void *
receive_visit(void *argument)
{
	struct visit *visit = argument;
	struct hub_timeout scope;
	char byte;

	hub_timeout_start(&scope, PATIENCE);
	visit->received = hub_recv(visit->number, &byte, 1, 0);
	hub_timeout_stop(&scope);
	return NULL;
}

/* Another stream takes the number before anybody has looked at what was accepted. Which of two that
 * wait for the number means which is not known then, but neither waits for ever. */
static void *
accepted_body(void *argument)
{
	struct visit *visits = argument;
	struct scene scene = {.was = WAS_listener};
	struct hub_coroutine *waiters[2];
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), listener = listening_socket();
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	int pair[2];

	getsockname(listener, (struct sockaddr *)&address, &length);
	connect(client, (struct sockaddr *)&address, length);
	scene.number = hub_accept(listener, NULL, NULL);
	visits[0].number = visits[1].number = scene.number;
	waiters[0] = hub_spawn(receive_visit, &visits[0]);
	hub_sleep(MOMENT);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	put(&scene, pair[0]);
	waiters[1] = hub_spawn(receive_visit, &visits[1]);
	hub_send(pair[1], "two", 2, 0);
	hub_join(waiters[0], NULL);
	hub_join(waiters[1], NULL);
	hub_close(scene.number);
	hub_close(pair[1]);
	hub_close(listener);
	hub_close(client);
	return NULL;
}

Test(behind, an_accepted_one_that_is_replaced_at_once_hangs_nobody, .timeout = 90)
{
	struct visit visits[2] = {{0}};

	in_hub(accepted_body, visits);
	cr_assert_eq(visits[0].received, 1);
	cr_assert_eq(visits[1].received, 1);
}

/* ---- no more files ---- */

static void *
read_byte(void *argument)
{
	char byte;

	return (void *)(intptr_t)hub_read(*(int *)argument, &byte, 1);
}

/* What tells pipes apart is a set of its own, which cannot be made at first. */
static void *
full_body(void *argument)
{
	ssize_t *received = argument;
	struct hub_coroutine *reader;
	struct rlimit files, none;
	void *result;
	int ends[2];

	pipe2(ends, O_CLOEXEC);
	getrlimit(RLIMIT_NOFILE, &files);
	none = files;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	reader = hub_spawn(read_byte, &ends[0]);
	hub_sleep(MOMENT);
	setrlimit(RLIMIT_NOFILE, &files);
	/* The sweep looks at what waits. */
	hub_sleep(300 * HUB_MILLISECOND);
	hub_write(ends[1], "x", 1);
	hub_join(reader, &result);
	*received = (ssize_t)(intptr_t)result;
	hub_close(ends[0]);
	hub_close(ends[1]);
	return NULL;
}

Test(behind, what_cannot_be_told_apart_is_not_taken_for_closed, .timeout = 60)
{
	ssize_t received = 0;

	in_hub(full_body, &received);
	cr_assert_eq(received, 1);
}

/* ---- all numbers, the loop's own included ---- */

static void *
receive_to_the_end(void *argument)
{
	char byte;

	return (void *)(intptr_t)(hub_recv(*(int *)argument, &byte, 1, 0) == -1 ? errno : 0);
}

static void *
close_all_body(void *argument)
{
	int pair[2], next[2];
	struct hub_coroutine *reader;
	struct hub_timeout scope;
	void *error = NULL;
	char byte = 0;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	reader = hub_spawn(receive_to_the_end, &pair[0]);
	hub_sleep(MOMENT);
	closefrom(3);
	hub_timeout_start(&scope, PATIENCE);
	hub_join(reader, &error);
	socketpair(AF_UNIX, SOCK_STREAM, 0, next);
	reader = hub_spawn(receive_to_the_end, &next[0]);
	hub_sleep(MOMENT);
	if (send(next[1], "x", 1, 0) != 1 || hub_join(reader, argument) != 0)
		byte = 1;
	hub_timeout_stop(&scope);
	/* In a loop that polls again, and knows the time. */
	hub_sleep(MOMENT);
	return byte == 0 && (intptr_t)error == EBADF && *(void **)argument == NULL ? argument
										   : NULL;
}

/* In a process of its own: Criterion has descriptors, too. */
Test(behind, whoever_closes_all_numbers_goes_on, .timeout = 60)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		void *result = &child, *is_well = NULL;

		_exit(hub_run(close_all_body, &result, &is_well) == 0 && is_well != NULL ? 0 : 1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
}
