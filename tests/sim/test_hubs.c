/* Several hubs in one world, in one thread: that they exchange what threads exchange, that each has
 * what is a thread's own, and that what is left of one is found. */
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/sim/seeds.h"

#define SEEDS 200
#define ITEMS 50

TestSuite(hubs, .timeout = 120);

/* ---- threads ---- */

static struct {
	struct hub_shared_queue *there, *back;
	long wrong;
} exchange;

static void *
send_back(void *unused)
{
	void *item;

	while (hub_shared_queue_get(exchange.there, &item) == 0)
		if (hub_shared_queue_put(exchange.back, item) != 0)
			exchange.wrong++;
	return unused;
}

static void *
feed(void *unused)
{
	for (intptr_t i = 1; i <= ITEMS; i++) {
		if (hub_sim_draw(4) == 0)
			hub_sleep((int64_t)hub_sim_draw(HUB_SECOND));
		if (hub_shared_queue_put(exchange.there, (void *)i) != 0)
			exchange.wrong++;
	}
	return unused;
}

static void *
exchange_body(void *unused)
{
	struct hub_sim_hub *other;
	struct hub_coroutine *feeder;
	void *item, *result = NULL;

	exchange.there = hub_shared_queue_new(3);
	exchange.back = hub_shared_queue_new(3);
	other = hub_sim_start(NULL, send_back, &exchange);
	feeder = hub_spawn(feed, NULL);
	for (intptr_t i = 1; i <= ITEMS; i++)
		if (hub_shared_queue_get(exchange.back, &item) != 0 || item != (void *)i)
			exchange.wrong++;
	hub_join(feeder, NULL);
	hub_shared_queue_close(exchange.there);
	if (hub_sim_join(other, &result) != 0 || result != &exchange)
		exchange.wrong++;
	hub_shared_queue_free(exchange.there);
	hub_shared_queue_free(exchange.back);
	return unused;
}

Test(hubs, two_hubs_exchange_items_by_their_mailboxes)
{
	EACH_SEED (seed, SEEDS) {
		uint64_t trace;

		cr_assert_eq(hub_sim_run(seed, &hub_sim_trouble, exchange_body, NULL), 0, "%s",
			hub_sim_report());
		trace = hub_sim_trace();
		hub_sim_run(seed, &hub_sim_trouble, exchange_body, NULL);
		cr_assert_eq(hub_sim_trace(), trace, "seed %lu", (unsigned long)seed);
	}
	cr_assert_eq(exchange.wrong, 0);
}

static _Thread_local int own = 7;
static long strange;

static void *
change_own(void *argument)
{
	int number = (int)(intptr_t)argument;

	strange += own != 7;
	own = number;
	for (int i = 0; i < 20; i++) {
		errno = number;
		if (hub_sim_draw(2) == 0)
			hub_sleep(0);
		strange += errno != number && errno != 0;
		hub_sleep((int64_t)hub_sim_draw(1000));
		strange += own != number;
	}
	return NULL;
}

static void *
have_own_variables(void *unused)
{
	struct hub_sim_hub *hubs[8];

	for (intptr_t i = 0; i < 8; i++)
		hubs[i] = hub_sim_start(NULL, change_own, (void *)(i + 100));
	for (int i = 0; i < 8; i++)
		hub_sim_join(hubs[i], NULL);
	strange += own != 7;
	return unused;
}

Test(hubs, each_hub_has_thread_local_variables_of_its_own)
{
	cr_assert_eq(hub_sim_run(1, NULL, have_own_variables, NULL), 0, "%s", hub_sim_report());
	cr_assert_eq(strange, 0);
}

/* ---- what is offloaded ---- */

static struct {
	int highest, running; /* calls at once */
	int wrong;
} offload;

static void *
nap(void *argument)
{
	struct timespec time = {1 + (time_t)hub_sim_draw(10), 0};
	int64_t began = hub_now();

	offload.highest += ++offload.running > offload.highest;
	nanosleep(&time, NULL);
	offload.wrong += hub_now() - began < time.tv_sec * HUB_SECOND || hub_current() != NULL;
	offload.running--;
	return argument;
}

static void *
offload_nap(void *argument)
{
	void *result;

	if (hub_offload(nap, argument, &result) != 0 || result != argument)
		offload.wrong++;
	return NULL;
}

static void *
offload_body(void *unused)
{
	struct hub_coroutine *callers[40];

	for (intptr_t i = 0; i < 40; i++)
		callers[i] = hub_spawn(offload_nap, (void *)i);
	for (int i = 0; i < 40; i++)
		hub_join(callers[i], NULL);
	return unused;
}

static void *
offload_in_two_hubs(void *unused)
{
	struct hub_sim_hub *other = hub_sim_start(NULL, offload_body, NULL);

	offload_body(NULL);
	hub_sim_join(other, NULL);
	return unused;
}

Test(hubs, what_is_offloaded_may_sleep_and_runs_beside_as_in_sixteen_threads)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		cr_assert_eq(hub_sim_run(seed, &hub_sim_trouble, offload_in_two_hubs, NULL), 0,
			"%s", hub_sim_report());
	cr_assert_eq(offload.wrong, 0);
	cr_assert_eq(offload.highest, 16);
}

static struct {
	int pair[2];
	int result;
	int64_t took, slept;
} look;

static void *
poll_for_it(void *unused)
{
	struct pollfd query = {.fd = look.pair[0], .events = POLLIN};
	int64_t began = hub_now();

	look.result = poll(&query, 1, 60000);
	look.took = hub_now() - began;
	return unused;
}

static void *
write_later(void *unused)
{
	int64_t began = hub_now();

	hub_sleep(5 * HUB_SECOND);
	look.slept = hub_now() - began;
	hub_send(look.pair[1], "x", 1, 0);
	return unused;
}

static void *
offload_a_look(void *unused)
{
	struct hub_sim_hub *other;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, look.pair);
	other = hub_sim_start(NULL, write_later, NULL);
	hub_offload(poll_for_it, NULL, NULL);
	hub_sim_join(other, NULL);
	hub_close(look.pair[0]);
	hub_close(look.pair[1]);
	return unused;
}

Test(hubs, while_what_is_offloaded_waits_others_are_in_time)
{
	EACH_SEED (seed, 20) {
		cr_assert_eq(
			hub_sim_run(seed, NULL, offload_a_look, NULL), 0, "%s", hub_sim_report());
		cr_assert_eq(look.result, 1);
		cr_assert_leq(look.slept, 5 * HUB_SECOND + HUB_MILLISECOND);
		cr_assert_leq(look.took, 5 * HUB_SECOND + 100 * HUB_MILLISECOND);
	}
}

/* ---- what a run finds ---- */

static void *
do_nothing(void *unused)
{
	return unused;
}

static void *
leave_a_hub(void *unused)
{
	hub_sim_start(NULL, do_nothing, NULL);
	return unused;
}

Test(hubs, finds_a_hub_that_is_not_joined)
{
	cr_assert_eq(hub_sim_run(1, NULL, leave_a_hub, NULL), -1);
	cr_assert_eq(errno, ENOTRECOVERABLE);
	cr_assert_not_null(
		strstr(hub_sim_report(), "hub 2 was not joined"), "%s", hub_sim_report());
}

static void *
fail(void *unused)
{
	hub_fail(EBADMSG, "it was so");
	return unused;
}

static void *
join_a_failure(void *unused)
{
	hub_sim_join(hub_sim_start(NULL, fail, NULL), NULL);
	return unused;
}

Test(hubs, finds_a_hub_that_has_failed)
{
	cr_assert_eq(hub_sim_run(1, NULL, join_a_failure, NULL), -1);
	cr_assert_not_null(strstr(hub_sim_report(), "coroutine of hub 2 has failed: Bad message"),
		"%s", hub_sim_report());
}

Test(hubs, outside_of_a_world_there_are_none)
{
	cr_assert_null(hub_sim_start(NULL, do_nothing, NULL));
	cr_assert_eq(errno, EPERM);
}

/* ---- preemption ---- */

#define CALLS 20

static struct {
	pthread_mutex_t mutex;
	int inside, most;   /* hubs that hold the mutex */
	long last, changes; /* which hub has made the last call, and how often that was another */
} preempted = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* A call of the kernel that never waits. */
static void
call(int fd, long self)
{
	hub_send(fd, "x", 1, MSG_DONTWAIT);
	preempted.changes += preempted.last != self;
	preempted.last = self;
}

/* Never polls. */
static void *
make_calls(void *argument)
{
	int pair[2] = {-1, -1};
	long self = (intptr_t)argument;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	for (int i = 0; i < CALLS; i++) {
		call(pair[0], self);
		pthread_mutex_lock(&preempted.mutex);
		if (++preempted.inside > preempted.most)
			preempted.most = preempted.inside;
		call(pair[0], self);
		preempted.inside--;
		pthread_mutex_unlock(&preempted.mutex);
	}
	hub_close(pair[0]);
	hub_close(pair[1]);
	return NULL;
}

static void *
calls_in_two_hubs(void *unused)
{
	struct hub_sim_hub *one = hub_sim_start(NULL, make_calls, (void *)1);
	struct hub_sim_hub *other = hub_sim_start("other", make_calls, (void *)2);

	hub_sim_join(one, NULL);
	hub_sim_join(other, NULL);
	return unused;
}

Test(hubs, another_goes_on_at_any_call_but_not_with_the_same_mutex)
{
	struct hub_sim_options options = {.preempted = 5};

	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		cr_assert_eq(hub_sim_run(seed, &options, calls_in_two_hubs, NULL), 0, "%s",
			hub_sim_report());
	cr_assert_gt(preempted.changes, 5 * SEEDS);
	cr_assert_eq(preempted.most, 1);
	preempted.changes = 0;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		hub_sim_run(seed, NULL, calls_in_two_hubs, NULL);
	cr_assert_leq(preempted.changes, 2 * SEEDS, "hubs that are not preempted take turns");
}
