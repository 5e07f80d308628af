#include "tests/load/run/crew.h"

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

struct seat {
	const struct load *load;
	struct segment *segment;
	unsigned index;
};

static void *
sit(void *argument)
{
	struct seat *seat = argument;

	if (seat->load->cpu_count > 0) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(seat->load->cpus[seat->index % seat->load->cpu_count], &set);
		if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0)
			snprintf(seat->segment->row[seat->index].trouble, SEGMENT_TEXT_SIZE,
				"cannot be pinned to CPU %u",
				seat->load->cpus[seat->index % seat->load->cpu_count]);
	}
	generator_run(seat->load, seat->segment, seat->index);
	return NULL;
}

/* A generator process; does not return. */
static _Noreturn void
generate(const struct load *load, struct segment *segment, unsigned process, pid_t parent)
{
	struct seat seats[LOAD_THREADS_MAX];
	pthread_t threads[LOAD_THREADS_MAX];
	unsigned started = 1;

	/* The parent decides when it is over; without it, so is the run. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(LOAD_FAILED);
	for (unsigned i = 0; i < load->threads; i++)
		seats[i] = (struct seat){load, segment, process * load->threads + i};
	for (; started < load->threads; started++)
		if (pthread_create(&threads[started], NULL, sit, &seats[started]) != 0)
			break;
	for (unsigned i = started; i < load->threads; i++) {
		snprintf(segment->row[seats[i].index].trouble, SEGMENT_TEXT_SIZE,
			"a thread cannot be started");
		segment->row[seats[i].index].state = ROW_DONE;
	}
	sit(&seats[0]);
	for (unsigned i = 1; i < started; i++)
		pthread_join(threads[i], NULL);
	/* exit, so that a leak is found by who looks for leaks. */
	exit(LOAD_DONE);
}

bool
crew_start(struct crew *crew, char *trouble, size_t size)
{
	pid_t self = getpid();

	fflush(NULL);
	for (; crew->count < crew->load->processes; crew->count++) {
		pid_t pid = fork();

		if (pid == 0)
			generate(crew->load, crew->segment, crew->count, self);
		if (pid == -1) {
			snprintf(trouble, size, "a generator process cannot be started: %s",
				strerror(errno));
			return false;
		}
		crew->pids[crew->count] = pid;
		crew->living++;
	}
	return true;
}

bool
crew_reap(struct crew *crew)
{
	bool all_well = true;

	for (unsigned i = 0; i < crew->count; i++) {
		int status;

		if (crew->pids[i] == 0 || waitpid(crew->pids[i], &status, WNOHANG) <= 0)
			continue;
		crew->pids[i] = 0;
		crew->living--;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			all_well = false;
	}
	return all_well;
}

void
crew_kill(struct crew *crew)
{
	for (unsigned i = 0; i < crew->count; i++)
		if (crew->pids[i] != 0)
			kill(crew->pids[i], SIGKILL);
	for (unsigned i = 0; i < crew->count; i++)
		if (crew->pids[i] != 0)
			waitpid(crew->pids[i], NULL, 0);
	crew->living = 0;
}

enum row_state
crew_state(const struct crew *crew)
{
	enum row_state slowest = ROW_DONE;

	for (unsigned i = 0; i < crew->segment->rows; i++) {
		enum row_state state = (enum row_state)__atomic_load_n(
			&crew->segment->row[i].state, __ATOMIC_ACQUIRE);

		if (state < slowest)
			slowest = state;
	}
	return slowest;
}
