/* The calls by which libev makes its descriptors, under libc's names; io/own.c says why. As with
 * before.c, each library that may be linked alone contains this file; libhubbub-patch does, too:
 * where it is preloaded, libc comes before libhubbub-hub in link order. */
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
