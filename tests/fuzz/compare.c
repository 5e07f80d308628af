/* Runs random programs of blocking calls in three ways, as they are, patched, and patched with
 * their threads made coroutines: all three print the same.
 *
 *	random-calls [--seconds N] */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fuzz/programs.h"
#include "tests/support/program.h"

enum { WAYS = 3, OUTPUT_SIZE = 1 << 17, PATIENCE = 20000 /* milliseconds without output */ };
static const char *const ways[WAYS] = {NULL, "all", "all,create"};

struct child {
	pid_t pid;
	int output;
	char text[OUTPUT_SIZE];
};

static struct child children[WAYS];
static char plain[4096], preload[9000], seed[16];

static void
start(struct child *child, const char *families)
{
	int ends[2];

	programs_expect(pipe(ends) == 0, "no pipe", 0);
	child->output = ends[0];
	child->pid = fork();
	programs_expect(child->pid != -1, "no fork", 0);
	if (child->pid != 0) {
		close(ends[1]);
		return;
	}
	/* Whatever this process finds, its children end with it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(ends[1], STDOUT_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[0]);
	close(ends[1]);
	setenv("HUBBUB_WATCHDOG", "0", 1);
	if (families != NULL) {
		setenv("HUBBUB_PATCH", families, 1);
		setenv("LD_PRELOAD", preload, 1);
	}
	execl(plain, "plain-calls", seed, "40", (char *)NULL);
	_exit(127);
}

static void
finish(struct child *child)
{
	struct pollfd query = {child->output, POLLIN, 0};
	size_t length = 0;
	ssize_t got = 1;
	int status;

	while (got > 0 && length < OUTPUT_SIZE - 1 && poll(&query, 1, PATIENCE) > 0) {
		got = read(child->output, child->text + length, OUTPUT_SIZE - 1 - length);
		length += got > 0 ? (size_t)got : 0;
	}
	child->text[length] = '\0';
	if (got != 0)
		kill(child->pid, SIGKILL);
	close(child->output);
	waitpid(child->pid, &status, 0);
	programs_expect(
		length > 0 && length < OUTPUT_SIZE - 1, "no output, or too much", (long)length);
	if (status != 0)
		fprintf(stderr, "plain-calls %s 40, way %d:\n%s\n", seed, (int)(child - children),
			length > 700 ? child->text + length - 700 : child->text);
	programs_expect(status == 0, "a program ends badly", status);
}

/* Prints the step in which two outputs begin to differ. */
static void
print_difference(const char *one, const char *other, const char *way)
{
	size_t same = 0, step = 0;

	for (; one[same] == other[same] && one[same] != '\0'; same++)
		if (same > 0 && one[same - 1] == '\n' && one[same] >= '0' && one[same] <= '9')
			step = same;
	fprintf(stderr, "plain-calls %s 40, as it is:\n%.700s\n%s:\n%.700s\n", seed, one + step,
		way, other + step);
}

static void
run_program(void)
{
	snprintf(seed, sizeof seed, "%u", below(UINT32_MAX));
	for (int i = 0; i < WAYS; i++)
		start(&children[i], ways[i]);
	for (int i = 0; i < WAYS; i++)
		finish(&children[i]);
	for (int i = 1; i < WAYS; i++)
		if (strcmp(children[0].text, children[i].text) != 0) {
			print_difference(children[0].text, children[i].text, ways[i]);
			programs_complain("patched calls give something else", i);
		}
}

int
main(int argc, char **argv)
{
	snprintf(plain, sizeof plain, "%s", program_path("plain-calls"));
	snprintf(preload, sizeof preload, "%s", program_path("../lib/patch-main.so"));
	snprintf(preload + strlen(preload), sizeof preload - strlen(preload), " %s",
		program_path("../lib/libhubbub-patch.so"));
	return programs_main(argc, argv, "random-calls", run_program);
}
