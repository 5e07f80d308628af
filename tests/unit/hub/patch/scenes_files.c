/* Calls that nobody need wake: of files, and of time. */
#include "tests/unit/hub/patch/scenes.h"
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void
call_sleep(struct scene *s)
{
	SCENE_CALL(s, sleep(1));
}

static void
call_usleep(struct scene *s)
{
	SCENE_CALL(s, usleep(5000));
}

static void
call_nanosleep(struct scene *s)
{
	struct timespec time = {0, 5000000};

	SCENE_CALL(s, nanosleep(&time, NULL));
}

static void
call_clock_nanosleep(struct scene *s)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += end.tv_nsec / 995000000;
	end.tv_nsec = (end.tv_nsec + 5000000) % 1000000000;
	SCENE_CALL(s, clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &end, NULL));
}

static void
make_one_file(struct scene *s)
{
	s->ends[0] = scene_file(s);
}

static void
call_pread(struct scene *s)
{
	SCENE_CALL(s, pread(s->ends[0], s->buffer, 5, 10));
}

static void
call_preadv(struct scene *s)
{
	struct iovec part = {s->buffer, 5};

	SCENE_CALL(s, preadv(s->ends[0], &part, 1, 10));
}

static void
call_pwrite(struct scene *s)
{
	SCENE_CALL(s, pwrite(s->ends[0], s->buffer, 5, 10));
}

static void
call_pwritev(struct scene *s)
{
	struct iovec part = {s->buffer, 5};

	SCENE_CALL(s, pwritev(s->ends[0], &part, 1, 10));
}

static void
call_pwritev2(struct scene *s)
{
	struct iovec part = {s->buffer, 5};

	SCENE_CALL(s, pwritev2(s->ends[0], &part, 1, 10, 0));
}

const struct scene_case scenes_of_files[] = {
	{"sleep", NULL, call_sleep, NULL, 0, 0},
	{"usleep", NULL, call_usleep, NULL, 0, 0},
	{"nanosleep", NULL, call_nanosleep, NULL, 0, 0},
	{"clock_nanosleep", NULL, call_clock_nanosleep, NULL, 0, 0},
	{"pread", make_one_file, call_pread, NULL, 5, SCENE_MAY_BE_DONE},
	{"preadv", make_one_file, call_preadv, NULL, 5, SCENE_MAY_BE_DONE},
	{"pwrite", make_one_file, call_pwrite, NULL, 5, 0},
	{"pwritev", make_one_file, call_pwritev, NULL, 5, 0},
	{"pwritev2", make_one_file, call_pwritev2, NULL, 5, 0},
	{0},
};
