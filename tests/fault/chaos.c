/* Chaos: coroutines do random things to every primitive of a hub while others kill them, time them
 * out, close their file descriptors and wake them. After each round everything must be accounted
 * for: each permit, each item, each lock, each coroutine, each file descriptor; and no coroutine
 * may be left waiting.
 *
 *	chaos [--seconds N] [--seed N]
 *
 * It prints its seed. The same seed, as an option or as HUBBUB_SEED, makes the same choices, as far
 * as the kernel's timing lets it. */
#include <errno.h>
#include <fcntl.h>
#include <hubbub/hub.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "hub/scheduler_priv.h"
#include "tests/support/certificate.h"
#include "tests/support/descriptors.h"
#include "tests/support/draw.h"

enum { ACTORS = 48, OBJECTS = 3, PERMITS = 2, CAPACITY = 4 };
#define ROUND (150 * HUB_MILLISECOND)
/* Deadlines and rounds grow by this factor, which doubles after that many rounds in which some kind
 * of act has still never succeeded: on a busy machine, or under a sanitizer, everything takes
 * longer. */
enum { PACE_MAX = 32, ROUNDS_OF_A_PACE = 5 };
static int64_t pace = 1;
/* Longer than anything takes but a wake-up that was lost. */
#define PATIENCE (60 * HUB_SECOND)

/* ---- chance ---- */

static uint64_t random_state;

static uint64_t
random_next(void)
{
	/* xorshift64* */
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

static unsigned
below(unsigned limit)
{
	return (unsigned)((random_next() >> 33) % limit);
}

/* ---- the world ---- */

static struct {
	struct hub_event events[OBJECTS];
	struct hub_semaphore semaphores[OBJECTS];
	struct hub_lock locks[OBJECTS];
	struct hub_condition conditions[OBJECTS];
	struct hub_channel channels[OBJECTS];
	struct hub_queue *queues[OBJECTS];
	struct hub_shared_semaphore *shared_semaphore;
	struct hub_shared_queue *shared_queue;
	struct hub_pool pool;
	/* Each byte that is sent over a pair is the last byte of the pair's serial number. */
	struct pair {
		int ends[2];
		unsigned serial;
		bool is_accepted, is_ready; /* the handshake has begun, and is done */
	} pairs[OBJECTS], secure[OBJECTS];
	unsigned serial;
	bool is_locked[OBJECTS];
	struct hub_coroutine *actors[ACTORS];
	/* The totals that must be balanced at the end of a round. */
	long puts, gets, channel_puts, channel_gets, shared_puts, shared_gets;
	long permits[OBJECTS], shared_permits;
	long children;
} world;

static long failures;

static void
complain(const char *what, long value)
{
	fprintf(stderr, "chaos: %s (%ld)\n", what, value);
	failures++;
}

static void
expect(bool condition, const char *what, long value)
{
	if (!condition)
		complain(what, value);
}

/* The errors with which any blocking call may fail here. */
static bool
is_interrupted(void)
{
	return errno == ECANCELED || errno == ETIMEDOUT;
}

static void
expect_interrupted(const char *what)
{
	expect(is_interrupted(), what, errno);
}

/* ---- what actors do; each returns whether it succeeded ---- */

static bool
do_sleep(unsigned i)
{
	if (hub_sleep(i == 0 ? 0 : below(2000) * HUB_MICROSECOND) == 0)
		return true;
	expect_interrupted("sleep");
	return false;
}

static bool
do_event(unsigned i)
{
	switch (below(3)) {
	case 0:
		hub_event_set(&world.events[i]);
		return true;
	case 1:
		hub_event_clear(&world.events[i]);
		return true;
	default:
		if (hub_event_wait(&world.events[i]) == 0)
			return true;
		expect_interrupted("event");
		return false;
	}
}

static bool
do_semaphore(unsigned i)
{
	if (hub_semaphore_acquire(&world.semaphores[i]) != 0) {
		expect_interrupted("semaphore");
		return false;
	}
	world.permits[i]++;
	expect(world.permits[i] <= PERMITS, "more permits than there are", world.permits[i]);
	hub_sleep(below(300) * HUB_MICROSECOND);
	world.permits[i]--;
	hub_semaphore_release(&world.semaphores[i]);
	return true;
}

static bool
do_lock(unsigned i)
{
	if (hub_lock_acquire(&world.locks[i]) != 0) {
		expect_interrupted("lock");
		return false;
	}
	expect(!world.is_locked[i], "a lock is held twice", i);
	world.is_locked[i] = true;
	hub_sleep(0);
	if (below(3) == 0) {
		/* A waiter owns the lock again afterwards, whatever ended the wait. */
		world.is_locked[i] = false;
		hub_condition_wait(&world.conditions[i], &world.locks[i]);
		expect(!world.is_locked[i], "a condition gives back a lock that is held", i);
		world.is_locked[i] = true;
	}
	world.is_locked[i] = false;
	expect(hub_lock_release(&world.locks[i]) == 0, "a held lock is not released", errno);
	return true;
}

static bool
do_notify(unsigned i)
{
	if (below(2))
		hub_condition_notify(&world.conditions[i]);
	else
		hub_condition_notify_all(&world.conditions[i]);
	return true;
}

static bool
do_put(unsigned i)
{
	if (hub_queue_put_priority(world.queues[i], &world, below(10)) == 0) {
		world.puts++;
		return true;
	}
	expect_interrupted("queue put");
	return false;
}

static bool
do_get(unsigned i)
{
	void *item = NULL;

	if (hub_queue_get(world.queues[i], &item) == 0) {
		expect(item == &world, "another item comes out than went in", i);
		world.gets++;
		return true;
	}
	expect_interrupted("queue get");
	return false;
}

static bool
do_channel_put(unsigned i)
{
	if (hub_channel_put(&world.channels[i], &world) == 0) {
		world.channel_puts++;
		return true;
	}
	expect_interrupted("channel put");
	return false;
}

static bool
do_channel_get(unsigned i)
{
	void *item = NULL;

	if (hub_channel_get(&world.channels[i], &item) == 0) {
		expect(item == &world, "another item comes out of a channel", i);
		world.channel_gets++;
		return true;
	}
	expect_interrupted("channel get");
	return false;
}

static bool
do_select(unsigned i)
{
	struct hub_case cases[] = {
		hub_case_get(world.queues[i]),
		hub_case_put(world.queues[(i + 1) % OBJECTS], &world),
		hub_case_channel_get(&world.channels[i]),
		hub_case_channel_put(&world.channels[(i + 1) % OBJECTS], &world),
		hub_case_event(&world.events[i]),
		hub_case_semaphore(&world.semaphores[i]),
		hub_case_fd(world.pairs[i].ends[0], POLLIN),
	};
	int index;

	for (size_t j = 0; j < 7; j++)
		if (below(3) == 0)
			cases[j].kind = HUB_CASE_NEVER;
	index = hub_select(cases, 7, below(3) == 0 ? 0 : below(2000) * HUB_MICROSECOND);
	switch (index) {
	case -1:
		expect(is_interrupted() || errno == EAGAIN || errno == EBADF, "select", errno);
		return false;
	case 0:
		world.gets++;
		expect(cases[0].item == &world, "select gives another item", 0);
		break;
	case 1:
		world.puts++;
		break;
	case 2:
		world.channel_gets++;
		expect(cases[2].item == &world, "select gives another item", 2);
		break;
	case 3:
		world.channel_puts++;
		break;
	case 5:
		hub_semaphore_release(&world.semaphores[i]);
		break;
	}
	expect(cases[index].error == 0 || index == 6, "a case fails", cases[index].error);
	return true;
}

/* A call on a pair concerns that pair, whichever pair has its file descriptors by now. */
static bool
receive_from(const struct pair *pair)
{
	char bytes[5000];
	unsigned char serial = (unsigned char)pair->serial;
	ssize_t received = hub_recv(
		pair->ends[0], bytes, 1 + below(sizeof bytes), below(4) == 0 ? MSG_WAITALL : 0);

	/* Any error is possible: other coroutines close the pair. */
	for (ssize_t i = 0; i < received; i++)
		if ((unsigned char)bytes[i] != serial) {
			complain("a byte comes from another connection", i);
			break;
		}
	return received > 0;
}

static bool
send_over(const struct pair *pair, size_t most)
{
	static char bytes[256][60000];
	char *own = bytes[pair->serial % 256];
	size_t size = 1 + below((unsigned)most);
	struct iovec parts[2] = {{own, size / 2}, {own, size - size / 2}};

	memset(own, (int)(pair->serial % 256), size);
	return below(2) ? hub_send(pair->ends[1], own, size, 0) > 0
			: hub_writev(pair->ends[1], parts, 2) > 0;
}

static bool
do_receive(unsigned i)
{
	return receive_from(&world.pairs[i]);
}

static bool
do_send(unsigned i)
{
	return send_over(&world.pairs[i], below(4) == 0 ? 60000 : 10);
}

static bool
do_poll(unsigned i)
{
	struct pollfd fds[2] = {
		{world.pairs[i].ends[0], POLLIN, 0}, {world.pairs[i].ends[1], POLLOUT, 0}};

	return hub_poll(fds, 1 + below(2), (int)below(3)) > 0;
}

static bool
open_pair(struct pair *pair)
{
	pair->serial = world.serial++;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair->ends) == 0;
}

static bool
do_close(unsigned i)
{
	if (below(4) != 0)
		return true;
	hub_close(world.pairs[i].ends[0]);
	hub_close(world.pairs[i].ends[1]);
	return open_pair(&world.pairs[i]);
}

/* ---- over TLS ---- */

static struct hub_tls *tls_server, *tls_client;

/* Unless the pair is closed before this coroutine begins. */
static void *
accept_secure(void *argument)
{
	struct pair *pair = argument;

	if (pair->ends[0] != -1 && !pair->is_accepted) {
		pair->is_accepted = true;
		hub_tls_accept(pair->ends[0], tls_server);
	}
	return NULL;
}

/* Other coroutines may close both ends meanwhile. */
static bool
shake_hands(struct pair *pair)
{
	unsigned serial = pair->serial;
	int ends[2] = {pair->ends[0], pair->ends[1]};
	struct hub_timeout shield, scope;
	struct hub_nursery nursery;
	bool is_done;

	hub_shield_start(&shield);
	hub_timeout_start(&scope, 50 * HUB_MILLISECOND);
	hub_nursery_open(&nursery);
	hub_nursery_spawn(&nursery, accept_secure, pair);
	is_done = hub_tls_connect(ends[1], tls_client, NULL) == 0;
	is_done = hub_nursery_close(&nursery) == 0 && is_done;
	hub_timeout_stop(&scope);
	hub_shield_stop(&shield);
	is_done = is_done && pair->ends[0] != -1 && pair->serial == serial;
	pair->is_ready = pair->is_ready || (is_done && hub_tls_version(ends[0]) != NULL);
	return is_done;
}

static bool
do_secure_open(unsigned i)
{
	struct pair *pair = &world.secure[i];

	if (pair->ends[0] != -1)
		return false;
	return open_pair(pair) && shake_hands(pair);
}

static void
close_secure(struct pair *pair)
{
	if (pair->ends[0] == -1)
		return;
	hub_close(pair->ends[0]);
	hub_close(pair->ends[1]);
	*pair = (struct pair){.ends = {-1, -1}};
}

static bool
do_secure_close(unsigned i)
{
	struct pair *pair = &world.secure[i];

	if (pair->ends[0] == -1 || below(pair->is_ready ? 4 : 40) != 0)
		return false;
	close_secure(pair);
	return true;
}

static bool
do_secure_receive(unsigned i)
{
	return world.secure[i].is_ready && receive_from(&world.secure[i]);
}

static bool
do_secure_send(unsigned i)
{
	return world.secure[i].is_ready && send_over(&world.secure[i], 60000);
}

/* ---- whose memory goes, and is another's ---- */

static void *
give_self(void *argument)
{
	do_sleep(1);
	return argument;
}

static bool
do_result(unsigned i)
{
	struct hub_result *result = calloc(1, sizeof *result);
	struct hub_coroutine *own = hub_spawn(give_self, &world);
	void *value = NULL;
	bool has_arrived;

	(void)i;
	hub_result_link(result, own);
	has_arrived = below(2) && hub_result_get(result, &value, NULL) == 0;
	expect(!has_arrived || value == &world || value == NULL, "another result", 0);
	if (!hub_result_is_set(result))
		hub_result_set(result, NULL);
	memset(result, 0xa5, sizeof *result);
	free(result);
	hub_detach(own);
	return has_arrived;
}

static void *
die_with_lock(void *argument)
{
	hub_lock_try_acquire(argument);
	return NULL;
}

static void *
try_lock(void *argument)
{
	errno = 0;
	if (hub_lock_try_acquire(argument) == 0)
		complain("a dead owner's lock is acquired", 0);
	if (hub_lock_release(argument) == 0)
		complain("a dead owner's lock is released", 0);
	return NULL;
}

static bool
do_inherit(unsigned i)
{
	struct hub_lock lock = {0};
	struct hub_timeout shield;
	bool was_acquired;

	(void)i;
	hub_shield_start(&shield);
	hub_join(hub_spawn(die_with_lock, &lock), NULL);
	was_acquired = lock.owner != NULL;
	if (was_acquired)
		hub_join(hub_spawn(try_lock, &lock), NULL);
	hub_shield_stop(&shield);
	return was_acquired;
}

static bool
do_kill(unsigned i)
{
	struct hub_coroutine *actor = world.actors[below(ACTORS)];

	(void)i;
	return actor == NULL || hub_kill(actor) == 0;
}

static void *
child(void *argument)
{
	world.children++;
	do_sleep((unsigned)(intptr_t)argument);
	if (below(8) == 0)
		hub_fail(EPROTO, "chance");
	world.children--;
	return argument;
}

static bool
do_join(unsigned i)
{
	struct hub_coroutine *own = hub_spawn(child, (void *)(intptr_t)i);
	struct hub_failure failure;

	if (own == NULL)
		return false;
	if (below(2))
		hub_kill(own);
	if (hub_get(own, NULL, &failure) == 0 || failure.code == EPROTO)
		return true;
	expect_interrupted("join");
	hub_kill(own);
	hub_detach(own);
	return false;
}

static bool
do_wait_ended(unsigned i)
{
	struct hub_coroutine *own[3];
	struct hub_timeout shield;
	size_t ended;
	bool result;

	for (int j = 0; j < 3; j++)
		own[j] = hub_spawn_later(below(500) * HUB_MICROSECOND, child, (void *)(intptr_t)i);
	result = hub_wait_ended(own, 3, below(4), below(2) ? HUB_WAIT_FIRST_FAILURE : 0, &ended) ==
		 0;
	hub_kill_all(own, 3);
	hub_shield_start(&shield);
	for (int j = 0; j < 3; j++)
		expect(hub_join(own[j], NULL) == 0, "a shielded join fails", errno);
	hub_shield_stop(&shield);
	return result;
}

static bool
do_wait_detached(unsigned i)
{
	struct hub_coroutine *own[3];
	size_t ended, enough = 1 + below(3);

	for (int j = 0; j < 3; j++) {
		own[j] = hub_spawn(child, (void *)(intptr_t)i);
		hub_detach(own[j]);
	}
	if (hub_wait_ended(own, 3, enough, 0, &ended) != 0)
		return false;
	expect(ended >= enough, "fewer have ended than were waited for", (long)ended);
	return true;
}

static bool
do_nursery(unsigned i)
{
	struct hub_nursery nursery;
	bool result;

	hub_nursery_open(&nursery);
	for (int j = 0; j < 3; j++)
		hub_nursery_spawn(&nursery, child, (void *)(intptr_t)i);
	do_sleep(1);
	result = hub_nursery_close(&nursery) == 0;
	expect(nursery.group.count == 0, "children outlive their nursery",
		(long)nursery.group.count);
	return result;
}

static bool
do_pool(unsigned i)
{
	void *arguments[4] = {(void *)(intptr_t)i}, *results[4];
	struct hub_failure failure;

	return hub_pool_map(&world.pool, child, arguments, 4, results, &failure) == 0;
}

static bool
do_shield(unsigned i)
{
	struct hub_timeout shield, scope;
	bool result;

	hub_shield_start(&shield);
	hub_timeout_start(&scope, below(1000) * pace * HUB_MICROSECOND);
	result = do_event(i);
	hub_timeout_stop(&scope);
	expect(hub_sleep(0) == 0, "a shield lets something through", errno);
	hub_shield_stop(&shield);
	return result;
}

static void *
compute(void *argument)
{
	return argument;
}

static bool
do_offload(unsigned i)
{
	void *result = NULL;

	if (hub_offload(compute, &world, &result) == 0) {
		expect(result == &world, "another result comes from offload", i);
		return true;
	}
	expect_interrupted("offload");
	return false;
}

static bool
do_shared(unsigned i)
{
	void *item;

	switch (below(3)) {
	case 0:
		if (hub_shared_semaphore_acquire(world.shared_semaphore) != 0)
			return false;
		hub_sleep(below(300) * HUB_MICROSECOND);
		return hub_shared_semaphore_release(world.shared_semaphore) == 0;
	case 1:
		if (hub_shared_queue_put(world.shared_queue, &world) != 0)
			return false;
		world.shared_puts++;
		return true;
	default:
		if (hub_shared_queue_get(world.shared_queue, &item) != 0)
			return false;
		world.shared_gets++;
		expect(item == &world, "another item comes out of a shared queue", i);
		return true;
	}
}

static void *
count_three(void *argument)
{
	for (intptr_t i = 1; i <= 3; i++) {
		if (hub_sleep(0) != 0)
			return argument;
		hub_yield((void *)i);
		if (hub_thrown() != 0)
			return argument;
	}
	return NULL;
}

static bool
do_generator(unsigned i)
{
	struct hub_generator *generator = hub_generator_new(count_three, NULL);
	void *value;

	for (unsigned j = 0; j < i + 1; j++)
		hub_generator_next(generator, &value);
	expect(hub_generator_close(generator) == 0, "a generator is not closed", errno);
	hub_generator_free(generator);
	return true;
}

static void
count_deferred(void *argument)
{
	(*(long *)argument)--;
}

static bool
do_defer(unsigned i)
{
	(void)i;
	if (hub_defer(count_deferred, &world.children) != 0)
		return false;
	world.children++;
	return hub_alloc(below(2000)) != NULL;
}

static struct {
	const char *name;
	bool (*act)(unsigned object);
	long tries, successes;
} acts[] = {
	{"sleep", do_sleep, 0, 0},
	{"event", do_event, 0, 0},
	{"semaphore", do_semaphore, 0, 0},
	{"lock", do_lock, 0, 0},
	{"notify", do_notify, 0, 0},
	{"queue put", do_put, 0, 0},
	{"queue get", do_get, 0, 0},
	{"channel put", do_channel_put, 0, 0},
	{"channel get", do_channel_get, 0, 0},
	{"select", do_select, 0, 0},
	{"receive", do_receive, 0, 0},
	{"send", do_send, 0, 0},
	{"poll", do_poll, 0, 0},
	{"close", do_close, 0, 0},
	{"secure open", do_secure_open, 0, 0},
	{"secure close", do_secure_close, 0, 0},
	{"secure send", do_secure_send, 0, 0},
	{"secure send", do_secure_send, 0, 0},
	{"secure recv", do_secure_receive, 0, 0},
	{"secure recv", do_secure_receive, 0, 0},
	{"result", do_result, 0, 0},
	{"inherit", do_inherit, 0, 0},
	{"kill", do_kill, 0, 0},
	{"join", do_join, 0, 0},
	{"wait ended", do_wait_ended, 0, 0},
	{"detached", do_wait_detached, 0, 0},
	{"nursery", do_nursery, 0, 0},
	{"pool", do_pool, 0, 0},
	{"shield", do_shield, 0, 0},
	{"offload", do_offload, 0, 0},
	{"shared", do_shared, 0, 0},
	{"generator", do_generator, 0, 0},
	{"defer", do_defer, 0, 0},
};

enum { ACTS = sizeof acts / sizeof acts[0] };

/* Whether each kind of act has succeeded at least once. */
static bool
have_all_succeeded(void)
{
	for (int i = 0; i < ACTS; i++)
		if (acts[i].successes == 0)
			return false;
	return true;
}

/* Under two nested deadlines: the call must say truly which of them expired. */
static void
act_once(void)
{
	unsigned index = below(ACTS);
	struct hub_timeout outer, inner;
	int64_t began = hub_now(), outer_time = (1 + below(4)) * pace * HUB_MILLISECOND;
	bool has_expired;

	hub_timeout_start(&outer, outer_time);
	hub_timeout_start(&inner, below(3000) * pace * HUB_MICROSECOND);
	acts[index].tries++;
	if (acts[index].act(below(OBJECTS)))
		acts[index].successes++;
	hub_timeout_stop(&inner);
	has_expired = hub_timeout_stop(&outer);
	expect(!has_expired || hub_now() - began >= outer_time, "a scope expires early", index);
}

static void *
actor(void *argument)
{
	for (unsigned i = 0, acts_to_do = 1 + below(20); i < acts_to_do; i++) {
		act_once();
		if (hub_sleep(0) != 0 && errno == ECANCELED && (below(2) || !hub_catch_kill()))
			break;
	}
	world.actors[(intptr_t)argument] = NULL;
	return NULL;
}

/* A coroutine that is killed before it ever runs has not cleared its place. */
static void
actor_ended(struct hub_link *link, struct hub_coroutine *coroutine)
{
	for (int i = 0; i < ACTORS; i++)
		if (world.actors[i] == coroutine)
			world.actors[i] = NULL;
	free(link);
}

static void
spawn_actor(intptr_t place)
{
	struct hub_link *link = malloc(sizeof *link);
	struct hub_coroutine *coroutine = hub_spawn(actor, (void *)place);

	if (coroutine == NULL || link == NULL)
		abort();
	world.actors[place] = coroutine;
	hub_set_name(coroutine, "actor");
	link->ended = actor_ended;
	hub_link(coroutine, link);
	hub_detach(coroutine);
}

/* ---- a round ---- */

static void
world_make(void)
{
	memset(&world, 0, sizeof world);
	for (unsigned i = 0; i < OBJECTS; i++) {
		hub_semaphore_init(&world.semaphores[i], PERMITS);
		world.queues[i] = hub_queue_new(i % HUB_QUEUE_ORDER_MAX, CAPACITY);
		open_pair(&world.pairs[i]);
		world.secure[i].ends[0] = world.secure[i].ends[1] = -1;
	}
	hub_pool_init(&world.pool, 3);
	world.shared_semaphore = hub_shared_semaphore_new(PERMITS);
	world.shared_queue = hub_shared_queue_new(CAPACITY);
}

static void
world_check(void)
{
	long left = 0;

	for (int i = 0; i < OBJECTS; i++) {
		left += (long)hub_queue_size(world.queues[i]);
		expect(world.events[i].first == NULL, "somebody waits for an event", i);
		expect(world.semaphores[i].first == NULL, "somebody waits for a semaphore", i);
		expect(world.semaphores[i].count == PERMITS, "permits are lost or made",
			world.semaphores[i].count);
		expect(world.locks[i].owner == NULL, "a lock is held for ever", i);
		expect(world.conditions[i].first == NULL, "somebody waits for a condition", i);
		expect(world.channels[i].putters == NULL && world.channels[i].getters == NULL,
			"somebody waits at a channel", i);
	}
	expect(world.puts == world.gets + left, "items are lost or made",
		world.puts - world.gets - left);
	expect(world.channel_puts == world.channel_gets, "a rendezvous has one side",
		world.channel_puts - world.channel_gets);
	left = (long)hub_shared_queue_size(world.shared_queue);
	expect(world.shared_puts == world.shared_gets + left, "shared items are lost or made",
		world.shared_puts - world.shared_gets - left);
	for (int i = 0; i < PERMITS; i++)
		expect(hub_shared_semaphore_try_acquire(world.shared_semaphore) == 0,
			"a shared permit is lost", i);
	expect(hub_shared_semaphore_try_acquire(world.shared_semaphore) != 0,
		"a shared permit is made", 0);
	expect(hub_pool_count(&world.pool) == 0, "a pool is not empty",
		(long)hub_pool_count(&world.pool));
	expect(hub_pool_free_count(&world.pool) == 3, "a pool has lost places",
		hub_pool_free_count(&world.pool));
	expect(world.children == 0, "clean-up or children are missing", world.children);
	expect(hub_this->scheduled == 1, "coroutines are left", (long)hub_this->scheduled);
	expect(hub_this->arena.used == 1, "stacks are left", (long)hub_this->arena.used);
	expect(hub_this->loop_waits == 0, "waits are left", (long)hub_this->loop_waits);
}

static void
world_free(void)
{
	for (int i = 0; i < OBJECTS; i++) {
		hub_queue_free(world.queues[i]);
		hub_close(world.pairs[i].ends[0]);
		hub_close(world.pairs[i].ends[1]);
		close_secure(&world.secure[i]);
	}
	hub_shared_semaphore_free(world.shared_semaphore);
	hub_shared_queue_free(world.shared_queue);
}

/* Kills until all coroutines have ended: some of them catch a kill. */
static void
end_all(void)
{
	int64_t end = hub_now() + PATIENCE;

	while (hub_this->scheduled > 1) {
		/* A layer's unsent bytes wait for room as long as the connection is open. */
		for (int i = 0; i < OBJECTS; i++)
			close_secure(&world.secure[i]);
		for (int i = 0; i < ACTORS; i++)
			if (world.actors[i] != NULL)
				hub_kill(world.actors[i]);
		for (int i = 0; i < OBJECTS; i++) {
			/* Waits inside a shield have a deadline of their own, conditions too. */
			hub_condition_notify_all(&world.conditions[i]);
		}
		if (hub_now() > end) {
			complain("coroutines do not end", (long)hub_this->scheduled);
			hub_dump(STDERR_FILENO);
			exit(1);
		}
		hub_sleep(HUB_MILLISECOND);
	}
}

static void *
round_body(void *argument)
{
	int64_t end = hub_now() + pace * ROUND;

	world_make();
	while (hub_now() < end) {
		for (intptr_t i = 0; i < ACTORS; i++)
			if (world.actors[i] == NULL)
				spawn_actor(i);
		hub_sleep(below(2) * HUB_MILLISECOND);
	}
	end_all();
	world_check();
	world_free();
	return argument;
}

static void
make_tls(void)
{
	static struct certificate certificate;

	if (!certificate_make(&certificate)) {
		complain("openssl makes no certificate", errno);
		return;
	}
	tls_server = hub_tls_server_new(certificate.file, certificate.key);
	tls_client = hub_tls_client_new(certificate.file);
	certificate_clean(&certificate);
}

/* Detached children fail on purpose. */
static void
ignore_failure(
	const struct hub_coroutine *coroutine, const struct hub_failure *failure, void *context)
{
	(void)coroutine, (void)failure, (void)context;
}

int
main(int argc, char **argv)
{
	static const struct hub_hooks hooks = {.failed = ignore_failure};
	int64_t seconds = 5, end;
	uint64_t seed = draw_seed();
	int rounds = 0, descriptors;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--seconds") == 0)
			seconds = atoll(argv[i + 1]);
		else if (strcmp(argv[i], "--seed") == 0)
			seed = strtoull(argv[i + 1], NULL, 10);
	}
	make_tls();
	printf("chaos: seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	random_state = seed | 1;
	hub_set_hooks(&hooks);
	end = hub_now() + seconds * HUB_SECOND;
	hub_run(round_body, NULL, NULL);
	descriptors_settle();
	descriptors = open_descriptors();
	while (failures == 0 && (hub_now() < end || (!have_all_succeeded() && pace < PACE_MAX))) {
		if (hub_run(round_body, NULL, NULL) != 0)
			complain("hub_run", errno);
		if (++rounds % ROUNDS_OF_A_PACE == 0 && !have_all_succeeded() && pace < PACE_MAX)
			pace *= 2;
	}
	expect(open_descriptors() == descriptors, "descriptors are left",
		open_descriptors() - descriptors);
	for (int i = 0; i < ACTS; i++) {
		printf("  %-12s %8ld of %8ld succeeded\n", acts[i].name, acts[i].successes,
			acts[i].tries);
		expect(acts[i].successes > 0, "nothing ever succeeded in one kind of act", i);
	}
	hub_tls_free(tls_server);
	hub_tls_free(tls_client);
	printf("chaos: %d rounds, deadlines x %lld, %ld failures, seed %llu\n", rounds,
		(long long)pace, failures, (unsigned long long)seed);
	return failures == 0 ? 0 : 1;
}
