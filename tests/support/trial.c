/* Each trial is a forked process, and at most at_once run at a time. What a trial reports goes to
 * shared memory; a trial that dies is a failure, whatever it reported. */
#include "tests/support/trial.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "tests/support/draw.h"

bool
trial_fail(struct trial *trial, const char *format, ...)
{
	size_t length = strlen(trial->failure);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(trial->failure + length, sizeof trial->failure - length, format, arguments);
	va_end(arguments);
	return false;
}

/* The state of all trials. `all` lies in memory that is shared with their processes. */
struct run {
	const struct trials *trials;
	struct draw draw;
	struct trial *all;
	pid_t *pids;
};

static void
begin(struct run *run, unsigned place)
{
	struct trial *trial = &run->all[place];

	trial->number = run->draw.cases[place];
	trial->seed = run->draw.seed + trial->number;
	run->pids[place] = fork();
	CHECK(run->pids[place] != -1);
	if (run->pids[place] != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run->trials->run(trial);
	_exit(0);
}

static void
await_one(struct run *run)
{
	int status;
	pid_t ended = wait(&status);

	for (unsigned i = 0; i < run->draw.count; i++)
		if (run->pids[i] == ended && status != 0)
			trial_fail(&run->all[i], "the trial ended with status %d\n", status);
}

static unsigned
report(const struct run *run)
{
	unsigned failed = 0;

	for (unsigned i = 0; i < run->draw.count; i++) {
		if (run->all[i].failure[0] == '\0')
			continue;
		fprintf(stderr, "---- %s:\n%s\n", run->trials->name(run->all[i].number),
			run->all[i].failure);
		failed++;
	}
	return failed;
}

unsigned
trials_run(const struct trials *trials)
{
	struct run run = {
		.trials = trials, .draw = draw_cases(trials->count, trials->sample, trials->name)};
	size_t size = (run.draw.count + 1) * sizeof(struct trial);
	unsigned failed, running = 0;

	run.pids = calloc(run.draw.count + 1, sizeof(pid_t));
	run.all = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(run.pids != NULL && run.all != MAP_FAILED);
	for (unsigned i = 0; i < run.draw.count; i++) {
		if (running == trials->at_once)
			await_one(&run);
		else
			running++;
		begin(&run, i);
	}
	for (; running > 0; running--)
		await_one(&run);
	failed = run.draw.count == 0 ? 1 : report(&run);
	munmap(run.all, size);
	free(run.pids);
	free(run.draw.cases);
	return failed;
}
