/* A whole worker whose master dies, with the test as its master. */
#include "worker/alone.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/program.h"
#include "tests/unit/worker/child.h"
#include "worker/channel.h"

/* As when it is killed: neither the channel nor the sockets are held any more. */
static void
lose_master(struct child *child)
{
	close(child->channel);
	child->channel = -1;
	for (int i = 0; i < CHILD_THREADS; i++)
		close(child->sockets[i]);
}

static bool
is_refused(void *context)
{
	int fd = child_connect(context);

	if (fd != -1)
		close(fd);
	return fd == -1;
}

/* Every permit that no connection needs is given up. */
static bool
has_only_granted_one(void *context)
{
	const struct child *child = context;

	return __atomic_load_n(&child->rows[0].granted, __ATOMIC_RELAXED) == 1;
}

Test(alone, whose_master_is_gone_closes_what_listens_and_serves_what_is_open)
{
	struct child child = {.drain_timeout = 60 * HUB_SECOND};
	int client;

	child_start(&child, child_hold, 0);
	child_accept(&child);
	client = child_connect(&child);
	cr_assert(child_exchange(client));
	lose_master(&child);
	cr_assert(wait_until(is_refused, &child, 10), "it still listens");
	cr_assert(wait_until(has_only_granted_one, &child, 10));
	cr_assert(child_exchange(client));
	close(client);
	cr_assert_eq(child_exit(&child), 0);
}

Test(alone, whose_master_is_gone_serves_what_was_queued)
{
	struct child child = {.drain_timeout = 60 * HUB_SECOND};
	int clients[20];

	child_start(&child, child_serve_once, 0);
	cr_assert(child_hear(&child, CHANNEL_READY, 1));
	for (int i = 0; i < 20; i++)
		clients[i] = child_connect(&child);
	child_tell(&child, CHANNEL_ACCEPT, 0);
	lose_master(&child);
	for (int i = 0; i < 20; i++) {
		cr_assert(child_exchange(clients[i]), "client %d is lost", i);
		close(clients[i]);
	}
	cr_assert_eq(child_exit(&child), 0);
}

Test(alone, whose_master_is_gone_ends_connections_at_the_deadline)
{
	struct child child = {.drain_timeout = HUB_SECOND / 5};
	int client;
	char byte;

	child_start(&child, child_hold, 0);
	child_accept(&child);
	client = child_connect(&child);
	while (child_sum(&child, offsetof(struct worker_row, accepted)) == 0)
		poll(NULL, 0, 1);
	lose_master(&child);
	cr_assert_eq(recv(client, &byte, 1, 0), 0, "it is not closed in order");
	cr_assert_eq(child_exit(&child), 0);
}

Test(alone, whose_master_is_gone_before_it_was_to_accept_leaves)
{
	struct child child = {.drain_timeout = 60 * HUB_SECOND};
	int client;

	child_start(&child, child_serve_once, 0);
	client = child_connect(&child);
	cr_assert(child_hear(&child, CHANNEL_READY, 1));
	close(child.channel);
	child.channel = -1;
	cr_assert_eq(child_exit(&child), 0);
	cr_assert_eq(child_sum(&child, offsetof(struct worker_row, accepted)), 0,
		"that one was another generation's");
	close(client);
}
