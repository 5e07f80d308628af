/* The life of a hub, in its first coroutine: begin, on BEGIN; wait for ACCEPT; accept until
 * HANDOVER, DRAIN or ABANDON; report QUIET; let connections end; close on CLOSE, which the leading
 * hub sends once all hubs are idle, or the master says so; end on STOP. Other coroutines of the
 * thread are the pulse, the timeouts, the drain, and the hand-off from siblings. They are all made
 * at the start, so that a hub can leave when there is no memory left. */
#include "worker/thread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/base/log.h"
#include "worker/acceptor.h"
#include "worker/channel.h"
#include "worker/connection.h"
#include "worker/crash.h"
#include "worker/deaf.h"
#include "worker/drain.h"
#include "worker/handoff.h"
#include "worker/hook.h"
#include "worker/idle.h"
#include "worker/keeper.h"
#include "worker/pin.h"
#include "worker/queued.h"
#include "worker/recording.h"
#include "worker/service.h"

#define BIT(command) (1U << (command))
#define PULSE (HUB_SECOND / THREAD_PULSES)
/* In a drain without a successor: how long TCP handshakes that have begun may take to end; their
 * clients are served. */
#define HANDSHAKE (200 * HUB_MILLISECOND)
/* The pause after an acceptor could not start for want of memory. */
#define ACCEPT_AGAIN (100 * HUB_MILLISECOND)
/* How often to look whether a connection is left: a connection from a sibling that cannot be
 * served, for want of memory, ends without an event. */
#define LOOK_EVERY PULSE

static bool
send_message(const struct worker_thread *thread, enum channel_kind kind, int64_t value)
{
	struct channel_message message = {.kind = kind, .hub = thread->index, .value = value};

	return channel_send(thread->heritage->channel, &message, -1) == 0;
}

void
thread_report(struct worker_thread *thread, enum channel_kind kind, int64_t value)
{
	/* unsent has no room for what the master tells workers, nor a lock. */
	CHECK(kind < CHANNEL_TO_MASTER_MAX);
	DCHECK(thread_is_here(thread));
	if (send_message(thread, kind, value))
		return;
	/* If the master is dead, the leader sees the end of the same socket. */
	log_debug("hub %u cannot reach the master yet: %s", thread->index, strerror(errno));
	thread->unsent[kind] = (struct thread_unsent){true, value};
}

static void
send_unsent(struct worker_thread *thread)
{
	for (unsigned kind = 0; kind < CHANNEL_TO_MASTER_MAX; kind++)
		if (thread->unsent[kind].is_there &&
			send_message(thread, (enum channel_kind)kind, thread->unsent[kind].value))
			thread->unsent[kind].is_there = false;
}

static void
send_news(struct worker_thread *thread, enum thread_news news)
{
	struct thread_order *order = &thread->news[news];

	CHECK_WHY(order->thread == NULL, "a hub reports each news once");
	*order = (struct thread_order){{NULL, thread->on_news}, thread, news};
	hub_mailbox_post(thread->siblings[0].mailbox, &order->message);
}

/* ---- commands ---- */

static void
deliver(struct hub_message *message)
{
	struct thread_order *order = CONTAINER_OF(message, struct thread_order, message);

	DCHECK(thread_is_here(order->thread));
	CHECK_WHY(!thread_is_commanded(order->thread, order->what), "a command is posted once");
	order->thread->commanded |= BIT(order->what);
	hub_event_set(&order->thread->command);
}

void
thread_command(struct worker_thread *thread, enum thread_command command)
{
	struct thread_order *order = &thread->orders[command];

	CHECK_WHY(command == THREAD_STOP || thread->orders[THREAD_STOP].thread == NULL,
		"no command follows STOP, by which the mailbox ends");
	if (order->thread != NULL)
		return;
	*order = (struct thread_order){{NULL, deliver}, thread, command};
	hub_mailbox_post(thread->mailbox, &order->message);
}

/* In the hub's first coroutine, which nothing kills. until may be HUB_FOREVER. */
static void
rest(struct worker_thread *thread, int64_t until)
{
	int result = thread_rest(thread, until == HUB_FOREVER ? HUB_FOREVER : until - hub_now());

	CHECK(result == 0);
}

/* Waits until one of the commands (a set of bits) has been given, or until that time. */
static void
await(struct worker_thread *thread, unsigned commands, int64_t until)
{
	while (!(thread->commanded & commands) && hub_now() < until)
		rest(thread, until);
}

/* ---- the hub's own coroutines ---- */

/* The heartbeat. It is scheduled as every coroutine is, so its delay is what connections suffer. */
static void *
pulse(void *argument)
{
	struct worker_thread *thread = argument;
	struct worker_row *row = thread->row;

	for (;;) {
		int64_t due = hub_now() + PULSE, now;
		uint64_t lag;

		if (hub_sleep(PULSE) != 0)
			return NULL;
		now = hub_now();
		/* The largest recent delay, which decays by an eighth with each pulse. */
		lag = row->lag - row->lag / 8;
		if (now - due > (int64_t)lag)
			lag = (uint64_t)(now - due);
		__atomic_store_n(&row->lag, lag, __ATOMIC_RELAXED);
		if (thread->deaf_since == 0 || thread_is_leaving(thread))
			__atomic_store_n(&row->heartbeat, now, __ATOMIC_RELAXED);
		thread_recording_pulse(thread);
		deaf_tell(thread);
		acceptor_count_starved(thread);
		/* The master may have granted permits meanwhile. */
		acceptor_retry(thread);
		send_unsent(thread);
	}
}

/* Started early: when the hub is to drain, there may be no memory for another coroutine. */
static void *
drain(void *argument)
{
	struct worker_thread *thread = argument;

	if (hub_event_wait(&thread->draining) != 0)
		return NULL;
	CHECK_WHY(thread_is_leaving(thread), "a hub that goes on ends no connection");
	return drain_run(thread);
}

static bool
start_coroutine(hub_fn *body, void *argument, const char *name)
{
	struct hub_coroutine *coroutine = hub_spawn(body, argument);

	if (coroutine == NULL)
		return false;
	hub_set_name(coroutine, name);
	hub_detach(coroutine);
	return true;
}

static bool
start_coroutines(struct worker_thread *thread)
{
	const struct worker_heritage *heritage = thread->heritage;

	return start_coroutine(pulse, thread, "pulse") &&
	       start_coroutine(handoff_run, thread, "handoff") &&
	       start_coroutine(drain, thread, "drain") &&
	       (!idle_has_timeouts(&heritage->settings) ||
		       start_coroutine(idle_run, thread, "timeouts")) &&
	       (thread->companion == NULL ||
		       start_coroutine(thread->companion, thread->leader, "leader"));
}

/* ---- the hub's life ---- */

/* Starts the acceptors that do not accept yet. Returns false if there was no memory for some of
 * them. */
static bool
accept_some(struct worker_thread *thread)
{
	bool are_all = true;

	for (unsigned i = 0; i < thread->heritage->addresses; i++)
		if (acceptor_start(&thread->acceptors[i]) != 0 && errno != EALREADY)
			are_all = false;
	return are_all;
}

/* Tries until all acceptors accept, or the hub gets another command. */
static void
accept_all(struct worker_thread *thread)
{
	unsigned other = ~(BIT(THREAD_BEGIN) | BIT(THREAD_ACCEPT));
	bool is_said = false;

	while (!accept_some(thread) && !(thread->commanded & other)) {
		if (!is_said)
			log_error("hub %u of worker %u has no memory to accept on all of its "
				  "sockets; trying again every %g s",
				thread->index, thread->heritage->index,
				(double)ACCEPT_AGAIN / (double)HUB_SECOND);
		is_said = true;
		await(thread, other, hub_now() + ACCEPT_AGAIN);
	}
	__atomic_store_n(&thread->is_welcoming, true, __ATOMIC_RELEASE);
}

/* Always closes the sockets: a worker that drains for long would keep them from the next server. */
static void
accept_no_more(struct worker_thread *thread)
{
	bool accepts = thread_is_commanded(thread, THREAD_ACCEPT);
	bool is_last = thread_is_commanded(thread, THREAD_DRAIN);

	CHECK(thread_is_leaving(thread));
	if (is_last && accepts)
		await(thread, BIT(THREAD_FINISH) | BIT(THREAD_CLOSE) | BIT(THREAD_ABANDON),
			hub_now() + HANDSHAKE);
	__atomic_store_n(&thread->is_welcoming, false, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < thread->heritage->addresses; i++)
		acceptor_pause(&thread->acceptors[i]);
	/* As connections end, queued clients get their places. */
	hub_event_set(&thread->draining);
	/* A hub that never accepted leaves the queue to the hubs of another generation; a hub that
	 * has not begun can serve nobody. */
	if ((is_last && thread->has_begun) ||
		(thread_is_commanded(thread, THREAD_ABANDON) && accepts))
		queued_end(thread);
	for (unsigned i = 0; i < thread->heritage->addresses; i++)
		acceptor_close(&thread->acceptors[i]);
	thread_report(thread, CHANNEL_DRAINED, 0);
	send_news(thread, THREAD_QUIET);
}

/* Whether connections from siblings are on their way, or here and not served yet. */
static bool
is_given_more(const struct worker_thread *thread)
{
	return __atomic_load_n(&thread->coming, __ATOMIC_RELAXED) > 0;
}

/* Waits for CLOSE; reports IDLE once no connection is left. Looks after each end of a connection,
 * which needs no memory. */
static void
let_end(struct worker_thread *thread)
{
	await(thread, BIT(THREAD_EMPTY) | BIT(THREAD_CLOSE), HUB_FOREVER);
	while (!thread_is_commanded(thread, THREAD_CLOSE) &&
		(hub_pool_count(&thread->pool) > 0 || !list_is_empty(&thread->parcels)))
		rest(thread, hub_now() + LOOK_EVERY);
	if (!thread_is_commanded(thread, THREAD_CLOSE)) {
		/* EMPTY was posted after the last parcel of every sibling. */
		DCHECK(!is_given_more(thread));
		send_news(thread, THREAD_IDLE);
	}
	await(thread, BIT(THREAD_CLOSE), HUB_FOREVER);
}

static void *
thread_main(void *argument)
{
	struct worker_thread *thread = argument;
	unsigned leave = BIT(THREAD_HANDOVER) | BIT(THREAD_DRAIN) | BIT(THREAD_ABANDON) |
			 BIT(THREAD_FINISH) | BIT(THREAD_CLOSE);

	thread->mailbox = hub_mailbox();
	thread_recording_begin(thread);
	if (!start_coroutines(thread)) {
		thread->has_failed = true;
		return NULL;
	}
	__atomic_store_n(&thread->row->heartbeat, hub_now(), __ATOMIC_RELAXED);
	sem_post(&thread->started);
	/* The hub may be told to leave before it has begun, or got ACCEPT. */
	await(thread, BIT(THREAD_BEGIN) | leave, HUB_FOREVER);
	thread->has_begun = thread_is_commanded(thread, THREAD_BEGIN) && keeper_begin(thread) &&
			    hook_begin_hub(thread);
	send_news(thread, THREAD_BEGUN);
	await(thread, BIT(THREAD_ACCEPT) | leave, HUB_FOREVER);
	if (thread_is_commanded(thread, THREAD_ACCEPT))
		accept_all(thread);
	await(thread, leave, HUB_FOREVER);
	if (!thread_is_commanded(thread, THREAD_CLOSE)) {
		accept_no_more(thread);
		let_end(thread);
	}
	for (unsigned i = 0; i < thread->heritage->addresses; i++)
		acceptor_pause(&thread->acceptors[i]);
	drain_kill(thread);
	keeper_end(thread);
	hook_end_hub(thread);
	send_news(thread, THREAD_CLOSED);
	await(thread, BIT(THREAD_STOP), HUB_FOREVER);
	return NULL;
}

/* ---- the thread ---- */

/* Called on the watchdog's thread, the only writer of late. */
static void
blocked(int64_t nanoseconds, const char *backtrace, void *context)
{
	struct worker_thread *thread = context;
	char lines[4096], *rest = lines;

	counters_add(&thread->row->late, 1);
	log_warning("hub %u of worker %u has not switched for %lld ms; all its connections wait:",
		thread->index, thread->heritage->index, (long long)(nanoseconds / HUB_MILLISECOND));
	snprintf(lines, sizeof lines, "%s", backtrace);
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (*line != '\0')
			log_warning("  %s", line);
}

void
thread_run(struct worker_thread *thread)
{
	struct hub_options options = thread->heritage->settings.hub;

	if (thread->cpu >= 0 && pin_to(thread->cpu) != 0)
		log_warning("cannot pin hub %u to CPU %d: %s", thread->index, thread->cpu,
			strerror(errno));
	__atomic_store_n(&thread->row->thread, kernel_gettid(), __ATOMIC_RELAXED);
	crash_use_row(thread->row);
	peers_use(&thread->peers);
	service_use(thread);
	options.counters = &thread->row->hub;
	thread->hooks = (struct hub_hooks){.blocked = blocked, .context = thread};
	hub_set_hooks(&thread->hooks);
	if (hub_run_with(&options, thread_main, thread, NULL) != 0) {
		log_error("hub %u cannot start: %s", thread->index, strerror(errno));
		thread->has_failed = true;
	}
	DCHECK(thread->emptying == 0);
	hub_set_hooks(NULL);
	service_use(NULL);
	if (thread->has_failed)
		sem_post(&thread->started);
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
	int error;

	bypass_begin();
	error = pthread_create(&thread->handle, NULL, run_named, thread);
	bypass_end();
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
	unsigned first = index * heritage->addresses;
	unsigned hub = heritage->index * heritage->threads + index;
	struct acceptor_uses uses = {.take_over = handoff_offer, .serve = connection_serve};

	*thread = (struct worker_thread){.heritage = heritage,
		.row = &heritage->rows[index],
		.index = index,
		/* Chosen here: the first hub's thread, once pinned, passes its CPU on to the
		 * threads it starts. */
		.cpu = heritage->settings.pin ? pin_choose(hub) : -1,
		.self = {.worker = heritage->index,
			.hub = index,
			.generation = heritage->rows[index].generation,
			.hubs = heritage->threads},
		.leader = leader};
	sem_init(&thread->started, 0, 0);
	hub_pool_init(&thread->pool, 0);
	hub_pool_init(&thread->own, 0);
	list_init(&thread->parcels);
	list_init(&thread->adopted);
	thread->acceptors = calloc(heritage->addresses, sizeof *thread->acceptors);
	if (thread->acceptors == NULL)
		return -1;
	for (unsigned i = 0; i < heritage->addresses; i++)
		if (acceptor_init(&thread->acceptors[i], thread, i, heritage->sockets[first + i],
			    heritage->kept != NULL && heritage->kept[first + i], uses) != 0)
			return -1;
	return 0;
}

void
thread_fini(struct worker_thread *thread)
{
	sem_destroy(&thread->started);
	queued_fini(thread);
	for (unsigned i = 0; thread->acceptors != NULL && i < thread->heritage->addresses; i++)
		acceptor_fini(&thread->acceptors[i]);
	free(thread->acceptors);
	keeper_free(thread);
	peers_fini(&thread->peers);
}
