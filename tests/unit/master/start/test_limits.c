#include "master/start/limits.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "tests/support/complaint.h"
#include "tests/support/most_files.h"

static rlim_t most; /* what stands for the kernel's fs.nr_open; 0: none does */

/* libc's, for the code that is tested. */
int
setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	if (resource == RLIMIT_NOFILE && most != 0 && limit->rlim_max > most) {
		errno = EPERM;
		return -1;
	}
	return prlimit(0, resource, limit, NULL);
}

static void
limit_files(rlim_t soft, rlim_t hard)
{
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){soft, hard}), 0);
}

static rlim_t
soft_limit(void)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	return limit.rlim_cur;
}

Test(limits, the_soft_limit_on_files_becomes_the_hard_one)
{
	limit_files(64, 1000);
	cr_assert_eq(limits_raise(1, 2, 2), 0);
	cr_assert_eq(soft_limit(), 1000);
}

/* In each case that many files are needed: by the master, which has all sockets, or by a worker. */
Test(limits, a_hard_limit_that_is_too_low_is_refused_with_what_it_takes)
{
	static const struct {
		unsigned addresses, workers, hubs;
		rlim_t needed;
	} cases[] = {
		{1, 1, 1, 2 + 3 + 32}, /* a worker's: its socket, a reserve, its loop's three */
		{1, 4, 8, 32 + 12 + 32}, {3, 4, 10, 120 + 12 + 32},
		{1, 1, 64, 128 + 192 + 32}, /* a worker's */
	};

	for (size_t i = 4; i-- > 0;) {
		const char *heard;
		char text[64];

		limit_files(cases[i].needed - 1, cases[i].needed);
		cr_assert_eq(limits_raise(cases[i].addresses, cases[i].workers, cases[i].hubs), 0,
			"case %zu", i);
		limit_files(32, cases[i].needed - 1);
		complaint_listen();
		cr_assert_eq(limits_raise(cases[i].addresses, cases[i].workers, cases[i].hubs), -1,
			"case %zu", i);
		heard = complaint_heard();
		snprintf(text, sizeof text, "%u process%s x %u thread%s need at least %lu",
			cases[i].workers, cases[i].workers == 1 ? "" : "es", cases[i].hubs,
			cases[i].hubs == 1 ? "" : "s", (unsigned long)cases[i].needed);
		cr_assert_not_null(strstr(heard, text), "case %zu: %s", i, heard);
		cr_assert_not_null(strstr(heard, "ulimit -n, LimitNOFILE="), "%s", heard);
		cr_assert_eq(soft_limit(), 32, "nothing has changed");
		/* A hard limit can only be raised again by root. */
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){cases[i].needed - 1, 4096});
	}
}

Test(limits, connections_are_what_sockets_and_loops_leave)
{
	limit_files(1000, 4096);
	cr_assert_eq(limits_connections(1, 1), 1000 - 5 - 32);
	cr_assert_eq(limits_connections(2, 10), 1000 - 70 - 32);
	limit_files(37, 4096);
	cr_assert_eq(limits_connections(1, 1), 1, "none would be no server");
	limit_files(38, 4096);
	cr_assert_eq(limits_connections(1, 1), 1);
	limit_files(39, 4096);
	cr_assert_eq(limits_connections(1, 1), 2);
}

Test(limits, a_backlog_that_the_kernel_cuts_is_warned_of_with_the_command)
{
	const char *heard;

	complaint_listen();
	limits_warn(2000000000, 1, 1);
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, "the kernel cuts --backlog 2000000000 to "), "%s", heard);
	cr_assert_not_null(strstr(heard, "sysctl -w net.core.somaxconn=2000000000"), "%s", heard);
	complaint_listen();
	limits_warn(1, 1, 1);
	heard = complaint_heard();
	cr_assert_null(strstr(heard, "sysctl"), "%s", heard);
}

/* As in a unit with ProcSubset=pid. */
Test(limits, the_same_where_the_setting_cannot_be_read)
{
	unsigned cut = limits_backlog(2000000000);
	const char *heard;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("/dev/null", "/proc/sys/net/core/somaxconn", NULL, MS_BIND, NULL) != 0)
		cr_skip("needs root, and mounts of its own");
	cr_assert_eq(limits_backlog(2000000000), cut);
	cr_assert_eq(limits_backlog(1), 1);
	complaint_listen();
	limits_warn(2000000000, 1, 1);
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, "the kernel cuts --backlog 2000000000 to "), "%s", heard);
}

Test(limits, few_files_are_told_of)
{
	const char *heard;

	limit_files(4095, 4096);
	complaint_listen();
	limits_warn(1, 1, 1);
	heard = complaint_heard();
	cr_assert_not_null(
		strstr(heard, "may open 4095 files, and so hold 4058 connections"), "%s", heard);
}

Test(limits, a_backlog_is_what_the_kernel_cuts_it_to)
{
	unsigned cut = limits_backlog(2000000000);

	cr_assert_eq(limits_backlog(1), 1);
	cr_assert_lt(cut, 2000000000);
	cr_assert_eq(limits_backlog(cut), cut);
}

/* ---- fs.nr_open ---- */

/* A limit that was set before fs.nr_open was lowered stays, but cannot be set again. */
Test(limits, a_hard_limit_above_the_most_is_cut_to_it)
{
	const char *heard;

	limit_files(64, 4096);
	if (!most_files_set(1000))
		cr_skip("needs root, and mounts of its own");
	most = 1000;
	complaint_listen();
	cr_assert_eq(limits_raise(1, 2, 2), 0);
	heard = complaint_heard();
	cr_assert_eq(soft_limit(), 1000);
	cr_assert_not_null(strstr(heard, "the limit of 4096 open files is cut to fs.nr_open, which "
					 "is 1000; lift it: sysctl -w fs.nr_open=4096"),
		"%s", heard);
}

Test(limits, what_is_too_low_or_few_names_the_most_where_that_bites)
{
	char why[384];
	const char *heard;

	limit_files(50, 4096);
	if (!most_files_set(60))
		cr_skip("needs root, and mounts of its own");
	cr_assert_not(limits_allow(1, 4, 8, 1, why, sizeof why));
	cr_assert_not_null(strstr(why, "need at least 76, and one more per client; raise it "
				       "(fs.nr_open, which is 60 (sysctl -w fs.nr_open=1024), and "
				       "then ulimit -n, LimitNOFILE=)"),
		"%s", why);
	limit_files(4095, 4096);
	complaint_listen();
	limits_warn(1, 1, 1);
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, "for more: fs.nr_open, which is 60 (sysctl -w "
					 "fs.nr_open=65536), and then ulimit -n, LimitNOFILE="),
		"%s", heard);
}
