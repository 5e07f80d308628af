/* The kind of guard is found once per process, by trying. Guards of protected pages share one
 * budget of mappings among all hubs: protect_budget, taken by guard_install and given back by
 * guards_unmapped. */
#include "hub/guard_priv.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/arch/annotate.h"
#include "hub/base/kernel.h"
#include "hub/base/log.h"

/* Linux 6.13; Debian's headers lack it. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

size_t stack_page_size;

static enum stack_guard kind;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_long protect_budget;
static atomic_bool has_warned;

/* The most mappings that a process may have, as /proc says. */
static long
read_max_map_count(void)
{
	char text[32] = "";
	int fd = kernel_open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC, 0);
	long count = 0;

	if (fd != -1) {
		if (kernel_read(fd, text, sizeof text - 1) > 0)
			count = strtol(text, NULL, 10);
		kernel_close(fd);
	}
	return count > 0 ? count : 65530;
}

/* The mappings of this process: one line of /proc/self/maps for each. */
static long
count_mappings(void)
{
	int fd = kernel_open("/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	char text[1024];
	ssize_t length;
	long count = 0;

	while (fd != -1 && (length = kernel_read(fd, text, sizeof text)) > 0)
		for (ssize_t i = 0; i < length; i++)
			count += text[i] == '\n';
	if (fd != -1)
		kernel_close(fd);
	return count;
}

/* The budget: a guard costs two mappings, and an eighth of all mappings is left for the program. */
static long
count_protectable(void)
{
	long most = read_max_map_count();
	long left = most - most / 8 - count_mappings();

	return left > 0 ? left / 2 : 0;
}

/* Emulators accept advice that they do not know, so only a read through the kernel tells whether
 * the marker protects the page. */
static bool
marker_guards(void)
{
	unsigned char *page = kernel_mmap(NULL, stack_page_size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	bool guards;

	if (page == MAP_FAILED)
		return false;
	guards = !annotate_on_valgrind() &&
		 kernel_madvise(page, stack_page_size, MADV_GUARD_INSTALL) == 0 &&
		 kernel_access((const char *)page, F_OK) == -1 && errno == EFAULT;
	kernel_munmap(page, stack_page_size);
	return guards;
}

/* The wish can only weaken the guard: a marker that does not work is never chosen. */
static void
choose(void)
{
	const char *wish = getenv("HUBBUB_STACK_GUARD");

	stack_page_size = (size_t)sysconf(_SC_PAGESIZE);
	if (wish != NULL && strcmp(wish, "canary") == 0)
		kind = STACK_GUARD_CANARY;
	else if ((wish != NULL && strcmp(wish, "protect") == 0) || !marker_guards())
		kind = STACK_GUARD_PROTECT;
	else
		kind = STACK_GUARD_MARKER;
	if (kind == STACK_GUARD_PROTECT)
		atomic_init(&protect_budget, count_protectable());
}

enum stack_guard
stack_guard_kind(void)
{
	pthread_once(&once, choose);
	return kind;
}

/* Warns once per process: the shortage may come and go with every peak of coroutines. */
static void
warn_unguarded(void)
{
	if (!atomic_exchange(&has_warned, true))
		log_warning("vm.max_map_count (%ld) leaves no more guards for coroutines' stacks: "
			    "an overflow of an unguarded stack is found only at the next wait, and "
			    "ends the process; raise it, or use Linux 6.13, which needs none",
			read_max_map_count());
}

bool
guard_install(unsigned char *at)
{
	if (kind == STACK_GUARD_MARKER)
		return kernel_madvise(at, STACK_GUARD_SIZE, MADV_GUARD_INSTALL) == 0;
	if (kind == STACK_GUARD_CANARY)
		return false;
	if (atomic_fetch_sub(&protect_budget, 1) > 0 &&
		kernel_mprotect(at, STACK_GUARD_SIZE, PROT_NONE) == 0)
		return true;
	atomic_fetch_add(&protect_budget, 1);
	warn_unguarded();
	return false;
}

void
guards_unmapped(size_t count)
{
	if (kind == STACK_GUARD_PROTECT)
		atomic_fetch_add(&protect_budget, (long)count);
}
