#include "master/fleet/lookup.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/complaint.h"
#include "tests/support/folder.h"
#include "tests/support/in_hub.h"

static struct ev_loop *loop;
static char folder[FOLDER_SIZE], object[128];
static void *slow; /* an address whose name takes as long as somebody wants */

static void
copy_file(const char *from, const char *to)
{
	int source = open(from, O_RDONLY | O_CLOEXEC);
	int copy = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

	cr_assert(source != -1 && copy != -1);
	while (copy_file_range(source, NULL, copy, NULL, 1 << 20, 0) > 0)
		continue;
	close(source);
	close(copy);
}

static struct link_map *
load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	struct link_map *map;

	cr_assert_not_null(library, "%s", dlerror());
	cr_assert_eq(dlinfo(library, RTLD_DI_LINKMAP, &map), 0);
	return map;
}

/* The name is looked for in the file of the library around it, which is a pipe by now: to open it
 * for reading waits for somebody who writes. */
static void
make_slow(void)
{
	cr_assert(folder_make(folder));
	snprintf(object, sizeof object, "%s/object", folder);
	copy_file(load("libm.so.6")->l_name, object);
	slow = load(object)->l_ld;
	cr_assert_eq(unlink(object), 0);
	cr_assert_eq(mkfifo(object, 0600), 0);
}

static void
begin(void)
{
	loop = ev_loop_new(EVFLAG_NOENV);
	cr_assert_not_null(loop);
	make_slow();
	complaint_listen();
}

static void
end(void)
{
	ev_loop_destroy(loop);
	folder_remove(folder);
}

TestSuite(lookup, .init = begin, .fini = end, .timeout = 120);

static struct worker_crash
crash_at(void *address)
{
	return (struct worker_crash){.frame_count = 1, .frames = {(char *)address + 1}};
}

static void
look_up(const char *whose, void *address)
{
	struct worker_crash crash = crash_at(address);

	lookup_start(loop, whose, &crash);
	/* It is another crash's by then. */
	memset(&crash, 0xff, sizeof crash);
}

/* All children end, and nobody else's is among them. */
static void
reap_all(void)
{
	siginfo_t child = {0};

	while (waitid(P_ALL, 0, &child, WEXITED | WNOWAIT) == 0)
		if (!lookup_reap(child.si_pid))
			waitpid(child.si_pid, NULL, 0);
	cr_assert_eq(errno, ECHILD);
}

static int
count(const char *text, const char *words)
{
	int found = 0;

	for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
		found++;
	return found;
}

Test(lookup, the_loop_goes_on_and_hears_the_names_of_several_crashes_each_in_one_piece)
{
	int before = open_descriptors();
	const char *heard, *first, *second;

	look_up("first", (void *)(uintptr_t)lookup_start);
	look_up("second", (void *)(uintptr_t)lookup_reap);
	ev_run(loop, 0);
	heard = complaint_heard();
	first = strstr(heard, "first crashed in:\n");
	second = strstr(heard, "second crashed in:\n");
	cr_assert(first != NULL && second != NULL, "%s", heard);
	cr_assert_not_null(strstr(first, "#0  lookup_start+0x1"), "%s", heard);
	cr_assert_not_null(strstr(second, "#0  lookup_reap+0x1"), "%s", heard);
	cr_assert_eq(count(heard, "\n"), 4, "%s", heard);
	reap_all();
	cr_assert_eq(open_descriptors(), before - 2);
}

static bool
is_open_in(pid_t pid, int fd)
{
	char path[64];
	struct stat status;

	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
	return lstat(path, &status) == 0;
}

/* It would keep the server's ports and locks when the master has gone. */
Test(lookup, the_child_soon_has_nothing_open_of_the_servers)
{
	int high = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100), tries = 0;
	FILE *children;
	pid_t child;

	look_up("slow", slow);
	children = fopen("/proc/thread-self/children", "re");
	cr_assert_not_null(children);
	cr_assert_eq(fscanf(children, "%d", &child), 1);
	fclose(children);
	while (is_open_in(child, high) && tries++ < 300)
		usleep(10000);
	cr_assert_not(is_open_in(child, high));
	cr_assert(is_open_in(child, STDERR_FILENO), "it lives");
	lookups_end(false);
	reap_all();
}

/* Nobody waits for it but the loop; one that is too slow is killed, and one that is quick is not
 * kept waiting by it. */
Test(lookup, what_takes_too_long_is_killed)
{
	int64_t began = clock_now(), begun;
	siginfo_t child = {0};
	const char *heard;

	look_up("slow", slow);
	look_up("quick", (void *)(uintptr_t)lookup_start);
	begun = clock_now();
	ev_run(loop, 0);
	heard = complaint_heard();
	cr_assert_lt(begun - began, LOOKUP_SECONDS * CLOCK_SECOND / 2);
	cr_assert_geq(clock_now() - began, (LOOKUP_SECONDS - 1) * CLOCK_SECOND);
	cr_assert_not_null(
		strstr(heard, "slow: no backtrace: the names of its functions"), "%s", heard);
	cr_assert_gt(strstr(heard, "slow: no"), strstr(heard, "quick crashed in:"), "%s", heard);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(waitid(P_ALL, 0, &child, WEXITED), 0);
	cr_assert_eq(waitid(P_ALL, 0, &child, WEXITED), -1);
}

Test(lookup, an_orderly_end_waits_for_what_comes_in_time)
{
	const char *heard;

	look_up("first", (void *)(uintptr_t)lookup_start);
	look_up("second", (void *)(uintptr_t)lookup_start);
	lookups_end(true);
	heard = complaint_heard();
	cr_assert_eq(count(heard, "#0  lookup_start+0x1"), 2, "%s", heard);
	reap_all();
}

Test(lookup, an_end_at_once_does_not_wait)
{
	int64_t began = clock_now();
	const char *heard;

	look_up("slow", slow);
	lookups_end(false);
	heard = complaint_heard();
	cr_assert_lt(clock_now() - began, LOOKUP_SECONDS * CLOCK_SECOND / 2);
	cr_assert_not_null(strstr(heard, "slow: no backtrace: "), "%s", heard);
	reap_all();
}

/* Its number may be another process's then. */
Test(lookup, one_that_is_reaped_is_not_killed)
{
	siginfo_t child = {0};

	look_up("first", (void *)(uintptr_t)lookup_start);
	cr_assert_eq(waitid(P_ALL, 0, &child, WEXITED | WNOWAIT), 0);
	cr_assert(lookup_reap(child.si_pid));
	cr_assert_not(lookup_reap(child.si_pid), "it is forgotten");
	ev_run(loop, 0);
	cr_assert_not_null(strstr(complaint_heard(), "lookup_start+0x1"));
}

Test(lookup, a_storm_of_crashes_is_no_storm_of_children)
{
	const char *heard;

	for (int i = 0; i < LOOKUPS_MAX + 1; i++)
		look_up("slow", slow);
	lookups_end(false);
	heard = complaint_heard();
	cr_assert_eq(count(heard, "too many are looked up already"), 1, "%s", heard);
	cr_assert_eq(count(heard, "no backtrace"), LOOKUPS_MAX + 1, "%s", heard);
	reap_all();
}

Test(lookup, without_files_it_says_that_there_is_no_backtrace)
{
	struct rlimit limit, none;
	const char *heard;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){(rlim_t)dup(STDERR_FILENO), limit.rlim_max};
	close((int)none.rlim_cur);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	look_up("first", (void *)(uintptr_t)lookup_start);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, "first: no backtrace: Too many open files"), "%s", heard);
}

/* What a dying process has written is not believed. */
Test(lookup, a_crash_without_frames_has_no_backtrace)
{
	struct worker_crash crash = {.frame_count = 1U << 31};

	lookup_start(loop, "first", &crash);
	cr_assert_not_null(strstr(complaint_heard(), "first: no backtrace: "));
}
