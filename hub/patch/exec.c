/* Starting programs: each finds its file descriptors as the application made them, without
 * O_NONBLOCK of the hub's; and from then on their open files are shared (`given`). */
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include "hub/patch/calls_priv.h"
#include "hub/patch/descriptor_priv.h"
#include "hub/patch/given_priv.h"
#include "hub/patch/real_priv.h"

/* exec returns only if it fails: then O_NONBLOCK is set again. */
#define EXEC(call)                                                                                 \
	do {                                                                                       \
		descriptor_set_inherited(false);                                                   \
		given_note();                                                                      \
		call;                                                                              \
		descriptor_set_inherited(true);                                                    \
		return -1;                                                                         \
	} while (0)

int
patch_execve(const char *path, char *const arguments[], char *const environment[])
{
	EXEC(REAL(execve)(path, arguments, environment));
}

int
patch_execv(const char *path, char *const arguments[])
{
	EXEC(REAL(execv)(path, arguments));
}

int
patch_execvp(const char *file, char *const arguments[])
{
	EXEC(REAL(execvp)(file, arguments));
}

int
patch_execvpe(const char *file, char *const arguments[], char *const environment[])
{
	EXEC(REAL(execvpe)(file, arguments, environment));
}

/* Gathers the arguments of execl and its kin into an array on the stack, and makes the call;
 * environment reads what follows the list. */
#define EXEC_LIST(last, first, environment, call)                                                  \
	do {                                                                                       \
		size_t count = 1;                                                                  \
		va_list list;                                                                      \
                                                                                                   \
		va_start(list, last);                                                              \
		while (va_arg(list, char *) != NULL)                                               \
			count++;                                                                   \
		va_end(list);                                                                      \
		char **arguments = __builtin_alloca((count + 1) * sizeof *arguments);              \
                                                                                                   \
		va_start(list, last);                                                              \
		arguments[0] = (char *)(uintptr_t)(first);                                         \
		for (size_t i = 1; i <= count; i++)                                                \
			arguments[i] = va_arg(list, char *);                                       \
		environment;                                                                       \
		va_end(list);                                                                      \
		return call;                                                                       \
	} while (0)

PATCH_EXPORT int
execl(const char *path, const char *first, ...)
{
	EXEC_LIST(first, first, (void)0, patch_execv(path, arguments));
}

PATCH_EXPORT int
execlp(const char *file, const char *first, ...)
{
	EXEC_LIST(first, first, (void)0, patch_execvp(file, arguments));
}

PATCH_EXPORT int
execle(const char *path, const char *first, ...)
{
	char *const *environment;

	EXEC_LIST(first, first, environment = va_arg(list, char *const *),
		patch_execve(path, arguments, environment));
}

/* O_NONBLOCK stays cleared, since the child shares the open files: they are blocking here, too,
 * from now on. */
int
patch_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
	int error;

	descriptor_set_inherited(false);
	given_note();
	error = REAL(posix_spawn)(pid, path, actions, attributes, arguments, environment);
	given_note();
	return error;
}

int
patch_posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[])
{
	int error;

	descriptor_set_inherited(false);
	given_note();
	error = REAL(posix_spawnp)(pid, file, actions, attributes, arguments, environment);
	given_note();
	return error;
}
