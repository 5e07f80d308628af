/* A run in a process of its own, so that one that aborts, or spoils the program's memory, spoils no
 * other. */
#include "sim/search/attempt_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPU_MOST 60 /* seconds: a loop that neither waits nor yields has no other end */

/* hub_sim_run has failed for a reason of its own, such as no memory: the errno is the exit code. */
static void __attribute__((noreturn))
be_child(const struct search *search, uint64_t seed, bool is_quiet)
{
	int nowhere = is_quiet ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1, code;

	if (nowhere != -1) {
		dup2(nowhere, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
	}
	setrlimit(RLIMIT_CPU, &(struct rlimit){CPU_MOST, RLIM_INFINITY});
	report_in(search->seen);
	code = hub_sim_run(seed, search->options, search->body, search->argument) == 0 ? 0 : errno;
	search->seen->has_ended = true;
	fflush(NULL);
	_exit(code);
}

struct outcome
attempt(const struct search *search, uint64_t seed, bool is_quiet)
{
	struct outcome outcome = {0};
	int status = 0;
	pid_t child;

	/* What is buffered is not to be printed twice. */
	fflush(NULL);
	search->seen->has_ended = false;
	child = fork();
	if (child == 0)
		be_child(search, seed, is_quiet);
	while (child != -1 && waitpid(child, &status, 0) == -1 && errno == EINTR)
		;
	if (child == -1)
		outcome.error = errno;
	else if (WIFSIGNALED(status))
		outcome.signal = WTERMSIG(status);
	else if (child != 0 && !search->seen->has_ended)
		report_exit(search->seen);
	outcome.has_failed = outcome.error != 0 || status != 0 || !search->seen->has_ended;
	return outcome;
}
