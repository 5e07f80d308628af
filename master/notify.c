#include "master/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"

#define TRIES 3

static struct sockaddr_un manager;
static socklen_t manager_length;
static int channel; /* made at the start: no word is lost later because files ran out */
static int64_t watchdog;

void
notify_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	const char *interval = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

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
	/* After an upgrade the pid is that of the first master. */
	if (interval != NULL &&
		(pid == NULL || atoi(pid) == (int)getpid() || getenv("HUBBUB_HANDOVER") != NULL))
		watchdog = atoll(interval) * CLOCK_MICROSECOND;
}

void
notify_send(const char *format, ...)
{
	char text[512];
	va_list arguments;
	int length;

	if (manager_length == 0)
		return;
	va_start(arguments, format);
	length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	/* Want of memory passes, and the word may be the one that names the next master. */
	for (int tries = 0; tries < TRIES; tries++)
		if (sendto(channel, text, (size_t)length, MSG_NOSIGNAL,
			    (const struct sockaddr *)&manager, manager_length) != -1)
			return;
	log_debug("the service manager was not told: %s", strerror(errno));
}

int64_t
notify_watchdog(void)
{
	return manager_length != 0 ? watchdog : 0;
}
