#include "tests/fault/estate.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/client.h"

#define LIBRARY HUBBUB_BUILD_DIR "/lib/interrupt.so"
#define OPTION_SIZE 192

/* What it was started with, beside the TCP address, the admin server and the control socket. */
struct options {
	char pidfile[OPTION_SIZE];
	char path[OPTION_SIZE];
	char udp[OPTION_SIZE];
	char drain[OPTION_SIZE];
};

static bool
fail(struct estate *estate, const char *why)
{
	snprintf(estate->why, sizeof estate->why, "%.*s", (int)sizeof estate->why - 1, why);
	return false;
}

static void
write_options(const struct estate *estate, struct options *options)
{
	snprintf(options->pidfile, OPTION_SIZE, "--pidfile=%s", estate->pidfile);
	snprintf(options->path, OPTION_SIZE, "--listen=unix:%s", estate->path);
	snprintf(options->udp, OPTION_SIZE, "--listen=udp:127.0.0.1:%d", estate->udp);
	snprintf(options->drain, OPTION_SIZE, "--drain-timeout=%d", ESTATE_DRAIN);
}

/* ---- interruptions ---- */

bool
estate_can_interrupt(void)
{
	return access(LIBRARY, R_OK) == 0;
}

/* AddressSanitizer wants to be first, but does not have to be. */
static void
preload(bool does)
{
	static char before[1024];
	const char *options = getenv("ASAN_OPTIONS");
	char both[1200];

	if (!does) {
		unsetenv("LD_PRELOAD");
		setenv("ASAN_OPTIONS", before, 1);
		return;
	}
	snprintf(before, sizeof before, "%s", options != NULL ? options : "");
	snprintf(both, sizeof both, "%s:verify_asan_link_order=0", before);
	setenv("ASAN_OPTIONS", both, 1);
	setenv("LD_PRELOAD", LIBRARY, 1);
}

static pid_t
read_pid(const char *file)
{
	FILE *stream = fopen(file, "re");
	int pid = 0;

	if (stream == NULL)
		return 0;
	if (fscanf(stream, "%d", &pid) != 1)
		pid = 0;
	fclose(stream);
	return pid;
}

pid_t
estate_interrupted(struct estate *estate)
{
	return read_pid(estate->interrupted);
}

/* ---- its life ---- */

bool
estate_start(struct estate *estate, const char *interruption)
{
	struct options options;
	char variable[FOLDER_SIZE + 64];
	bool has_started;

	*estate = (struct estate){.udp = server_lasting_port()};
	if (!folder_make(estate->folder))
		return fail(estate, "no folder");
	snprintf(estate->pidfile, sizeof estate->pidfile, "%s/pid", estate->folder);
	snprintf(estate->path, sizeof estate->path, "%s/path", estate->folder);
	snprintf(estate->interrupted, sizeof estate->interrupted, "%s/interrupted", estate->folder);
	snprintf(variable, sizeof variable, "%s %s", interruption, estate->interrupted);
	write_options(estate, &options);
	if (interruption != NULL) {
		setenv("HUBBUB_INTERRUPT", variable, 1);
		preload(true);
	}
	has_started = server_start(&estate->server, "hubbub-echo", "2", "2", options.pidfile,
		options.path, options.udp, options.drain, NULL);
	if (interruption != NULL)
		preload(false);
	return has_started || fail(estate, estate->server.program.text);
}

void
estate_clean(struct estate *estate)
{
	/* The group outlives its leader. */
	if (estate->server.folder[0] != '\0' && estate->server.program.pid == 0)
		kill(-estate->server.pid, SIGKILL);
	server_clean(&estate->server);
	folder_remove(estate->folder);
}

/* ---- who owns it ---- */

pid_t
estate_pidfile(const struct estate *estate)
{
	return read_pid(estate->pidfile);
}

static bool
is_echoed(int fd)
{
	bool is_so = fd != -1 && client_exchange(fd, "here", "HERE");

	if (fd != -1)
		close(fd);
	return is_so;
}

/* By hubbub-ctl and by HTTP. */
static bool
answers_operators(struct estate *estate)
{
	static char output[PROGRAM_OUTPUT_SIZE];
	char expected[64];

	snprintf(expected, sizeof expected, ", pid %d: serving, ready", (int)estate->server.pid);
	if (server_ctl(&estate->server, "status", NULL, output, sizeof output) != 0 ||
		strstr(output, expected) == NULL)
		return fail(estate, output);
	if (server_number(&estate->server, "pid") != estate->server.pid)
		return fail(estate, "the admin server is another one's");
	return true;
}

bool
estate_has_owner(void *context)
{
	struct estate *estate = context;
	pid_t owner = estate_pidfile(estate);

	if (owner == 0 || kill(owner, 0) != 0)
		return fail(estate, "the pid file names nobody");
	estate->server.pid = owner;
	if (!answers_operators(estate))
		return false;
	if (!is_echoed(client_connect(estate->server.program.port)))
		return fail(estate, "the port does not answer");
	if (!is_echoed(client_connect_path(estate->path)))
		return fail(estate, "the path does not answer");
	if (!is_echoed(client_connect_udp(estate->udp)))
		return fail(estate, "datagrams are not answered");
	return true;
}

/* ---- who is left ---- */

struct process {
	pid_t pid;
	char state;
	pid_t parent;
	pid_t group;
};

static bool
read_process(const char *name, struct process *process)
{
	char path[64], text[512];
	const char *rest;
	size_t length;
	FILE *stream;

	process->pid = atoi(name);
	snprintf(path, sizeof path, "/proc/%d/stat", (int)process->pid);
	stream = process->pid > 0 ? fopen(path, "re") : NULL;
	if (stream == NULL)
		return false;
	length = fread(text, 1, sizeof text - 1, stream);
	text[length] = '\0';
	fclose(stream);
	/* After its name, which may hold anything. */
	rest = strrchr(text, ')');
	return rest != NULL &&
	       sscanf(rest, ") %c %d %d", &process->state, &process->parent, &process->group) == 3;
}

bool
estate_is_tidy(void *context)
{
	struct estate *estate = context;
	pid_t first = estate->server.program.pid, owner = estate->server.pid;
	struct process process;
	struct dirent *entry;
	bool is_tidy = true;
	DIR *folder;

	/* The first one is this process's child. */
	if (first != owner)
		waitpid(first, NULL, WNOHANG);
	folder = opendir("/proc");
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		if (!read_process(entry->d_name, &process) || process.group != first ||
			process.state == 'Z' || process.pid == owner || process.parent == owner)
			continue;
		snprintf(estate->why, sizeof estate->why,
			"process %d is left, a child of %d, beside the owner %d", (int)process.pid,
			(int)process.parent, (int)owner);
		is_tidy = false;
	}
	if (folder != NULL)
		closedir(folder);
	return is_tidy;
}

/* ---- again ---- */

bool
estate_starts_again(struct estate *estate)
{
	char listen[OPTION_SIZE], admin[OPTION_SIZE], control[OPTION_SIZE];
	struct options options;
	char *argv[] = {program_path("hubbub-echo"), listen, "-p2", "-t2", admin, control,
		options.pidfile, options.path, options.udp, options.drain, NULL};
	struct program again;
	bool serves;

	write_options(estate, &options);
	snprintf(listen, sizeof listen, "--listen=127.0.0.1:%d", estate->server.program.port);
	snprintf(admin, sizeof admin, "--admin=127.0.0.1:%d", estate->server.admin);
	snprintf(control, sizeof control, "--control=%s", estate->server.control);
	serves = program_start(&again, argv, 0) && program_expect(&again, "ready: ", 10) &&
		 is_echoed(client_connect(estate->server.program.port));
	if (!serves)
		fail(estate, again.text);
	program_stop(&again, SIGTERM, 10);
	program_end(&again);
	return serves;
}
