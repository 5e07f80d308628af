/* One coroutine in one call of the C library's, others beside it: did they run meanwhile? */
#ifndef HUBBUB_TESTS_SCENE_H
#define HUBBUB_TESTS_SCENE_H

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct scene {
	int ends[2]; /* what the call is about, and its other end */
	int extra;   /* a descriptor more, or -1 */
	int room;    /* one more, or -1: the end that makes room */
	pid_t child;
	struct hub_coroutine *caller;
	pthread_mutex_t mutex;
	pthread_cond_t condition;
	sem_t semaphore;
	char buffer[1 << 16];
	/* The outcome. */
	long result;
	int error;
	bool is_calling;
	bool has_ended;
	unsigned ticks;     /* of the coroutine that does nothing but run */
	bool has_suspended; /* it ticked while the call was under way */
};

typedef void scene_fn(struct scene *scene);

enum scene_trait {
	SCENE_MAY_BE_DONE = 1,   /* at once, without suspending */
	SCENE_WAITS_FOR_FD = 2,  /* and so gets EBADF when that is closed */
	SCENE_NEEDS_THREADS = 4, /* besides the hub's */
	SCENE_IS_CALLERS = 8,    /* the process that calls prepares it, too */
};

/* A call, and how it is played; each function may be NULL. */
struct scene_case {
	const char *call;
	scene_fn *prepare;
	scene_fn *make;
	scene_fn *wake;
	long expected;
	unsigned traits;
};

/* In a hub: prepares, makes the call in one coroutine, and some ticks after it has begun wakes it
 * in another. Each of prepare, wake and clean may be NULL. */
void scene_play(
	struct scene *scene, scene_fn *prepare, scene_fn *call, scene_fn *wake, scene_fn *clean);

/* Makes a file that has what is in the buffer; -1 without room. */
int scene_file(const struct scene *scene);

/* Closes all descriptors of the scene; may be its clean. */
void scene_close(struct scene *scene);

/* In ten seconds, by CLOCK_REALTIME. */
struct timespec scene_end(void);

#define SCENE_UNTOUCHED 4711 /* no call's errno */

/* Stores a call's result and errno, which is SCENE_UNTOUCHED if the call does not set it. */
#define SCENE_CALL(scene, expression)                                                              \
	do {                                                                                       \
		errno = SCENE_UNTOUCHED;                                                           \
		(scene)->result = (long)(expression);                                              \
		(scene)->error = errno;                                                            \
	} while (0)

#endif
