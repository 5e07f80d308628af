#include "worker/fold.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/in_hub.h"
#include "worker/catalog.h"
#include "worker/counters.h"

static struct counters *counters;
static int file;

/* A worker of one hub that has died once: of its ledger are 7, of the process that is dead 5. */
static struct worker_row *ledger, *row;

enum { KEYS, LOOKUPS, SIZES };

static const struct hubbub_metric metrics[] = {
	[KEYS] = {"store_keys", "Keys.", HUBBUB_GAUGE, HUBBUB_ONES, {NULL}},
	[LOOKUPS] = {"store_lookups_total", "Lookups.", HUBBUB_COUNTER, HUBBUB_ONES, {NULL}},
	[SIZES] = {"store_bytes", "Sizes.", HUBBUB_HISTOGRAM, HUBBUB_ONES, {NULL}},
	{.name = NULL},
};

static uint64_t *
count_of(struct worker_row *any, unsigned metric)
{
	return &any->counts[catalog[COUNTED_MAX + metric].place];
}

/* So many connections, requests, and counts of each metric of the service. */
static void
count(struct worker_row *any, uint64_t number)
{
	counters_add(&any->accepted, number);
	counters_add(&any->opened, number);
	counters_add(count_of(any, LOOKUPS), number);
	counters_add(count_of(any, KEYS), number);
	for (uint64_t i = 0; i < number; i++) {
		buckets_record(&any->requests, 1000);
		buckets_record((struct buckets *)(void *)count_of(any, SIZES), 1000);
	}
}

static void
begin(void)
{
	catalog_add_service(metrics);
	counters = counters_new(&file);
	cr_assert_not_null(counters);
	ledger = counters_claim(counters, 0, 1, 1);
	count(ledger, 7);
	counters_fold(counters, ledger, 1);
	row = counters_claim(counters, 0, 2, 1);
	count(row, 5);
	row->closed = 3;
}

static void
end(void)
{
	counters_free(&counters);
	close(file);
}

TestSuite(fold, .init = begin, .fini = end, .timeout = 60);

/* Asserts that all that only grows has been counted as often. */
static void
assert_even(struct worker_row *sum)
{
	const struct buckets *sizes = (const void *)count_of(sum, SIZES);

	cr_assert_eq(*count_of(sum, LOOKUPS), sum->accepted);
	cr_assert_eq(buckets_total(&sum->requests), sum->accepted);
	cr_assert_eq(sum->requests.sum, 1000 * sum->accepted);
	cr_assert_eq(buckets_total(sizes), sum->accepted);
	cr_assert_eq(sizes->sum, 1000 * sum->accepted);
}

static uint64_t
accepted(void)
{
	struct worker_row sum, total = counters_total(counters);

	cr_assert(counters_sum(counters, 0, 0, &sum));
	cr_assert_eq(sum.accepted, total.accepted);
	assert_even(&sum);
	counters_sum_all(counters, &sum);
	cr_assert_eq(sum.accepted, total.accepted);
	assert_even(&sum);
	return total.accepted;
}

static uint64_t
keys(void)
{
	struct worker_row sum;

	counters_sum_all(counters, &sum);
	return *count_of(&sum, KEYS);
}

/* What fold_finish has done when it is killed after so many stores. */
static void
finish_in_part(unsigned stores)
{
	for (unsigned i = 0; i < stores; i++)
		if (i % 2 == 0)
			ledger->counts[i / 2] = counters->fold.sums[i / 2];
		else
			row->counts[i / 2] = 0;
}

Test(fold, the_first_of_its_hub_becomes_the_ledger)
{
	cr_assert_eq(ledger->state, (uint32_t)ROW_LEDGER);
	cr_assert_eq(ledger->closed, 7);
	cr_assert_neq(row, ledger);
	cr_assert_eq(counters->used, 2);
}

Test(fold, a_gauge_is_that_of_the_living)
{
	struct worker_row *other = counters_claim(counters, 1, 1, 1);

	cr_assert_eq(keys(), 5);
	*count_of(other, KEYS) = (uint64_t)-2;
	cr_assert_eq(keys(), 3);
	counters_bury(counters, row, 1);
	cr_assert_eq((int64_t)keys(), -2);
	counters_fold(counters, row, 1);
	cr_assert_eq((int64_t)keys(), -2);
	counters_fold(counters, other, 1);
	cr_assert_eq(keys(), 0);
}

Test(fold, each_is_counted_once_after_each_step)
{
	fold_bury(counters, row);
	cr_assert_eq(row->closed, 5);
	cr_assert_eq(accepted(), 12);
	cr_assert(fold_begin(counters, row));
	for (unsigned stores = 0; stores <= 2 * COUNTED_ROOM; stores++) {
		finish_in_part(stores);
		cr_assert_eq(accepted(), 12, "%u", stores);
	}
	fold_finish(counters);
	cr_assert_eq(accepted(), 12);
	cr_assert_eq(ledger->accepted, 12);
	cr_assert_eq(row->accepted, 0);
	cr_assert_eq(row->state, (uint32_t)ROW_DEAD, "nobody can claim it before the fold is done");
}

Test(fold, another_master_ends_it_wherever_its_own_died)
{
	uint64_t expected = 12;

	for (unsigned stores = 0; stores <= 2 * COUNTED_ROOM; stores++) {
		fold_bury(counters, row);
		cr_assert(fold_begin(counters, row));
		finish_in_part(stores);
		/* The row is claimed again only by those who come after, as this process now. */
		counters_free(&(struct counters *){counters_map(file)});
		counters_fold_orphans(counters);
		cr_assert_eq(accepted(), expected, "%u", stores);
		cr_assert_eq(ledger->closed, expected);
		cr_assert_eq(row->state, (uint32_t)ROW_FREE);
		cr_assert_eq(counters_claim(counters, 0, 3, 1), row);
		count(row, 2);
		expected += 2;
	}
}

Test(fold, a_master_that_dies_before_the_row_is_free_leaves_one_of_nothing)
{
	fold_bury(counters, row);
	cr_assert(fold_begin(counters, row));
	fold_finish(counters);
	fold_row(counters, row);
	cr_assert_eq(accepted(), 12);
	cr_assert_eq(row->state, (uint32_t)ROW_FREE);
}

Test(fold, one_that_dies_while_it_buries_leaves_nothing_open)
{
	row->state = ROW_DEAD;
	fold_row(counters, row);
	cr_assert_eq(counters_total(counters).opened, 12);
	cr_assert_eq(counters_total(counters).closed, 12);
}

Test(fold, a_reader_knows_that_it_has_read_in_between)
{
	uint32_t folds = fold_look(counters);

	fold_bury(counters, row);
	cr_assert_not(fold_has_moved(counters, folds), "no count has moved");
	fold_begin(counters, row);
	cr_assert(fold_has_moved(counters, folds));
	folds = fold_look(counters);
	cr_assert_not(fold_has_moved(counters, folds), "it does not wait for who stands still");
	cr_assert_null(fold_counts(counters, folds, row));
	cr_assert_eq(fold_counts(counters, folds, ledger), counters->fold.sums);
	fold_finish(counters);
	cr_assert(fold_has_moved(counters, folds));
}

/* ---- other masters ---- */

/* Stops, as a master may that has the right to fold. */
static void
be_folder(int ready)
{
	struct flock right = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = COUNTERS_ROWS * 2, .l_len = 1};

	if (fcntl(file, F_SETLK, &right) == 0 && write(ready, "", 1) == 1)
		pause();
	_exit(1);
}

Test(fold, while_another_master_folds_the_dead_are_counted_where_they_are)
{
	struct worker_row *first = counters_claim(counters, 1, 1, 2), *second = first + 1, sum;
	pid_t folder;
	int ends[2];
	char byte;

	second->accepted = second->opened = 7;
	second->lag = 1000;
	counters_fold(counters, first, 1);
	cr_assert_eq(pipe(ends), 0);
	folder = fork();
	if (folder == 0) {
		alarm(60);
		be_folder(ends[1]);
	}
	cr_assert_eq(read(ends[0], &byte, 1), 1);
	counters_fold(counters, second, 1);
	counters_fold_orphans(counters);
	cr_assert_eq(second->state, (uint32_t)ROW_DEAD);
	cr_assert(counters_sum(counters, 1, 1, &sum));
	cr_assert_eq(sum.accepted, 7);
	cr_assert_eq(sum.lag, 0);
	cr_assert_eq(counters_open(&sum), 0);
	kill(folder, SIGKILL);
	waitpid(folder, NULL, 0);
	counters_fold_orphans(counters);
	cr_assert_eq(second->state, (uint32_t)ROW_LEDGER);
	cr_assert(counters_sum(counters, 1, 1, &sum));
	cr_assert_eq(sum.accepted, 7);
	close(ends[0]);
	close(ends[1]);
}

#define HUBS 8 /* of each process */

/* A master whose processes count and die. *counted is never less than what they have counted. It
 * may be killed between the two, at any time. */
static void
be_busy_master(uint32_t worker, uint64_t *counted)
{
	alarm(60);
	counters = counters_map(file);
	for (;;) {
		struct worker_row *rows = counters_claim(counters, worker, 1, HUBS);

		/* Who adds up holds the right to fold, and meanwhile the dead fill the table. */
		if (rows == NULL) {
			counters_fold_orphans(counters);
			continue;
		}
		__atomic_fetch_add(counted, HUBS, __ATOMIC_SEQ_CST);
		for (unsigned i = 0; i < HUBS; i++)
			counters_add(&rows[i].accepted, 1);
		counters_fold(counters, rows, HUBS);
	}
}

static uint64_t *
share_number(void)
{
	uint64_t *number = mmap(
		NULL, sizeof *number, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(number, MAP_FAILED);
	return number;
}

static bool
is_killed(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status);
}

Test(fold, nothing_goes_back_while_two_other_masters_fold)
{
	uint64_t last = 0, went_back = 0, *counted = share_number();
	pid_t masters[2];

	for (uint32_t i = 0; i < 2; i++) {
		masters[i] = fork();
		if (masters[i] == 0)
			be_busy_master(i, counted);
	}
	for (int64_t end = clock_now() + CLOCK_SECOND; clock_now() < end;) {
		uint64_t accepted = counters_total(counters).accepted;

		went_back += accepted < last;
		last = accepted;
	}
	for (int i = 0; i < 2; i++)
		cr_assert(is_killed(masters[i]));
	cr_assert_gt(last, 0);
	cr_assert_eq(went_back, 0);
	munmap(counted, sizeof *counted);
}

Test(fold, a_master_that_is_killed_while_it_folds_counts_nothing_twice)
{
	uint64_t expected, *counted = share_number();

	*counted = accepted();
	for (unsigned i = 0; i < 200; i++) {
		pid_t master = fork();

		if (master == 0)
			be_busy_master(0, counted);
		nanosleep(&(struct timespec){0, 2000000 + i * 7919}, NULL);
		cr_assert(is_killed(master));
		counters_fold_orphans(counters);
		expected = *counted;
		*counted = counters_total(counters).accepted;
		cr_assert_leq(*counted, expected);
		cr_assert_leq(expected - *counted, HUBS, "of what it was about to count");
		for (uint32_t at = 0; at < counters->used; at++)
			cr_assert(&counters->rows[at] == row ||
				  counters->rows[at].state == ROW_FREE ||
				  counters->rows[at].state == ROW_LEDGER);
	}
	munmap(counted, sizeof *counted);
}

/* A master that folds the row of a dead process, and can be stopped at each instruction. Before,
 * its process counts 1 of everything. */
static void
be_traced_master(void)
{
	struct worker_row *rows;

	alarm(60);
	counters = counters_map(file);
	rows = counters_claim(counters, 0, 3, 1);
	if (rows == NULL || ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(1);
	count(rows, 1);
	raise(SIGSTOP);
	counters_fold(counters, rows, 1);
	_exit(0);
}

#define ROWS 3 /* that are in use: ledger, row, and that of the traced master's process */
#define STEP 61

/* What a master changes when it folds. */
struct moment {
	uint32_t folds;
	struct fold fold;
	struct worker_row rows[ROWS];
};

static void
save(struct moment *moment)
{
	moment->folds = counters->folds;
	moment->fold = counters->fold;
	memcpy(moment->rows, counters->rows, sizeof moment->rows);
}

static void
restore(const struct moment *moment)
{
	counters->folds = moment->folds;
	counters->fold = moment->fold;
	memcpy(counters->rows, moment->rows, sizeof moment->rows);
}

/* What the next master does, which would get the right to fold at this one's death. */
static void
go_on(void)
{
	fold_finish(counters);
	if (row_state(&counters->rows[ROWS - 1]) == ROW_DEAD)
		fold_row(counters, &counters->rows[ROWS - 1]);
}

/* Lets the master do so many instructions. Returns how many it did before it ended. */
static long
step(pid_t master, long instructions)
{
	int status;

	for (long done = 0; done < instructions; done++) {
		ptrace(PTRACE_SINGLESTEP, master, NULL, NULL);
		if (waitpid(master, &status, 0) != master || !WIFSTOPPED(status))
			return done;
	}
	return instructions;
}

Test(fold, a_master_that_is_killed_at_any_instruction_counts_everything_once)
{
	static struct moment moment;
	long done = 0, last = STEP;
	pid_t master;
	int status;

	if (on_valgrind())
		cr_skip_test("the instructions would be valgrind's");
	master = fork();
	if (master == 0)
		be_traced_master();
	waitpid(master, &status, 0);
	if (!WIFSTOPPED(status))
		cr_skip_test("programs cannot be traced here");
	for (; last == STEP; done += last) {
		cr_assert_eq(accepted(), 13, "after %ld instructions", done);
		save(&moment);
		go_on();
		cr_assert_eq(accepted(), 13, "killed after %ld instructions", done);
		cr_assert_eq(keys(), row_state(&counters->rows[ROWS - 1]) == ROW_LIVE ? 6 : 5);
		restore(&moment);
		last = step(master, STEP);
	}
	cr_assert_gt(done, 1000);
	cr_assert_eq(accepted(), 13);
	cr_assert_eq(counters->rows[ROWS - 1].state, (uint32_t)ROW_FREE);
}
