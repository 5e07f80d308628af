#include "hub/thread/sleeper_priv.h"

#include <errno.h>

static void
arrive(struct hub_message *message)
{
	struct sleeper *sleeper = CONTAINER_OF(message, struct sleeper, message);

	sleeper->has_arrived = true;
	hub_wake(sleeper->coroutine, sleeper->epoch, 0);
}

int
sleeper_init(struct sleeper *sleeper)
{
	struct hub *hub = hub_this;

	list_init(&sleeper->link);
	sleeper->error = 0;
	sleeper->is_woken = sleeper->has_arrived = false;
	sleeper->coroutine = NULL;
	sleeper->mailbox = NULL;
	if (hub == NULL || hub->loop == NULL || fork_is_wiped())
		return 0;
	/* Other threads can see to it that it never has to wait. */
	sleeper->coroutine = hub_enter_in_turn();
	if (sleeper->coroutine == NULL)
		return errno;
	sleeper->mailbox = &hub->mailbox;
	sleeper->message.deliver = arrive;
	return 0;
}

/* Returns 0 once the message has arrived, or why the wait ended before. */
static int
coroutine_suspend(struct sleeper *sleeper, const char *what, const void *on, bool is_shielded)
{
	struct wait wait = {.what = what,
		.on = on,
		.deadline = HUB_FOREVER,
		.is_loop_wait = true,
		.is_shielded = is_shielded};
	int reason;

	sleeper->epoch = sleeper->coroutine->epoch;
	reason = hub_suspend(&wait);
	return sleeper->has_arrived ? 0 : reason;
}

/* The waker may still hold the mutex, and with it the object, which the woken one may free next. */
static int
let_waker_go(struct sleeper *sleeper, pthread_mutex_t *mutex)
{
	pthread_mutex_lock(mutex);
	pthread_mutex_unlock(mutex);
	return sleeper->error;
}

static void
thread_wait(struct sleeper *sleeper, pthread_mutex_t *mutex)
{
	pthread_cond_init(&sleeper->condition, NULL);
	while (!sleeper->is_woken)
		pthread_cond_wait(&sleeper->condition, mutex);
	pthread_cond_destroy(&sleeper->condition);
	pthread_mutex_unlock(mutex);
}

int
sleeper_wait_out(struct sleeper *sleeper, pthread_mutex_t *mutex, const char *what, const void *on)
{
	if (sleeper->coroutine == NULL) {
		thread_wait(sleeper, mutex);
		return sleeper->error;
	}
	pthread_mutex_unlock(mutex);
	while (!sleeper->has_arrived)
		coroutine_suspend(sleeper, what, on, true);
	return let_waker_go(sleeper, mutex);
}

int
sleeper_wait(struct sleeper *sleeper, pthread_mutex_t *mutex, const char *what, const void *on)
{
	int reason;

	if (sleeper->coroutine == NULL) {
		thread_wait(sleeper, mutex);
		return sleeper->error;
	}
	pthread_mutex_unlock(mutex);
	reason = coroutine_suspend(sleeper, what, on, false);
	if (reason == 0)
		return let_waker_go(sleeper, mutex);
	pthread_mutex_lock(mutex);
	if (sleeper->is_woken)
		return sleeper_wait_out(sleeper, mutex, what, on);
	list_remove(&sleeper->link);
	pthread_mutex_unlock(mutex);
	return reason;
}

void
sleeper_wake(struct sleeper *sleeper, int error)
{
	list_remove(&sleeper->link);
	sleeper->error = error;
	sleeper->is_woken = true;
	if (sleeper->coroutine != NULL)
		hub_mailbox_post(sleeper->mailbox, &sleeper->message);
	else
		pthread_cond_signal(&sleeper->condition);
}
