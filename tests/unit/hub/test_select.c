#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/scheduler_priv.h"
#include "tests/support/in_hub.h"

struct record {
	int indices[16];
	int errors[16];
	void *items[16];
	int counts[4];
};

static struct record *current;
static struct hub_channel channel;
static struct hub_event event;
static struct hub_semaphore semaphore;
static struct hub_queue *queue, *full;
static struct hub_result result;
static int pair[2];

static void *
give_back(void *argument)
{
	return argument;
}

static void *
trigger(void *argument)
{
	void *item;

	hub_sleep(HUB_MILLISECOND);
	switch ((intptr_t)argument) {
	case 0:
		hub_channel_put(&channel, "from channel");
		break;
	case 1:
		hub_channel_get(&channel, &item);
		current->items[15] = item;
		break;
	case 2:
		hub_queue_put(queue, "from queue");
		break;
	case 3:
		hub_queue_get(full, &item);
		break;
	case 4:
		hub_event_set(&event);
		break;
	case 5:
		hub_result_set(&result, NULL);
		break;
	case 6:
		hub_semaphore_release(&semaphore);
		break;
	case 7:
		break; /* ends */
	case 8:
		hub_send(pair[0], "x", 1, 0);
		break;
	}
	return NULL;
}

/* Everything there is, of which what the trigger does can happen. */
static int
select_all(intptr_t what, struct hub_case *cases)
{
	struct hub_coroutine *ends = hub_spawn(trigger, (void *)what), *never = NULL;
	int index;

	cases[0] = hub_case_channel_get(&channel);
	cases[1] = hub_case_channel_put(&channel, "to channel");
	cases[2] = hub_case_get(queue);
	cases[3] = hub_case_put(full, "more");
	cases[4] = hub_case_event(&event);
	cases[5] = hub_case_result(&result);
	cases[6] = hub_case_semaphore(&semaphore);
	cases[7] = hub_case_ended(ends);
	cases[8] = hub_case_fd(pair[1], POLLIN);
	cases[9] = (struct hub_case){0};
	if (what != 7) {
		never = hub_spawn_later(HUB_FOREVER, give_back, NULL);
		cases[7] = hub_case_ended(never);
	}
	/* A channel's two cases would meet each other's partners; one at a time. */
	if (what != 0)
		cases[0].kind = HUB_CASE_NEVER;
	if (what == 0)
		cases[1].kind = HUB_CASE_NEVER;
	index = hub_select(cases, 10, 10 * HUB_SECOND);
	hub_join(ends, NULL);
	if (never != NULL) {
		hub_kill(never);
		hub_join(never, NULL);
	}
	return index;
}

static void *
every_body(void *argument)
{
	char byte;
	void *item;

	current = argument;
	channel = (struct hub_channel){0};
	event = (struct hub_event){0};
	result = (struct hub_result){0};
	hub_semaphore_init(&semaphore, 0);
	queue = hub_queue_new(HUB_QUEUE_FIFO, 0);
	full = hub_queue_new(HUB_QUEUE_FIFO, 1);
	hub_queue_put(full, "first");
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	for (intptr_t what = 0; what < 9; what++) {
		struct hub_case cases[10];

		current->indices[what] = select_all(what, cases);
		current->errors[what] = cases[what].error;
		current->items[what] = cases[what].item;
		hub_event_clear(&event);
		hub_result_init(&result);
	}
	/* Nothing was taken or put but what happened. */
	current->counts[0] = (int)hub_queue_size(queue);
	current->counts[1] = (int)hub_queue_size(full);
	hub_queue_get(full, &item);
	current->items[14] = item;
	current->counts[2] = hub_semaphore_try_acquire(&semaphore);
	current->counts[3] = (int)hub_recv(pair[1], &byte, 1, MSG_DONTWAIT);
	hub_close(pair[0]);
	hub_close(pair[1]);
	hub_queue_free(queue);
	hub_queue_free(full);
	return NULL;
}

Test(select, exactly_the_case_that_can_happens)
{
	struct record record = {0};

	in_hub(every_body, &record);
	for (int what = 0; what < 9; what++) {
		cr_assert_eq(
			record.indices[what], what, "%d instead of %d", record.indices[what], what);
		cr_assert_eq(record.errors[what], 0);
	}
	cr_assert_str_eq(record.items[0], "from channel");
	cr_assert_str_eq(record.items[15], "to channel");
	cr_assert_str_eq(record.items[2], "from queue");
	cr_assert_str_eq(record.items[14], "more");
	cr_assert_eq(record.counts[0], 0);
	cr_assert_eq(record.counts[1], 1);
	cr_assert_eq(record.counts[2], -1);
	cr_assert_eq(record.counts[3], 1);
}

static void *
close_later(void *argument)
{
	hub_sleep(HUB_MILLISECOND);
	if (argument == NULL)
		hub_channel_close(&channel);
	else
		hub_close(pair[1]);
	return NULL;
}

static void *
end_body(void *argument)
{
	struct hub_case cases[2];
	struct hub_timeout scope;

	current = argument;
	channel = (struct hub_channel){0};
	event = (struct hub_event){0};
	cases[0] = hub_case_channel_get(&channel);
	cases[1] = hub_case_event(&event);
	current->errors[0] = hub_select(cases, 2, 0) == -1 ? errno : 0;
	current->errors[1] = hub_select(cases, 2, HUB_MILLISECOND) == -1 ? errno : 0;
	hub_timeout_start(&scope, HUB_MILLISECOND);
	current->errors[2] = hub_select(cases, 2, 10 * HUB_SECOND) == -1 ? errno : 0;
	current->errors[3] = hub_timeout_stop(&scope);
	current->errors[4] = hub_select(cases, 2, HUB_FOREVER) == -1 ? errno : 0;
	current->errors[5] = hub_select(NULL, 0, HUB_MILLISECOND) == -1 ? errno : 0;
	current->errors[6] = hub_select(NULL, 0, HUB_FOREVER) == -1 ? errno : 0;
	hub_detach(hub_spawn(close_later, NULL));
	current->indices[0] = hub_select(cases, 2, HUB_FOREVER);
	current->errors[7] = cases[0].error;
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	cases[0] = hub_case_fd(pair[1], POLLIN);
	hub_detach(hub_spawn(close_later, argument));
	current->indices[1] = hub_select(cases, 2, HUB_FOREVER);
	current->errors[8] = cases[0].error;
	cases[0] = hub_case_fd(-1, POLLIN);
	current->indices[2] = hub_select(cases, 2, HUB_FOREVER);
	current->errors[9] = cases[0].error;
	hub_close(pair[0]);
	return NULL;
}

Test(select, ends_by_time_by_a_deadlock_and_by_what_is_closed)
{
	struct record record = {0};

	in_hub(end_body, &record);
	cr_assert_eq(record.errors[0], EAGAIN);
	cr_assert_eq(record.errors[1], EAGAIN);
	cr_assert_eq(record.errors[2], ETIMEDOUT);
	cr_assert_eq(record.errors[3], true);
	cr_assert_eq(record.errors[4], EDEADLK);
	cr_assert_eq(record.errors[5], EAGAIN);
	cr_assert_eq(record.errors[6], EINVAL);
	cr_assert_eq(record.indices[0], 0);
	cr_assert_eq(record.errors[7], EPIPE);
	cr_assert_eq(record.indices[1], 0);
	cr_assert_eq(record.errors[8], EBADF);
	cr_assert_eq(record.indices[2], 0);
	cr_assert_eq(record.errors[9], EBADF);
}

static void *
turns_body(void *argument)
{
	struct hub_event other = {.is_set = true};

	current = argument;
	event = (struct hub_event){.is_set = true};
	for (int i = 0; i < 100; i++) {
		struct hub_case cases[2] = {hub_case_event(&event), hub_case_event(&other)};

		current->counts[hub_select(cases, 2, 0)]++;
	}
	return NULL;
}

Test(select, cases_that_are_always_ready_take_turns)
{
	struct record record = {0};

	in_hub(turns_body, &record);
	cr_assert_geq(record.counts[0], 10);
	cr_assert_geq(record.counts[1], 10);
}

static void *
many_body(void *argument)
{
	struct hub_event events[40] = {0};
	struct hub_case cases[40];

	current = argument;
	for (int i = 0; i < 40; i++)
		cases[i] = hub_case_event(&events[i]);
	current->indices[0] = hub_select(cases, 40, HUB_MILLISECOND);
	hub_event_set(&events[33]);
	current->indices[1] = hub_select(cases, 40, HUB_MILLISECOND);
	return NULL;
}

Test(select, many_cases)
{
	struct record record = {0};

	in_hub(many_body, &record);
	cr_assert_eq(record.indices[0], -1);
	cr_assert_eq(record.indices[1], 33);
}

static void *
empty_and_set(void *argument)
{
	char byte;

	hub_wait_fd(pair[1], POLLIN);
	hub_recv(pair[1], &byte, 1, MSG_DONTWAIT);
	hub_event_set(&event);
	return argument;
}

static void *
write_byte(void *argument)
{
	hub_send(pair[0], "x", 1, 0);
	return argument;
}

static void *
emptied_body(void *argument)
{
	struct hub_case cases[2];

	current = argument;
	event = (struct hub_event){0};
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	for (int i = 0; i < 200; i++) {
		struct hub_coroutine *other = NULL, *writer;

		hub_event_clear(&event);
		cases[0] = hub_case_fd(pair[1], POLLIN);
		cases[1] = hub_case_event(&event);
		/* Whichever of the two is woken first by the descriptor. */
		if (i % 2 == 0)
			other = hub_spawn(empty_and_set, NULL);
		writer = hub_spawn(write_byte, NULL);
		if (i % 2 != 0)
			other = hub_spawn_later(0, empty_and_set, NULL);
		if (hub_select(cases, 2, 5 * HUB_SECOND) < 0)
			current->errors[0] = errno;
		hub_join(writer, NULL);
		hub_join(other, NULL);
	}
	hub_close(pair[0]);
	hub_close(pair[1]);
	return NULL;
}

Test(select, what_happens_between_a_readiness_that_is_gone_and_its_turn_is_not_lost)
{
	struct record record = {0};

	in_hub(emptied_body, &record);
	cr_assert_eq(record.errors[0], 0, "%s", strerror(record.errors[0]));
}

/* ---- what is gone when the wait is over, and whose memory, or number, is another's ---- */

static struct {
	struct hub_coroutine *selector, *gone, *successor;
	struct hub_result *result; /* arrives, and its memory goes */
	int closed; /* its number is another's in the end, where there is something to read */
	int heir[2];
	bool has_gone;
} scene;

/* The loop is polled when the caller yields next, or not before somebody else has said so. */
static void
yield(bool is_polling)
{
	hub_this->ticks = is_polling ? 1 : 1000;
	hub_this->slice_started -= is_polling ? HUB_SECOND : 0;
	hub_sleep(0);
}

/* Once the selector is woken by the first descriptor, and has not run: what there was is gone, and
 * so is this. */
static void *
go_in_time(void *argument)
{
	char byte;

	while (scene.selector == NULL || scene.selector->state == COROUTINE_WAITING)
		yield(false);
	recv(pair[1], &byte, 1, MSG_DONTWAIT);
	scene.has_gone = true;
	return argument;
}

static void *
sleep_in_its_place(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static void *
replace_in_time(void *argument)
{
	while (!scene.has_gone)
		yield(true);
	scene.successor = hub_spawn(sleep_in_its_place, NULL);
	hub_close(scene.closed);
	dup2(scene.heir[1], scene.closed);
	hub_adopt(scene.closed);
	hub_result_set(scene.result, NULL);
	munmap(scene.result, sizeof *scene.result);
	return argument;
}

static void
set_scene(hub_fn *go)
{
	memset(&scene, 0, sizeof scene);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	socketpair(AF_UNIX, SOCK_STREAM, 0, scene.heir);
	send(scene.heir[0], "x", 1, 0);
	scene.closed = dup(pair[0]);
	scene.result = mmap(NULL, sizeof *scene.result, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	scene.gone = hub_spawn(go, NULL);
	hub_detach(scene.gone);
}

static void
clear_scene(void)
{
	current->counts[0] += scene.successor == scene.gone;
	hub_kill(scene.successor);
	hub_join(scene.successor, NULL);
	hub_close(pair[0]);
	hub_close(pair[1]);
	hub_close(scene.closed);
	close(scene.heir[0]);
	close(scene.heir[1]);
}

static void *
select_two(void *argument)
{
	int i = (int)(intptr_t)argument;
	struct hub_case cases[] = {
		hub_case_fd(pair[1], POLLIN), i == 0   ? hub_case_ended(scene.gone)
					      : i == 1 ? hub_case_fd(scene.closed, POLLIN)
						       : hub_case_result(scene.result)};

	current->indices[i] = hub_select(cases, 2, 5 * HUB_SECOND);
	current->errors[i] = cases[1].error;
	return NULL;
}

static void *
in_vain_body(void *argument)
{
	current = argument;
	for (intptr_t i = 0; i < 3; i++) {
		struct hub_coroutine *replacer, *selector;

		set_scene(go_in_time);
		replacer = hub_spawn(replace_in_time, NULL);
		selector = hub_spawn(select_two, (void *)i);
		until_it_waits(selector);
		scene.selector = selector;
		send(pair[0], "x", 1, 0);
		hub_join(selector, NULL);
		hub_join(replacer, NULL);
		clear_scene();
	}
	return NULL;
}

Test(select, woken_in_vain_it_takes_nobody_for_what_is_gone)
{
	struct record record = {0};

	in_hub(in_vain_body, &record);
	cr_assert_eq(record.counts[0], 3, "the slot was not used again: this test tells nothing");
	for (int i = 0; i < 3; i++)
		cr_assert_eq(record.indices[i], 1, "%d", record.indices[i]);
	cr_assert_eq(record.errors[0], 0);
	cr_assert_eq(record.errors[1], EBADF, "%s", strerror(record.errors[1]));
	cr_assert_eq(record.errors[2], 0);
}

/* The same in its turn, before it has looked at anything. */
static void *
go_at_once(void *argument)
{
	scene.has_gone = true;
	return argument;
}

static void *
turn_body(void *argument)
{
	current = argument;
	for (intptr_t i = 0; i < 3; i++) {
		struct hub_coroutine *replacer;

		set_scene(go_at_once);
		replacer = hub_spawn(replace_in_time, NULL);
		hub_this->ticks = 1;
		hub_this->slice_started -= HUB_SECOND;
		select_two((void *)i);
		hub_join(replacer, NULL);
		clear_scene();
	}
	return NULL;
}

Test(select, in_its_turn_it_takes_nobody_for_what_is_gone)
{
	struct record record = {0};

	in_hub(turn_body, &record);
	cr_assert_eq(record.counts[0], 3, "the slot was not used again: this test tells nothing");
	for (int i = 0; i < 3; i++)
		cr_assert_eq(record.indices[i], 1, "%d", record.indices[i]);
	cr_assert_eq(record.errors[0], 0);
	cr_assert_eq(record.errors[1], EBADF, "%s", strerror(record.errors[1]));
	cr_assert_eq(record.errors[2], 0);
}
