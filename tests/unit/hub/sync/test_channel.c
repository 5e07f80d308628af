/* Channels: a put and a get meet; nothing is lost on one that is killed, or after the close. */
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static struct hub_channel channel;

static void *
send_two(void *argument)
{
	trace_say("sending");
	hub_channel_put(&channel, "hello");
	trace_say("sent hello");
	hub_channel_put(&channel, "world");
	trace_say("sent world");
	return argument;
}

static void *
receive_two(void *argument)
{
	for (int i = 0; i < 2; i++) {
		void *item = NULL;

		hub_channel_get(&channel, &item);
		trace_say("%s", (char *)item);
	}
	return argument;
}

static void *
rendezvous_body(void *argument)
{
	struct hub_coroutine *sender, *receiver;

	sender = hub_spawn(send_two, NULL);
	receiver = hub_spawn(receive_two, NULL);
	hub_join(sender, NULL);
	hub_join(receiver, NULL);
	return argument;
}

Test(channel, a_put_returns_when_a_get_has_taken_the_item)
{
	in_hub(rendezvous_body, NULL);
	cr_assert_str_eq(trace_text(), "sending, hello, sent hello, sent world, world");
}

static void *
get_one(void *argument)
{
	void *item = "nothing";

	trace_call(argument, hub_channel_get(&channel, &item));
	trace_say("'%s'", (char *)item);
	return NULL;
}

static void *
killed_body(void *argument)
{
	struct hub_coroutine *killed, *other;
	struct hub_timeout scope;

	killed = hub_spawn(get_one, "the killed one");
	other = hub_spawn(get_one, "the other one");
	hub_sleep(0);
	hub_kill(killed);
	trace_call("put", hub_channel_put(&channel, "item"));
	hub_join(killed, NULL);
	hub_join(other, NULL);
	hub_timeout_start(&scope, HUB_MILLISECOND);
	trace_call("put for nobody", hub_channel_put(&channel, "nobody comes"));
	hub_timeout_stop(&scope);
	return argument;
}

Test(channel, an_item_is_not_lost_on_one_that_was_killed)
{
	in_hub(killed_body, NULL);
	cr_assert_str_eq(trace_text(),
		"put 0, the killed one ECANCELED, 'nothing', the other one 0, 'item', "
		"put for nobody ETIMEDOUT");
	cr_assert_null(channel.putters);
}

static void *
close_body(void *argument)
{
	struct hub_coroutine *getter;

	getter = hub_spawn(get_one, "get");
	hub_sleep(0);
	hub_channel_close(&channel);
	hub_join(getter, NULL);
	trace_call("put", hub_channel_put(&channel, "x"));
	return argument;
}

Test(channel, closing_ends_every_wait_with_epipe)
{
	in_hub(close_body, NULL);
	cr_assert_str_eq(trace_text(), "get EPIPE, 'nothing', put EPIPE");
}
