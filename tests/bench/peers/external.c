/* Peers that are programs of their own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"

/* What the command prints, or -1. */
static double
run(const char *command)
{
	FILE *stream = popen(command, "re");
	double value = -1;

	if (stream == NULL)
		return -1;
	if (fscanf(stream, "%lf", &value) != 1)
		value = -1;
	return pclose(stream) == 0 ? value : -1;
}

double
peer_go(const char *what)
{
	char folder[512], command[640];
	ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);

	if (length < 0)
		return -1;
	folder[length] = '\0';
	*strrchr(folder, '/') = '\0';
	snprintf(command, sizeof command, "%s/peer-go-go %s 2>/dev/null", folder, what);
	return run(command);
}

double
peer_gevent(const char *what)
{
	char command[640];

	/* Debian's Python has Debian's gevent. */
	snprintf(command, sizeof command,
		"/usr/bin/python3 %s/tests/bench/peers/gevent_peer.py %s 2>/dev/null",
		HUBBUB_SOURCE_DIR, what);
	return run(command);
}
