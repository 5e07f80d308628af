/* A poll: its time, its scope, and what it tells of the descriptors that it is given. */
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

/* What is polled, and their peers. */
static int ends[3], peers[3];

static void *
write_later(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	hub_write(peers[1], "x", 1);
	return argument;
}

static void *
close_later(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	hub_close(ends[2]);
	return argument;
}

/* Polls without an end, and says how many are ready, and what this one is. */
static void
say_polled(const char *name, struct pollfd *fds, nfds_t count, const struct pollfd *one)
{
	int ready = hub_poll(fds, count, -1);

	trace_say("%s %d:%s%s%s", name, ready, one->revents & POLLIN ? " readable" : "",
		one->revents & POLLOUT ? " writable" : "",
		one->revents & POLLNVAL ? " invalid" : "");
}

static void *
body(void *argument)
{
	struct pollfd fds[12];
	struct hub_timeout scope;
	char byte;

	for (int i = 0; i < 3; i++) {
		int pair[2];

		socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
		ends[i] = pair[0];
		peers[i] = pair[1];
	}
	for (int i = 0; i < 12; i++)
		fds[i] = (struct pollfd){i < 3 ? ends[i] : -1, POLLIN, 0};
	trace_call("at once", hub_poll(fds, 3, 0));
	trace_call("soon", hub_poll(fds, 3, 2));
	hub_timeout_start(&scope, HUB_MILLISECOND);
	trace_call("in a scope", hub_poll(fds, 3, -1));
	hub_timeout_stop(&scope);
	hub_detach(hub_spawn(write_later, NULL));
	say_polled("written", fds, 12, &fds[1]);
	hub_read(ends[1], &byte, 1);
	hub_detach(hub_spawn(close_later, NULL));
	say_polled("closed", fds, 3, &fds[2]);
	fds[0].events = POLLIN | POLLOUT;
	say_polled("both directions", fds, 1, &fds[0]);
	hub_close(ends[0]);
	hub_close(ends[1]);
	for (int i = 0; i < 3; i++)
		hub_close(peers[i]);
	return argument;
}

Test(poll, waits_for_any_of_many)
{
	in_hub(body, NULL);
	cr_assert_str_eq(trace_text(),
		"at once 0, soon 0, in a scope ETIMEDOUT, written 1: readable, "
		"closed 1: invalid, both directions 1: writable");
}

/* ---- closed behind the hub's back ---- */

/* Wakes the poll by one descriptor, after another one's number has become a readable file's. */
static void *
replace_later(void *argument)
{
	int pair[2];

	hub_sleep(HUB_MILLISECOND);
	close(ends[2]);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	trace_whether("its number again", pair[0] == ends[2]);
	hub_write(pair[1], "x", 1);
	hub_write(peers[1], "x", 1);
	hub_close(peers[2]);
	peers[2] = pair[1];
	return argument;
}

static void *
replaced_body(void *argument)
{
	struct pollfd fds[2];

	for (int i = 1; i < 3; i++) {
		int pair[2];

		socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
		ends[i] = pair[0];
		peers[i] = pair[1];
		fds[i - 1] = (struct pollfd){ends[i], POLLIN, 0};
	}
	hub_detach(hub_spawn(replace_later, NULL));
	say_polled("polled", fds, 2, &fds[1]);
	for (int i = 1; i < 3; i++) {
		hub_close(ends[i]);
		hub_close(peers[i]);
	}
	return argument;
}

Test(poll, does_not_take_another_file_for_one_that_was_closed)
{
	in_hub(replaced_body, NULL);
	cr_assert_str_eq(trace_text(), "its number again, polled 2: invalid");
}
