#include <string.h>
#include <unistd.h>

#include "tests/support/in_hub.h"

static void *
sleeper(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static void *
dump_body(void *argument)
{
	int *pipes = argument;
	struct hub_coroutine *coroutine = hub_spawn(sleeper, NULL);

	hub_set_name(coroutine, "the sleeper");
	hub_sleep(0);
	hub_dump(pipes[1]);
	return NULL;
}

Test(dump, names_every_coroutine_and_what_it_waits_for)
{
	char text[1024];
	ssize_t length;
	int pipes[2];

	cr_assert_eq(pipe(pipes), 0);
	in_hub(dump_body, pipes);
	length = read(pipes[0], text, sizeof text - 1);
	cr_assert_gt(length, 0);
	text[length] = '\0';
	cr_assert_not_null(strstr(text, "\"main\": running"));
	cr_assert_not_null(strstr(text, "\"the sleeper\": waits for sleep"));
}
