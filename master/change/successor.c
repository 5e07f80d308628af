/* Every file descriptor of the record is closed in one place, successor_forget, whatever has been
 * opened by then. Between fork and exec the grandchild gets only what the document names. */
#include "master/change/successor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/change/commit.h"
#include "master/change/handover.h"
#include "master/change/launch.h"
#include "master/change/word.h"
#include "master/master.h"
#include "master/start/program.h"
#include "master/start/sandbox.h"

void
successor_forget(struct master *master)
{
	struct successor *successor = master->successor;

	ear_stop(master->loop, &successor->talk);
	ear_stop(master->loop, &successor->birth);
	ear_stop(master->loop, &successor->death);
	ev_timer_stop(master->loop, &successor->deadline);
	if (successor->channel != -1)
		close(successor->channel);
	if (successor->pidfd != -1)
		close(successor->pidfd);
	if (successor->leash != -1)
		close(successor->leash);
	commit_free(&successor->commit);
	successor->channel = successor->pidfd = successor->leash = -1;
	successor->pid = successor->launcher = 0;
	successor->phase = SUCCESSOR_NONE;
}

void
successor_let_go(struct successor *successor, struct ev_loop *loop)
{
	ear_stop(loop, &successor->birth);
	if (successor->leash != -1)
		close(successor->leash);
	successor->leash = -1;
}

/* ---- its start ---- */

struct launching {
	const struct master *master;
	int document;
	int channel;
	int commit;
};

/* In the grandchild: only the file descriptors that the document names survive the exec. */
static void
become_successor(void *context)
{
	const struct launching *launching = context;
	const struct master *master = launching->master;
	static const int requests[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU};
	sigset_t none;

	handover_keep(master, launching->document, launching->channel, launching->commit);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	/* A service manager may send these requests to all processes of the service; until the new
	 * program handles them, the default action would kill it. */
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
		signal(requests[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(program_remembered(), master->argv);
	log_error("cannot execute %s: %s", program_remembered(), strerror(errno));
	_exit(126);
}

/* Returns 0, or an errno with everything undone. */
static int
launch_successor(struct master *master, int successors_end)
{
	struct successor *successor = master->successor;
	struct launching launching = {master, -1, successors_end, -1};
	int error;

	successor->commit = commit_new(&launching.commit);
	if (successor->commit != NULL)
		launching.document = handover_write(master, successors_end, launching.commit);
	if (launching.document != -1)
		successor->launcher = launch(become_successor, &launching, &successor->leash);
	error = errno;
	if (launching.document != -1)
		close(launching.document);
	if (launching.commit != -1)
		close(launching.commit);
	if (successor->launcher > 0)
		return 0;
	successor_forget(master);
	return error != 0 ? error : ENOMEM;
}

static int
explain_start(int error, const char **why)
{
	static char text[128];

	snprintf(text, sizeof text,
		"the new program cannot be started: %s (limit on processes, files or memory?)",
		strerror(error));
	*why = text;
	return -1;
}

int
successor_start(struct master *master, const char **why)
{
	struct successor *successor = master->successor;
	int pair[2], result;

	successor->has_risen = successor->has_told = successor->is_named = successor->is_to_drain =
		false;
	successor->why[0] = '\0';
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return explain_start(errno, why);
	successor->channel = pair[0];
	result = launch_successor(master, pair[1]);
	close(pair[1]);
	return result == 0 ? 0 : explain_start(result, why);
}

const char *
successor_explain_death(const struct successor *successor, int status)
{
	static char why[MEMO_WHY_SIZE];

	if (successor->why[0] != '\0')
		snprintf(why, sizeof why, "%s", successor->why);
	else if (WIFSIGNALED(status))
		snprintf(why, sizeof why,
			"the new program was killed by signal %d (%s) while it started",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(why, sizeof why,
			"the new program exited with code %d while it started; the log says why",
			WEXITSTATUS(status));
	return why;
}

const char *
successor_explain_delay(const struct successor *successor)
{
	return successor->why[0] != '\0'
		       ? successor->why
		       : "the new program did not get ready in time, and was killed";
}

/* ---- requests that are passed on ---- */

bool
successor_pass_drain(struct master *master)
{
	struct successor *successor = master->successor;

	if (successor->phase != SUCCESSOR_SERVING || successor->is_named || successor->is_to_drain)
		return false;
	successor->is_to_drain = true;
	word_send(successor->channel, WORD_DRAIN, -1);
	return true;
}

void
successor_reopen(struct master *master)
{
	if (master->successor->channel != -1)
		word_send(master->successor->channel, WORD_REOPEN, STDERR_FILENO);
}

bool
successor_pass_signal(const struct master *master, int number)
{
	const struct successor *successor = master->successor;

	return successor->phase >= SUCCESSOR_SERVING && successor->pidfd != -1 &&
	       sandbox_kill(successor->pid, successor->pidfd, number) == 0;
}

/* By words, because pending signals of the same number merge into one. */
bool
successor_pass_workers(const struct master *master, int workers)
{
	enum word word = workers > 0 ? WORD_MORE : WORD_FEWER;

	if (!successor_pass_signal(master, 0))
		return false;
	for (int i = abs(workers); i > 0; i--)
		word_send(master->successor->channel, word, -1);
	return true;
}
