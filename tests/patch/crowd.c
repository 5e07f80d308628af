#include "tests/patch/crowd.h"

#include <hubbub/hub.h>
#include <hubbub/patch/patch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Libraries were written for the stacks of threads. */
#define STACK_SIZE ((size_t)512 * 1024)

static struct {
	crowd_fn *work;
	int port;
	int count;
	int right;
	int at_work;
	int most_at_work;
} crowd;

static void *
work(void *index)
{
	if (++crowd.at_work > crowd.most_at_work)
		crowd.most_at_work = crowd.at_work;
	if (crowd.work(crowd.port, (int)(intptr_t)index))
		crowd.right++;
	crowd.at_work--;
	return NULL;
}

static void *
run_all(void *argument)
{
	struct hub_coroutine **all = calloc((size_t)crowd.count, sizeof *all);

	for (int i = 0; i < crowd.count; i++)
		all[i] = hub_spawn(work, (void *)(intptr_t)i);
	for (int i = 0; i < crowd.count; i++)
		hub_join(all[i], NULL);
	free(all);
	return argument;
}

int
crowd_main(int argc, char **argv, crowd_fn *the_work)
{
	struct hub_options options = {.stack_size = STACK_SIZE};
	int64_t began = hub_now();

	if (argc < 3) {
		fprintf(stderr, "usage: %s PORT COUNT [unpatched]\n", argv[0]);
		return 2;
	}
	crowd.work = the_work;
	crowd.port = atoi(argv[1]);
	crowd.count = atoi(argv[2]);
	if (argc < 4 || strcmp(argv[3], "unpatched") != 0)
		hub_patch_all();
	if (hub_run_with(&options, run_all, NULL, NULL) != 0) {
		perror("hub_run_with");
		return 1;
	}
	printf("%d of %d right, at most %d at a time, in %.3f s\n", crowd.right, crowd.count,
		crowd.most_at_work, (double)(hub_now() - began) / (double)HUB_SECOND);
	return crowd.right == crowd.count ? 0 : 1;
}
