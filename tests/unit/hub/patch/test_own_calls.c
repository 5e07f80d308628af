/* What the hub itself calls of libc's by its libraries, on a coroutine of a patched program. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/unit/hub/patch/ticker.h"

static atomic_bool is_delivered;

static void
note_message(struct hub_message *message)
{
	(void)message;
	is_delivered = true;
}

static struct hub_mailbox *_Atomic far_mailbox;
static atomic_bool is_far_wanted;

/* A hub that has nothing to do but to be told. */
static void *
wait_far(void *argument)
{
	far_mailbox = hub_mailbox();
	while (is_far_wanted)
		hub_sleep(20 * HUB_MILLISECOND);
	return argument;
}

static void *
run_far(void *argument)
{
	hub_run(wait_far, NULL, NULL);
	return argument;
}

/* Each post is a write by libev, late in the slice, where a call of the application's lets others
 * run. */
static void *
post_late(void *argument)
{
	struct hub_message message = {.deliver = note_message};
	int *turns = argument, before;
	pthread_t far;

	ticker_start();
	is_far_wanted = true;
	pthread_create(&far, NULL, run_far, NULL);
	while (far_mailbox == NULL)
		hub_sleep(HUB_MILLISECOND);
	for (int i = 0; i < 20; i++) {
		for (int64_t end = hub_now() + 3 * HUB_MILLISECOND; hub_now() < end;)
			continue;
		before = ticks;
		/* The next call looks at the clock. */
		hub_due_calls = 1;
		is_delivered = false;
		hub_mailbox_post(far_mailbox, &message);
		*turns += ticks - before;
		while (!is_delivered)
			hub_sleep(HUB_MILLISECOND);
	}
	is_far_wanted = false;
	pthread_join(far, NULL);
	ticker_stop();
	return NULL;
}

TestSuite(own_calls, .timeout = 60);

Test(own_calls, a_post_does_not_switch)
{
	int turns = 0;

	hub_patch_all();
	in_hub(post_late, &turns);
	cr_assert_eq(turns, 0, "others ran while a message was posted, which is done under locks");
}
