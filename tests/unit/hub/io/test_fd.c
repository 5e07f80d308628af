/* Descriptors: who waits for one, and what it is told when that is closed, released, ended, or
 * comes back as another one. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static int pair[2];

static void *
receive(void *argument)
{
	char bytes[8];
	ssize_t received = hub_recv(pair[0], bytes, sizeof bytes, 0);

	if (received > 0)
		trace_say("received '%.*s'", (int)received, bytes);
	else
		trace_call("recv", received);
	return argument;
}

static void *
close_under_body(void *argument)
{
	struct hub_coroutine *reader;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	reader = hub_spawn(receive, NULL);
	until_it_waits(reader);
	trace_call("close", hub_close(pair[0]));
	hub_join(reader, NULL);
	hub_close(pair[1]);
	/* libev must survive polling after the close. */
	hub_sleep(2 * HUB_MILLISECOND);
	return argument;
}

Test(fd, close_wakes_who_waits_with_ebadf)
{
	in_hub(close_under_body, NULL);
	cr_assert_str_eq(trace_text(), "close 0, recv EBADF");
}

/* Woken by data, but before it runs another coroutine closes the descriptor and its number comes
 * back as another connection: it must not read from that. */
static void *
recycle_body(void *argument)
{
	struct hub_coroutine *reader;
	int other[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	reader = hub_spawn(receive, NULL);
	hub_sleep(0);
	hub_send(pair[1], "old", 3, 0);
	/* Lets the loop wake the reader, which queues behind this coroutine. */
	while (hub_wait_fd(pair[1], POLLOUT) < 0)
		continue;
	hub_close(pair[0]);
	socketpair(AF_UNIX, SOCK_STREAM, 0, other);
	trace_whether("recycled", other[0] == pair[0]);
	hub_send(other[1], "new", 3, 0);
	hub_join(reader, NULL);
	hub_close(other[0]);
	hub_close(other[1]);
	hub_close(pair[1]);
	return argument;
}

Test(fd, a_recycled_number_is_not_read_by_who_waited_for_the_old_one)
{
	in_hub(recycle_body, NULL);
	cr_assert_str_eq(trace_text(), "recycled, recv EBADF");
}

/* Becomes runnable while the sweep is due, and is still the first of those that wait. */
static void *
receive_in_time(void *argument)
{
	struct hub_timeout scope;

	hub_timeout_start(&scope, 145 * HUB_MILLISECOND);
	receive(argument);
	hub_timeout_stop(&scope);
	return argument;
}

static void *
sweep_while_one_leaves_body(void *argument)
{
	int64_t began = hub_now();
	struct hub_coroutine *leaving, *staying;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	leaving = hub_spawn(receive_in_time, NULL);
	staying = hub_spawn(receive, NULL);
	hub_sleep(140 * HUB_MILLISECOND);
	while (hub_now() - began < 170 * HUB_MILLISECOND)
		continue;
	hub_join(leaving, NULL);
	close(pair[0]);
	if (hub_join_for(staying, NULL, 30 * HUB_SECOND) != 0)
		trace_say("waits for ever");
	hub_close(pair[1]);
	return argument;
}

/* The sweep looks at 50 and at 150 ms. */
Test(fd, a_number_closed_behind_the_hubs_back_is_found_though_others_leave)
{
	in_hub(sweep_while_one_leaves_body, NULL);
	cr_assert_str_eq(trace_text(), "recv ETIMEDOUT, recv EBADF");
}

static void *
repaired_body(void *argument)
{
	struct hub_coroutine *reader;
	int former[2];

	/* A watched number is closed behind the hub's back, with a watcher on it... */
	socketpair(AF_UNIX, SOCK_STREAM, 0, former);
	pair[0] = former[0];
	reader = hub_spawn(receive, NULL);
	until_it_waits(reader);
	hub_kill(reader);
	hub_join(reader, NULL);
	close(former[0]);
	/* ...and comes back by an adoption. */
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	trace_whether("recycled", pair[0] == former[0]);
	trace_call("adopt", hub_adopt(pair[0]));
	reader = hub_spawn(receive, NULL);
	until_it_waits(reader);
	hub_send(pair[1], "x", 1, 0);
	hub_join(reader, NULL);
	hub_close(pair[0]);
	hub_close(pair[1]);
	hub_close(former[1]);
	return argument;
}

Test(fd, a_number_that_comes_back_without_hub_close_is_repaired_at_entry)
{
	in_hub(repaired_body, NULL);
	cr_assert_str_eq(trace_text(), "recv ECANCELED, recycled, adopt 0, received 'x'");
}

/* Waits for these events, and says which have come. */
static void
say_ready(const char *name, int fd, int events)
{
	int ready = hub_wait_fd(fd, events);

	if (ready == -1)
		trace_call(name, ready);
	else
		trace_say("%s%s%s", name, ready & POLLIN ? " readable" : "",
			ready & POLLOUT ? " writable" : "");
}

static void *
wait_fd_body(void *argument)
{
	int ends[2];
	char byte;

	say_ready("unknown", 99, POLLIN);
	say_ready("nothing", 0, 0);
	say_ready("urgent", 0, POLLIN | POLLPRI);
	if (pipe(ends) != 0)
		return NULL;
	say_ready("empty", ends[1], POLLOUT);
	hub_write(ends[1], "x", 1);
	say_ready("filled", ends[0], POLLIN | POLLOUT);
	hub_close(ends[1]);
	hub_read(ends[0], &byte, 1);
	say_ready("ended", ends[0], POLLIN);
	hub_close(ends[0]);
	return argument;
}

Test(fd, wait_fd_tells_what_is_ready_or_why_it_cannot)
{
	in_hub(wait_fd_body, NULL);
	cr_assert_str_eq(trace_text(), "unknown EBADF, nothing EINVAL, urgent EINVAL, "
				       "empty writable, filled readable, ended readable");
}

static void *
wait_either(void *argument)
{
	say_ready("either", pair[0], POLLIN | POLLOUT);
	return argument;
}

static void *
either_body(void *argument)
{
	static char big[1 << 20];
	struct hub_coroutine *waiter;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	while (hub_send(pair[0], big, sizeof big, MSG_DONTWAIT) > 0)
		continue;
	waiter = hub_spawn(wait_either, NULL);
	hub_sleep(0);
	hub_send(pair[1], "x", 1, 0);
	hub_join(waiter, NULL);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(fd, waiting_for_both_directions_ends_with_the_first)
{
	in_hub(either_body, NULL);
	cr_assert_str_eq(trace_text(), "either readable");
}

static void *
file_body(void *argument)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char magic[5] = "";

	trace_call("read", hub_read(file, magic, 4));
	trace_say("%s", magic + 1);
	say_ready("file", file, POLLIN);
	hub_close(file);
	return argument;
}

Test(fd, regular_files_are_always_ready)
{
	in_hub(file_body, NULL);
	cr_assert_str_eq(trace_text(), "read 4, ELF, file readable");
}

/* Others have their turns until they wait, also those whose slice is used up on the way there. */
static void
let_wait(void)
{
	for (int i = 0; i < 10; i++)
		hub_sleep(0);
}

static void *
receive_byte(void *argument)
{
	char byte = '-';

	hub_recv(pair[0], &byte, 1, 0);
	trace_say("%s %c", (const char *)argument, byte);
	return NULL;
}

static void *
two_readers_body(void *argument)
{
	struct hub_coroutine *first, *second;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	first = hub_spawn(receive_byte, "first");
	let_wait();
	second = hub_spawn(receive_byte, "second");
	let_wait();
	hub_send(pair[1], "a", 1, 0);
	hub_join(first, NULL);
	hub_send(pair[1], "b", 1, 0);
	hub_join(second, NULL);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(fd, several_readers_are_woken_in_the_order_in_which_they_came)
{
	in_hub(two_readers_body, NULL);
	cr_assert_str_eq(trace_text(), "first a, second b");
}

static void *
release_body(void *argument)
{
	struct hub_coroutine *reader;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	reader = hub_spawn(receive, NULL);
	until_it_waits(reader);
	hub_release(pair[0]);
	hub_join(reader, NULL);
	trace_whether("open", fcntl(pair[0], F_GETFD) != -1);
	hub_close(pair[0]);
	hub_close(pair[1]);
	hub_release(12345);
	hub_release(-1);
	return argument;
}

Test(fd, release_forgets_but_does_not_close)
{
	in_hub(release_body, NULL);
	cr_assert_str_eq(trace_text(), "recv EBADF, open");
}

/* The end of input: what has arrived is received first, who waits is told at once, and sending goes
 * on. */
static void *
end_input_body(void *argument)
{
	struct hub_coroutine *reader;
	char bytes[8];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	reader = hub_spawn(receive, NULL);
	until_it_waits(reader);
	hub_end_input(pair[0]);
	hub_join(reader, NULL);
	trace_call("send", hub_send(pair[0], "out", 3, 0));
	trace_call("recv of the peer", hub_recv(pair[1], bytes, 8, 0));
	hub_send(pair[1], "late", 4, 0);
	receive(NULL);
	receive(NULL);
	trace_call("recv without waiting", hub_recv(pair[0], bytes, 8, MSG_DONTWAIT));
	say_ready("end", pair[0], POLLIN);
	/* A number that enters again has its input again. */
	hub_adopt(pair[0]);
	trace_call("recv of another life", hub_recv(pair[0], bytes, 8, MSG_DONTWAIT));
	hub_end_input(-1);
	hub_end_input(100000);
	hub_close(pair[0]);
	hub_close(pair[1]);
	return argument;
}

Test(fd, the_end_of_input_comes_after_what_has_arrived)
{
	in_hub(end_input_body, NULL);
	cr_assert_str_eq(trace_text(),
		"recv 0, send 3, recv of the peer 3, received 'late', recv 0, "
		"recv without waiting 0, end readable, recv of another life EAGAIN");
}

/* ---- awaiting ---- */

static void *
await_for_ever(void *argument)
{
	trace_call(argument, hub_await_fd(pair[0], POLLIN, HUB_FOREVER));
	return NULL;
}

static void
by_byte(struct hub_coroutine *waiter)
{
	(void)waiter;
	write(pair[1], "x", 1);
}

static void
by_interrupt(struct hub_coroutine *waiter)
{
	trace_whether("interrupted", hub_interrupt(waiter));
}

static void
by_close(struct hub_coroutine *waiter)
{
	(void)waiter;
	hub_close(pair[0]);
}

static void
by_kill(struct hub_coroutine *waiter)
{
	hub_kill(waiter);
}

static void
by_end_of_input(struct hub_coroutine *waiter)
{
	(void)waiter;
	hub_end_input(pair[0]);
}

/* Waits in another coroutine, until what ends it. */
static void
await_until(const char *name, void (*end)(struct hub_coroutine *waiter))
{
	struct hub_coroutine *waiter = hub_spawn(await_for_ever, (void *)(uintptr_t)name);

	until_it_waits(waiter);
	end(waiter);
	hub_join(waiter, NULL);
}

static void
say_flags(void)
{
	trace_say("%s, %s", fcntl(pair[0], F_GETFL) & O_NONBLOCK ? "nonblocking" : "blocking",
		hub_made_nonblocking(pair[0]) ? "by the hub" : "not by the hub");
}

static void *
await_body(void *argument)
{
	struct hub_timeout scope;
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	trace_call("its time is up", hub_await_fd(pair[0], POLLIN, HUB_MILLISECOND));
	await_until("byte", by_byte);
	/* Its flags are as they were, until the hub reads from it. */
	say_flags();
	hub_read(pair[0], &byte, 1);
	say_flags();
	await_until("interrupt", by_interrupt);
	await_until("kill", by_kill);
	hub_timeout_start(&scope, HUB_MILLISECOND);
	trace_call("scope", hub_await_fd(pair[0], POLLIN, HUB_SECOND));
	hub_timeout_stop(&scope);
	/* Who waits is told that there is something to find out, and who comes later what it is. */
	await_until("end of input", by_end_of_input);
	await_for_ever("after the end");
	hub_adopt(pair[0]);
	await_until("close", by_close);
	trace_call("none", hub_await_fd(-1, POLLIN, 0));
	trace_call("both directions", hub_await_fd(pair[1], POLLIN | POLLOUT, 0));
	trace_call("writable", hub_await_fd(pair[1], POLLOUT, HUB_SECOND));
	trace_whether("in a hub", hub_can_wait() && hub_is_running());
	hub_close(pair[1]);
	return argument;
}

Test(fd, awaiting_leaves_the_flags_alone_and_tells_why_it_ended)
{
	in_hub(await_body, NULL);
	cr_assert_str_eq(trace_text(),
		"its time is up 0, byte 1, blocking, not by the hub, nonblocking, by the hub, "
		"interrupted, interrupt EINTR, kill ECANCELED, scope ETIMEDOUT, end of input 1, "
		"after the end ESHUTDOWN, close EBADF, none EBADF, both directions EINVAL, "
		"writable 1, in a hub");
	cr_assert(!hub_can_wait() && !hub_is_running() && !hub_made_nonblocking(0));
}
