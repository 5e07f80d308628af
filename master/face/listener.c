/* At most LISTENER_AT_ONCE accepts in a turn of the loop. An error of accept leaves the client
 * queued, so the listener pauses; a level-triggered watcher would wake the loop at once, again and
 * again. */
#include "master/face/listener.h"

#include <errno.h>

#define AGAIN_AFTER 0.1 /* seconds, when accepting fails */

/* Accepts a client. Returns whether to accept another in this turn. */
static bool
accept_one(struct listener *listener)
{
	struct sockaddr_storage from;
	socklen_t length = sizeof from;
	int client = accept4(listener->input.watcher.fd, (struct sockaddr *)&from, &length,
		SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (client != -1) {
		listener->take(client, (struct sockaddr *)&from, listener->context);
		return true;
	}
	if (errno == EINTR || errno == ECONNABORTED)
		return true;
	if (errno == EAGAIN)
		return false;
	/* If file descriptors ran out, ending another client frees one: try again in the next
	 * turn. */
	if ((errno == EMFILE || errno == ENFILE) && places_yield(listener->places))
		return false;
	ear_stop(listener->loop, &listener->input);
	ev_timer_set(&listener->again, AGAIN_AFTER, 0.);
	ev_timer_start(listener->loop, &listener->again);
	return false;
}

static void
on_input(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct listener *listener = watcher->data;
	int accepted = 0;

	(void)loop, (void)events;
	while (accepted < LISTENER_AT_ONCE && accept_one(listener))
		accepted++;
}

static void
on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct listener *listener = timer->data;

	(void)events;
	ear_start(loop, &listener->input);
}

void
listener_init(struct listener *listener, struct ev_loop *loop, int fd, struct places *places,
	void (*take)(int client, const struct sockaddr *from, void *context), void *context)
{
	*listener =
		(struct listener){.loop = loop, .places = places, .take = take, .context = context};
	ear_init(&listener->input, on_input, fd, EV_READ);
	ev_init(&listener->again, on_again);
	listener->input.watcher.data = listener->again.data = listener;
}

void
listener_start(struct listener *listener)
{
	if (!ev_is_active(&listener->again))
		ear_start(listener->loop, &listener->input);
}

void
listener_stop(struct listener *listener)
{
	ear_stop(listener->loop, &listener->input);
	ev_timer_stop(listener->loop, &listener->again);
}
