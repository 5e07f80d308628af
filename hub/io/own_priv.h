#ifndef HUBBUB_IO_OWN_PRIV_H
#define HUBBUB_IO_OWN_PRIV_H

#include "hub/base/inside.h"
#include "hub/io/own.h"

struct hub;

/* Around libev's making of a loop: what it opens is this thread's hub's own. */
void own_begin(void);
void own_end(void);

/* Before libev closes what it has opened for this hub. */
void own_forget(struct hub *hub);

/* epoll_create1(2) and eventfd(2): of what libev makes the number is high. */
int own_epoll_create1(int flags) HUB_INSIDE(own_epoll_create1);
int own_eventfd(unsigned count, int flags) HUB_INSIDE(own_eventfd);

#endif
