/* A death that the master caused, or a drained worker's exit, is logged for debugging only; any
 * other death is an error. The crash itself is read from the rows, where the worker's signal
 * handler has written it. */
#include "master/fleet/obituary.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/fleet/lookup.h"
#include "master/fleet/oom.h"
#include "master/say/history.h"

/* Not what some worker has written over the row. */
static bool
is_signal(int32_t number)
{
	return number > 0 && number < NSIG;
}

static void
log_crash(const struct slot *slot)
{
	for (unsigned hub = 0; hub < slot->generation->config.threads; hub++) {
		const struct worker_crash *crash = &slot->rows[hub].crash;
		char whose[64], where[sizeof crash->coroutine + 16] = "no named coroutine";
		char at[32] = "";

		if (!is_signal(__atomic_load_n(&crash->signal, __ATOMIC_ACQUIRE)))
			continue;
		/* Without a name the crash was in the hub's loop or in a nameless coroutine. */
		if (crash->coroutine[0] != '\0')
			snprintf(where, sizeof where, "coroutine \"%.*s\"",
				(int)sizeof crash->coroutine, crash->coroutine);
		/* A signal that was sent, as by abort(), has its sender in the address's place. */
		if (crash->code > 0)
			snprintf(at, sizeof at, ", address 0x%llx",
				(unsigned long long)crash->address);
		history_note(LOG_ERROR,
			"worker %u crashed: signal %d (%s), code %d%s, in %s of hub %u",
			slot->index, crash->signal, strsignal(crash->signal), crash->code, at,
			where, hub);
		snprintf(whose, sizeof whose, "worker %u (pid %d), hub %u", slot->index,
			(int)slot->pid, hub);
		lookup_start(slot->generation->fleet->loop, whose, crash);
	}
}

static void
log_death(const struct slot *slot, const siginfo_t *status)
{
	char reason[OOM_TEXT_SIZE] = "";
	double age = clock_seconds(clock_now() - slot->started);

	if (slot->state == SUPERVISION_DRAINING && status->si_code == CLD_EXITED &&
		status->si_status == 0)
		log_debug("worker %u (pid %d) has drained", slot->index, (int)slot->pid);
	else if (slot->is_killed)
		log_debug("worker %u (pid %d) is killed", slot->index, (int)slot->pid);
	else if (status->si_code == CLD_EXITED)
		history_note(LOG_ERROR, "worker %u (pid %d) exited with code %d after %.1f s",
			slot->index, (int)slot->pid, status->si_status, age);
	else if (status->si_code == 0)
		history_note(LOG_ERROR,
			"worker %u (pid %d) ended after %.1f s; its exit status is unknown: %s",
			slot->index, (int)slot->pid, age, strerror(status->si_errno));
	else {
		if (status->si_status == SIGKILL)
			oom_explain(reason);
		history_note(LOG_ERROR,
			"worker %u (pid %d) was killed by signal %d (%s) after %.1f s%s",
			slot->index, (int)slot->pid, status->si_status,
			strsignal(status->si_status), age, reason);
	}
}

void
obituary_note(const struct slot *slot, const siginfo_t *status)
{
	log_death(slot, status);
	log_crash(slot);
}
