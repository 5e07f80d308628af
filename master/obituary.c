#include "master/obituary.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "hub/debug/backtrace.h"
#include "master/events.h"

/* Names that take longer to look up are not told. */
#define LOOKUP_SECONDS 5

/* A worker is a fork of this process: the same addresses are the same code. Their names are looked
 * up in a child: libunwind opens descriptors that it believes in for as long as the process lives,
 * and in its forks; a worker has closed them, and given their numbers to its clients. */
static size_t
write_frames(char *text, size_t size, const struct worker_crash *crash)
{
	unsigned count = crash->frame_count <= CRASH_FRAMES ? crash->frame_count : 0;
	int pipes[2];
	size_t length = 0;
	ssize_t received;
	pid_t child;

	if (pipe2(pipes, O_CLOEXEC) != 0)
		return (size_t)snprintf(text, size, "no backtrace: %s", strerror(errno));
	child = fork();
	if (child == -1)
		length = (size_t)snprintf(text, size, "no backtrace: %s", strerror(errno));
	if (child == 0) {
		signal(SIGALRM, SIG_DFL);
		alarm(LOOKUP_SECONDS);
		/* It fits into the pipe. */
		length = backtrace_write(text, size, crash->frames, count);
		_exit(write(pipes[1], text, length) == (ssize_t)length ? 0 : 1);
	}
	close(pipes[1]);
	while (child != -1 && (received = read(pipes[0], text + length, size - 1 - length)) != 0)
		if (received > 0)
			length += (size_t)received;
		else if (errno != EINTR)
			break;
	close(pipes[0]);
	if (child != -1)
		waitpid(child, NULL, 0);
	return length;
}

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
		text[write_frames(text, sizeof text, crash)] = '\0';
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
