/* Wakes: of many coroutines at once, and from one thread to another. */
#include <hubbub/hub.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/load/count/median.h"

/* ---- an event with a thousand waiters ---- */

enum { WAITERS = 1000, WAKES = 100 };

static struct hub_event gate;

static void *
wait_often(void *argument)
{
	for (int i = 0; i < WAKES; i++)
		hub_event_wait(&gate);
	return argument;
}

struct wakes {
	int64_t set; /* nanoseconds until all are runnable */
	int64_t run; /* until each has run, too, and waits again */
};

static void *
run_event_wake(void *argument)
{
	struct hub_coroutine *waiters[WAITERS];
	struct wakes *wakes = argument;

	gate = (struct hub_event){0};
	for (int i = 0; i < WAITERS; i++)
		waiters[i] = hub_spawn(wait_often, NULL);
	hub_sleep(0);
	for (int i = 0; i < WAKES; i++) {
		int64_t began = hub_now();

		hub_event_set(&gate);
		wakes->set += hub_now() - began;
		hub_event_clear(&gate);
		hub_sleep(0);
		wakes->run += hub_now() - began;
	}
	for (int i = 0; i < WAITERS; i++)
		hub_join(waiters[i], NULL);
	return NULL;
}

double
bench_event_wake(void)
{
	struct wakes wakes = {0};

	hub_run(run_event_wake, &wakes, NULL);
	return (double)wakes.set / WAKES;
}

double
bench_event_run(void)
{
	struct wakes wakes = {0};

	hub_run(run_event_wake, &wakes, NULL);
	return (double)wakes.run / WAKES;
}

/* ---- between two threads: half of a round trip, its median ---- */

enum { TRIPS = 20000 };

static double samples[TRIPS];

/* A hub that waits to be pinged: a message sets its event, and its coroutine goes on. */
struct party {
	struct hub_message ping;
	struct hub_event arrived;
	struct hub_mailbox *mailbox;
};

static struct party parties[2];
static pthread_barrier_t barrier;

static void
deliver(struct hub_message *message)
{
	hub_event_set(&((struct party *)(void *)message)->arrived);
}

static void
ping(struct party *other)
{
	hub_mailbox_post(other->mailbox, &other->ping);
}

static void
await_ping(struct party *own)
{
	hub_event_wait(&own->arrived);
	hub_event_clear(&own->arrived);
}

static void *
run_party(void *argument)
{
	size_t index = (size_t)(intptr_t)argument;
	struct party *own = &parties[index], *other = &parties[!index];

	*own = (struct party){.ping = {.deliver = deliver}, .mailbox = hub_mailbox()};
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < TRIPS; i++) {
		int64_t began = hub_now();

		if (index == 0)
			ping(other);
		await_ping(own);
		if (index == 0)
			samples[i] = (double)(hub_now() - began) / 2;
		else
			ping(other);
	}
	return NULL;
}

static void *
party_thread(void *argument)
{
	hub_run(run_party, argument, NULL);
	return NULL;
}

static double
between_threads(void *(*thread_main)(void *argument))
{
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, thread_main, (void *)1);
	thread_main((void *)0);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
	return median(samples, TRIPS);
}

double
bench_mailbox(void)
{
	return between_threads(party_thread);
}

/* The peer: what one would write by hand. */
static int eventfds[2];

static void
await_eventfd(int epoll, int fd)
{
	struct epoll_event event;
	uint64_t count;

	while (epoll_wait(epoll, &event, 1, -1) != 1)
		continue;
	if (read(fd, &count, sizeof count) != sizeof count)
		abort();
}

static void
write_eventfd(int fd)
{
	static const uint64_t one = 1;

	if (write(fd, &one, sizeof one) != sizeof one)
		abort();
}

static void *
eventfd_thread(void *argument)
{
	size_t index = (size_t)(intptr_t)argument;
	struct epoll_event event = {.events = EPOLLIN};
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	eventfds[index] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	epoll_ctl(epoll, EPOLL_CTL_ADD, eventfds[index], &event);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < TRIPS; i++) {
		int64_t began = hub_now();

		if (index == 0)
			write_eventfd(eventfds[!index]);
		await_eventfd(epoll, eventfds[index]);
		if (index == 0)
			samples[i] = (double)(hub_now() - began) / 2;
		else
			write_eventfd(eventfds[!index]);
	}
	pthread_barrier_wait(&barrier);
	close(eventfds[index]);
	close(epoll);
	return NULL;
}

double
bench_eventfd(void)
{
	return between_threads(eventfd_thread);
}
