/* Where features meet: each kind of listener with each event in a server's life, under lasting and
 * passing connections of which every byte is checked. A cell of this matrix states what may be
 * lost: mostly nothing. Each cell is walked in a process of its own. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/fault/estate.h"
#include "tests/fault/interruption.h"
#include "tests/support/client.h"
#include "tests/support/trial.h"
#include "tests/support/turns.h"
#include "tests/support/witness.h"

#define AT_ONCE 4
#define DRAIN 3    /* seconds */
#define PAUSE 1500 /* milliseconds */
#define LATE (10 * CLOCK_SECOND)
#define SAMPLE 16    /* cells, with sanitizers */
#define DATAGRAMS 64 /* datagrams that two hubs may have received and not yet answered */
#define PLACES (sizeof places / sizeof places[0])
#define EVENTS (sizeof events / sizeof events[0])
#define CELLS (PLACES * EVENTS)

static const struct place {
	const char *name;
	struct estate_options options;
	bool ends_idle; /* connections that stay silent for a second */
} places[] = {
	{.name = "plain"},
	{.name = "limit", .options.more = "--max-connections=26"},
	{.name = "TLS", .options.transport = TRANSPORT_TLS},
	{.name = "Unix", .options.transport = TRANSPORT_UNIX},
	{.name = "TLS over Unix", .options.transport = TRANSPORT_TLS_UNIX},
	{.name = "UDP", .options.transport = TRANSPORT_UDP},
	{.name = "PROXY", .options.transport = TRANSPORT_PROXY},
	{.name = "idle timeout", .options.more = "--idle-timeout=1", .ends_idle = true},
	{.name = "activated socket", .options.is_passed = true},
	{.name = "background function", .options.has_background = true},
};

/* State of the cell that this process walks. */
static const struct place *place;
static struct estate estate;
static struct estate_options options;
static struct program ctl;
static struct witness witness, silent_witness;
static int guest = -1;

static bool
is_datagrams(void)
{
	return place->options.transport == TRANSPORT_UDP;
}

/* ---- what can happen ---- */

static bool
ask(struct trial *trial, const char *command, const char *argument)
{
	static char output[PROGRAM_OUTPUT_SIZE];

	return server_ctl(&estate.server, command, argument, output, sizeof output) == 0 ||
	       trial_fail(trial, "%s: %s\n", command, output);
}

static bool
reload(struct trial *trial)
{
	return ask(trial, "reload", NULL);
}

static bool
scale(struct trial *trial)
{
	return ask(trial, "scale", "3x2") && ask(trial, "scale", "1x2");
}

static bool
upgrade(struct trial *trial)
{
	return ask(trial, "upgrade", NULL);
}

static bool
kill_worker(struct trial *trial)
{
	(void)trial;
	server_signal_worker(&estate.server, 0, SIGKILL);
	return true;
}

static bool
stop_and_continue(pid_t pid)
{
	kill(pid, SIGSTOP);
	poll(NULL, 0, PAUSE);
	return kill(pid, SIGCONT) == 0;
}

static bool
stop_worker(struct trial *trial)
{
	(void)trial;
	return stop_and_continue(server_worker(&estate.server, 0));
}

static bool
stop_master(struct trial *trial)
{
	(void)trial;
	return stop_and_continue(estate.server.pid);
}

static bool
terminate(struct trial *trial)
{
	int code = program_stop(&estate.server.program, SIGTERM, DRAIN + 10);

	return code == 0 || trial_fail(trial, "TERM ends it with %d\n", code);
}

static bool
kill_master(struct trial *trial)
{
	(void)trial;
	program_stop(&estate.server.program, SIGKILL, 10);
	return true;
}

static bool
is_guest_in(void *unused)
{
	(void)unused;
	return server_number(&estate.server, "connections") == 1;
}

/* A former master without connections may be gone before its successor dies, whose death would then
 * end the server. This client sends nothing, so the former master waits for it. */
static bool
begin_guest(struct trial *trial)
{
	if (!is_datagrams())
		return true;
	guest = client_connect(estate.server.program.port);
	return wait_until(is_guest_in, NULL, 20) || trial_fail(trial, "no connection\n");
}

/* An upgrade in which one of the two masters is interrupted, as the estate's options say. */
static bool
upgrade_interrupted(struct trial *trial)
{
	pid_t interrupted;
	bool has_ended;

	if (!begin_guest(trial))
		return false;
	interrupted = estate_upgrade(&estate, &ctl);
	if (interrupted == 0)
		return trial_fail(trial, "nobody is interrupted: %s\n", ctl.text);
	if (strstr(options.interruption, "stop") != NULL) {
		poll(NULL, 0, PAUSE);
		kill(interrupted, SIGCONT);
	}
	has_ended = program_wait(&ctl, 20) != -1;
	program_end(&ctl);
	return has_ended || trial_fail(trial, "hubbub-ctl hangs\n");
}

/* interrupt.c says what they mean. */
static const char *const old_moments[] = {"heard RISEN", "before GO", "after GO", "late GO",
	"before HANDOVER", "heard TOOK", "before NAMED"};
static const char *const new_moments[] = {"before RISEN", "after RISEN", "heard GO",
	"before ACCEPT", "before TOOK", "after TOOK", "late TOOK"};

static const struct event {
	const char *name;
	bool (*happens)(struct trial *trial);
	bool is_end;     /* of the server */
	bool is_death;   /* of a worker, with its connections */
	const char *how; /* a master is interrupted in an upgrade: "kill", "stop" */
	const char *const *moments;
} events[] = {
	{.name = "reload", .happens = reload},
	{.name = "scale", .happens = scale},
	{.name = "upgrade", .happens = upgrade},
	{.name = "TERM", .happens = terminate, .is_end = true},
	{.name = "kill of a worker", .happens = kill_worker, .is_death = true},
	{.name = "pause of a worker", .happens = stop_worker},
	{.name = "pause of the master", .happens = stop_master},
	{.name = "kill of the master", .happens = kill_master, .is_end = true},
	{"kill of the old master", upgrade_interrupted, .how = "kill", .moments = old_moments},
	{"pause of the old master", upgrade_interrupted, .how = "stop", .moments = old_moments},
	{"kill of the new master", upgrade_interrupted, .how = "kill", .moments = new_moments},
	{"pause of the new master", upgrade_interrupted, .how = "stop", .moments = new_moments},
};

static const struct event *event;

/* ---- what may be lost ---- */

/* A client of a server that has ended is refused; where a service manager owns the socket, the
 * client waits for the next server. */
static bool
may_refuse(void)
{
	return event->is_end && !place->options.is_passed;
}

/* A killed worker's connections are lost, and the server knows how many. */
static uint64_t
may_reset(const struct witness_result *result)
{
	if (is_datagrams() && event->is_end)
		return UINT64_MAX;
	/* Without a master no program drops SYNs while the last sockets are closed. */
	if (event->happens == kill_master && !place->options.is_passed)
		return result->young;
	return event->is_death ? (uint64_t)server_number(&estate.server, "totals.lost") : 0;
}

/* Lost datagrams are not sent again. */
static uint64_t
may_be_late(void)
{
	if (!is_datagrams())
		return 0;
	return event->is_end ? UINT64_MAX : event->is_death ? DATAGRAMS : 0;
}

static void
judge(struct trial *trial, const struct witness *of)
{
	const struct witness_result *result = &of->result;
	uint64_t lost = result->reset + result->unanswered - witness_excused(of);

	if (result->wrong != 0 || (result->refused != 0 && !may_refuse()) ||
		lost > may_reset(result) || result->late > may_be_late())
		trial_fail(trial, "%s\n", witness_text(of));
	if (result->exchanges < of->lasting)
		trial_fail(trial, "few exchanges: %s\n", witness_text(of));
}

/* ---- a cell ---- */

static void
begin_load(void)
{
	witness = (struct witness){
		.target = estate.target, .lasting = 20, .pause = 0.1, .rate = 40, .limit = LATE};
	witness_start(&witness);
	if (!place->ends_idle)
		return;
	/* The idle timeout ends each connection before it speaks again. */
	silent_witness =
		(struct witness){.target = estate.target, .lasting = 4, .pause = 3, .limit = LATE};
	witness_start(&silent_witness);
}

static void
end_load(struct trial *trial)
{
	witness_stop(&witness);
	if (guest != -1)
		close(guest);
	judge(trial, &witness);
	if (!place->ends_idle)
		return;
	witness_stop(&silent_witness);
	judge(trial, &silent_witness);
	if (silent_witness.result.ended == 0)
		trial_fail(trial, "idle: %s\n", witness_text(&silent_witness));
}

static bool
has_turn(void *before)
{
	return turns_count(estate.turns) > *(unsigned *)before;
}

/* The function of which the server has one runs again, and never did two at once. */
static void
look_after_turns(struct trial *trial)
{
	unsigned before = turns_count(estate.turns);

	if (!event->is_end && !wait_until(has_turn, &before, 20))
		trial_fail(trial, "no turn after the first %u\n", before);
	if (before == 0 || !turns_are_alone(estate.turns))
		trial_fail(trial, "not alone: %u turns\n", before);
}

/* The server is whole again, under load. */
static void
look_after(struct trial *trial)
{
	if (!event->is_end && !wait_until(estate_has_owner, &estate, 20))
		trial_fail(trial, "no owner: %s\n", estate.why);
	if (event->is_end && !wait_until(estate_is_gone, &estate, DRAIN + 5))
		trial_fail(trial, "not gone: %s\n", estate.why);
	if (event->is_end && place->options.is_passed && !estate_starts_again(&estate))
		trial_fail(trial, "no next server: %s\n", estate.why);
	if (place->options.has_background)
		look_after_turns(trial);
	poll(NULL, 0, place->ends_idle ? 1500 : 300);
}

/* Nothing of the server is left that is in the way of the next one. */
static void
end(struct trial *trial)
{
	if (!event->is_end && server_end(&estate.server, DRAIN + 5) != 0)
		trial_fail(trial, "TERM does not end it\n");
	if (!wait_until(estate_is_gone, &estate, DRAIN + 5))
		trial_fail(trial, "%s\n", estate.why);
	if (!estate_starts_again(&estate))
		trial_fail(trial, "no restart: %s\n", estate.why);
}

static void
choose(struct trial *trial, char *interruption, size_t size)
{
	unsigned cell = trial->number, random = trial->seed;

	place = &places[cell / EVENTS];
	event = &events[cell % EVENTS];
	options = place->options;
	options.drain = DRAIN;
	if (event->how == NULL)
		return;
	snprintf(interruption, size, "%s %s",
		event->moments[(unsigned)rand_r(&random) %
			       (sizeof old_moments / sizeof old_moments[0])],
		event->how);
	options.interruption = interruption;
}

static void
walk(struct trial *trial)
{
	static char interruption[64];

	choose(trial, interruption, sizeof interruption);
	if (!estate_start(&estate, &options)) {
		trial_fail(trial, "it does not start: %s\n", estate.why);
	} else {
		begin_load();
		poll(NULL, 0, place->ends_idle ? 1500 : 200);
		if (event->happens(trial))
			look_after(trial);
		end_load(trial);
		end(trial);
	}
	if (trial->failure[0] != '\0') {
		program_expect(&estate.server.program, "no such text", 0.1);
		trial_fail(trial, "%s: %s", interruption, estate.server.program.text);
	}
	estate_clean(&estate);
}

static const char *
name_of(unsigned number)
{
	static char name[128];

	snprintf(name, sizeof name, "%s, %s", places[number / EVENTS].name,
		events[number % EVENTS].name);
	return name;
}

/* ---- the matrix ---- */

static void
clean(void)
{
	estate_clean(&estate);
}

TestSuite(meetings, .fini = clean, .timeout = 3600);

Test(meetings, every_place_meets_every_event)
{
	struct trials trials = {CELLS, AT_ONCE, program_is_sanitized() ? SAMPLE : 0, walk, name_of};

	if (!interruption_is_possible())
		cr_skip("has no library to preload");
	cr_assert_eq(trials_run(&trials), 0);
}
