/* The tutorial's gevent program with monkey.patch_all(): plain sleep(3) and sleep(1), together 3
 * s. */
#include <hubbub/hub.h>
#include <hubbub/patch/patch.h>
#include <stdio.h>
#include <unistd.h>

static void *
eat(void *name)
{
	printf("%s eats 1\n", (const char *)name);
	sleep(3);
	printf("%s eats 2\n", (const char *)name);
	return NULL;
}

static void *
play(void *name)
{
	printf("%s plays 1\n", (const char *)name);
	sleep(1);
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

	hub_patch_all();
	if (hub_run(body, NULL, NULL) != 0) {
		perror("hub_run");
		return 1;
	}
	printf("%.0f s\n", (double)(hub_now() - began) / 1e9);
	return 0;
}
