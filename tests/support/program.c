/* A program runs in a process group of its own, with its output in a pipe, and dies with the test
 * (PR_SET_PDEATHSIG). All waiting is done by reading that pipe, so a program never blocks on a full
 * one while the test waits for it. */
#include "tests/support/program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hub/base/clock.h"

/* The directory of the programs under test; HUBBUB_BIN names another build. */
static const char *
program_directory(void)
{
	const char *directory = getenv("HUBBUB_BIN");

	return directory != NULL ? directory : HUBBUB_BIN_DIR;
}

char *
program_path(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof path, "%s/%s", program_directory(), name);
	return path;
}

bool
program_is_sanitized(void)
{
	return fnmatch("*/build-?san/bin", program_directory(), 0) == 0;
}

bool
program_start(struct program *program, char *const argv[], unsigned files)
{
	int pipes[2];

	*program = (struct program){.output = -1};
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return false;
	program->pid = fork();
	if (program->pid == 0) {
		struct rlimit limit = {files, files};

		setpgid(0, 0);
		/* If the test is killed, its programs are, too. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (files != 0)
			setrlimit(RLIMIT_NOFILE, &limit);
		dup2(pipes[1], STDOUT_FILENO);
		dup2(pipes[1], STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(pipes[1]);
	program->group = program->pid;
	program->output = pipes[0];
	return program->pid > 0;
}

/* Reads output that comes before the deadline. Returns false at the end of output, or when the time
 * is over. */
static bool
read_more(struct program *program, int64_t deadline)
{
	struct pollfd query = {.fd = program->output, .events = POLLIN};
	int64_t left = deadline - clock_now();
	ssize_t length;

	if (left <= 0 || poll(&query, 1, (int)(left / CLOCK_MILLISECOND) + 1) <= 0)
		return false;
	/* A program that prints more than fits loses its oldest output. */
	if (program->length > sizeof program->text - 4096) {
		program->length /= 2;
		memmove(program->text, program->text + program->length, program->length + 1);
	}
	length = read(program->output, program->text + program->length,
		sizeof program->text - 1 - program->length);
	if (length <= 0)
		return false;
	program->length += (size_t)length;
	program->text[program->length] = '\0';
	return true;
}

double
program_patience(double seconds)
{
	double longer =
		seconds >= 1 && program_is_sanitized() ? SANITIZED_PATIENCE * seconds : seconds;

	return seconds >= PATIENT && longer < 60 ? 60 : longer;
}

static int64_t
deadline_in(double seconds)
{
	return clock_now() + (int64_t)(program_patience(seconds) * (double)CLOCK_SECOND);
}

bool
program_expect(struct program *program, const char *text, double seconds)
{
	int64_t deadline = deadline_in(seconds);

	while (strstr(program->text, text) == NULL)
		if (!read_more(program, deadline))
			return false;
	return true;
}

void
program_forget(struct program *program)
{
	/* What a program prints faster than it is read would never end. */
	for (int reads = 0; reads < 1000 && read_more(program, clock_now() + 1); reads++)
		continue;
	program->length = 0;
	program->text[0] = '\0';
}

bool
program_start_echo(struct program *program, ...)
{
	char *argv[64] = {program_path("hubbub-echo"), "--listen=127.0.0.1:0"};
	const char *ready;
	int count = 2;
	va_list more;

	va_start(more, program);
	while (count < 63 && (argv[count] = va_arg(more, char *)) != NULL)
		count++;
	va_end(more);
	if (!program_start(program, argv, 0) || !program_expect(program, "ready: ", 20) ||
		!program_expect(program, ", pid ", 5))
		return false;
	ready = strstr(program->text, "ready: ");
	return sscanf(ready, "ready: 127.0.0.1:%d", &program->port) == 1;
}

int
program_wait(struct program *program, double seconds)
{
	int64_t deadline = deadline_in(seconds);
	int status;

	for (;;) {
		pid_t ended = waitpid(program->pid, &status, WNOHANG);

		if (ended == program->pid)
			break;
		if (clock_now() >= deadline)
			return -1;
		if (!read_more(program, clock_now() + 10 * CLOCK_MILLISECOND))
			poll(NULL, 0, 2);
	}
	program->pid = 0;
	while (read_more(program, clock_now() + 200 * CLOCK_MILLISECOND))
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
program_stop(struct program *program, int signal, double seconds)
{
	if (program->pid <= 0)
		return -1;
	kill(program->pid, signal);
	return program_wait(program, seconds);
}

void
program_end(struct program *program)
{
	if (program->pid > 0) {
		killpg(program->pid, SIGKILL);
		waitpid(program->pid, NULL, 0);
		program->pid = 0;
	} else if (program->group > 0 && kill(program->group, 0) != 0) {
		/* Kill the workers of a master that was killed. Their group's number is given to no
		 * new process while it has members; if a process of that number exists, the group
		 * is another one. */
		killpg(program->group, SIGKILL);
	}
	program->group = 0;
	if (program->output != -1)
		close(program->output);
	program->output = -1;
}

int
program_lines(const struct program *program)
{
	int count = 0;

	for (const char *c = program->text; *c != '\0'; c++)
		count += *c == '\n';
	return count;
}

int
program_children(pid_t pid, pid_t *children, int max)
{
	char path[64];
	int count = 0;
	FILE *stream;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	stream = fopen(path, "re");
	if (stream == NULL)
		return 0;
	while (count < max && fscanf(stream, "%d", &children[count]) == 1)
		count++;
	fclose(stream);
	return count;
}

long
program_memory(pid_t pid)
{
	char path[64];
	long pages = 0;
	FILE *stream;

	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	stream = fopen(path, "re");
	if (stream == NULL)
		return 0;
	if (fscanf(stream, "%*d %ld", &pages) != 1)
		pages = 0;
	fclose(stream);
	return pages * sysconf(_SC_PAGESIZE);
}

int
program_files(pid_t pid)
{
	char path[64];
	int count = 0;
	DIR *directory;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	directory = opendir(path);
	while (directory != NULL && readdir(directory) != NULL)
		count++;
	if (directory != NULL)
		closedir(directory);
	/* Without "." and "..". */
	return count > 2 ? count - 2 : 0;
}

bool
program_holds(pid_t pid, const char *path)
{
	struct stat wanted, found;
	char name[300];
	bool is_held = false;
	struct dirent *entry;
	DIR *directory;

	snprintf(name, sizeof name, "/proc/%d/fd", (int)pid);
	directory = stat(path, &wanted) == 0 ? opendir(name) : NULL;
	while (directory != NULL && !is_held && (entry = readdir(directory)) != NULL)
		is_held = fstatat(dirfd(directory), entry->d_name, &found, 0) == 0 &&
			  found.st_dev == wanted.st_dev && found.st_ino == wanted.st_ino;
	if (directory != NULL)
		closedir(directory);
	return is_held;
}

bool
program_is_gone(void *pid)
{
	char path[64], state = 'Z';
	FILE *stream;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)*(pid_t *)pid);
	stream = fopen(path, "re");
	if (stream == NULL)
		return true;
	if (fscanf(stream, "%*d %*s %c", &state) != 1)
		state = 'Z';
	fclose(stream);
	return state == 'Z';
}

/* Whether a table of /proc/net has the socket with that inode, in the wanted state. */
static bool
is_taking(const char *table, const char *format, unsigned long wanted, unsigned long inode)
{
	FILE *stream = fopen(table, "re");
	char line[512];
	bool is = false;

	while (stream != NULL && !is && fgets(line, sizeof line, stream) != NULL) {
		unsigned long state = 0, found = 0;

		is = sscanf(line, format, &state, &found) == 2 && found == inode && state == wanted;
	}
	if (stream != NULL)
		fclose(stream);
	return is;
}

static bool
is_listener(unsigned long inode)
{
	static const char internet[] = " %*u: %*s %*s %lx %*s %*s %*s %*u %*u %lu";

	return is_taking("/proc/net/tcp", internet, 0x0A, inode) ||
	       is_taking("/proc/net/tcp6", internet, 0x0A, inode) ||
	       is_taking("/proc/net/udp", internet, 0x07, inode) ||
	       is_taking("/proc/net/udp6", internet, 0x07, inode) ||
	       is_taking("/proc/net/unix", "%*s %*s %*s %lx %*s %*s %lu", 0x10000, inode);
}

int
program_listeners(pid_t pid)
{
	char path[64], link[64];
	const struct dirent *entry;
	int count = 0;
	DIR *directory;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	directory = opendir(path);
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		ssize_t length = readlinkat(dirfd(directory), entry->d_name, link, sizeof link - 1);
		unsigned long inode;

		link[length > 0 ? length : 0] = '\0';
		count += sscanf(link, "socket:[%lu]", &inode) == 1 && is_listener(inode);
	}
	if (directory != NULL)
		closedir(directory);
	return count;
}

bool
wait_until(bool (*condition)(void *context), void *context, double seconds)
{
	int64_t deadline = deadline_in(seconds);

	while (!condition(context)) {
		if (clock_now() >= deadline)
			return condition(context);
		poll(NULL, 0, 1);
	}
	return true;
}
