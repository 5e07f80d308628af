/* Blocks a hub's thread in ways that cannot be patched, for the report, and then waits. */
#include <hubbub/hub.h>
#include <hubbub/patch/patch.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void *
block_anyway(void *argument)
{
	struct timespec pause = {0, 20000000};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigtimedwait(&set, NULL, &pause);
	usleep(20000);
	return argument;
}

static void *
block_on_errand(void *argument)
{
	usleep(5000);
	return argument;
}

static void *
body(void *argument)
{
	hub_join(hub_spawn(block_anyway, NULL), NULL);
	hub_on_thread_stack(block_on_errand, NULL, NULL);
	hub_sleep(20 * HUB_MILLISECOND);
	return argument;
}

int
main(void)
{
	hub_patch_all();
	return hub_run(body, NULL, NULL);
}
