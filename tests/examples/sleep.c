/* The tutorial's gevent program: eat sleeps 3 s and play 1 s, together 3 s and not 4. */
#include <hubbub/hub.h>
#include <stdio.h>

static void *
eat(void *name)
{
	printf("%s eats 1\n", (const char *)name);
	hub_sleep(3 * HUB_SECOND);
	printf("%s eats 2\n", (const char *)name);
	return NULL;
}

static void *
play(void *name)
{
	printf("%s plays 1\n", (const char *)name);
	hub_sleep(HUB_SECOND);
	printf("%s plays 2\n", (const char *)name);
	return NULL;
}

static void *
body(void *argument)
{
	struct hub_coroutine *one = hub_spawn(eat, "egon"), *other = hub_spawn(play, "egon");

	hub_join(one, NULL);
	hub_join(other, NULL);
	printf("main\n");
	return argument;
}

int
main(void)
{
	int64_t began = hub_now();

	if (hub_run(body, NULL, NULL) != 0) {
		perror("hub_run");
		return 1;
	}
	printf("%.0f s\n", (double)(hub_now() - began) / 1e9);
	return 0;
}
