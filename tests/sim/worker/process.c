/* The parts of a process are kept apart by a value of each coroutine: the hub, of which it is a
 * part. A hub ends as hub_run does: what it has spawned is killed, and awaited. What the kernel
 * would do for the worker when its master is dead, and after a crash, is nothing here. */
#include "tests/sim/worker/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/list.h"
#include "hub/hub.h"
#include "master/fleet/lookup.h"
#include "master/fleet/oom.h"
#include "master/fleet/spawn.h"
#include "master/start/sandbox.h"
#include "sim/world_priv.h"
#include "tests/sim/worker/instead.h"
#include "worker/crash.h"
#include "worker/orphan.h"
#include "worker/service.h"
#include "worker/state.h"
#include "worker/worker.h"

#undef hub_spawn

/* Who is killed may take so long to end. */
#define KILLED_FOR (3 * HUB_SECOND)

/* ---- memory ---- */

/* Returns the rate at which memory is refused until now, and refuses it at another. */
static unsigned
refuse_memory(unsigned rate)
{
	struct hub_sim_options *options = (struct hub_sim_options *)(uintptr_t)world_options();
	unsigned before = options->allocation;

	options->allocation = rate;
	return before;
}

static unsigned refused; /* that rate, before a process was prepared */

/* ---- hubs ---- */

struct part {
	struct list spawned; /* of struct spawned */
	struct hub_event changed;
};

struct spawned {
	struct list link;
	struct hub_link end;
	struct part *part;
	struct hub_coroutine *coroutine;
	hub_fn *body;
	void *argument;
};

static int
part_key(void)
{
	static int key = -1;

	if (key == -1)
		key = hub_local_new(NULL);
	return key;
}

static void
set_part(struct part *part)
{
	unsigned rate = refuse_memory(0);

	hub_local_set(part_key(), part);
	refuse_memory(rate);
}

static void *
run_spawned(void *argument)
{
	struct spawned *spawned = argument;

	set_part(spawned->part);
	return spawned->body(spawned->argument);
}

static void
on_end(struct hub_link *link, struct hub_coroutine *coroutine)
{
	struct spawned *spawned = CONTAINER_OF(link, struct spawned, end);

	(void)coroutine;
	list_remove(&spawned->link);
	hub_event_set(&spawned->part->changed);
	free(spawned);
}

struct hub_coroutine *
process_spawn(hub_fn *body, void *argument)
{
	struct part *part = hub_local_get(part_key());
	struct spawned *spawned;

	if (part == NULL)
		return hub_spawn(body, argument);
	spawned = malloc(sizeof *spawned);
	if (spawned == NULL)
		return NULL;
	*spawned = (struct spawned){
		.end.ended = on_end, .part = part, .body = body, .argument = argument};
	spawned->coroutine = hub_spawn(run_spawned, spawned);
	if (spawned->coroutine == NULL) {
		free(spawned);
		return NULL;
	}
	list_append(&spawned->part->spawned, &spawned->link);
	hub_link(spawned->coroutine, &spawned->end);
	return spawned->coroutine;
}

static void
end_part(struct part *part, struct worker_thread *thread)
{
	hub_pool_kill(&thread->pool);
	LIST_EACH (link, &part->spawned)
		hub_kill(CONTAINER_OF(link, struct spawned, link)->coroutine);
	hub_pool_join(&thread->pool);
	while (!list_is_empty(&part->spawned)) {
		hub_event_clear(&part->changed);
		hub_event_wait(&part->changed);
	}
}

int
process_run_hub(const struct hub_options *options, hub_fn *body, void *argument, void **result)
{
	struct part part = {0};
	struct part *outer = hub_local_get(part_key());
	void *value;

	(void)options;
	refuse_memory(refused);
	list_init(&part.spawned);
	hub_event_init(&part.changed);
	set_part(&part);
	value = body(argument);
	end_part(&part, argument);
	set_part(outer);
	if (result != NULL)
		*result = value;
	return 0;
}

/* ---- threads ---- */

struct thread {
	struct hub_coroutine *coroutine;
};

int
process_start_thread(
	pthread_t *thread, const pthread_attr_t *attributes, hub_fn *body, void *argument)
{
	struct hub_coroutine *coroutine = hub_spawn(body, argument);

	(void)attributes;
	*thread = (pthread_t)(uintptr_t)coroutine;
	return coroutine != NULL ? 0 : EAGAIN;
}

int
process_join_thread(pthread_t thread, void **result)
{
	return hub_join((struct hub_coroutine *)(uintptr_t)thread, result);
}

/* A semaphore's first word counts: sem_init has made it so, and 0. */
int
process_post_semaphore(sem_t *semaphore)
{
	++*(int *)(void *)semaphore;
	return 0;
}

int
process_wait_semaphore(sem_t *semaphore)
{
	while (*(int *)(void *)semaphore == 0)
		hub_sleep(HUB_MILLISECOND / 10);
	--*(int *)(void *)semaphore;
	return 0;
}

/* ---- processes ---- */

struct process {
	struct list link;
	struct worker_heritage heritage; /* its sockets are owned */
	pid_t pid;
	int pidfd;         /* the parent's */
	int end;           /* the process's duplicate of it */
	int code;          /* -1 while it lives */
	int64_t killed_at; /* 0: it was not */
};

static struct list processes;
static pid_t last_pid;
static unsigned failures, hangs;

void
processes_begin(void)
{
	list_init(&processes);
	last_pid = 100;
	failures = hangs = 0;
}

unsigned
processes_count(void)
{
	unsigned count = 0;

	LIST_EACH (link, &processes)
		count++;
	return count;
}

unsigned
processes_failed(void)
{
	return failures;
}

unsigned
processes_hung(void)
{
	return hangs;
}

/* The kernel closes what the process has left of its heritage, and then tells its death. */
static void *
live(void *argument)
{
	struct process *process = argument;
	const uint64_t one = 1;

	/* While the process prepares its threads it gets all memory: without it, it would end at
	 * once, with descriptors that the kernel would close. Nothing switches meanwhile. */
	refused = refuse_memory(0);
	process->code = worker_run(&process->heritage);
	refuse_memory(refused);
	failures += process->code != 0;
	hangs += process->killed_at != 0 && hub_now() - process->killed_at > KILLED_FOR;
	hub_close(process->heritage.channel);
	hub_write(process->end, &one, sizeof one);
	hub_close(process->end);
	return NULL;
}

static void
free_process(struct process *process)
{
	free((int *)(uintptr_t)process->heritage.sockets);
	free((bool *)(uintptr_t)process->heritage.kept);
	free(process);
}

static void
close_unless(int fd)
{
	if (fd != -1)
		close(fd);
}

/* Closes what was inherited, and frees the process. */
static void
disinherit(struct process *process)
{
	const struct worker_heritage *heritage = &process->heritage;

	for (unsigned i = 0; i < heritage->threads * heritage->addresses; i++)
		close_unless(heritage->sockets[i]);
	close_unless(heritage->channel);
	close_unless(process->pidfd);
	close_unless(process->end);
	free_process(process);
}

/* Duplicates the descriptors of the heritage, as fork(2) does. Returns false if one is refused;
 * then the process is gone. */
static bool
inherit(struct process *process, const struct worker_heritage *heritage)
{
	unsigned count = heritage->threads * heritage->addresses, made = 0;
	int *sockets = calloc(count, sizeof *sockets);
	bool *kept = calloc(count, sizeof *kept);

	process->heritage = *heritage;
	process->heritage.master = 0; /* whose death nobody sees */
	process->heritage.sockets = sockets;
	process->heritage.kept = kept;
	process->heritage.channel = fcntl(heritage->channel, F_DUPFD_CLOEXEC, 0);
	process->end = process->pidfd = -1;
	while (made < count &&
		(sockets[made] = fcntl(heritage->sockets[made], F_DUPFD_CLOEXEC, 0)) != -1) {
		kept[made] = heritage->kept[made];
		made++;
	}
	if (made == count && process->heritage.channel != -1)
		process->pidfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (process->pidfd != -1)
		process->end = fcntl(process->pidfd, F_DUPFD_CLOEXEC, 0);
	if (process->end != -1)
		return true;
	while (made < count)
		sockets[made++] = -1;
	disinherit(process);
	return false;
}

pid_t
spawn_worker(const struct worker_heritage *heritage, int *pidfd)
{
	struct process *process = calloc(1, sizeof *process);
	struct hub_coroutine *coroutine;

	if (!inherit(process, heritage)) {
		errno = EMFILE;
		return -1;
	}
	coroutine = hub_spawn(live, process);
	if (coroutine == NULL) {
		disinherit(process);
		errno = ENOMEM;
		return -1;
	}
	hub_set_name(coroutine, "worker");
	hub_detach(coroutine);
	process->code = -1;
	process->pid = ++last_pid;
	*pidfd = process->pidfd;
	list_append(&processes, &process->link);
	return process->pid;
}

int
process_waitid(idtype_t kind, id_t id, siginfo_t *status, int flags)
{
	(void)kind, (void)flags;
	LIST_EACH (link, &processes) {
		struct process *process = CONTAINER_OF(link, struct process, link);

		if (process->pidfd != (int)id)
			continue;
		if (process->code == -1)
			return 0;
		*status = (siginfo_t){.si_code = CLD_EXITED};
		status->si_pid = process->pid;
		status->si_status = process->code;
		list_remove(&process->link);
		free_process(process);
		return 0;
	}
	errno = ECHILD;
	return -1;
}

int
sandbox_kill(pid_t pid, int pidfd, int signal)
{
	(void)pidfd, (void)signal;
	LIST_EACH (link, &processes) {
		struct process *process = CONTAINER_OF(link, struct process, link);

		if (process->pid == pid && process->killed_at == 0)
			process->killed_at = hub_now();
	}
	return 0;
}

/* ---- what the kernel does for a worker, and a master asks of it ---- */

void
crash_install(struct worker_row *row)
{
	(void)row;
}

void
crash_use_row(struct worker_row *row)
{
	(void)row;
}

void
service_use(const struct worker_thread *thread)
{
	(void)thread;
}

void
orphan_begin(void)
{
}

void
orphan_last_until(int64_t time)
{
	(void)time;
}

int
orphan_prepare(pid_t master)
{
	(void)master;
	return 0;
}

void
orphan_end(void)
{
}

void
oom_begin(const struct oom_places *given)
{
	(void)given;
}

void
oom_look(void)
{
}

void
oom_explain(char text[static OOM_TEXT_SIZE])
{
	*text = '\0';
}

void
lookup_start(struct ev_loop *loop, const char *whose, const struct worker_crash *crash)
{
	(void)loop, (void)whose, (void)crash;
}

/* No settings of these scenes have TLS. */
__attribute__((weak)) int
hub_tls_accept(int client, struct hub_tls *tls)
{
	(void)client, (void)tls;
	errno = EOPNOTSUPP;
	return -1;
}

__attribute__((weak)) const char *
hub_tls_why(void)
{
	return "there is no TLS here";
}
