/* epoll_ctl and poll under libc's names, so that libev's calls come here; io/libev.c says what they
 * change.
 *
 * A name resolves to the first library of the program that defines it, in link order. Linkers often
 * drop a library that the program does not call, so each library that may be linked alone
 * (libhubbub-hub, libhubbub) contains this file. In a program that loads Hubbub at run time
 * (dlopen(3)) libc comes first, and libev calls libc. */
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
