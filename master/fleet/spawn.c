/* Between fork and worker_run the child drops what belongs to the master: file descriptors, signal
 * handlers, buffered output, atexit functions. All signals are blocked meanwhile, so that no
 * handler of the master runs in the child. */
#include "master/fleet/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/arch/annotate.h"
#include "hub/base/check.h"
#include "hub/base/log.h"
#include "master/base/numerals.h"
#include "master/base/oversize.h"
#include "master/start/sandbox.h"
#include "worker/captured.h"
#include "worker/flush.h"
#include "worker/recorders.h"
#include "worker/spare.h"
#include "worker/worker.h"

static int
compare(const void *a, const void *b)
{
	const int *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Closes every file descriptor but the standard streams and those that the heritage names: a
 * forgotten listener would get connections that nobody accepts. */
static int
close_the_rest(const struct worker_heritage *heritage)
{
	unsigned count = heritage->threads * heritage->addresses;
	int *keep = malloc((count + 4) * sizeof *keep);
	unsigned from = STDERR_FILENO + 1;
	int result = 0;

	if (keep == NULL)
		return -1;
	memcpy(keep, heritage->sockets, count * sizeof *keep);
	keep[count++] = heritage->channel;
	keep[count++] = segment_file();
	if (heritage->output != 0)
		keep[count++] = heritage->output;
	if (heritage->settings.access_file != 0)
		keep[count++] = heritage->settings.access_file;
	qsort(keep, count, sizeof *keep, compare);
	for (unsigned i = 0; i < count && result == 0; i++) {
		unsigned next = (unsigned)keep[i];

		if (next > from)
			result = sandbox_close_range(from, next - 1);
		if (next >= from)
			from = next + 1;
	}
	if (result == 0)
		result = sandbox_close_range(from, ~0U);
	free(keep);
	return result;
}

/* Terminals and service managers signal the whole process group; the worker ignores such signals,
 * because the master alone decides. */
static void
reset_signals(void)
{
	static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE,
		SIGTTIN, SIGTTOU, SIGWINCH};
	sigset_t none;

	for (int signal = 1; signal < NSIG; signal++) {
		struct sigaction action;

		if (sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_IGN &&
			action.sa_handler != SIG_DFL && signal != SIGSEGV) {
			action = (struct sigaction){.sa_handler = SIG_DFL};
			sigaction(signal, &action, NULL);
		}
	}
	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		signal(ignored[i], SIG_IGN);
	oversize_survive();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void
become_worker(const struct worker_heritage *heritage)
{
	int code;

	if (close_the_rest(heritage) != 0) {
		log_error("worker %u cannot close what it inherited: %s", heritage->index,
			strerror(errno));
		_exit(1);
	}
	spare_forget();
	recorders_protect(heritage->recorders);
	log_forget_lost();
	reset_signals();
	numerals_end();
	if (heritage->output != 0 && captured_begin(heritage->output) != 0)
		log_warning("what worker %u prints does not come into the log: %s", heritage->index,
			strerror(errno));
	/* Functions that the program registered with atexit are not run: they are the master's. */
	code = worker_run(heritage);
	flush_before_exit(code);
	annotate_exit(code);
}

pid_t
spawn_worker(const struct worker_heritage *heritage, int *pidfd)
{
	sigset_t all, before;
	pid_t pid;

	CHECK_WHY(*pidfd == -1, "the former pidfd would stay open for good");
	flush_streams();
	/* A signal that reaches the child before reset_signals would run the master's handler. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		become_worker(heritage);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid == -1)
		return -1;
	*pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	/* Where the system refuses pidfds, SIGCHLD alone reports deaths. */
	if (*pidfd == -1 && !sandbox_is_refusal(errno)) {
		int error = errno;

		/* Without a pidfd the master would not see the worker die. The child is not reaped,
		 * so the pid is still its own. */
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		errno = error;
		return -1;
	}
	return pid;
}
