/* The ring of a hub gets its memory when the hub begins to record, all of it at once: without, the
 * kernel would kill the worker at the first page that cannot be had. It gives the memory back when
 * it ends. */
#include "worker/recording.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/base/log.h"
#include "hub/debug/recording.h"
#include "worker/counters.h"
#include "worker/recorders.h"
#include "worker/state.h"

/* Since Linux 5.14. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static struct flight_ring *
ring_of(const struct worker_thread *thread)
{
	const struct worker_heritage *heritage = thread->heritage;

	return heritage->rings != NULL
		       ? recorders_at(heritage->rings, heritage->recorders, thread->index)
		       : NULL;
}

/* A line of the log, of any thread. */
static void
on_line(enum log_level level, const char *text, size_t length)
{
	recording_note_text((uint32_t)level, text, length);
}

static void
begin(struct worker_thread *thread, struct flight_ring *ring)
{
	size_t whole = thread->heritage->recorders->ring_size;
	size_t size = FLIGHT_HEAD + flight_records(whole) * sizeof(struct flight_record);

	CHECK(size > FLIGHT_HEAD && size <= whole);
	/* EINVAL: the kernel does not know the advice. */
	if (kernel_madvise(ring, size, MADV_POPULATE_WRITE) != 0 && errno != EINVAL) {
		if (!thread->cannot_record)
			log_warning("hub %u of worker %u has no memory for its flight recorder: %s",
				thread->index, thread->heritage->index, strerror(errno));
		thread->cannot_record = true;
		return;
	}
	log_observe(on_line);
	if (recording_start(ring, size) == 0)
		thread->cannot_record = false;
}

/* Readers find no records any more, but names, and how many records there were. */
static void
end(const struct worker_thread *thread, struct flight_ring *ring)
{
	recording_stop();
	kernel_madvise((char *)ring + RECORDERS_ALIGN,
		thread->heritage->recorders->ring_size - RECORDERS_ALIGN, MADV_REMOVE);
}

void
thread_recording_begin(struct worker_thread *thread)
{
	struct flight_ring *ring = ring_of(thread);

	if (ring == NULL)
		return;
	ring->pid = getpid();
	ring->worker = thread->heritage->index;
	ring->hub = thread->index;
	ring->generation = thread->row->generation;
	thread_recording_pulse(thread);
}

void
thread_recording_pulse(struct worker_thread *thread)
{
	struct flight_ring *ring = ring_of(thread);
	bool is_wanted =
		ring != NULL && recorders_are_wanted(thread->heritage->recorders, hub_now());

	DCHECK(thread_is_here(thread));
	if (is_wanted && !recording_is_on())
		begin(thread, ring);
	else if (!is_wanted && recording_is_on())
		end(thread, ring);
	if (!recording_is_on())
		return;
	recording_name_functions();
	recording_note(FLIGHT_OPEN, 0, counters_open(thread->row));
	recording_note(FLIGHT_PERMITS, 0,
		(uint64_t)__atomic_load_n(&thread->row->permits, __ATOMIC_RELAXED));
	recording_note(FLIGHT_LAG, 0, thread->row->lag);
}
