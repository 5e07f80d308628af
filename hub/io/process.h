/* Processes: starting programs, exchanging bytes with them, and waiting for their end. Each process
 * is watched by a descriptor of its own (pidfd_open(2)), so this works in any thread and without a
 * handler for SIGCHLD; that signal must not be ignored. */
#ifndef HUBBUB_IO_PROCESS_H
#define HUBBUB_IO_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "../api.h"

HUBBUB_API_BEGIN

struct hub_process;

/* Where one of a process's standard descriptors leads. */
enum hub_process_stream {
	HUB_PROCESS_INHERIT, /* the caller's own */
	HUB_PROCESS_PIPE,    /* a pipe to the caller: see hub_process_fd */
	HUB_PROCESS_NULL,    /* /dev/null */
	HUB_PROCESS_OUTPUT,  /* for standard error only: where standard output goes */
	HUB_PROCESS_MAX
};

/* Zero means the default in each field. */
struct hub_process_options {
	enum hub_process_stream streams[3]; /* standard input, output, error */
	char *const *environment;           /* NULL: the caller's */
	const char *directory;              /* working directory; NULL: the caller's */
	bool new_session;                   /* setsid(2) */
	void *room[4];                      /* for later versions: NULL */
};

/* Starts the program arguments[0], searched for in PATH, with arguments (ended by NULL) and options
 * (NULL: all defaults). The process inherits the three standard descriptors and no others; no
 * signal is blocked in it, and each has its default action.
 * Switches: no; the thread waits until the program is started.  Ownership: the caller frees the
 * result.
 * Returns NULL with errno of posix_spawnp(3), such as ENOENT (no such program), or EMFILE, ENOMEM,
 * EINVAL (also: the options' room is not NULL), EPERM. */
struct hub_process *hub_process_start(
	char *const *arguments, const struct hub_process_options *options);

/* The process id; valid until hub_process_wait has returned 0. Switches: no. */
pid_t hub_process_pid(const struct hub_process *process);

/* The caller's end of the pipe to the process's standard descriptor stream (0, 1 or 2), for
 * hub_read and hub_write; -1 if there is none. hub_process_close_stream closes it. Switches: no. */
int hub_process_fd(const struct hub_process *process, int stream);

/* Closes the caller's end of that pipe: the process then reads an end of file, or can write no
 * more.
 * Switches: no.  Errors: none. */
void hub_process_close_stream(struct hub_process *process, int stream);

/* Sends the process a signal. Switches: no.
 * Returns 0, or -1 with errno ESRCH (the process has ended) or EINVAL (no such signal). */
int hub_process_signal(struct hub_process *process, int signal);

/* Waits for the process's end; *status, if status is not NULL, is as of waitpid(2). May be called
 * again.
 * Switches: yes, unless the process has ended.
 * Returns 0, or -1 with errno ECHILD (other code has waited for it), ECANCELED, ETIMEDOUT or
 * EPERM. */
int hub_process_wait(struct hub_process *process, int *status);

/* Writes input to the process's standard input, if that is a pipe, and closes it; meanwhile reads
 * the process's output pipes until both end; then waits for the process. If this fails, the bytes
 * that were read are kept, and a further call, whose input is not used, goes on: a timeout loses
 * nothing. A process that closes its input early is no error.
 * Switches: yes.
 * Returns 0, or -1 with errno ENOMEM, ECANCELED, ETIMEDOUT, EDEADLK, EPERM or EIO. */
int hub_process_communicate(
	struct hub_process *process, const void *input, size_t length, int *status);

/* The bytes that hub_process_communicate has read from stream 1 or 2, ended by a NUL; *length, if
 * length is not NULL, does not count the NUL. Valid until the next hub_process_communicate or the
 * free. Switches: no. */
const char *hub_process_output(const struct hub_process *process, int stream, size_t *length);

/* Frees the process and closes its pipes; no coroutine may wait for it. A process that has not been
 * waited for is killed (SIGKILL) and reaped, while the whole thread waits. NULL is ignored.
 * Switches: no. */
void hub_process_free(struct hub_process *process);

/* waitpid(2) for one child, options 0: for a child that was started by other means, such as
 * fork(2).
 * Switches: yes, unless the child has ended.
 * Returns pid, or -1 with errno ECHILD, EMFILE, ECANCELED, ETIMEDOUT or EPERM. */
pid_t hub_waitpid(pid_t pid, int *status);

HUBBUB_API_END

#endif
