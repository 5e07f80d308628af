/* Fork. A module whose state must not outlive a fork registers a reset with fork_on_child; this
 * file calls the resets in each child and knows none of those modules. It counts the running hubs
 * for hub_fork, and owns the page by which a child of a raw system call is recognised. */
#include "hub/fork_priv.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"

#define RESETS_MOST 16

union fork_page fork_page __attribute__((aligned(FORK_PAGE)));

static void (*resets[RESETS_MOST])(void);
static atomic_uint reset_count;
static atomic_uint running;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
reset_all(void)
{
	unsigned count = atomic_load(&reset_count);

	atomic_store(&running, 0);
	for (unsigned i = 0; i < count; i++)
		resets[i]();
}

static void
prepare_once(void)
{
	int error = pthread_atfork(NULL, NULL, reset_all);

	CHECK(error == 0);
}

void
fork_adopt(void)
{
	__atomic_store_n(&fork_page.owner, kernel_getpid(), __ATOMIC_RELAXED);
}

/* Before Linux 4.14 no page is wiped: then only a comparison of process ids recognises a child. */
static __attribute__((constructor)) void
start(void)
{
	kernel_madvise(&fork_page, sizeof fork_page, MADV_WIPEONFORK);
	fork_adopt();
	pthread_atfork(NULL, NULL, fork_adopt);
}

void
fork_on_child(void (*reset)(void))
{
	unsigned count = atomic_load(&reset_count);

	CHECK_WHY(count < RESETS_MOST, "too many resets: raise RESETS_MOST");
	resets[count] = reset;
	atomic_store(&reset_count, count + 1);
}

void
fork_prepare(void)
{
	pthread_once(&once, prepare_once);
}

void
fork_hub_started(void)
{
	atomic_fetch_add(&running, 1);
}

void
fork_hub_stopped(void)
{
	unsigned before = atomic_fetch_sub(&running, 1);

	CHECK(before > 0);
}

pid_t
hub_fork(void)
{
	if (atomic_load(&running) != 0)
		return failed(EBUSY);
	return kernel_fork();
}

bool
hub_is_vforked(void)
{
	pid_t owner = __atomic_load_n(&fork_page.owner, __ATOMIC_RELAXED);

	return owner != 0 && owner != kernel_getpid();
}

bool
hub_is_inherited(void)
{
	return __atomic_load_n(&fork_page.owner, __ATOMIC_RELAXED) != kernel_getpid();
}

int
hub_at_fork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	int error;

	fork_prepare();
	error = pthread_atfork(prepare, parent, child);
	return failed(error);
}
