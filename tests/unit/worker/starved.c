/* Takes all stacks that there are, and lets the process map no more. */
#include "tests/unit/worker/starved.h"

#include <sys/resource.h>

#include "hub/hub.h"

#define SLEEPERS_MAX 4096

static struct hub_coroutine *sleepers[SLEEPERS_MAX];
static unsigned count;
static struct rlimit limit;

static void *
sleep_on(void *unused)
{
	hub_sleep(HUB_FOREVER);
	return unused;
}

bool
starved_begin(void)
{
	struct rlimit none;

	getrlimit(RLIMIT_AS, &limit);
	none = (struct rlimit){0, limit.rlim_max};
	setrlimit(RLIMIT_AS, &none);
	count = 0;
	while (count < SLEEPERS_MAX && (sleepers[count] = hub_spawn(sleep_on, NULL)) != NULL)
		count++;
	return count < SLEEPERS_MAX;
}

void
starved_end(void)
{
	setrlimit(RLIMIT_AS, &limit);
	while (count-- > 0) {
		hub_kill(sleepers[count]);
		hub_join(sleepers[count], NULL);
	}
}
