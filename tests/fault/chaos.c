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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/scheduler_priv.h"
#include "tests/fault/chaos_acts.h"
#include "tests/fault/chaos_world.h"
#include "tests/support/certificate.h"
#include "tests/support/descriptors.h"
#include "tests/support/draw.h"

#define ROUND (150 * HUB_MILLISECOND)
/* Deadlines and rounds grow by this factor, which doubles after that many rounds in which some kind
 * of act has still never succeeded: on a busy machine, or under a sanitizer, everything takes
 * longer. */
enum { PACE_MAX = 32, ROUNDS_OF_A_PACE = 5 };
int64_t pace = 1;
/* Longer than anything takes but a wake-up that was lost. */
#define PATIENCE (60 * HUB_SECOND)

static struct {
	const char *name;
	act_fn *act;
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
	unsigned seed = draw_seed();
	int rounds = 0, descriptors;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--seconds") == 0)
			seconds = atoll(argv[i + 1]);
		else if (strcmp(argv[i], "--seed") == 0)
			seed = (unsigned)strtoul(argv[i + 1], NULL, 10);
	}
	make_tls();
	printf("chaos: seed %u\n", seed);
	fflush(stdout);
	random_begin(seed);
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
	printf("chaos: %d rounds, deadlines x %lld, %ld failures, seed %u\n", rounds,
		(long long)pace, failures, seed);
	return failures == 0 ? 0 : 1;
}
