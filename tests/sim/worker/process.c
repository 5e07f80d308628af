/* A process and each of its threads is a fiber of the world: it has thread-local variables, and
 * with them a hub, of its own. What the kernel would do for the worker when its master is dead, and
 * after a crash, is nothing here. */
#include "tests/sim/worker/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/kernel.h"
#include "hub/base/list.h"
#include "hub/hub.h"
#include "master/fleet/lookup.h"
#include "master/fleet/oom.h"
#include "master/fleet/spawn.h"
#include "master/start/sandbox.h"
#include "sim/fiber_priv.h"
#include "sim/world_priv.h"
#include "tests/sim/worker/instead.h"
#include "worker/crash.h"
#include "worker/orphan.h"
#include "worker/worker.h"

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

/* ---- threads ---- */

struct thread {
	hub_fn *body;
	void *argument, *result;
	bool has_ended;
};

static void
run_thread(void *object)
{
	struct thread *thread = object;

	thread->result = thread->body(thread->argument);
	thread->has_ended = true;
}

int
process_start_thread(
	pthread_t *handle, const pthread_attr_t *attributes, hub_fn *body, void *argument)
{
	struct thread *thread = hub_sim_calloc(1, sizeof *thread);

	(void)attributes;
	if (thread == NULL)
		return EAGAIN;
	*thread = (struct thread){.body = body, .argument = argument};
	*handle = (pthread_t)(uintptr_t)thread;
	fiber_start(fiber_host(), run_thread, thread);
	return 0;
}

static bool
has_ended(void *object)
{
	return ((const struct thread *)object)->has_ended;
}

int
process_join_thread(pthread_t handle, void **result)
{
	struct thread *thread = (struct thread *)(uintptr_t)handle;

	fiber_pause(&(struct pause){
		.what = "the end of a thread", .is_over = has_ended, .object = thread});
	if (result != NULL)
		*result = thread->result;
	free(thread);
	return 0;
}

/* A semaphore's first word counts: sem_init has made it so, and 0. */
static bool
is_posted(void *object)
{
	return *(const int *)object > 0;
}

int
process_wait_semaphore(sem_t *semaphore)
{
	fiber_pause(
		&(struct pause){.what = "a semaphore", .is_over = is_posted, .object = semaphore});
	--*(int *)(void *)semaphore;
	return 0;
}

int
process_post_semaphore(sem_t *semaphore)
{
	++*(int *)(void *)semaphore;
	return 0;
}

static int64_t
time_of(void *object)
{
	return *(const int64_t *)object;
}

static bool
has_come(void *object)
{
	return world_now() >= time_of(object);
}

void
process_block(int64_t nanoseconds)
{
	int64_t end = world_now() + nanoseconds;

	fiber_pause(&(struct pause){.what = "the end of a long computation",
		.is_over = has_come,
		.end = time_of,
		.object = &end});
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
processes_living(void)
{
	unsigned count = 0;

	LIST_EACH (link, &processes)
		count += CONTAINER_OF(link, struct process, link)->code == -1;
	return count;
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
static void
live(void *object)
{
	struct process *process = object;
	const uint64_t one = 1;
	unsigned refused;

	/* While the process prepares its threads it gets all memory: without it, it would end at
	 * once, with descriptors that the kernel would close. */
	refused = refuse_memory(0);
	process->code = worker_run(&process->heritage);
	refuse_memory(refused);
	failures += process->code != 0;
	hangs += process->killed_at != 0 && world_now() - process->killed_at > KILLED_FOR;
	kernel_close(process->heritage.channel);
	while (kernel_write(process->end, &one, sizeof one) != sizeof one)
		continue;
	kernel_close(process->end);
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

	if (!inherit(process, heritage)) {
		errno = EMFILE;
		return -1;
	}
	process->code = -1;
	process->pid = ++last_pid;
	*pidfd = process->pidfd;
	list_append(&processes, &process->link);
	fiber_start(fiber_host(), live, process);
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
			process->killed_at = world_now();
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
