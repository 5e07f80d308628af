/* Dismissed clients are plain fds that the hub does not know: they are accepted, their input is
 * discarded and their output shut down, and they are held until they close or the time is over. At
 * most HELD_MOST are held; at the limit of open files, the reserve is given up to accept clients
 * one by one. */
#include "hub/io/dismiss_priv.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/io/fd_priv.h"
#include "hub/io/leftover.h"
#include "hub/io/opening.h"

#define HELD_MOST 256
#define ACCEPTS_IN_A_ROW 64
/* Clients accepted at the end of the time at most: more than a queue holds by default. */
#define AT_LAST_MOST 8192
#define PAUSE_FIRST HUB_MILLISECOND
#define PAUSE_MOST (20 * HUB_MILLISECOND)

struct dismissal {
	int listener;
	struct fd_opening opening;
	int *reserve;
	size_t gone;
	unsigned held;          /* clients that were shut down, and have not closed yet */
	int clients[HELD_MOST]; /* the oldest first; owned */
	unsigned char buffer[16 * 1024];
};

/* ---- one client ---- */

static void
forget_oldest(struct dismissal *dismissal)
{
	CHECK(dismissal->held > 0);
	kernel_close(dismissal->clients[0]);
	dismissal->held--;
	memmove(dismissal->clients, dismissal->clients + 1,
		dismissal->held * sizeof *dismissal->clients);
}

/* Shuts down the output to a client, after discarding its input. Returns whether the client may
 * still send. */
static bool
shut_down(struct dismissal *dismissal, int client)
{
	enum leftover left = leftover_discard(client, dismissal->buffer, sizeof dismissal->buffer);

	dismissal->gone++;
	return left != LEFTOVER_ENDED && kernel_shutdown(client, SHUT_WR) == 0;
}

static void
let_go(struct dismissal *dismissal, int client)
{
	if (!shut_down(dismissal, client)) {
		kernel_close(client);
		return;
	}
	if (dismissal->held == HELD_MOST)
		forget_oldest(dismissal);
	CHECK(dismissal->held < HELD_MOST);
	dismissal->clients[dismissal->held++] = client;
}

/* Closes the held connections whose client has closed. Returns whether some client keeps
 * sending. */
static bool
look_at_held(struct dismissal *dismissal)
{
	unsigned kept = 0;
	bool is_more = false;

	for (unsigned i = 0; i < dismissal->held; i++) {
		int client = dismissal->clients[i];
		enum leftover left =
			leftover_discard(client, dismissal->buffer, sizeof dismissal->buffer);

		is_more = is_more || left == LEFTOVER_MORE;
		if (left == LEFTOVER_ENDED)
			kernel_close(client);
		else
			dismissal->clients[kept++] = client;
	}
	dismissal->held = kept;
	return is_more;
}

/* ---- the queue ---- */

static bool
is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* Accepts a client; returns its fd, or -1 with errno, EAGAIN if none is queued. */
static int
next_client(struct dismissal *dismissal)
{
	int client;

	if (fd_was_closed(&dismissal->opening))
		return failed(EBADF);
	client = fd_accept_now(dismissal->listener, NULL, NULL);
	if (client != -1 || !is_shortage(errno) || *dismissal->reserve == -1 || dismissal->held > 0)
		return client;
	kernel_close(*dismissal->reserve);
	*dismissal->reserve = -1;
	return fd_accept_now(dismissal->listener, NULL, NULL);
}

/* Dismisses some queued clients. Returns 0 if there may be more, or an errno. */
static int
accept_some(struct dismissal *dismissal)
{
	for (int i = 0; i < ACCEPTS_IN_A_ROW; i++) {
		int client = next_client(dismissal);

		if (client == -1)
			return errno;
		let_go(dismissal, client);
	}
	return 0;
}

/* Dismisses clients until none is left, or for that many nanoseconds. */
static void
take_time(struct dismissal *dismissal, int64_t nanoseconds)
{
	int64_t until = hub_now() + nanoseconds, pause = PAUSE_FIRST;

	while (hub_now() < until) {
		int error = accept_some(dismissal);
		bool is_more = look_at_held(dismissal) || error == 0;

		if (dismissal->held == 0 && error != 0 && !is_shortage(error))
			return;
		if (hub_sleep(is_more ? 0 : pause) != 0)
			return;
		/* No more files: close the oldest held client, so that the queued ones are accepted
		 * one by one. */
		if (is_shortage(error) && dismissal->held > 0) {
			look_at_held(dismissal);
			if (dismissal->held > 0)
				forget_oldest(dismissal);
			pause = PAUSE_FIRST;
		} else if (!is_more && pause < PAUSE_MOST) {
			pause *= 2;
		}
	}
}

/* The clients that are left are shut down and closed without a wait. */
static void
end_at_once(struct dismissal *dismissal)
{
	while (dismissal->held > 0)
		kernel_close(dismissal->clients[--dismissal->held]);
	for (int left = AT_LAST_MOST; left > 0; left--) {
		int client = next_client(dismissal);

		if (client == -1)
			return;
		shut_down(dismissal, client);
		kernel_close(client);
		/* Other coroutines run, even if the caller was killed. */
		if (left % ACCEPTS_IN_A_ROW == 0)
			hub_pause(hub_this);
	}
}

size_t
dismiss_queued(int listener, int *reserve, int64_t nanoseconds)
{
	struct dismissal *dismissal = malloc(sizeof *dismissal);
	size_t gone;

	if (dismissal == NULL)
		return 0;
	dismissal->listener = listener;
	dismissal->opening = fd_opening(listener);
	dismissal->reserve = reserve;
	dismissal->gone = 0;
	dismissal->held = 0;
	take_time(dismissal, nanoseconds);
	end_at_once(dismissal);
	CHECK(dismissal->held == 0);
	gone = dismissal->gone;
	free(dismissal);
	return gone;
}
