/* hubbub_busy, hubbub_idle and hubbub_asked leave a note on the connection's file descriptor, where
 * idle.c and drain.c find it. The thread-local own is the calling thread's own state, for
 * hubbub_is_draining and hubbub_self; in its row are the numbers of this hub, which no other thread
 * writes. */
#include "worker/service.h"

#include <pthread.h>

#include "hub/base/check.h"
#include "hub/base/clock.h"
#include "hub/io/activity.h"
#include "hub/io/fd.h"
#include "worker/busy.h"
#include "worker/catalog.h"
#include "worker/counters.h"
#include "worker/metrics.h"
#include "worker/self.h"
#include "worker/state.h"

static _Thread_local struct worker_thread *own;

/* A child process that a service has forked is no hub: its numbers are its parent's. */
static void
forget(void)
{
	own = NULL;
}

static __attribute__((constructor)) void
start(void)
{
	pthread_atfork(NULL, NULL, forget);
}

void
service_use(struct worker_thread *thread)
{
	CHECK_WHY(thread == NULL || own == NULL, "a thread runs one hub at a time");
	own = thread;
}

/* ---- requests ---- */

static void
end_request(int64_t began)
{
	if (began != 0 && own != NULL)
		buckets_record(&own->row->requests, clock_now() - began);
}

void
hubbub_busy(int client)
{
	fd_set_busy(client, clock_now());
}

void
hubbub_idle(int client)
{
	end_request(fd_set_idle(client));
}

void
service_served(int client)
{
	end_request(fd_end_busy(client));
}

void
hubbub_asked(int client)
{
	hub_note_received(client);
}

bool
hubbub_is_draining(void)
{
	return own != NULL && thread_is_leaving(own);
}

const struct hubbub_self *
hubbub_self(void)
{
	if (own != NULL)
		own->self.workers =
			__atomic_load_n(&own->heritage->memo->workers, __ATOMIC_RELAXED);
	return own != NULL ? &own->self : NULL;
}

/* ---- metrics of its own ---- */

/* Where this hub counts a metric; NULL in threads without a hub of a server. */
static inline uint64_t *
counts_of(unsigned metric, enum catalog_kind kind)
{
	const struct catalog_entry *entry = &catalog[COUNTED_MAX + metric];

	if (own == NULL)
		return NULL;
	CHECK_WHY(metric < catalog_listeners - COUNTED_MAX, "the service has no such metric");
	CHECK_WHY(entry->kind == kind, "the metric is of another kind");
	return &own->row->counts[entry->place];
}

void
hubbub_count(unsigned metric, uint64_t amount)
{
	uint64_t *count = counts_of(metric, CATALOG_COUNTER);

	if (count != NULL)
		counters_add(count, amount);
}

void
hubbub_gauge_add(unsigned metric, int64_t amount)
{
	uint64_t *count = counts_of(metric, CATALOG_GAUGE);

	if (count != NULL)
		counters_add(count, (uint64_t)amount);
}

void
hubbub_gauge_set(unsigned metric, int64_t value)
{
	uint64_t *count = counts_of(metric, CATALOG_GAUGE);

	if (count != NULL)
		__atomic_store_n(count, (uint64_t)value, __ATOMIC_RELAXED);
}

void
hubbub_record(unsigned metric, int64_t value)
{
	uint64_t *counts = counts_of(metric, CATALOG_HISTOGRAM);

	if (counts != NULL)
		buckets_record((struct buckets *)(void *)counts, value);
}
