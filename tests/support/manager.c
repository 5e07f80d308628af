/* A datagram Unix socket whose path is in NOTIFY_SOCKET, as systemd's is. A datagram is one
 * notification of one or several lines. */
#include "tests/support/manager.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/program.h"

int
manager_open(const char *folder)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(name.sun_path, sizeof name.sun_path, "%s/notify", folder);
	if (bind(fd, (struct sockaddr *)&name, sizeof name) == 0 &&
		setenv("NOTIFY_SOCKET", name.sun_path, 1) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Receives a notification within so many milliseconds. Returns whether one came. */
static bool
receive(int manager, char *words, size_t size, int patience)
{
	struct pollfd query = {.fd = manager, .events = POLLIN};
	ssize_t length;

	if (poll(&query, 1, patience) != 1 || (length = recv(manager, words, size - 1, 0)) < 0)
		return false;
	words[length] = '\0';
	return true;
}

bool
manager_hears(int manager, const char *text, double seconds)
{
	int64_t left,
		end = clock_now() + (int64_t)(program_patience(seconds) * (double)CLOCK_SECOND);
	char words[1024];

	while ((left = end - clock_now()) > 0 &&
		receive(manager, words, sizeof words, (int)(left / CLOCK_MILLISECOND) + 1))
		if (strstr(words, text) != NULL)
			return true;
	return false;
}

void
manager_forget(int manager)
{
	char words[1024];

	while (receive(manager, words, sizeof words, 0))
		continue;
}
