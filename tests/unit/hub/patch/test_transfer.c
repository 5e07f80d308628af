/* Partial results, ends and errors of reading and writing; streams of stdio. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/folder.h"
#include "tests/support/in_hub.h"

static long results[32];
static int errors[32];

#define NOTE(index, expression)                                                                    \
	do {                                                                                       \
		errno = 0;                                                                         \
		results[index] = (long)(expression);                                               \
		errors[index] = errno;                                                             \
	} while (0)

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
	results[31] = recv(pair[1], sink, 100000, MSG_WAITALL);
	close(pair[1]);
	return argument;
}

static void *
transfer(void *argument)
{
	static struct iovec too_many[2000];
	struct iovec parts[20];
	char buffer[16] = "";

	signal(SIGPIPE, SIG_IGN);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	hub_detach(hub_spawn(write_in_pieces, "abcdef"));
	NOTE(0, recv(pair[0], buffer, 6, MSG_WAITALL));
	NOTE(1, memcmp(buffer, "abcdef", 6));
	hub_detach(hub_spawn(write_in_pieces, "gh"));
	NOTE(2, recv(pair[0], buffer, 6, MSG_PEEK));
	NOTE(3, recv(pair[0], buffer, 1, 0));
	NOTE(4, read(pair[0], buffer, 0));
	NOTE(5, read(pair[0], buffer, 6));
	/* The peer takes a part and goes. */
	for (size_t i = 0; i < 20; i++)
		parts[i] = (struct iovec){big + i * 50000, 50000};
	hub_detach(hub_spawn(receive_and_close, NULL));
	NOTE(6, writev(pair[0], parts, 20));
	NOTE(7, write(pair[0], big, 10));
	NOTE(8, read(pair[0], buffer, 6));
	NOTE(9, writev(pair[0], too_many, 2000));
	close(pair[0]);
	return argument;
}

TestSuite(transfer, .timeout = 60);

Test(transfer, parts_and_ends_are_as_with_blocking_sockets)
{
	hub_patch_all();
	in_hub(transfer, NULL);
	cr_expect_eq(results[0], 6, "MSG_WAITALL waits for all");
	cr_expect_eq(results[1], 0);
	cr_expect_geq(results[2], 1);
	cr_expect_eq(results[3], 1);
	cr_expect_eq(results[4], 0);
	cr_expect_eq(results[5], 1);
	cr_expect_eq(results[31], 100000);
	cr_expect(results[6] >= 100000 && results[6] < 1000000, "what went out counts: %ld",
		results[6]);
	cr_expect(results[7] == -1 && errors[7] == EPIPE);
	cr_expect(results[8] == 0 || errors[8] == ECONNRESET);
	cr_expect(results[9] == -1 && errors[9] == EINVAL);
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
	results[0] = (long)total;
	return NULL;
}

static void *
write_fifo(void *argument)
{
	int fd = *(int *)argument;

	NOTE(4, write(fd, big, 300000));
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
	NOTE(1, write(ends[1], big, sizeof big));
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
	results[5] = got;
	close(fifo);
	return argument;
}

Test(transfer, pipes_take_all_without_blocking_the_thread)
{
	hub_patch_all();
	in_hub(use_pipes, NULL);
	cr_expect_eq(results[0], sizeof big);
	cr_expect_eq(results[1], sizeof big);
	cr_expect_eq(results[4], 300000);
	cr_expect_eq(results[5], 300000);
}

static int ticks;
static bool has_ended;

static void *
tick(void *argument)
{
	while (!has_ended) {
		ticks++;
		hub_sleep(0);
	}
	return argument;
}

static void *
raise_later(void *argument)
{
	hub_sleep(10 * HUB_MILLISECOND);
	raise(SIGUSR2);
	eventfd_write(*(int *)argument, 5);
	return NULL;
}

/* Timers, signals and events that are read. */
static void *
read_events(void *argument)
{
	struct itimerspec when = {.it_value = {0, 10000000}};
	int timer = timerfd_create(CLOCK_MONOTONIC, 0), event = eventfd(0, 0), signals, before;
	struct hub_coroutine *ticker = hub_spawn(tick, NULL);
	struct signalfd_siginfo info;
	uint64_t count;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, 0);
	timerfd_settime(timer, 0, &when, NULL);
	before = ticks;
	NOTE(0, read(timer, &count, sizeof count));
	NOTE(1, ticks > before);
	hub_detach(hub_spawn(raise_later, &event));
	before = ticks;
	NOTE(2, read(signals, &info, sizeof info));
	NOTE(3, ticks > before && info.ssi_signo == SIGUSR2);
	NOTE(4, read(event, &count, sizeof count));
	NOTE(5, count);
	has_ended = true;
	hub_join(ticker, NULL);
	close(timer);
	close(event);
	close(signals);
	return argument;
}

Test(transfer, timers_signals_and_events_can_be_read)
{
	hub_patch_all();
	in_hub(read_events, NULL);
	cr_expect_eq(results[0], 8);
	cr_expect_eq(results[1], 1);
	cr_expect_eq(results[2], (long)sizeof(struct signalfd_siginfo));
	cr_expect_eq(results[3], 1);
	cr_expect_eq(results[4], 8);
	cr_expect_eq(results[5], 5);
}

/* ---- files ---- */

static void *
use_file(void *argument)
{
	char path[] = "/tmp/hubbub-transfer-XXXXXX", buffer[8] = "";
	struct iovec part = {buffer, 4};
	int fd = mkstemp(path);

	unlink(path);
	NOTE(0, write(fd, "0123456789", 10));
	NOTE(1, lseek(fd, 0, SEEK_CUR));
	NOTE(2, pread(fd, buffer, 4, 3));
	NOTE(3, memcmp(buffer, "3456", 4));
	lseek(fd, 8, SEEK_SET);
	NOTE(4, read(fd, buffer, 8));
	NOTE(5, read(fd, buffer, 8));
	NOTE(6, pread(fd, buffer, 4, -1));
	NOTE(7, preadv2(fd, &part, 1, 20, 0));
	NOTE(8, fcntl(fd, F_GETFL) & O_NONBLOCK);
	NOTE(9, writev(fd, &part, 1));
	close(fd);
	NOTE(10, write(fd, buffer, 1));
	return argument;
}

Test(transfer, files_keep_their_offsets)
{
	hub_patch_all();
	in_hub(use_file, NULL);
	cr_expect_eq(results[0], 10);
	cr_expect_eq(results[1], 10);
	cr_expect_eq(results[2], 4);
	cr_expect_eq(results[3], 0);
	cr_expect_eq(results[4], 2);
	cr_expect_eq(results[5], 0);
	cr_expect(results[6] == -1 && errors[6] == EINVAL);
	cr_expect_eq(results[7], 0);
	cr_expect_eq(results[8], 0);
	cr_expect_eq(results[9], 4);
	cr_expect(results[10] == -1 && errors[10] == EBADF);
}

/* ---- stdio ---- */

static void *
say_slowly(void *argument)
{
	hub_sleep(5 * HUB_MILLISECOND);
	write(pair[1], "first li", 8);
	hub_sleep(5 * HUB_MILLISECOND);
	write(pair[1], "ne\nsecond", 9);
	hub_sleep(5 * HUB_MILLISECOND);
	write(pair[1], " line\n", 6);
	return argument;
}

static void *
use_stream(void *argument)
{
	struct hub_coroutine *ticker = hub_spawn(tick, NULL);
	char line[2][32] = {"", ""};
	int before = ticks;
	FILE *stream;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	stream = fdopen(pair[0], "r+");
	hub_detach(hub_spawn(say_slowly, NULL));
	NOTE(0, fgets(line[0], sizeof line[0], stream) != NULL);
	NOTE(1, fgets(line[1], sizeof line[1], stream) != NULL);
	NOTE(2, strcmp(line[0], "first line\n") == 0 && strcmp(line[1], "second line\n") == 0);
	NOTE(3, ticks > before);
	NOTE(4, fileno(stream) == pair[0]);
	fflush(stream);
	fprintf(stream, "answer %d\n", 42);
	NOTE(5, fflush(stream));
	NOTE(6, read(pair[1], line[0], sizeof line[0]));
	NOTE(7, strncmp(line[0], "answer 42\n", 10));
	NOTE(8, fclose(stream));
	NOTE(9, fcntl(pair[0], F_GETFD));
	NOTE(10, fdopen(pair[0], "r") == NULL);
	NOTE(11, fdopen(pair[1], "x") == NULL);
	close(pair[1]);
	has_ended = true;
	hub_join(ticker, NULL);
	return argument;
}

Test(transfer, streams_over_sockets_suspend)
{
	hub_patch_all();
	in_hub(use_stream, NULL);
	for (int i = 0; i <= 4; i++)
		cr_expect_eq(results[i], 1, "%d", i);
	cr_expect_eq(results[5], 0);
	cr_expect_eq(results[6], 10);
	cr_expect_eq(results[7], 0);
	cr_expect_eq(results[8], 0);
	cr_expect(results[9] == -1 && errors[9] == EBADF, "fclose closes");
	cr_expect(results[10] == 1 && errors[10] == EBADF);
	cr_expect(results[11] == 1 && errors[11] == EINVAL);
}

/* ---- found by attacks ---- */

static void *
send_in_two(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	write(pair[1], "hello", 5);
	hub_sleep(5 * HUB_MILLISECOND);
	write(pair[1], "world", 5);
	return argument;
}

static void *
wait_for_all(void *argument)
{
	char one[3], two[7];
	struct iovec parts[] = {{one, 3}, {two, 7}}, none = {one, 0};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	struct sockaddr_storage address;
	socklen_t size = sizeof address;
	char path[] = "/tmp/hubbub-transfer-XXXXXX";
	int event = eventfd(0, 0), file = mkstemp(path);
	uint64_t too_much = UINT64_MAX;

	unlink(path);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	hub_detach(hub_spawn(send_in_two, NULL));
	NOTE(0, recvmsg(pair[0], &message, MSG_WAITALL));
	NOTE(1, memcmp(one, "hel", 3) == 0 && memcmp(two, "loworld", 7) == 0);
	hub_detach(hub_spawn(send_in_two, NULL));
	NOTE(2, recvfrom(pair[0], sink, 10, MSG_WAITALL, (struct sockaddr *)&address, &size));
	NOTE(3, readv(pair[0], &none, 1));
	NOTE(4, write(event, &too_much, sizeof too_much));
	/* Only its first page is in the cache. */
	NOTE(5, write(file, big, sizeof big));
	fsync(file);
	posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
	posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
	pread(file, sink, 100, 0);
	lseek(file, 0, SEEK_SET);
	NOTE(6, read(file, sink, sizeof sink));
	close(pair[0]);
	close(pair[1]);
	close(event);
	close(file);
	return argument;
}

Test(transfer, all_is_waited_for_where_that_was_asked_for)
{
	hub_patch_all();
	in_hub(wait_for_all, NULL);
	cr_expect_eq(results[0], 10);
	cr_expect_eq(results[1], 1);
	cr_expect_eq(results[2], 10);
	cr_expect_eq(results[3], 0);
	cr_expect(results[4] == -1 && errors[4] == EINVAL);
	cr_expect_eq(results[5], sizeof big);
	cr_expect_eq(results[6], sizeof big, "%ld", results[6]);
}

static void *
read_for_ever(void *argument)
{
	int zero = open("/dev/zero", O_RDONLY);
	struct hub_coroutine *ticker = hub_spawn(tick, NULL);
	long reads = 0;

	while (ticks == 0 && reads < 10000000 && read(zero, sink, 1) == 1)
		reads++;
	NOTE(0, ticks);
	has_ended = true;
	hub_join(ticker, NULL);
	close(zero);
	return argument;
}

Test(transfer, who_never_has_to_wait_starves_nobody)
{
	hub_patch_all();
	in_hub(read_for_ever, NULL);
	cr_expect_gt(results[0], 0);
}

static void *
read_ever_slower(void *argument)
{
	int zero = open("/dev/zero", O_RDONLY);
	struct hub_coroutine *ticker = hub_spawn(tick, NULL);
	int64_t began = hub_now();
	long steps = 0;

	while (hub_now() - began < 30 * HUB_MILLISECOND)
		NOTE(0, read(zero, sink, 1));
	for (ticks = 0; ticks == 0 && steps < 50; steps++) {
		began = hub_now();
		while (hub_now() - began < 10 * HUB_MILLISECOND)
			continue;
		NOTE(0, read(zero, sink, 1));
	}
	NOTE(1, steps);
	has_ended = true;
	hub_join(ticker, NULL);
	close(zero);
	return argument;
}

Test(transfer, who_becomes_slow_lets_others_run_as_soon)
{
	hub_patch_all();
	in_hub(read_ever_slower, NULL);
	cr_expect_eq(results[0], 1);
	cr_expect_lt(results[1], 15, "%ld steps of 10 ms", results[1]);
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
write_to_trickle(void *argument)
{
	int ends[2];
	struct hub_coroutine *reader;
	int64_t began;

	pipe(ends);
	fcntl(ends[0], F_SETPIPE_SZ, 4096);
	reader = hub_spawn(trickle, &ends[0]);
	began = hub_now();
	NOTE(0, write(ends[1], big, sizeof big));
	NOTE(1, (hub_now() - began) / HUB_MILLISECOND);
	close(ends[1]);
	hub_join(reader, NULL);
	close(ends[0]);
	return argument;
}

/* 256 times the pipe is full; a pause after each would take four seconds. */
Test(transfer, what_goes_through_is_not_waited_for_longer_each_time)
{
	hub_patch_all();
	in_hub(write_to_trickle, NULL);
	cr_expect_eq(results[0], sizeof big);
	cr_expect_lt(results[1], 2000, "%ld ms", results[1]);
}

/* ---- the end of input that the hub says ---- */

static void *
ended_body(void *argument)
{
	struct pollfd query;
	struct iovec part = {sink, 16};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	hub_adopt(pair[0]);
	query = (struct pollfd){.fd = pair[0], .events = POLLIN};
	write(pair[1], "last", 4);
	hub_end_input(pair[0]);
	NOTE(0, recv(pair[0], sink, 16, MSG_DONTWAIT));
	NOTE(1, poll(&query, 1, -1));
	NOTE(2, query.revents);
	NOTE(3, recv(pair[0], sink, 16, MSG_DONTWAIT));
	NOTE(4, recvmsg(pair[0], &message, MSG_DONTWAIT));
	NOTE(5, recv(pair[0], sink, 16, MSG_WAITALL));
	fcntl(pair[0], F_SETFL, fcntl(pair[0], F_GETFL) | O_NONBLOCK);
	NOTE(6, read(pair[0], sink, 16));
	NOTE(7, readv(pair[0], &part, 1));
	close(pair[0]);
	close(pair[1]);
	return argument;
}

Test(transfer, an_end_that_the_hub_says_is_one_to_who_does_not_wait_too)
{
	hub_patch_all();
	in_hub(ended_body, NULL);
	cr_assert_eq(results[0], 4, "what has arrived comes first");
	cr_assert_eq(results[1], 1);
	cr_assert_eq(results[2], POLLIN);
	for (int i = 3; i < 8; i++)
		cr_assert_eq(results[i], 0, "%d: %ld, %s", i, results[i], strerror(errors[i]));
}

/* ---- terminals that their users have stopped ---- */

#define TERMINALS 20

static int masters[TERMINALS], terminals[TERMINALS];
static long wrote[TERMINALS];

static void *
write_to_terminal(void *argument)
{
	size_t i = (size_t)(uintptr_t)argument;

	wrote[i] = write(terminals[i], "hello\n", 6);
	return NULL;
}

static void *
use_terminals(void *argument)
{
	struct hub_coroutine *writers[TERMINALS];
	char path[] = "/tmp/hubbub-terminals-XXXXXX", text[16];
	int file = mkstemp(path);

	unlink(path);
	for (size_t i = 0; i < TERMINALS; i++) {
		masters[i] = posix_openpt(O_RDWR | O_NOCTTY);
		grantpt(masters[i]);
		unlockpt(masters[i]);
		terminals[i] = open(ptsname(masters[i]), O_RDWR | O_NOCTTY);
		tcflow(terminals[i], TCOOFF);
		writers[i] = hub_spawn(write_to_terminal, (void *)(uintptr_t)i);
	}
	for (size_t i = 0; i < TERMINALS; i++)
		until_it_waits(writers[i]);
	/* Files are not kept waiting by them. */
	NOTE(0, pwrite(file, "x", 1, 0));
	NOTE(1, fcntl(terminals[0], F_GETFL) & O_NONBLOCK);
	NOTE(2, wrote[0]);
	for (size_t i = 0; i < TERMINALS; i++) {
		tcflow(terminals[i], TCOON);
		hub_join(writers[i], NULL);
		results[3] += wrote[i] == 6 && read(masters[i], text, sizeof text) >= 6;
		close(masters[i]);
		close(terminals[i]);
	}
	close(file);
	return argument;
}

Test(transfer, stopped_terminals_keep_no_file_waiting)
{
	hub_patch_all();
	in_hub(use_terminals, NULL);
	cr_expect_eq(results[0], 1);
	cr_expect_eq(results[1], 0, "others find it blocking");
	cr_expect_eq(results[2], 0);
	cr_expect_eq(results[3], TERMINALS, "%ld", (long)results[3]);
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
