/* Locks of files between coroutines, and with others. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/unit/hub/patch/scenes.h"

static struct flock scene_lock;

/* ---- locks of files, which another open file, or another process, holds ---- */

void
scenes_make_locked(struct scene *s)
{
	char path[64];

	s->extra = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	snprintf(path, sizeof path, "/proc/self/fd/%d", s->extra);
	s->ends[0] = open(path, O_RDWR);
	flock(s->extra, LOCK_EX);
	scene_lock.l_type = F_WRLCK;
	fcntl(s->extra, F_OFD_SETLK, &scene_lock);
}

void
scenes_unlock(struct scene *s)
{
	flock(s->extra, LOCK_UN);
	scene_lock.l_type = F_UNLCK;
	fcntl(s->extra, F_OFD_SETLK, &scene_lock);
}

void
scenes_flock(struct scene *s)
{
	SCENE_CALL(s, flock(s->ends[0], LOCK_EX));
}

void
scenes_fcntl(struct scene *s)
{
	struct flock lock = {.l_type = F_WRLCK};

	SCENE_CALL(s, fcntl(s->ends[0], F_OFD_SETLKW, &lock));
}

void
scenes_fcntl_of_process(struct scene *s)
{
	struct flock lock = {.l_type = F_WRLCK};

	SCENE_CALL(s, fcntl(s->ends[0], F_SETLKW, &lock));
}

void
scenes_lockf(struct scene *s)
{
	SCENE_CALL(s, lockf(s->ends[0], F_LOCK, 0));
}

/* ---- who waits for one, and is killed ---- */

struct waiting {
	int fd, result, error;
};

static void *
wait_for_it(void *argument)
{
	struct waiting *waiting = argument;
	struct flock lock = {.l_type = F_WRLCK};

	waiting->result = fcntl(waiting->fd, F_OFD_SETLKW, &lock);
	waiting->error = errno;
	return NULL;
}

static void *
kill_waiter(void *argument)
{
	struct waiting *waiting = argument;
	struct hub_coroutine *waiter;
	static struct scene scene;

	scenes_make_locked(&scene);
	waiting->fd = scene.ends[0];
	waiter = hub_spawn(wait_for_it, waiting);
	until_it_waits(waiter);
	hub_kill(waiter);
	hub_join(waiter, NULL);
	close(scene.ends[0]);
	close(scene.extra);
	return NULL;
}

TestSuite(filelock, .timeout = 60);

Test(filelock, whoever_waits_may_be_killed)
{
	struct waiting waiting = {0};

	hub_patch_all();
	in_hub(kill_waiter, &waiting);
	cr_assert(waiting.result == -1 && waiting.error == ECANCELED, "%d %d", waiting.result,
		waiting.error);
}

/* ---- whose number is another file's by the time that it may be locked ---- */

#define WAYS 4

struct reuse {
	int fd, way, other_is_locked;
	int results[WAYS], errors[WAYS];
};

static void *
lock_it(void *argument)
{
	struct reuse *reuse = argument;
	struct flock lock = {.l_type = F_WRLCK};
	int way = reuse->way, fd = reuse->fd;

	if (way == 0)
		reuse->results[way] = flock(fd, LOCK_EX);
	else if (way == 1)
		reuse->results[way] = lockf(fd, F_LOCK, 0);
	else
		reuse->results[way] = fcntl(fd, way == 2 ? F_SETLKW : F_OFD_SETLKW, &lock);
	reuse->errors[way] = errno;
	return NULL;
}

/* Nobody else has a hub. */
static void *
put_another_there(void *argument)
{
	struct reuse *reuse = argument;
	int other = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	close(reuse->fd);
	dup2(other, reuse->fd);
	close(other);
	return NULL;
}

static void *
reuse_number(void *argument)
{
	struct reuse *reuse = argument;
	static struct scene scene;

	for (reuse->way = 0; reuse->way < WAYS; reuse->way++) {
		struct hub_coroutine *waiter;
		pthread_t thread;

		scenes_make_locked(&scene);
		reuse->fd = scene.ends[0];
		waiter = hub_spawn(lock_it, reuse);
		until_it_waits(waiter);
		pthread_create(&thread, NULL, put_another_there, reuse);
		pthread_join(thread, NULL);
		hub_join(waiter, NULL);
		close(reuse->fd);
		close(scene.extra);
	}
	return NULL;
}

Test(filelock, the_next_file_of_a_number_is_not_locked)
{
	struct reuse reuse = {0};

	hub_patch_all();
	in_hub(reuse_number, &reuse);
	for (int i = 0; i < WAYS; i++)
		cr_expect(reuse.results[i] == -1 && reuse.errors[i] == EBADF, "%d: %d %d", i,
			reuse.results[i], reuse.errors[i]);
}
