#include "master/limits.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "hub/base/log.h"

/* The master holds every listening socket and two descriptors per worker; a worker its share, and
 * per hub a loop's three. The rest is for the standard streams, /proc, and some clients. */
#define PER_WORKER 2
#define PER_HUB 3
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
		log_error(
			"the limit of %lu open files is too low: %u processes x %u threads need "
			"at least %lu, and one more per client; raise it (ulimit -n, LimitNOFILE=)",
			(unsigned long)limit.rlim_max, workers, hubs, (unsigned long)needed);
		return -1;
	}
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_warning("cannot raise the file limit: %s", strerror(errno));
	return 0;
}
