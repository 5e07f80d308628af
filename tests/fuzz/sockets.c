/* Random programs on connections: coroutines send, receive and wait over Unix and TCP sockets, with
 * and without TLS, while others close the connections, open new ones with the same file
 * descriptors, put another file there behind the hub's back, kill, and time out. Each byte tells
 * its connection and its direction, so none may arrive anywhere else; a connection that is open at
 * the end must still carry a byte each way; and nothing may be left: no coroutine, stack, wait or
 * file descriptor.
 *
 *	random-sockets [--seconds N] */
#include <errno.h>
#include <hubbub/hub.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/scheduler_priv.h"
#include "tests/fuzz/connections.h"
#include "tests/fuzz/programs.h"
#include "tests/fuzz/traffic.h"
#include "tests/support/descriptors.h"

enum { PLACES = 4, ACTORS = 10, STEPS = 12 };
#define PATIENCE (20 * HUB_SECOND)

static struct connection places[PLACES];
static struct hub_coroutine *actors[ACTORS];

/* ---- connections that come and go ---- */

static void
step_open(struct connection *place)
{
	bool is_secure = below(2);

	connection_close(place);
	connection_open(place, is_secure);
	if (is_secure)
		connection_shake_hands(place);
}

/* Replaces the connection at once, so that a new one has its file descriptors before any coroutine
 * knows of the close. */
static void
step_replace(struct connection *place)
{
	connection_close(place);
	connection_open(place, false);
}

static void
step_close(struct connection *place)
{
	connection_close(place);
}

/* Puts another file in the connection's place behind the hub's back, by a system call. No coroutine
 * makes a new call on the old connection after that. */
static void
step_put_file(struct connection *place)
{
	struct connection was = *place;
	int end = (int)below(2), file;

	if (was.ends[0] == -1)
		return;
	file = memfd_create("other", MFD_CLOEXEC);
	programs_expect(file != -1 && dup2(file, was.ends[end]) == was.ends[end], "dup2", errno);
	close(file);
	connection_close(place);
}

static void
step_shut_down(struct connection *place)
{
	place->is_spoiled = true;
	if (place->ends[0] != -1)
		hub_shutdown(place->ends[below(2)], below(2) ? SHUT_WR : SHUT_RDWR);
}

static void
step_end_input(struct connection *place)
{
	place->is_spoiled = true;
	if (place->ends[0] != -1)
		hub_end_input(place->ends[below(2)]);
}

/* ---- waiting, and ending waits ---- */

static void
step_wait(struct connection *place)
{
	struct connection other = places[below(PLACES)];
	struct pollfd fds[] = {{place->ends[0], POLLIN, 0}, {place->ends[1], POLLOUT, 0},
		{other.ends[0], POLLIN, 0}};
	struct hub_case cases[] = {
		hub_case_fd(place->ends[0], POLLIN), hub_case_fd(other.ends[1], POLLIN)};
	int result;

	switch (below(3)) {
	case 0:
		result = hub_poll(fds, 1 + below(3), (int)below(3));
		break;
	case 1:
		result = hub_select(cases, 2, below(2000) * HUB_MICROSECOND);
		break;
	default:
		result = hub_await_fd(
			place->ends[0], below(2) ? POLLIN : POLLOUT, below(2000) * HUB_MICROSECOND);
	}
	if (result < 0)
		traffic_expect_error("a wait fails");
}

static void
step_sleep(struct connection *place)
{
	(void)place;
	hub_sleep(below(2) ? 0 : below(1000) * HUB_MICROSECOND);
}

static void
step_kill(struct connection *place)
{
	struct hub_coroutine *actor = actors[below(ACTORS)];

	(void)place;
	if (actor != NULL && below(2))
		hub_interrupt(actor);
	else if (actor != NULL)
		hub_kill(actor);
}

static void (*const steps[])(struct connection *place) = {traffic_send, traffic_send_file,
	traffic_receive, step_wait, step_sleep, step_open, step_replace, step_close, step_put_file,
	step_shut_down, step_end_input, step_kill};
enum { KINDS = sizeof steps / sizeof steps[0] };

/* Each program draws how often it takes each kind of step; some kinds it never takes. Programs in
 * which all kinds are equally likely would all be much the same. */
static unsigned weights[KINDS];

static void
draw_weights(void)
{
	for (int i = 0; i < KINDS; i++)
		weights[i] = below(2) ? 1 + below(8) : below(2);
	/* Without these kinds nothing happens. */
	weights[0] += 4;
	weights[2] += 1;
}

static void
step(struct connection *place)
{
	unsigned sum = 0, i = 0, drawn;

	for (int kind = 0; kind < KINDS; kind++)
		sum += weights[kind];
	for (drawn = below(sum); drawn >= weights[i]; i++)
		drawn -= weights[i];
	steps[i](place);
}

static void *
act(void *argument)
{
	for (unsigned left = 1 + below(STEPS); left > 0; left--) {
		struct hub_timeout scope;
		bool has_scope = below(3) == 0;

		if (has_scope)
			hub_timeout_start(&scope, below(1000) * HUB_MICROSECOND);
		step(&places[below(PLACES)]);
		if (has_scope)
			hub_timeout_stop(&scope);
		if (hub_sleep(0) != 0 && errno == ECANCELED)
			break;
	}
	return argument;
}

/* ---- a program ---- */

struct last {
	struct connection *place;
	int end;
};

static void *
send_last(void *argument)
{
	struct last *last = argument;
	unsigned char byte = CONNECTION_LAST;

	programs_expect(hub_send(last->place->ends[last->end], &byte, 1, 0) == 1,
		"a connection that nobody has ended takes no more", errno);
	return NULL;
}

/* Everything that was sent before must arrive, too. */
static void
carry_last(struct connection *place, int end)
{
	static unsigned char bytes[100000];
	struct last last = {place, end};
	struct hub_nursery nursery;
	ssize_t received;
	bool is_last = false;

	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, send_last, &last);
	while (!is_last) {
		received = hub_recv(place->ends[1 - end], bytes, sizeof bytes, 0);
		programs_expect(received > 0, "a connection that nobody has ended carries no more",
			received == 0 ? 0 : errno);
		is_last = traffic_judge(place, 1 - end, bytes, received);
	}
	hub_nursery_close(&nursery);
}

/* Kills the actors that still wait, for whatever. */
static void
end_actors(unsigned count)
{
	struct hub_timeout scope;

	hub_kill_all(actors, count);
	hub_timeout_start(&scope, PATIENCE);
	for (unsigned i = 0; i < count; i++)
		programs_expect(hub_join(actors[i], NULL) == 0, "a killed one does not end", i);
	hub_timeout_stop(&scope);
	memset(actors, 0, sizeof actors);
}

static void
end_connections(void)
{
	struct hub_timeout scope;

	hub_timeout_start(&scope, PATIENCE);
	for (int i = 0; i < PLACES; i++) {
		if (places[i].ends[0] != -1 && places[i].is_ready && !places[i].is_spoiled) {
			carry_last(&places[i], 0);
			carry_last(&places[i], 1);
		}
		connection_close(&places[i]);
	}
	hub_timeout_stop(&scope);
}

/* Coroutines that send what TLS had kept of a closed connection may have no reader; they end with
 * the hub. */
static void
expect_nothing_left(void)
{
	int64_t end = hub_now() + 5 * HUB_MILLISECOND;

	while (hub_this->scheduled > 1 && hub_now() < end)
		hub_sleep(HUB_MILLISECOND / 10);
	if (hub_this->scheduled > 1)
		return;
	programs_expect(hub_this->arena.used == 1, "stacks are left", (long)hub_this->arena.used);
	programs_expect(hub_this->loop_waits == 0, "waits are left", (long)hub_this->loop_waits);
}

static void *
run_hub(void *argument)
{
	unsigned count = 2 + below(ACTORS - 1);

	draw_weights();
	for (int i = 0; i < PLACES; i++) {
		bool is_secure = below(2);

		connection_open(&places[i], is_secure);
		if (is_secure)
			connection_shake_hands(&places[i]);
	}
	for (unsigned i = 0; i < count; i++) {
		actors[i] = hub_spawn(act, NULL);
		programs_expect(actors[i] != NULL, "hub_spawn", errno);
	}
	hub_sleep(below(below(4) == 0 ? 20 : 4) * HUB_MILLISECOND);
	end_actors(count);
	end_connections();
	expect_nothing_left();
	return argument;
}

static void
run_program(void)
{
	static long descriptors;
	long now;

	programs_expect(hub_run(run_hub, NULL, NULL) == 0, "hub_run", errno);
	/* The first program opens descriptors that the process keeps; so does the first backtrace,
	 * which the watchdog may make later. */
	if (descriptors == 0)
		descriptors_settle();
	now = open_descriptors();
	programs_expect(
		descriptors == 0 || now == descriptors, "descriptors are left", now - descriptors);
	descriptors = now;
}

int
main(int argc, char **argv)
{
	connection_prepare_tls();
	return programs_main(argc, argv, "random-sockets", run_program);
}
