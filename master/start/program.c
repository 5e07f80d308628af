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

static char path[PATH_MAX];

static bool
is_same(const char *a, const char *b)
{
	struct stat one, other;

	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

/* What a descriptor's number or a process's id is part of means another file tomorrow. */
static bool
is_lasting(const char *name)
{
	return strncmp(name, "/proc/", 6) != 0 && strncmp(name, "/dev/fd/", 8) != 0;
}

/* The working folder as the shell calls it, where that is true: whoever was in /srv/current when it
 * was release 1 means what current is now; to the kernel that folder is /srv/1. */
static const char *
working_folder(char folder[static PATH_MAX])
{
	const char *shells = getenv("PWD");

	if (shells != NULL && *shells == '/' && is_same(shells, "."))
		return shells;
	return getcwd(folder, PATH_MAX);
}

/* Returns whether the name, made absolute, fits. */
static bool
set_absolute(const char *name)
{
	char own[PATH_MAX];
	const char *folder = *name != '/' ? working_folder(own) : NULL;
	int length = *name == '/'     ? snprintf(path, sizeof path, "%s", name)
		     : folder != NULL ? snprintf(path, sizeof path, "%s/%s", folder, name)
				      : PATH_MAX;

	return length < PATH_MAX;
}

/* Where the kernel says it lies: links are resolved, and a file that was replaced since the exec is
 * marked as such. */
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
