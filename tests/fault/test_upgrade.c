/* Either master of an upgrade is killed or paused at every word that they exchange, under load:
 * afterwards one master owns the server, and no client has lost anything. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/fault/estate.h"
#include "tests/fault/interruption.h"
#include "tests/support/client.h"
#include "tests/support/trial.h"
#include "tests/support/witness.h"

#define AT_ONCE 6
#define SAMPLE 5 /* moments, with sanitizers, which take some of the CPU themselves */
#define SANITIZED_AT_ONCE 3
#define SILENT 8
#define LATE (10 * CLOCK_SECOND) /* how late an answer may be, beside the pause */
#define PATIENCE 60              /* seconds, for what comes without a deadline of its own */
#define SHORT .3                 /* seconds */
#define LONG 3.5                 /* longer than any deadline that one master sets the other */

/* interrupt.c says what they mean. */
static const char *const moments[] = {
	"before RISEN", "after RISEN", "heard RISEN",       /* heard: before OFFERED */
	"before GO", "after GO", "heard GO",                /* after OFFERED, before TAKEN */
	"late GO", "late TOOK",                             /* both know it */
	"before ACCEPT", "before HANDOVER",                 /* after TAKEN, here and there */
	"before TOOK", "after TOOK", "heard TOOK",          /* the new one serves */
	"before NAMED", "after NAMED", "heard NAMED",       /* its parent is another */
	"before LEAVING", "after LEAVING", "heard LEAVING", /* in the next upgrade */
};

#define MOMENTS (sizeof moments / sizeof moments[0])

/* State of the trial that this process runs. */
static const char *moment;
static double pause_length; /* in seconds; 0: the master is killed */

/* Whether a new master that pauses there for long is given up by the old one. */
static bool
may_be_given_up(void)
{
	return strcmp(moment, "after RISEN") == 0 || strcmp(moment, "heard GO") == 0;
}

static struct estate estate;
static struct witness witness;

/* Clients that send nothing: a drain waits for them to its end. */
static int silent[SILENT];

static void
begin_load(double pause)
{
	for (int i = 0; i < SILENT; i++)
		silent[i] = client_connect(estate.server.program.port);
	witness = (struct witness){.target.port = estate.server.program.port,
		.lasting = 20,
		.pause = 0.05,
		.rate = 50,
		.limit = LATE + (int64_t)(pause * (double)CLOCK_SECOND)};
	witness_start(&witness);
}

/* Whether no client, accepted before or new, has noticed anything. Returns NULL, or what they have
 * noticed. */
static const char *
end_load(void)
{
	static char text[320];
	int answered = 0;

	witness_stop(&witness);
	for (int i = 0; i < SILENT; i++) {
		answered += client_exchange(silent[i], "at last", "AT LAST");
		close(silent[i]);
	}
	snprintf(text, sizeof text, "%s; of %d silent ones %d are answered", witness_text(&witness),
		SILENT, answered);
	return witness_failures(&witness) == 0 && answered == SILENT ? NULL : text;
}

/* Whether what hubbub-ctl has said of the upgrade is true, also of a new master that has died
 * since. A pause alone is no reason to fail. */
static bool
is_true(struct trial *trial, const struct program *ctl, int code, pid_t before)
{
	bool is_new = estate.server.pid != before, has_died = pause_length <= 0 && !is_new;
	bool has_to = pause_length > 0 && (pause_length < LONG || !may_be_given_up());

	if (code == 0 ? is_new || has_died
		      : !has_to && (!is_new || strstr(ctl->text, "changed nothing") == NULL))
		return true;
	return trial_fail(trial, "hubbub-ctl said of %d after %d: %s", (int)estate.server.pid,
		(int)before, ctl->text);
}

/* Lets the interrupted master pause. Returns the exit code of hubbub-ctl, or -1 if it still
 * runs. */
static int
pause_one(struct trial *trial, pid_t interrupted, struct program *ctl)
{
	int64_t end = clock_now() + (int64_t)(pause_length * (double)CLOCK_SECOND);
	pid_t before = estate.server.pid;
	int code = -1;

	while (code == -1 && clock_now() < end)
		code = program_wait(ctl, 0.1);
	if (code == 0 && estate_pidfile(&estate) == before)
		trial_fail(trial, "it is said to be done too early\n");
	while (clock_now() < end)
		poll(NULL, 0, 10);
	kill(interrupted, SIGCONT);
	return code;
}

/* Interrupts one master in an upgrade; afterwards one master must own everything. */
static bool
upgrade(struct trial *trial)
{
	pid_t before = estate.server.pid, interrupted;
	static struct program ctl;
	int code = -1;

	interrupted = estate_upgrade(&estate, &ctl);
	if (interrupted == 0)
		return trial_fail(trial, "nobody was interrupted: %s", ctl.text);
	if (pause_length > 0)
		code = pause_one(trial, interrupted, &ctl);
	if (code == -1)
		code = program_wait(&ctl, PATIENCE);
	program_end(&ctl);
	if (code == -1)
		return trial_fail(trial, "hubbub-ctl hangs");
	if (!wait_until(estate_has_owner, &estate, PATIENCE))
		return trial_fail(trial, "no owner: %s", estate.why);
	if (pause_length <= 0 && estate.server.pid == interrupted)
		return trial_fail(trial, "the dead one owns it");
	return is_true(trial, &ctl, code, before);
}

static bool
run(struct trial *trial)
{
	char interruption[64];
	struct estate_options options = {.interruption = interruption};
	const char *lost;

	snprintf(interruption, sizeof interruption, "%s %s", moment,
		pause_length > 0 ? "stop" : "kill");
	if (!estate_start(&estate, &options))
		return trial_fail(trial, "it does not start: %s", estate.why);
	begin_load(pause_length);
	if (strstr(moment, "LEAVING") != NULL &&
		(server_ctl(&estate.server, "upgrade", NULL, NULL, 0) != 0 ||
			!wait_until(estate_has_owner, &estate, PATIENCE)))
		trial_fail(trial, "no upgrade before: %s", estate.why);
	upgrade(trial);
	poll(NULL, 0, 500);
	lost = end_load();
	if (lost != NULL)
		trial_fail(trial, "%s\n", lost);
	if (!wait_until(estate_is_tidy, &estate, ESTATE_DRAIN + 3))
		trial_fail(trial, "%s\n", estate.why);
	if (!estate_has_owner(&estate))
		trial_fail(trial, "then no owner: %s\n", estate.why);
	if (server_end(&estate.server, ESTATE_DRAIN + 3) != 0)
		trial_fail(trial, "the owner does not end\n");
	if (!estate_starts_again(&estate))
		trial_fail(trial, "no restart: %s\n", estate.why);
	return trial->failure[0] == '\0';
}

static void
run_apart(struct trial *trial)
{
	moment = moments[trial->number];
	if (!run(trial)) {
		program_expect(&estate.server.program, "no such text", 0.1);
		trial_fail(trial, "%s", estate.server.program.text);
	}
	estate_clean(&estate);
}

static const char *
name_of(unsigned number)
{
	return moments[number];
}

/* Walks all moments, some at the same time. */
static void
walk(double pause)
{
	struct trials trials = {MOMENTS, AT_ONCE, 0, run_apart, name_of};

	if (program_is_sanitized()) {
		trials.at_once = SANITIZED_AT_ONCE;
		trials.sample = SAMPLE;
	}
	if (!interruption_is_possible())
		cr_skip("has no library to preload");
	pause_length = pause;
	cr_assert_eq(trials_run(&trials), 0);
}

static void
end(void)
{
	estate_clean(&estate);
}

TestSuite(upgrade, .fini = end, .timeout = 600);

Test(upgrade, either_master_is_killed_at_any_word)
{
	walk(0);
}

Test(upgrade, either_master_pauses_at_any_word)
{
	walk(SHORT);
}

Test(upgrade, either_master_pauses_for_long_at_any_word)
{
	walk(LONG);
}

/* ---- after it ---- */

static char output[PROGRAM_OUTPUT_SIZE];

static pid_t
must_upgrade(void)
{
	pid_t before = estate.server.pid;

	cr_assert_eq(server_ctl(&estate.server, "upgrade", NULL, output, sizeof output), 0, "%s",
		output);
	/* Already here: the upgrade was complete. */
	estate.server.pid = estate_pidfile(&estate);
	cr_assert_neq(estate.server.pid, before, "the pid file names the former master");
	cr_assert(estate_has_owner(&estate), "%s", estate.why);
	return estate.server.pid;
}

/* No process is left but the owner's; then the owner ends, too. */
static void
end_tidily(void)
{
	bool is_tidy = wait_until(estate_is_tidy, &estate, ESTATE_DRAIN / 2);

	program_expect(&estate.server.program, "no such text", 0.1);
	cr_assert(is_tidy, "%s:\n%s", estate.why, estate.server.program.text);
	cr_assert_eq(server_end(&estate.server, PATIENCE), 0);
}

Test(upgrade, when_it_is_done_all_is_the_new_masters)
{
	const char *lost;

	cr_assert(estate_start(&estate, &(struct estate_options){0}), "%s", estate.why);
	begin_load(0);
	for (int i = 0; i < 20; i++)
		must_upgrade();
	lost = end_load();
	cr_assert_null(lost, "%s", lost);
	end_tidily();
}

static bool
is_first_again(void *pid)
{
	return estate_has_owner(&estate) && estate.server.pid == *(pid_t *)pid;
}

Test(upgrade, the_old_master_serves_on_if_the_new_one_dies_before_it_has_drained)
{
	const char *lost;
	char again[64];
	pid_t first;

	cr_assert(estate_start(&estate, &(struct estate_options){0}), "%s", estate.why);
	begin_load(0);
	first = estate.server.pid;
	for (int i = 0; i < 3; i++) {
		kill(must_upgrade(), SIGKILL);
		/* An operator who asks waits for a moment at most. */
		server_ctl(&estate.server, "status", NULL, output, sizeof output);
		cr_assert(
			wait_until(is_first_again, &first, PATIENCE), "%s: %s", estate.why, output);
	}
	snprintf(again, sizeof again, "pid %d, serves again", (int)first);
	cr_assert(program_expect(&estate.server.program, again, PATIENCE), "%s",
		estate.server.program.text);
	must_upgrade();
	lost = end_load();
	cr_assert_null(lost, "%s", lost);
	end_tidily();
	cr_assert(estate_starts_again(&estate), "%s", estate.why);
}

/* Whether neither the former master nor one of its workers listens any more. */
static bool
has_let_go(void *former)
{
	pid_t workers[8], master = *(pid_t *)former;
	int count = program_children(master, workers, 8), listeners = program_listeners(master);

	for (int i = 0; i < count; i++)
		listeners += program_listeners(workers[i]);
	return listeners == 0;
}

Test(upgrade, a_server_starts_anew_while_a_former_master_still_drains)
{
	pid_t second;
	int client;

	cr_assert(estate_start(&estate, &(struct estate_options){0}), "%s", estate.why);
	client = client_connect(estate.server.program.port);
	second = must_upgrade();
	kill(second, SIGTERM);
	cr_assert(program_expect(&estate.server.program, "stopping: ", PATIENCE), "%s",
		estate.server.program.text);
	kill(second, SIGKILL);
	/* It hears of the end a moment later. */
	cr_assert(wait_until(has_let_go, &estate.server.program.pid, PATIENCE));
	cr_assert(estate_starts_again(&estate), "%s", estate.why);
	cr_assert(client_exchange(client, "at last", "AT LAST"), "it did not drain");
	close(client);
	cr_assert_eq(program_wait(&estate.server.program, PATIENCE), 0);
}
