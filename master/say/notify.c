/* Datagrams to the service manager never block. Those about a state (READY, STOPPING, MAINPID) must
 * arrive in sequence: if the manager's queue is full they are kept here, at most UNSENT_MAX, and
 * nothing else is sent before them. Pings of the watchdog and plain status lines are dropped
 * instead. */
#include "master/say/notify.h"

#include <errno.h>
#include <ev.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/base/values.h"

/* Seconds before unsent datagrams are sent again; doubled each time, from FIRST to LAST. */
#define AGAIN_FIRST 0.1
#define AGAIN_LAST 5.

/* Unsent datagrams about a state: losing one would leave the manager with a wrong state for
 * good. */
enum { TEXT_SIZE = 512, UNSENT_MAX = 8 };

static char unsent[UNSENT_MAX][TEXT_SIZE]; /* the oldest first */
static unsigned unsent_count;
/* The STATUS= line that was sent last; "" if none, or not known. */
static char last_status[TEXT_SIZE];
static struct ev_loop *loop; /* NULL before notify_start: nothing is sent again */
static ev_timer again;
static double again_after;

static struct sockaddr_un manager;
static socklen_t manager_length;
static int channel;      /* opened at the start: later, files may have run out */
static int64_t watchdog; /* nanoseconds between two pings; 0 without a watchdog */
static bool is_early;    /* the manager still takes a former master for the main process */

/* Returns nanoseconds; 0, after a warning, for text that is not an interval or is too long for the
 * clock. */
static int64_t
read_interval(const char *text)
{
	uint64_t microseconds;

	if (values_read_plain(text, INT64_MAX / CLOCK_MICROSECOND, &microseconds))
		return (int64_t)microseconds * CLOCK_MICROSECOND;
	log_warning(
		"WATCHDOG_USEC: '%s' is not an interval; the service manager's watchdog gets no "
		"pings",
		text);
	return 0;
}

static bool
is_own(const char *text)
{
	uint64_t pid;

	return values_read_plain(text, INT_MAX, &pid) && (pid_t)pid == getpid();
}

void
notify_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	const char *interval = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	is_early = getenv("HUBBUB_HANDOVER") != NULL;
	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
		strlen(path) >= sizeof manager.sun_path)
		return;
	channel = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (channel == -1) {
		log_error("cannot talk to the service manager: %s", strerror(errno));
		return;
	}
	manager.sun_family = AF_UNIX;
	memcpy(manager.sun_path, path, strlen(path));
	manager_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (path[0] == '@')
		manager.sun_path[0] = '\0';
	/* After an upgrade WATCHDOG_PID still names the first master. */
	if (interval != NULL && (pid == NULL || is_own(pid) || is_early))
		watchdog = read_interval(interval);
}

bool
notify_is_reachable(void)
{
	int probe = manager_length != 0 ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	bool is_gone;

	if (probe == -1)
		return true;
	is_gone = connect(probe, (const struct sockaddr *)&manager, manager_length) != 0 &&
		  (errno == ENOENT || errno == ECONNREFUSED);
	close(probe);
	return !is_gone;
}

void
notify_named(void)
{
	is_early = false;
}

/* Whether there is a manager that takes this process's datagrams. */
static bool
may_send(void)
{
	return manager_length != 0 && !is_early;
}

/* Sends a datagram. Returns false with errno, EAGAIN if the manager's queue is full. */
static bool
send_text(const char *text)
{
	return sendto(channel, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&manager,
		       manager_length) != -1;
}

/* Sends unsent datagrams, the oldest first, up to the first that fails. */
static void
send_unsent(void)
{
	unsigned said = 0;

	while (said < unsent_count && send_text(unsent[said]))
		said++;
	unsent_count -= said;
	memmove(unsent[0], unsent[said], unsent_count * sizeof unsent[0]);
	if (said > 0)
		again_after = AGAIN_FIRST;
}

/* Starts the timer for the unsent datagrams, unless it runs; each pause is twice the last. */
static void
plan_again(void)
{
	if (loop == NULL || unsent_count == 0 || ev_is_active(&again))
		return;
	ev_timer_set(&again, again_after, 0);
	ev_timer_start(loop, &again);
	again_after = again_after * 2 < AGAIN_LAST ? again_after * 2 : AGAIN_LAST;
}

static void
on_again(struct ev_loop *looped, ev_timer *timer, int events)
{
	(void)looped, (void)timer, (void)events;
	send_unsent();
	plan_again();
}

/* Keeps a datagram behind those that are kept already. If there is no room the oldest is dropped:
 * newer ones supersede it. */
static void
keep_unsent(const char *text)
{
	if (unsent_count == 0)
		again_after = AGAIN_FIRST;
	if (unsent_count == UNSENT_MAX) {
		unsent_count--;
		last_status[0] = '\0';
		memmove(unsent[0], unsent[1], unsent_count * sizeof unsent[0]);
	}
	memcpy(unsent[unsent_count++], text, TEXT_SIZE);
	plan_again();
}

/* Notes the status that a text contains: STATUS= is always its last line. */
static void
note_status(const char *text)
{
	static const char key[] = "STATUS=";
	const char *status = strstr(text, key);

	if (status != NULL)
		snprintf(last_status, sizeof last_status, "%s", status + sizeof key - 1);
}

void
notify_send(const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	if (!may_send())
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	note_status(text);
	send_unsent();
	if (unsent_count == 0 && send_text(text))
		return;
	log_debug("cannot send to the service manager, trying again: %s", strerror(errno));
	keep_unsent(text);
}

bool
notify_awaits_room(void)
{
	send_unsent();
	return unsent_count > 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM);
}

void
notify_forget(void)
{
	unsent_count = 0;
	last_status[0] = '\0';
	if (loop != NULL)
		ev_timer_stop(loop, &again);
}

void
notify_alive(void)
{
	if (!may_send())
		return;
	send_unsent();
	if (unsent_count == 0)
		send_text("WATCHDOG=1");
}

void
notify_status(const char *status)
{
	char text[TEXT_SIZE];

	if (!may_send() || strcmp(status, last_status) == 0)
		return;
	snprintf(text, sizeof text, "STATUS=%s", status);
	send_unsent();
	if (unsent_count == 0 && send_text(text))
		note_status(text);
}

void
notify_start(struct ev_loop *masters_loop)
{
	loop = masters_loop;
	ev_init(&again, on_again);
	plan_again();
}

void
notify_stop(void)
{
	if (loop != NULL)
		ev_timer_stop(loop, &again);
	loop = NULL;
}

int64_t
notify_watchdog(void)
{
	return manager_length != 0 ? watchdog : 0;
}
