/* Child processes. A struct hub_process owns the caller's ends of the pipes, the pidfd, and what
 * hub_process_communicate has read and not yet written; so an interrupted call loses no bytes. A
 * child that has not been waited for is killed and reaped when its struct is freed: none becomes a
 * zombie. */
#include "hub/io/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/base/room.h"
#include "hub/io/ended_priv.h"
#include "hub/io/fd_priv.h"
#include "hub/io/poll.h"
#include "hub/io/sigpipe_priv.h"
#include "hub/scheduler_priv.h"

#define READ_SIZE 65536
#define READS_MOST 16

/* The bytes read from one pipe. */
struct output {
	char *bytes;
	size_t length;
	size_t room;
};

struct hub_process {
	pid_t pid;
	int pidfd;
	bool has_ended;
	int status;
	int fds[3]; /* the caller's ends, or -1 */
	struct output outputs[3];
	char *input; /* owned; the bytes that communicate writes */
	size_t input_length;
	size_t input_done;
	bool is_begun; /* hub_process_communicate was called, and has copied its input */
};

/* ---- starting ---- */

/* Moves an fd above the three standard ones. Returns the new fd, or -1. */
static int
above_standard(int fd)
{
	int moved;

	if (fd > 2)
		return fd;
	moved = kernel_fcntl(fd, F_DUPFD_CLOEXEC, 3);
	kernel_close(fd);
	return moved;
}

/* Makes the pipe of a stream: *ours is the caller's end, *theirs the process's. Returns 0 or an
 * errno. */
static int
make_pipe(int stream, int *ours, int *theirs)
{
	int ends[2];

	if (kernel_pipe2(ends, O_CLOEXEC) != 0)
		return errno;
	ends[0] = above_standard(ends[0]);
	ends[1] = above_standard(ends[1]);
	if (ends[0] == -1 || ends[1] == -1) {
		kernel_close(ends[0]);
		kernel_close(ends[1]);
		return EMFILE;
	}
	*ours = ends[stream == 0 ? 1 : 0];
	*theirs = ends[stream == 0 ? 0 : 1];
	return 0;
}

/* Prepares the process's end of a stream; *theirs becomes an fd to close after the start, or stays
 * -1. */
static int
prepare_stream(struct hub_process *process, int stream, enum hub_process_stream kind,
	posix_spawn_file_actions_t *actions, int *theirs)
{
	int error = 0;

	switch (kind) {
	case HUB_PROCESS_INHERIT:
		return 0;
	case HUB_PROCESS_NULL:
		return posix_spawn_file_actions_addopen(
			actions, stream, "/dev/null", stream == 0 ? O_RDONLY : O_WRONLY, 0);
	case HUB_PROCESS_OUTPUT:
		return stream == 2 ? posix_spawn_file_actions_adddup2(actions, 1, 2) : EINVAL;
	case HUB_PROCESS_PIPE:
		error = make_pipe(stream, &process->fds[stream], theirs);
		return error != 0 ? error
				  : posix_spawn_file_actions_adddup2(actions, *theirs, stream);
	default:
		return EINVAL;
	}
}

/* Starts the program. Returns 0 or an errno. */
static int
spawn(struct hub_process *process, char *const *arguments,
	const struct hub_process_options *options, posix_spawn_file_actions_t *actions,
	posix_spawnattr_t *attributes)
{
	int theirs[3] = {-1, -1, -1}, error = 0;
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	if (options->new_session)
		flags |= POSIX_SPAWN_SETSID;
	posix_spawnattr_setflags(attributes, flags);
	for (int stream = 0; stream < 3 && error == 0; stream++)
		error = prepare_stream(
			process, stream, options->streams[stream], actions, &theirs[stream]);
	if (error == 0)
		error = posix_spawn_file_actions_addclosefrom_np(actions, 3);
	if (error == 0 && options->directory != NULL)
		error = posix_spawn_file_actions_addchdir_np(actions, options->directory);
	if (error == 0)
		error = kernel_posix_spawnp(&process->pid, arguments[0], actions, attributes,
			arguments, options->environment != NULL ? options->environment : environ);
	for (int stream = 0; stream < 3; stream++)
		if (theirs[stream] != -1)
			kernel_close(theirs[stream]);
	return error;
}

static void
close_all(struct hub_process *process)
{
	for (int stream = 0; stream < 3; stream++)
		hub_process_close_stream(process, stream);
	if (process->pidfd != -1)
		hub_close(process->pidfd);
	process->pidfd = -1;
}

/* A process without a pidfd, because of the limit of open files, cannot be waited for: kill it. */
static int
watch(struct hub_process *process)
{
	int error;

	CHECK(process->pid > 0);
	process->pidfd = kernel_pidfd_open(process->pid, 0);
	if (process->pidfd == -1 ? ended_by_looking(errno)
				 : fd_enter_watched(hub_this, process->pidfd) != NULL)
		return 0;
	error = errno;
	kernel_kill(process->pid, SIGKILL);
	kernel_waitid(P_PID, (id_t)process->pid, NULL, WEXITED);
	process->has_ended = true;
	return error;
}

struct hub_process *
hub_process_start(char *const *arguments, const struct hub_process_options *options)
{
	struct hub_process *process;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	if (hub_this == NULL || hub_this->loop == NULL) {
		errno = EPERM;
		return NULL;
	}
	options = options != NULL ? options : &(const struct hub_process_options){0};
	process = ROOM_IS_EMPTY(options) ? calloc(1, sizeof *process) : NULL;
	if (process == NULL)
		return NULL;
	process->pidfd = process->fds[0] = process->fds[1] = process->fds[2] = -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	error = spawn(process, arguments, options, &actions, &attributes);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (error == 0)
		error = watch(process);
	for (int stream = 0; stream < 3 && error == 0; stream++)
		if (process->fds[stream] != -1 && hub_adopt(process->fds[stream]) != 0)
			error = errno;
	if (error == 0)
		return process;
	if (process->pid == 0)
		process->has_ended = true;
	hub_process_free(process);
	errno = error;
	return NULL;
}

pid_t
hub_process_pid(const struct hub_process *process)
{
	return process->pid;
}

int
hub_process_fd(const struct hub_process *process, int stream)
{
	return stream >= 0 && stream < 3 ? process->fds[stream] : -1;
}

void
hub_process_close_stream(struct hub_process *process, int stream)
{
	if (stream < 0 || stream > 2 || process->fds[stream] == -1)
		return;
	hub_close(process->fds[stream]);
	process->fds[stream] = -1;
}

/* By pid where pidfds are refused: the pid stays the process's own until it is reaped. */
static int
send_signal(const struct hub_process *process, int signal)
{
	CHECK(process->pid > 0 && !process->has_ended);
	if (process->pidfd != -1 && kernel_pidfd_send_signal(process->pidfd, signal, NULL, 0) == 0)
		return 0;
	return process->pidfd == -1 || ended_by_looking(errno) ? kernel_kill(process->pid, signal)
							       : -1;
}

int
hub_process_signal(struct hub_process *process, int signal)
{
	if (!process->has_ended)
		return send_signal(process, signal);
	return failed(ESRCH);
}

/* ---- waiting ---- */

int
hub_process_wait(struct hub_process *process, int *status)
{
	while (!process->has_ended) {
		int reaped = ended_reap(process->pidfd, process->pid, &process->status);

		if (reaped < 0)
			return -1;
		process->has_ended = reaped > 0;
		if (reaped == 0 && ended_wait(process->pidfd) < 0)
			return -1;
	}
	if (status != NULL)
		*status = process->status;
	return 0;
}

pid_t
hub_waitpid(pid_t pid, int *status)
{
	int pidfd, reaped, error, result = 0;

	if (hub_enter() == NULL)
		return hub_fail_in_turn();
	pidfd = kernel_pidfd_open(pid, 0);
	if (pidfd == -1 && !ended_by_looking(errno)) {
		if (errno == ESRCH || errno == EINVAL)
			errno = ECHILD;
		return -1;
	}
	if (pidfd != -1 && fd_enter_watched(hub_this, pidfd) == NULL) {
		kernel_close(pidfd);
		return -1;
	}
	while ((reaped = ended_reap(pidfd, pid, &result)) == 0)
		if (ended_wait(pidfd) < 0) {
			reaped = -1;
			break;
		}
	error = errno;
	if (pidfd != -1)
		hub_close(pidfd);
	if (reaped > 0 && status != NULL)
		*status = result;
	errno = error;
	return reaped > 0 ? pid : -1;
}

void
hub_process_free(struct hub_process *process)
{
	if (process == NULL)
		return;
	CHECK_WHY(!fd_are_awaited(process->fds, 3) && !fd_are_awaited(&process->pidfd, 1),
		"a process is freed while a coroutine waits for it");
	if (!process->has_ended) {
		send_signal(process, SIGKILL);
		while (kernel_waitid(P_PID, (id_t)process->pid, NULL, WEXITED) != 0 &&
			errno == EINTR)
			continue;
	}
	close_all(process);
	for (int stream = 0; stream < 3; stream++)
		free(process->outputs[stream].bytes);
	free(process->input);
	free(process);
}

/* ---- talking ---- */

/* Copies the input at the first call of hub_process_communicate; later calls go on with the
 * copy. */
static int
take_input(struct hub_process *process, const void *input, size_t length)
{
	if (process->is_begun)
		return 0;
	if (length > 0 && process->fds[0] != -1) {
		process->input = malloc(length);
		if (process->input == NULL)
			return -1;
		memcpy(process->input, input, length);
		process->input_length = length;
	}
	process->is_begun = true;
	return 0;
}

static ssize_t
write_quietly(int fd, const void *buffer, size_t length)
{
	struct sigpipe_guard guard;
	ssize_t wrote;

	sigpipe_block(&guard);
	wrote = kernel_write(fd, buffer, length);
	sigpipe_unblock(&guard, wrote < 0 && errno == EPIPE);
	return wrote;
}

/* Writes what the pipe takes now; closes it after the last byte, or at EPIPE. Returns 0, or -1. */
static int
write_some(struct hub_process *process)
{
	ssize_t wrote = 0;

	while (process->input_done < process->input_length) {
		wrote = write_quietly(process->fds[0], process->input + process->input_done,
			process->input_length - process->input_done);
		if (wrote < 0)
			break;
		process->input_done += (size_t)wrote;
	}
	CHECK(process->input_done <= process->input_length);
	if (wrote < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (wrote < 0 && errno != EPIPE)
		return -1;
	hub_process_close_stream(process, 0);
	return 0;
}

/* Makes room for at least READ_SIZE / 4 more bytes. */
static int
output_room(struct output *output)
{
	size_t room = output->room != 0 ? 2 * output->room : READ_SIZE;
	char *bytes;

	if (output->room - output->length > READ_SIZE / 4)
		return 0;
	bytes = realloc(output->bytes, room);
	if (bytes == NULL)
		return -1;
	output->bytes = bytes;
	output->room = room;
	return 0;
}

/* Reads the bytes that are there; closes the pipe at its end. Returns 0, or -1. */
static int
read_some(struct hub_process *process, int stream)
{
	struct output *output = &process->outputs[stream];
	int rounds = READS_MOST;
	ssize_t got;

	/* Not without end: a process that writes fast must not starve other coroutines. */
	do {
		if (output_room(output) != 0)
			return -1;
		/* One byte stays free for the NUL. */
		got = kernel_read(process->fds[stream], output->bytes + output->length,
			output->room - output->length - 1);
		if (got > 0)
			output->length += (size_t)got;
	} while (got > 0 && --rounds > 0);
	CHECK(output->length < output->room);
	output->bytes[output->length] = '\0';
	if (got == 0)
		hub_process_close_stream(process, stream);
	return got >= 0 || errno == EAGAIN || errno == EINTR ? 0 : -1;
}

int
hub_process_communicate(struct hub_process *process, const void *input, size_t length, int *status)
{
	if (hub_enter() == NULL)
		return hub_fail_in_turn();
	if (take_input(process, input, length) != 0)
		return -1;
	if (process->fds[0] != -1 && process->input_length == 0)
		hub_process_close_stream(process, 0);
	while (process->fds[0] != -1 || process->fds[1] != -1 || process->fds[2] != -1) {
		/* A closed pipe is -1, which poll skips. */
		struct pollfd fds[3] = {{process->fds[0], POLLOUT, 0}, {process->fds[1], POLLIN, 0},
			{process->fds[2], POLLIN, 0}};

		if (hub_poll(fds, 3, -1) < 0)
			return -1;
		/* Another coroutine may have closed the stream meanwhile. */
		if (process->fds[0] != -1 && fds[0].revents != 0 && write_some(process) != 0)
			return -1;
		for (int stream = 1; stream < 3; stream++)
			if (process->fds[stream] != -1 && fds[stream].revents != 0 &&
				read_some(process, stream) != 0)
				return -1;
	}
	return hub_process_wait(process, status);
}

const char *
hub_process_output(const struct hub_process *process, int stream, size_t *length)
{
	const struct output *output = stream == 1 || stream == 2 ? &process->outputs[stream] : NULL;
	bool is_empty = output == NULL || output->bytes == NULL;

	if (length != NULL)
		*length = is_empty ? 0 : output->length;
	return is_empty ? "" : output->bytes;
}
