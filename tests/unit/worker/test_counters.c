#include "worker/counters.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/worker/shared.h"

TestSuite(counters, .init = shared_begin, .fini = shared_end, .timeout = 60);

Test(counters, children_share_them_and_other_masters_map_them)
{
	struct worker_row *rows = counters_claim(counters, 1, 1, 3), sum;
	struct counters *again;
	pid_t child = fork();

	if (child == 0) {
		counters_add(&rows[2].accepted, 5);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	again = counters_map(shared_file);
	cr_assert_not_null(again);
	cr_assert(counters_sum(again, 1, 2, &sum));
	cr_assert_eq(sum.accepted, 5);
	cr_assert(counters_sum(again, 1, 0, &sum));
	cr_assert_eq(sum.accepted, 0);
	cr_assert_not(counters_sum(again, 0, 0, &sum), "there is no such worker");
	counters_free(&again);
	cr_assert_null(again);
	counters_free(&again);
}

Test(counters, a_segment_of_another_version_is_refused)
{
	counters->version++;
	cr_assert_null(counters_map(shared_file));
	cr_assert_eq(errno, EPROTO);
	counters->version--;
}

Test(counters, rows_share_no_cache_line)
{
	cr_assert_eq((uintptr_t)counters->rows % 128, 0);
	cr_assert_eq(sizeof(struct worker_row) % 128, 0);
}

Test(counters, what_a_dead_process_counted_stays_and_its_gauges_go)
{
	struct worker_row *rows = counters_claim(counters, 0, 1, 2), *second = &rows[1], sum;

	second->accepted = second->opened = 7;
	second->closed = 4;
	second->lag = 1000;
	second->hub.bytes_received = 100;
	second->accept_limited = 2;
	second->permits = 12;
	counters_fold(counters, rows, 2);
	cr_assert(counters_sum(counters, 0, 1, &sum));
	cr_assert_eq(sum.accepted, 7);
	cr_assert_eq(counters_open(&sum), 0, "what it had open is closed");
	cr_assert_eq(sum.hub.bytes_received, 100);
	cr_assert_eq(sum.accept_limited, 2);
	cr_assert_eq(sum.lag, 0);
	/* The next process of that worker goes on from there, in a clean row. */
	second = &counters_claim(counters, 0, 2, 2)[1];
	cr_assert_eq(second->permits, 0);
	second->accepted = 3;
	cr_assert(counters_sum(counters, 0, 1, &sum));
	cr_assert_eq(sum.accepted, 10);
	cr_assert_eq(counters_total(counters).accepted, 10);
}

Test(counters, two_generations_of_a_worker_are_added_up)
{
	struct worker_row *former = counters_claim(counters, 0, 1, 1), sum;
	struct worker_row *present = counters_claim(counters, 0, 2, 1);

	former->opened = 5;
	former->closed = 3;
	present->opened = 4;
	cr_assert(counters_sum(counters, 0, 0, &sum));
	cr_assert_eq(sum.opened, 9);
	cr_assert_eq(counters_open(&sum), 6);
}

/* ---- orphans ---- */

/* Another master and its worker of two hubs, which has three connections open. */
struct family {
	pid_t master;
	pid_t worker; /* a child of this process as soon as the master is dead */
};

static void
be_worker(struct worker_row *rows, int ready)
{
	pid_t self = getpid();

	rows[0].accepted = rows[0].opened = 8;
	rows[0].closed = 5;
	if (counters_hold(counters, rows, 2) == 0 &&
		write(ready, &self, sizeof self) == sizeof self)
		pause();
	_exit(1);
}

static void
be_master(int ready)
{
	struct worker_row *rows;

	counters = counters_map(shared_file);
	rows = counters_claim(counters, 3, 1, 2);
	if (fork() == 0) {
		alarm(60);
		be_worker(rows, ready);
	}
	pause();
	_exit(1);
}

static struct family
start_family(void)
{
	struct family family;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	family.master = fork();
	if (family.master == 0) {
		/* If the test fails, nothing is left of it. */
		alarm(60);
		be_master(ends[1]);
	}
	cr_assert_eq(read(ends[0], &family.worker, sizeof family.worker), sizeof family.worker);
	close(ends[0]);
	close(ends[1]);
	return family;
}

/* Dead, but not reaped. */
static void
make_zombie(pid_t pid)
{
	siginfo_t status;

	kill(pid, SIGKILL);
	cr_assert_eq(waitid(P_PID, (id_t)pid, &status, WEXITED | WNOWAIT), 0);
}

static bool
live(void)
{
	counters_fold_orphans(counters);
	return counters->rows[0].state == ROW_LIVE && counters->rows[1].state == ROW_LIVE;
}

Test(counters, rows_are_folded_when_both_master_and_worker_are_dead_reaped_or_not)
{
	struct family family = start_family();
	struct worker_row sum;

	cr_assert_not(counters_is_own(counters, counters->rows));
	cr_assert(live());
	make_zombie(family.master);
	cr_assert(live(), "its worker drains");
	make_zombie(family.worker);
	cr_assert_not(live());
	cr_assert(counters_sum(counters, 3, 0, &sum));
	cr_assert_eq(sum.accepted, 8);
	cr_assert_eq(counters_open(&sum), 0);
	cr_assert_eq(counters_total(counters).lost, 3);
	waitpid(family.master, NULL, 0);
	waitpid(family.worker, NULL, 0);
}

Test(counters, rows_of_a_living_master_are_its_own_to_fold)
{
	struct family family = start_family();
	struct pollfd query = {.events = POLLIN};

	kill(family.worker, SIGKILL);
	/* Its master does not reap it. */
	query.fd = pidfd_open(family.worker, 0);
	cr_assert_eq(poll(&query, 1, 10000), 1);
	close(query.fd);
	cr_assert(live());
	kill(family.master, SIGKILL);
	waitpid(family.master, NULL, 0);
	cr_assert_not(live());
	waitpid(family.worker, NULL, 0);
}

/* A master that has the pid of a dead one is another. */
Test(counters, a_pid_is_no_identity)
{
	struct worker_row *rows = counters_claim(counters, 0, 1, 1), *fresh;
	struct counters *again;

	cr_assert(counters_is_own(counters, rows));
	counters_fold_orphans(counters);
	cr_assert_eq(rows->state, (uint32_t)ROW_LIVE);
	again = counters_map(shared_file);
	cr_assert_not(counters_is_own(counters, rows));
	fresh = counters_claim(counters, 0, 1, 1);
	cr_assert(counters_is_own(counters, fresh));
	counters_fold_orphans(again);
	cr_assert_neq(rows->state, (uint32_t)ROW_LIVE);
	cr_assert_eq(fresh->state, (uint32_t)ROW_LIVE);
	counters_free(&again);
}

/* Its master died between that and the end of the row. */
Test(counters, what_an_orphan_had_open_is_said_to_be_lost_once)
{
	struct family family = start_family();

	kill(family.worker, SIGKILL);
	kill(family.master, SIGKILL);
	waitpid(family.master, NULL, 0);
	waitpid(family.worker, NULL, 0);
	counters->rows[0].lost = 3;
	cr_assert_not(live());
	cr_assert_eq(counters_total(counters).lost, 3);
	cr_assert_eq(counters_total(counters).closed, 8);
}

Test(counters, of_a_row_that_is_buried_nothing_more_is_lost)
{
	struct worker_row *row = counters_claim(counters, 0, 1, 1);
	struct counters *again;

	row->opened = 5;
	counters_bury(counters, row, 1);
	cr_assert_eq(row->state, (uint32_t)ROW_DEAD);
	cr_assert_eq(counters_open(row), 0);
	/* Another master finds it. */
	again = counters_map(shared_file);
	counters_fold_orphans(again);
	cr_assert_eq(row->state, (uint32_t)ROW_LEDGER);
	cr_assert_eq(counters_total(again).lost, 0);
	cr_assert_eq(counters_total(again).opened, 5);
	counters_free(&again);
}

Test(counters, there_is_an_end_to_rows)
{
	cr_assert_not_null(counters_claim(counters, 0, 1, COUNTERS_ROWS - 1));
	cr_assert_null(counters_claim(counters, 1, 1, 2));
	cr_assert_eq(errno, ENOSPC);
	cr_assert_not_null(counters_claim(counters, 1, 1, 1));
	cr_assert_null(counters_claim(counters, 2, 1, 1));
}

static off_t
file_size(void)
{
	struct stat status;

	cr_assert_eq(fstat(shared_file, &status), 0);
	return status.st_size;
}

/* So a limit on the size of files refuses none but large servers. */
Test(counters, their_file_grows_as_rows_are_claimed)
{
	struct counters *again = counters_map(shared_file);
	struct worker_row *rows;
	off_t first = file_size();

	cr_assert_lt(first, 2 << 20);
	rows = counters_claim(counters, 0, 1, 1000);
	cr_assert_not_null(rows);
	cr_assert_gt(file_size(), first);
	counters_add(&rows[999].accepted, 5);
	cr_assert_eq(counters_total(again).accepted, 5);
	/* Another master goes on where this one has stopped. */
	rows = counters_claim(again, 1, 1, 1000);
	cr_assert_not_null(rows);
	counters_add(&rows[999].accepted, 2);
	cr_assert_eq(counters_total(counters).accepted, 7);
	counters_free(&again);
}

Test(counters, a_limit_on_the_size_of_files_is_an_end_to_rows)
{
	struct rlimit before, small;
	uint32_t claimed = 0;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){4 << 20, before.rlim_max};
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	while (counters_claim(counters, claimed, 1, 1) != NULL)
		claimed++;
	cr_assert_eq(errno, EFBIG);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	cr_assert_gt(claimed, 100);
	cr_assert_lt(claimed, 1000);
	cr_assert_eq(counters_total(counters).accepted, 0);
	cr_assert_not_null(counters_claim(counters, claimed, 1, 1));
}

static void *
fold_for_ever(void *stop)
{
	while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED)) {
		struct worker_row *rows = counters_claim(counters, 0, 1, 1);

		__atomic_store_n(&rows->accepted, 1, __ATOMIC_RELAXED);
		counters_fold(counters, rows, 1);
	}
	return NULL;
}

Test(counters, nothing_goes_back_while_another_master_folds)
{
	uint64_t last = 0, went_back = 0;
	bool stop = false;
	pthread_t thread;

	pthread_create(&thread, NULL, fold_for_ever, &stop);
	for (int i = 0; i < 20000; i++) {
		uint64_t accepted = counters_total(counters).accepted;

		went_back += accepted < last;
		last = accepted;
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	cr_assert_eq(went_back, 0);
}

struct taker {
	struct worker_row *row;
	int64_t taken;
};

static void *
take_permits(void *argument)
{
	struct taker *taker = argument;

	for (int i = 0; i < 100000; i++)
		taker->taken += counters_take_permits(taker->row, 1);
	return NULL;
}

Test(counters, permits_are_neither_lost_nor_made)
{
	struct worker_row *row = counters_claim(counters, 0, 1, 1);
	struct taker taker = {.row = row};
	int64_t taken = 0;
	pthread_t thread;

	row->permits = 1000;
	pthread_create(&thread, NULL, take_permits, &taker);
	for (int i = 0; i < 1000; i++) {
		counters_give_permits(row, 10);
		taken += counters_take_permits(row, 3);
	}
	pthread_join(thread, NULL);
	taken += counters_take_permits(row, INT64_MAX);
	cr_assert_eq(row->permits, 0);
	cr_assert_eq(taken + taker.taken, 1000 + 10 * 1000);
	cr_assert_eq(counters_take_permits(row, 5), 0);
}

/* Whether the mapping of the segment has this flag, as smaps abbreviates it. */
static bool
mapping_has(const char *flag)
{
	FILE *stream = fopen("/proc/self/smaps", "re");
	bool is_segment = false, has = false;
	char line[512];

	cr_assert_not_null(stream);
	while (fgets(line, sizeof line, stream) != NULL) {
		if (strchr(line, '-') != NULL && strchr(line, '/') != NULL)
			is_segment = strstr(line, COUNTERS_NAME) != NULL;
		if (is_segment && strncmp(line, "VmFlags:", 8) == 0)
			has |= strstr(line, flag) != NULL;
	}
	fclose(stream);
	return has;
}

/* A core would have hundreds of megabytes of zeros, and these would first become memory. */
Test(counters, are_in_no_core)
{
	cr_assert(mapping_has(" sh "));
	cr_assert(mapping_has(" dd"));
}
