/* Select: waiting for the first of several things, as in Go.
 *
 *	struct hub_case cases[] = {
 *		hub_case_get(jobs),
 *		hub_case_event(&quit),
 *		hub_case_fd(client, POLLIN),
 *	};
 *	switch (hub_select(cases, 3, 5 * HUB_SECOND)) {
 *	case 0: work(cases[0].item); break;
 *	...
 *
 * Exactly one case is carried out: the others take, put and acquire nothing. */
#ifndef HUBBUB_SELECT_H
#define HUBBUB_SELECT_H

#include <stddef.h>

#include "coroutine.h"
#include "sync/channel.h"
#include "sync/event.h"
#include "sync/queue.h"
#include "sync/result.h"
#include "sync/semaphore.h"

HUBBUB_API_BEGIN

/* What a case waits for. A case of HUB_CASE_NEVER is ignored. */
enum hub_case_kind {
	HUB_CASE_NEVER,
	HUB_CASE_CHANNEL_GET,
	HUB_CASE_CHANNEL_PUT,
	HUB_CASE_QUEUE_GET,
	HUB_CASE_QUEUE_PUT,
	HUB_CASE_EVENT,
	HUB_CASE_RESULT,
	HUB_CASE_SEMAPHORE,
	HUB_CASE_ENDED,
	HUB_CASE_FD,
	HUB_CASE_MAX
};

/* One case; made by the functions below. */
struct hub_case {
	enum hub_case_kind kind;
	void *object;
	void *item;    /* the item to put, or the item got */
	int fd;        /* of HUB_CASE_FD */
	short events;  /* of poll(2) */
	short revents; /* the events that are ready */
	/* 0, or why the case ended without its effect: EPIPE (closed), EBADF (closed, or the fd
	 * was). */
	int error;
	void *room[2]; /* for later versions: NULL */
};

/* Gets from the channel. Switches: no. */
static inline struct hub_case
hub_case_channel_get(struct hub_channel *channel)
{
	struct hub_case one = {HUB_CASE_CHANNEL_GET, channel, NULL, -1, 0, 0, 0, {NULL, NULL}};

	return one;
}

/* Puts item into the channel. Switches: no. */
static inline struct hub_case
hub_case_channel_put(struct hub_channel *channel, void *item)
{
	struct hub_case one = {HUB_CASE_CHANNEL_PUT, channel, item, -1, 0, 0, 0, {NULL, NULL}};

	return one;
}

/* Gets from the queue. Switches: no. */
static inline struct hub_case
hub_case_get(struct hub_queue *queue)
{
	struct hub_case one = {HUB_CASE_QUEUE_GET, queue, NULL, -1, 0, 0, 0, {NULL, NULL}};

	return one;
}

/* Puts item into the queue, with priority 0. Switches: no. */
static inline struct hub_case
hub_case_put(struct hub_queue *queue, void *item)
{
	struct hub_case one = {HUB_CASE_QUEUE_PUT, queue, item, -1, 0, 0, 0, {NULL, NULL}};

	return one;
}

/* Waits for the event to be set. Switches: no. */
static inline struct hub_case
hub_case_event(struct hub_event *event)
{
	struct hub_case one = {HUB_CASE_EVENT, event, NULL, -1, 0, 0, 0, {NULL, NULL}};

	return one;
}

/* Waits for the result to arrive; hub_result_get then does not wait. Switches: no. */
static inline struct hub_case
hub_case_result(struct hub_result *result)
{
	struct hub_case one = {HUB_CASE_RESULT, result, NULL, -1, 0, 0, 0, {NULL, NULL}};

	return one;
}

/* Acquires a permit of the semaphore. Switches: no. */
static inline struct hub_case
hub_case_semaphore(struct hub_semaphore *semaphore)
{
	struct hub_case one = {HUB_CASE_SEMAPHORE, semaphore, NULL, -1, 0, 0, 0, {NULL, NULL}};

	return one;
}

/* Waits for the coroutine's end; the coroutine must still be joined. Switches: no. */
static inline struct hub_case
hub_case_ended(struct hub_coroutine *coroutine)
{
	struct hub_case one = {HUB_CASE_ENDED, coroutine, NULL, -1, 0, 0, 0, {NULL, NULL}};

	return one;
}

/* Waits for the descriptor to be ready for one of events, which are those of poll(2). A hang-up or
 * an error makes it ready for all of them. With no events only hang-ups and errors are waited for,
 * and revents tells which came (POLLHUP, POLLERR). Switches: no. */
static inline struct hub_case
hub_case_fd(int fd, short events)
{
	struct hub_case one = {HUB_CASE_FD, NULL, NULL, fd, events, 0, 0, {NULL, NULL}};

	return one;
}

/* Waits until one of the cases can be carried out, carries it out, and returns its index; if
 * several can, they take turns. Waits at most timeout nanoseconds: not at all for 0 or less,
 * without limit for HUB_FOREVER.
 * Switches: yes, unless one can be carried out at once.
 * Returns the index, with error, item and revents of that case set; or -1 with errno EAGAIN (the
 * timeout has passed), EINVAL (count is 0 and timeout HUB_FOREVER, or a case was not made by the
 * functions above), ENOMEM, ECANCELED, ETIMEDOUT, EDEADLK or EPERM. */
int hub_select(struct hub_case *cases, size_t count, int64_t timeout);

HUBBUB_API_END

#endif
