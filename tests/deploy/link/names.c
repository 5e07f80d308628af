/* A program of coroutines with functions that are called as Hubbub's own are inside, which must not
 * be mistaken for one another, linked in whatever way. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN(name)                                                                                  \
	void name(void);                                                                           \
	void name(void)                                                                            \
	{                                                                                          \
		abort();                                                                           \
	}

/* clang-format off */
#define NAMES \
	OWN(log_error) OWN(log_write) OWN(log_setup) OWN(log_bare) OWN(clock_now) \
	OWN(check_failed) OWN(memory_new) OWN(memory_free) OWN(memory_map) \
	OWN(fd_enter) OWN(fd_renew) OWN(fd_wait_read) OWN(waiter_wait) \
	OWN(stack_arena_init) OWN(coroutine_new) OWN(failure_report) \
	OWN(setting_number) OWN(queue_waiters) OWN(thread_waiter_wait) OWN(threads_submit) \
	OWN(layer_attach) OWN(annotate_switch) OWN(arch_entry) OWN(arch_switch_tail) \
	OWN(tickets_new) OWN(options_parse) OWN(server_new) OWN(guard_place) \
	OWN(chunk_new) OWN(trim_start) OWN(mailbox_start) OWN(watchdog_watch) \
	OWN(backtrace_write) OWN(allocator_name) OWN(libev_start) OWN(printable_json)
/* clang-format on */

NAMES

static void *
fail(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	/* Nobody joins it: a line is logged. */
	return hub_fail(ENOENT, "nothing at %p", argument);
}

static void *
work(void *argument)
{
	(void)argument;
	return argument;
}

static void *
body(void *argument)
{
	void *result = NULL;

	hub_detach(hub_spawn(fail, NULL));
	hub_sleep(5 * HUB_MILLISECOND);
	hub_offload(work, argument, &result);
	return result;
}

int
main(int argc, char **argv)
{
	void *malloc_of = dlsym(RTLD_DEFAULT, "malloc"), *result = NULL;
	Dl_info info;

	(void)argc;
	if (hub_run(body, argv, &result) != 0 || result != argv)
		return 1;
	/* Libraries stand before libc's, perhaps two of them. */
	if (poll(NULL, 0, 0) != 0)
		return 1;
	printf("%s\n", dladdr(malloc_of, &info) != 0 ? info.dli_fname : "?");
	return 0;
}
