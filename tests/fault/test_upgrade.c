/* Either master of an upgrade is killed or paused at every word that they say, under load: one owns
 * the server afterwards, and nobody has lost anything. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/fault/estate.h"
#include "tests/support/client.h"
#include "tests/support/witness.h"

#define AT_ONCE 6
#define SILENT 8
#define LATE (3 * CLOCK_SECOND) /* beside the pause */
#define SHORT .3                /* seconds */
#define LONG 3.5                /* than any deadline that one master sets the other one */

/* interrupt.c says what they mean. */
static const char *const moments[] = {
	"before RISEN", "after RISEN", "heard RISEN",       /* heard: before OFFERED */
	"before GO", "after GO", "heard GO",                /* after OFFERED, before TAKEN */
	"before ACCEPT", "before HANDOVER",                 /* after TAKEN, here and there */
	"before TOOK", "after TOOK", "heard TOOK",          /* the new one serves */
	"before NAMED", "after NAMED", "heard NAMED",       /* its parent is another */
	"before LEAVING", "after LEAVING", "heard LEAVING", /* in the next upgrade */
};

#define MOMENTS (sizeof moments / sizeof moments[0])

/* Whether a new master that pauses there for long is given up. */
static bool
may_be_given_up(const char *moment)
{
	return strcmp(moment, "after RISEN") == 0 || strcmp(moment, "heard GO") == 0;
}

/* In memory that the trial, a process of its own, shares with the test. */
struct trial {
	const char *moment;
	double pause;        /* seconds; 0: it is killed */
	char failure[16384]; /* empty: none */
};

static struct estate estate;
static struct witness witness;

static bool __attribute__((format(printf, 2, 3))) fail(struct trial *trial, const char *format, ...)
{
	size_t length = strlen(trial->failure);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(trial->failure + length, sizeof trial->failure - length, format, arguments);
	va_end(arguments);
	return false;
}

/* Those that have said nothing are waited for until the end of a drain. */
static int silent[SILENT];

static void
begin_load(double pause)
{
	for (int i = 0; i < SILENT; i++)
		silent[i] = client_connect(estate.server.program.port);
	witness = (struct witness){.port = estate.server.program.port,
		.lasting = 20,
		.pause = 0.05,
		.rate = 50,
		.limit = LATE + (int64_t)(pause * (double)CLOCK_SECOND)};
	witness_start(&witness);
}

/* Nobody who was accepted before or came meanwhile has noticed anything. Returns NULL, or what they
 * say. */
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

/* What hubbub-ctl has said of the upgrade is true, also of a new master that has died since; and a
 * pause alone is no reason to fail. */
static bool
is_true(struct trial *trial, const struct program *ctl, int code, pid_t before)
{
	bool is_new = estate.server.pid != before, has_died = trial->pause <= 0 && !is_new;
	bool has_to = trial->pause > 0 && (trial->pause < LONG || !may_be_given_up(trial->moment));

	if (code == 0 ? is_new || has_died
		      : !has_to && (!is_new || strstr(ctl->text, "changed nothing") == NULL))
		return true;
	return fail(trial, "hubbub-ctl said of %d after %d: %s", (int)estate.server.pid,
		(int)before, ctl->text);
}

/* Lets one pause that was interrupted. Returns the exit code of hubbub-ctl, or -1 if it still
 * runs. */
static int
pause_one(struct trial *trial, pid_t interrupted, struct program *ctl)
{
	int64_t end = clock_now() + (int64_t)(trial->pause * (double)CLOCK_SECOND);
	pid_t before = estate.server.pid;
	int code = -1;

	while (code == -1 && clock_now() < end)
		code = program_wait(ctl, 0.1);
	if (code == 0 && estate_pidfile(&estate) == before)
		fail(trial, "it is said to be done too early\n");
	while (clock_now() < end)
		poll(NULL, 0, 10);
	kill(interrupted, SIGCONT);
	return code;
}

static bool
has_begun(void *ctl)
{
	return estate_interrupted(&estate) != 0 || program_expect(ctl, SERVER_NOT_READY, 0.01);
}

/* Asks for an upgrade. Returns who was interrupted in it, or 0. A busy machine keeps a hub waiting
 * for so long that it seems to hang, and then an upgrade is refused until it has shown up. */
static pid_t
begin_upgrade(struct program *ctl)
{
	char *argv[] = {
		program_path("hubbub-ctl"), "--socket", estate.server.control, "upgrade", NULL};

	for (int tries = 0; tries < 10; tries++) {
		if (!program_start(ctl, argv, 0))
			return 0;
		wait_until(has_begun, ctl, 10);
		if (strstr(ctl->text, SERVER_NOT_READY) == NULL)
			break;
		program_end(ctl);
		poll(NULL, 0, 1000);
	}
	return estate_interrupted(&estate);
}

/* One master is interrupted in an upgrade, the other one is not, and then one owns everything. */
static bool
upgrade(struct trial *trial)
{
	pid_t before = estate.server.pid, interrupted;
	static struct program ctl;
	int code = -1;

	interrupted = begin_upgrade(&ctl);
	if (interrupted == 0)
		return fail(trial, "nobody was interrupted");
	if (trial->pause > 0)
		code = pause_one(trial, interrupted, &ctl);
	if (code == -1)
		code = program_wait(&ctl, 20);
	program_end(&ctl);
	if (code == -1)
		return fail(trial, "hubbub-ctl hangs");
	if (!wait_until(estate_has_owner, &estate, 10))
		return fail(trial, "no owner: %s", estate.why);
	if (trial->pause <= 0 && estate.server.pid == interrupted)
		return fail(trial, "the dead one owns it");
	return is_true(trial, &ctl, code, before);
}

static bool
run(struct trial *trial)
{
	char interruption[64];
	const char *lost;

	snprintf(interruption, sizeof interruption, "%s %s", trial->moment,
		trial->pause > 0 ? "stop" : "kill");
	if (!estate_start(&estate, interruption))
		return fail(trial, "it does not start: %s", estate.why);
	begin_load(trial->pause);
	if (strstr(trial->moment, "LEAVING") != NULL &&
		(server_ctl(&estate.server, "upgrade", NULL, NULL, 0) != 0 ||
			!wait_until(estate_has_owner, &estate, 1)))
		fail(trial, "no upgrade before: %s", estate.why);
	upgrade(trial);
	poll(NULL, 0, 500);
	lost = end_load();
	if (lost != NULL)
		fail(trial, "%s\n", lost);
	if (!wait_until(estate_is_tidy, &estate, ESTATE_DRAIN + 3))
		fail(trial, "%s\n", estate.why);
	if (!estate_has_owner(&estate))
		fail(trial, "then no owner: %s\n", estate.why);
	if (server_end(&estate.server, ESTATE_DRAIN + 3) != 0)
		fail(trial, "the owner does not end\n");
	if (!estate_starts_again(&estate))
		fail(trial, "no restart: %s\n", estate.why);
	return trial->failure[0] == '\0';
}

/* In a process of its own, as each has its own environment. */
static void
run_apart(struct trial *trial)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!run(trial)) {
		program_expect(&estate.server.program, "no such text", 0.1);
		fail(trial, "%s", estate.server.program.text);
	}
	estate_clean(&estate);
	_exit(0);
}

static void
await_one(struct trial *trials, const pid_t *pids)
{
	int status;
	pid_t ended = wait(&status);

	for (size_t i = 0; i < MOMENTS; i++)
		if (pids[i] == ended && status != 0)
			fail(&trials[i], "the trial ended with status %d", status);
}

/* All moments, some at the same time. */
static void
walk(double pause)
{
	struct trial *trials = mmap(NULL, MOMENTS * sizeof *trials, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[MOMENTS];
	int failed = 0;

	if (!estate_can_interrupt())
		cr_skip("has no library to preload");
	cr_assert_neq(trials, MAP_FAILED);
	for (size_t i = 0; i < MOMENTS; i++) {
		trials[i].moment = moments[i];
		trials[i].pause = pause;
		if (i >= AT_ONCE)
			await_one(trials, pids);
		pids[i] = fork();
		cr_assert_neq(pids[i], -1);
		if (pids[i] == 0)
			run_apart(&trials[i]);
	}
	for (size_t i = 0; i < AT_ONCE; i++)
		await_one(trials, pids);
	for (size_t i = 0; i < MOMENTS; i++) {
		if (trials[i].failure[0] == '\0')
			continue;
		fprintf(stderr, "---- %s:\n%s\n", moments[i], trials[i].failure);
		failed++;
	}
	cr_assert_eq(failed, 0, "at %d of %zu moments", failed, MOMENTS);
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
	/* At once: it was done. */
	estate.server.pid = estate_pidfile(&estate);
	cr_assert_neq(estate.server.pid, before, "the pid file names the former master");
	cr_assert(estate_has_owner(&estate), "%s", estate.why);
	return estate.server.pid;
}

/* Nobody is left but the owner, which then ends, too. */
static void
end_tidily(void)
{
	bool is_tidy = wait_until(estate_is_tidy, &estate, ESTATE_DRAIN / 2);

	program_expect(&estate.server.program, "no such text", 0.1);
	cr_assert(is_tidy, "%s:\n%s", estate.why, estate.server.program.text);
	cr_assert_eq(server_end(&estate.server, 10), 0);
}

Test(upgrade, when_it_is_done_all_is_the_new_masters)
{
	const char *lost;

	cr_assert(estate_start(&estate, NULL), "%s", estate.why);
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

	cr_assert(estate_start(&estate, NULL), "%s", estate.why);
	begin_load(0);
	first = estate.server.pid;
	for (int i = 0; i < 3; i++) {
		kill(must_upgrade(), SIGKILL);
		/* Nobody who asks waits for more than a moment. */
		server_ctl(&estate.server, "status", NULL, output, sizeof output);
		cr_assert(wait_until(is_first_again, &first, 5), "%s: %s", estate.why, output);
	}
	snprintf(again, sizeof again, "pid %d, serves again", (int)first);
	cr_assert(
		program_expect(&estate.server.program, again, 5), "%s", estate.server.program.text);
	must_upgrade();
	lost = end_load();
	cr_assert_null(lost, "%s", lost);
	end_tidily();
	cr_assert(estate_starts_again(&estate), "%s", estate.why);
}

Test(upgrade, a_server_starts_anew_while_a_former_master_still_drains)
{
	pid_t second;
	int client;

	cr_assert(estate_start(&estate, NULL), "%s", estate.why);
	client = client_connect(estate.server.program.port);
	second = must_upgrade();
	kill(second, SIGTERM);
	cr_assert(program_expect(&estate.server.program, "stopping: ", 10), "%s",
		estate.server.program.text);
	kill(second, SIGKILL);
	cr_assert(estate_starts_again(&estate), "%s", estate.why);
	cr_assert(client_exchange(client, "at last", "AT LAST"), "it did not drain");
	close(client);
	cr_assert_eq(program_wait(&estate.server.program, 10), 0);
}
