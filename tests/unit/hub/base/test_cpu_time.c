/* What the kernel tells of threads that run, sleep, wait for a CPU, or are none; and what follows
 * from two readings. */
#include "hub/base/cpu_time.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/nap.h"

#define MS CLOCK_MILLISECOND

Test(cpu_time, what_a_thread_has_waited_between_two_readings)
{
	/* In 300 ms. */
	static const struct {
		const char *what;
		int64_t ran, waited;
		bool is_runnable;
		int64_t all;
	} cases[] = {
		{"sleeps, or is stopped", 0, 0, false, 0},
		{"waits all the time", 0, 0, true, 300 * MS},
		{"has waited, and waits again", 20 * MS, 100 * MS, true, 280 * MS},
		{"has waited, and sleeps again", 20 * MS, 100 * MS, false, 100 * MS},
		{"runs", 300 * MS, 0, true, 0},
		{"runs, and the clocks differ a little", 301 * MS, 0, true, 0},
		{"its wait has begun before", 0, 900 * MS, false, 300 * MS},
		{"its wait has begun before, and it runs", 10 * MS, 900 * MS, true, 300 * MS},
		{"is another thread", -5 * MS, -7 * MS, false, 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cpu_time before = {7 * MS, 9 * MS, false};
		struct cpu_time now = {before.ran + cases[i].ran, before.waited + cases[i].waited,
			cases[i].is_runnable};

		cr_assert_eq(cpu_time_waited(&before, &now, 300 * MS), cases[i].all, "%s",
			cases[i].what);
	}
}

/* Reads until it is so, for 20 s at most. */
static bool
becomes(pid_t process, bool is_runnable, struct cpu_time *time)
{
	for (int tries = 0; tries < 2000; tries++) {
		if (cpu_time_read(process, process, time) && time->is_runnable == is_runnable)
			return true;
		nap(0.01);
	}
	return false;
}

/* Reads until it has not run for 50 ms, for 20 s at most: it is called stopped a moment before it
 * leaves its CPU. */
static bool
rests(pid_t process, struct cpu_time *time)
{
	struct cpu_time before = {0};

	for (int tries = 0; tries < 400; tries++) {
		if (cpu_time_read(process, process, time) && time->ran == before.ran)
			return true;
		before = *time;
		nap(0.05);
	}
	return false;
}

/* A child that computes for good, on the CPU of that number; or on any, if it is below 0. Its name
 * is meant to mislead. */
static pid_t
start_computing(int cpu)
{
	pid_t child = fork();

	if (child != 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, ") S (a) S 1");
	if (cpu >= 0) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		sched_setaffinity(0, sizeof set, &set);
	}
	for (;;)
		continue;
}

static void
end(pid_t child)
{
	kill(child, SIGKILL);
	cr_assert_eq(waitpid(child, NULL, 0), child);
}

Test(cpu_time, is_read_of_threads_that_run_and_that_are_stopped)
{
	pid_t child = start_computing(-1);
	struct cpu_time first, second, third;

	cr_assert_gt(child, 0);
	cr_assert(becomes(child, true, &first));
	nap(0.1);
	kill(child, SIGSTOP);
	cr_assert(becomes(child, false, &second));
	cr_assert(rests(child, &second));
	nap(0.1);
	cr_assert(cpu_time_read(child, child, &third));
	cr_assert_gt(second.ran, first.ran);
	cr_assert_eq(third.ran, second.ran, "it is stopped");
	cr_assert_eq(cpu_time_waited(&second, &third, 100 * MS), 0);
	end(child);
	cr_assert_not(cpu_time_read(child, child, &third));
	cr_assert_not(cpu_time_read(getpid(), 0, &third));
}

/* Ten that want one CPU: each runs for about a tenth of the time, and waits for the others. */
Test(cpu_time, is_waited_for_by_those_who_share_a_cpu)
{
	pid_t children[10];
	struct cpu_time before[10], now;
	int64_t began, elapsed, waited = 0;
	int cpu = sched_getcpu();

	for (int i = 0; i < 10; i++)
		cr_assert_gt(children[i] = start_computing(cpu), 0);
	for (int i = 0; i < 10; i++)
		cr_assert(becomes(children[i], true, &before[i]));
	began = clock_now();
	nap(1);
	elapsed = clock_now() - began;
	for (int i = 0; i < 10; i++) {
		cr_assert(cpu_time_read(children[i], children[i], &now));
		waited += cpu_time_waited(&before[i], &now, elapsed);
	}
	for (int i = 0; i < 10; i++)
		end(children[i]);
	cr_assert_gt(waited, 7 * elapsed, "%.0f ms of %.0f", (double)waited / MS,
		10 * (double)elapsed / MS);
}
