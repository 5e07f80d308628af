#include "worker/recording.h"

#include <unistd.h>

#include "hub/debug/recording.h"
#include "tests/support/in_hub.h"
#include "tests/unit/worker/lone.h"
#include "worker/recorders.h"

static struct lone lone;
static struct recorders *recorders;

struct record {
	bool before, wanted, after;
	uint64_t written;
};

static void
serve(int client, void *context)
{
	(void)client, (void)context;
}

static void *
follow(void *argument)
{
	struct record *record = argument;

	thread_recording_begin(&lone.thread);
	record->before = recording_is_on();
	recorders_extend(recorders, hub_now() + HUB_SECOND / 100);
	thread_recording_pulse(&lone.thread);
	record->wanted = recording_is_on();
	hub_sleep(HUB_SECOND / 50);
	thread_recording_pulse(&lone.thread);
	record->after = recording_is_on();
	record->written = flight_written(lone.heritage.rings);
	return NULL;
}

Test(recording, follows_the_master)
{
	struct record record = {0};

	lone_begin(&lone, serve);
	recorders = recorders_new(RECORDERS_SIZE_LEAST);
	lone.heritage.recorders = recorders_head(recorders);
	lone.heritage.rings = recorders_map(recorders, recorders_claim(recorders, 1), 1);
	in_hub(follow, &record);
	cr_assert_not(record.before);
	cr_assert(record.wanted);
	cr_assert_not(record.after);
	cr_assert_gt(record.written, 3);
	cr_assert_eq(lone.heritage.rings->pid, getpid());
	recorders_unmap(recorders, lone.heritage.rings, 1);
	recorders_free(recorders);
	lone_end(&lone);
}
