/* Messages and semaphores of System V, which have no file descriptor to wait for and are tried
 * again every 1 to 16 ms; and message queues of POSIX, which are file descriptors. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hub/patch/calls_priv.h"
#include "hub/patch/descriptor_priv.h"
#include "hub/patch/patch_priv.h"
#include "hub/patch/real_priv.h"
#include "hub/patch/retry_priv.h"
#include "hub/patch/time_priv.h"

/* Up to so many operations are copied on the caller's stack. */
#define SMALL 16
#define OPERATIONS_MOST 4096 /* above what any kernel takes */
/* For how long another thread makes the call before it is asked whether the caller was killed. */
#define SLICE (16 * HUB_MILLISECOND)

/* ---- System V ---- */

/* What an attempt returns to the application: if it finds no such object after a wait, the object
 * was removed meanwhile. */
static ssize_t
answer(ssize_t result, const struct retry *retry)
{
	if (result == -1 && errno == EINVAL && retry->pause != 0)
		errno = EIDRM;
	return result;
}

ssize_t
patch_msgrcv(int queue, void *message, size_t size, long type, int flags)
{
	struct retry retry = {.end = HUB_FOREVER};
	ssize_t result;

	/* MSG_COPY never waits; the kernel refuses it without IPC_NOWAIT. */
	if (flags & MSG_COPY)
		return REAL(msgrcv)(queue, message, size, type, flags);
	while ((result = REAL(msgrcv)(queue, message, size, type, flags | IPC_NOWAIT)) == -1 &&
		errno == ENOMSG && !(flags & IPC_NOWAIT))
		if (!retry_wait(&retry, WAIT_ENDED))
			return -1;
	return answer(result, &retry);
}

int
patch_msgsnd(int queue, const void *message, size_t size, int flags)
{
	struct retry retry = {.end = HUB_FOREVER};
	int result;

	while ((result = REAL(msgsnd)(queue, message, size, flags | IPC_NOWAIT)) == -1 &&
		errno == EAGAIN && !(flags & IPC_NOWAIT))
		if (!retry_wait(&retry, WAIT_ENDED))
			return -1;
	return (int)answer(result, &retry);
}

/* A semtimedop(2) that another thread makes. */
struct operations {
	int set;
	struct sembuf *operations;
	size_t count;
	struct timespec timeout; /* of this attempt */
	int64_t took;            /* nanoseconds */
	int result, error;
};

static void *
operate_there(void *argument)
{
	struct operations *all = argument;
	int64_t began = clock_now();

	all->result = REAL(semtimedop)(all->set, all->operations, all->count, &all->timeout);
	all->error = errno;
	all->took = clock_now() - began;
	return NULL;
}

/* Some of the operations may wait and others not (IPC_NOWAIT), and only the kernel knows which of
 * them has to wait: so another thread makes the call, for a SLICE at a time. EAGAIN then means that
 * an operation with IPC_NOWAIT would wait, or that the slice is over. */
static int
operate_elsewhere(struct operations *all, struct retry *retry)
{
	int64_t left;

	do {
		left = retry->end == HUB_FOREVER ? HUB_FOREVER : retry->end - hub_now();
		left = left > 0 ? left : 0;
		all->timeout.tv_nsec = left < SLICE ? left : SLICE;
		if (patch_offload(operate_there, all) != 0)
			return -1;
		errno = all->error;
		if (all->result == 0 || errno != EAGAIN || all->took < all->timeout.tv_nsec)
			break;
		retry->pause = SLICE;
	} while (left > SLICE);
	return (int)answer(all->result, retry);
}

/* How many operations have IPC_NOWAIT. */
static size_t
count_impatient(const struct sembuf *operations, size_t count)
{
	size_t impatient = 0;

	for (size_t i = 0; i < count; i++)
		impatient += (operations[i].sem_flg & IPC_NOWAIT) != 0;
	return impatient;
}

int
patch_semtimedop(int set, struct sembuf *operations, size_t count, const struct timespec *timeout)
{
	struct operations all = {.set = set, .operations = operations, .count = count};
	struct retry retry = {.end = HUB_FOREVER};
	struct sembuf small[SMALL], *copy = small;
	size_t impatient;
	int result;

	/* The kernel reports what is invalid. */
	if (operations == NULL || count == 0 || count > OPERATIONS_MOST ||
		(timeout != NULL && !patch_is_valid(timeout)))
		return REAL(semtimedop)(set, operations, count, timeout);
	if (timeout != NULL)
		retry.end = clock_after(hub_now(), patch_nanoseconds(timeout));
	impatient = count_impatient(operations, count);
	/* If all have IPC_NOWAIT, the kernel does not wait; if none has, each attempt gives it to
	 * all. */
	if (impatient != 0)
		return impatient == count ? REAL(semtimedop)(set, operations, count, timeout)
					  : operate_elsewhere(&all, &retry);
	if (count > SMALL)
		copy = malloc(count * sizeof *copy);
	if (copy == NULL)
		return -1;
	memcpy(copy, operations, count * sizeof *copy);
	for (size_t i = 0; i < count; i++)
		copy[i].sem_flg |= IPC_NOWAIT;
	while ((result = REAL(semtimedop)(set, copy, count, NULL)) == -1 && errno == EAGAIN &&
		retry_wait(&retry, WAIT_ENDED))
		continue;
	if (copy != small)
		free(copy);
	return (int)answer(result, &retry);
}

int
patch_semop(int set, struct sembuf *operations, size_t count)
{
	return patch_semtimedop(set, operations, count, NULL);
}

/* ---- POSIX: with a deadline that has passed, the kernel fails where it would wait ---- */

static const struct timespec passed;

/* After an attempt: waits if it failed for lack of a message, or of room. Returns whether to try
 * again; false with errno, ETIMEDOUT at the deadline. */
static bool
queue_wait(struct patience *patience, const struct timespec *end)
{
	int error = errno;

	if (error != ETIMEDOUT)
		return false;
	if (!patience->is_begun) {
		patience->is_begun = true;
		patience->end =
			end == NULL ? HUB_FOREVER
				    : clock_after(hub_now(), patch_time_left(CLOCK_REALTIME, end));
	}
	if (patience_wait(patience, 0))
		return true;
	if (errno == EAGAIN)
		errno = ETIMEDOUT;
	return false;
}

ssize_t
patch_mq_timedreceive(
	mqd_t queue, char *message, size_t size, unsigned *priority, const struct timespec *end)
{
	struct patience patience = {.fd = queue, .events = POLLIN, .restarts = true};
	ssize_t result;

	if (end != NULL && !patch_is_valid(end))
		return REAL(mq_timedreceive)(queue, message, size, priority, end);
	while ((result = REAL(mq_timedreceive)(queue, message, size, priority, &passed)) == -1 &&
		queue_wait(&patience, end))
		continue;
	return result;
}

ssize_t
patch_mq_receive(mqd_t queue, char *message, size_t size, unsigned *priority)
{
	return patch_mq_timedreceive(queue, message, size, priority, NULL);
}

int
patch_mq_timedsend(mqd_t queue, const char *message, size_t size, unsigned priority,
	const struct timespec *end)
{
	struct patience patience = {.fd = queue, .events = POLLOUT, .restarts = true};
	int result;

	if (end != NULL && !patch_is_valid(end))
		return REAL(mq_timedsend)(queue, message, size, priority, end);
	while ((result = REAL(mq_timedsend)(queue, message, size, priority, &passed)) == -1 &&
		queue_wait(&patience, end))
		continue;
	return result;
}

int
patch_mq_send(mqd_t queue, const char *message, size_t size, unsigned priority)
{
	return patch_mq_timedsend(queue, message, size, priority, NULL);
}
