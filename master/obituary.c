#include "master/obituary.h"

#include <string.h>
#include <sys/wait.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "hub/debug/backtrace.h"
#include "master/events.h"

static void
log_crash(const struct slot *slot)
{
	for (unsigned hub = 0; hub < slot->generation->config.threads; hub++) {
		const struct worker_crash *crash = &slot->rows[hub].crash;
		char text[4096], *rest = text;

		if (__atomic_load_n(&crash->signal, __ATOMIC_ACQUIRE) == 0)
			continue;
		events_note(LOG_ERROR,
			"worker %u crashed: signal %d (%s), code %d, address 0x%llx, in coroutine "
			"\"%.*s\" of hub %u:",
			slot->index, crash->signal, strsignal(crash->signal), crash->code,
			(unsigned long long)crash->address, (int)sizeof crash->coroutine,
			crash->coroutine, hub);
		/* A worker is a fork of this process: the same addresses are the same code. */
		backtrace_write(text, sizeof text, crash->frames,
			crash->frame_count <= CRASH_FRAMES ? crash->frame_count : 0);
		for (char *line; (line = strsep(&rest, "\n")) != NULL;)
			if (*line != '\0')
				log_error("  %s", line);
	}
}

static void
log_death(const struct slot *slot, const siginfo_t *status)
{
	double age = (double)(clock_now() - slot->started) / (double)CLOCK_SECOND;

	if (slot->state == SUPERVISION_DRAINING && status->si_code == CLD_EXITED &&
		status->si_status == 0)
		log_debug("worker %u (pid %d) has drained", slot->index, (int)slot->pid);
	else if (slot->is_killed)
		log_debug("worker %u (pid %d) is killed", slot->index, (int)slot->pid);
	else if (status->si_code == CLD_EXITED)
		events_note(LOG_ERROR, "worker %u (pid %d) exited with code %d after %.1f s",
			slot->index, (int)slot->pid, status->si_status, age);
	else
		events_note(LOG_ERROR,
			"worker %u (pid %d) was killed by signal %d (%s) after %.1f s", slot->index,
			(int)slot->pid, status->si_status, strsignal(status->si_status), age);
}

void
obituary_note(const struct slot *slot, const siginfo_t *status)
{
	log_death(slot, status);
	log_crash(slot);
}
