/* Generator processes share the segment, and ignore SIGINT and SIGTERM: the parent alone decides
 * when a run ends, and tells them through the segment. They die with the parent. A row's trouble
 * says why a thread could not run. */
#include "tests/load/run/processes.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/load/drive/generator.h"

/* The argument of a generator thread. */
struct thread_start {
	const struct load *load;
	struct segment *segment;
	unsigned index;
};

static void *
run_thread(void *argument)
{
	struct thread_start *start = argument;

	if (start->load->cpu_count > 0) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(start->load->cpus[start->index % start->load->cpu_count], &set);
		if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0)
			snprintf(start->segment->row[start->index].trouble, SEGMENT_TEXT_SIZE,
				"a generator thread cannot be pinned to CPU %u",
				start->load->cpus[start->index % start->load->cpu_count]);
	}
	generator_run(start->load, start->segment, start->index);
	return NULL;
}

/* The body of a generator process number process. */
static _Noreturn void
generate(const struct load *load, struct segment *segment, unsigned process, pid_t parent)
{
	struct thread_start starts[LOAD_THREADS_MAX];
	pthread_t threads[LOAD_THREADS_MAX];
	unsigned started = 1;

	/* The parent decides when the run is over; without it the run is over. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(LOAD_FAILED);
	for (unsigned i = 0; i < load->threads; i++)
		starts[i] = (struct thread_start){load, segment, process * load->threads + i};
	for (; started < load->threads; started++)
		if (pthread_create(&threads[started], NULL, run_thread, &starts[started]) != 0)
			break;
	for (unsigned i = started; i < load->threads; i++) {
		snprintf(segment->row[starts[i].index].trouble, SEGMENT_TEXT_SIZE,
			"a generator thread cannot be started");
		segment->row[starts[i].index].state = ROW_DONE;
	}
	run_thread(&starts[0]);
	for (unsigned i = 1; i < started; i++)
		pthread_join(threads[i], NULL);
	/* exit, not _exit, so that LeakSanitizer looks for leaks. */
	exit(LOAD_DONE);
}

bool
processes_start(struct processes *processes, char *trouble, size_t size)
{
	pid_t self = getpid();

	fflush(NULL);
	for (; processes->count < processes->load->processes; processes->count++) {
		pid_t pid = fork();

		if (pid == 0)
			generate(processes->load, processes->segment, processes->count, self);
		if (pid == -1) {
			snprintf(trouble, size, "a generator process cannot be started: %s",
				strerror(errno));
			return false;
		}
		processes->pids[processes->count] = pid;
		processes->living++;
	}
	return true;
}

bool
processes_reap(struct processes *processes)
{
	bool all_well = true;

	for (unsigned i = 0; i < processes->count; i++) {
		int status;

		if (processes->pids[i] == 0 || waitpid(processes->pids[i], &status, WNOHANG) <= 0)
			continue;
		processes->pids[i] = 0;
		processes->living--;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			all_well = false;
	}
	return all_well;
}

void
processes_kill(struct processes *processes)
{
	for (unsigned i = 0; i < processes->count; i++)
		if (processes->pids[i] != 0)
			kill(processes->pids[i], SIGKILL);
	for (unsigned i = 0; i < processes->count; i++)
		if (processes->pids[i] != 0)
			waitpid(processes->pids[i], NULL, 0);
	processes->living = 0;
}

enum row_state
processes_state(const struct processes *processes)
{
	enum row_state slowest = ROW_DONE;

	for (unsigned i = 0; i < processes->segment->rows; i++) {
		enum row_state state = (enum row_state)__atomic_load_n(
			&processes->segment->row[i].state, __ATOMIC_ACQUIRE);

		if (state < slowest)
			slowest = state;
	}
	return slowest;
}
