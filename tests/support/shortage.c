#include "tests/support/shortage.h"

#include <pthread.h>
#include <sys/resource.h>

#include "tests/support/nap.h"

static struct rlimit before;
static pthread_t other;

static void *
allow(void *unused)
{
	nap(0.05);
	setrlimit(RLIMIT_NOFILE, &before);
	return unused;
}

void
shortage_begin(void)
{
	struct rlimit none;

	getrlimit(RLIMIT_NOFILE, &before);
	none = (struct rlimit){0, before.rlim_max};
	pthread_create(&other, NULL, allow, NULL);
	setrlimit(RLIMIT_NOFILE, &none);
}

void
shortage_end(void)
{
	pthread_join(other, NULL);
}
