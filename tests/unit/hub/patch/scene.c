#include "tests/unit/hub/patch/scene.h"

#include <hubbub/hub.h>
#include <stdlib.h>
#include <unistd.h>

/* So long the call has been under way when it is woken. */
#define TICKS 200

struct play {
	struct scene *scene;
	scene_fn *call;
	scene_fn *wake;
};

static void *
tick(void *argument)
{
	struct scene *scene = argument;

	while (!scene->has_ended) {
		scene->ticks++;
		hub_sleep(0);
	}
	return NULL;
}

static void *
call(void *argument)
{
	struct play *play = argument;
	unsigned before = play->scene->ticks;

	play->scene->caller = hub_current();
	play->scene->is_calling = true;
	play->call(play->scene);
	play->scene->has_suspended = play->scene->ticks > before;
	play->scene->has_ended = true;
	return NULL;
}

static void *
wake(void *argument)
{
	struct play *play = argument;
	unsigned begun;

	while (!play->scene->is_calling)
		hub_sleep(0);
	begun = play->scene->ticks;
	while (play->scene->ticks < begun + TICKS && !play->scene->has_ended)
		hub_sleep(0);
	if (play->wake != NULL)
		play->wake(play->scene);
	return NULL;
}

void
scene_play(struct scene *scene, scene_fn *prepare, scene_fn *the_call, scene_fn *the_wake,
	scene_fn *clean)
{
	struct play play = {scene, the_call, the_wake};
	struct hub_coroutine *coroutines[3];

	scene->ends[0] = scene->ends[1] = scene->extra = scene->room = -1;
	scene->is_calling = scene->has_ended = scene->has_suspended = false;
	scene->ticks = 0;
	scene->error = SCENE_UNTOUCHED;
	if (prepare != NULL)
		prepare(scene);
	coroutines[0] = hub_spawn(call, &play);
	coroutines[1] = hub_spawn(tick, scene);
	coroutines[2] = hub_spawn(wake, &play);
	for (int i = 0; i < 3; i++)
		hub_join(coroutines[i], NULL);
	if (clean != NULL)
		clean(scene);
}

struct timespec
scene_end(void)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 10;
	return end;
}

int
scene_file(const struct scene *scene)
{
	char path[] = "/tmp/hubbub-calls-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	if (pwrite(fd, scene->buffer, sizeof scene->buffer, 0) != sizeof scene->buffer)
		return -1;
	return fd;
}

void
scene_close(struct scene *scene)
{
	for (int i = 0; i < 2; i++)
		if (scene->ends[i] != -1)
			close(scene->ends[i]);
	if (scene->extra != -1)
		close(scene->extra);
	if (scene->room != -1)
		close(scene->room);
}
