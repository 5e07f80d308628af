/* A run in a process of its own, so that one that aborts, or spoils the program's memory, spoils no
 * other. */
#include "sim/attempt_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* hub_sim_run has failed for a reason of its own, such as no memory: the errno is the exit code. */
static void __attribute__((noreturn))
be_child(const struct search *search, uint64_t seed, bool is_quiet)
{
	int nowhere = is_quiet ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;

	if (nowhere != -1) {
		dup2(nowhere, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
	}
	report_in(search->seen);
	if (hub_sim_run(seed, search->options, search->body, search->argument) == 0)
		_exit(0);
	_exit(errno);
}

struct outcome
attempt(const struct search *search, uint64_t seed, bool is_quiet)
{
	struct outcome outcome = {0};
	int status = 0;
	pid_t child;

	/* What is buffered is not to be printed twice. */
	fflush(NULL);
	child = fork();
	if (child == 0)
		be_child(search, seed, is_quiet);
	while (child != -1 && waitpid(child, &status, 0) == -1 && errno == EINTR)
		;
	if (child == -1)
		outcome.error = errno;
	else if (WIFSIGNALED(status))
		outcome.signal = WTERMSIG(status);
	outcome.has_failed = outcome.error != 0 || status != 0;
	return outcome;
}
