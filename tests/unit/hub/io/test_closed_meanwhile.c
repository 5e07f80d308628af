/* Every call that takes a descriptor and may switch, generically: another coroutine closes the
 * descriptor meanwhile, and the number is at once somebody else's. The call fails, or returns what
 * it had done; the number's next owner neither gets nor loses a byte. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hub/scheduler_priv.h"
#include "tests/support/certificate.h"
#include "tests/support/in_hub.h"

#define BIG ((size_t)400 * 1000)
#define PATIENCE (20 * HUB_SECOND)

static const char heirloom[] = "0123456789";

/* What the descriptor is when the call is made. */
enum state {
	IDLE,      /* nothing to receive */
	HALF,      /* three bytes of those that are asked for */
	FULL,      /* no room for a byte */
	ROOM,      /* for a part of what is sent */
	LISTENING, /* nobody comes */
	CROWDED,   /* a Unix socket, about to connect to one whose backlog is full */
	FRESH,     /* a connected socket before its handshake */
};

/* When it is closed. */
enum moment {
	WAITING, /* while the call waits */
	WOKEN,   /* when what it waits for has happened, and it has not run yet */
	TURN,    /* while it lets others run before it begins */
	MOMENTS
};

static const char *const moment_names[] = {"waiting", "woken", "turn"};

/* What kind of descriptor it is. A pipe is told from the number's next owner by the set of kinds:
 * see identity.c. */
enum kinds { PLAIN = 1, TLS = 2, PIPE = 4, SOCKETS = PLAIN | TLS, ALL = SOCKETS | PIPE };

struct scene {
	struct hub_tls *server, *client;
	enum kinds kind;
	enum moment moment;
	bool is_behind; /* closed without the hub's knowledge, as dup2(2) does it */
	int count;      /* of callers */
	int fd, peer;
	int heir_peer;
	int file;
	struct sockaddr_un crowded;
	socklen_t crowded_length;
	int crowd[8];
	int crowd_count;
	char wrong[8192];
};

struct caller {
	const struct call *call;
	struct scene *scene;
	struct hub_coroutine *coroutine;
	long result;
	int error;
};

static char big[BIG];
static char bytes[2 * BIG];

/* ---- calls ---- */

static long
call_recv(struct scene *s)
{
	char byte;

	return hub_recv(s->fd, &byte, 1, 0);
}

static long
call_recv_all(struct scene *s)
{
	char ten[10];

	return hub_recv(s->fd, ten, sizeof ten, MSG_WAITALL);
}

static long
call_recvfrom(struct scene *s)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	char byte;

	return hub_recvfrom(s->fd, &byte, 1, 0, (struct sockaddr *)&address, &length);
}

static long
call_recvmsg(struct scene *s)
{
	char byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	return hub_recvmsg(s->fd, &message, 0);
}

static long
call_read(struct scene *s)
{
	char byte;

	return hub_read(s->fd, &byte, 1);
}

static long
call_readv(struct scene *s)
{
	char two[2];
	struct iovec parts[] = {{two, 1}, {two + 1, 1}};

	return hub_readv(s->fd, parts, 2);
}

static long
call_send(struct scene *s)
{
	return hub_send(s->fd, big, BIG, 0);
}

static long
call_sendto(struct scene *s)
{
	return hub_sendto(s->fd, big, BIG, 0, NULL, 0);
}

/* Pieces of which many fit, and all do not. */
static struct msghdr
pieces(struct iovec parts[10])
{
	for (int i = 0; i < 10; i++)
		parts[i] = (struct iovec){big + (size_t)i * (BIG / 10), BIG / 10};
	return (struct msghdr){.msg_iov = parts, .msg_iovlen = 10};
}

static long
call_sendmsg(struct scene *s)
{
	struct iovec parts[10];
	struct msghdr message = pieces(parts);

	return hub_sendmsg(s->fd, &message, 0);
}

static long
call_write(struct scene *s)
{
	return hub_write(s->fd, big, BIG);
}

static long
call_writev(struct scene *s)
{
	struct iovec parts[10];

	pieces(parts);
	return hub_writev(s->fd, parts, 10);
}

static long
call_sendfile(struct scene *s)
{
	off_t offset = 0;

	return hub_sendfile(s->fd, s->file, &offset, BIG);
}

static long
call_sendfile_on(struct scene *s)
{
	lseek(s->file, 0, SEEK_SET);
	return hub_sendfile(s->fd, s->file, NULL, BIG);
}

static long
call_shutdown(struct scene *s)
{
	return hub_shutdown(s->fd, SHUT_WR);
}

static long
call_wait_in(struct scene *s)
{
	return hub_wait_fd(s->fd, POLLIN);
}

static long
call_wait_out(struct scene *s)
{
	return hub_wait_fd(s->fd, POLLOUT);
}

static long
call_await(struct scene *s)
{
	return hub_await_fd(s->fd, POLLIN, HUB_FOREVER);
}

static long
poll_for(struct scene *s, short events)
{
	struct pollfd fds[] = {{s->fd, events, 0}, {-1, 0, 0}};
	int ready = hub_poll(fds, 2, -1);

	errno = fds[0].revents == POLLNVAL ? EBADF : 0;
	return ready;
}

static long
call_poll_in(struct scene *s)
{
	return poll_for(s, POLLIN);
}

static long
call_poll_out(struct scene *s)
{
	return poll_for(s, POLLOUT);
}

static long
call_select(struct scene *s)
{
	struct hub_event never = {0};
	struct hub_case cases[] = {hub_case_event(&never), hub_case_fd(s->fd, POLLIN)};
	int index = hub_select(cases, 2, HUB_FOREVER);

	errno = index >= 0 ? cases[index].error : errno;
	return index;
}

static long
call_accept(struct scene *s)
{
	return hub_accept(s->fd, NULL, NULL);
}

static long
call_connect(struct scene *s)
{
	return hub_connect(s->fd, (struct sockaddr *)&s->crowded, s->crowded_length);
}

static long
call_tls_accept(struct scene *s)
{
	return hub_tls_accept(s->fd, s->server);
}

static long
call_tls_connect(struct scene *s)
{
	return hub_tls_connect(s->fd, s->client, NULL);
}

/* A result above 0 of a call that sends or receives: some, and not all. */
enum { PART = 1000 };

static const struct call {
	const char *name;
	long (*call)(struct scene *s);
	enum state state;
	enum kinds kinds;
	bool has_turn;
	bool is_for_two; /* several may wait in it at once */
	long result;
	int error;
} calls[] = {
	{"recv", call_recv, IDLE, SOCKETS, true, true, -1, EBADF},
	{"recv all, idle", call_recv_all, IDLE, SOCKETS, true, true, -1, EBADF},
	{"recv all, half", call_recv_all, HALF, SOCKETS, false, false, PART, 0},
	{"recvfrom", call_recvfrom, IDLE, SOCKETS, true, true, -1, EBADF},
	{"recvmsg", call_recvmsg, IDLE, SOCKETS, true, true, -1, EBADF},
	{"read", call_read, IDLE, ALL, true, true, -1, EBADF},
	{"readv", call_readv, IDLE, ALL, true, true, -1, EBADF},
	{"send, full", call_send, FULL, SOCKETS, true, true, -1, EBADF},
	{"sendto, full", call_sendto, FULL, SOCKETS, true, true, -1, EBADF},
	{"sendmsg, full", call_sendmsg, FULL, SOCKETS, true, true, -1, EBADF},
	{"write, full", call_write, FULL, ALL, true, true, -1, EBADF},
	{"writev, full", call_writev, FULL, ALL, true, true, -1, EBADF},
	{"sendfile, full", call_sendfile, FULL, SOCKETS, false, true, -1, EBADF},
	{"sendfile on, full", call_sendfile_on, FULL, SOCKETS, false, false, -1, EBADF},
	{"send", call_send, ROOM, SOCKETS, false, true, PART, 0},
	{"sendto", call_sendto, ROOM, SOCKETS, false, true, PART, 0},
	{"sendmsg", call_sendmsg, ROOM, SOCKETS, false, true, PART, 0},
	{"write", call_write, ROOM, ALL, false, true, PART, 0},
	{"writev", call_writev, ROOM, ALL, false, true, PART, 0},
	{"sendfile", call_sendfile, ROOM, SOCKETS, false, true, PART, 0},
	{"sendfile on", call_sendfile_on, ROOM, SOCKETS, false, false, PART, 0},
	{"shutdown", call_shutdown, FULL, TLS, false, true, -1, EBADF},
	{"wait to receive", call_wait_in, IDLE, ALL, true, true, -1, EBADF},
	{"wait to send", call_wait_out, FULL, ALL, true, true, -1, EBADF},
	{"await", call_await, IDLE, ALL, false, true, -1, EBADF},
	{"poll to receive", call_poll_in, IDLE, ALL, true, true, 1, EBADF},
	{"poll to send", call_poll_out, FULL, ALL, true, true, 1, EBADF},
	{"select", call_select, IDLE, ALL, true, true, 1, EBADF},
	{"accept", call_accept, LISTENING, PLAIN, true, true, -1, EBADF},
	{"connect", call_connect, CROWDED, PLAIN, false, false, -1, EBADF},
	{"tls accept", call_tls_accept, FRESH, PLAIN, false, false, -1, EBADF},
	{"tls connect", call_tls_connect, FRESH, PLAIN, false, false, -1, EBADF},
};

enum { CALLS = sizeof calls / sizeof calls[0] };

/* ---- the scene ---- */

static int
listen_somewhere(int backlog)
{
	struct sockaddr_un anywhere = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* Without a name it is given one that nobody has. */
	bind(fd, (struct sockaddr *)&anywhere, sizeof anywhere.sun_family);
	listen(fd, backlog);
	return fd;
}

static int
connect_to(int listener)
{
	struct sockaddr_un address;
	socklen_t length = sizeof address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	getsockname(listener, (struct sockaddr *)&address, &length);
	if (connect(fd, (struct sockaddr *)&address, length) == 0)
		return fd;
	close(fd);
	return -1;
}

static void *
accept_side(void *argument)
{
	struct scene *s = argument;

	return (void *)(intptr_t)hub_tls_accept(s->fd, s->server);
}

static bool
is_sent_to(enum state state)
{
	return state == FULL || state == ROOM;
}

static void
make_pipe(struct scene *s, enum state state)
{
	int ends[2];

	pipe2(ends, O_CLOEXEC | O_NONBLOCK);
	s->fd = ends[is_sent_to(state)];
	s->peer = ends[!is_sent_to(state)];
}

static void
make_pair(struct scene *s)
{
	struct hub_coroutine *server;
	int pair[2], size = 20000;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	s->fd = pair[0];
	s->peer = pair[1];
	setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	if (s->kind != TLS)
		return;
	server = hub_spawn(accept_side, s);
	hub_tls_connect(s->peer, s->client, NULL);
	hub_join(server, NULL);
}

static void
make_crowd(struct scene *s)
{
	int listener = listen_somewhere(0);

	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	s->peer = listener;
	s->crowded_length = sizeof s->crowded;
	getsockname(listener, (struct sockaddr *)&s->crowded, &s->crowded_length);
	s->crowd_count = 0;
	while (s->crowd_count < 8 && (s->crowd[s->crowd_count] = connect_to(listener)) != -1)
		s->crowd_count++;
}

static void
set_scene(struct scene *s, enum state state)
{
	if (state == CROWDED) {
		make_crowd(s);
	} else if (state == LISTENING) {
		s->fd = listen_somewhere(8);
		s->peer = -1;
	} else if (s->kind == PIPE) {
		make_pipe(s, state);
	} else {
		make_pair(s);
	}
	if (state == HALF)
		hub_send(s->peer, "abc", 3, 0);
	while (state == FULL && (s->kind == PIPE ? write(s->fd, big, BIG)
						 : hub_send(s->fd, big, 1000, MSG_DONTWAIT)) > 0)
		continue;
}

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
		s->peer = connect_to(s->fd);
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
		pair[0] = listen_somewhere(8);
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
	s->heir_peer = state == LISTENING ? connect_to(s->fd) : pair[1];
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
	if (got != (size_t)sent || memcmp(bytes, big, got < BIG ? got : BIG) != 0)
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
	set_scene(s, call->state);
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
	for (int i = 0; i < CALLS; i++)
		for (int way = 0; way < MOMENTS * 2; way++) {
			s->moment = way / 2;
			s->is_behind = way % 2 == 1;
			if (!(calls[i].kinds & kind) || !has(&calls[i], s->moment))
				continue;
			act(s, &calls[i], 1);
			if (calls[i].is_for_two)
				act(s, &calls[i], 2);
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
	memset(big, 'p', sizeof big);
	scene.file = memfd_create("big", MFD_CLOEXEC);
	cr_assert_eq(write(scene.file, big, sizeof big), (ssize_t)sizeof big);
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

/* ---- files: their calls are made by other threads ---- */

struct files {
	int number;
	int one, other;
	long results[4];
	char texts[2][8];
	off_t offset;
	int errors[4];
};

static void *
write_one(void *argument)
{
	struct files *files = argument;

	files->results[0] = hub_write(files->number, "written", 7);
	return NULL;
}

static void *
write_at(void *argument)
{
	struct files *files = argument;

	files->results[1] = hub_pwrite(files->number, "W", 1, 0);
	return NULL;
}

static void *
sync_one(void *argument)
{
	struct files *files = argument;

	files->results[2] = hub_fsync(files->number);
	return NULL;
}

static void *
files_body(void *argument)
{
	struct files *files = argument;
	hub_fn *const bodies[] = {write_one, write_at, sync_one};
	struct hub_coroutine *coroutine;

	for (int i = 0; i < 3; i++) {
		files->number = dup(files->one);
		coroutine = hub_spawn(bodies[i], files);
		while (coroutine->state == COROUTINE_READY)
			hub_sleep(0);
		hub_close(files->number);
		dup2(files->other, files->number);
		hub_join(coroutine, NULL);
		hub_close(files->number);
	}
	return NULL;
}

Test(closed_meanwhile, files)
{
	struct files files = {.one = memfd_create("one", 0), .other = memfd_create("other", 0)};

	in_hub(files_body, &files);
	cr_assert_eq(files.results[0], 7);
	cr_assert_eq(files.results[1], 1);
	cr_assert_eq(files.results[2], 0);
	cr_assert_eq(pread(files.one, files.texts[0], 8, 0), 7);
	cr_assert_str_eq(files.texts[0], "Written");
	cr_assert_eq(pread(files.other, files.texts[1], 8, 0), 0);
	close(files.one);
	close(files.other);
}
