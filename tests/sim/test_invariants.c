/* The invariants of the world: each is broken by hand, and reported by its sentence. */
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/io/fd_priv.h"
#include "hub/waiters_priv.h"

TestSuite(invariants, .timeout = 60);

/* The simulated loop's. */
void sim_ev_io_start(struct ev_loop *loop, ev_io *watcher);
void sim_ev_io_stop(struct ev_loop *loop, ev_io *watcher);
void sim_ev_timer_start(struct ev_loop *loop, ev_timer *timer);

/* What the victim, coroutine 2, waits for. */
static struct {
	struct hub_coroutine *victim;
	struct hub_event event;
	struct hub_semaphore semaphore;
	struct hub_lock lock;
	struct hub_channel channel;
	struct hub_result result;
	struct hub_nursery nursery;
	struct hub_queue *queue;
	int pair[2];
	/* What was there before it was broken. */
	struct hub_waiter *first;
	struct hub_coroutine *owner;
	int64_t deadline;
} on;

/* ---- waits ---- */

static void
wait_event(void)
{
	hub_event_wait(&on.event);
}

static void
select_event(void)
{
	struct hub_case cases[] = {hub_case_get(on.queue), hub_case_event(&on.event)};

	hub_select(cases, 2, HUB_FOREVER);
}

static void
wait_semaphore(void)
{
	hub_semaphore_acquire(&on.semaphore);
}

static void
wait_lock(void)
{
	if (hub_lock_acquire(&on.lock) == 0)
		hub_lock_release(&on.lock);
}

static void
wait_channel_get(void)
{
	void *item;

	hub_channel_get(&on.channel, &item);
}

static void
wait_channel_put(void)
{
	hub_channel_put(&on.channel, NULL);
}

static void
wait_result(void)
{
	hub_result_get(&on.result, NULL, NULL);
}

static void *
sleep_long(void *unused)
{
	hub_sleep(10 * HUB_SECOND);
	return unused;
}

static void
wait_nursery(void)
{
	hub_nursery_open(&on.nursery);
	hub_nursery_spawn(&on.nursery, sleep_long, NULL);
	hub_nursery_close(&on.nursery);
}

static void
wait_input(void)
{
	char byte;

	hub_recv(on.pair[0], &byte, 1, 0);
}

static void
wait_output(void)
{
	char bytes[4096] = {0};

	while (hub_send(on.pair[0], bytes, sizeof bytes, 0) > 0)
		continue;
}

/* ---- breaking ---- */

static void
turn_event(void)
{
	on.event.is_set = !on.event.is_set;
}

static void
turn_semaphore(void)
{
	on.semaphore.count = !on.semaphore.count;
}

static void
free_lock(void)
{
	on.owner = on.lock.owner;
	on.lock.owner = NULL;
}

static void
own_lock(void)
{
	on.lock.owner = on.owner;
}

static void
turn_channel(void)
{
	on.channel.is_closed = !on.channel.is_closed;
}

static void
turn_result(void)
{
	on.result.is_set = !on.result.is_set;
}

static void
empty_group(void)
{
	on.nursery.group.count--;
}

static void
fill_group(void)
{
	on.nursery.group.count++;
}

static void
lose_waiter(void)
{
	on.first = on.event.first;
	on.event.first = NULL;
}

static void
find_waiter(void)
{
	on.event.first = on.first;
}

static void
turn_queue(void)
{
	on.event.first->is_queued = !on.event.first->is_queued;
}

static void
age_waiter(void)
{
	on.event.first->epoch--;
}

static void
renew_waiter(void)
{
	on.event.first->epoch++;
}

static void
pass_deadline(void)
{
	on.deadline = on.victim->deadline;
	on.victim->deadline = hub_now() - HUB_SECOND;
}

static void
lose_timer(void)
{
	on.deadline = on.victim->deadline;
	on.victim->deadline = hub_now() + HUB_SECOND * 3600;
}

static void
restore_deadline(void)
{
	on.victim->deadline = on.deadline;
}

static void
kill_in_vain(void)
{
	on.victim->fails_with = ECANCELED;
}

static void
pardon(void)
{
	on.victim->fails_with = 0;
}

static void
say_runnable(void)
{
	on.victim->state = COROUTINE_READY;
}

static void
say_waiting(void)
{
	on.victim->state = COROUTINE_WAITING;
}

static void
watch_nothing(void)
{
	struct hub_fd *entry = fd_entry(hub_this, on.pair[0]);

	sim_ev_io_stop(hub_this->loop, &entry->read);
	sim_ev_io_stop(hub_this->loop, &entry->write);
	hub_send(on.pair[1], "x", 1, 0);
}

static void
watch_nothing_and_make_room(void)
{
	char bytes[4096];

	watch_nothing();
	while (hub_recv(on.pair[1], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
		continue;
}

static void
interrupt(void)
{
	hub_interrupt(on.victim);
}

static void
count_a_wait(void)
{
	on.victim->hub->loop_waits++;
}

static void
count_no_wait(void)
{
	on.victim->hub->loop_waits--;
}

static void
count_a_coroutine(void)
{
	on.victim->hub->scheduled++;
}

static void
count_no_coroutine(void)
{
	on.victim->hub->scheduled--;
}

static const struct broken {
	void (*wait)(void);
	void (*breaks)(void);
	void (*mend)(void);
	const char *sentence;
} all[] = {
	{wait_event, turn_event, turn_event, "2 \"victim\" waits for event, which would let it go"},
	{select_event, turn_event, turn_event,
		"2 \"victim\" waits for event, which would let it go"},
	{wait_semaphore, turn_semaphore, turn_semaphore,
		"2 \"victim\" waits for semaphore, which would let it go"},
	{wait_lock, free_lock, own_lock, "2 \"victim\" waits for lock, which would let it go"},
	{wait_channel_get, turn_channel, turn_channel,
		"2 \"victim\" waits for channel get, which would let it go"},
	{wait_channel_put, turn_channel, turn_channel,
		"2 \"victim\" waits for channel put, which would let it go"},
	{wait_result, turn_result, turn_result,
		"2 \"victim\" waits for result, which would let it go"},
	{wait_nursery, empty_group, fill_group,
		"2 \"victim\" waits for nursery, which would let it go"},
	{wait_event, lose_waiter, find_waiter,
		"2 \"victim\" waits for event, and is not among those that wait there"},
	{wait_event, turn_queue, turn_queue, "the queue of those that wait for event is torn"},
	{wait_event, age_waiter, renew_waiter,
		"2 \"victim\" is among those that wait for event, and does not wait there"},
	{wait_event, pass_deadline, restore_deadline, "2 \"victim\" still waits for event, 1.000"},
	{wait_event, lose_timer, restore_deadline,
		"2 \"victim\" waits for event with a deadline, and has no timer"},
	{wait_event, kill_in_vain, pardon,
		"2 \"victim\" waits for event, and was killed, or a scope of it has expired"},
	{wait_event, say_runnable, say_waiting, "2 \"victim\" is runnable, and in no queue"},
	{wait_input, watch_nothing, interrupt,
		"2 \"victim\" waits for input of descriptor 512, which is ready"},
	{wait_output, watch_nothing_and_make_room, interrupt,
		"2 \"victim\" waits for output of descriptor 512, which is ready"},
	{wait_event, count_a_wait, count_no_wait, "1 waits are the loop's, and the hub counts 2"},
	{wait_event, count_a_coroutine, count_no_coroutine,
		"2 coroutines have not ended, and the hub counts 3"},
};

/* ---- looking ---- */

static void *
be_victim(void *argument)
{
	const struct broken *broken = argument;

	broken->wait();
	return NULL;
}

static void *
break_one(void *argument)
{
	const struct broken *broken = argument;

	memset(&on, 0, sizeof on);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, on.pair);
	hub_lock_acquire(&on.lock);
	on.queue = hub_queue_new(HUB_QUEUE_FIFO, 1);
	on.victim = hub_spawn(be_victim, argument);
	hub_set_name(on.victim, "victim");
	hub_sleep(HUB_MILLISECOND);
	broken->breaks();
	hub_sleep(HUB_MILLISECOND);
	broken->mend();
	hub_kill(on.victim);
	hub_join(on.victim, NULL);
	hub_queue_free(on.queue);
	hub_close(on.pair[0]);
	hub_close(on.pair[1]);
	return NULL;
}

Test(invariants, each_that_is_broken_is_told)
{
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		cr_assert_eq(hub_sim_run(1, NULL, break_one, (void *)(uintptr_t)&all[i]), -1,
			"not found: %s", all[i].sentence);
		cr_assert_eq(errno, ENOTRECOVERABLE);
		cr_assert_not_null(strstr(hub_sim_report(), all[i].sentence), "%s instead of: %s",
			hub_sim_report(), all[i].sentence);
	}
}

static void
break_nothing(void)
{
}

Test(invariants, nothing_is_told_of_what_is_whole)
{
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct broken whole = all[i];

		whole.breaks = whole.mend = break_nothing;
		cr_assert_eq(hub_sim_run(1, NULL, break_one, &whole), 0, "%s", hub_sim_report());
	}
}

/* ---- at the end ---- */

static void *
leave_a_coroutine(void *unused)
{
	hub_set_name(hub_new(sleep_long), "raw");
	return unused;
}

static void *
leave_a_timer(void *unused)
{
	static ev_timer timer;

	timer = (ev_timer){.at = 1000};
	sim_ev_timer_start(hub_this->loop, &timer);
	return unused;
}

static void *
leave_a_watcher(void *unused)
{
	static ev_io watcher;

	socketpair(AF_UNIX, SOCK_STREAM, 0, on.pair);
	watcher = (ev_io){.fd = on.pair[0], .events = EV_READ};
	sim_ev_io_start(hub_this->loop, &watcher);
	close(on.pair[0]);
	close(on.pair[1]);
	return unused;
}

static void *
leave_a_queue(void *unused)
{
	hub_queue_new(HUB_QUEUE_FIFO, 0);
	return unused;
}

static void
assert_told(hub_fn *body, const char *sentence)
{
	cr_assert_eq(hub_sim_run(1, NULL, body, NULL), -1);
	cr_assert_not_null(strstr(hub_sim_report(), sentence), "%s", hub_sim_report());
}

Test(invariants, what_is_left_is_told)
{
	assert_told(leave_a_queue, " bytes are left at the end, which the hub has allocated in "
				   "hub_queue_new");
	assert_told(leave_a_timer, "1 timers are left at the end");
	assert_told(leave_a_watcher, "1 descriptors are still watched at the end");
	assert_told(leave_a_coroutine, "\"raw\" is left at the end: it was never freed");
}
