/* Advice for log messages: names the sysctl if fs.nr_open is the limit that bites, else ulimit -n
 * and LimitNOFILE=. fs.nr_open is read from /proc each time; the last value read serves when no
 * file can be opened. */
#include "worker/nofile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* The kernel's default for fs.nr_open. A unit with ProcSubset=pid cannot read the actual value. */
#define MOST_BY_DEFAULT 1048576

static uint64_t remembered; /* the last fs.nr_open that was read; 0 for none; atomic */

uint64_t
nofile_most(void)
{
	char text[32];
	int fd = open("/proc/sys/fs/nr_open", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd != -1 ? read(fd, text, sizeof text - 1) : -1;

	if (fd != -1)
		close(fd);
	if (length > 0) {
		text[length] = '\0';
		__atomic_store_n(&remembered, strtoull(text, NULL, 10), __ATOMIC_RELAXED);
	}
	return __atomic_load_n(&remembered, __ATOMIC_RELAXED);
}

/* The next power of two from 1024 on that is enough. */
static uint64_t
round_up(uint64_t wanted)
{
	uint64_t round = 1024;

	while (round < wanted && round < UINT64_MAX / 2)
		round *= 2;
	return round;
}

const char *
nofile_advice(char text[static NOFILE_ADVICE_SIZE], uint64_t wanted)
{
	uint64_t most = nofile_most();
	struct rlimit limit;

	if (wanted == 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0)
		wanted = (uint64_t)limit.rlim_max + 1;
	if (most != 0 && wanted > most)
		snprintf(text, NOFILE_ADVICE_SIZE,
			"fs.nr_open, which is %lu (sysctl -w fs.nr_open=%lu), and then ulimit -n, "
			"LimitNOFILE=",
			(unsigned long)most, (unsigned long)round_up(wanted));
	else if (most == 0 && wanted > MOST_BY_DEFAULT)
		snprintf(text, NOFILE_ADVICE_SIZE,
			"fs.nr_open, if it is still %d, and then ulimit -n, LimitNOFILE=",
			MOST_BY_DEFAULT);
	else
		snprintf(text, NOFILE_ADVICE_SIZE, "ulimit -n, LimitNOFILE=");
	return text;
}

const char *
nofile_advice_of(char text[static NOFILE_ADVICE_SIZE], int error)
{
	if (error != ENFILE)
		return nofile_advice(text, 0);
	snprintf(text, NOFILE_ADVICE_SIZE, "fs.file-max, the limit of all processes together");
	return text;
}
