#include "hub/debug/recording.h"

#include <errno.h>

#include "tests/support/in_hub.h"

#define SIZE (FLIGHT_HEAD + 1024 * sizeof(struct flight_record))

static char ring_memory[SIZE] __attribute__((aligned(64)));
static struct flight_ring *ring = (struct flight_ring *)(void *)ring_memory;

static void *
never_late(void *argument)
{
	return argument;
}

static void *
offload(void *argument)
{
	recording_start(ring, SIZE);
	hub_offload(never_late, argument, NULL);
	return argument;
}

Test(recording, ends_with_its_hub)
{
	in_hub(offload, NULL);
	cr_assert_gt(flight_written(ring), 2);
	cr_assert_not(recording_is_on());
}

struct errors {
	int small, first, second;
};

static void *
record_twice(void *argument)
{
	struct errors *errors = argument;

	errors->small = recording_start(ring, FLIGHT_HEAD) == 0 ? 0 : errno;
	errors->first = recording_start(ring, SIZE) == 0 ? 0 : errno;
	errors->second = recording_start(ring, SIZE) == 0 ? 0 : errno;
	return NULL;
}

Test(recording, refuses_what_cannot_be)
{
	struct errors errors = {0};

	cr_assert_eq(recording_start(ring, SIZE), -1);
	cr_assert_eq(errno, EPERM);
	in_hub(record_twice, &errors);
	cr_assert_eq(errors.small, EINVAL);
	cr_assert_eq(errors.first, 0);
	cr_assert_eq(errors.second, EALREADY);
}
