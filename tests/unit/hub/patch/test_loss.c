/* A connection is lost in the middle of a call, which returns the part that it has moved: the next
 * receive tells the loss, whatever both calls are, as the kernel does. */
#include <hubbub/hub.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/patch/loopback.h"

enum { RECEIVES_ALL = 2, SENDS = 5, NEXT = 5 };

static char big[32 << 20]; /* more than the buffers of any machine */
static int ours, peers;

static void
connect_both(void)
{
	int listener = loopback_listen();

	ours = loopback_connect(listener);
	peers = accept(listener, NULL, NULL);
	close(listener);
}

static void
reset(void)
{
	struct linger none = {.l_onoff = 1};

	setsockopt(peers, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	close(peers);
}

/* ---- calls that move a part ---- */

static ssize_t
receive_all(int way)
{
	char bytes[6];
	struct iovec part = {bytes, sizeof bytes};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	return way == 0 ? recv(ours, bytes, sizeof bytes, MSG_WAITALL)
			: recvmsg(ours, &message, MSG_WAITALL);
}

static ssize_t
send_all(int way)
{
	struct iovec part = {big, sizeof big};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct sockaddr_storage address;
	socklen_t size = sizeof address;

	switch (way) {
	case 0:
		return send(ours, big, sizeof big, 0);
	case 1:
		getpeername(ours, (struct sockaddr *)&address, &size);
		return sendto(ours, big, sizeof big, 0, (struct sockaddr *)&address, size);
	case 2:
		return write(ours, big, sizeof big);
	case 3:
		return writev(ours, &part, 1);
	default:
		return sendmsg(ours, &message, 0);
	}
}

static void *
move_a_part(void *way)
{
	int number = (int)(intptr_t)way;
	ssize_t moved =
		number < RECEIVES_ALL ? receive_all(number) : send_all(number - RECEIVES_ALL);

	trace_whether("a part", moved > 0 && (size_t)moved < sizeof big);
	return NULL;
}

/* ---- calls that come next ---- */

static ssize_t
receive_next(int way)
{
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	switch (way) {
	case 0:
		return recv(ours, &byte, 1, 0);
	case 1:
		return read(ours, &byte, 1);
	case 2:
		return readv(ours, &part, 1);
	case 3:
		return recvmsg(ours, &message, 0);
	default:
		return recv(ours, &byte, 1, MSG_WAITALL);
	}
}

static void *
meet(void *both)
{
	int numbers = (int)(intptr_t)both;
	struct hub_coroutine *mover;

	connect_both();
	send(peers, "abc", 3, 0);
	hub_wait_fd(ours, POLLIN);
	if (numbers / NEXT >= RECEIVES_ALL)
		recv(ours, big, 3, 0);
	mover = hub_spawn(move_a_part, (void *)(intptr_t)(numbers / NEXT));
	until_it_waits(mover);
	reset();
	hub_join(mover, NULL);
	trace_call("then", receive_next(numbers % NEXT));
	trace_call("then", receive_next(numbers % NEXT));
	close(ours);
	return NULL;
}

static void *
send_for_a_while(void *unused)
{
	struct hub_timeout scope;
	ssize_t sent;

	connect_both();
	hub_timeout_start(&scope, 20 * HUB_MILLISECOND);
	sent = send(ours, big, sizeof big, 0);
	hub_timeout_stop(&scope);
	trace_whether("a part", sent > 0 && (size_t)sent < sizeof big);
	for (ssize_t got; sent > 0 && (got = recv(peers, big, (size_t)sent, 0)) > 0;)
		sent -= got;
	close(peers);
	trace_call("then", recv(ours, big, 1, 0));
	close(ours);
	return unused;
}

Test(loss, is_none_if_a_scope_has_ended_a_call)
{
	hub_patch_all();
	in_hub(send_for_a_while, NULL);
	EXPECT_TRACE("a part, then 0");
}

Test(loss, after_a_part_is_told_by_the_next_receive)
{
	signal(SIGPIPE, SIG_IGN);
	hub_patch_all();
	for (int both = 0; both < (RECEIVES_ALL + SENDS) * NEXT; both++) {
		in_hub(meet, (void *)(intptr_t)both);
		EXPECT_TRACE("a part, then ECONNRESET, then 0");
	}
}
