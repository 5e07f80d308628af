/* Moving bytes in the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/unit/hub/patch/scenes.h"
#include "tests/unit/hub/patch/thing.h"

/* ---- pipes: something is moved into, or out of, an empty or a full one ---- */

static void
make_pipes(struct scene *s, bool is_full)
{
	int other[2];

	pipe(s->ends);
	pipe(other);
	s->room = other[0];
	s->extra = other[1];
	if (is_full) {
		fcntl(other[1], F_SETFL, O_NONBLOCK);
		while (write(other[1], s->buffer, 4096) > 0)
			continue;
		fcntl(other[1], F_SETFL, 0);
	}
}

void
scenes_make_pipes(struct scene *s)
{
	make_pipes(s, false);
}

void
scenes_write_to_pipe(struct scene *s)
{
	write(s->ends[1], "hello", 5);
}

void
scenes_splice(struct scene *s)
{
	SCENE_CALL(s, splice(s->ends[0], NULL, s->extra, NULL, 100, 0));
}

void
scenes_tee(struct scene *s)
{
	SCENE_CALL(s, tee(s->ends[0], s->extra, 100, 0));
}

void
scenes_make_full_pipe(struct scene *s)
{
	make_pipes(s, true);
}

void
scenes_empty_pipe(struct scene *s)
{
	static char sink[1 << 16];

	read(s->room, sink, sizeof sink);
}

void
scenes_vmsplice(struct scene *s)
{
	struct iovec part = {s->buffer, 5};

	SCENE_CALL(s, vmsplice(s->extra, &part, 1, 0));
}

void
scenes_vdprintf(struct scene *s)
{
	SCENE_CALL(s, dprintf(s->extra, "%s %d", "hello", 7));
}

void
scenes_copy_file_range(struct scene *s)
{
	s->ends[0] = open("/proc/self/exe", O_RDONLY);
	s->extra = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	SCENE_CALL(s, copy_file_range(s->ends[0], NULL, s->extra, NULL, 5, 0));
	/* From /proc's to another file system there is none on some kernels. */
	if (s->result == -1 && (s->error == EXDEV || s->error == EINVAL)) {
		s->result = 5;
		s->error = SCENE_UNTOUCHED;
	}
}

/* ---- sockets ---- */

struct moved {
	ssize_t in, out, wrong;
	int error;
	char got[6];
};

static void *
write_late(void *argument)
{
	hub_sleep(5 * HUB_MILLISECOND);
	write(*(int *)argument, "hello", 5);
	return NULL;
}

static void *
read_late(void *argument)
{
	static char sink[1 << 18];

	hub_sleep(5 * HUB_MILLISECOND);
	recv(*(int *)argument, sink, sizeof sink, MSG_DONTWAIT);
	return NULL;
}

static void *
move(void *argument)
{
	static char block[1 << 16];
	struct moved *moved = argument;
	int pair[2], ends[2];
	struct hub_coroutine *other;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	pipe(ends);
	moved->wrong = splice(pair[0], NULL, pair[1], NULL, 5, 0);
	moved->error = errno;
	other = hub_spawn(write_late, &pair[1]);
	moved->in = splice(pair[0], NULL, ends[1], NULL, 100, 0);
	hub_join(other, NULL);
	while (send(pair[0], block, sizeof block, MSG_DONTWAIT) > 0)
		continue;
	other = hub_spawn(read_late, &pair[1]);
	moved->out = splice(ends[0], NULL, pair[0], NULL, 100, 0);
	hub_join(other, NULL);
	for (int i = 0; i < 2; i++) {
		close(pair[i]);
		close(ends[i]);
	}
	return NULL;
}

/* ---- while one waits for the one number, the other becomes another's ---- */

struct replaced {
	int in[2], out[2];
	int error;
	ssize_t result;
	bool is_tee;
};

static void *
move_later(void *argument)
{
	struct replaced *r = argument;

	r->result = r->is_tee ? tee(r->in[0], r->out[1], 5, 0)
			      : splice(r->in[0], NULL, r->out[1], NULL, 5, 0);
	r->error = errno;
	return NULL;
}

static void *
replace_other(void *argument)
{
	struct replaced *r = argument;
	struct hub_coroutine *mover;
	int other[2];

	pipe(r->in);
	pipe(r->out);
	pipe(other);
	mover = hub_spawn(move_later, r);
	until_it_waits(mover);
	close(r->out[1]);
	dup2(other[1], r->out[1]);
	write(r->in[1], "hello", 5);
	hub_join(mover, NULL);
	for (int i = 0; i < 2; i++) {
		close(r->in[i]);
		close(r->out[i]);
		close(other[i]);
	}
	return NULL;
}

TestSuite(splice, .timeout = 60);

Test(splice, moves_nothing_into_a_number_that_became_anothers)
{
	hub_patch_all();
	for (int i = 0; i < 2; i++) {
		struct replaced replaced = {.is_tee = i == 1};

		in_hub(replace_other, &replaced);
		cr_expect(replaced.result == -1 && replaced.error == EBADF, "%d: %zd %s", i,
			replaced.result, strerror(replaced.error));
	}
}

/* ---- a socket that does not wait, and a pipe that does ---- */

static void *
move_by_socket(void *argument)
{
	struct moved *moved = argument;
	int pair[2], ends[2];
	struct hub_coroutine *other;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	pipe(ends);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	other = hub_spawn(write_late, &ends[1]);
	moved->out = splice(ends[0], NULL, pair[0], NULL, 100, 0);
	hub_join(other, NULL);
	moved->in = splice(pair[0], NULL, ends[1], NULL, 100, 0);
	moved->error = errno;
	for (int i = 0; i < 2; i++) {
		close(pair[i]);
		close(ends[i]);
	}
	return NULL;
}

Test(splice, waits_for_a_pipe_where_the_socket_does_not_wait)
{
	struct moved moved = {0};

	hub_patch_all();
	in_hub(move_by_socket, &moved);
	cr_expect_eq(moved.out, 5);
	cr_expect(
		moved.in == -1 && moved.error == EAGAIN, "%zd %s", moved.in, strerror(moved.error));
}

/* The kernel looks at the pipe first. */
static void *
move_to_full_socket(void *argument)
{
	static const char block[4096];
	struct moved *moved = argument;
	int pair[2], ends[2], got = 0;
	struct hub_coroutine *other;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	pipe(ends);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	while (write(pair[0], block, sizeof block) > 0)
		continue;
	other = hub_spawn(write_late, &ends[1]);
	moved->out = splice(ends[0], NULL, pair[0], NULL, 100, 0);
	moved->error = errno;
	ioctl(ends[0], FIONREAD, &got);
	moved->in = got;
	hub_join(other, NULL);
	for (int i = 0; i < 2; i++) {
		close(pair[i]);
		close(ends[i]);
	}
	return NULL;
}

Test(splice, waits_for_the_pipe_before_a_full_socket)
{
	struct moved moved = {0};

	hub_patch_all();
	in_hub(move_to_full_socket, &moved);
	cr_expect(moved.out == -1 && moved.error == EAGAIN, "%zd %s", moved.out,
		strerror(moved.error));
	cr_expect_eq(moved.in, 5);
}

Test(splice, waits_for_sockets_too)
{
	struct moved moved = {0};

	hub_patch_all();
	in_hub(move, &moved);
	cr_expect(moved.wrong == -1 && moved.error == EINVAL, "%zd %s", moved.wrong,
		strerror(moved.error));
	cr_expect_eq(moved.in, 5);
	cr_expect_eq(moved.out, 5);
}

/* ---- who waits for what ---- */

static void *
read_all_late(void *argument)
{
	static char sink[1 << 16];
	int fd = *(int *)argument;

	hub_sleep(5 * HUB_MILLISECOND);
	for (int i = 0; i < 1000; i++)
		while (recv(fd, sink, sizeof sink, MSG_DONTWAIT) > 0)
			continue;
	return NULL;
}

/* A pipe that does not wait, by the call's flag or by its own, and a socket that does. */
static ssize_t
move_in(int pipe_flags, unsigned flags)
{
	struct thing tcp = thing_make(TCP);
	struct hub_coroutine *other = hub_spawn(write_late, &tcp.peer);
	ssize_t moved;
	int ends[2];

	pipe2(ends, pipe_flags);
	moved = splice(tcp.fd, NULL, ends[1], NULL, 100, flags);
	hub_join(other, NULL);
	close(tcp.fd);
	close(tcp.peer);
	close(ends[0]);
	close(ends[1]);
	return moved;
}

static ssize_t
move_out(void)
{
	struct thing tcp = thing_make(TCP);
	struct hub_coroutine *other;
	ssize_t moved;
	int ends[2];

	pipe(ends);
	write(ends[1], "hello", 5);
	thing_fill(&tcp);
	other = hub_spawn(read_all_late, &tcp.peer);
	moved = splice(ends[0], NULL, tcp.fd, NULL, 100, SPLICE_F_NONBLOCK);
	hub_join(other, NULL);
	close(tcp.fd);
	close(tcp.peer);
	close(ends[0]);
	close(ends[1]);
	return moved;
}

#define REFUSALS 8

struct waits {
	ssize_t moved[3];
	int errors[REFUSALS];
};

static void *
wait_for_sockets(void *argument)
{
	struct waits *waits = argument;
	int ends[2], others[2], pair[2];
	int journal = open("/tmp", O_TMPFILE | O_WRONLY | O_APPEND, 0600);
	off_t offset = 0;

	waits->moved[0] = move_in(0, SPLICE_F_NONBLOCK);
	waits->moved[1] = move_in(O_NONBLOCK, 0);
	waits->moved[2] = move_out();
	pipe(ends);
	pipe2(others, O_NONBLOCK);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
#define REFUSED(number, call) waits->errors[number] = (call) == -1 ? errno : 0
	REFUSED(0, tee(ends[0], others[1], 100, 0));
	REFUSED(1, splice(ends[0], NULL, others[1], NULL, 100, 0));
	REFUSED(2, splice(pair[0], NULL, ends[1], NULL, 100, SPLICE_F_NONBLOCK));
	REFUSED(3, splice(ends[0], NULL, ends[1], NULL, 100, 0));
	REFUSED(4, splice(ends[1], NULL, pair[0], NULL, 100, 0));
	REFUSED(5, splice(ends[0], &offset, pair[0], NULL, 100, 0));
	REFUSED(6, splice(pair[0], &offset, ends[1], NULL, 100, 0));
	REFUSED(7, splice(ends[0], NULL, journal, NULL, 100, 0));
#undef REFUSED
	close(journal);
	for (int i = 0; i < 2; i++) {
		close(ends[i]);
		close(others[i]);
		close(pair[i]);
	}
	return NULL;
}

Test(splice, waits_for_what_the_kernel_waits_for)
{
	static const int expected[REFUSALS] = {
		EAGAIN, EAGAIN, EAGAIN, EINVAL, EBADF, ESPIPE, EINVAL, EINVAL};
	struct waits waits = {0};

	hub_patch_all();
	in_hub(wait_for_sockets, &waits);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(waits.moved[i], 5, "%d: %zd", i, waits.moved[i]);
	for (int i = 0; i < REFUSALS; i++)
		cr_expect_eq(waits.errors[i], expected[i], "%d: %s", i, strerror(waits.errors[i]));
}
