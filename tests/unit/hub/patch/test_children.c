/* What children do, however they were forked, to what is kept of their parent's signals and
 * descriptors: nothing. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"

/* Old calls are among those that are patched. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static void
handle(int number)
{
	(void)number;
}

static void
install(int number, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

static bool has_ended;
static int watched_end;
static pid_t parent;

static void
act_signal(void)
{
	signal(SIGUSR1, SIG_DFL);
}

static void
act_sigaction(void)
{
	install(SIGUSR1, SIG_IGN, 0);
}

static void
act_sysv_signal(void)
{
	sysv_signal(SIGUSR1, SIG_DFL);
}

static void
act_sigset(void)
{
	sigset(SIGUSR1, SIG_DFL);
}

static void
act_siginterrupt(void)
{
	siginterrupt(SIGUSR1, 0);
}

static void
act_handle(void)
{
	raise(SIGUSR1);
}

static void
act_handle_once(void)
{
	install(SIGUSR1, handle, SA_RESETHAND);
	raise(SIGUSR1);
}

static void
act_close(void)
{
	close(watched_end);
}

static void
act_close_range(void)
{
	close_range(3, ~0U, 0);
}

static void
act_closefrom(void)
{
	closefrom(3);
}

static void
act_dup2(void)
{
	dup2(STDOUT_FILENO, watched_end);
}

static void
act_dup3(void)
{
	dup3(STDOUT_FILENO, watched_end, O_CLOEXEC);
}

static void
act_reopen(void)
{
	int ends[2];

	syscall(SYS_close, watched_end);
	if (pipe(ends) == 0)
		close(ends[0]);
}

static void
act_dupfd(void)
{
	syscall(SYS_close, watched_end);
	fcntl(STDOUT_FILENO, F_DUPFD, watched_end);
}

static void
act_execute(void)
{
	char *arguments[] = {"", NULL};

	execv("/no/such/program", arguments);
}

static void
leave_child(void)
{
	if (getpid() != parent)
		syscall(SYS_exit_group, 0);
}

/* AddressSanitizer looks for leaks then, which stops its parent. */
#ifndef __SANITIZE_ADDRESS__
static void
act_exit(void)
{
	exit(0);
}
#endif

static const struct {
	const char *name;
	void (*act)(void);
} acts[] = {
	{"signal", act_signal},
	{"sigaction", act_sigaction},
	{"sysv_signal", act_sysv_signal},
	{"sigset", act_sigset},
	{"siginterrupt", act_siginterrupt},
	{"a handler", act_handle},
	{"a handler for once", act_handle_once},
	{"close", act_close},
	{"close_range", act_close_range},
	{"closefrom", act_closefrom},
	{"dup2", act_dup2},
	{"dup3", act_dup3},
	{"pipe", act_reopen},
	{"F_DUPFD", act_dupfd},
	{"execv", act_execute},
#ifndef __SANITIZE_ADDRESS__
	{"exit", act_exit},
#endif
};
#define ACTS (sizeof acts / sizeof acts[0])

enum way { WAY_VFORK, WAY_BARE, WAY_RAW, WAYS };
static const char *const ways[] = {"vfork", "_Fork", "clone(2)"};

static struct deed {
	enum way way;
	size_t act;
	bool is_threads; /* which runs no hub */
	bool was_disturbed;
	int result, error; /* of who waits, interrupted later */
} deeds[WAYS * ACTS * 2];

static void *
do_deed(void *argument)
{
	const struct deed *deed = argument;
	pid_t child = deed->way == WAY_VFORK  ? vfork()
		      : deed->way == WAY_BARE ? _Fork()
					      : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	int status;

	if (child == 0) {
		acts[deed->act].act();
		leave_child();
	}
	while (waitpid(child, &status, 0) == -1 && errno == EINTR)
		continue;
	return NULL;
}

static void *
wait_through(void *argument)
{
	struct deed *deed = argument;
	char byte;

	deed->result = (int)read(watched_end, &byte, 1);
	deed->error = errno;
	has_ended = true;
	return NULL;
}

static void
try_deed(struct deed *deed)
{
	struct hub_coroutine *reader;
	pthread_t thread;
	int ends[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	watched_end = ends[0];
	install(SIGUSR1, handle, 0);
	has_ended = false;
	reader = hub_spawn(wait_through, deed);
	until_it_waits(reader);
	if (deed->is_threads) {
		pthread_create(&thread, NULL, do_deed, deed);
		pthread_join(thread, NULL);
	} else {
		do_deed(deed);
	}
	hub_sleep(5 * HUB_MILLISECOND);
	deed->was_disturbed = has_ended;
	raise(SIGUSR1);
	hub_join(reader, NULL);
	close(ends[0]);
	close(ends[1]);
}

static void *
try_deeds(void *argument)
{
	struct deed *deed = deeds;

	parent = getpid();
	atexit(leave_child);
	for (int way = 0; way < WAYS; way++)
		for (size_t act = 0; act < ACTS; act++)
			for (int by = 0; by < 2; by++, deed++) {
				*deed = (struct deed){way, act, by == 1, false, 0, 0};
				try_deed(deed);
			}
	return argument;
}

TestSuite(children, .timeout = 60);

Test(children, what_a_child_does_is_nothing_to_who_waits_in_its_parent)
{
	if (on_valgrind())
		cr_skip_test("it forks and refuses in ways of its own");
	hub_patch_all();
	in_hub(try_deeds, NULL);
	for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
		const char *act = acts[deeds[i].act].name, *way = ways[deeds[i].way],
			   *by = deeds[i].is_threads ? "a thread's" : "a coroutine's";

		cr_expect_not(deeds[i].was_disturbed, "%s in %s %s ends a wait: %s", act, by, way,
			strerror(deeds[i].error));
		cr_expect(deeds[i].result == -1 && deeds[i].error == EINTR,
			"after %s in %s %s a wait ends with %s", act, by, way,
			strerror(deeds[i].error));
	}
}
