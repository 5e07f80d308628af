/* Calls that wait for children, which are killed then, and for commands. */
#include "tests/unit/hub/patch/scenes.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void
make_child(struct scene *s)
{
	pid_t child = fork();

	if (child == 0) {
		struct timespec pause = {10, 0};

		nanosleep(&pause, NULL);
		_exit(1);
	}
	s->child = child;
}

static void
kill_child(struct scene *s)
{
	kill(s->child, SIGKILL);
}

static void
record_child(struct scene *s, pid_t found, int status)
{
	s->result = found == s->child && WIFSIGNALED(status) ? 0 : -1;
}

static void
call_wait(struct scene *s)
{
	int status = 0;
	pid_t found = wait(&status);

	record_child(s, found, status);
}

static void
call_waitpid(struct scene *s)
{
	int status = 0;
	pid_t found = waitpid(s->child, &status, 0);

	record_child(s, found, status);
}

static void
call_wait3(struct scene *s)
{
	struct rusage usage;
	int status = 0;
	pid_t found = wait3(&status, 0, &usage);

	record_child(s, found, status);
}

static void
call_wait4(struct scene *s)
{
	struct rusage usage;
	int status = 0;
	pid_t found = wait4(s->child, &status, 0, &usage);

	record_child(s, found, status);
}

static void
call_waitid(struct scene *s)
{
	siginfo_t info;

	SCENE_CALL(s, waitid(P_PID, (id_t)s->child, &info, WEXITED));
	s->result =
		s->result == 0 && info.si_pid == s->child && info.si_code == CLD_KILLED ? 0 : -1;
}

static void
call_system(struct scene *s)
{
	SCENE_CALL(s, system("sleep 0.02; exit 3"));
	s->result = WEXITSTATUS(s->result) == 3 ? 0 : -1;
}

static void
call_popen(struct scene *s)
{
	FILE *stream = popen("sleep 0.02; echo one; sleep 0.02; echo two; exit 4", "r");
	int status;

	s->result = -1;
	if (stream == NULL)
		return;
	s->buffer[0] = '\0';
	if (fgets(s->buffer, 10, stream) == NULL || fgets(s->buffer + 4, 10, stream) == NULL)
		return;
	status = pclose(stream);
	s->result = strcmp(s->buffer, "one\ntwo\n") == 0 && WEXITSTATUS(status) == 4 ? 0 : -1;
}

const struct scene_case scenes_of_children[] = {
	{"wait", make_child, call_wait, kill_child, 0, SCENE_IS_CALLERS},
	{"waitpid", make_child, call_waitpid, kill_child, 0, SCENE_IS_CALLERS},
	{"wait3", make_child, call_wait3, kill_child, 0, SCENE_IS_CALLERS},
	{"wait4", make_child, call_wait4, kill_child, 0, SCENE_IS_CALLERS},
	{"waitid", make_child, call_waitid, kill_child, 0, SCENE_IS_CALLERS},
	{"system", NULL, call_system, NULL, 0, 0},
	{"popen", NULL, call_popen, NULL, 0, 0},
	{0},
};
