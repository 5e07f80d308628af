#include "master/limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "hub/base/log.h"

/* The master holds every listening socket and two descriptors per worker; a worker its share, and
 * per hub a loop's three. The rest is for the standard streams, /proc, and some clients. */
#define PER_WORKER 2
#define PER_HUB 3
#define FILES_PLENTY 65536
#define SYN_BACKLOG_PLENTY 1024
#define RESERVE 32

int
limits_raise(unsigned addresses, unsigned workers, unsigned hubs)
{
	struct rlimit limit;
	rlim_t master = (rlim_t)addresses * workers * hubs + PER_WORKER * workers + RESERVE;
	rlim_t worker = (rlim_t)(addresses + PER_HUB) * hubs + RESERVE;
	rlim_t needed = master > worker ? master : worker;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		log_error("cannot read the file limit: %s", strerror(errno));
		return -1;
	}
	if (limit.rlim_max < needed) {
		log_error("the limit of %lu open file%s is too low: %u process%s x %u thread%s "
			  "need at "
			  "least %lu, and one more per client; raise it (ulimit -n, LimitNOFILE=)",
			(unsigned long)limit.rlim_max, log_plural(limit.rlim_max, "s"), workers,
			log_plural(workers, "es"), hubs, log_plural(hubs, "s"),
			(unsigned long)needed);
		return -1;
	}
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_warning("cannot raise the file limit: %s", strerror(errno));
	return 0;
}

uint64_t
limits_connections(unsigned addresses, unsigned hubs)
{
	struct rlimit limit;
	uint64_t used = (uint64_t)(addresses + PER_HUB) * hubs + RESERVE;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= used)
		return 1;
	return limit.rlim_cur - used;
}

/* A whole number in a file of /proc/sys, or -1. */
static long
read_setting(const char *path)
{
	FILE *stream = fopen(path, "re");
	long value = -1;

	if (stream == NULL)
		return -1;
	if (fscanf(stream, "%ld", &value) != 1)
		value = -1;
	fclose(stream);
	return value;
}

void
limits_warn(unsigned backlog)
{
	long queue = read_setting("/proc/sys/net/core/somaxconn");
	long begun = read_setting("/proc/sys/net/ipv4/tcp_max_syn_backlog");
	struct rlimit files;

	if (queue >= 0 && queue < (long)backlog)
		log_warning("the kernel cuts --backlog %u to %ld: connections are dropped in a "
			    "burst; lift it: sysctl -w net.core.somaxconn=%u",
			backlog, queue, backlog);
	if (begun >= 0 && begun < SYN_BACKLOG_PLENTY && begun < (long)backlog)
		log_warning("at most %ld handshakes may be under way; lift it: sysctl -w "
			    "net.ipv4.tcp_max_syn_backlog=%u",
			begun, backlog);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < FILES_PLENTY)
		log_info("a worker may open %lu files, and hold about as many connections; for "
			 "more: ulimit -Hn %d, or LimitNOFILE=%d in the unit",
			(unsigned long)files.rlim_cur, FILES_PLENTY, FILES_PLENTY);
}
