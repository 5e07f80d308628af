/* MSG_WAITALL on a coroutine gives what the kernel gives a thread, in random programs: what is sent
 * in which pieces, with which descriptors and by whom is drawn; so is how it is received. */
#include "hub/patch/whole_priv.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"

#define PROGRAMS 120
#define PROGRAMS_BY_VALGRIND 20
#define PIECES_MAX 5
#define RECEIVES_MAX 8
#define SIZE_MAX_EACH 12

struct program {
	bool is_tcp;
	bool passes_credentials;
	unsigned pieces, receives;
	struct {
		unsigned size;
		bool has_descriptor, is_of_another;
	} piece[PIECES_MAX];
	struct {
		unsigned size;
		bool peeks, is_message, has_room;
	} receive[RECEIVES_MAX];
};

/* All that a program tells whoever receives. */
struct transcript {
	char text[2048];
	size_t length;
};

static unsigned count; /* of programs */
static struct program programs[PROGRAMS];
static struct transcript by_thread[PROGRAMS], by_coroutine[PROGRAMS];

static void
draw(struct program *program, unsigned *seed)
{
	program->is_tcp = rand_r(seed) % 4 == 0;
	program->passes_credentials = !program->is_tcp && rand_r(seed) % 2 == 0;
	program->pieces = 1 + (unsigned)rand_r(seed) % PIECES_MAX;
	program->receives = RECEIVES_MAX;
	for (unsigned i = 0; i < PIECES_MAX; i++) {
		program->piece[i].size = 1 + (unsigned)rand_r(seed) % SIZE_MAX_EACH;
		program->piece[i].has_descriptor = !program->is_tcp && rand_r(seed) % 3 == 0;
		program->piece[i].is_of_another = !program->is_tcp && rand_r(seed) % 3 == 0;
	}
	for (unsigned i = 0; i < RECEIVES_MAX; i++) {
		program->receive[i].size = 1 + (unsigned)rand_r(seed) % (2 * SIZE_MAX_EACH);
		program->receive[i].peeks = rand_r(seed) % 4 == 0;
		program->receive[i].is_message = rand_r(seed) % 3 != 0;
		program->receive[i].has_room = rand_r(seed) % 4 != 0;
	}
}

/* ---- sending ---- */

static void
send_piece(int fd, const char *bytes, unsigned size, bool has_descriptor)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec part = {(char *)(uintptr_t)bytes, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (has_descriptor) {
		struct cmsghdr *header = (struct cmsghdr *)(void *)control;

		message.msg_control = control;
		message.msg_controllen = sizeof control;
		*header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(header), &fd, sizeof fd);
	}
	if (sendmsg(fd, &message, MSG_NOSIGNAL) != (ssize_t)size)
		perror("sendmsg");
}

/* In a process of its own, so that it is the same for both who receive; some pieces are sent by a
 * child of it. */
static pid_t
start_sender(const struct program *program, int fd, int other)
{
	static const char bytes[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	const char *next = bytes;
	pid_t sender = fork();

	if (sender != 0)
		return sender;
	close(other);
	for (unsigned i = 0; i < program->pieces; i++) {
		unsigned size = program->piece[i].size;
		pid_t child = program->piece[i].is_of_another ? fork() : -1;

		if (child <= 0)
			send_piece(fd, next, size, program->piece[i].has_descriptor);
		if (child == 0)
			_exit(0);
		if (child > 0)
			waitpid(child, NULL, 0);
		next += size;
		nanosleep(&(struct timespec){0, 3000000}, NULL);
	}
	_exit(0);
}

/* ---- receiving ---- */

static void __attribute__((format(printf, 2, 3)))
say(struct transcript *transcript, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	transcript->length += (size_t)vsnprintf(transcript->text + transcript->length,
		sizeof transcript->text - transcript->length, format, arguments);
	va_end(arguments);
}

static void
say_control(struct transcript *transcript, struct msghdr *message)
{
	for (struct cmsghdr *each = CMSG_FIRSTHDR(message); each != NULL;
		each = CMSG_NXTHDR(message, each)) {
		int fd;

		say(transcript, " control %d of %zu", each->cmsg_type, (size_t)each->cmsg_len);
		if (each->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(&fd, CMSG_DATA(each), sizeof fd);
		close(fd);
	}
	say(transcript, " flags 0x%x", (unsigned)message->msg_flags);
}

static void
receive_all(const struct program *program, int fd, struct transcript *transcript)
{
	for (unsigned i = 0; i < program->receives; i++) {
		char buffer[2 * SIZE_MAX_EACH + 1] = "", control[256];
		unsigned size = program->receive[i].size;
		struct iovec parts[] = {{buffer, size / 2}, {buffer + size / 2, size - size / 2}};
		struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
		int flags = MSG_WAITALL | (program->receive[i].peeks ? MSG_PEEK : 0);
		ssize_t result;

		if (program->receive[i].has_room) {
			message.msg_control = control;
			message.msg_controllen = sizeof control;
		}
		result = program->receive[i].is_message ? recvmsg(fd, &message, flags)
							: recv(fd, buffer, size, flags);
		/* What a peek finds depends on how fast the sender is. */
		if (program->receive[i].peeks && !program->is_tcp) {
			if (program->receive[i].is_message)
				say_control(&(struct transcript){{0}, 0}, &message);
			continue;
		}
		say(transcript, "%zd %.*s", result, result > 0 ? (int)result : 0, buffer);
		if (program->receive[i].is_message && result > 0)
			say_control(transcript, &message);
		say(transcript, "\n");
	}
}

static bool
connect_pair(const struct program *program, int pair[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof address;
	int listener;

	if (!program->is_tcp)
		return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1) != 0 ||
		getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
		connect(pair[1], (struct sockaddr *)&address, size) != 0)
		return false;
	pair[0] = accept(listener, NULL, NULL);
	close(listener);
	return pair[0] != -1;
}

static void
run(const struct program *program, struct transcript *transcript)
{
	int pair[2], on = program->passes_credentials;
	pid_t sender;

	if (!connect_pair(program, pair)) {
		say(transcript, "no sockets: %s", strerror(errno));
		return;
	}
	if (!program->is_tcp)
		setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
	sender = start_sender(program, pair[1], pair[0]);
	close(pair[1]);
	receive_all(program, pair[0], transcript);
	waitpid(sender, NULL, 0);
	close(pair[0]);
}

static void *
run_in_thread(void *argument)
{
	for (unsigned i = 0; i < count; i++)
		run(&programs[i], &by_thread[i]);
	return argument;
}

static void *
run_one(void *argument)
{
	unsigned i = (unsigned)((struct program *)argument - programs);

	run(argument, &by_coroutine[i]);
	return argument;
}

static void *
run_in_coroutines(void *argument)
{
	for (unsigned i = 0; i < count; i++)
		run_one(&programs[i]);
	return argument;
}

TestSuite(whole, .timeout = 120);

Test(whole, is_received_as_by_a_thread)
{
	unsigned seed = (unsigned)time(NULL), first = seed;
	pthread_t thread;

	count = on_valgrind() ? PROGRAMS_BY_VALGRIND : PROGRAMS;
	for (unsigned i = 0; i < count; i++)
		draw(&programs[i], &seed);
	pthread_create(&thread, NULL, run_in_thread, NULL);
	pthread_join(thread, NULL);
	hub_patch_all();
	in_hub(run_in_coroutines, NULL);
	for (unsigned i = 0; i < count; i++)
		cr_expect_str_eq(by_coroutine[i].text, by_thread[i].text,
			"seed %u, program %u%s:\n%s\n--- but by a thread:\n%s", first, i,
			programs[i].passes_credentials ? " with credentials" : "",
			by_coroutine[i].text, by_thread[i].text);
}
