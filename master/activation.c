#include "master/activation.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/values.h"

#define FIRST_FD 3

/* 0 for more than there can be. */
static int
read_count(const char *text)
{
	uint64_t count;

	if (values_read_plain(text, (uint64_t)sysconf(_SC_OPEN_MAX) - FIRST_FD, &count))
		return (int)count;
	log_warning("LISTEN_FDS: %s sockets cannot have been passed; taking none", text);
	return 0;
}

void
activation_take(struct sockets *sockets)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	uint64_t whose;
	int passed = 0;

	if (count != NULL && pid != NULL && values_read_plain(pid, INT_MAX, &whose) &&
		(pid_t)whose == getpid())
		passed = read_count(count);
	for (int fd = FIRST_FD; fd < FIRST_FD + passed; fd++) {
		struct address address = {.length = sizeof address.socket};
		char text[ADDRESS_TEXT_SIZE] = "no address";

		if (sockets_take(sockets, fd))
			continue;
		if (getsockname(fd, (struct sockaddr *)&address.socket, &address.length) == 0)
			address_format(&address, text);
		log_warning("the passed socket %d (%s) is none of the --listen addresses; closing "
			    "it",
			fd, text);
		close(fd);
	}
	/* For this process alone. */
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDNAMES");
}
