#include "tests/unit/hub/patch/between.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>

#define VISIBLE __attribute__((visibility("default")))

VISIBLE void (*between)(int fd);

VISIBLE int flock(int fd, int operation);
VISIBLE int lockf(int fd, int command, off_t length);
VISIBLE int fcntl(int fd, int command, ...);

static struct {
	int (*flock)(int fd, int operation);
	int (*lockf)(int fd, int command, off_t length);
	int (*fcntl)(int fd, int command, ...);
} libc;

/* As dlsym(3) tells to: a function's address is not an object's in C. */
static void
find(void *pointer, const char *name)
{
	void *address = dlsym(RTLD_NEXT, name);

	memcpy(pointer, &address, sizeof address);
}

/* Other libraries may call before any constructor of this one has run. */
static void
stand_between(int fd)
{
	if (libc.fcntl == NULL) {
		find(&libc.flock, "flock");
		find(&libc.lockf, "lockf");
		find(&libc.fcntl, "fcntl");
	}
	if (between != NULL)
		between(fd);
}

int
flock(int fd, int operation)
{
	stand_between(fd);
	return libc.flock(fd, operation);
}

int
lockf(int fd, int command, off_t length)
{
	stand_between(fd);
	return libc.lockf(fd, command, length);
}

int
fcntl(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	stand_between(fd);
	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return libc.fcntl(fd, command, argument);
}
