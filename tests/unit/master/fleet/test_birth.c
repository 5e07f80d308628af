#include "master/fleet/birth.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "master/say/capture.h"
#include "tests/support/descriptors.h"
#include "tests/unit/master/fake_fleet.h"
#include "worker/tally.h"

static struct fake_fleet fake;
static struct slot *slot;

/* Two workers of two hubs, of which none has started. */
static void
begin(void)
{
	fake_open(&fake, NULL, 2, 2);
	slot = fake_slot(&fake, 1);
}

static void
end(void)
{
	fake_close(&fake);
}

TestSuite(birth, .init = begin, .fini = end, .timeout = 60);

static void
assert_unborn(void)
{
	cr_assert_eq(slot->pid, 0);
	cr_assert_eq(slot->pidfd, -1);
	cr_assert_eq(slot->channel, -1);
	cr_assert_null(slot->rows);
	cr_assert_null(slot->capture);
	for (uint32_t i = 0; i < fake.counters->used; i++)
		cr_assert(fake.counters->rows[i].state != ROW_LIVE ||
			  fake.counters->rows[i].worker != slot->index);
}

Test(birth, a_worker_has_its_rows_and_says_that_it_is_ready)
{
	struct channel_message message = {.kind = CHANNEL_KIND_MAX};
	struct pollfd channel = {.events = POLLIN};
	int descriptor;

	cr_assert_eq(birth_fork(slot), 0);
	cr_assert_gt(slot->pid, 0);
	for (unsigned hub = 0; hub < 2; hub++) {
		cr_assert_eq(slot->rows[hub].state, ROW_LIVE);
		cr_assert_eq(slot->rows[hub].worker, slot->index);
		cr_assert_eq(slot->rows[hub].index, hub);
	}
	channel.fd = slot->channel;
	cr_assert_eq(poll(&channel, 1, 30000), 1);
	cr_assert_eq(channel_receive(slot->channel, &message, &descriptor), 1);
	cr_assert_eq(message.kind, CHANNEL_READY);
	cr_assert_eq(kill(slot->pid, SIGKILL), 0);
	cr_assert_eq(waitpid(slot->pid, NULL, 0), slot->pid);
}

/* What former processes had in these rows counts no more. */
Test(birth, its_rows_are_renewed_in_the_tally)
{
	int file, status;
	struct tally *tally = tally_new(&file);

	cr_assert_not_null(tally);
	slot->generation->config.heritage.tally = tally;
	cr_assert_eq(birth_fork(slot), 0);
	for (unsigned hub = 0; hub < 2; hub++) {
		uint32_t *incarnation =
			&tally->incarnations[&slot->rows[hub] - fake.counters->rows];

		cr_assert_eq(*incarnation, 1);
	}
	cr_assert_eq(kill(slot->pid, SIGKILL), 0);
	cr_assert_eq(waitpid(slot->pid, &status, 0), slot->pid);
	tally_free(&tally);
	close(file);
}

Test(birth, without_rows_nothing_is_left_of_it)
{
	cr_assert_not_null(counters_claim(fake.counters, 9, 1, COUNTERS_ROWS - 1));
	cr_assert_eq(birth_fork(slot), -1);
	cr_assert_eq(errno, ENOSPC);
	assert_unborn();
}

Test(birth, without_files_nothing_is_left_of_it)
{
	struct rlimit before, none;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){0, before.rlim_max};
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	cr_assert_eq(birth_fork(slot), -1);
	cr_assert_eq(errno, EMFILE);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_unborn();
	cr_assert_eq(fake.counters->used, 2);
}

/* ---- what it prints ---- */

/* As many files as there are now, and so many more. */
static void
allow_files(int more)
{
	int next = dup(STDERR_FILENO);
	struct rlimit limit;

	close(next);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)(next + more);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* The pipe, the channel, the pidfd: each of these may be what there is no file for. */
Test(birth, of_a_worker_that_prints_leaves_nothing_if_it_fails)
{
	int before = open_descriptors(), born = -1;

	slot->generation->config.captures = true;
	for (int files = 0; files < 5; files++) {
		allow_files(files);
		born = birth_fork(slot);
		if (born == 0)
			break;
		assert_unborn();
		allow_files(100);
		cr_assert_eq(open_descriptors(), before, "with %d files", files);
	}
	cr_assert_eq(born, -1, "it takes five files");
	allow_files(5);
	cr_assert_eq(birth_fork(slot), 0);
	cr_assert_not_null(slot->capture);
	cr_assert_eq(kill(slot->pid, SIGKILL), 0);
	cr_assert_eq(waitpid(slot->pid, NULL, 0), slot->pid);
	capture_leave(slot->capture);
	slot->capture = NULL;
}
