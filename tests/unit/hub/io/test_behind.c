/* Numbers that are closed, or opened anew, behind the hub's back: every way to close one, every
 * thing that it may be then, everything that it may have been, and whoever may have waited for it.
 * Nobody may be left waiting, who waited for the old one must get an error and none of the new
 * one's bytes, and whoever has the number then must be served. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tests/support/certificate.h"
#include "tests/support/in_hub.h"
#include "tests/unit/hub/io/behind.h"

#define AT_ONCE 64

#define NAME(name) #name,
static const char *const was_names[] = {WAS(NAME)};
static const char *const is_names[] = {IS(NAME)};

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
		pair[0] = behind_temporary_file();
		break;
	case IS_listening:
		pair[0] = behind_listening_socket();
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
			behind_fault(scene, "write", -1);
		break;
	case IS_listening:
		getsockname(scene->number, (struct sockaddr *)&address, &length);
		if (connect(scene->peer, (struct sockaddr *)&address, length) != 0)
			behind_fault(scene, "connect", -1);
		break;
	case IS_timer:
		timerfd_settime(scene->number, 0, &soon, NULL);
		break;
	case IS_file_now:
		break;
	default:
		if (hub_write(scene->peer, "fresh", 5) != 5)
			behind_fault(scene, "hub_write", -1);
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
		behind_shake_hands(scene, scene->peer);
	if (scene->is != IS_file_now) {
		hub_timeout_start(&scope, MOMENT / 4);
		result = use(scene, bytes);
		has_expired = hub_timeout_stop(&scope);
		if (result != -1 || !has_expired)
			behind_fault(scene, "nothing has come", result);
	}
	feed(scene);
	hub_timeout_start(&scope, PATIENCE);
	result = use(scene, bytes);
	if (hub_timeout_stop(&scope) || result < 0 || (scene->is != IS_listening && result == 0))
		behind_fault(scene, "something has come", result);
	if (scene->is == IS_stream || scene->is == IS_tls_now || scene->is == IS_datagram) {
		if (memcmp(bytes, "fresh", 5) != 0)
			behind_fault(scene, "other bytes", result);
		result = hub_write(scene->number, "back", 4);
		if (result != 4 || hub_recv(scene->peer, bytes, 4, 0) != 4 ||
			memcmp(bytes, "back", 4) != 0)
			behind_fault(scene, "sending", result);
	}
	return NULL;
}

static void *
play(void *argument)
{
	struct scene *scene = argument;
	struct hub_coroutine *owner = NULL;
	struct hub_timeout scope;

	behind_make_old(scene);
	behind_wait_for_it(scene);
	scene->close(scene, make_new(scene));
	if (scene->is != IS_nothing && !scene->is_patient)
		owner = hub_spawn(own, scene);
	if (scene->waiter != NULL) {
		hub_timeout_start(&scope, PATIENCE);
		if (hub_join(scene->waiter, NULL) != 0 || !scene->waiter_is_right)
			behind_fault(scene, "who waited", scene->waiter_is_right);
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
		behind_put(scene, replacement);
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
		behind_fault(scene, "freopen", -1);
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
	behind_put(scene, replacement);
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
		cr_expect_str_empty(all.scenes[i].fault, "%s, then %s%s: %s",
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
