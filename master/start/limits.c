/* How many file descriptors the master and a worker need, and whether the limits have room for
 * them. Each limit that would bite later is reported at the start, with the command that lifts
 * it. */
#include "master/start/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "worker/nofile.h"

/* File descriptors: the master holds every listening socket, and PER_WORKER (channel, pidfd,
 * output) for each worker. A worker holds for each hub its listeners, each with a spare descriptor,
 * and PER_HUB for the event loop. RESERVE is for the standard streams, the log, /proc, and some
 * clients. */
#define PER_WORKER 3
#define PER_LISTENER 2
#define PER_HUB 3
#define FILES_PLENTY 65536
#define SYN_BACKLOG_PLENTY 1024
#define RESERVE 32
#define SOMAXCONN_FILE "/proc/sys/net/core/somaxconn"

/* Returns the file descriptors that the master or a worker needs, whichever are more. */
static rlim_t
files_needed(unsigned addresses, unsigned workers, unsigned hubs)
{
	rlim_t master = (rlim_t)addresses * workers * hubs + PER_WORKER * workers + RESERVE;
	rlim_t worker = (rlim_t)(PER_LISTENER * addresses + PER_HUB) * hubs + RESERVE;

	return master > worker ? master : worker;
}

/* Returns text. */
static const char *
write_too_low(
	rlim_t limit, unsigned addresses, unsigned workers, unsigned hubs, char *text, size_t size)
{
	rlim_t needed = files_needed(addresses, workers, hubs);
	char advice[NOFILE_ADVICE_SIZE];

	snprintf(text, size,
		"the limit of %lu open file%s is too low: %u process%s x %u thread%s need at "
		"least %lu, and one more per client; raise it (%s)",
		(unsigned long)limit, log_plural(limit, "s"), workers, log_plural(workers, "es"),
		hubs, log_plural(hubs, "s"), (unsigned long)needed, nofile_advice(advice, needed));
	return text;
}

/* The hard limit is above fs.nr_open if fs.nr_open was lowered since: the kernel keeps such a
 * limit, but refuses to set it again. */
static void
cut_to_most(struct rlimit *limit)
{
	uint64_t most = nofile_most();

	if (most == 0 || limit->rlim_max <= most)
		return;
	log_warning("the limit of %lu open files is cut to fs.nr_open, which is %lu; lift it: "
		    "sysctl -w fs.nr_open=%lu",
		(unsigned long)limit->rlim_max, (unsigned long)most,
		(unsigned long)limit->rlim_max);
	limit->rlim_max = most;
}

int
limits_raise(unsigned addresses, unsigned workers, unsigned hubs)
{
	struct rlimit limit;
	char why[384];

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		log_error("cannot read the file limit: %s", strerror(errno));
		return -1;
	}
	cut_to_most(&limit);
	if (limit.rlim_max < files_needed(addresses, workers, hubs)) {
		log_error("%s",
			write_too_low(limit.rlim_max, addresses, workers, hubs, why, sizeof why));
		return -1;
	}
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_warning("cannot raise the file limit: %s", strerror(errno));
	return 0;
}

/* Returns how many of the wanted files this process can open at this moment; if fewer, errno says
 * why. */
static unsigned
find_room(unsigned wanted)
{
	int *fds = malloc(wanted * sizeof *fds);
	unsigned count = 0;
	int error;

	while (fds != NULL && count < wanted &&
		(fds[count] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) != -1)
		count++;
	error = errno;
	for (unsigned i = 0; i < count; i++)
		close(fds[i]);
	free(fds);
	errno = error;
	return count;
}

bool
limits_allow(
	unsigned addresses, unsigned workers, unsigned hubs, unsigned more, char *why, size_t size)
{
	char advice[NOFILE_ADVICE_SIZE];
	struct rlimit limit;
	unsigned room;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return true;
	if (limit.rlim_cur < files_needed(addresses, workers, hubs)) {
		write_too_low(limit.rlim_cur, addresses, workers, hubs, why, size);
		return false;
	}
	room = find_room(more);
	if (room == more)
		return true;
	if (errno == EMFILE)
		snprintf(why, size,
			"the limit of %lu open files is too low: the change needs %u more in the "
			"master, which can open %u; raise it (%s)",
			(unsigned long)limit.rlim_cur, more, room,
			nofile_advice(advice, limit.rlim_cur + more - room));
	else
		snprintf(why, size,
			"the change needs %u more files in the master, which can open %u: %s", more,
			room, strerror(errno));
	return false;
}

uint64_t
limits_connections(unsigned addresses, unsigned hubs)
{
	struct rlimit limit;
	uint64_t used = (uint64_t)(PER_LISTENER * addresses + PER_HUB) * hubs + RESERVE;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur <= used)
		return 1;
	return limit.rlim_cur - used;
}

/* Returns the whole number in a file of /proc/sys, or -1. */
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

/* Returns the length to which the kernel cuts the backlog, found out on a listener at a port that
 * nobody knows; 0 if the kernel does not tell. */
static unsigned
try_backlog(unsigned backlog)
{
	struct sockaddr_in name = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct tcp_info info;
	socklen_t length = sizeof info;
	unsigned cut = 0;

	if (fd != -1 && bind(fd, (struct sockaddr *)&name, sizeof name) == 0 &&
		listen(fd, (int)backlog) == 0 &&
		getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0)
		cut = info.tcpi_sacked;
	if (fd != -1)
		close(fd);
	return cut;
}

unsigned
limits_backlog(unsigned backlog)
{
	long most = read_setting(SOMAXCONN_FILE);

	/* In a unit with ProcSubset=pid, /proc/sys is missing. */
	if (most < 0)
		most = try_backlog(backlog);
	return most > 0 && most < (long)backlog ? (unsigned)most : backlog;
}

void
limits_warn(unsigned backlog, unsigned addresses, unsigned hubs)
{
	unsigned queue = limits_backlog(backlog);
	long begun = read_setting("/proc/sys/net/ipv4/tcp_max_syn_backlog");
	char advice[NOFILE_ADVICE_SIZE];
	struct rlimit files;

	if (queue < backlog)
		log_warning("the kernel cuts --backlog %u to %u: connections are dropped in a "
			    "burst; lift it: sysctl -w net.core.somaxconn=%u",
			backlog, queue, backlog);
	if (begun >= 0 && begun < SYN_BACKLOG_PLENTY && begun < (long)backlog)
		log_warning("at most %ld TCP handshakes can be pending; lift it: sysctl -w "
			    "net.ipv4.tcp_max_syn_backlog=%u",
			begun, backlog);
	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= FILES_PLENTY)
		return;
	if (nofile_most() != 0 && nofile_most() < FILES_PLENTY)
		nofile_advice(advice, FILES_PLENTY);
	else
		snprintf(advice, sizeof advice, "ulimit -Hn %d, or LimitNOFILE=%d in the unit",
			FILES_PLENTY, FILES_PLENTY);
	log_info("a worker may open %lu files, and so hold %lu connections; for more: %s",
		(unsigned long)files.rlim_cur, (unsigned long)limits_connections(addresses, hubs),
		advice);
}
