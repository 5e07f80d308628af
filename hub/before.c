/* What stands before libc, by libc's names; what it does is told in io/libev.c.
 *
 * A name is found in the first library that has it, of those that the program itself names. Linkers
 * often leave out a library whose calls the program does not make: so each library that may be the
 * only one (libhubbub-hub, libhubbub) has these. In a program that loads Hubbub at run time
 * (dlopen(3)) libc's come first. */
#include <poll.h>
#include <sys/epoll.h>

#include "hub/io/fd.h"
#include "hub/io/libev_priv.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int
epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
	return hub_epoll_ctl(set, operation, fd, event);
}

EXPORT int
poll(struct pollfd *fds, nfds_t count, int timeout)
{
	return libev_poll(fds, count, timeout);
}
