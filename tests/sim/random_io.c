/* Coroutines share connections: they send, receive, wait, shut down, close, open others that get
 * the same numbers, time out, and kill each other. All is drawn from the world's seed. At the end
 * each connection that nobody has seen fail must carry all that was sent, and then the end. */
#include "tests/sim/random_io.h"

#include <errno.h>
#include <hubbub/sim.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "tests/sim/wires.h"

#define PATIENCE (120 * HUB_SECOND)
#define LATE (50 * HUB_MILLISECOND) /* a call that ends so long after its deadline is too late */

enum { PLACES = 4, ACTORS = 8, STEPS = 16, MOST = 40000 };

struct random_io random_io;

static struct wire *places[PLACES];
static struct hub_coroutine *actors[ACTORS];

static size_t
below(size_t limit)
{
	return (size_t)hub_sim_draw(limit);
}

static struct wire *
some_wire(void)
{
	return places[below(PLACES)];
}

/* Whether the end can be used. */
static bool
is_usable(const struct wire *wire, int end)
{
	return wire != NULL && wire->is_ready && wire->ends[end].fd != -1;
}

/* ---- transfers ---- */

static ssize_t
send_somehow(int fd, unsigned char *bytes, size_t length)
{
	struct iovec parts[2] = {{bytes, length / 3}, {bytes + length / 3, length - length / 3}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	switch (below(5)) {
	case 0:
		return hub_send(fd, bytes, length, MSG_DONTWAIT);
	case 1:
		return hub_write(fd, bytes, length);
	case 2:
		return hub_sendmsg(fd, &message, 0);
	case 3:
		return hub_writev(fd, parts, 2);
	default:
		return hub_send(fd, bytes, length, 0);
	}
}

static void
step_send(struct wire *wire)
{
	int end = (int)below(2);
	size_t length = 1 + below(below(3) == 0 ? MOST : 2000);
	struct wire_end *own;
	unsigned char *bytes;
	ssize_t sent;

	if (!is_usable(wire, end) || hub_lock_acquire(&wire->ends[end].sends) != 0)
		return;
	own = &wire->ends[end];
	bytes = own->fd != -1 ? malloc(length) : NULL;
	if (bytes != NULL) {
		wire_fill(wire, end, bytes, length);
		sent = send_somehow(own->fd, bytes, length);
		if (sent > (ssize_t)length)
			wires_complain(wire, "more is sent than there was", sent);
		if (sent < 0)
			wire_failed(wire, ERRNOS_SEND, "a call that sends fails");
		own->sent += sent > 0 ? (size_t)sent : 0;
		random_io.sent += sent > 0 ? (size_t)sent : 0;
	}
	free(bytes);
	hub_lock_release(&own->sends);
}

static ssize_t
receive_somehow(int fd, unsigned char *bytes, size_t length)
{
	struct iovec parts[2] = {{bytes, length / 2}, {bytes + length / 2, length - length / 2}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	switch (below(5)) {
	case 0:
		return hub_recv(fd, bytes, length, MSG_DONTWAIT);
	case 1:
		return hub_readv(fd, parts, 2);
	case 2:
		return hub_recvmsg(fd, &message, 0);
	case 3:
		return hub_read(fd, bytes, length);
	default:
		return hub_recv(fd, bytes, length, 0);
	}
}

/* What a call that receives has returned. With MSG_WAITALL a close leaves it what it had. */
static void
judge(struct wire *wire, int end, const unsigned char *bytes, ssize_t got, int flags)
{
	struct wire_end *own = &wire->ends[end];
	bool is_peek = flags & MSG_PEEK;

	if (got > 0 && own->fd == -1 && !(flags & MSG_WAITALL))
		wires_complain(wire, "bytes come after the close", got);
	if (got < 0) {
		wire_failed(wire, ERRNOS_RECEIVE, "a call that receives fails");
	} else if (got == 0) {
		wire_judge_end(wire, end);
	} else {
		wire_judge(wire, end, bytes, (size_t)got);
		own->received += is_peek ? 0 : (size_t)got;
		random_io.received += is_peek ? 0 : (size_t)got;
	}
}

/* Of an odd wire any number of coroutines receive at a time: each call takes what there is at once,
 * and returns without a switch. Calls that take more than once need the others to wait. */
static void
step_receive(struct wire *wire)
{
	int end = (int)below(2);
	size_t length = 2 + below(below(2) ? MOST : 100);
	bool is_alone = wire != NULL && wire->serial % 2 == 0;
	unsigned char *bytes;
	int flags = 0;

	if (!is_usable(wire, end) || (is_alone && hub_lock_acquire(&wire->ends[end].receives) != 0))
		return;
	bytes = wire->ends[end].fd != -1 ? malloc(length) : NULL;
	if (below(4) == 0)
		flags = is_alone && below(2) ? MSG_WAITALL : MSG_PEEK;
	if (bytes != NULL && flags != 0)
		judge(wire, end, bytes, hub_recv(wire->ends[end].fd, bytes, length, flags), flags);
	else if (bytes != NULL)
		judge(wire, end, bytes, receive_somehow(wire->ends[end].fd, bytes, length), 0);
	free(bytes);
	if (is_alone)
		hub_lock_release(&wire->ends[end].receives);
}

/* ---- waits ---- */

static void
step_wait(struct wire *wire)
{
	struct wire *other = some_wire();
	int end = (int)below(2), result;

	if (!is_usable(wire, end) || !is_usable(other, 1 - end))
		return;
	struct pollfd fds[] = {
		{wire->ends[end].fd, POLLIN, 0}, {other->ends[1 - end].fd, POLLOUT, 0}};
	struct hub_case cases[] = {hub_case_fd(wire->ends[end].fd, POLLIN),
		hub_case_fd(other->ends[1 - end].fd, POLLIN)};
	switch (below(3)) {
	case 0:
		result = hub_poll(fds, 2, (int)below(300));
		break;
	case 1:
		result = hub_select(cases, 2, (int64_t)below(300) * HUB_MILLISECOND);
		break;
	default:
		result = hub_wait_fd(wire->ends[end].fd, below(2) ? POLLIN : POLLOUT);
	}
	if (result < 0)
		wire_failed(wire, ERRNOS_EPOLL_ADD, "a wait fails");
}

static void
step_sleep(struct wire *wire)
{
	(void)wire;
	hub_sleep(below(2) ? 0 : (int64_t)below(300) * HUB_MILLISECOND);
}

/* ---- ends ---- */

static void
step_shut_down(struct wire *wire)
{
	int end = (int)below(2), how = below(2) ? SHUT_WR : SHUT_RDWR;

	if (!is_usable(wire, end))
		return;
	if (how == SHUT_RDWR)
		wire->is_spoiled = true;
	wire->ends[end].has_ended = true;
	if (hub_shutdown(wire->ends[end].fd, how) != 0) {
		wire_failed(wire, ERRNOS_SEND, "shutdown fails");
		wire->is_spoiled = true;
	}
}

static void
step_end_input(struct wire *wire)
{
	int end = (int)below(2);

	if (!is_usable(wire, end))
		return;
	wire->ends[end].is_deaf = true;
	hub_end_input(wire->ends[end].fd);
}

static void
step_close(struct wire *wire)
{
	if (wire != NULL)
		wire_close(wire, (int)below(2));
}

/* The new one may get the numbers of the old one. */
static void
step_open(struct wire *wire)
{
	size_t place = below(PLACES);

	if (wire != NULL && below(2)) {
		wire_close(wire, 0);
		wire_close(wire, 1);
	}
	wire = wire_open();
	if (wire == NULL)
		return;
	places[place] = wire;
	random_io.wires += wire->is_ready;
	random_io.secure += wire->is_ready && wire->is_secure;
}

static void
step_kill(struct wire *wire)
{
	struct hub_coroutine *actor = actors[below(ACTORS)];

	(void)wire;
	if (actor != NULL && below(3) == 0)
		hub_kill(actor);
	else if (actor != NULL)
		hub_interrupt(actor);
}

/* ---- a program ---- */

static void (*const steps[])(struct wire *wire) = {step_send, step_receive, step_wait, step_sleep,
	step_open, step_close, step_shut_down, step_end_input, step_kill};
enum { KINDS = sizeof steps / sizeof steps[0] };

/* Each program draws how often it takes each kind of step, and takes some never: otherwise all
 * would be much the same. */
static unsigned weights[KINDS];

static void
draw_weights(void)
{
	for (int i = 0; i < KINDS; i++)
		weights[i] = (unsigned)(below(2) ? 1 + below(4) : below(2));
	weights[0] += 6;
	weights[1] += 6;
}

static void
step(struct wire *wire)
{
	unsigned sum = 0, i = 0, drawn;

	for (int kind = 0; kind < KINDS; kind++)
		sum += weights[kind];
	for (drawn = (unsigned)below(sum); drawn >= weights[i]; i++)
		drawn -= weights[i];
	random_io.calls++;
	steps[i](wire);
}

/* A step, often with a deadline, which must not pass unnoticed. */
static void
step_in_time(struct wire *wire)
{
	int64_t time = (int64_t)below(500) * HUB_MILLISECOND, began = hub_now();
	struct hub_timeout scope;

	if (below(3) != 0) {
		step(wire);
		return;
	}
	hub_timeout_start(&scope, time);
	step(wire);
	random_io.ended_early += hub_timeout_stop(&scope);
	if (hub_now() > began + time + LATE)
		wires_complain(wire != NULL ? wire : &(struct wire){0}, "late, in milliseconds",
			(long)((hub_now() - began - time) / HUB_MILLISECOND));
}

static void *
act(void *argument)
{
	for (size_t left = 1 + below(STEPS); left > 0; left--) {
		step_in_time(some_wire());
		if (hub_sleep(0) != 0 && errno == ECANCELED)
			break;
	}
	return argument;
}

struct drain {
	struct wire *wire;
	int end;
};

/* Receives all that is left. */
static void *
drain(void *argument)
{
	const struct drain *own = argument;
	unsigned char bytes[3000];
	ssize_t got;

	do {
		got = hub_recv(own->wire->ends[own->end].fd, bytes, sizeof bytes, 0);
		judge(own->wire, own->end, bytes, got, 0);
	} while (got > 0);
	return NULL;
}

static void
end_output(struct wire *wire, int end)
{
	wire->ends[end].has_ended = true;
	if (hub_shutdown(wire->ends[end].fd, SHUT_WR) != 0)
		wire->is_spoiled = true;
}

/* Both ends are open, and nobody uses the wire any more. */
static void
finish(struct wire *wire)
{
	struct drain drains[] = {{wire, 0}, {wire, 1}};
	int64_t began = hub_now();
	struct hub_nursery nursery;
	struct hub_timeout scope;

	hub_timeout_start(&scope, PATIENCE);
	hub_nursery_open(&nursery);
	for (int end = 0; end < 2; end++)
		if (hub_nursery_spawn(&nursery, drain, &drains[end]) == NULL)
			wire->is_spoiled = true;
	end_output(wire, 0);
	end_output(wire, 1);
	hub_nursery_close(&nursery);
	/* The world may let it expire early. */
	if (hub_timeout_stop(&scope) && hub_now() >= began + PATIENCE && !wire->is_spoiled)
		wires_complain(wire, "it does not carry what was sent", 0);
}

static void
end_actors(void)
{
	for (int i = 0; i < ACTORS; i++)
		if (actors[i] != NULL)
			hub_kill(actors[i]);
	for (int i = 0; i < ACTORS; i++)
		if (actors[i] != NULL)
			hub_join(actors[i], NULL);
	memset(actors, 0, sizeof actors);
}

void *
random_io_body(void *certificate)
{
	if (!wires_begin(certificate))
		return hub_fail(EINVAL, "%s", hub_tls_why());
	memset(places, 0, sizeof places);
	draw_weights();
	for (int i = 0; i < PLACES; i++)
		step_open(NULL);
	for (int i = 0; i < ACTORS; i++) {
		actors[i] = hub_spawn(act, NULL);
		if (actors[i] != NULL)
			hub_sim_may_kill(actors[i]);
	}
	hub_sleep((int64_t)below(3000) * HUB_MILLISECOND);
	end_actors();
	for (int i = 0; i < PLACES; i++)
		if (is_usable(places[i], 0) && is_usable(places[i], 1) && !places[i]->is_spoiled)
			finish(places[i]);
	wires_end();
	return wires_complaint[0] != '\0' ? hub_fail(EPROTO, "%s", wires_complaint) : NULL;
}
