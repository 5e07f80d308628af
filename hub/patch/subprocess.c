/* Child processes: waiting for them, system and popen. A pidfd tells when one child ends; any other
 * event is looked for every 1 to 16 ms. While any coroutine is in system, the terminal's signals
 * and SIGCHLD are held back. */
#include <errno.h>
#include <fcntl.h>
#include <hubbub/coroutine.h>
#include <hubbub/io/fd.h>
#include <hubbub/io/own.h>
#include <hubbub/scheduler.h>
#include <hubbub/timeout.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/patch/calls_priv.h"
#include "hub/patch/descriptor_priv.h"
#include "hub/patch/interrupt_priv.h"
#include "hub/patch/mask_priv.h"
#include "hub/patch/real_priv.h"
#include "hub/patch/stream_priv.h"

/* How often to look for children where no file descriptor tells: any of several, or one that is
 * only stopped. */
#define PAUSE_FIRST HUB_MILLISECOND
#define PAUSE_MOST (16 * HUB_MILLISECOND)

/* ---- waiting ---- */

/* The waits of one call. */
struct watch {
	pid_t pid;     /* whose end is awaited, by pidfd; 0: look for it after each pause */
	int pidfd;     /* -1 until it is opened */
	int64_t pause; /* nanoseconds */
	struct since since;
};

#define WATCH(child)                                                                               \
	{                                                                                          \
		.pid = (child), .pidfd = -1, .pause = PAUSE_FIRST                                  \
	}

/* Waits until it is worthwhile to ask the kernel again. Returns 0, or -1 with errno. */
static int
watch_wait(struct watch *watch)
{
	struct interruptible wait;
	int result;

	if (watch->pid > 0 && watch->pidfd == -1) {
		watch->pidfd = hub_own(pidfd_open(watch->pid, 0));
		descriptor_new(watch->pidfd);
		/* No fd is left, or the kernel has no pidfds. */
		if (watch->pidfd == -1)
			watch->pid = 0;
	}
	interruptible_begin(&wait, WAIT_RESTARTED, &watch->since);
	if (watch->pidfd != -1) {
		result = hub_await_fd(watch->pidfd, POLLIN, HUB_FOREVER) > 0 ? 0 : -1;
		/* A program that closes every fd closes this one, too: it is opened again. */
		if (result != 0 && errno == EBADF) {
			hub_disown(watch->pidfd);
			watch->pidfd = -1;
			result = 0;
		}
	} else {
		result = hub_sleep(watch->pause);
	}
	interruptible_end(&wait);
	if (watch->pause < PAUSE_MOST)
		watch->pause *= 2;
	return result;
}

static void
watch_end(struct watch *watch)
{
	int error = errno;

	hub_disown(watch->pidfd);
	if (watch->pidfd != -1)
		hub_close(watch->pidfd);
	errno = error;
}

pid_t
patch_wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	struct watch watch = WATCH(pid > 0 && !(options & (WUNTRACED | WCONTINUED)) ? pid : 0);
	pid_t found;

	if (options & WNOHANG)
		return REAL(wait4)(pid, status, options, usage);
	while ((found = REAL(wait4)(pid, status, options | WNOHANG, usage)) == 0)
		if (watch_wait(&watch) != 0) {
			found = -1;
			break;
		}
	watch_end(&watch);
	return found;
}

pid_t
patch_wait3(int *status, int options, struct rusage *usage)
{
	return patch_wait4(-1, status, options, usage);
}

pid_t
patch_waitpid(pid_t pid, int *status, int options)
{
	return patch_wait4(pid, status, options, NULL);
}

pid_t
patch_wait(int *status)
{
	return patch_wait4(-1, status, 0, NULL);
}

int
patch_waitid(idtype_t kind, id_t id, siginfo_t *info, int options)
{
	struct watch watch =
		WATCH(kind == P_PID && !(options & (WSTOPPED | WCONTINUED)) ? (pid_t)id : 0);
	siginfo_t own = {0};
	int result;

	if (options & WNOHANG)
		return REAL(waitid)(kind, id, info, options);
	for (;;) {
		own.si_pid = 0;
		/* The kernel clears its result in each attempt: the caller's is written once, at
		 * the end. */
		result = REAL(waitid)(kind, id, &own, options | WNOHANG);
		if (result != 0 || own.si_pid != 0)
			break;
		if (watch_wait(&watch) != 0) {
			result = -1;
			break;
		}
	}
	watch_end(&watch);
	if (result == 0 && info != NULL)
		*info = own;
	return result;
}

/* ---- system ---- */

/* How many commands of system run, in all threads. As long as there are any, the process ignores
 * SIGINT and SIGQUIT: POSIX. Under commands_mutex. */
static unsigned commands;
static struct sigaction interrupt_before, quit_before;
static pthread_mutex_t commands_mutex = PTHREAD_MUTEX_INITIALIZER;

static void
ignore_terminal(sigset_t *handled)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigemptyset(handled);
	REAL(pthread_mutex_lock)(&commands_mutex);
	if (commands++ == 0) {
		REAL(sigaction)(SIGINT, &ignore, &interrupt_before);
		REAL(sigaction)(SIGQUIT, &ignore, &quit_before);
	}
	if (interrupt_before.sa_handler != SIG_IGN)
		sigaddset(handled, SIGINT);
	if (quit_before.sa_handler != SIG_IGN)
		sigaddset(handled, SIGQUIT);
	REAL(pthread_mutex_unlock)(&commands_mutex);
}

static void
restore_terminal(void)
{
	int error = errno;

	REAL(pthread_mutex_lock)(&commands_mutex);
	if (--commands == 0) {
		REAL(sigaction)(SIGINT, &interrupt_before, NULL);
		REAL(sigaction)(SIGQUIT, &quit_before, NULL);
	}
	REAL(pthread_mutex_unlock)(&commands_mutex);
	errno = error;
}

/* How many coroutines of this thread are in system. As long as there are any, the thread blocks
 * SIGCHLD, as libc's system does, since a handler of SIGCHLD might wait for the shell. */
static _Thread_local unsigned commands_here;
static _Thread_local sigset_t mask_before;

static void
hold_sigchld(sigset_t *mask)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	if (commands_here++ == 0)
		mask_change(SIG_BLOCK, &child, &mask_before);
	*mask = mask_before;
}

static void
release_sigchld(void)
{
	if (--commands_here == 0 && !sigismember(&mask_before, SIGCHLD)) {
		sigset_t child;

		sigemptyset(&child);
		sigaddset(&child, SIGCHLD);
		mask_change(SIG_UNBLOCK, &child, NULL);
	}
}

/* The caller was killed or timed out: kills the shell and waits for it, as libc does when its
 * thread is cancelled, so that no process is left behind. */
static void
give_up(pid_t pid)
{
	struct hub_timeout shield;
	int error = errno;

	kill(pid, SIGKILL);
	hub_shield_start(&shield);
	patch_waitpid(pid, NULL, 0);
	hub_shield_stop(&shield);
	errno = error;
}

/* Runs a command in a shell, and waits for the shell. Returns its status, or -1 with errno. */
static int
run_command(const char *command)
{
	char *arguments[] = {"sh", "-c", "--", (char *)(uintptr_t)command, NULL};
	posix_spawnattr_t attributes;
	sigset_t defaults, mask;
	int status = -1, error;
	pid_t pid;

	ignore_terminal(&defaults);
	hold_sigchld(&mask);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setsigmask(&attributes, &mask);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	error = posix_spawn(&pid, "/bin/sh", NULL, &attributes, arguments, environ);
	posix_spawnattr_destroy(&attributes);
	if (error == 0) {
		pid_t found;

		while ((found = patch_waitpid(pid, &status, 0)) == -1 && errno == EINTR)
			continue;
		if (found == -1) {
			status = -1;
			give_up(pid);
		}
	} else {
		/* As if the shell had ended with 127. */
		status = 127 << 8;
		errno = error;
	}
	release_sigchld();
	restore_terminal();
	return status;
}

int
patch_system(const char *command)
{
	if (command == NULL)
		return run_command("exit 0") == 0;
	return run_command(command);
}

/* In a forked child, which does not have the thread that may hold the mutex. */
static void
reset(void)
{
	pthread_mutex_init(&commands_mutex, NULL);
	commands = commands_here = 0;
}

static __attribute__((constructor)) void
start(void)
{
	pthread_atfork(NULL, NULL, reset);
}

/* ---- popen ---- */

/* Reads a mode of popen(3): r or w, and e for close-on-exec. Returns false with errno EINVAL. */
static bool
take_mode(const char *mode, bool *is_reading, bool *is_cloexec)
{
	*is_reading = strchr(mode, 'r') != NULL;
	*is_cloexec = strchr(mode, 'e') != NULL;
	if (*is_reading != (strchr(mode, 'w') != NULL) && strspn(mode, "rwe") == strlen(mode))
		return true;
	errno = EINVAL;
	return false;
}

/* How popen starts a command, whose end of the pipe becomes fd `to`. */
struct spawning {
	posix_spawn_file_actions_t actions;
	int to;
};

/* Has the child close the streams of earlier calls: popen(3). */
static void
close_other(FILE *stream, void *context)
{
	struct spawning *spawning = context;

	if (fileno(stream) != spawning->to)
		posix_spawn_file_actions_addclose(&spawning->actions, fileno(stream));
}

static int
start_command(const char *command, int theirs, int to, pid_t *pid)
{
	char *arguments[] = {"sh", "-c", "--", (char *)(uintptr_t)command, NULL};
	struct spawning spawning = {.to = to};
	int error;

	posix_spawn_file_actions_init(&spawning.actions);
	stream_each_command(close_other, &spawning);
	error = posix_spawn_file_actions_adddup2(&spawning.actions, theirs, to);
	if (error == 0)
		error = posix_spawn(pid, "/bin/sh", &spawning.actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&spawning.actions);
	return error;
}

FILE *
patch_popen(const char *command, const char *mode)
{
	struct command_stream *record;
	bool is_reading, is_cloexec;
	int ends[2], error;

	if (!take_mode(mode, &is_reading, &is_cloexec))
		return NULL;
	record = malloc(sizeof *record);
	if (record == NULL || patch_pipe2(ends, O_CLOEXEC) != 0) {
		free(record);
		return NULL;
	}
	record->stream = stream_open(ends[is_reading ? 0 : 1], is_reading ? "r" : "w");
	error = record->stream == NULL ? ENOMEM
				       : start_command(command, ends[is_reading ? 1 : 0],
						 is_reading ? 1 : 0, &record->pid);
	kernel_close(ends[is_reading ? 1 : 0]);
	if (error != 0) {
		if (record->stream != NULL)
			fclose(record->stream);
		else
			kernel_close(ends[is_reading ? 0 : 1]);
		free(record);
		errno = error;
		return NULL;
	}
	/* Close-on-exec until now, so that the child has not inherited it. */
	if (!is_cloexec)
		kernel_fcntl(ends[is_reading ? 0 : 1], F_SETFD, 0);
	stream_note_command(record);
	return record->stream;
}

/* A coroutine that waits for a child in place of a pclose that was killed. */
static void *
reap(void *pid)
{
	struct hub_timeout shield;

	hub_shield_start(&shield);
	patch_waitpid((pid_t)(intptr_t)pid, NULL, 0);
	hub_shield_stop(&shield);
	return NULL;
}

int
patch_pclose(FILE *stream)
{
	struct command_stream *ours = stream_take_command(stream);
	pid_t pid, found;
	int status;

	if (ours == NULL) {
		descriptor_new(fileno(stream));
		return REAL(pclose)(stream);
	}
	pid = ours->pid;
	free(ours);
	fclose(stream);
	while ((found = waitpid(pid, &status, 0)) == -1 && errno == EINTR)
		continue;
	if (found == -1 && (errno == ECANCELED || errno == ETIMEDOUT)) {
		int error = errno;
		struct hub_coroutine *reaper = hub_spawn(reap, (void *)(intptr_t)pid);

		/* Until it is waited for, the child is a zombie. */
		if (reaper != NULL)
			hub_detach(reaper);
		errno = error;
	}
	return found == pid ? status : -1;
}
