#include "master/fleet/obituary.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "master/fleet/lookup.h"
#include "master/say/history.h"
#include "tests/support/complaint.h"
#include "tests/support/in_hub.h"
#include "tests/unit/master/fake_fleet.h"

static struct fake_fleet fake;
static struct slot *slot;

static void
begin(void)
{
	fake_open(&fake, NULL, 2, 2);
	fake_record(&fake);
	slot = fake_slot(&fake, 1);
	close(fake_serve(slot));
}

static void
end(void)
{
	fake_close(&fake);
}

TestSuite(obituary, .init = begin, .fini = end);

static bool
says(unsigned newest, const char *words)
{
	const struct event_note *note = history_newest(newest);

	return note != NULL && strstr(note->text, words) != NULL;
}

Test(obituary, says_how_a_worker_ended)
{
	siginfo_t exited = {.si_code = CLD_EXITED}, killed = {.si_code = CLD_KILLED};

	killed.si_status = SIGSEGV;
	/* It was not to end. */
	obituary_note(slot, &exited);
	cr_assert_not_null(history_newest(0));
	exited.si_status = 7;
	obituary_note(slot, &exited);
	cr_assert(says(0, "worker 1") && says(0, "exited with code 7"), "%s",
		history_newest(0)->text);
	obituary_note(slot, &killed);
	cr_assert(says(0, "signal 11"), "%s", history_newest(0)->text);
}

/* Somebody else has waited for it. */
Test(obituary, does_not_invent_how_a_worker_ended)
{
	siginfo_t untold = {.si_errno = ECHILD};

	obituary_note(slot, &untold);
	cr_assert(says(0, "its exit status is unknown: No child processes"), "%s",
		history_newest(0)->text);
	cr_assert_not(says(0, "signal"));
}

Test(obituary, an_end_that_was_wanted_is_no_news)
{
	siginfo_t exited = {.si_code = CLD_EXITED}, killed = {.si_code = CLD_KILLED};

	killed.si_status = SIGKILL;
	slot->state = SUPERVISION_DRAINING;
	obituary_note(slot, &exited);
	slot->is_killed = true;
	obituary_note(slot, &killed);
	cr_assert_null(history_newest(0));
	/* That one drains does not excuse how it ends. */
	slot->is_killed = false;
	exited.si_status = 1;
	obituary_note(slot, &exited);
	cr_assert(says(0, "exited with code 1"));
}

Test(obituary, says_where_a_hub_crashed)
{
	siginfo_t killed = {.si_code = CLD_DUMPED};
	struct worker_crash *crash = &slot->rows[1].crash;

	killed.si_status = SIGSEGV;
	strcpy(crash->coroutine, "client 7");
	crash->address = 0x42;
	crash->code = SEGV_MAPERR;
	crash->signal = SIGSEGV;
	/* What a dying process has written is not believed. */
	crash->frame_count = 1U << 31;
	obituary_note(slot, &killed);
	cr_assert(says(0, "in coroutine \"client 7\" of hub 1") && says(0, "address 0x42"), "%s",
		history_newest(0)->text);
	cr_assert(says(1, "signal 11"));
	crash->coroutine[0] = '\0';
	obituary_note(slot, &killed);
	cr_assert(says(0, "in no named coroutine of hub 1"), "%s", history_newest(0)->text);
	/* That of a signal which was sent, as by abort(), would be its sender's pid. */
	crash->code = SI_TKILL;
	obituary_note(slot, &killed);
	cr_assert(says(0, "code -6, in no named"), "%s", history_newest(0)->text);
}

/* libunwind believes in its descriptors in every fork of a process that has used it, but a worker
 * has closed them. */
Test(obituary, names_the_functions_later_and_keeps_no_descriptor)
{
	siginfo_t killed = {.si_code = CLD_DUMPED};
	struct worker_crash *crash = &slot->rows[0].crash;
	int before = open_descriptors();
	const char *heard, *functions;

	crash->signal = killed.si_status = SIGSEGV;
	crash->frames[0] = (char *)(uintptr_t)obituary_note + 1;
	crash->frames[1] = (char *)(uintptr_t)begin + 1;
	crash->frame_count = 2;
	complaint_listen();
	obituary_note(slot, &killed);
	cr_assert(says(0, "worker 1 crashed"), "at once");
	lookups_end(true);
	heard = complaint_heard();
	functions = strstr(heard, "hub 0 crashed in:");
	cr_assert_not_null(functions, "%s", heard);
	cr_assert_not_null(strstr(functions, "#0  obituary_note+0x1"), "%s", heard);
	cr_assert_not_null(strstr(functions, "#1  begin+0x1"), "%s", heard);
	cr_assert_eq(open_descriptors(), before);
}
