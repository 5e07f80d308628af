/* Locks of files between coroutines, and with others. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/unit/hub/patch/between.h"
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
	int fd, way;
	int is_free[WAYS];
	int tries;
	atomic_bool is_replaced;
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
	atomic_store(&reuse->is_replaced, true);
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

/* ---- the same, right before the try that succeeds ---- */

static struct reuse in_time;

static void
replace_before_try(int fd)
{
	pthread_t thread;

	if (fd != in_time.fd || ++in_time.tries != 2)
		return;
	pthread_create(&thread, NULL, put_another_there, &in_time);
	pthread_detach(thread);
	/* Nobody else runs meanwhile: the hub's thread is between two instructions of the call. */
	while (!atomic_load(&in_time.is_replaced))
		continue;
}

/* Whether neither kind of lock keeps another open file out. */
static bool
is_free(int fd)
{
	struct flock lock = {.l_type = F_WRLCK};
	char path[64];
	bool is_free;
	int other;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	other = open(path, O_RDWR);
	is_free = flock(other, LOCK_EX | LOCK_NB) == 0 && fcntl(other, F_OFD_GETLK, &lock) == 0 &&
		  lock.l_type == F_UNLCK;
	close(other);
	return is_free;
}

static void *
reuse_in_time(void *argument)
{
	static struct scene scene;

	for (in_time.way = 0; in_time.way < WAYS; in_time.way++) {
		scenes_make_locked(&scene);
		in_time.fd = scene.ends[0];
		in_time.tries = 0;
		in_time.is_replaced = false;
		between = replace_before_try;
		lock_it(&in_time);
		between = NULL;
		in_time.is_free[in_time.way] = is_free(in_time.fd);
		close(in_time.fd);
		close(scene.extra);
	}
	return argument;
}

Test(filelock, what_was_locked_of_the_next_file_is_given_back)
{
	hub_patch_all();
	in_hub(reuse_in_time, NULL);
	for (int i = 0; i < WAYS; i++)
		cr_expect(in_time.results[i] == -1 && in_time.errors[i] == EBADF &&
				  in_time.is_free[i],
			"%d: %d %d, %s", i, in_time.results[i], in_time.errors[i],
			in_time.is_free[i] ? "free" : "locked");
}
