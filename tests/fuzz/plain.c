/* A plain program of random blocking calls, which knows nothing of hubs. It prints each call's
 * result, errno and what the call has stored; its output must not depend on whether the calls are
 * patched. random-calls compares.
 *
 *	plain-calls SEED COUNT */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/calls.h"
#include "tests/fuzz/helper.h"

void
calls_tell(const char *what, long result)
{
	int error = errno;

	printf("%s: %ld", what, result);
	if (result == -1)
		printf(" %s", strerrorname_np(error));
	else if (error != CALLS_UNTOUCHED)
		printf(" errno %d", error);
	printf("\n");
}

static const struct {
	const char *name;
	void (*run)(void);
} steps[] = {{"receive", calls_receive}, {"receive", calls_receive}, {"send", calls_send},
	{"send", calls_send}, {"poll", calls_poll}, {"select", calls_select},
	{"epoll", calls_epoll}, {"sleep", calls_sleep}, {"accept", calls_accept},
	{"connect", calls_connect}, {"child", calls_child}, {"lock", calls_lock},
	{"wrong", calls_wrong}, {"interrupt", calls_interrupt}, {"fork", calls_fork}};

int
main(int argc, char **argv)
{
	unsigned long seed = argc == 3 ? strtoul(argv[1], NULL, 10) : 1,
		      count = argc == 3 ? strtoul(argv[2], NULL, 10) : 1;

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	helper_start();
	random_begin(seed);
	for (unsigned long i = 0; i < count; i++) {
		unsigned step = below(sizeof steps / sizeof steps[0]);

		printf("%lu %s\n", i, steps[step].name);
		steps[step].run();
	}
	helper_end();
	return 0;
}
