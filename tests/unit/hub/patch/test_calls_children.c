/* Every call that waits, in a child that a coroutine has forked in any way: it is libc's there. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/unit/hub/patch/scenes.h"

struct outcome {
	long result;
	int error;
	bool has_suspended;
};

static struct scene_case cases[SCENES_MAX];
static size_t count;

enum fork_kind { FORK_VFORK, FORK_BARE, FORK_RAW, FORK_KINDS };
static const char *const fork_names[] = {"vfork", "_Fork", "clone(2)"};

/* In memory that all share. */
static struct shared {
	struct scene scene;
	pid_t parent, child;
	bool is_over;
	unsigned ticks; /* of the parent's coroutine in a child */
	struct outcome outcomes[FORK_KINDS][SCENES_MAX];
} * shared;

static void *
tick_in_child(void *argument)
{
	while (!shared->is_over) {
		shared->ticks += getpid() != shared->parent;
		hub_sleep(0);
	}
	return argument;
}

static pid_t
fork_child(enum fork_kind kind, size_t i)
{
	pid_t child = kind == FORK_VFORK  ? vfork()
		      : kind == FORK_BARE ? _Fork()
					  : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (child != 0)
		return child;
	shared->child = getpid();
	if ((cases[i].traits & SCENE_IS_CALLERS) != 0)
		cases[i].prepare(&shared->scene);
	shared->scene.is_calling = true;
	cases[i].make(&shared->scene);
	shared->scene.has_ended = true;
	syscall(SYS_exit_group, 0);
	return 0;
}

/* A thread, for the child's parent may be one that waits for it. */
static void *
wake_child(void *argument)
{
	size_t i = (size_t)(uintptr_t)argument;

	while (!__atomic_load_n(&shared->scene.is_calling, __ATOMIC_RELAXED))
		usleep(1000);
	usleep(20000);
	if (cases[i].wake != NULL)
		cases[i].wake(&shared->scene);
	for (int left = 20000; left > 0 && !shared->scene.has_ended; left--)
		usleep(1000);
	if (!shared->scene.has_ended)
		kill(shared->child, SIGKILL);
	return NULL;
}

/* What one process waits for is not in another's memory; and to libc a thread that has a lock for
 * writing, or is in a routine that runs once, waits for itself. */
static bool
is_for_child(enum fork_kind kind, const char *call)
{
	static const char *const of_memory[] = {"pthread_", "sem_", "mtx_", "cnd_"};
	bool is_memory = false;

	for (size_t i = 0; i < sizeof of_memory / sizeof of_memory[0]; i++)
		is_memory = is_memory || strncmp(call, of_memory[i], strlen(of_memory[i])) == 0;
	return strncmp(call, "pthread_rwlock", 14) != 0 && strcmp(call, "pthread_once") != 0 &&
	       (!is_memory || kind == FORK_VFORK);
}

static void
play_in_child(enum fork_kind kind, size_t i)
{
	struct scene *s = &shared->scene;
	pthread_t waker;
	int status;
	pid_t child;

	s->ends[0] = s->ends[1] = s->extra = s->room = -1;
	s->is_calling = s->has_ended = false;
	s->error = SCENE_UNTOUCHED;
	s->result = -2;
	shared->ticks = 0;
	if (cases[i].prepare != NULL && (cases[i].traits & SCENE_IS_CALLERS) == 0)
		cases[i].prepare(s);
	pthread_create(&waker, NULL, wake_child, (void *)(uintptr_t)i);
	child = fork_child(kind, i);
	waitpid(child, &status, 0);
	s->has_ended = true;
	pthread_join(waker, NULL);
	scene_close(s);
	shared->outcomes[kind][i] =
		(struct outcome){status == 0 ? s->result : -2, s->error, shared->ticks > 0};
}

static void *
play_in_children(void *argument)
{
	struct hub_coroutine *ticker = hub_spawn(tick_in_child, NULL);

	shared->parent = getpid();
	for (int kind = 0; kind < FORK_KINDS; kind++)
		for (size_t i = 0; i < count; i++)
			if (is_for_child(kind, cases[i].call))
				play_in_child(kind, i);
	shared->is_over = true;
	hub_join(ticker, NULL);
	return argument;
}

TestSuite(calls_children, .timeout = 120);

Test(calls_children, each_is_libcs_in_a_child_and_runs_no_coroutine_there)
{
	if (on_valgrind())
		cr_skip_test("it forks and refuses in ways of its own");
	count = scenes_all(cases);
	shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	hub_patch_all();
	in_hub(play_in_children, NULL);
	for (int kind = 0; kind < FORK_KINDS; kind++)
		for (size_t i = 0; i < count; i++) {
			const struct outcome *outcome = &shared->outcomes[kind][i];

			if (!is_for_child(kind, cases[i].call))
				continue;
			cr_expect_eq(outcome->result, cases[i].expected,
				"%s after %s gives %ld and not %ld (%s)", cases[i].call,
				fork_names[kind], outcome->result, cases[i].expected,
				strerror(outcome->error));
			cr_expect_eq(outcome->error, SCENE_UNTOUCHED, "%s after %s leaves errno %s",
				cases[i].call, fork_names[kind], strerror(outcome->error));
			cr_expect_not(outcome->has_suspended,
				"%s after %s runs a coroutine of the parent", cases[i].call,
				fork_names[kind]);
		}
}
