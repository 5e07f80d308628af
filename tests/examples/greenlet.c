/* The tutorial's greenlets: eat and play switch to each other by hand, with values. */
#include <hubbub/hub.h>
#include <stdio.h>

static struct hub_coroutine *eat, *play;

static void *
eat_body(void *name)
{
	printf("%s eats 1\n", (const char *)name);
	name = hub_switch(play, "egon");
	printf("%s eats 2\n", (const char *)name);
	hub_switch(play, NULL);
	return NULL;
}

static void *
play_body(void *name)
{
	printf("%s plays 1\n", (const char *)name);
	hub_switch(eat, "alex");
	printf("%s plays 2\n", (const char *)name);
	return "done";
}

int
main(void)
{
	const char *result;

	eat = hub_new(eat_body);
	play = hub_new(play_body);
	result = hub_switch(eat, "egon");
	printf("%s\n", result);
	hub_free(eat);
	hub_free(play);
	return 0;
}
