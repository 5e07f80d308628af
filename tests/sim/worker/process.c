/* A process and each of its threads is a fiber of the world: it has thread-local variables, and
 * with them a hub, of its own. */
#include "tests/sim/worker/process_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/cpu_time.h"
#include "hub/base/kernel.h"
#include "hub/base/list.h"
#include "hub/hub.h"
#include "master/fleet/spawn.h"
#include "master/start/sandbox.h"
#include "sim/loop/process_priv.h"
#include "sim/machine/fiber_priv.h"
#include "sim/world/world_priv.h"
#include "tests/sim/worker/instead.h"
#include "worker/worker.h"

/* A process that nothing has held up for so long ends by itself when it is told to. */
#define KILLED_AFTER (3 * HUB_SECOND)
/* Of the kernel, that a process makes before it is killed. */
#define CALLS_MOST 50

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

/* ---- processes ---- */

struct list processes;
static pid_t last_pid;
static struct processes_deaths deaths;
static int64_t last_held; /* until then one of them was held */
static int first_log;     /* of the process that is the master's */

void
processes_begin(void)
{
	list_init(&processes);
	last_pid = 100;
	deaths = (struct processes_deaths){0};
	last_held = 0;
	first_log = eventfd(0, EFD_CLOEXEC);
}

void
processes_end(void)
{
	kernel_close(first_log);
}

unsigned
processes_living(void)
{
	unsigned count = 0;

	LIST_EACH (link, &processes)
		count += !CONTAINER_OF(link, struct process, link)->has_ended;
	return count;
}

bool
processes_are_left(void)
{
	return !list_is_empty(&processes);
}

struct processes_deaths
processes_deaths(void)
{
	return deaths;
}

struct process *
process_of(pid_t pid)
{
	LIST_EACH (link, &processes) {
		struct process *process = CONTAINER_OF(link, struct process, link);

		if (process->pid == pid)
			return process;
	}
	return NULL;
}

int
process_log(void)
{
	return fiber_process() != 0 ? process_of((pid_t)fiber_process())->log : first_log;
}

/* The kernel tells its death, when all its descriptors are closed. */
static void
tell_death(void *object)
{
	struct process *process = object;
	const uint64_t one = 1;

	process->has_ended = true;
	while (kernel_write(process->end, &one, sizeof one) != sizeof one)
		continue;
	kernel_close(process->end);
}

static void
live(void *object)
{
	struct process *process = object;
	unsigned refused;

	/* While the process prepares its threads it gets all memory: without it, it would end at
	 * once, with descriptors that the kernel would close. */
	refused = refuse_memory(0);
	process->code = worker_run(&process->heritage);
	refuse_memory(refused);
	deaths.failed += process->code != 0;
	/* What follows is the kernel's part, in which nobody is killed. */
	kernel_close(process->heritage.channel);
	kernel_close(process->log);
	fiber_enter_process(0);
	tell_death(process);
}

_Noreturn void
process_exit(int code)
{
	struct process *process = process_of((pid_t)fiber_process());

	process->code = code;
	deaths.failed += code != 0;
	deaths.sudden++;
	process_kill(process->pid, 0, tell_death, process);
	abort();
}

static void
tell_kill(void *object)
{
	struct process *process = object;

	process->was_killed = true;
	deaths.sudden++;
	tell_death(process);
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
	close_unless(process->log);
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
	long parent = fiber_process();

	process->heritage = *heritage;
	process->heritage.sockets = sockets;
	process->heritage.kept = kept;
	process->end = process->pidfd = -1;
	fiber_enter_process(process->pid);
	process->heritage.channel = fcntl(heritage->channel, F_DUPFD_CLOEXEC, 0);
	while (made < count &&
		(sockets[made] = fcntl(heritage->sockets[made], F_DUPFD_CLOEXEC, 0)) != -1) {
		kept[made] = heritage->kept[made];
		made++;
	}
	process->log = fcntl(first_log, F_DUPFD_CLOEXEC, 0);
	fiber_enter_process(parent);
	if (made == count && process->heritage.channel != -1 && process->log != -1)
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
	long parent = fiber_process();

	process->pid = ++last_pid;
	process->held_until = world_now();
	if (!inherit(process, heritage)) {
		errno = EMFILE;
		return -1;
	}
	*pidfd = process->pidfd;
	list_append(&processes, &process->link);
	fiber_enter_process(process->pid);
	fiber_start(fiber_host(), live, process);
	fiber_enter_process(parent);
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
		if (!process->has_ended)
			return 0;
		*status = (siginfo_t){.si_code = process->was_killed ? CLD_KILLED : CLD_EXITED};
		status->si_pid = process->pid;
		status->si_status = process->was_killed ? SIGKILL : process->code;
		list_remove(&process->link);
		free_process(process);
		return 0;
	}
	errno = ECHILD;
	return -1;
}

void
process_kill_stuck(struct process *process)
{
	deaths.hung += world_now() - process->held_until > KILLED_AFTER;
	process_kill(process->pid, 0, tell_kill, process);
}

int
sandbox_kill(pid_t pid, int pidfd, int signal)
{
	struct process *process = process_of(pid);

	(void)pidfd, (void)signal;
	if (process != NULL && !process->has_ended)
		process_kill_stuck(process);
	return 0;
}

/* ---- accidents ---- */

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

/* The process cannot do anything until then. */
static void
hold(struct process *process, int64_t until)
{
	if (process->held_until < until)
		process->held_until = until;
	if (last_held < until)
		last_held = until;
}

bool
processes_were_held_since(int64_t since)
{
	return last_held > since;
}

void
process_block(int64_t nanoseconds)
{
	int64_t end = world_now() + nanoseconds;

	hold(process_of((pid_t)fiber_process()), end);
	fiber_pause(&(struct pause){.what = "the end of a long computation",
		.is_over = has_come,
		.end = time_of,
		.object = &end});
}

/* One that lives, or NULL. */
static struct process *
draw_living(void)
{
	struct process *chosen = NULL;
	uint64_t count = 0;

	LIST_EACH (link, &processes) {
		struct process *process = CONTAINER_OF(link, struct process, link);

		if (!process->has_ended && world_draw(++count) == 0)
			chosen = process;
	}
	return chosen;
}

void
processes_kill_one(void)
{
	struct process *process = draw_living();

	if (process != NULL)
		process_kill(process->pid, (unsigned)world_draw(CALLS_MOST), tell_kill, process);
}

static void
go_on(void *object)
{
	pid_t pid = (pid_t)(uintptr_t)object;

	/* The world may have ended meanwhile, and its fibers. */
	if (process_of(pid) != NULL)
		fibers_stop(pid, false);
}

void
processes_stop_one(int64_t nanoseconds)
{
	struct process *process = draw_living();

	if (process == NULL)
		return;
	world_note("process %ld is stopped", process->pid, 0, 0);
	hold(process, world_now() + nanoseconds);
	fibers_stop(process->pid, true);
	world_after(nanoseconds, go_on, (void *)(uintptr_t)process->pid);
}

/* One that neither computes nor is stopped could run: others have the CPU. */
bool
cpu_time_read(pid_t pid, pid_t thread, struct cpu_time *time)
{
	const struct process *process = process_of(pid);

	(void)thread;
	*time = (struct cpu_time){.ran = 1};
	time->is_runnable = process != NULL && process->held_until <= world_now();
	return process != NULL;
}

void
processes_held(void)
{
	LIST_EACH (link, &processes)
		hold(CONTAINER_OF(link, struct process, link), world_now());
}

__attribute__((weak)) ssize_t
hub_tls_subject(int client, char *text, size_t size, bool *is_verified)
{
	(void)client, (void)text, (void)size, (void)is_verified;
	errno = ENODATA;
	return -1;
}

__attribute__((weak)) const char *
hub_tls_protocol(int client)
{
	(void)client;
	return NULL;
}
