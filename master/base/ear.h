/* An ear: a watcher of a descriptor that does not go deaf. When the kernel refuses to watch (it has
 * no memory, or fs.epoll.max_user_watches is reached), libev stops the watcher for good, and tells
 * it so once, by EV_ERROR. An ear tries again after a pause, without an end, so that each worker,
 * port and client is heard at last. All of the master's descriptors are watched by ears. */
#ifndef HUBBUB_MASTER_BASE_EAR_H
#define HUBBUB_MASTER_BASE_EAR_H

#include <ev.h>
#include <stdbool.h>

/* Makes a loop that hears of signals: what they wake it by is watched. NULL if none can be had. */
struct ev_loop *ear_loop_new(void);

#define EAR_PAUSE 0.1 /* seconds */

typedef void ear_hear(struct ev_loop *loop, ev_io *watcher, int events);

struct ear {
	ev_io watcher; /* data is the owner's */
	/* The ear's own. */
	ev_timer pause;
	ear_hear *hear;
};

/* Prepares one; hear is called for each event, with the watcher. */
void ear_init(struct ear *ear, ear_hear *hear, int fd, int events);

/* Listens from now on, or ceases to; as ev_io_start and ev_io_stop, also in the pause. */
void ear_start(struct ev_loop *loop, struct ear *ear);
void ear_stop(struct ev_loop *loop, struct ear *ear);

/* Listens to another descriptor, from now on. */
void ear_start_on(struct ev_loop *loop, struct ear *ear, int fd);

/* Whether it listens, be it after a pause. */
bool ear_is_active(const struct ear *ear);

#endif
