/* One thread with a mutex and a condition. It takes one act at a time; helper_wait returns when the
 * act is done. A forked child has no helper thread: there helper_begin does the act itself. */
#include "tests/fuzz/helper.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static pthread_t thread;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct act current;
static bool has_act, is_over, is_behind;

static void
move_all(const struct act *act)
{
	static char bytes[1 << 20];
	size_t done = 0;

	memset(bytes, 'h', act->size);
	while (done < act->size) {
		ssize_t moved = act->kind == ACT_WRITE
					? write(act->fd, bytes + done, act->size - done)
					: read(act->fd, bytes + done, act->size - done);

		if (moved <= 0)
			return;
		done += (size_t)moved;
	}
}

static void
do_act(const struct act *act)
{
	int fd;

	if (act->microseconds > 0)
		usleep(act->microseconds);
	switch (act->kind) {
	case ACT_NONE:
		break;
	case ACT_WRITE:
	case ACT_READ:
		move_all(act);
		break;
	case ACT_CLOSE:
		close(act->fd);
		break;
	case ACT_SHUT_DOWN:
		shutdown(act->fd, SHUT_WR);
		break;
	case ACT_CONNECT:
		fd = socket(act->address->sa_family, SOCK_STREAM, 0);
		connect(fd, act->address, act->length);
		close(fd);
	}
}

static void *
help(void *argument)
{
	pthread_mutex_lock(&mutex);
	for (;;) {
		while (!has_act && !is_over)
			pthread_cond_wait(&changed, &mutex);
		if (is_over)
			break;
		pthread_mutex_unlock(&mutex);
		do_act(&current);
		pthread_mutex_lock(&mutex);
		has_act = false;
		pthread_cond_broadcast(&changed);
	}
	pthread_mutex_unlock(&mutex);
	return argument;
}

void
helper_start(void)
{
	pthread_create(&thread, NULL, help, NULL);
}

void
helper_end(void)
{
	pthread_mutex_lock(&mutex);
	is_over = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
	pthread_join(thread, NULL);
}

void
helper_stays_behind(void)
{
	is_behind = true;
}

void
helper_comes_back(void)
{
	is_behind = false;
}

void
helper_begin(const struct act *act)
{
	if (is_behind) {
		do_act(act);
		return;
	}
	pthread_mutex_lock(&mutex);
	current = *act;
	has_act = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

void
helper_wait(void)
{
	if (is_behind)
		return;
	pthread_mutex_lock(&mutex);
	while (has_act)
		pthread_cond_wait(&changed, &mutex);
	pthread_mutex_unlock(&mutex);
}
