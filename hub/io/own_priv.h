/* The library's own fds (own.h), as libev makes them. */
#ifndef HUBBUB_IO_OWN_PRIV_H
#define HUBBUB_IO_OWN_PRIV_H

#include "hub/base/inside.h"
#include "hub/io/own.h"

struct hub;

/* Called before and after libev makes a loop: in between, the fds that libev opens become this
 * thread's hub's own. */
void own_begin(void);
void own_end(void);

/* Called before libev closes the fds that it has opened for this hub. */
void own_forget(struct hub *hub);

/* epoll_create1(2) and eventfd(2), with a high result if libev is the caller. */
int own_epoll_create1(int flags) HUB_INSIDE(own_epoll_create1);
int own_eventfd(unsigned count, int flags) HUB_INSIDE(own_eventfd);

#endif
