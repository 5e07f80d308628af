/* Keys are the process's, values the coroutine's. A key is never given back, so its destructor can
 * be read without a lock. A coroutine's values are an array up to the highest key that it has set,
 * allocated at the first one. */
#include "hub/local_priv.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/failed.h"
#include "hub/scheduler_priv.h"

/* Destructors may set values again: then all are called again, at most this often. */
#define ROUNDS_MAX 4

struct locals {
	int count;
	void *values[];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* held to make a key */
static atomic_int keys;
static void (*_Atomic destructors[HUB_LOCAL_MAX])(void *value);

int
hub_local_new(void (*destroy)(void *value))
{
	int key;

	pthread_mutex_lock(&mutex);
	key = atomic_load(&keys);
	if (key < HUB_LOCAL_MAX) {
		atomic_store(&destructors[key], destroy);
		atomic_store(&keys, key + 1);
	}
	pthread_mutex_unlock(&mutex);
	if (key < HUB_LOCAL_MAX)
		return key;
	return failed(EAGAIN);
}

int
hub_local_set(int key, void *value)
{
	struct hub_coroutine *self = hub_current();
	struct locals *locals;

	if (self == NULL || key < 0 || key >= atomic_load(&keys)) {
		errno = self == NULL ? EPERM : EINVAL;
		return -1;
	}
	locals = self->locals;
	if (locals == NULL || key >= locals->count) {
		int had = locals != NULL ? locals->count : 0;

		locals = realloc(
			locals, sizeof *locals + ((size_t)key + 1) * sizeof locals->values[0]);
		if (locals == NULL)
			return -1;
		memset(locals->values + had, 0, (size_t)(key + 1 - had) * sizeof locals->values[0]);
		locals->count = key + 1;
		self->locals = locals;
	}
	DCHECK(locals == self->locals && key < locals->count);
	locals->values[key] = value;
	return 0;
}

void *
hub_local_get(int key)
{
	struct hub_coroutine *self = hub_current();

	if (self == NULL || self->locals == NULL || key < 0 || key >= self->locals->count)
		return NULL;
	return self->locals->values[key];
}

/* One round of destructors. Returns whether it called any. */
static bool
destroy_all(struct locals **owner)
{
	bool has_destroyed = false;

	/* A value has a key, and so a destructor or none. */
	DCHECK((*owner)->count <= keys);
	/* A destructor may set another value, which may move the array. */
	for (int key = 0; key < (*owner)->count; key++) {
		void *value = (*owner)->values[key];
		void (*destroy)(void *value) = atomic_load(&destructors[key]);

		(*owner)->values[key] = NULL;
		if (value == NULL || destroy == NULL)
			continue;
		destroy(value);
		has_destroyed = true;
	}
	return has_destroyed;
}

void
locals_free(struct locals **locals)
{
	for (int round = 0; round < ROUNDS_MAX && destroy_all(locals); round++)
		continue;
	free(*locals);
	*locals = NULL;
}
