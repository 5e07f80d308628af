/* The life of a hub: say that it runs, wait for ACCEPT, accept until DRAIN or STOP; draining, accept
 * what is queued and wait for the last connection; end on STOP, which the leading hub sends when
 * all are idle or the master says so. */
#include "worker/thread.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/list.h"
#include "hub/base/log.h"
#include "worker/acceptor.h"
#include "worker/channel.h"

#define BIT(command) (1U << (command))

static void
report(struct worker_thread *thread, enum channel_kind kind)
{
	struct channel_message message = {kind, thread->index};

	/* If the master is dead, the worker learns it from the same socket. */
	if (send(thread->heritage->channel, &message, sizeof message, MSG_NOSIGNAL) < 0)
		log_debug("hub %u cannot reach the master: %s", thread->index, strerror(errno));
}

static void
deliver(struct hub_message *message)
{
	struct thread_order *order = CONTAINER_OF(message, struct thread_order, message);

	order->thread->commanded |= 1U << order->command;
	hub_event_set(&order->thread->command);
}

void
thread_command(struct worker_thread *thread, enum thread_command command)
{
	struct thread_order *order = &thread->orders[command];

	if (order->thread != NULL)
		return;
	*order = (struct thread_order){{NULL, deliver}, thread, command};
	hub_mailbox_post(thread->mailbox, &order->message);
}

bool
thread_is_stopping(const struct worker_thread *thread)
{
	return thread->commanded & BIT(THREAD_STOP);
}

/* Waits until one of the commands, a set of bits, has been given. */
static void
await(struct worker_thread *thread, unsigned commands)
{
	while (!(thread->commanded & commands)) {
		hub_event_clear(&thread->command);
		CHECK(hub_event_wait(&thread->command) == 0);
	}
}

static void *
wait_idle(void *argument)
{
	struct worker_thread *thread = argument;

	if (hub_pool_join(&thread->pool) == 0)
		hub_mailbox_post(thread->idle_mailbox, &thread->idle);
	return NULL;
}

static void
drain(struct worker_thread *thread)
{
	struct hub_coroutine *waiter;

	for (unsigned i = 0; i < thread->heritage->addresses; i++)
		acceptor_drain(thread, thread->acceptors[i]);
	report(thread, CHANNEL_DRAINED);
	waiter = hub_spawn(wait_idle, thread);
	if (waiter != NULL)
		hub_detach(waiter);
	await(thread, BIT(THREAD_STOP));
}

static void
accept_all(struct worker_thread *thread)
{
	for (unsigned i = 0; i < thread->heritage->addresses; i++)
		if (hub_server_start(thread->acceptors[i]) != 0)
			log_error("hub %u has no memory to accept on socket %u", thread->index, i);
}

static void *
thread_main(void *argument)
{
	struct worker_thread *thread = argument;
	struct hub_coroutine *companion;

	thread->mailbox = hub_mailbox();
	if (thread->companion != NULL) {
		companion = hub_spawn(thread->companion, thread->leader);
		if (companion == NULL) {
			thread->has_failed = true;
			return NULL;
		}
		hub_set_name(companion, "leader");
		hub_detach(companion);
	}
	sem_post(&thread->started);
	report(thread, CHANNEL_READY);
	/* It may be drained before it was ever told to accept. */
	await(thread, BIT(THREAD_ACCEPT) | BIT(THREAD_DRAIN) | BIT(THREAD_STOP));
	if (thread->commanded & BIT(THREAD_ACCEPT))
		accept_all(thread);
	await(thread, BIT(THREAD_DRAIN) | BIT(THREAD_STOP));
	if (!(thread->commanded & BIT(THREAD_STOP)))
		drain(thread);
	for (unsigned i = 0; i < thread->heritage->addresses; i++)
		hub_server_pause(thread->acceptors[i]);
	return NULL;
}

/* Hub i of all hubs of the server belongs to the i-th CPU that this process may use. */
static int
choose_cpu(const struct worker_heritage *heritage, unsigned index)
{
	unsigned wanted = heritage->index * heritage->threads + index;
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
		return -1;
	wanted %= (unsigned)CPU_COUNT(&allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && wanted-- == 0)
			return cpu;
	return -1;
}

static void
pin_thread(const struct worker_thread *thread)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(thread->cpu, &one);
	if (sched_setaffinity(0, sizeof one, &one) != 0)
		log_warning("cannot pin hub %u to CPU %d: %s", thread->index, thread->cpu,
			strerror(errno));
}

void
thread_run(struct worker_thread *thread)
{
	struct hub_options options = thread->heritage->hub;

	if (thread->cpu >= 0)
		pin_thread(thread);
	options.counters = &thread->row->hub;
	if (hub_run_with(&options, thread_main, thread, NULL) != 0) {
		log_error("hub %u cannot start: %s", thread->index, strerror(errno));
		thread->has_failed = true;
		sem_post(&thread->started);
	}
}

static void *
run_named(void *argument)
{
	struct worker_thread *thread = argument;
	char name[16];

	snprintf(name, sizeof name, "hub-%u", thread->index);
	pthread_setname_np(pthread_self(), name);
	thread_run(thread);
	return NULL;
}

int
thread_start(struct worker_thread *thread)
{
	int error = pthread_create(&thread->handle, NULL, run_named, thread);

	if (error != 0)
		return error;
	while (sem_wait(&thread->started) != 0)
		continue;
	if (!thread->has_failed)
		return 0;
	pthread_join(thread->handle, NULL);
	return ENOMEM;
}

void
thread_join(struct worker_thread *thread)
{
	pthread_join(thread->handle, NULL);
}

int
thread_init(struct worker_thread *thread, const struct worker_heritage *heritage, unsigned index,
	struct worker *leader)
{
	const int *sockets = heritage->sockets + index * heritage->addresses;

	*thread = (struct worker_thread){.heritage = heritage,
		.row = &heritage->rows[index],
		.index = index,
		/* Now, before a thread that is pinned starts the others. */
		.cpu = heritage->pin ? choose_cpu(heritage, index) : -1,
		.leader = leader};
	sem_init(&thread->started, 0, 0);
	hub_pool_init(&thread->pool, 0);
	thread->acceptors = calloc(heritage->addresses, sizeof *thread->acceptors);
	if (thread->acceptors == NULL)
		return -1;
	for (unsigned i = 0; i < heritage->addresses; i++)
		if ((thread->acceptors[i] = acceptor_new(thread, sockets[i])) == NULL)
			return -1;
	return 0;
}

void
thread_fini(struct worker_thread *thread)
{
	sem_destroy(&thread->started);
	for (unsigned i = 0; thread->acceptors != NULL && i < thread->heritage->addresses; i++)
		hub_server_free(thread->acceptors[i]);
	free(thread->acceptors);
}
