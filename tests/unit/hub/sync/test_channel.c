#include <errno.h>
#include <string.h>

#include "tests/support/in_hub.h"

struct record {
	struct hub_channel channel;
	char text[128];
	int results[8];
	int errors[8];
	void *items[8];
};

static struct record *current;

static void *
send_two(void *argument)
{
	strcat(current->text, "sending,");
	hub_channel_put(&current->channel, "hello");
	strcat(current->text, "sent hello,");
	hub_channel_put(&current->channel, "world");
	strcat(current->text, "sent world,");
	return argument;
}

static void *
receive_two(void *argument)
{
	for (int i = 0; i < 2; i++) {
		void *item = NULL;

		hub_channel_get(&current->channel, &item);
		strcat(current->text, item);
		strcat(current->text, ",");
	}
	return argument;
}

static void *
rendezvous_body(void *argument)
{
	struct hub_coroutine *sender, *receiver;

	current = argument;
	sender = hub_spawn(send_two, NULL);
	receiver = hub_spawn(receive_two, NULL);
	hub_join(sender, NULL);
	hub_join(receiver, NULL);
	return NULL;
}

Test(channel, a_put_returns_when_a_get_has_taken_the_item)
{
	struct record record = {0};

	in_hub(rendezvous_body, &record);
	cr_assert_str_eq(record.text, "sending,hello,sent hello,sent world,world,");
}

static void *
get_one(void *argument)
{
	int index = (int)(intptr_t)argument;

	current->results[index] = hub_channel_get(&current->channel, &current->items[index]);
	current->errors[index] = errno;
	return NULL;
}

static void *
killed_body(void *argument)
{
	struct hub_coroutine *getters[2];
	struct hub_timeout scope;

	current = argument;
	for (intptr_t i = 0; i < 2; i++)
		getters[i] = hub_spawn(get_one, (void *)i);
	hub_sleep(0);
	hub_kill(getters[0]);
	current->results[2] = hub_channel_put(&current->channel, "item");
	for (int i = 0; i < 2; i++)
		hub_join(getters[i], NULL);
	hub_timeout_start(&scope, HUB_MILLISECOND);
	current->results[3] = hub_channel_put(&current->channel, "nobody comes");
	current->errors[3] = errno;
	hub_timeout_stop(&scope);
	return NULL;
}

Test(channel, an_item_is_not_lost_on_one_that_was_killed)
{
	struct record record = {0};

	in_hub(killed_body, &record);
	cr_assert_eq(record.results[0], -1);
	cr_assert_eq(record.errors[0], ECANCELED);
	cr_assert_eq(record.results[1], 0);
	cr_assert_str_eq(record.items[1], "item");
	cr_assert_eq(record.results[2], 0);
	cr_assert_eq(record.results[3], -1);
	cr_assert_eq(record.errors[3], ETIMEDOUT);
	cr_assert_null(record.channel.putters);
}

static void *
close_body(void *argument)
{
	struct hub_coroutine *getter;

	current = argument;
	getter = hub_spawn(get_one, (void *)0);
	hub_sleep(0);
	hub_channel_close(&current->channel);
	hub_join(getter, NULL);
	current->results[1] = hub_channel_put(&current->channel, "x");
	current->errors[1] = errno;
	return NULL;
}

Test(channel, closing_ends_every_wait_with_epipe)
{
	struct record record = {0};

	in_hub(close_body, &record);
	cr_assert_eq(record.results[0], -1);
	cr_assert_eq(record.errors[0], EPIPE);
	cr_assert_eq(record.results[1], -1);
	cr_assert_eq(record.errors[1], EPIPE);
}
