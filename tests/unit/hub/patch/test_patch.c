/* Families, the query, and everything that is not a coroutine. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hub/patch/calls.h"
#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/unit/hub/patch/ticker.h"

/* How often others ran while this slept. */
static int
ticks_during(int (*call)(useconds_t))
{
	int before = ticks;

	call(2000);
	return ticks - before;
}

struct turns {
	int unpatched, other_family, patched, patched_twice;
};

static void *
sleep_families(void *argument)
{
	struct turns *turns = argument;

	ticker_start();
	hub_sleep(0);
	turns->unpatched = ticks_during(usleep);
	hub_patch(HUB_PATCH_OS | HUB_PATCH_SOCKET);
	turns->other_family = ticks_during(usleep);
	hub_patch(HUB_PATCH_TIME);
	turns->patched = ticks_during(usleep);
	hub_patch(HUB_PATCH_TIME);
	turns->patched_twice = ticks_during(usleep);
	ticker_stop();
	return NULL;
}

TestSuite(patch, .timeout = 60);

Test(patch, linked_nothing_is_patched_and_then_only_what_is_asked_for)
{
	struct turns turns;

	cr_assert_eq(hub_patched(), 0);
	cr_assert_not(hub_patch_has("usleep"));
	in_hub(sleep_families, &turns);
	cr_assert_eq(turns.unpatched, 0);
	cr_assert_eq(turns.other_family, 0);
	cr_assert_gt(turns.patched, 0);
	cr_assert_gt(turns.patched_twice, 0);
	cr_assert_eq(hub_patched(), HUB_PATCH_OS | HUB_PATCH_SOCKET | HUB_PATCH_TIME);
	cr_assert(hub_patch_has("usleep") && hub_patch_has("read") && hub_patch_has("fcntl"));
	cr_assert_not(hub_patch_has("poll") || hub_patch_has("pthread_create"));
	hub_patch_all();
	cr_assert_eq(hub_patched(), HUB_PATCH_ALL);
	cr_assert_not(hub_patch_has("pthread_create"), "that is never by itself");
	cr_assert_not(hub_patch_has("qsort"));
}

Test(patch, there_is_no_other_family)
{
	cr_assert_eq(hub_patch(1U << 20), -1);
	cr_assert_eq(errno, EINVAL);
	cr_assert_eq(hub_patched(), 0);
}

/* The library has it, and it is not libc's that programs find first: a sanitizer's may come before
 * both. */
static bool
is_in_front(const char *name)
{
	void *library = dlopen("libhubbub-patch.so.1", RTLD_NOW | RTLD_NOLOAD);
	void *ours = library != NULL ? dlsym(library, name) : NULL,
	     *first = dlsym(RTLD_DEFAULT, name);
	Dl_info info = {0};

	return ours != NULL && dladdr(ours, &info) != 0 &&
	       strstr(info.dli_fname, "libhubbub-patch") != NULL && first != NULL &&
	       dladdr(first, &info) != 0 && strstr(info.dli_fname, "libc.so") == NULL;
}

Test(patch, every_call_of_the_table_is_in_the_library_and_in_front_of_libc)
{
	int count = 0;
	const char *name;

	for (size_t i = 0; (name = hub_patch_call(i, NULL)) != NULL; i++, count++)
		cr_expect(is_in_front(name), "%s", name);
	cr_assert_gt(count, 90);
#define ALIAS(alias, name) cr_expect(is_in_front(#alias), "%s", #alias);
	PATCH_ALIASES(ALIAS)
}

/* ---- off a coroutine ---- */

static void *
block_on_errand(void *argument)
{
	int before = ticks;

	usleep(2000);
	*(int *)argument = ticks - before;
	return NULL;
}

static void *
run_errand(void *argument)
{

	ticker_start();
	hub_sleep(0);
	hub_on_thread_stack(block_on_errand, argument, NULL);
	ticker_stop();
	return NULL;
}

Test(patch, on_the_threads_own_stack_calls_are_libcs)
{
	int during = -1;

	hub_patch_all();
	in_hub(run_errand, &during);
	cr_assert_eq(during, 0);
}

static void *
use_everything(void *argument)
{
	int ends[2];
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	write(ends[0], "x", 1);
	*(bool *)argument = read(ends[1], &byte, 1) == 1 && usleep(1) == 0;
	close(ends[0]);
	close(ends[1]);
	return NULL;
}

Test(patch, threads_without_a_hub_have_libcs)
{
	pthread_t thread;
	bool is_right = false;

	hub_patch_all();
	cr_assert_eq(pthread_create(&thread, NULL, use_everything, &is_right), 0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_assert(is_right);
}

static int early[2];

static void *
read_early(void *argument)
{
	char byte;

	*(bool *)argument = read(early[0], &byte, 1) == 1;
	return NULL;
}

static void *
write_to_thread(void *argument)
{
	hub_sleep(5 * HUB_MILLISECOND);
	*(bool *)argument = write(early[1], "x", 1) == 1;
	return NULL;
}

Test(patch, threads_may_be_in_calls_when_it_begins)
{
	bool has_read = false, has_written = false;
	pthread_t thread;

	cr_assert_eq(pipe(early), 0);
	cr_assert_eq(pthread_create(&thread, NULL, read_early, &has_read), 0);
	usleep(5000);
	hub_patch_all();
	in_hub(write_to_thread, &has_written);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_assert(has_read && has_written);
}

/* ---- fork in the middle ---- */

static void *
fork_in_the_middle(void *argument)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		struct timespec pause = {0, 1000000};
		int ends[2];
		char byte;

		/* Alone: no coroutine, so libc's own. */
		if (pipe(ends) != 0 || write(ends[1], "x", 1) != 1 || read(ends[0], &byte, 1) != 1)
			_exit(1);
		if (nanosleep(&pause, NULL) != 0 || hub_can_wait())
			_exit(2);
		_exit(0);
	}
	*(int *)argument = waitpid(child, &status, 0) == child ? status : -1;
	return NULL;
}

Test(patch, a_child_forked_by_a_coroutine_has_libcs_calls)
{
	int status = -1;

	hub_patch_all();
	in_hub(fork_in_the_middle, &status);
	cr_assert_eq(status, 0, "%d", WEXITSTATUS(status));
}

/* ---- malloc and the locks of others ---- */

static atomic_int rounds;

static void
churn(int times)
{
	for (int i = 0; i < times; i++) {
		size_t size = 16u << (i % 12);
		char *memory = malloc(size);

		memset(memory, i, size);
		free(memory);
		atomic_fetch_add(&rounds, 1);
	}
}

static void *
churn_thread(void *argument)
{
	churn(20000);
	return argument;
}

static void *
churn_coroutine(void *argument)
{
	for (int i = 0; i < 100; i++) {
		churn(20);
		usleep(0);
	}
	return argument;
}

static void *
churn_all(void *argument)
{
	struct hub_coroutine *coroutines[100];
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, churn_thread, NULL);
	for (int i = 0; i < 100; i++)
		coroutines[i] = hub_spawn(churn_coroutine, NULL);
	for (int i = 0; i < 100; i++)
		hub_join(coroutines[i], NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	return argument;
}

Test(patch, malloc_by_eight_threads_and_a_hundred_coroutines)
{
	hub_patch_all();
	in_hub(churn_all, NULL);
	cr_assert_eq(rounds, 8 * 20000 + 100 * 100 * 20);
}

/* ---- exit ---- */

static void
wait_at_exit(void)
{
	int before = ticks;

	usleep(2000);
	_exit(ticks == before ? 7 : 8);
}

static void *
exit_in_coroutine(void *argument)
{
	ticker_start();
	hub_sleep(0);
	exit(0);
	return argument;
}

Test(patch, at_exit_nobody_else_runs)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		hub_patch_all();
		atexit(wait_at_exit);
		hub_run(exit_in_coroutine, NULL, NULL);
		_exit(1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(WEXITSTATUS(status), 7, "%d", status);
}

/* ---- dlopen after patching ---- */

static void *
sleep_in_module(void *argument)
{
	int *during = argument, before;
	void *module = dlopen(HUBBUB_BUILD_DIR "/lib/patch-module.so", RTLD_NOW);
	int (*pause)(useconds_t) =
		module != NULL ? (int (*)(useconds_t))dlsym(module, "module_pause") : NULL;

	ticker_start();
	hub_sleep(0);
	before = ticks;
	if (pause != NULL && pause(2000) == 0)
		*during = ticks - before;
	ticker_stop();
	if (module != NULL)
		dlclose(module);
	return NULL;
}

Test(patch, what_is_loaded_later_is_patched_too)
{
	int during = -1;

	hub_patch_all();
	in_hub(sleep_in_module, &during);
	cr_assert_gt(during, 0, "%d", during);
}

/* ---- a stack that is walked ---- */

/* Longer than the watchdog waits, and all that time others could run. */
static void *
stall(void *argument)
{
	int64_t began;

	ticker_start();
	hub_watchdog(20 * HUB_MILLISECOND);
	hub_sleep(0);
	ticks = 0;
	for (began = hub_now(); hub_now() - began < 500 * HUB_MILLISECOND;)
		continue;
	*(int *)argument = ticks;
	ticker_stop();
	return NULL;
}

/* The watchdog's handler walks the stack of a hub that does not switch, and reads by patched
 * calls. */
Test(patch, a_walk_through_a_stack_lets_nobody_run)
{
	int record = -1;

	hub_patch_all();
	in_hub(stall, &record);
	cr_assert_eq(record, 0);
}
