#include "hub/fork_priv.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "hub/debug/watchdog_priv.h"
#include "hub/io/fd_priv.h"
#include "hub/io/resolve_priv.h"
#include "hub/scheduler_priv.h"
#include "hub/signal_priv.h"
#include "hub/thread/offload_priv.h"

static atomic_uint running;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The parent's threads are not here. The hub's memory stays, because the child may stand on one of its stacks;
 * its loop goes, which closes this process's copies of the descriptors and tells the kernel nothing else. */
static void
forget_hubs(void)
{
	struct hub *hub = hub_this;

	atomic_store(&running, 0);
	offload_reset();
	resolve_reset();
	watchdog_reset();
	signals_reset();
	if (hub != NULL && hub->loop != NULL) {
		struct ev_loop *loop = hub->loop;

		hub->loop = NULL;
		identity_stop(hub);
		hub_forget();
		ev_loop_destroy(loop);
	}
}

static void
prepare_once(void)
{
	CHECK(pthread_atfork(NULL, NULL, forget_hubs) == 0);
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
	atomic_fetch_sub(&running, 1);
}

pid_t
hub_fork(void)
{
	if (atomic_load(&running) != 0) {
		errno = EBUSY;
		return -1;
	}
	return fork();
}

int
hub_at_fork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	int error;

	fork_prepare();
	error = pthread_atfork(prepare, parent, child);
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}
