/* Reading and writing as with blocking sockets and pipes: parts and ends, taking turns with others,
 * and numbers that are another socket's meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/folder.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"
#include "tests/unit/hub/patch/ticker.h"

static char big[1 << 20], sink[1 << 20];
static int pair[2];

static void *
write_in_pieces(void *argument)
{
	const char *text = argument;

	for (; *text != '\0'; text++) {
		hub_sleep(HUB_MILLISECOND);
		write(pair[1], text, 1);
	}
	return NULL;
}

static void *
receive_and_close(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	trace_call("the peer takes", recv(pair[1], sink, 100000, MSG_WAITALL));
	close(pair[1]);
	return argument;
}

static void *
transfer(void *went_out)
{
	static struct iovec too_many[2000];
	struct iovec parts[20];
	char buffer[16] = "";
	ssize_t got;

	signal(SIGPIPE, SIG_IGN);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	hub_detach(hub_spawn(write_in_pieces, "abcdef"));
	trace_call("all", recv(pair[0], buffer, 6, MSG_WAITALL));
	trace_say("%s", buffer);
	hub_detach(hub_spawn(write_in_pieces, "gh"));
	trace_call("can peek", recv(pair[0], buffer, 6, MSG_PEEK) >= 1);
	trace_call("recv", recv(pair[0], buffer, 1, 0));
	trace_call("read nothing", read(pair[0], buffer, 0));
	trace_call("read", read(pair[0], buffer, 6));
	for (size_t i = 0; i < 20; i++)
		parts[i] = (struct iovec){big + i * 50000, 50000};
	hub_detach(hub_spawn(receive_and_close, NULL));
	*(ssize_t *)went_out = writev(pair[0], parts, 20);
	trace_call("write", write(pair[0], big, 10));
	got = read(pair[0], buffer, 6);
	trace_say(got == 0 || (got == -1 && errno == ECONNRESET) ? "the end" : "no end");
	trace_call("writev of too many", writev(pair[0], too_many, 2000));
	close(pair[0]);
	return NULL;
}

TestSuite(transfer, .timeout = 60);

Test(transfer, parts_and_ends_are_as_with_blocking_sockets)
{
	ssize_t went_out = -1;

	hub_patch_all();
	in_hub(transfer, &went_out);
	EXPECT_TRACE("all 6, abcdef, can peek 1, recv 1, read nothing 0, read 1, "
		     "the peer takes 100000, write EPIPE, the end, writev of too many EINVAL");
	cr_expect(went_out >= 100000 && went_out < 1000000, "what went out counts: %zd", went_out);
}

/* ---- pipes, and what the kernel cannot be asked about ---- */

static void *
drain_pipe(void *argument)
{
	int fd = *(int *)argument;
	size_t total = 0;
	ssize_t got;

	while ((got = read(fd, sink, sizeof sink)) > 0) {
		total += (size_t)got;
		hub_sleep(0);
	}
	trace_say("drained %zu", total);
	return NULL;
}

static void *
write_fifo(void *argument)
{
	trace_call("written to a FIFO", write(*(int *)argument, big, 300000));
	return NULL;
}

static void *
use_pipes(void *argument)
{
	int ends[2], fifo, got = 0;
	struct hub_coroutine *reader, *writer;
	char folder[FOLDER_SIZE], path[FOLDER_SIZE + 8];

	pipe(ends);
	reader = hub_spawn(drain_pipe, &ends[0]);
	trace_call("written to a pipe", write(ends[1], big, sizeof big));
	close(ends[1]);
	hub_join(reader, NULL);
	close(ends[0]);
	/* Of a FIFO it will not tell without O_NONBLOCK. */
	folder_make(folder);
	snprintf(path, sizeof path, "%s/fifo", folder);
	mkfifo(path, 0600);
	fifo = open(path, O_RDWR);
	folder_remove(folder);
	writer = hub_spawn(write_fifo, &fifo);
	while (got < 300000) {
		ssize_t more = read(fifo, sink, sizeof sink);

		if (more <= 0)
			break;
		got += (int)more;
	}
	hub_join(writer, NULL);
	trace_say("drained %d", got);
	close(fifo);
	return argument;
}

Test(transfer, pipes_take_all_without_blocking_the_thread)
{
	hub_patch_all();
	in_hub(use_pipes, NULL);
	EXPECT_TRACE("written to a pipe 1048576, drained 1048576, written to a FIFO 300000, "
		     "drained 300000");
}

static void *
trickle(void *argument)
{
	int fd = *(int *)argument;

	while (read(fd, sink, 4096) > 0)
		hub_sleep(0);
	return NULL;
}

static void *
write_to_trickle(void *took)
{
	int ends[2];
	struct hub_coroutine *reader;
	int64_t began;

	pipe(ends);
	fcntl(ends[0], F_SETPIPE_SZ, 4096);
	reader = hub_spawn(trickle, &ends[0]);
	began = hub_now();
	trace_call("write", write(ends[1], big, sizeof big));
	*(int64_t *)took = hub_now() - began;
	close(ends[1]);
	hub_join(reader, NULL);
	close(ends[0]);
	return NULL;
}

/* 256 times the pipe is full; a pause after each would take four seconds. */
Test(transfer, what_goes_through_is_not_waited_for_longer_each_time)
{
	int64_t took = -1;

	hub_patch_all();
	in_hub(write_to_trickle, &took);
	EXPECT_TRACE("write 1048576");
	cr_expect_lt(took, 2 * HUB_SECOND, "%jd ns", (intmax_t)took);
}

/* ---- turns ---- */

static void *
read_for_ever(void *argument)
{
	int zero = open("/dev/zero", O_RDONLY);
	long reads = 0;

	ticker_start();
	while (ticks == 0 && reads < 10000000 && read(zero, sink, 1) == 1)
		reads++;
	trace_say(ticks > 0 ? "others ran" : "nobody ran");
	ticker_stop();
	close(zero);
	return argument;
}

Test(transfer, who_never_has_to_wait_starves_nobody)
{
	hub_patch_all();
	in_hub(read_for_ever, NULL);
	EXPECT_TRACE("others ran");
}

/* The caller's time until somebody else has run, in steps of 10 ms that each end with a read. */
static void *
read_ever_slower(void *steps)
{
	int zero = open("/dev/zero", O_RDONLY);
	int64_t began = hub_now();
	long got = 1;

	ticker_start();
	while (hub_now() - began < 30 * HUB_MILLISECOND)
		got = read(zero, sink, 1);
	ticks = 0;
	while (ticks == 0 && *(int *)steps < 50) {
		began = hub_now();
		while (hub_now() - began < 10 * HUB_MILLISECOND)
			continue;
		got = read(zero, sink, 1);
		++*(int *)steps;
	}
	trace_say("read %ld", got);
	ticker_stop();
	close(zero);
	return NULL;
}

Test(transfer, who_becomes_slow_lets_others_run_as_soon)
{
	int steps = 0;

	hub_patch_all();
	in_hub(read_ever_slower, &steps);
	EXPECT_TRACE("read 1");
	cr_expect_lt(steps, 15, "%d steps of 10 ms", steps);
}

/* ---- calls of several parts, whose number is another socket's after the first part ---- */

enum { WAY_PRINT, WAY_SEND, WAY_RECEIVE, REUSES };

struct reuse {
	int way, fd;
	long results[REUSES];
	ssize_t strayed[REUSES]; /* what the other socket has got, or lost */
};

static void *
call_in_parts(void *argument)
{
	struct reuse *reuse = argument;
	struct iovec parts[] = {{big, sizeof big - 1}, {big, 5}};
	struct iovec pieces[] = {{sink, 100}, {sink + 100, 100}};
	struct mmsghdr messages[2] = {0};

	for (int i = 0; i < 2; i++) {
		messages[i].msg_hdr.msg_iov = reuse->way == WAY_SEND ? &parts[i] : &pieces[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	if (reuse->way == WAY_PRINT)
		reuse->results[WAY_PRINT] = dprintf(reuse->fd, "%s", big);
	else if (reuse->way == WAY_SEND)
		reuse->results[WAY_SEND] = sendmmsg(reuse->fd, messages, 2, MSG_NOSIGNAL);
	else
		reuse->results[WAY_RECEIVE] = recvmmsg(reuse->fd, messages, 2, MSG_WAITALL, NULL);
	return NULL;
}

static void *
reuse_between_parts(void *argument)
{
	struct reuse *reuse = argument;

	memset(big, 'x', sizeof big - 1);
	for (reuse->way = 0; reuse->way < REUSES; reuse->way++) {
		struct hub_coroutine *caller;
		int ends[2], others[2];
		char lost[64];

		socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
		socketpair(AF_UNIX, SOCK_STREAM, 0, others);
		reuse->fd = ends[0];
		write(ends[1], "hello", 5);
		write(others[1], "secret", 6);
		caller = hub_spawn(call_in_parts, reuse);
		until_it_waits(caller);
		dup2(others[0], ends[0]);
		/* One that waits for a hundred bytes has all that it is given. */
		shutdown(others[1], SHUT_WR);
		hub_join(caller, NULL);
		reuse->strayed[reuse->way] =
			reuse->way == WAY_RECEIVE
				? 6 - recv(others[0], lost, sizeof lost, MSG_DONTWAIT)
				: recv(others[1], lost, sizeof lost, MSG_DONTWAIT);
		for (int i = 0; i < 2; i++) {
			close(ends[i]);
			close(others[i]);
		}
	}
	return NULL;
}

Test(transfer, the_next_socket_of_a_number_has_no_part)
{
	static struct reuse reuse;

	hub_patch_all();
	in_hub(reuse_between_parts, &reuse);
	cr_expect_eq(reuse.results[WAY_PRINT], -1);
	cr_expect_eq(reuse.results[WAY_SEND], 1);
	cr_expect_eq(reuse.results[WAY_RECEIVE], 1);
	cr_expect_eq(reuse.strayed[WAY_PRINT], -1);
	cr_expect_eq(reuse.strayed[WAY_SEND], -1);
	cr_expect_eq(reuse.strayed[WAY_RECEIVE], 0, "%zd", reuse.strayed[WAY_RECEIVE]);
}
