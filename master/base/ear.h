/* An ear: a watcher of a file descriptor that does not go deaf. When the kernel refuses to watch
 * (out of memory, or fs.epoll.max_user_watches is reached), libev stops the watcher for good, and
 * reports it once, by EV_ERROR. An ear retries every EAR_PAUSE seconds without limit, so each
 * worker, listener and client is heard in the end. The master watches all its file descriptors by
 * ears. */
#ifndef HUBBUB_MASTER_BASE_EAR_H
#define HUBBUB_MASTER_BASE_EAR_H

#include <ev.h>
#include <stdbool.h>

/* Makes a loop that signals and ev_async can wake: the kernel watches its internal wake-up
 * descriptor. The caller destroys it with ev_loop_destroy. NULL if the kernel or memory refuses. */
struct ev_loop *ear_loop_new(void);

#define EAR_PAUSE 0.1 /* seconds between two tries to watch */

typedef void ear_hear(struct ev_loop *loop, ev_io *watcher, int events);

struct ear {
	ev_io watcher; /* watcher.data is the owner's */
	/* Private to the ear. */
	ev_timer pause;
	ear_hear *hear;
};

/* Prepares an ear that is not started. Once started, it calls hear with the watcher and libev's
 * events; EV_ERROR never reaches hear. events is EV_READ, EV_WRITE or both. The ear does not own
 * fd. */
void ear_init(struct ear *ear, ear_hear *hear, int fd, int events);

/* Starts or stops watching, as ev_io_start and ev_io_stop do. Both may be repeated, and both may be
 * called while the ear waits to retry. */
void ear_start(struct ev_loop *loop, struct ear *ear);
void ear_stop(struct ev_loop *loop, struct ear *ear);

/* Watches fd instead of the former descriptor, for the same events, and starts. */
void ear_start_on(struct ev_loop *loop, struct ear *ear, int fd);

/* Whether the ear watches, or will after its pause. */
bool ear_is_active(const struct ear *ear);

#endif
