/* Libc's names for processes and threads, which a world does not have: a call within the run is an
 * error of the run, and fails; outside of it, and in other threads, it is libc's. A child of
 * vfork(2) is not stopped before it calls exec. */
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "sim/libc/before_priv.h"
#include "sim/world/world_priv.h"

static bool
is_refused(const char *name)
{
	if (!is_in_world())
		return false;
	world_fail("%s: a world has no processes; give the code a function to call instead, or "
		   "test it outside of hub_sim_run",
		name);
	errno = ENOSYS;
	return true;
}

/* ---- processes ---- */

EXPORT pid_t
fork(void)
{
	return is_refused("fork") ? -1 : LIBC(fork)();
}

EXPORT int
system(const char *command)
{
	return is_refused("system") ? -1 : LIBC(system)(command);
}

EXPORT FILE *
popen(const char *command, const char *mode)
{
	return is_refused("popen") ? NULL : LIBC(popen)(command, mode);
}

EXPORT int
posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
	return is_refused("posix_spawn")
		       ? ENOSYS
		       : LIBC(posix_spawn)(pid, path, actions, attributes, arguments, environment);
}

EXPORT int
posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
	return is_refused("posix_spawnp")
		       ? ENOSYS
		       : LIBC(posix_spawnp)(pid, file, actions, attributes, arguments, environment);
}

/* ---- other programs ---- */

EXPORT int
execve(const char *path, char *const arguments[], char *const environment[])
{
	return is_refused("execve") ? -1 : LIBC(execve)(path, arguments, environment);
}

EXPORT int
execv(const char *path, char *const arguments[])
{
	return is_refused("execv") ? -1 : LIBC(execv)(path, arguments);
}

EXPORT int
execvp(const char *file, char *const arguments[])
{
	return is_refused("execvp") ? -1 : LIBC(execvp)(file, arguments);
}

EXPORT int
execvpe(const char *file, char *const arguments[], char *const environment[])
{
	return is_refused("execvpe") ? -1 : LIBC(execvpe)(file, arguments, environment);
}

EXPORT int
fexecve(int fd, char *const arguments[], char *const environment[])
{
	return is_refused("fexecve") ? -1 : LIBC(fexecve)(fd, arguments, environment);
}

/* Gathers the arguments from first on into an array on the stack, up to NULL, and calls the
 * function of arrays; has_environment: one follows. */
#define EXEC_LIST(function, path, first, has_environment)                                          \
	do {                                                                                       \
		size_t count = 1;                                                                  \
		char **arguments;                                                                  \
		va_list list;                                                                      \
                                                                                                   \
		va_start(list, first);                                                             \
		while (va_arg(list, char *) != NULL)                                               \
			count++;                                                                   \
		va_end(list);                                                                      \
		arguments = __builtin_alloca((count + 1) * sizeof *arguments);                     \
		va_start(list, first);                                                             \
		arguments[0] = (char *)(uintptr_t)(first);                                         \
		for (size_t i = 1; i <= count; i++)                                                \
			arguments[i] = va_arg(list, char *);                                       \
		function(path, arguments, (has_environment) ? va_arg(list, char **) : environ);    \
		va_end(list);                                                                      \
		return -1;                                                                         \
	} while (0)

EXPORT int
execl(const char *path, const char *first, ...)
{
	EXEC_LIST(execve, path, first, false);
}

EXPORT int
execle(const char *path, const char *first, ...)
{
	EXEC_LIST(execve, path, first, true);
}

EXPORT int
execlp(const char *file, const char *first, ...)
{
	EXEC_LIST(execvpe, file, first, false);
}

/* ---- threads ---- */

static bool
is_thread_refused(const char *name)
{
	if (!is_in_world())
		return false;
	world_fail("%s: a world has one thread; call hub_spawn, or hub_offload", name);
	return true;
}

EXPORT int
pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *argument)
{
	return is_thread_refused("pthread_create")
		       ? EPERM
		       : LIBC(pthread_create)(thread, attributes, body, argument);
}

EXPORT int
thrd_create(thrd_t *thread, thrd_start_t body, void *argument)
{
	return is_thread_refused("thrd_create") ? thrd_error
						: LIBC(thrd_create)(thread, body, argument);
}
