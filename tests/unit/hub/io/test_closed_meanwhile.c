/* Every call that takes a descriptor and may switch, generically: another coroutine closes the
 * descriptor meanwhile, and the number is at once somebody else's. The call fails, or returns what
 * it had done; the number's next owner neither gets nor loses a byte. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/scheduler_priv.h"
#include "tests/support/certificate.h"
#include "tests/support/in_hub.h"
#include "tests/unit/hub/io/meanwhile.h"

#define PATIENCE (20 * HUB_SECOND)

static const char heirloom[] = "0123456789";

static const char *const moment_names[] = {"waiting", "woken", "turn"};

struct caller {
	const struct call *call;
	struct scene *scene;
	struct hub_coroutine *coroutine;
	long result;
	int error;
};

static char bytes[2 * BIG];

/* ---- what happens ---- */

/* What has been sent so far. */
static ssize_t
take(struct scene *s)
{
	return s->kind == PIPE ? read(s->peer, bytes, sizeof bytes)
			       : recv(s->peer, bytes, sizeof bytes, MSG_DONTWAIT);
}

/* Lets what the call waits for happen. */
static void
let_happen(struct scene *s, enum state state)
{
	switch (state) {
	case IDLE:
	case HALF:
		hub_write(s->peer, "d", 1);
		break;
	case FULL:
	case ROOM:
		while (take(s) > 0)
			continue;
		break;
	case LISTENING:
		s->peer = meanwhile_connect(s->fd);
		break;
	case FRESH:
		send(s->peer, "\x16\x03\x01\x01", 4, 0);
		break;
	case CROWDED:
		break;
	}
}

/* Closes the descriptor, and gives its number to one that has something to lose. */
static void
bequeath(struct scene *s, enum state state)
{
	int pair[2] = {-1, -1};

	if (state == LISTENING)
		pair[0] = meanwhile_listen(8);
	else if (state == CROWDED)
		pair[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	else
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	if (!s->is_behind)
		hub_close(s->fd);
	dup3(pair[0], s->fd, O_CLOEXEC);
	close(pair[0]);
	if (!s->is_behind)
		hub_adopt(s->fd);
	s->heir_peer = state == LISTENING ? meanwhile_connect(s->fd) : pair[1];
	if (pair[1] != -1)
		send(s->heir_peer, heirloom, sizeof heirloom, 0);
}

static void complain(struct caller *caller, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void
complain(struct caller *caller, const char *format, ...)
{
	struct scene *s = caller->scene;
	size_t used = strlen(s->wrong);
	va_list arguments;

	used += (size_t)snprintf(s->wrong + used, sizeof s->wrong - used,
		"\n%s, %s%s, %d: ", caller->call->name, moment_names[s->moment],
		s->is_behind ? ", behind" : "", s->count);
	if (used >= sizeof s->wrong)
		return;
	va_start(arguments, format);
	vsnprintf(s->wrong + used, sizeof s->wrong - used, format, arguments);
	va_end(arguments);
}

static void
check_heir(struct caller *caller)
{
	struct scene *s = caller->scene;
	struct sockaddr_un address;
	socklen_t length = sizeof address;
	char got[32];
	ssize_t size;
	int client;

	switch (caller->call->state) {
	case LISTENING:
		client = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
		if (client == -1)
			complain(caller, "the heir has lost a connection");
		else
			close(client);
		break;
	case CROWDED:
		if (getpeername(s->fd, (struct sockaddr *)&address, &length) == 0)
			complain(caller, "the heir was connected");
		break;
	default:
		size = recv(s->fd, got, sizeof got, MSG_DONTWAIT);
		if (size != sizeof heirloom || memcmp(got, heirloom, sizeof heirloom) != 0)
			complain(caller, "the heir has received %zd bytes", size);
		size = recv(s->heir_peer, bytes, sizeof bytes, MSG_DONTWAIT);
		if (size != -1 || errno != EAGAIN)
			complain(caller, "the heir has sent %zd bytes", size);
	}
}

/* What the calls say was sent is what comes, and nothing is between it. */
static void
check_peer(struct caller *caller, long sent)
{
	struct scene *s = caller->scene;
	size_t got = 0;
	ssize_t more;

	while (got < sizeof bytes &&
		(more = hub_read(s->peer, bytes + got, sizeof bytes - got)) > 0)
		got += (size_t)more;
	if (got != (size_t)sent || memcmp(bytes, meanwhile_bytes, got < BIG ? got : BIG) != 0)
		complain(caller, "%ld bytes were sent, and %zu came", sent, got);
	if (more != 0)
		complain(caller, "the peer got no end, but %s", strerror(errno));
}

/* Of two that send, one may not have begun. */
static void
check_result(struct caller *caller, bool is_alone)
{
	const struct call *call = caller->call;

	int error = caller->error;

	if (!is_alone && call->result == PART && caller->result == -1 && error == EBADF)
		return;
	if (call->result == PART ? caller->result <= 0 || caller->result >= (long)BIG
				 : caller->result != call->result || error != call->error)
		complain(caller, "returned %ld (%s)", caller->result, strerror(caller->error));
}

/* ---- acting ---- */

static void *
run_call(void *argument)
{
	struct caller *caller = argument;

	if (caller->scene->moment == TURN) {
		hub_this->ticks = 1;
		hub_this->slice_started -= HUB_SECOND;
	}
	caller->result = caller->call->call(caller->scene);
	caller->error = errno;
	return NULL;
}

/* Whether it waits, for the descriptor itself, having taken what there was. */
static bool
waits(const struct caller *caller)
{
	const struct hub_coroutine *coroutine = caller->coroutine;
	int left = 0;

	if (caller->call->state == HALF)
		ioctl(caller->scene->fd, FIONREAD, &left);
	return left == 0 && coroutine->state == COROUTINE_WAITING &&
	       strcmp(coroutine->waits_for, "offload") != 0;
}

static bool
all_wait(const struct caller *callers, int count)
{
	while (count > 0 && waits(&callers[count - 1]))
		count--;
	return count == 0;
}

/* It has not run yet: whoever looks was in the queue before it. */
static bool
one_is_woken(const struct caller *callers, int count)
{
	while (count > 0 && callers[count - 1].coroutine->state == COROUTINE_WAITING)
		count--;
	return count > 0;
}

static void
wait_until_so(
	struct caller *callers, int count, bool (*is_so)(const struct caller *callers, int count))
{
	int64_t end = hub_now() + PATIENCE;

	while (!is_so(callers, count)) {
		if (hub_now() > end) {
			complain(&callers[0], "is not as far as it should be");
			return;
		}
		hub_sleep(0);
	}
}

static void
act(struct scene *s, const struct call *call, int count)
{
	struct caller callers[2];
	struct hub_timeout scope;
	long sent = 0;

	s->count = count;
	meanwhile_set_scene(s, call->state);
	for (int i = 0; i < count; i++) {
		callers[i] = (struct caller){.call = call, .scene = s, .result = -2};
		callers[i].coroutine = hub_spawn(run_call, &callers[i]);
	}
	if (s->moment == TURN) {
		hub_sleep(0);
	} else {
		wait_until_so(callers, count, all_wait);
		if (s->moment == WOKEN) {
			let_happen(s, call->state);
			wait_until_so(callers, count, one_is_woken);
		}
	}
	bequeath(s, call->state);
	for (int i = 0; i < count; i++) {
		hub_timeout_start(&scope, PATIENCE);
		if (hub_join(callers[i].coroutine, NULL) != 0)
			hub_kill(callers[i].coroutine);
		if (hub_timeout_stop(&scope)) {
			complain(&callers[i], "does not return");
			hub_join(callers[i].coroutine, NULL);
		}
		check_result(&callers[i], count == 1);
		sent += callers[i].result > 0 ? callers[i].result : 0;
	}
	check_heir(&callers[0]);
	/* What a layer had not sent yet is lost with a close behind its back. */
	if (call->state == ROOM && s->moment == WAITING && !s->is_behind)
		check_peer(&callers[0], sent);
	hub_close(s->fd);
	if (s->peer != -1)
		hub_close(s->peer);
	if (s->heir_peer != -1)
		close(s->heir_peer);
	while (s->crowd_count > 0)
		close(s->crowd[--s->crowd_count]);
	/* Whoever sends the rest of what a layer has kept is done, or its peer is gone. */
	while (hub_this->scheduled > 1)
		hub_sleep(HUB_MILLISECOND);
}

static bool
has(const struct call *call, enum moment moment)
{
	switch (moment) {
	case WOKEN:
		return call->state != CROWDED;
	case TURN:
		return call->has_turn;
	default:
		return true;
	}
}

static void
act_all(struct scene *s, enum kinds kind)
{
	s->kind = kind;
	for (const struct call *call = meanwhile_calls; call->name != NULL; call++)
		for (int way = 0; way < MOMENTS * 2; way++) {
			s->moment = way / 2;
			s->is_behind = way % 2 == 1;
			if (!(call->kinds & kind) || !has(call, s->moment))
				continue;
			act(s, call, 1);
			if (call->is_for_two)
				act(s, call, 2);
		}
}

static void *
plain_body(void *argument)
{
	act_all(argument, PLAIN);
	return NULL;
}

static void *
tls_body(void *argument)
{
	act_all(argument, TLS);
	return NULL;
}

static void *
pipe_body(void *argument)
{
	act_all(argument, PIPE);
	return NULL;
}

static void
in_scene(hub_fn *body)
{
	static struct scene scene;
	static struct certificate certificate;

	cr_assert(certificate_make(&certificate));
	scene.server = hub_tls_server_new(certificate.file, certificate.key);
	scene.client = hub_tls_client_new(certificate.file);
	cr_assert(scene.server != NULL && scene.client != NULL, "%s", hub_tls_why());
	memset(meanwhile_bytes, 'p', sizeof meanwhile_bytes);
	scene.file = memfd_create("big", MFD_CLOEXEC);
	cr_assert_eq(write(scene.file, meanwhile_bytes, sizeof meanwhile_bytes),
		(ssize_t)sizeof meanwhile_bytes);
	in_hub(body, &scene);
	close(scene.file);
	hub_tls_free(scene.server);
	hub_tls_free(scene.client);
	certificate_clean(&certificate);
	cr_assert_str_empty(scene.wrong, "%s", scene.wrong);
}

TestSuite(closed_meanwhile, .timeout = 240);

Test(closed_meanwhile, plain)
{
	in_scene(plain_body);
}

Test(closed_meanwhile, tls)
{
	in_scene(tls_body);
}

Test(closed_meanwhile, pipes)
{
	in_scene(pipe_body);
}
