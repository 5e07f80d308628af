/* The path is kept as the operator spelled it, with its symbolic links, and resolved only when an
 * upgrade executes it. It is used only if it names the running program; else /proc/self/exe's
 * target is kept. */
#include "master/start/program.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#define OWN "/proc/self/exe"

static char path[PATH_MAX]; /* absolute; "" if unknown */

static bool
is_same(const char *a, const char *b)
{
	struct stat one, other;

	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

/* Whether a path will still mean the same file later: paths with a pid or a file descriptor's
 * number do not. */
static bool
is_lasting(const char *name)
{
	return strncmp(name, "/proc/", 6) != 0 && strncmp(name, "/dev/fd/", 8) != 0;
}

/* Returns the working directory as the shell spells it (PWD), if that is correct: a server started
 * in /srv/current, a link to /srv/1, is to be upgraded from where /srv/current leads by then.
 * getcwd would return /srv/1. */
static const char *
working_directory(char directory[static PATH_MAX])
{
	const char *shells = getenv("PWD");

	if (shells != NULL && *shells == '/' && is_same(shells, "."))
		return shells;
	return getcwd(directory, PATH_MAX);
}

/* Sets path to the name, made absolute. Returns false if it does not fit. */
static bool
set_absolute(const char *name)
{
	char own[PATH_MAX];
	const char *directory = *name != '/' ? working_directory(own) : NULL;
	int length = *name == '/'        ? snprintf(path, sizeof path, "%s", name)
		     : directory != NULL ? snprintf(path, sizeof path, "%s/%s", directory, name)
					 : PATH_MAX;

	return length < PATH_MAX;
}

/* Sets path to the kernel's name of the program: with links resolved, and without the mark "
 * (deleted)" of a file that was replaced since the exec. */
static void
set_resolved(void)
{
	static const char mark[] = " (deleted)";
	ssize_t length = readlink(OWN, path, sizeof path);
	ssize_t bare = length - (ssize_t)(sizeof mark - 1);

	path[length > 0 && length < PATH_MAX ? length : 0] = '\0';
	if (bare > 0 && access(path, F_OK) != 0 && strcmp(path + bare, mark) == 0)
		path[bare] = '\0';
}

void
program_remember_as(const char *name)
{
	if (name == NULL || !set_absolute(name) || !is_lasting(path) || !is_same(path, OWN))
		set_resolved();
}

void
program_remember(void)
{
	program_remember_as((const char *)getauxval(AT_EXECFN));
}

const char *
program_remembered(void)
{
	return path;
}

bool
program_is_there(const char **why)
{
	static char text[PATH_MAX + 80];

	*why = text;
	if (path[0] == '\0')
		*why = "the program's path is unknown (is /proc mounted?)";
	else if (access(path, X_OK) == 0)
		return true;
	else
		snprintf(text, sizeof text, "cannot execute %s: %s", path, strerror(errno));
	return false;
}
