/* The coroutine's side of a wait is an ordinary suspension that a mailbox message ends; the
 * thread's side is a condition variable. After its message the coroutine locks the mutex once more:
 * the waker may still be inside, with an object that the coroutine may free next. */
#include "hub/thread/waiter_priv.h"

#include <errno.h>

static void
arrive(struct hub_message *message)
{
	struct thread_waiter *waiter = CONTAINER_OF(message, struct thread_waiter, message);

	waiter->has_arrived = true;
	hub_wake(waiter->coroutine, waiter->epoch, 0);
}

int
thread_waiter_init(struct thread_waiter *waiter)
{
	struct hub *hub = hub_this;

	list_init(&waiter->link);
	waiter->error = 0;
	waiter->is_woken = waiter->has_arrived = false;
	waiter->coroutine = NULL;
	waiter->mailbox = NULL;
	if (hub == NULL || hub->loop == NULL || fork_is_wiped())
		return 0;
	/* A coroutine that never has to wait, because other threads are fast enough, must yield all
	 * the same. */
	waiter->coroutine = hub_enter_in_turn();
	if (waiter->coroutine == NULL)
		return errno;
	waiter->mailbox = &hub->mailbox;
	waiter->message.deliver = arrive;
	return 0;
}

/* Suspends the coroutine. Returns 0 once the message has arrived, or the errno that ended the wait
 * before. */
static int
coroutine_suspend(struct thread_waiter *waiter, const char *what, const void *on, bool is_shielded)
{
	struct wait wait = {.what = what,
		.on = on,
		.deadline = HUB_FOREVER,
		.is_loop_wait = true,
		.is_shielded = is_shielded};
	int reason;

	waiter->epoch = waiter->coroutine->epoch;
	reason = hub_suspend(&wait);
	return waiter->has_arrived ? 0 : reason;
}

/* Waits until the waker has unlocked the mutex, and with it the object, which the caller may free
 * next. Returns the waker's error. */
static int
let_waker_go(struct thread_waiter *waiter, pthread_mutex_t *mutex)
{
	pthread_mutex_lock(mutex);
	pthread_mutex_unlock(mutex);
	return waiter->error;
}

static void
thread_wait(struct thread_waiter *waiter, pthread_mutex_t *mutex)
{
	pthread_cond_init(&waiter->condition, NULL);
	while (!waiter->is_woken)
		pthread_cond_wait(&waiter->condition, mutex);
	pthread_cond_destroy(&waiter->condition);
	pthread_mutex_unlock(mutex);
}

int
thread_waiter_wait_out(
	struct thread_waiter *waiter, pthread_mutex_t *mutex, const char *what, const void *on)
{
	if (waiter->coroutine == NULL) {
		thread_wait(waiter, mutex);
		return waiter->error;
	}
	pthread_mutex_unlock(mutex);
	while (!waiter->has_arrived)
		coroutine_suspend(waiter, what, on, true);
	return let_waker_go(waiter, mutex);
}

int
thread_waiter_wait(
	struct thread_waiter *waiter, pthread_mutex_t *mutex, const char *what, const void *on)
{
	int reason;

	if (waiter->coroutine == NULL) {
		thread_wait(waiter, mutex);
		return waiter->error;
	}
	pthread_mutex_unlock(mutex);
	reason = coroutine_suspend(waiter, what, on, false);
	if (reason == 0)
		return let_waker_go(waiter, mutex);
	pthread_mutex_lock(mutex);
	if (waiter->is_woken)
		return thread_waiter_wait_out(waiter, mutex, what, on);
	list_remove(&waiter->link);
	pthread_mutex_unlock(mutex);
	return reason;
}

void
thread_waiter_wake(struct thread_waiter *waiter, int error)
{
	list_remove(&waiter->link);
	waiter->error = error;
	waiter->is_woken = true;
	if (waiter->coroutine != NULL)
		hub_mailbox_post(waiter->mailbox, &waiter->message);
	else
		pthread_cond_signal(&waiter->condition);
}
