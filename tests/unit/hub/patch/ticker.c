/* It sleeps for no time at all, so that it runs once in each turn of the hub's loop. */
#include "tests/unit/hub/patch/ticker.h"

#include <hubbub/hub.h>

int ticks;
static struct hub_coroutine *ticker;
static bool is_over;

static void *
tick(void *argument)
{
	while (!is_over) {
		ticks++;
		hub_sleep(0);
	}
	return argument;
}

void
ticker_start(void)
{
	is_over = false;
	ticker = hub_spawn(tick, NULL);
}

void
ticker_stop(void)
{
	is_over = true;
	hub_join(ticker, NULL);
}
