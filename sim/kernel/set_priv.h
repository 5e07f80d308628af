/* Epoll sets, of which the hub keeps two: to know files again, and for signs. */
#ifndef HUBBUB_SIM_SET_PRIV_H
#define HUBBUB_SIM_SET_PRIV_H

#include <sys/epoll.h>

#include "sim/kernel/file_priv.h"

/* NULL without memory. */
struct file *set_new(void);

/* As epoll_ctl(2), and epoll_wait(2) with a timeout of 0. */
int set_change(struct file *set, int operation, int fd, const struct epoll_event *event);
int set_take(struct file *set, struct epoll_event *events, int most);

#endif
