/* The life of a hub: say that it runs, wait for ACCEPT, accept until HANDOVER or DRAIN; be
 * quiet, let connections end; end on STOP, which the leading hub sends when all are idle or the
 * master says so. Beside it run the coroutines of the pulse, of timeouts, and of what siblings
 * give. */
#include "worker/thread.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/base/log.h"
#include "worker/acceptor.h"
#include "worker/channel.h"
#include "worker/connection.h"
#include "worker/crash.h"
#include "worker/handoff.h"

#define BIT(command) (1U << (command))
#define PULSE (100 * HUB_MILLISECOND)
/* When nobody takes over, handshakes that have begun get this long to end, and are served. */
#define HANDSHAKE (200 * HUB_MILLISECOND)
/* When the master is dead, for what is queued to be accepted: another one waits for the sockets. */
#define QUEUE_TIME HUB_SECOND

static void
report(struct worker_thread *thread, enum channel_kind kind, int64_t value)
{
	struct channel_message message = {kind, thread->index, value};

	/* If the master is dead, the worker learns it from the same socket. */
	if (channel_send(thread->heritage->channel, &message, -1) != 0)
		log_debug("hub %u cannot reach the master: %s", thread->index, strerror(errno));
}

static void
tell_leader(struct worker_thread *thread, enum thread_news news)
{
	struct thread_order *order = &thread->news[news];

	*order = (struct thread_order){{NULL, thread->hear_news}, thread, news};
	hub_mailbox_post(thread->siblings[0].mailbox, &order->message);
}

/* ---- commands ---- */

static void
deliver(struct hub_message *message)
{
	struct thread_order *order = CONTAINER_OF(message, struct thread_order, message);

	order->thread->commanded |= BIT(order->what);
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

/* Waits until one of the commands, a set of bits, has been given, or until a time, which may be
 * HUB_FOREVER. */
static void
await(struct worker_thread *thread, unsigned commands, int64_t until)
{
	while (!(thread->commanded & commands) && hub_now() < until) {
		struct hub_timeout scope;
		int result;

		hub_event_clear(&thread->command);
		hub_timeout_start(&scope, until == HUB_FOREVER ? HUB_FOREVER : until - hub_now());
		result = hub_event_wait(&thread->command);
		/* Nobody kills the hub's first coroutine. */
		CHECK(result == 0 || errno == ETIMEDOUT);
		hub_timeout_stop(&scope);
	}
}

/* A file to which the hub writes its coroutines. */
struct dump {
	struct hub_message message;
	struct worker_thread *thread;
	int file;
	int64_t number;
};

/* By one write at the end, because the other hubs write to the same file. */
static void
write_dump(const struct worker_thread *thread, int file)
{
	int own = memfd_create("stacks", MFD_CLOEXEC);
	struct stat status;
	char *text;

	if (own == -1)
		return;
	dprintf(own, "hub %u of worker %u (pid %d)\n", thread->index, thread->heritage->index,
		(int)getpid());
	hub_dump(own);
	if (fstat(own, &status) == 0) {
		text = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, own, 0);
		if (text != MAP_FAILED) {
			if (write(file, text, (size_t)status.st_size) != status.st_size)
				log_debug("the stacks of hub %u are not whole", thread->index);
			munmap(text, (size_t)status.st_size);
		}
	}
	close(own);
}

static void
deliver_dump(struct hub_message *message)
{
	struct dump *dump = CONTAINER_OF(message, struct dump, message);

	write_dump(dump->thread, dump->file);
	close(dump->file);
	report(dump->thread, CHANNEL_DUMPED, dump->number);
	free(dump);
}

void
thread_dump(struct worker_thread *thread, int file, int64_t number)
{
	struct dump *dump = malloc(sizeof *dump);

	if (dump == NULL) {
		close(file);
		return;
	}
	*dump = (struct dump){{NULL, deliver_dump}, thread, file, number};
	hub_mailbox_post(thread->mailbox, &dump->message);
}

/* ---- the hub's own coroutines ---- */

/* The heartbeat. It runs as any coroutine does, so that its delay is what connections suffer. */
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
		/* The most of late, fading. */
		lag = row->lag - row->lag / 8;
		if (now - due > (int64_t)lag)
			lag = (uint64_t)(now - due);
		__atomic_store_n(&row->lag, lag, __ATOMIC_RELAXED);
		__atomic_store_n(&row->heartbeat, now, __ATOMIC_RELAXED);
		/* The master may have given permits. */
		acceptor_retry(thread);
	}
}

static void *
wait_idle(void *argument)
{
	struct worker_thread *thread = argument;

	do
		if (hub_pool_join(&thread->pool) != 0)
			return NULL;
	while (!list_is_empty(&thread->parcels) && hub_sleep(HUB_MILLISECOND) == 0);
	tell_leader(thread, THREAD_IDLE);
	return NULL;
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
	       ((heritage->settings.idle_timeout == 0 && heritage->settings.write_timeout == 0) ||
		       start_coroutine(connection_run_timeouts, thread, "timeouts")) &&
	       (thread->companion == NULL ||
		       start_coroutine(thread->companion, thread->leader, "leader"));
}

/* ---- the hub's life ---- */

static void
accept_all(struct worker_thread *thread)
{
	for (unsigned i = 0; i < thread->heritage->addresses; i++)
		if (acceptor_start(&thread->acceptors[i]) != 0)
			log_error("hub %u has no memory to accept on socket %u", thread->index, i);
	__atomic_store_n(&thread->is_welcoming, true, __ATOMIC_RELEASE);
}

/* Sockets are closed in any case: a worker that drains for long would keep them from the next
 * server. */
static void
accept_no_more(struct worker_thread *thread)
{
	bool accepts = thread_is_commanded(thread, THREAD_ACCEPT);
	bool is_last = thread_is_commanded(thread, THREAD_DRAIN) &&
		       !thread_is_commanded(thread, THREAD_FINISH);
	bool is_abandoned;
	int64_t until;

	if (is_last && accepts)
		await(thread, BIT(THREAD_FINISH) | BIT(THREAD_STOP) | BIT(THREAD_ABANDON),
			hub_now() + HANDSHAKE);
	/* If it never accepted, who is queued there is another generation's. */
	is_abandoned = thread_is_commanded(thread, THREAD_ABANDON) && accepts;
	until = is_abandoned ? hub_now() + QUEUE_TIME : HUB_FOREVER;
	__atomic_store_n(&thread->is_welcoming, false, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < thread->heritage->addresses; i++) {
		acceptor_pause(&thread->acceptors[i]);
		if (is_last || is_abandoned)
			acceptor_empty(&thread->acceptors[i], until);
		acceptor_close(&thread->acceptors[i]);
	}
	report(thread, CHANNEL_DRAINED, 0);
	tell_leader(thread, THREAD_QUIET);
}

static void
let_end(struct worker_thread *thread)
{
	start_coroutine(connection_run_drain, thread, "drain");
	await(thread, BIT(THREAD_EMPTY) | BIT(THREAD_STOP), HUB_FOREVER);
	if (thread_is_commanded(thread, THREAD_EMPTY))
		start_coroutine(wait_idle, thread, "wait for the last");
	await(thread, BIT(THREAD_STOP), HUB_FOREVER);
}

static void *
thread_main(void *argument)
{
	struct worker_thread *thread = argument;
	unsigned leave =
		BIT(THREAD_HANDOVER) | BIT(THREAD_DRAIN) | BIT(THREAD_ABANDON) | BIT(THREAD_FINISH);

	thread->mailbox = hub_mailbox();
	if (!start_coroutines(thread)) {
		thread->has_failed = true;
		return NULL;
	}
	__atomic_store_n(&thread->row->heartbeat, hub_now(), __ATOMIC_RELAXED);
	sem_post(&thread->started);
	/* It may be drained before it was ever told to accept. */
	await(thread, BIT(THREAD_ACCEPT) | leave | BIT(THREAD_STOP), HUB_FOREVER);
	if (thread_is_commanded(thread, THREAD_ACCEPT))
		accept_all(thread);
	await(thread, leave | BIT(THREAD_STOP), HUB_FOREVER);
	if (!thread_is_commanded(thread, THREAD_STOP)) {
		accept_no_more(thread);
		let_end(thread);
	}
	for (unsigned i = 0; i < thread->heritage->addresses; i++)
		acceptor_pause(&thread->acceptors[i]);
	return NULL;
}

/* ---- the thread ---- */

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

/* Called by the watchdog's thread, which alone counts this. */
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

	if (thread->cpu >= 0)
		pin_thread(thread);
	crash_use_row(thread->row);
	peers_use(&thread->peers);
	options.counters = &thread->row->hub;
	thread->hooks = (struct hub_hooks){.blocked = blocked, .context = thread};
	hub_set_hooks(&thread->hooks);
	if (hub_run_with(&options, thread_main, thread, NULL) != 0) {
		log_error("hub %u cannot start: %s", thread->index, strerror(errno));
		thread->has_failed = true;
	}
	hub_set_hooks(NULL);
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

	kernel_calls_begin();
	error = pthread_create(&thread->handle, NULL, run_named, thread);
	kernel_calls_end();
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
	struct acceptor_uses uses = {.take_over = handoff_offer, .serve = connection_serve};

	*thread = (struct worker_thread){.heritage = heritage,
		.row = &heritage->rows[index],
		.index = index,
		/* Now, before a thread that is pinned starts the others. */
		.cpu = heritage->settings.pin ? choose_cpu(heritage, index) : -1,
		.leader = leader};
	sem_init(&thread->started, 0, 0);
	hub_pool_init(&thread->pool, 0);
	list_init(&thread->parcels);
	thread->acceptors = calloc(heritage->addresses, sizeof *thread->acceptors);
	if (thread->acceptors == NULL)
		return -1;
	for (unsigned i = 0; i < heritage->addresses; i++)
		if (acceptor_init(&thread->acceptors[i], thread, i, sockets[i], uses) != 0)
			return -1;
	return 0;
}

void
thread_fini(struct worker_thread *thread)
{
	sem_destroy(&thread->started);
	for (unsigned i = 0; thread->acceptors != NULL && i < thread->heritage->addresses; i++)
		acceptor_fini(&thread->acceptors[i]);
	free(thread->acceptors);
	peers_fini(&thread->peers);
}
