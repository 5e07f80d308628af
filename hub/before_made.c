/* As before.c: the calls by which libev makes its descriptors, by libc's names; io/own.c tells why.
 * In a program into which hub/patch is preloaded libc's come before libhubbub-hub's, so
 * libhubbub-patch has these, too. */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "hub/io/own_priv.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int
epoll_create1(int flags)
{
	return own_epoll_create1(flags);
}

EXPORT int
eventfd(unsigned count, int flags)
{
	return own_eventfd(count, flags);
}
