/* Numbers are moved by system calls, which the hub does not see. */
#include "tests/unit/hub/io/behind.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

void
behind_fault(struct scene *scene, const char *what, long result)
{
	if (scene->fault[0] == '\0')
		snprintf(scene->fault, sizeof scene->fault, "%s: %ld, %s", what, result,
			result < 0 ? strerror(errno) : "-");
}

void
behind_put(const struct scene *scene, int fd)
{
	syscall(SYS_dup3, fd, scene->number, O_CLOEXEC);
	syscall(SYS_close, fd);
}

int
behind_temporary_file(void)
{
	char path[] = "/tmp/hubbub-behind-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	unlink(path);
	if (write(fd, "file", 4) == 4)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

int
behind_listening_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	/* The kernel finds a name. */
	bind(fd, (struct sockaddr *)&name, sizeof name.sun_family);
	listen(fd, 8);
	return fd;
}

static bool
is_refused(long result)
{
	return result == -1 && (errno == EBADF || errno == ECANCELED);
}

void *
behind_wait_for_old(void *argument)
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
		behind_fault(scene, "hub_tls_accept", -1);
	return NULL;
}

/* Whose side the number is does not matter. */
void
behind_shake_hands(struct scene *scene, int peer)
{
	struct hub_coroutine *server = hub_spawn(accept_tls, scene);

	if (hub_tls_connect(peer, scene->client, "localhost") != 0)
		behind_fault(scene, "hub_tls_connect", -1);
	hub_join(server, NULL);
}

void
behind_make_old(struct scene *scene)
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
		pair[0] = behind_listening_socket();
		break;
	case WAS_file:
		pair[0] = behind_temporary_file();
		break;
	default:
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	}
	behind_put(scene, pair[0]);
	scene->old_peer = pair[1];
	hub_adopt(scene->number);
	if (scene->was == WAS_drained_stream) {
		hub_send(scene->old_peer, "x", 1, 0);
		hub_recv(scene->number, bytes, sizeof bytes, 0);
	}
	if (scene->was == WAS_tls_idle || scene->was == WAS_tls_read)
		behind_shake_hands(scene, scene->old_peer);
	if (scene->was == WAS_ended)
		hub_end_input(scene->number);
}

void
behind_wait_for_it(struct scene *scene)
{
	scene->waiter = hub_spawn(behind_wait_for_old, scene);
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
